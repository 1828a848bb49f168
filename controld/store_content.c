/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/store_content.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/digest.h"
#include "proto/message.h"

static int unpack_all(struct lp_config *config, const uint8_t *content,
    size_t len, struct lp_digest *digest, char why[LP_WHY_SIZE]);
static int unpack_one(struct lp_config *config, const uint8_t *payload,
    size_t len, struct lp_digest *digest, char why[LP_WHY_SIZE]);

int
lp_store_content_pack(
    const struct lp_config *config, uint8_t **content, size_t *len)
{
	size_t size = config->count * LP_FRAME_HEADER_SIZE + 1;
	uint8_t *bytes;

	for (size_t i = 0; i < config->count; i++)
		size += lp_message_object_size(&config->objects[i]);
	bytes = malloc(size);
	if (bytes == NULL)
		return -ENOMEM;
	*len = 0;
	for (size_t i = 0; i < config->count; i++) {
		uint8_t *frame = bytes + *len;
		size_t object_len = lp_message_pack_object(
		    frame + LP_FRAME_HEADER_SIZE,
		    size - *len - LP_FRAME_HEADER_SIZE, &config->objects[i]);

		lp_frame_header(frame, object_len);
		*len += LP_FRAME_HEADER_SIZE + object_len;
	}
	*content = bytes;
	return 0;
}

int
lp_store_content_unpack(struct lp_config *config, const uint8_t *content,
    size_t len, uint64_t *digest, char why[LP_WHY_SIZE])
{
	struct lp_digest *state = lp_digest_new();
	int err = -ENOMEM;

	snprintf(why, LP_WHY_SIZE, "out of memory");
	if (state != NULL)
		err = unpack_all(config, content, len, state, why);
	*digest = lp_digest_end(state);
	return err;
}

static int
unpack_all(struct lp_config *config, const uint8_t *content, size_t len,
    struct lp_digest *digest, char why[LP_WHY_SIZE])
{
	while (len > 0) {
		const uint8_t *payload;
		size_t payload_len, used;
		int err;

		if (lp_frame_next(content, len, &payload, &payload_len) !=
		    LP_OK) {
			snprintf(why, LP_WHY_SIZE, "it is damaged");
			return -EINVAL;
		}
		err = unpack_one(config, payload, payload_len, digest, why);
		if (err != 0)
			return err;
		used = LP_FRAME_HEADER_SIZE + payload_len;
		content += used;
		len -= used;
	}
	return 0;
}

static int
unpack_one(struct lp_config *config, const uint8_t *payload, size_t len,
    struct lp_digest *digest, char why[LP_WHY_SIZE])
{
	Lp__Pb__Object *message = lp__pb__object__unpack(NULL, len, payload);
	const char *field = "";
	char reason[LP_WHY_SIZE];
	struct lp_object object;
	int err = -EINVAL;

	if (message == NULL) {
		snprintf(why, LP_WHY_SIZE, "it is damaged");
		return -EINVAL;
	}
	if (lp_message_to_object(&object, message, &field, reason) == 0) {
		lp_digest_add(digest, &object, payload, len);
		err = lp_config_put(config, &object);
	} else {
		snprintf(why, LP_WHY_SIZE, "object %u: %s: %.180s", message->id,
		    field, reason);
	}
	if (err == -ENOSPC) {
		snprintf(why, LP_WHY_SIZE, "there are too many %ss",
		    lp_object_kind_name(object.kind));
		err = -EINVAL;
	}
	lp__pb__object__free_unpacked(message, NULL);
	return err;
}
