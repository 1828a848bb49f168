/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/stream.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum lp_parse_result
lp_stream_next(struct evbuffer *input, const uint8_t **payload, size_t *len)
{
	size_t have = evbuffer_get_length(input);
	size_t need = LP_FRAME_HEADER_SIZE;
	enum lp_parse_result result = LP_MORE;

	/* Once for the header, once for the whole frame. */
	while (result == LP_MORE && need <= have) {
		const uint8_t *data = evbuffer_pullup(input, (ssize_t)need);

		if (data == NULL)
			return LP_BAD; /* no memory */
		result = lp_frame_next(data, need, payload, len);
		if (result == LP_MORE) {
			assert(*len > need);
			need = *len;
		}
	}
	return result;
}

void
lp_stream_drop(struct evbuffer *input, size_t len)
{
	evbuffer_drain(input, LP_FRAME_HEADER_SIZE + len);
}

int
lp_stream_add(struct evbuffer *output, const ProtobufCMessage *message)
{
	uint8_t *frame;
	size_t len;
	int err = lp_message_frame(&frame, &len, message);

	if (err != 0)
		return err;
	if (evbuffer_add(output, frame, len) != 0)
		err = -ENOMEM;
	free(frame);
	return err;
}

int
lp_stream_address(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	strcpy(address->sun_path, path);
	return 0;
}
