/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	open ▸ live ▸ (lost ▸ live)... ▸ closed
 *	         ▸ tls ▸ opaque
 *	         ▸ opaque
 *
 * Lost: frames cannot be told apart any more, because bytes went by unseen (a
 * full pool, a path around us), a response came that nobody had asked for, or
 * a frame has a size that none can have.  Nothing happens to the connection;
 * its bytes count as unseen until its frames are proven anew (recover.c).
 *
 * Opaque: TLS, or no Kafka at all.  For ever; it holds nothing.
 *
 * Bytes are read only from segments in the window whose checksum holds, so
 * that what we have read is what the receiver has; and an acknowledgement is
 * believed to tell of bytes that we missed only if its own holds.
 */
#include "dataplane/kafka/kafka.h"

#include <stdatomic.h>
#include <string.h>

#include "dataplane/kafka/account.h"
#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/frame.h"
#include "dataplane/kafka/inflight.h"
#include "dataplane/kafka/note.h"
#include "dataplane/kafka/recover.h"
#include "dataplane/kafka/restore.h"
#include "dataplane/kafka/said.h"
#include "dataplane/kafka/tls.h"
#include "dataplane/pipeline/parse.h"
#include "dataplane/pipeline/snapshot.h"

static void begin(struct lp_kafka *, uint32_t, uint8_t, uint8_t);
static void finish(struct lp_stream *, uint32_t);
static void synchronize(struct lp_kafka_conn *, const struct lp_pkt *,
    const struct lp_tcp_segment *);
static void payload(
    struct lp_kafka_at *, const struct lp_pkt *, const struct lp_tcp_segment *);
static void acknowledged(
    struct lp_kafka_at *, const struct lp_pkt *, const struct lp_tcp_segment *);
static uint32_t first_byte(const struct lp_tcp_segment *);
static void live(struct lp_kafka_at *, const struct lp_pkt *,
    const struct lp_stream_segment *);
static bool has_passed(
    const struct lp_kafka_at *, enum lp_direction, struct lp_stream_chunk *);
static void hello(struct lp_kafka_at *, const struct lp_pkt *,
    const struct lp_stream_segment *);
static void read_hello(struct lp_kafka_at *, const struct lp_stream_segment *);
static void unread(
    struct lp_kafka_at *, enum lp_kafka_mode, enum lp_stream_state);

void
lp_kafka_carve(
    struct lp_kafka *kafka, struct lp_arena *arena, uint32_t connection_count)
{
	struct lp_kafka_state state;
	struct lp_arena measure = {.base = NULL};

	lp_kafka_state_carve(&state, &measure, connection_count);
	lp_slots_carve(&kafka->messages, arena, state.message_count);
	lp_slots_carve(&kafka->inflight, arena, state.inflight_count);
	lp_slots_carve(&kafka->edits, arena, state.edit_count);
	lp_slots_carve(&kafka->said, arena, state.said_count);
	kafka->held_free =
	    lp_arena_take(arena, state.held_count, sizeof(uint32_t));
	lp_pace_carve(&kafka->pace, arena, connection_count);
	lp_buckets_carve(&kafka->buckets, arena);
	lp_telemetry_carve(&kafka->telemetry, arena);
	lp_rules_cache_carve(&kafka->rules_cache, arena);
}

void
lp_kafka_init(struct lp_kafka *kafka, struct lp_region *region, uint32_t marked)
{
	kafka->region = region;
	kafka->state = &region->kafka;
	kafka->whole.used = 0;
	kafka->finishing = 0;
	kafka->recovered = false;
	kafka->pressed = false;
	kafka->logs_secret = false;
	lp_buckets_init(&kafka->buckets, kafka->telemetry.seed);
	lp_count_set(&kafka->telemetry.stats->counters.buckets, 0);
	lp_count_set(&kafka->telemetry.stats->counters.buckets_max,
	    LP_BUCKETS_OF_RULES + LP_BUCKETS_OF_ASKERS);
	lp_held_pool_init(&kafka->held, region->kafka.held, kafka->held_free,
	    region->kafka.held_count);
	kafka->rules_cache.found =
	    &region->kafka_stats->counters.rules_remembered;
	kafka->rules_cache.missed =
	    &region->kafka_stats->counters.rules_forgotten;
	lp_restore_all(kafka, marked);
}

