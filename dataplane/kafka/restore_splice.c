/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking up the edits of a spliced connection.  One on whose packet the process
 * was killed may have told its ends what it does not remember: it is reset.
 */
#include <string.h>

#include "dataplane/kafka/restore.h"
#include "dataplane/kafka/said.h"
#include "dataplane/pipeline/wire.h"

static bool was_closing(const struct lp_kafka *, uint32_t);
static bool claim_map(struct lp_kafka *, const struct lp_seqmap *);
static bool is_sound(const struct lp_edit_marks *);
static bool claim_pieces(struct lp_kafka *, uint32_t, uint32_t);

void
lp_restore_splice(struct lp_kafka *kafka, uint32_t index, bool doubtful)
{
	const struct lp_conn *conn = &kafka->region->connections[index];
	struct lp_splice *splice = &kafka->state->splices[index];

	if (conn->use != LP_CONN_USED || !(conn->flags & LP_CONN_SPLICED))
		return;
	if (conn->tcp.state == LP_TCP_SYN_SENT &&
	    kafka->state->conns[index].mode == LP_KAFKA_OFF) {
		/* Killed as it began (admit.c): its SYN comes once more. */
		*splice = (struct lp_splice){.mss = LP_TCP_MSS_V4};
		lp_kafka_open(kafka, index);
		return;
	}
	if (!doubtful && !was_closing(kafka, index) &&
	    claim_map(kafka, &splice->maps[LP_TO_BROKER]) &&
	    claim_map(kafka, &splice->maps[LP_TO_CLIENT]) &&
	    claim_pieces(kafka, splice->waiting[LP_TO_BROKER],
		splice->waiting_count[LP_TO_BROKER]) &&
	    claim_pieces(kafka, splice->waiting[LP_TO_CLIENT],
		splice->waiting_count[LP_TO_CLIENT]) &&
	    lp_said_claim(kafka, splice))
		return;
	for (unsigned dir = LP_TO_BROKER; dir <= LP_TO_CLIENT; dir++) {
		splice->maps[dir].first = 0;
		splice->maps[dir].last = 0;
		splice->maps[dir].count = 0;
		splice->waiting[dir] = 0;
		splice->waiting_count[dir] = 0;
	}
	splice->said[0] = 0;
	splice->said[1] = 0;
	splice->said_count = 0;
	splice->flags |= LP_SPLICE_BROKEN;
}

/*
 * Killed as it was being removed: it is not read any more, although its ends
 * may go on, or it holds yet.  What they say would pass as it is.
 */
static bool
was_closing(const struct lp_kafka *kafka, uint32_t index)
{
	const struct lp_splice *splice = &kafka->state->splices[index];
	uint8_t state = kafka->region->connections[index].tcp.state;

	return kafka->state->conns[index].mode == LP_KAFKA_OFF &&
	    ((state != LP_TCP_CLOSED && state != LP_TCP_TIME_WAIT) ||
		splice->maps[LP_TO_BROKER].first != 0 ||
		splice->maps[LP_TO_CLIENT].first != 0 ||
		splice->waiting[LP_TO_BROKER] != 0 ||
		splice->waiting[LP_TO_CLIENT] != 0 || splice->said_count != 0);
}

static bool
claim_map(struct lp_kafka *kafka, const struct lp_seqmap *map)
{
	uint32_t link = map->first;
	uint32_t last = 0;

	for (uint32_t n = 0; n < map->count; n++) {
		const struct lp_edit *edit;
		uint32_t len;

		if (link == 0 || link > kafka->edits.count ||
		    kafka->edits.free[link - 1] != 0)
			return false;
		edit = &kafka->state->edits[link - 1];
		if (edit->kind == LP_EDIT_NONE || edit->kind > LP_EDIT_MARK ||
		    (edit->kind == LP_EDIT_MARK && !is_sound(&edit->marks)))
			return false;
		len =
		    edit->kind == LP_EDIT_OPEN ? edit->old_len : edit->new_len;
		if ((!lp_edit_is_painted(edit) || edit->bytes != 0) &&
		    !claim_pieces(kafka, edit->bytes,
			(len + LP_HELD_BYTES - 1) / LP_HELD_BYTES))
			return false;
		kafka->edits.free[link - 1] = 1;
		last = link;
		link = edit->next;
	}
	return link == 0 && last == map->last;
}

/* It can be painted. */
static bool
is_sound(const struct lp_edit_marks *marks)
{
	return marks->count == 1 || (marks->count > 1 && marks->stride > 0);
}

/* A list of exactly so many. */
static bool
claim_pieces(struct lp_kafka *kafka, uint32_t link, uint32_t count)
{
	for (uint32_t n = 0; n < count; n++) {
		if (link == 0 || link > kafka->held.count ||
		    kafka->held.free[link - 1] != 0)
			return false;
		kafka->held.free[link - 1] = 1;
		link = kafka->held.pieces[link - 1].next;
	}
	return link == 0;
}
