/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that hold of the pools what others need, and do not move.
 *
 * What a connection holds is given back when one end has done something: the
 * client has acknowledged new bytes, the broker has sent what is missing.  Who
 * is waited for, and where that one is, is compared before and after each
 * packet: if it is another one, or has moved, the time is noted.  The one in
 * front decides: a client that acknowledges nothing does not begin anew because
 * its broker sends more.
 *
 * As long as the pools have room nobody is disturbed, however slow.  When a
 * segment is refused because they have not (lp_edit_is_short()), or nothing can
 * be kept for an answer (lp_recall_is_short()), and as long as that is so, the
 * table is looked at once a second, a slice a turn, and who has not moved for
 * LP_STALLED_S is reset on both sides, until there is plenty again
 * (lp_edit_is_eased()).
 *
 * Who cannot move because we keep it from sending (pace.h) does not stall: its
 * time begins when it is told that it may go on.
 *
 * Source: RFC 6429: a connection whose window stays shut may be aborted for
 * the sake of others.
 */
#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/recall.h"
#include "dataplane/pipeline/splice.h"

/* Who is to do something before what is held is given back. */
enum whom {
	NOBODY = 0, /* nothing is held */
	CLIENT_TO_ACKNOWLEDGE,
	BROKER_TO_SEND,
	BROKER_TO_ACKNOWLEDGE,
	CLIENT_TO_SEND,
	BROKER_TO_ANSWER,
};

static struct lp_splice_front front_of(const struct lp_kafka *, uint32_t);
static bool is_kept(
    const struct lp_kafka *, uint32_t, const struct lp_splice_front *);
static bool is_awaited(const struct lp_splice_front *, enum lp_direction);
static bool is_stalled(const struct lp_splice_stall *, const struct lp_kafka *,
    uint32_t, uint32_t);

void
lp_splice_stall_begin(struct lp_splice_at *at)
{
	at->front = front_of(at->kafka, at->index);
}

void
lp_splice_stall_end(struct lp_splice_at *at)
{
	struct lp_splice_front front = front_of(at->kafka, at->index);

	if (front.whom != NOBODY &&
	    (front.whom != at->front.whom || front.at != at->front.at))
		at->kafka->state->conns[at->index].moved_s = at->batch->now_s;
}

void
lp_splice_stall_refused(struct lp_splice_at *at, bool ahead)
{
	if (!lp_edit_is_short(at->kafka))
		return;
	at->kafka->pressed = true;
	/* Its list would go on: it is us that it waits for. */
	if (!ahead && at->pkt->dir == LP_TO_CLIENT &&
	    at->front.whom == BROKER_TO_SEND &&
	    lp_seqmap_open(at->map, at->edits) != NULL)
		at->kafka->state->conns[at->index].moved_s = at->batch->now_s;
}

void
lp_splice_stall_released(struct lp_kafka *kafka, uint32_t index,
    enum lp_direction sender, uint32_t now_s)
{
	struct lp_splice_front front;

	if (!(kafka->region->connections[index].flags & LP_CONN_SPLICED))
		return;
	front = front_of(kafka, index);
	if (is_awaited(&front, sender))
		kafka->state->conns[index].moved_s = now_s;
}

void
lp_splice_stall_turn(struct lp_splice_stall *stall, struct lp_rewrite *rewrite,
    struct lp_batch *batch)
{
	struct lp_kafka *kafka = rewrite->kafka;
	/* Each may make four RSTs: leave room in the outbox. */
	unsigned room = (LP_OUTBOX_MAX - batch->out.count) / 4;

	if (!stall->looking && kafka->pressed &&
	    stall->looked_s != batch->now_s) {
		stall->looking = true;
		stall->next = 0;
	}
	if (!stall->looking || batch->snapshot == NULL)
		return;
	for (unsigned i = 0; i < LP_SWEEP_STEP && room > 0; i++) {
		const struct lp_conn *conn;
		uint32_t index = stall->next;

		if (index == kafka->state->conn_count ||
		    lp_edit_is_eased(kafka)) {
			stall->looking = false;
			stall->looked_s = batch->now_s;
			/* Who was refused comes again ever more rarely. */
			kafka->pressed = lp_edit_is_short(kafka) ||
			    lp_recall_is_short(kafka);
			return;
		}
		stall->next++;
		conn = lp_conntrack_get(rewrite->conntrack, index);
		if (!is_stalled(stall, kafka, index, batch->now_s) ||
		    !lp_reset_may(rewrite->reset, conn, batch->now_ns))
			continue;
		/* First: it ends also if its end is cut short by a kill. */
		lp_edit_break(kafka, index,
		    &kafka->telemetry.stats->counters.rewrite_stalled);
		lp_reset_connection(rewrite->reset, batch, conn);
		lp_conntrack_remove(rewrite->conntrack, index);
		room--;
	}
}