void
lp_kafka_log(struct lp_kafka *kafka, uint32_t index)
{
	struct lp_undo *undo = kafka->region->undo;

	assert(undo->logging == LP_UNDO_LOGGED);
	kafka->held.undo = undo;
	kafka->messages.deferring = true;
	kafka->inflight.deferring = true;
	kafka->edits.deferring = true;
	kafka->said.deferring = true;
	lp_kafka_save(kafka, &kafka->state->conns[index],
	    sizeof(kafka->state->conns[index]));
	lp_kafka_save(kafka, &kafka->state->splices[index], LP_SPLICE_CHANGING);
}

void
lp_kafka_logged(struct lp_kafka *kafka)
{
	struct lp_undo *undo = kafka->region->undo;

	undo->logging = LP_UNDO_PLAIN;
	if (kafka->logs_secret)
		memset(undo->log, 0, undo->log_len);
	kafka->logs_secret = false;
	lp_held_pool_end(&kafka->held);
	lp_slots_end(&kafka->messages);
	lp_slots_end(&kafka->inflight);
	lp_slots_end(&kafka->edits);
	lp_slots_end(&kafka->said);
}

void
lp_kafka_open(struct lp_kafka *kafka, uint32_t index)
{
	begin(kafka, index, LP_KAFKA_LIVE, LP_AUTH_FRESH);
}

void
lp_kafka_pick_up(struct lp_kafka *kafka, uint32_t index)
{
	begin(kafka, index, LP_KAFKA_LOST, LP_AUTH_MAYBE);
}

/* Its mode last, and once: nothing else is seen of it after a kill. */
static void
begin(struct lp_kafka *kafka, uint32_t index, uint8_t mode, uint8_t auth)
{
	struct lp_kafka_conn *conn = &kafka->state->conns[index];

	lp_kafka_close(kafka, index);
	memset(conn, 0, sizeof(*conn));
	conn->auth = auth;
	atomic_signal_fence(memory_order_seq_cst);
	conn->mode = mode;
}

void
lp_kafka_missed(struct lp_kafka *kafka, uint32_t index)
{
	struct lp_kafka_at at = {.kafka = kafka,
	    .conn = &kafka->state->conns[index],
	    .tcp = &kafka->region->connections[index],
	    .index = index};

	/* It may be another connection by now. */
	at.conn->auth = LP_AUTH_MAYBE;
	if (at.conn->mode == LP_KAFKA_LIVE)
		lp_kafka_lose(
		    &at, &kafka->telemetry.stats->counters.bytes_missed);
	else if (at.conn->mode == LP_KAFKA_TLS)
		lp_kafka_ignore(&at);
}

bool
lp_kafka_is_intact(const struct lp_pkt *pkt)
{
	return (pkt->flags & LP_PKT_TCP_SUM_GOOD) ||
	    lp_parse_tcp_checksum(pkt) == LP_REASON_NONE;
}

