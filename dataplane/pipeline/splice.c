/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	from the client: acknowledgements, windows and SACK blocks become the
 *		broker's; what of an edit waited for the window goes on
 *	from the broker: behind a gap ▸ held, and answered by a duplicate
 *		acknowledgement; else read ▸ sent on, edited
 *
 * Source: RFC 9293, 2018 (SACK), 5961, 7323; and what was tried on Linux.
 *
 * The broker's bytes are acknowledged to it when the client has acknowledged
 * them.  Of an edit that is open all that is held counts as acknowledged once
 * the client has all before it: else the broker's window runs out, and the
 * edit never closes.  The segment that closes it is not: its sender sends it
 * again until the client has all new bytes.  No timer of ours is needed.
 *
 * What comes again is edited again, in the same way: the bytes of an edit are
 * kept until the client has acknowledged all of them.  What comes again from
 * below has been acknowledged; it goes on, so that it is acknowledged once
 * more, with zeros for payload: what it was is not known any more, and its own
 * bytes must not be seen.
 *
 * A segment that cannot be looked at, because a pool is empty, is dropped
 * before it has changed anything: its sender sends it again.
 *
 * What is put together leaves by the outbox, so before packets of the same
 * turn that came before it and are of the same connection: TCP puts that
 * right.
 *
 * Reasons: forwarded, opened, out_of_window, rewritten, held_edit, held_gap;
 * drops: edit_full, unreadable, tcp_checksum.
 */
#include "dataplane/pipeline/splice.h"

#include "dataplane/kafka/edit.h"
#include "dataplane/pipeline/admit.h"
#include "dataplane/pipeline/checksum.h"
#include "dataplane/pipeline/make.h"

/* An acknowledgement may be so much older, where windows are small. */
enum {
	ACK_BACK_MIN = 66000,
	/* Of a client that says less: Linux takes no less either. */
	MSS_MIN = 48,
};

enum judgement {
	JUDGE_PASS,
	JUDGE_WAIT, /* something before it is missing */
	JUDGE_DROP,
};

static bool without_text(struct lp_splice_at *);
static void begin(struct lp_splice_at *);
static void end(struct lp_splice_at *);
static void drop(struct lp_splice_at *, enum lp_reason);
static bool comes_next(const struct lp_splice_at *);
static void from_client(struct lp_splice_at *);
static uint32_t unsent(const struct lp_splice_at *, uint32_t);
static void client_numbers(struct lp_splice_at *, uint32_t);
static bool is_recent(const struct lp_splice_at *, uint32_t);
static void client_acknowledged(struct lp_splice_at *, uint32_t, uint32_t);
static void translate_ack(struct lp_splice_at *);
static void from_broker(struct lp_splice_at *);
static void meet(struct lp_splice_at *);
static enum judgement judge(struct lp_splice_at *, enum lp_reason *);
static bool wants(const struct lp_splice_at *);
static uint32_t wanted(const struct lp_splice_at *);
static bool is_constant(const struct lp_splice_at *);
static bool can_be_held(const struct lp_splice_at *);
static void pass(struct lp_splice_at *, uint32_t);
static bool is_unread(const struct lp_splice_at *);
static bool needs_segments(const struct lp_splice_at *);
static void place(struct lp_splice_at *);
static uint32_t where(const struct lp_splice_at *);
static void paint(struct lp_splice_at *, enum lp_direction);
static void keep(struct lp_splice_at *);
static void wait(struct lp_splice_at *, uint32_t);
static void release(struct lp_splice_at *);
static void acknowledge_held(struct lp_splice_at *, uint32_t);
static void write32(struct lp_pkt *, unsigned, uint32_t);
static void write16(struct lp_pkt *, unsigned, uint16_t);
static void consume(struct lp_splice_at *, enum lp_reason);
static void give_up(struct lp_splice_at *);

