/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/disguise.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kafka/walk.h"

enum { HEAD = 8, SIZE_LEN = 4 };

struct piece {
	uint32_t at; /* of its first byte: what is before has gone */
	uint32_t covered; /* up to there by overlays so far */
	uint32_t end; /* of the whole frame, as it says */
	uint32_t len; /* bytes that are there */
};

static void
put(struct disguise_run *run, struct piece *piece,
    const struct lp_overlay *overlay)
{
	assert(overlay->len > 0 && overlay->over_len <= overlay->len);
	assert(overlay->over_len <= LP_OVERLAY_BYTES);
	assert(overlay->at >= piece->at && overlay->at >= piece->covered);
	assert(overlay->len <= piece->end - overlay->at);
	piece->covered = overlay->at + overlay->len;
	/* The frame may say that it is longer than the bytes are. */
	for (uint32_t i = 0; i < overlay->len && overlay->at + i < piece->len;
	     i++)
		run->bytes[overlay->at + i] =
		    i < overlay->over_len ? overlay->over[i] : overlay->fill;
	run->overlays++;
}

static void
walk_piece(struct disguise_run *run, struct lp_disguise *disguise,
    struct lp_walk *walk, struct piece *piece, const uint8_t *bytes,
    uint32_t len)
{
	uint8_t *copy = malloc(len + 1);
	struct lp_cursor in = {.at = copy, .end = copy + len};
	struct lp_overlay overlay;
	struct lp_fact fact;

	assert(copy != NULL);
	memcpy(copy, bytes, len);
	while ((run->result = lp_walk_next(walk, &in, &fact)) == LP_WALK_FACT) {
		/* What is not set must not matter. */
		memset(&overlay, 0xa5, sizeof(overlay));
		if (lp_disguise_fact(disguise, &fact, &overlay))
			put(run, piece, &overlay);
	}
	free(copy);
}

void
disguise_run(struct disguise_run *run, const struct facts_frame *frame,
    const uint32_t cuts[], unsigned count, int16_t produce_last)
{
	struct lp_disguise disguise;
	struct lp_walk walk;
	struct piece piece = {.at = HEAD, .len = frame->len};
	uint32_t size;

	memcpy(&size, frame->bytes, sizeof(size));
	size = be32toh(size);
	piece.end = size + SIZE_LEN;
	*run = (struct disguise_run){.bytes = malloc(frame->len)};
	assert(run->bytes != NULL);
	memcpy(run->bytes, frame->bytes, frame->len);
	memset(&disguise, 0xa5, sizeof(disguise));
	lp_disguise_begin(&disguise, size, produce_last);
	lp_walk_response(&walk, frame->key, frame->version, size);
	for (unsigned i = 0; i <= count && run->result == LP_WALK_MORE; i++) {
		uint32_t end = i < count ? cuts[i] : frame->len;

		if (end < piece.at)
			continue;
		walk_piece(run, &disguise, &walk, &piece,
		    frame->bytes + piece.at, end - piece.at);
		piece.at = end;
	}
	run->failed = disguise.failed;
}

void
disguise_free(struct disguise_run *run)
{
	free(run->bytes);
	*run = (struct disguise_run){0};
}
