/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	behind a gap ▸ held, and answered by a duplicate acknowledgement
 *	from the client: read ▸ acknowledgements, windows and SACK blocks become
 *		the broker's; what of an edit waited for the window goes on
 *	from the broker: read ▸ sent on, edited
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
 * What comes behind an edit whose new bytes fill the client's window is kept,
 * too, and goes out as the window allows (kafka/edit_keep.c).  A FIN is not: if
 * bytes in front of it are kept, its sender's timer brings it again.
 *
 * A segment that cannot be looked at, because a pool is empty, is dropped
 * before it has changed anything: its sender sends it again.  Behind a gap it
 * is dropped, too, and the duplicate acknowledgement is sent all the same: what
 * is missing then comes after a round trip, not after a timeout.
 *
 * Who holds of a pool and stalls is reset when others find no room
 * (splice_stall.c).
 *
 * What is put together leaves by the outbox, behind the packet that it was made
 * for: the order of a connection is kept (transmit.c).
 *
 * What a client sends is held behind a gap only where rules act on requests
 * (kafka/judge.h): there nothing passes before it was judged.  Else it goes on,
 * and a copy of it is read when the gap has closed.
 *
 * Reasons: forwarded, opened, out_of_window, rewritten, held_edit, held_gap,
 * reset_rule; drops: edit_full, unreadable, ahead, tcp_checksum.
 */
#include "dataplane/pipeline/splice.h"

#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/said.h"
#include "dataplane/kafka/tell.h"
#include "dataplane/pipeline/admit.h"
#include "dataplane/pipeline/make.h"

/* Of a client that says less: Linux takes no less either. */
enum { MSS_MIN = 48 };

static uint32_t acknowledged(
    const struct lp_tcp_peer *, const struct lp_tcp_peer *);
static bool is_unlooked(const struct lp_snapshot *, const struct lp_conn *,
    const struct lp_kafka_conn *);
static bool without_text(struct lp_splice_at *);
static void turn(struct lp_splice_at *);
static void begin(struct lp_splice_at *);
static void end(struct lp_splice_at *);
static void follow_order(struct lp_splice_at *);
static bool comes_next(const struct lp_splice_at *);
static void release(struct lp_splice_at *);
static void refuse(struct lp_pkt *);
static void give_up(struct lp_splice_at *);

void
lp_splice_begin(struct lp_kafka *kafka, uint32_t index)
{
	struct lp_splice *splice = &kafka->state->splices[index];
	struct lp_conn *conn = &kafka->region->connections[index];
	const struct lp_tcp_peer *client = &conn->tcp.peer[LP_TO_BROKER];
	const struct lp_tcp_peer *broker = &conn->tcp.peer[LP_TO_CLIENT];
	const struct lp_stream *stream =
	    &kafka->state->conns[index].sides[LP_TO_CLIENT].stream;

	*splice = (struct lp_splice){.client_ack = acknowledged(client, broker),
	    .client_edge = broker->limit,
	    .edge = broker->limit,
	    .out_next = broker->end,
	    /* Its SYN says; else what all must take. */
	    .mss =
		lp_ip_is_v4(&conn->client_ip) ? LP_TCP_MSS_V4 : LP_TCP_MSS_V6};
	splice->maps[LP_TO_CLIENT].floor = splice->client_ack;
	splice->maps[LP_TO_BROKER].floor = acknowledged(broker, client);
	if (stream->state == LP_STREAM_LIVE && stream->need != stream->end) {
		splice->flags = LP_SPLICE_PASSED;
		splice->passed = stream->end;
	}
	/* With this it begins, also for who takes over. */
	atomic_signal_fence(memory_order_seq_cst);
	conn->flags |= LP_CONN_SPLICED;
}

/* By that end; before it has said anything of it, that its SYN is. */
static uint32_t
acknowledged(const struct lp_tcp_peer *by, const struct lp_tcp_peer *of)
{
	return by->flags & LP_PEER_ACKED ? by->ack : of->end;
}

void
lp_splice_follow(
    struct lp_kafka *kafka, const struct lp_batch *batch, uint32_t index)
{
	const struct lp_snapshot *snapshot = batch->snapshot;
	const struct lp_conn *conn = &kafka->region->connections[index];
	struct lp_kafka_conn *state = &kafka->state->conns[index];