void
lp_splice_begin(struct lp_kafka *kafka, uint32_t index)
{
	struct lp_splice *splice = &kafka->state->splices[index];
	struct lp_conn *conn = &kafka->region->connections[index];
	const struct lp_tcp_track *tcp = &conn->tcp;

	*splice = (struct lp_splice){.client_ack = tcp->peer[LP_TO_BROKER].ack,
	    .client_edge = tcp->peer[LP_TO_CLIENT].limit,
	    .edge = tcp->peer[LP_TO_CLIENT].limit,
	    .out_next = tcp->peer[LP_TO_CLIENT].end,
	    /* Its SYN says; else what all must take. */
	    .mss =
		lp_ip_is_v4(&conn->client_ip) ? LP_TCP_MSS_V4 : LP_TCP_MSS_V6};
	splice->maps[LP_TO_CLIENT].floor = splice->client_ack;
	splice->maps[LP_TO_BROKER].floor = tcp->peer[LP_TO_CLIENT].ack;
	/* With this it begins, also for who takes over. */
	atomic_signal_fence(memory_order_seq_cst);
	conn->flags |= LP_CONN_SPLICED;
}

void
lp_splice_follow(
    struct lp_kafka *kafka, const struct lp_snapshot *snapshot, uint32_t index)
{
	const struct lp_conn *conn = &kafka->region->connections[index];
	const struct lp_kafka_conn *state = &kafka->state->conns[index];
	const struct lp_stream *stream = &state->sides[LP_TO_CLIENT].stream;

	if ((conn->flags & LP_CONN_INLINE) ||
	    lp_snapshot_rewriting(snapshot, conn->listener_id) !=
		LP_REWRITING_ON)
		return;
	/* Lost while nothing was replaced: its next packet ends it. */
	if ((conn->flags & LP_CONN_SPLICED) && state->mode == LP_KAFKA_LOST)
		lp_edit_break(kafka, index,
		    &kafka->telemetry.stats->counters.rewrite_unreadable);
	if (!(conn->flags & LP_CONN_SPLICED) &&
	    conn->tcp.state == LP_TCP_ESTABLISHED &&
	    (conn->tcp.peer[LP_TO_BROKER].flags & LP_PEER_ACKED) &&
	    state->mode == LP_KAFKA_LIVE && stream->held == 0 &&
	    stream->need == stream->end)
		lp_splice_begin(kafka, index);
}

void
lp_splice_packet(struct lp_rewrite *rewrite, struct lp_batch *batch,
    struct lp_pkt *pkt, uint32_t hop)
{
	struct lp_kafka *kafka = rewrite->kafka;
	struct lp_splice_at at = {.rewrite = rewrite,
	    .batch = batch,
	    .pkt = pkt,
	    .kafka = kafka,
	    .conn = lp_conntrack_get(rewrite->conntrack, pkt->conn),
	    .splice = &kafka->state->splices[pkt->conn],
	    .map = &kafka->state->splices[pkt->conn].maps[LP_TO_CLIENT],
	    .edits = kafka->state->edits,
	    .index = pkt->conn,
	    .hop = hop};

	lp_admit_segment(pkt, &at.segment);
	if (at.splice->flags & LP_SPLICE_BROKEN) {
		give_up(&at);
		return;
	}
	if (at.segment.len > 0 &&
	    (at.segment.flags & (LP_TCP_SYN | LP_TCP_RST)) &&
	    !without_text(&at))
		return;
	begin(&at);
	if (pkt->dir == LP_TO_BROKER)
		from_client(&at);
	else
		from_broker(&at);
	end(&at);
	if (at.splice->flags & LP_SPLICE_BROKEN)
		give_up(&at);
	else
		release(&at);
}

/*
 * What comes with a SYN or a RST is not of the streams that are read: neither
 * end needs it.
 */
static bool
without_text(struct lp_splice_at *at)
{
	if (!lp_kafka_is_intact(at->pkt)) {
		lp_pkt_drop(at->pkt, LP_REASON_TCP_CHECKSUM);
		return false;
	}
	lp_splice_strip(at);
	at->segment.len = 0;
	return true;
}