void
lp_kafka_segment(struct lp_kafka *kafka, const struct lp_batch *batch,
    const struct lp_pkt *pkt, const struct lp_tcp_segment *segment)
{
	struct lp_kafka_at at = {.kafka = kafka,
	    .conn = &kafka->state->conns[pkt->conn],
	    .tcp = &kafka->region->connections[pkt->conn],
	    .index = pkt->conn,
	    .snapshot = batch->snapshot};

	if (at.conn->mode == LP_KAFKA_OFF)
		return;
	if (at.tcp->flags & LP_CONN_SPLICED)
		at.splice = &kafka->state->splices[pkt->conn];
	kafka->now_ns = batch->now_ns;
	kafka->note.to = NULL;
	if (__builtin_expect(
		batch->capture != NULL || batch->mirror != NULL, 0))
		lp_note_begin(&at, batch, pkt, segment);
	if (segment->flags & LP_TCP_SYN)
		synchronize(at.conn, pkt, segment);
	/* RFC 9293, 3.5.2: what comes with a RST is text for people. */
	if (segment->len > 0 && !(segment->flags & LP_TCP_RST))
		payload(&at, pkt, segment);
	if (lp_note_wanted(&at))
		lp_note_end(&at, pkt->dir);
	kafka->note.to = NULL;
	if ((segment->flags & LP_TCP_FIN) && at.conn->mode == LP_KAFKA_LIVE)
		finish(&at.conn->sides[pkt->dir].stream,
		    first_byte(segment) + segment->len);
	if (segment->flags & LP_TCP_ACK)
		acknowledged(&at, pkt, segment);
	if (at.tcp->tcp.state == LP_TCP_CLOSED ||
	    at.tcp->tcp.state == LP_TCP_TIME_WAIT)
		lp_kafka_close(kafka, at.index);
}

void
lp_kafka_close(struct lp_kafka *kafka, uint32_t index)
{
	struct lp_kafka_at at = {.kafka = kafka,
	    .conn = &kafka->state->conns[index],
	    .tcp = &kafka->region->connections[index],
	    .index = index};

	if (at.conn->mode == LP_KAFKA_OFF)
		return;
	/* First: who takes over after a kill must not read on (restore.c). */
	at.conn->mode = LP_KAFKA_OFF;
	atomic_signal_fence(memory_order_seq_cst);
	unread(&at, LP_KAFKA_OFF, LP_STREAM_OFF);
	if (at.tcp->flags & LP_CONN_SPLICED) {
		lp_edit_close(kafka, index);
		lp_said_close(kafka, index);
	}
}

void
lp_kafka_lose(struct lp_kafka_at *at, lp_counter *why)
{
	lp_count_add(why, 1);
	lp_edit_lost(at);
	lp_telemetry_count(&at->kafka->telemetry, streams_lost, 1);
	unread(at, LP_KAFKA_LOST, LP_STREAM_LOST);
	/* No request of it will say any more that it is not limited. */
	for (enum lp_direction dir = LP_TO_BROKER; dir <= LP_TO_CLIENT; dir++)
		lp_pace_bound(&at->kafka->pace, at->index, dir, 0);
	memset(&at->conn->proof, 0, sizeof(at->conn->proof));
	at->conn->flags &=
	    (uint8_t) ~(LP_KAFKA_CLAIMED | LP_KAFKA_FINAL | LP_KAFKA_RAW_SASL);
}

void
lp_kafka_give_up(struct lp_kafka_at *at, lp_counter *why)
{
	lp_count_add(why, 1);
	lp_kafka_ignore(at);
}

void
lp_kafka_ignore(struct lp_kafka_at *at)
{
	unread(at, LP_KAFKA_OPAQUE, LP_STREAM_OFF);
}

/* Nothing of either stream is read from now on; what it held is given back. */
static void
unread(
    struct lp_kafka_at *at, enum lp_kafka_mode mode, enum lp_stream_state state)
{
	if (mode != LP_KAFKA_OFF)
		lp_edit_unread(at->kafka, at->index);
	for (enum lp_direction dir = LP_TO_BROKER; dir <= LP_TO_CLIENT; dir++) {
		lp_frame_drop(at, dir);
		lp_stream_close(
		    &at->conn->sides[dir].stream, &at->kafka->held, state);
	}
	lp_inflight_clear(at);
	at->conn->mode = (uint8_t)mode;
}

/* One behind which bytes have come already ends nothing: nobody takes it. */
static void
finish(struct lp_stream *stream, uint32_t fin)
{
	if ((int32_t)(fin - stream->need) >= 0)
		lp_stream_fin(stream, fin);
}

