/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inline connections whose requests rules act on.
 *
 * Overview
 *
 *	not seen from its SYN on ▸ RST to both ends	reset_rule
 *	bytes have passed unseen ▸ likewise
 *	else spliced (splice.h)
 *
 * The first two only where what cannot be judged is reset; the second also if
 * its client was denied something: an answer may have marks that only we may
 * see (kafka/edit.h).  Else it is picked up where it is, and its requests are
 * judged again once its frames are proven anew.  Its numbers have not changed:
 * inline only what keeps its length is edited.
 *
 * Unseen: while the packet process was away, where ports wire on loss, or by
 * another way.  One of its ends then acknowledges what it was not sent from
 * here: by itself, or asked by a segment without text, where its peer begins
 * again behind a gap (splice_wait.c).  Or nothing of it fits any more.
 */
#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/tell.h"
#include "dataplane/pipeline/admit.h"
#include "dataplane/pipeline/inline.h"
#include "dataplane/pipeline/splice.h"

static bool has_missed(const struct lp_rewrite *, const struct lp_batch *,
    const struct lp_pkt *, const struct lp_tcp_segment *);
static bool is_near(const struct lp_conn *, enum lp_direction, uint32_t);
static void end(
    struct lp_rewrite *, struct lp_pkt *, const struct lp_tcp_segment *);

bool
lp_inline_splice_is_closed(
    const struct lp_snapshot *snapshot, const struct lp_conn *conn)
{
	const struct lp_target *target =
	    lp_snapshot_target(snapshot, conn->listener_id, conn->broker_id);
	uint8_t how = lp_snapshot_unjudged(snapshot, conn->listener_id);

	/* It would be open for the requests that are allowed (gate.h). */
	if (how != 0 && (conn->flags & LP_CONN_LATER))
		return true;
	return how == LP_UNJUDGED_RESET && target != NULL && target->kafka;
}

void
lp_inline_splice_refuse(struct lp_kafka *kafka, struct lp_reset *reset,
    struct lp_batch *batch, struct lp_pkt *pkt, const struct lp_conn *conn)
{
	const struct lp_kafka_at at = {.kafka = kafka, .tcp = conn};

	/* Of those that come behind it nothing more is to be told. */
	if (pkt->payload_len > 0) {
		lp_tell_unjudged(&at, NULL);
		lp_telemetry_count(&kafka->telemetry, unjudged_reset, 1);
	}
	lp_reset_between(reset, batch, pkt, LP_REASON_RESET_RULE);
}

bool
lp_inline_splice_packet(
    struct lp_rewrite *rewrite, struct lp_batch *batch, struct lp_pkt *pkt)
{
	struct lp_conn *conn = lp_conntrack_get(rewrite->conntrack, pkt->conn);
	struct lp_tcp_segment segment;
	struct lp_way way;

	if (!lp_way_wire(batch, pkt, &way)) {
		lp_pkt_drop(pkt, LP_REASON_PORT_GONE);
		return true;
	}
	if (conn->tcp.state == LP_TCP_CLOSED && (pkt->tcp_flags & LP_TCP_SYN)) {
		/* As in rewrite.c. */
		lp_pkt_drop(pkt, LP_REASON_NO_CONNECTION);
		return true;
	}
	lp_way_learn(batch, pkt, pkt->dir, conn);
	lp_admit_segment(pkt, &segment);
	if (!has_missed(rewrite, batch, pkt, &segment)) {
		lp_splice_packet(rewrite, batch, pkt, &way);
		return true;
	}
	if (!lp_inline_splice_is_closed(batch->snapshot, conn) &&
	    !lp_edit_owes(rewrite->kafka, pkt->conn)) {
		end(rewrite, pkt, &segment);
		return false;
	}
	if (!lp_reset_may(rewrite->reset, conn, batch->now_ns)) {
		lp_pkt_drop(pkt, LP_REASON_RST_LIMITED);
		return true;
	}
	lp_inline_splice_refuse(
	    rewrite->kafka, rewrite->reset, batch, pkt, conn);
	lp_conntrack_forget(
	    rewrite->conntrack, batch, pkt->conn, LP_REASON_NO_CONNECTION);
	return true;
}

/* Bytes have passed that were not seen here. */
static bool
has_missed(const struct lp_rewrite *rewrite, const struct lp_batch *batch,
    const struct lp_pkt *pkt, const struct lp_tcp_segment *segment)
{
	const uint8_t control =
	    LP_TCP_SYN | LP_TCP_FIN | LP_TCP_RST | LP_TCP_ACK;
	const struct lp_conn *conn =
	    lp_conntrack_get(rewrite->conntrack, pkt->conn);
	const struct lp_splice *splice =
	    &rewrite->kafka->state->splices[pkt->conn];
	uint32_t sent = pkt->dir == LP_TO_BROKER
	    ? splice->out_next
	    : conn->tcp.peer[LP_TO_BROKER].end;

	if (conn->tcp.state != LP_TCP_ESTABLISHED ||
	    (splice->flags & LP_SPLICE_BROKEN) ||
	    rewrite->kafka->state->conns[pkt->conn].mode == LP_KAFKA_OFF ||
	    (segment->flags & control) != LP_TCP_ACK)
		return false;
	/* A stranger, who could do that, too, is not to end it. */
	if (conn->astray >= LP_ASTRAY_MAX &&
	    (batch->snapshot->wires_on_loss ||
		!lp_inline_splice_is_closed(batch->snapshot, conn)))
		return true;
	return lp_seq_before(sent, segment->ack) &&
	    is_near(conn, pkt->dir, segment->seq) && lp_kafka_is_intact(pkt);
}

/* Not of a stranger, who would have to guess it. */
static bool
is_near(const struct lp_conn *conn, enum lp_direction dir, uint32_t seq)
{
	const struct lp_tcp_peer *from = &conn->tcp.peer[dir];
	const struct lp_tcp_peer *to = &conn->tcp.peer[!dir];
	uint32_t window = (uint32_t)to->window << to->scale;

	return !lp_seq_before(seq, from->end - window) &&
	    !lp_seq_before(from->limit + window, seq);
}

/* It is followed where it is now, and nothing more of it is changed. */
static void
end(struct lp_rewrite *rewrite, struct lp_pkt *pkt,
    const struct lp_tcp_segment *segment)
{
	struct lp_conntrack *conntrack = rewrite->conntrack;
	struct lp_conn *conn =
	    lp_region_begin_logged(conntrack->region, pkt->conn);

	lp_kafka_log(rewrite->kafka, pkt->conn);
	lp_splice_end(rewrite->kafka, pkt->conn);
	lp_tcp_state_pick_up(&conn->tcp, pkt->dir, segment);
	conn->flags |= LP_CONN_PICKED_UP;
	conn->astray = 0;
	lp_region_end(conntrack->region);
	lp_kafka_logged(rewrite->kafka);
	pkt->reason = LP_REASON_PICKED_UP;
}