/* What follows happens, or happens not, up to the end. */
static void
begin(struct lp_splice_at *at)
{
	lp_region_begin_logged(at->rewrite->conntrack->region, at->pkt->conn);
	lp_kafka_log(at->kafka, at->pkt->conn);
	at->dropped = false;
}

static void
end(struct lp_splice_at *at)
{
	struct lp_conntrack *conntrack = at->rewrite->conntrack;

	if (at->dropped)
		lp_region_end(conntrack->region);
	else
		lp_conntrack_commit(conntrack, at->index, at->verdict,
		    at->pkt->dir, (uint16_t)at->segment.len, at->batch->now_s);
	lp_kafka_logged(at->kafka);
}

/* ---- from the client ----------------------------------------------------- */

static void
from_client(struct lp_splice_at *at)
{
	struct lp_tcp_segment *segment = &at->segment;
	struct lp_pkt *pkt = at->pkt;
	enum lp_reason reason = LP_REASON_FORWARDED;
	uint32_t ack = segment->ack;
	uint32_t edge = ack +
	    ((uint32_t)segment->window
		<< at->conn->tcp.peer[LP_TO_BROKER].scale);
	bool acks = (segment->flags & LP_TCP_ACK) &&
	    (at->conn->tcp.peer[LP_TO_CLIENT].flags & LP_PEER_SEEN);
	bool strange;
	enum lp_reason why;

	if (judge(at, &why) == JUDGE_DROP) {
		drop(at, why);
		return;
	}
	strange = acks && lp_seq_before(at->splice->out_next, ack);
	acks = acks && !strange;
	if (strange)
		segment->ack = unsent(at, ack);
	else if (acks)
		client_numbers(at, edge);
	at->verdict = lp_tcp_state_run(&at->conn->tcp, pkt->dir, segment);
	if (at->verdict == LP_TCP_OK)
		lp_kafka_segment(at->kafka, at->batch, pkt, segment);
	if (at->verdict == LP_TCP_OK && acks)
		client_acknowledged(at, ack, edge);
	if (at->splice->flags & LP_SPLICE_BROKEN)
		return;
	lp_rewrite_translate(at->rewrite, pkt);
	if (segment->flags & LP_TCP_SYN)
		meet(at);
	if (acks)
		translate_ack(at);
	else if (strange)
		write32(pkt, LP_TCP_ACKNO, segment->ack);
	paint(at, LP_TO_BROKER);
	if (at->verdict != LP_TCP_OK)
		reason = LP_REASON_OUT_OF_WINDOW;
	else if (pkt->reason == LP_REASON_OPENED)
		reason = LP_REASON_OPENED;
	lp_rewrite_output(at->rewrite, at->batch, pkt, at->hop, reason);
	if (at->verdict == LP_TCP_OK && acks)
		lp_splice_resume(at);
}

/*
 * It acknowledges what it was never sent: to the broker that is what it cannot
 * have sent either, as far behind its window, and it refuses that.
 */
static uint32_t
unsent(const struct lp_splice_at *at, uint32_t ack)
{
	const struct lp_tcp_peer *broker = &at->conn->tcp.peer[LP_TO_CLIENT];

	return lp_seq_max(broker->end, broker->limit) +
	    (ack - at->splice->out_next);
}

/* What it acknowledges and allows, in the broker's numbers. */
static void
client_numbers(struct lp_splice_at *at, uint32_t edge)
{
	struct lp_tcp_segment *segment = &at->segment;
	const struct lp_tcp_peer *client = &at->conn->tcp.peer[LP_TO_BROKER];
	uint32_t window;
	bool recent;

	if (!(at->splice->flags & LP_SPLICE_EDITED))
		return;
	recent = is_recent(at, segment->ack);
	segment->ack = lp_splice_ack(at, segment->ack);
	/* We may have gone ahead of it. */
	if (recent && (client->flags & LP_PEER_ACKED) &&
	    lp_seq_before(segment->ack, client->ack))
		segment->ack = client->ack;
	window = lp_splice_edge(at, edge) - segment->ack;
	if ((int32_t)window < 0)
		window = 0;
	window >>= client->scale;
	segment->window = window > UINT16_MAX ? UINT16_MAX : (uint16_t)window;
}