/* Its SYN, perhaps sent again: the first byte is the one behind it. */
static void
synchronize(struct lp_kafka_conn *conn, const struct lp_pkt *pkt,
    const struct lp_tcp_segment *segment)
{
	struct lp_kafka_side *side = &conn->sides[pkt->dir];

	/* The broker's may come behind a request that came with the client's.
	 */
	if (conn->mode == LP_KAFKA_LIVE && side->head_len == 0 &&
	    side->stream.held == 0 &&
	    (!(conn->flags & LP_KAFKA_SPOKE) ||
		side->stream.state == LP_STREAM_OFF)) {
		memset(&side->stream, 0, sizeof(side->stream));
		lp_stream_open(&side->stream, segment->seq + 1);
	}
}

/* RFC 7413: data may come with a SYN, which has a number of its own. */
static uint32_t
first_byte(const struct lp_tcp_segment *segment)
{
	return segment->seq + ((segment->flags & LP_TCP_SYN) != 0);
}

static void
acknowledged(struct lp_kafka_at *at, const struct lp_pkt *pkt,
    const struct lp_tcp_segment *segment)
{
	struct lp_stream *stream = &at->conn->sides[!pkt->dir].stream;

	if ((at->conn->mode != LP_KAFKA_LIVE &&
		at->conn->mode != LP_KAFKA_TLS) ||
	    /* Only where there is a gap can it tell of bytes that we missed:
	     * then it must be what was sent. */
	    (stream->end != stream->need && !lp_kafka_is_intact(pkt)) ||
	    lp_stream_acknowledged(stream, &at->kafka->held, segment->ack))
		return;
	if (at->conn->mode == LP_KAFKA_TLS)
		lp_kafka_ignore(at);
	else
		lp_kafka_lose(
		    at, &at->kafka->telemetry.stats->counters.bytes_missed);
}

static void
payload(struct lp_kafka_at *at, const struct lp_pkt *pkt,
    const struct lp_tcp_segment *segment)
{
	const struct lp_stream_segment bytes = {
	    .bytes = pkt->data + pkt->payload_off,
	    .seq = first_byte(segment),
	    .len = segment->len};
	enum lp_kafka_mode mode = at->conn->mode;

	switch (mode) {
	case LP_KAFKA_LIVE:
		if (at->conn->sides[pkt->dir].stream.state == LP_STREAM_OFF)
			break;
		at->segment = &bytes;
		live(at, pkt, &bytes);
		if (pkt->dir == LP_TO_CLIENT && at->splice != NULL)
			lp_edit_hold(at);
		return;
	case LP_KAFKA_TLS:
		if (pkt->dir == LP_TO_BROKER)
			hello(at, pkt, &bytes);
		break;
	case LP_KAFKA_LOST:
		/* Lost while nothing was replaced, or to another process. */
		lp_edit_lost(at);
		if (lp_recover_segment(at, pkt, segment)) {
			live(at, pkt, &bytes);
			return;
		}
		break;
	case LP_KAFKA_OFF:
	case LP_KAFKA_OPAQUE:
		break;
	}
	lp_telemetry_count(&at->kafka->telemetry, unseen_bytes, bytes.len);
}

