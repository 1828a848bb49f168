/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a packet can be looked at now, before it has changed anything: all
 * that it may need is there, and what is in front of it has come.  If not it
 * waits, or is as lost, and its sender sends it again.
 */
#include "dataplane/pipeline/splice.h"

#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/judge.h"
#include "dataplane/kafka/said.h"

static bool is_changed(const struct lp_splice_at *);
static bool is_constant(const struct lp_splice_at *);
static bool can_be_held(const struct lp_splice_at *);

/* Before anything has changed. */
enum lp_splice_judgement
lp_splice_judge(struct lp_splice_at *at, enum lp_reason *why)
{
	const struct lp_kafka_conn *conn =
	    &at->kafka->state->conns[at->pkt->conn];
	const struct lp_tcp_segment *segment = &at->segment;
	bool changes = at->pkt->dir == LP_TO_CLIENT;
	bool live = conn->mode == LP_KAFKA_LIVE;
	bool ahead = lp_seq_before(lp_splice_judge_next(at), segment->seq) &&
	    lp_splice_judge_orders(at);
	/* It moves with what is in front of it. */
	bool early = ahead && (segment->flags & LP_TCP_FIN);

	if ((segment->len == 0 && !early) || (segment->flags & LP_TCP_RST))
		return LP_SPLICE_PASS;
	if (!early && !(live && lp_splice_judge_wants(at)) && !is_changed(at))
		return LP_SPLICE_PASS;
	if (!lp_kafka_is_intact(at->pkt)) {
		*why = LP_REASON_TCP_CHECKSUM;
		return LP_SPLICE_DROP;
	}
	/* Who reads it need not ask again. */
	at->pkt->flags |= LP_PKT_TCP_SUM_GOOD;
	if (early && segment->len == 0)
		return LP_SPLICE_WAIT;
	if (!live || !lp_splice_judge_wants(at))
		return LP_SPLICE_PASS;
	if (!changes && !is_constant(at)) {
		*why = LP_REASON_UNREADABLE;
		return LP_SPLICE_DROP;
	}
	if (!changes && ahead)
		return LP_SPLICE_WAIT;
	if (!changes && lp_splice_judge_orders(at) &&
	    !lp_said_room(at->kafka, at->index, segment->len)) {
		lp_telemetry_count(&at->kafka->telemetry, judged_full, 1);
		lp_splice_stall_refused(at, false);
		*why = LP_REASON_EDIT_FULL;
		return LP_SPLICE_DROP;
	}
	if (!lp_edit_room(
		at->kafka, at->index, at->pkt->dir, segment->len, ahead) ||
	    (!changes && !can_be_held(at))) {
		lp_telemetry_count(&at->kafka->telemetry, rewrite_full, 1);
		lp_splice_stall_refused(at, ahead);
		*why = LP_REASON_EDIT_FULL;
		return ahead ? LP_SPLICE_FULL : LP_SPLICE_DROP;
	}
	return ahead ? LP_SPLICE_WAIT : LP_SPLICE_PASS;
}

/*
 * Its checksum will be made anew: bytes of it are others, or zeros, or what was
 * judged, or they are copied behind those that wait.  Of those that are copied
 * for want of room it is asked there (splice_broker.c).  All else goes on with
 * the differences that its numbers make, and a wrong checksum stays wrong.
 */
static bool
is_changed(const struct lp_splice_at *at)
{
	const struct lp_seqmap *map = &at->splice->maps[at->pkt->dir];
	uint32_t seq = at->segment.seq;
	uint32_t end = seq + at->segment.len;
	uint32_t link = lp_seqmap_find(map, at->edits, seq);

	return lp_splice_judge_again(at) ||
	    (at->pkt->dir == LP_TO_CLIENT &&
		at->splice->waiting_count[LP_TO_CLIENT] != 0) ||
	    (link != 0 && lp_seq_before(at->edits[link - 1].start, end)) ||
	    ((at->splice->flags & LP_SPLICE_EDITED) &&
		at->pkt->dir == LP_TO_CLIENT && lp_seq_before(seq, map->floor));
}

