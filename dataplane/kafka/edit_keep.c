/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that stay what they are, and that the client has no room for yet.
 *
 * While a list is held the broker is let go on as if nothing of it were to fill
 * the client's window (splice_ack.c): else the list would never end.  When its
 * new bytes do fill the window, what was sent behind it has no room.  Passed
 * on, it would be lost at the client, and only the broker's timer would bring
 * it again.  So it is kept, like the new bytes of an edit, and goes out as the
 * client's window allows.  It is not acknowledged to the broker before the
 * client has it: the broker's timer stands behind it as behind all bytes.
 */
#include <string.h>

#include "dataplane/kafka/chain.h"
#include "dataplane/kafka/edit.h"

enum {
	/* Edits that are left for what must be replaced. */
	EDITS_LEFT = LP_BUFFER_SIZE / 16,
	/* A connection with so many edits keeps nothing more. */
	KEPT_MAX = 64,
};

static bool has_room(const struct lp_kafka *, const struct lp_seqmap *);
static uint32_t in_front(
    const struct lp_seqmap *, const struct lp_edit *, uint32_t);
static uint32_t last_piece(const struct lp_kafka *, uint32_t);

struct lp_edit *
lp_edit_keep(struct lp_kafka *kafka, uint32_t index, uint32_t seq,
    const uint8_t *bytes, uint32_t len)
{
	struct lp_splice *splice = &kafka->state->splices[index];
	struct lp_seqmap *map = &splice->maps[LP_TO_CLIENT];
	struct lp_edit *edits = kafka->state->edits;
	uint32_t link = lp_seqmap_find(map, edits, seq);
	uint32_t before = in_front(map, edits, seq);
	struct lp_edit *edit = before != 0 ? &edits[before - 1] : NULL;
	struct lp_chain chain;
	bool kept;

	/* Neither over other edits, nor below what is acknowledged. */
	if (lp_seq_before(seq, map->floor) ||
	    (link != 0 && lp_seq_before(edits[link - 1].start, seq + len)) ||
	    !has_room(kafka, map))
		return NULL;
	if (edit == NULL || edit->kind != LP_EDIT_KEEP ||
	    lp_edit_end(edit) != seq || edit->sent == edit->new_len ||
	    edit->new_len + len > LP_EDIT_BYTES_MAX) {
		edit = lp_edit_insert(kafka, map, LP_EDIT_KEEP, before, seq);
		assert(edit != NULL); /* has_room() */
	} else {
		lp_edit_save(kafka, edit);
	}
	chain = (struct lp_chain){.first = edit->bytes,
	    .last = last_piece(kafka, edit->bytes),
	    .len = edit->new_len};
	if (chain.last != 0)
		lp_kafka_save(
		    kafka, &kafka->held.pieces[chain.last - 1], LP_HELD_HEAD);
	kept = lp_chain_append(&kafka->held, &chain, bytes, len);
	assert(kept); /* has_room() */
	(void)kept;
	edit->bytes = chain.first;
	edit->old_len += len;
	edit->new_len += len;
	splice->flags |= LP_SPLICE_EDITED;
	return edit;
}

/* As for an answer (lp_edit_room()): the half is for those that are open. */
static bool
has_room(const struct lp_kafka *kafka, const struct lp_seqmap *map)
{
	return map->count < KEPT_MAX && kafka->edits.free_count > EDITS_LEFT &&
	    lp_edit_has_half(kafka);
}

/* The last edit that ends at that position, or before: index + 1. */
static uint32_t
in_front(const struct lp_seqmap *map, const struct lp_edit *edits, uint32_t seq)
{
	uint32_t before = 0;

	for (uint32_t link = map->first; link != 0;
	     link = edits[link - 1].next) {
		if (lp_seq_before(seq, lp_edit_end(&edits[link - 1])))
			break;
		before = link;
	}
	return before;
}

static uint32_t
last_piece(const struct lp_kafka *kafka, uint32_t link)
{
	uint32_t last = 0;

	for (; link != 0; link = kafka->held.pieces[link - 1].next)
		last = link;
	return last;
}
