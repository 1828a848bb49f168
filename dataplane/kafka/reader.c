/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/reader.h"

#include <assert.h>

enum { VARINT_LAST = 28 }; /* bits before the fifth byte, which has four more */

int
lp_reader_gather(
    struct lp_walk *walk, const uint8_t **at, const uint8_t *limit, uint32_t n)
{
	uint32_t here = (uint32_t)(limit - *at);
	uint32_t want = n - walk->held;

	assert(n <= LP_FACT_TEXT_MAX && walk->held <= n);
	if (want > here)
		want = here;
	if (want > 0)
		memcpy(walk->hold + walk->held, *at, want);
	*at += want;
	walk->held = (uint8_t)(walk->held + want);
	if (walk->held < n)
		return LP_WALK_MORE;
	walk->held = 0;
	return LP_READER_GO;
}

int
lp_reader_long_varint(
    struct lp_walk *walk, const uint8_t **at, const uint8_t *limit)
{
	while (*at < limit) {
		uint8_t byte = *(*at)++;

		if (walk->shift == VARINT_LAST && byte > 0x0f)
			return LP_WALK_BAD;
		walk->varint |= (uint32_t)(byte & 0x7f) << walk->shift;
		walk->shift = (uint8_t)(walk->shift + 7);
		if (byte < 0x80) {
			walk->shift = 0;
			return LP_READER_GO;
		}
	}
	return LP_WALK_MORE;
}