/*
 * Not older than one window (tcp_state.c, bound IV): of a stranger, who has to
 * guess, nothing is put right.
 */
static bool
is_recent(const struct lp_splice_at *at, uint32_t ack)
{
	const struct lp_tcp_peer *client = &at->conn->tcp.peer[LP_TO_BROKER];
	uint32_t back = (uint32_t)client->window << client->scale;

	return !lp_seq_before(ack,
	    at->splice->client_ack -
		(back < ACK_BACK_MIN ? (uint32_t)ACK_BACK_MIN : back));
}

/* In its own space. */
static void
client_acknowledged(struct lp_splice_at *at, uint32_t ack, uint32_t edge)
{
	struct lp_splice *splice = at->splice;
	const struct lp_tcp_segment *segment = &at->segment;
	uint32_t told = segment->ack +
	    ((uint32_t)segment->window
		<< at->conn->tcp.peer[LP_TO_BROKER].scale);

	splice->edge = lp_seq_max(splice->edge, told);
	if (lp_seq_before(ack, splice->client_ack))
		return;
	splice->client_ack = ack;
	splice->client_edge = edge;
	lp_edit_melt(at->kafka, at->pkt->conn, LP_TO_CLIENT, ack);
}

/* Into the packet: acknowledgement, window, SACK blocks. */
static void
translate_ack(struct lp_splice_at *at)
{
	struct lp_pkt *pkt = at->pkt;

	if (!(at->splice->flags & LP_SPLICE_EDITED))
		return;
	lp_splice_sack(at);
	write32(pkt, LP_TCP_ACKNO, at->segment.ack);
	write16(pkt, LP_TCP_WINDOW, at->segment.window);
}

/* ---- from the broker ----------------------------------------------------- */

static void
from_broker(struct lp_splice_at *at)
{
	struct lp_pkt *pkt = at->pkt;
	struct lp_tcp_peer *broker = &at->conn->tcp.peer[LP_TO_CLIENT];
	uint32_t had = broker->ack;
	enum judgement judgement;
	enum lp_reason why;

	judgement = judge(at, &why);
	if (judgement == JUDGE_DROP) {
		drop(at, why);
		return;
	}
	at->verdict = lp_tcp_state_run(&at->conn->tcp, pkt->dir, &at->segment);
	if (at->verdict == LP_TCP_OK && judgement == JUDGE_PASS) {
		if (at->segment.flags & LP_TCP_RST)
			write32(pkt, LP_TCP_SEQ, where(at));
		lp_kafka_segment(at->kafka, at->batch, pkt, &at->segment);
		if (at->segment.flags & (LP_TCP_FIN | LP_TCP_RST))
			lp_edit_abandon(at->kafka, pkt->conn);
	}
	if (at->verdict == LP_TCP_OK && (at->segment.flags & LP_TCP_ACK))
		lp_edit_melt(
		    at->kafka, pkt->conn, LP_TO_BROKER, at->segment.ack);
	if (at->splice->flags & LP_SPLICE_BROKEN)
		return;
	if (at->verdict != LP_TCP_OK)
		judgement = JUDGE_PASS;
	/* As it came: it will come in once more. */
	if (judgement == JUDGE_WAIT)
		keep(at);
	lp_rewrite_translate(at->rewrite, pkt);
	if (at->segment.flags & LP_TCP_SYN)
		meet(at);
	if (judgement == JUDGE_WAIT)
		wait(at, had);
	else
		pass(at, had);
}