/* Of two that only grow the sum: it moves with either. */
static struct lp_splice_front
front_of(const struct lp_kafka *kafka, uint32_t index)
{
	const struct lp_splice *splice = &kafka->state->splices[index];
	const struct lp_kafka_side *sides = kafka->state->conns[index].sides;
	const struct lp_seqmap *map = &splice->maps[LP_TO_CLIENT];
	const struct lp_edit *first =
	    map->first != 0 ? &kafka->state->edits[map->first - 1] : NULL;
	const struct lp_stream *stream = &sides[LP_TO_CLIENT].stream;
	const struct lp_stream *asked = &sides[LP_TO_BROKER].stream;

	if (first != NULL && first->kind != LP_EDIT_OPEN)
		return (struct lp_splice_front){
		    .whom = CLIENT_TO_ACKNOWLEDGE, .at = splice->client_ack};
	if (first != NULL)
		return (struct lp_splice_front){
		    .whom = BROKER_TO_SEND, .at = lp_edit_end(first)};
	/* What is skipped comes before what is read, and is acknowledged. */
	if (splice->waiting_count[LP_TO_CLIENT] != 0)
		return (struct lp_splice_front){.whom = BROKER_TO_SEND,
		    .at = stream->need + (uint32_t)stream->skip +
			splice->client_ack};
	/* In front of what its client goes on to ask for. */
	if (kafka->state->conns[index].kept_count != 0)
		return (struct lp_splice_front){.whom = BROKER_TO_ANSWER,
		    .at = stream->need + (uint32_t)stream->skip +
			splice->client_ack};
	if (splice->maps[LP_TO_BROKER].first != 0 || splice->said_count > 0)
		return (struct lp_splice_front){.whom = BROKER_TO_ACKNOWLEDGE,
		    .at = splice->maps[LP_TO_BROKER].floor};
	if (asked->held != 0 || splice->waiting_count[LP_TO_BROKER] != 0)
		return (struct lp_splice_front){.whom = CLIENT_TO_SEND,
		    .at = asked->need + (uint32_t)asked->skip +
			splice->maps[LP_TO_BROKER].floor};
	return (struct lp_splice_front){.whom = NOBODY};
}

/* It is to send, and its window does not move; or it was not told yet. */
static bool
is_kept(const struct lp_kafka *kafka, uint32_t index,
    const struct lp_splice_front *front)
{
	for (enum lp_direction dir = LP_TO_BROKER; dir <= LP_TO_CLIENT; dir++)
		if (is_awaited(front, dir) &&
		    lp_pace_is_waiting(&kafka->pace, index, dir))
			return true;
	return false;
}

static bool
is_awaited(const struct lp_splice_front *front, enum lp_direction sender)
{
	return front->whom ==
	    (sender == LP_TO_BROKER ? CLIENT_TO_SEND : BROKER_TO_SEND);
}

/* What had no process to move it does not count: from its start on. */
static bool
is_stalled(const struct lp_splice_stall *stall, const struct lp_kafka *kafka,
    uint32_t index, uint32_t now_s)
{
	const struct lp_conn *conn = &kafka->region->connections[index];
	uint32_t moved_s = kafka->state->conns[index].moved_s;
	struct lp_splice_front front;

	if (conn->use != LP_CONN_USED || !(conn->flags & LP_CONN_SPLICED) ||
	    now_s - moved_s <= LP_STALLED_S ||
	    now_s - stall->began_s <= LP_STALLED_S)
		return false;
	front = front_of(kafka, index);
	return front.whom != NOBODY && !is_kept(kafka, index, &front);
}