	if ((conn->flags & LP_CONN_SPLICED) ||
	    !lp_snapshot_splices(snapshot, conn->listener_id))
		return;
	if (is_unlooked(snapshot, conn, state))
		lp_kafka_pick_up(kafka, index);
	if (state->mode != LP_KAFKA_LIVE && state->mode != LP_KAFKA_OFF &&
	    lp_snapshot_unjudged(snapshot, conn->listener_id) ==
		LP_UNJUDGED_RESET) {
		const struct lp_kafka_at at = {.kafka = kafka, .tcp = conn};

		/* Its next packet ends it. */
		lp_tell_unjudged(&at, NULL);
		lp_splice_begin(kafka, index);
		lp_edit_refuse(kafka, index,
		    &kafka->telemetry.stats->counters.unjudged_reset);
		return;
	}
	/* One that is lost says itself when it is not any more (recover.c). */
	if (state->mode != LP_KAFKA_LIVE)
		return;
	/* What it holds behind a gap has not stalled before. */
	state->moved_s = batch->now_s;
	lp_splice_begin(kafka, index);
}

/* Opened when nobody looked into it, and now rules act: it is as lost. */
static bool
is_unlooked(const struct lp_snapshot *snapshot, const struct lp_conn *conn,
    const struct lp_kafka_conn *state)
{
	const struct lp_target *target =
	    lp_snapshot_target(snapshot, conn->listener_id, conn->broker_id);

	return state->mode == LP_KAFKA_OFF && target != NULL && target->kafka &&
	    lp_snapshot_unjudged(snapshot, conn->listener_id) != 0 &&
	    conn->tcp.state != LP_TCP_CLOSED &&
	    conn->tcp.state != LP_TCP_TIME_WAIT;
}

void
lp_splice_end(struct lp_kafka *kafka, uint32_t index)
{
	lp_kafka_missed(kafka, index);
	lp_edit_close(kafka, index);
	lp_said_close(kafka, index);
	kafka->region->connections[index].flags &= (uint8_t)~LP_CONN_SPLICED;
}

void
lp_splice_packet(struct lp_rewrite *rewrite, struct lp_batch *batch,
    struct lp_pkt *pkt, const struct lp_way *way)
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
	    .way = *way};

	batch->done = (unsigned)(pkt - batch->pkts) + 1;
	lp_admit_segment(pkt, &at.segment);
	at.has_text = at.segment.len > 0;
	if (at.splice->flags & LP_SPLICE_BROKEN) {
		give_up(&at);
		return;
	}
	if (at.segment.len > 0 &&
	    (at.segment.flags & (LP_TCP_SYN | LP_TCP_RST)) &&
	    !without_text(&at))
		return;
	begin(&at);
	turn(&at);
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
	lp_splice_send_bare(at);
	at->segment.len = 0;
	return true;
}

static void
turn(struct lp_splice_at *at)
{
	if (at->pkt->dir == LP_TO_BROKER)
		lp_splice_client(at);
	else
		lp_splice_broker(at);
}

/* What follows happens, or happens not, up to the end. */
static void
begin(struct lp_splice_at *at)
{
	lp_region_begin_logged(at->rewrite->conntrack->region, at->pkt->conn);
	lp_kafka_log(at->kafka, at->pkt->conn);
	lp_splice_stall_begin(at);
	at->dropped = false;
}

static void
end(struct lp_splice_at *at)
{
	struct lp_conntrack *conntrack = at->rewrite->conntrack;

	lp_splice_stall_end(at);
	if (!at->dropped && (at->conn->flags & LP_CONN_INLINE) && at->has_text)
		follow_order(at);
	if (at->dropped)
		lp_region_end(conntrack->region);
	else
		lp_conntrack_commit(conntrack, at->index, at->verdict,
		    at->pkt->dir, (uint16_t)at->segment.len, at->batch->now_s);
	lp_kafka_logged(at->kafka);
}

/* Inline bytes may pass unseen, and no text fits any more: inline_splice.c. */
static void
follow_order(struct lp_splice_at *at)
{
	struct lp_conn *conn = at->conn;

	if (!at->waits && at->verdict == LP_TCP_OK)
		conn->astray = 0;
	else if (at->verdict != LP_TCP_OK && conn->astray < LP_ASTRAY_MAX)
		conn->astray++;
}