/* The options of a SYN; and where the numbers begin. */
static void
meet(struct lp_splice_at *at)
{
	struct lp_splice *splice = at->splice;
	struct lp_pkt *pkt = at->pkt;
	bool client = pkt->dir == LP_TO_BROKER;
	uint16_t mss;

	lp_rewrite_clamp_mss(at->rewrite, at->batch, pkt, at->hop);
	lp_splice_refuse(pkt);
	/* One that comes late, or from a stranger, begins nothing. */
	if (at->verdict != LP_TCP_OK ||
	    !lp_tcp_state_half_open(at->conn->tcp.state))
		return;
	if (client) {
		bool sack =
		    lp_parse_tcp_option(pkt, LP_TCP_OPT_SACK_OK, 2) != 0;

		mss = lp_parse_tcp_option(pkt, LP_TCP_OPT_MSS, 4);
		splice->mss = mss != 0       ? lp_get16(pkt->data + mss)
		    : pkt->flags & LP_PKT_V6 ? LP_TCP_MSS_V6
					     : LP_TCP_MSS_V4;
		if (splice->mss < MSS_MIN)
			splice->mss = MSS_MIN;
		splice->flags = sack ? LP_SPLICE_SACK_ASKED : 0;
		splice->maps[LP_TO_BROKER].floor = at->segment.seq + 1;
		return;
	}
	if ((splice->flags & LP_SPLICE_SACK_ASKED) &&
	    lp_parse_tcp_option(pkt, LP_TCP_OPT_SACK_OK, 2) != 0)
		splice->flags |= LP_SPLICE_SACK;
	splice->client_ack = at->segment.seq + 1;
	splice->out_next = at->segment.seq + 1;
	splice->client_edge = at->conn->tcp.peer[LP_TO_CLIENT].limit;
	splice->edge = splice->client_edge;
	at->map->floor = at->segment.seq + 1;
}

/* Before anything has changed. */
static enum judgement
judge(struct lp_splice_at *at, enum lp_reason *why)
{
	const struct lp_kafka_conn *conn =
	    &at->kafka->state->conns[at->pkt->conn];
	const struct lp_tcp_segment *segment = &at->segment;
	bool changes = at->pkt->dir == LP_TO_CLIENT;
	bool live = conn->mode == LP_KAFKA_LIVE;
	/* It moves with what is in front of it. */
	bool early = live && changes && (segment->flags & LP_TCP_FIN) &&
	    lp_seq_before(wanted(at), segment->seq);

	if ((segment->len == 0 && !early) || (segment->flags & LP_TCP_RST))
		return JUDGE_PASS;
	/* Behind others that wait it is copied, too (pass()). */
	if (!early && !(live && wants(at)) &&
	    !(at->splice->flags & LP_SPLICE_EDITED) && at->splice->waiting == 0)
		return JUDGE_PASS;
	if (!lp_kafka_is_intact(at->pkt)) {
		*why = LP_REASON_TCP_CHECKSUM;
		return JUDGE_DROP;
	}
	if (early && segment->len == 0)
		return JUDGE_WAIT;
	if (!live || !wants(at))
		return JUDGE_PASS;
	if (!changes && !is_constant(at)) {
		*why = LP_REASON_UNREADABLE;
		return JUDGE_DROP;
	}
	if (!lp_edit_room(at->kafka, at->index, at->pkt->dir, segment->len) ||
	    (!changes && !can_be_held(at))) {
		lp_telemetry_count(&at->kafka->telemetry, rewrite_full, 1);
		*why = LP_REASON_EDIT_FULL;
		return JUDGE_DROP;
	}
	return changes && lp_seq_before(wanted(at), segment->seq) ? JUDGE_WAIT
								  : JUDGE_PASS;
}