bool
lp_splice_judge_again(const struct lp_splice_at *at)
{
	const struct lp_stream *stream =
	    &at->kafka->state->conns[at->index].sides[LP_TO_BROKER].stream;

	return at->pkt->dir == LP_TO_BROKER && at->segment.len > 0 &&
	    lp_seq_before(at->segment.seq, stream->need) &&
	    (at->splice->said_count > 0 || lp_splice_judge_orders(at));
}

bool
lp_splice_judge_unheard(const struct lp_splice_at *at)
{
	return at->again && lp_splice_judge_orders(at) &&
	    lp_said_lacks(at->splice,
		&at->kafka->state->conns[at->index].sides[LP_TO_BROKER].stream,
		at->segment.seq, at->segment.len);
}

/* Whether some of its bytes are to be looked at, or kept. */
bool
lp_splice_judge_wants(const struct lp_splice_at *at)
{
	const struct lp_stream *stream =
	    &at->kafka->state->conns[at->pkt->conn].sides[at->pkt->dir].stream;
	const struct lp_edit *open = lp_seqmap_open(at->map, at->edits);

	if (at->pkt->dir == LP_TO_CLIENT && open != NULL)
		return lp_seq_before(
		    lp_edit_end(open), at->segment.seq + at->segment.len);
	return lp_stream_wants(stream, at->segment.seq, at->segment.len);
}

/*
 * What the broker sends may be changed.  Where rules act nothing of a client
 * passes before it was judged.
 */
bool
lp_splice_judge_orders(const struct lp_splice_at *at)
{
	return at->kafka->state->conns[at->index].mode == LP_KAFKA_LIVE &&
	    (at->pkt->dir == LP_TO_CLIENT ||
		lp_snapshot_unjudged(
		    at->batch->snapshot, at->conn->listener_id) != 0);
}

uint32_t
lp_splice_judge_next(const struct lp_splice_at *at)
{
	const struct lp_stream *stream =
	    &at->kafka->state->conns[at->index].sides[at->pkt->dir].stream;
	const struct lp_edit *open = lp_seqmap_open(at->map, at->edits);

	if (at->pkt->dir == LP_TO_CLIENT && open != NULL)
		return lp_edit_end(open);
	return stream->need + (uint32_t)stream->skip;
}

/* A client must not ask us for one thing, and the broker for another. */
static bool
is_constant(const struct lp_splice_at *at)
{
	const struct lp_stream *stream =
	    &at->kafka->state->conns[at->index].sides[LP_TO_BROKER].stream;
	const struct lp_stream_segment segment = {
	    .bytes = at->pkt->data + at->pkt->payload_off,
	    .seq = at->segment.seq,
	    .len = at->segment.len};

	return lp_stream_agrees(stream, &at->kafka->held, &segment);
}

void
lp_splice_judge_read(struct lp_splice_at *at)
{
	struct lp_kafka_at reading = {.kafka = at->kafka,
	    .conn = &at->kafka->state->conns[at->index],
	    .tcp = at->conn,
	    .index = at->index,
	    .splice = at->splice,
	    .snapshot = at->batch->snapshot};

	if (at->unheard ||
	    (reading.conn->mode != LP_KAFKA_LIVE &&
		reading.conn->mode != LP_KAFKA_OFF))
		lp_judge_unread(&reading);
}

/*
 * A request that passes without having been read is lost for good, and so is
 * the connection: behind a gap there must be a piece for whatever its bytes
 * fill between those that are held already.
 */
static bool
can_be_held(const struct lp_splice_at *at)
{
	const struct lp_stream *stream =
	    &at->kafka->state->conns[at->pkt->conn].sides[LP_TO_BROKER].stream;
	uint32_t need = stream->need + (uint32_t)stream->skip;
	unsigned pieces =
	    stream->held_count + 2u + at->segment.len / LP_HELD_BYTES;
	/* Also of what becomes scarce while it is taken (stream.c). */
	unsigned most =
	    at->kafka->held.free_count < at->kafka->held.count / 4 + pieces
	    ? LP_STREAM_HELD_SHARE
	    : LP_STREAM_HELD_MAX;

	return !lp_seq_before(need, at->segment.seq) ||
	    (stream->held_count + pieces <= most &&
		at->kafka->held.free_count > pieces);
}
