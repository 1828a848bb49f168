/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/frame.h"

#include <assert.h>

enum { PAYLOAD_MAX = LP_FRAME_SIZE_MAX - LP_FRAME_HEADER_SIZE };

enum lp_parse_result
lp_frame_next(const uint8_t *data, size_t len, const uint8_t **payload,
    size_t *payload_len)
{
	uint32_t size;

	if (len < LP_FRAME_HEADER_SIZE) {
		*payload_len = LP_FRAME_HEADER_SIZE;
		return LP_MORE;
	}
	size = (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 |
	    (uint32_t)data[2] << 8 | data[3];
	if (size == 0 || size > PAYLOAD_MAX)
		return LP_BAD;
	if (len - LP_FRAME_HEADER_SIZE < size) {
		*payload_len = LP_FRAME_HEADER_SIZE + size;
		return LP_MORE;
	}
	*payload = data + LP_FRAME_HEADER_SIZE;
	*payload_len = size;
	return LP_OK;
}

void
lp_frame_header(uint8_t header[LP_FRAME_HEADER_SIZE], size_t payload_len)
{
	assert(payload_len > 0 && payload_len <= PAYLOAD_MAX);
	header[0] = (uint8_t)(payload_len >> 24);
	header[1] = (uint8_t)(payload_len >> 16);
	header[2] = (uint8_t)(payload_len >> 8);
	header[3] = (uint8_t)payload_len;
}
