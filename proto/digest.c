/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/digest.h"

#include <arpa/inet.h>
#include <xxhash.h>

/* XXH3's own state, under a name of ours. */
static XXH3_state_t *
state_of(struct lp_digest *digest)
{
	return (XXH3_state_t *)digest;
}

struct lp_digest *
lp_digest_new(void)
{
	XXH3_state_t *state = XXH3_createState();

	if (state != NULL)
		XXH3_64bits_reset(state);
	return (struct lp_digest *)state;
}

void
lp_digest_add(struct lp_digest *digest, const struct lp_object *object,
    const uint8_t *packed, size_t len)
{
	uint32_t head[3] = {
	    htonl(object->kind),
	    htonl(object->id),
	    htonl((uint32_t)len),
	};

	XXH3_64bits_update(state_of(digest), head, sizeof(head));
	XXH3_64bits_update(state_of(digest), packed, len);
}

uint64_t
lp_digest_end(struct lp_digest *digest)
{
	uint64_t value;

	if (digest == NULL)
		return 0;
	value = XXH3_64bits_digest(state_of(digest));
	XXH3_freeState(state_of(digest));
	return value != 0 ? value : 1;
}