/* Most segments lie inside a skip: they cost a comparison. */
static void
live(struct lp_kafka_at *at, const struct lp_pkt *pkt,
    const struct lp_stream_segment *segment)
{
	struct lp_held_pool *held = &at->kafka->held;
	struct lp_kafka_side *side = &at->conn->sides[pkt->dir];
	struct lp_stream_chunk chunk;
	bool keeps;

	if (lp_stream_wants(&side->stream, segment->seq, segment->len) &&
	    !lp_kafka_is_intact(pkt)) {
		/* Its receiver drops it, and it is sent again. */
		lp_telemetry_count(&at->kafka->telemetry, checksums_bad, 1);
		if (lp_note_wanted(at))
			lp_note_unread(at);
		return;
	}
	switch (lp_stream_offer(&side->stream, held, segment)) {
	case LP_STREAM_HELD:
		lp_telemetry_count(&at->kafka->telemetry, held_segments, 1);
		if (lp_note_wanted(at))
			lp_note_unread(at);
		return;
	case LP_STREAM_FULL:
		lp_telemetry_count(&at->kafka->telemetry, held_full, 1);
		if (lp_note_wanted(at))
			lp_note_unread(at);
		return;
	case LP_STREAM_NOTHING:
		if (side->place == LP_AT_TAIL &&
		    lp_stream_skip_left(&side->stream) == 0)
			lp_frame_finish(at, pkt->dir);
		return;
	case LP_STREAM_READ:
		break;
	}
	keeps = pkt->dir == LP_TO_BROKER && at->splice != NULL &&
	    lp_snapshot_unjudged(at->snapshot, at->tcp->listener_id) != 0;
	if (pkt->dir == LP_TO_BROKER && at->splice != NULL)
		lp_said_begin(at, keeps);
	while (at->conn->mode == LP_KAFKA_LIVE &&
	    lp_stream_read(&side->stream, held, segment, &chunk)) {
		uint64_t skip;

		at->was_held = has_passed(at, pkt->dir, &chunk);
		at->chunk = chunk.bytes;
		at->chunk_seq = side->stream.need;
		at->unsaid = keeps ? chunk.bytes : NULL;
		at->unsaid_skip = 0;
		skip = lp_frame_feed(at, pkt->dir, chunk.bytes, chunk.len);
		if (at->unsaid != NULL)
			lp_said_keep(at, chunk.bytes + chunk.len);
		if (at->conn->mode == LP_KAFKA_LIVE)
			lp_stream_advance(&side->stream, held, chunk.len, skip);
		else if (at->conn->mode == LP_KAFKA_TLS)
			lp_stream_advance(&side->stream, held, chunk.len, 0);
	}
	if (at->conn->mode == LP_KAFKA_TLS)
		read_hello(at, segment);
	/* The rest of the segment may have been the end of a skip. */
	if (at->conn->mode == LP_KAFKA_LIVE && side->place == LP_AT_TAIL &&
	    lp_stream_skip_left(&side->stream) == 0)
		lp_frame_finish(at, pkt->dir);
}

/*
 * It is too late to change them: they were held for us alone; or they went by,
 * perhaps, before the connection was spliced.
 */
static bool
has_passed(const struct lp_kafka_at *at, enum lp_direction dir,
    struct lp_stream_chunk *chunk)
{
	struct lp_splice *splice = at->splice;
	int32_t left;

	if (dir == LP_TO_BROKER || splice == NULL ||
	    !(splice->flags & LP_SPLICE_PASSED))
		return chunk->was_held;
	left = (int32_t)(splice->passed - at->conn->sides[dir].stream.need);
	if (left <= 0) {
		splice->flags &= (uint8_t)~LP_SPLICE_PASSED;
		return chunk->was_held;
	}
	if (chunk->len > (uint32_t)left)
		chunk->len = (uint32_t)left;
	return true;
}

/* Once each and in order, like the bytes of frames. */
static void
hello(struct lp_kafka_at *at, const struct lp_pkt *pkt,
    const struct lp_stream_segment *segment)
{
	struct lp_stream *stream = &at->conn->sides[LP_TO_BROKER].stream;

	if (!lp_stream_wants(stream, segment->seq, segment->len) ||
	    !lp_kafka_is_intact(pkt))
		return;
	if (lp_stream_offer(stream, &at->kafka->held, segment) ==
	    LP_STREAM_READ)
		read_hello(at, segment);
}

static void
read_hello(struct lp_kafka_at *at, const struct lp_stream_segment *segment)
{
	struct lp_stream *stream = &at->conn->sides[LP_TO_BROKER].stream;
	struct lp_held_pool *held = &at->kafka->held;
	struct lp_stream_chunk chunk;

	while (at->conn->mode == LP_KAFKA_TLS &&
	    lp_stream_read(stream, held, segment, &chunk)) {
		lp_tls_feed(at, chunk.bytes, chunk.len);
		if (at->conn->mode == LP_KAFKA_TLS)
			lp_stream_advance(stream, held, chunk.len, 0);
	}
}