/* Whether some of its bytes are to be looked at, or kept. */
static bool
wants(const struct lp_splice_at *at)
{
	const struct lp_stream *stream =
	    &at->kafka->state->conns[at->pkt->conn].sides[at->pkt->dir].stream;
	const struct lp_edit *last =
	    at->map->last != 0 ? &at->edits[at->map->last - 1] : NULL;

	if (at->pkt->dir == LP_TO_CLIENT && last != NULL &&
	    last->kind == LP_EDIT_OPEN)
		return lp_seq_before(
		    lp_edit_end(last), at->segment.seq + at->segment.len);
	return lp_stream_wants(stream, at->segment.seq, at->segment.len);
}

/* The broker's first byte that must come before others are looked at. */
static uint32_t
wanted(const struct lp_splice_at *at)
{
	const struct lp_stream *stream =
	    &at->kafka->state->conns[at->pkt->conn].sides[LP_TO_CLIENT].stream;
	const struct lp_edit *last =
	    at->map->last != 0 ? &at->edits[at->map->last - 1] : NULL;

	if (last != NULL && last->kind == LP_EDIT_OPEN)
		return lp_edit_end(last);
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

/* On to the client; `had`: what the broker had acknowledged before. */
static void
pass(struct lp_splice_at *at, uint32_t had)
{
	struct lp_pkt *pkt = at->pkt;
	enum lp_reason reason = LP_REASON_FORWARDED;
	bool moved = at->splice->waiting != 0 && !at->made;

	if (at->verdict != LP_TCP_OK)
		reason = LP_REASON_OUT_OF_WINDOW;
	if (at->segment.len > 0 && is_unread(at)) {
		if (!lp_kafka_is_intact(pkt)) {
			lp_pkt_drop(pkt, LP_REASON_TCP_CHECKSUM);
			return;
		}
		lp_splice_strip(at);
		at->segment.len = 0;
	}
	paint(at, LP_TO_CLIENT);
	if (at->segment.len == 0 || (at->segment.flags & LP_TCP_RST) ||
	    (!needs_segments(at) && !moved)) {
		place(at);
		lp_rewrite_output(at->rewrite, at->batch, pkt, at->hop, reason);
		return;
	}
	if (lp_splice_send(at) > 0) {
		consume(at, LP_REASON_REWRITTEN);
	} else if (lp_seq_before(had, at->segment.ack)) {
		/* Its acknowledgement must not wait with its bytes. */
		lp_splice_strip(at);
		place(at);
		lp_rewrite_output(
		    at->rewrite, at->batch, pkt, at->hop, LP_REASON_HELD_EDIT);
	} else {
		consume(at, LP_REASON_HELD_EDIT);
	}
	acknowledge_held(at, at->segment.seq);
}

/* Nobody has read its bytes: out of the window, or behind a FIN. */
static bool
is_unread(const struct lp_splice_at *at)
{
	const struct lp_kafka_conn *conn = &at->kafka->state->conns[at->index];
	const struct lp_edit *last =
	    at->map->last != 0 ? &at->edits[at->map->last - 1] : NULL;
	uint32_t end = at->segment.seq + at->segment.len;

	return at->verdict != LP_TCP_OK ||
	    (conn->mode == LP_KAFKA_LIVE &&
		(last == NULL || last->kind != LP_EDIT_OPEN) &&
		lp_seq_before(conn->sides[LP_TO_CLIENT].stream.need, end));
}

/* Bytes of it are to be replaced by others, or held. */
static bool
needs_segments(const struct lp_splice_at *at)
{
	uint32_t end = at->segment.seq + at->segment.len;
	uint32_t link = lp_seqmap_find(at->map, at->edits, at->segment.seq);

	if (lp_splice_owed(at) != NULL)
		return true;
	for (; link != 0; link = at->edits[link - 1].next) {
		const struct lp_edit *edit = &at->edits[link - 1];

		if (!lp_seq_before(edit->start, end))
			return false;
		if (edit->kind != LP_EDIT_OVER)
			return true;
	}
	return false;
}

/* Its sequence number becomes the client's. */
static void
place(struct lp_splice_at *at)
{
	struct lp_splice *splice = at->splice;
	uint32_t seq = at->segment.seq;
	uint32_t end;

	if (at->segment.flags & (LP_TCP_SYN | LP_TCP_RST))
		return;
	if (splice->flags & LP_SPLICE_EDITED) {
		seq = where(at);
		write32(at->pkt, LP_TCP_SEQ, seq);
	}
	end = seq + at->pkt->payload_len +
	    ((at->pkt->tcp_flags & LP_TCP_FIN) != 0);
	/* One without bytes may tell of those that are lost before us. */
	if (at->verdict == LP_TCP_OK && end != seq)
		splice->out_next = lp_seq_max(splice->out_next, end);
}

/*
 * Where the packet begins for the client.  One without bytes begins where the
 * last one ended, though more may be on the way; a RST where the client looks
 * for it (RFC 5961, 3.2).
 */
static uint32_t
where(const struct lp_splice_at *at)
{
	const struct lp_splice *splice = at->splice;
	uint32_t seq = at->segment.seq;
	uint32_t out = lp_seqmap_out(at->map, at->edits, seq);
	bool bare =
	    at->pkt->payload_len == 0 && !(at->segment.flags & LP_TCP_FIN);

	if (!(splice->flags & LP_SPLICE_EDITED))
		return seq;
	if ((at->segment.flags & LP_TCP_RST) &&
	    lp_splice_ack(at, splice->client_ack) == seq)
		return splice->client_ack;
	if (bare && lp_seq_before(splice->out_next, out))
		return splice->out_next;
	return out;
}

/*
 * What keeps its length, in place: zeros below the floor, and overlays.  The
 * checksum was found right before (judge()), or is not touched.
 */
static void
paint(struct lp_splice_at *at, enum lp_direction dir)
{
	const struct lp_seqmap *map = &at->splice->maps[dir];
	uint32_t len = at->pkt->payload_len;
	uint8_t *bytes = at->pkt->data + at->pkt->payload_off;
	uint32_t seq = at->segment.seq;
	bool painted = false;

	if (len == 0 || !(at->splice->flags & LP_SPLICE_EDITED) ||
	    (at->segment.flags & (LP_TCP_SYN | LP_TCP_RST)))
		return;
	if (dir == LP_TO_CLIENT && lp_seq_before(seq, map->floor)) {
		uint32_t below = map->floor - seq;

		memset(bytes, 0, below < len ? below : len);
		painted = true;
	}
	painted |= lp_splice_overlay(at, map, seq, bytes, len);
	if (painted)
		lp_make_checksum(at->pkt, LP_PROTO_TCP, LP_TCP_SUM);
}

static void
keep(struct lp_splice_at *at)
{
	if (lp_splice_wait(at))
		lp_telemetry_count(&at->kafka->telemetry, held_segments, 1);
	else
		lp_telemetry_count(&at->kafka->telemetry, held_full, 1);
}

/* Behind a gap: its bytes stay; what it acknowledges goes on. */
static void
wait(struct lp_splice_at *at, uint32_t had)
{
	struct lp_pkt *pkt = at->pkt;
	uint32_t seq = at->segment.seq;

	lp_splice_acknowledge(at, true, seq);
	if (lp_seq_before(had, at->segment.ack)) {
		lp_splice_strip(at);
		at->segment.seq = wanted(at);
		at->segment.flags &= (uint8_t)~LP_TCP_FIN;
		place(at);
		lp_rewrite_output(
		    at->rewrite, at->batch, pkt, at->hop, LP_REASON_HELD_GAP);
		return;
	}
	consume(at, LP_REASON_HELD_GAP);
}

/* Whether the first of those that wait has waited long enough. */
static bool
comes_next(const struct lp_splice_at *at)
{
	uint32_t seq = at->kafka->held.pieces[at->splice->waiting - 1].seq;

	return at->kafka->state->conns[at->index].mode != LP_KAFKA_LIVE ||
	    !lp_seq_before(wanted(at), seq);
}

/* Those that waited for what has come now, each like one that comes in. */
static void
release(struct lp_splice_at *at)
{
	while (at->splice->waiting != 0 && at->pkt->dir == LP_TO_CLIENT) {
		struct lp_splice_at next = *at;

		if (!comes_next(at))
			return;
		begin(&next);
		next.pkt = lp_splice_waited(at);
		next.made = true;
		next.dropped = next.pkt == NULL;
		if (next.dropped) {
			next.pkt = at->pkt;
			end(&next);
			return;
		}
		lp_admit_segment(next.pkt, &next.segment);
		from_broker(&next);
		end(&next);
		if (next.pkt->verdict != LP_FORWARD &&
		    next.pkt->verdict != LP_HOLD) {
			lp_make_discard(at->rewrite->make, next.pkt);
			next.pkt->verdict = LP_HOLD;
		}
		if (at->splice->flags & LP_SPLICE_BROKEN) {
			give_up(at);
			return;
		}
	}
}

/*
 * Bytes of it are held, or were: the broker is told, unless that would only be
 * what it knows, and look to it like a loss.
 */
static void
acknowledge_held(struct lp_splice_at *at, uint32_t seq)
{
	const struct lp_edit *last =
	    at->map->last != 0 ? &at->edits[at->map->last - 1] : NULL;
	uint32_t end = seq + at->segment.len;
	uint32_t known = at->conn->tcp.peer[LP_TO_BROKER].ack;
	uint32_t ack = lp_splice_ack(at, at->splice->client_ack);
	bool again = !lp_seq_before(known, end);

	if (lp_seq_before(known, ack) || again ||
	    (last != NULL && last->kind == LP_EDIT_OPEN &&
		lp_seq_before(end, lp_edit_end(last))))
		lp_splice_acknowledge(at, at->splice->waiting != 0, end);
}

/* A field of the TCP header, with its checksum. */
static void
write32(struct lp_pkt *pkt, unsigned off, uint32_t value)
{
	uint8_t *tcp = pkt->data + pkt->l4_off;
	uint8_t is[4];

	lp_put32(is, value);
	lp_sum_update(
	    tcp + LP_TCP_SUM, lp_sum_replace(0, tcp + off, is, sizeof(is)));
	memcpy(tcp + off, is, sizeof(is));
}

static void
write16(struct lp_pkt *pkt, unsigned off, uint16_t value)
{
	uint8_t *tcp = pkt->data + pkt->l4_off;
	uint8_t is[2];

	lp_put16(is, value);
	lp_sum_update(
	    tcp + LP_TCP_SUM, lp_sum_replace(0, tcp + off, is, sizeof(is)));
	memcpy(tcp + off, is, sizeof(is));
}

/* Before it has changed anything. */
static void
drop(struct lp_splice_at *at, enum lp_reason why)
{
	at->dropped = true;
	lp_pkt_drop(at->pkt, why);
}

/* Nothing of it leaves, or all of it in other packets. */
static void
consume(struct lp_splice_at *at, enum lp_reason reason)
{
	at->pkt->port_out = LP_PORT_NONE;
	lp_pkt_decide(at->pkt, LP_LOCAL, reason);
}

/*
 * A response that may hold addresses and cannot be read is never passed on,
 * and without it the client would wait for ever: both ends are told.
 */
static void
give_up(struct lp_splice_at *at)
{
	struct lp_conntrack *conntrack = at->rewrite->conntrack;

	if (at->pkt->verdict == LP_UNDECIDED)
		lp_pkt_drop(at->pkt, LP_REASON_UNREADABLE);
	lp_reset_connection(at->rewrite->reset, at->batch, at->conn);
	lp_conntrack_forget(
	    conntrack, at->batch, at->index, LP_REASON_UNREADABLE);
}