/* Whether the first of those that wait has waited long enough. */
static bool
comes_next(const struct lp_splice_at *at)
{
	uint32_t link = at->splice->waiting[at->pkt->dir];
	uint32_t seq = at->kafka->held.pieces[link - 1].seq;

	return !lp_splice_judge_orders(at) ||
	    !lp_seq_before(lp_splice_judge_next(at), seq);
}

/* Those that waited for what has come now, each like one that comes in. */
static void
release(struct lp_splice_at *at)
{
	while (at->splice->waiting_count[at->pkt->dir] != 0) {
		struct lp_splice_at next = *at;

		if (!comes_next(at))
			return;
		begin(&next);
		next.pkt = lp_splice_wait_over(at);
		next.made = true;
		next.dropped = next.pkt == NULL;
		if (next.dropped) {
			next.pkt = at->pkt;
			end(&next);
			return;
		}
		lp_admit_segment(next.pkt, &next.segment);
		next.waits = next.probes = false;
		turn(&next);
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

/* The options of a SYN; and where the numbers begin. */
void
lp_splice_meet(struct lp_splice_at *at)
{
	struct lp_splice *splice = at->splice;
	struct lp_pkt *pkt = at->pkt;
	bool client = pkt->dir == LP_TO_BROKER;
	uint16_t mss;

	if (!(pkt->flags & LP_PKT_INLINE))
		lp_rewrite_clamp_mss(at->batch, pkt, at->way.slot);
	refuse(pkt);
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

/*
 * Takes from a SYN what goes past a stream that is changed: data with a SYN
 * (RFC 7413), and streams of several connections (RFC 8684).
 */
static void
refuse(struct lp_pkt *pkt)
{
	uint8_t was[LP_TCP_LEN + 40], *tcp = pkt->data + pkt->l4_off;
	size_t len = (size_t)(pkt->payload_off - pkt->l4_off);
	size_t at = LP_TCP_LEN;

	memcpy(was, tcp, len);
	while (at + 1 < len && tcp[at] != LP_TCP_OPT_END) {
		size_t size = tcp[at] == LP_TCP_OPT_NOP ? 1 : tcp[at + 1];

		if (size == 0 || at + size > len)
			break;
		if (tcp[at] == LP_TCP_OPT_MPTCP ||
		    tcp[at] == LP_TCP_OPT_FAST_OPEN)
			memset(tcp + at, LP_TCP_OPT_NOP, size);
		at += size;
	}
	lp_sum_update(tcp + LP_TCP_SUM, lp_sum_replace(0, was, tcp, len));
}

/* Nothing of it leaves, or all of it in other packets. */
void
lp_splice_consume(struct lp_splice_at *at, enum lp_reason reason)
{
	at->pkt->port_out = LP_PORT_NONE;
	lp_pkt_decide(at->pkt, LP_LOCAL, reason);
}

/* Before it has changed anything. */
void
lp_splice_drop(struct lp_splice_at *at, enum lp_reason why)
{
	at->dropped = true;
	lp_pkt_drop(at->pkt, why);
}

/*
 * A response that may hold addresses and cannot be read is never passed on,
 * and without it the client would wait for ever: both ends are told.
 */
static void
give_up(struct lp_splice_at *at)
{
	struct lp_conntrack *conntrack = at->rewrite->conntrack;
	bool refused = at->splice->flags & LP_SPLICE_REFUSED;
	enum lp_reason why =
	    refused ? LP_REASON_RESET_RULE : LP_REASON_UNREADABLE;

	if (!lp_reset_may(at->rewrite->reset, at->conn, at->batch->now_ns)) {
		if (at->pkt->verdict == LP_UNDECIDED)
			lp_pkt_drop(at->pkt, LP_REASON_RST_LIMITED);
		return;
	}
	if (at->pkt->verdict == LP_UNDECIDED && refused) {
		at->pkt->port_out = LP_PORT_NONE;
		lp_pkt_decide(at->pkt, LP_LOCAL, why);
	} else if (at->pkt->verdict == LP_UNDECIDED) {
		lp_pkt_drop(at->pkt, why);
	}
	lp_reset_connection(at->rewrite->reset, at->batch, at->conn);
	lp_conntrack_forget(conntrack, at->batch, at->index, why);
}
