/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	no readable TCP ▸ pass		wired, wired_unread
 *	known ▸ on
 *	of no named broker ▸ pass	wired
 *	a SYN that a rule resets ▸ RST	reset_rule
 *	RST, FIN ▸ pass			wired: nothing is left to follow
 *	not from its SYN on ▸ created; or RST to both ends, reset_rule
 *	no room ▸ pass			untracked; or RST, reset_table_full
 *	else created ▸ on		opened, picked_up
 *	spliced ▸ inline_splice.c
 *	commit ▸ pass			forwarded, out_of_window
 *
 * Those RSTs are for where rules act on requests, and what cannot be judged is
 * not to pass.
 *
 * The client of a connection is who opened it, also if that is a broker
 * itself.  Where its SYN was not seen the named end is the broker.
 *
 * Life-cycle: a connection that was not seen from its SYN on is picked up at
 * whatever segment comes.  Until both ends have spoken it counts as half-open,
 * or anybody could fill the table for good with single segments.  A SYN on a
 * connection that lives, answered by SYN-ACK, shows that we have missed its
 * end: it is followed anew.  One of which much has passed unseen, on another
 * way or while we were away, is picked up again where it is.
 *
 * Rules: those of connections are asked at a SYN, with or without room for what
 * it opens, and also on a connection that lives: that goes on, but the client
 * hears a RST, and the broker nothing.  What is picked up was opened without
 * us; they only say how its packets are sent (mark.h).  What cannot be read
 * passes by rules, too: fragments, VLAN tags, and a SYN with a FIN, which no
 * end sends (lp_tcp_flags_valid()).
 *
 * Full tables: an inline connection takes the place of another inline one that
 * is half-open or closed; never one of a VIP, whose ends would notice.  Nor
 * does it take the last quarter of the places where there are VIPs: they must
 * refuse newcomers that find none, while inline those only go unseen.
 *
 * Drops: port_gone, where the other port is not there; stale, what has waited
 * while newer ones went past it (beat.h).
 */
#include "dataplane/pipeline/inline.h"

#include "dataplane/pipeline/admit.h"
#include "dataplane/pipeline/gate.h"
#include "dataplane/pipeline/mark.h"
#include "dataplane/pipeline/splice.h"

static void refuse(struct lp_reset *, struct lp_batch *, struct lp_pkt *);
static bool run(struct lp_conn *, enum lp_direction,
    const struct lp_tcp_segment *, enum lp_tcp_verdict *);
static bool is_unread(enum lp_reason);
static const struct lp_service *find_service(
    const struct lp_snapshot *, const struct lp_pkt *, struct lp_tuple *);
static const struct lp_service *named(
    const struct lp_snapshot *, const struct lp_ip *, uint16_t);
static bool begins_anew(const struct lp_conntrack *, const struct lp_pkt *);
static void ask_again(struct lp_admit *, struct lp_batch *, struct lp_pkt *);
static bool lets(
    struct lp_admit *, struct lp_batch *, struct lp_pkt *, struct lp_conn *);
static void forget(struct lp_conntrack *, struct lp_batch *, uint32_t);
static bool make_room(struct lp_conntrack *, struct lp_batch *);
static bool has_place(const struct lp_conntrack *, const struct lp_snapshot *);
static struct lp_conn describe(const struct lp_snapshot *,
    const struct lp_pkt *, const struct lp_service *, const struct lp_tuple *);
static void open_connection(struct lp_admit *, const struct lp_batch *,
    struct lp_pkt *, const struct lp_target *, struct lp_conn *);
static void go_untracked(struct lp_admit *, struct lp_batch *, struct lp_pkt *,
    const struct lp_conn *);
static void forgotten(struct lp_batch *, struct lp_pkt *);
static bool opens(const struct lp_pkt *);
static bool ends(const struct lp_pkt *);
static void turn(struct lp_tuple *);

void
lp_inline_stage(struct lp_batch *batch)
{
	if (batch->snapshot == NULL || !batch->snapshot->has_inline)
		return;
	for (unsigned i = 0; i < batch->count; i++) {
		struct lp_pkt *pkt = &batch->pkts[i];
		enum lp_reason was = pkt->reason;
		const struct lp_snapshot_port *port =
		    &batch->snapshot->ports[pkt->port_in];

		if (!port->is_inline)
			continue;
		pkt->flags |= LP_PKT_INLINE;
		if (batch->late && port->wires_on_loss) {
			pkt->verdict = LP_UNDECIDED;
			lp_pkt_drop(pkt, LP_REASON_STALE);
			batch->stale++;
			continue;
		}
		if (pkt->verdict == LP_UNDECIDED && (pkt->flags & LP_PKT_TCP))
			continue;
		/* Whether it is right is for who receives it to say. */
		pkt->verdict = LP_UNDECIDED;
		lp_inline_pass(batch, pkt,
		    is_unread(was) ? LP_REASON_WIRED_UNREAD : LP_REASON_WIRED);
	}
}

void
lp_inline_admit(
    struct lp_admit *admit, struct lp_batch *batch, struct lp_pkt *pkt)
{
	struct lp_conntrack *conntrack = admit->conntrack;
	const struct lp_service *service;
	struct lp_tuple came, tuple;
	enum lp_direction dir;
	struct lp_conn conn;

	if (batch->snapshot->closed) {
		refuse(admit->reset, batch, pkt);
		return;
	}
	if (pkt->conn != LP_CONN_NONE && !begins_anew(conntrack, pkt)) {
		ask_again(admit, batch, pkt);
		return;
	}
	lp_conntrack_tuple(pkt, &came);
	tuple = came;
	service = find_service(batch->snapshot, pkt, &tuple);
	if (service == NULL || ends(pkt)) {
		lp_inline_pass(batch, pkt, LP_REASON_WIRED);
		return;
	}
	if (pkt->conn != LP_CONN_NONE)
		forget(conntrack, batch, pkt->conn);
	/* An earlier packet of this batch may have opened it. */
	pkt->conn = lp_conntrack_find(conntrack, &came, &dir);
	if (pkt->conn != LP_CONN_NONE) {
		pkt->dir = (uint8_t)dir;
		return;
	}
	conn = describe(batch->snapshot, pkt, service, &tuple);
	if (opens(pkt) && !lets(admit, batch, pkt, &conn))
		return;
	if (!opens(pkt) && lp_inline_splice_is_closed(batch->snapshot, &conn)) {
		lp_inline_splice_refuse(
		    admit->kafka, admit->reset, batch, pkt, &conn);
		return;
	}
	if (!make_room(conntrack, batch)) {
		go_untracked(admit, batch, pkt, &conn);
		return;
	}
	pkt->dir =
	    came.sport == tuple.sport && lp_ip_equal(&came.src, &tuple.src)
	    ? LP_TO_BROKER
	    : LP_TO_CLIENT;
	open_connection(admit, batch, pkt,
	    &batch->snapshot->targets[service->target], &conn);
}

/* Nothing of a named broker's passes, whichever end it is. */
static void
refuse(struct lp_reset *reset, struct lp_batch *batch, struct lp_pkt *pkt)
{
	struct lp_tuple tuple;

	lp_conntrack_tuple(pkt, &tuple);
	if (named(batch->snapshot, &tuple.dst, tuple.dport) == NULL &&
	    named(batch->snapshot, &tuple.src, tuple.sport) == NULL)
		lp_inline_pass(batch, pkt, LP_REASON_WIRED);
	else
		lp_reset_between(reset, batch, pkt, LP_REASON_RESET_ALONE);
}

void
lp_inline_forward(
    struct lp_rewrite *rewrite, struct lp_batch *batch, struct lp_pkt *pkt)
{
	struct lp_conntrack *conntrack = rewrite->conntrack;
	struct lp_kafka *kafka = rewrite->kafka;
	enum lp_reason reason = LP_REASON_FORWARDED;
	struct lp_endpoint_stats *endpoint;
	struct lp_tcp_segment segment;
	enum lp_tcp_verdict verdict;
	struct lp_conn *conn;

	if (pkt->conn == LP_CONN_NONE) {
		forgotten(batch, pkt);
		return;
	}
	conn = lp_conntrack_get(conntrack, pkt->conn);
	if (conn->flags & LP_CONN_SPLICED) {
		if (opens(pkt) && !lp_tcp_state_half_open(conn->tcp.state))
			conn->flags |= LP_CONN_SYN_AGAIN;
		if (lp_inline_splice_packet(rewrite, batch, pkt))
			return;
	}
	endpoint = &conntrack->region->endpoints[conn->counters];
	lp_admit_segment(pkt, &segment);
	lp_region_begin(conntrack->region, pkt->conn);
	if (opens(pkt) && !lp_tcp_state_half_open(conn->tcp.state))
		conn->flags |= LP_CONN_SYN_AGAIN;
	if (run(conn, pkt->dir, &segment, &verdict)) {
		lp_kafka_missed(kafka, pkt->conn);
		reason = LP_REASON_PICKED_UP;
	}
	if (verdict == LP_TCP_OK)
		lp_kafka_segment(kafka, batch, pkt, &segment);
	lp_conntrack_commit(conntrack, pkt->conn, verdict, pkt->dir,
	    pkt->payload_len, batch->now_s);
	lp_count_add(&endpoint->packets[pkt->dir], 1);
	lp_count_add(&endpoint->bytes[pkt->dir], pkt->payload_len);
	lp_mark_packet(conn, pkt);
	if (verdict != LP_TCP_OK)
		reason = LP_REASON_OUT_OF_WINDOW;
	else if (pkt->reason != LP_REASON_NONE)
		reason = pkt->reason;
	lp_inline_pass(batch, pkt, reason);
}

/* True if it is picked up again there. */
static bool
run(struct lp_conn *conn, enum lp_direction dir,
    const struct lp_tcp_segment *segment, enum lp_tcp_verdict *verdict)
{
	const uint8_t control = LP_TCP_SYN | LP_TCP_FIN | LP_TCP_RST;

	*verdict = lp_tcp_state_run(&conn->tcp, dir, segment);
	if (*verdict == LP_TCP_OK) {
		conn->astray = 0;
		return false;
	}
	if (conn->tcp.state != LP_TCP_ESTABLISHED ||
	    (segment->flags & control) || ++conn->astray < LP_ASTRAY_MAX)
		return false;
	lp_tcp_state_pick_up(&conn->tcp, dir, segment);
	conn->flags |= LP_CONN_PICKED_UP;
	conn->astray = 0;
	*verdict = LP_TCP_OK;
	return true;
}

void
lp_inline_pass(
    struct lp_batch *batch, struct lp_pkt *pkt, enum lp_reason reason)
{
	uint8_t peer = batch->snapshot->ports[pkt->port_in].peer;

	pkt->len = pkt->frame_len;
	if (peer == LP_PORT_NONE) {
		lp_pkt_drop(pkt, LP_REASON_PORT_GONE);
		return;
	}
	pkt->port_out = peer;
	lp_pkt_decide(pkt, LP_FORWARD, reason);
}

/* What parse has found wrong, not only foreign: it may have been Kafka's. */
static bool
is_unread(enum lp_reason reason)
{
	switch (reason) {
	case LP_REASON_RUNT:
	case LP_REASON_IP_HEADER:
	case LP_REASON_IP_CHECKSUM:
	case LP_REASON_IP_FRAGMENT:
	case LP_REASON_IP_OPTIONS:
	case LP_REASON_TCP_HEADER:
	case LP_REASON_TCP_CHECKSUM:
	case LP_REASON_TCP_CHECKSUM_PARTIAL:
		return true;
	default:
		return false;
	}
}

/*
 * The named end of a connection that is not known yet; the tuple is then that
 * of a packet to it.  Only a SYN without ACK tells for sure who opens.
 */
static const struct lp_service *
find_service(const struct lp_snapshot *snapshot, const struct lp_pkt *pkt,
    struct lp_tuple *tuple)
{
	uint8_t flags = pkt->tcp_flags & (LP_TCP_SYN | LP_TCP_ACK);
	const struct lp_service *service = NULL;

	if (flags != (LP_TCP_SYN | LP_TCP_ACK))
		service = named(snapshot, &tuple->dst, tuple->dport);
	if (service != NULL || flags == LP_TCP_SYN)
		return service;
	turn(tuple);
	return named(snapshot, &tuple->dst, tuple->dport);
}

static const struct lp_service *
named(const struct lp_snapshot *snapshot, const struct lp_ip *ip, uint16_t port)
{
	const struct lp_service *service =
	    lp_snapshot_service(snapshot, ip, port);

	return service != NULL && service->is_inline ? service : NULL;
}

/* It belongs to a connection that comes after the one that is known. */
static bool
begins_anew(const struct lp_conntrack *conntrack, const struct lp_pkt *pkt)
{
	const struct lp_conn *conn = lp_conntrack_get(conntrack, pkt->conn);
	uint8_t flags = pkt->tcp_flags & (LP_TCP_SYN | LP_TCP_ACK);

	if (flags == LP_TCP_SYN)
		return pkt->dir == LP_TO_BROKER &&
		    (conn->tcp.state == LP_TCP_TIME_WAIT ||
			conn->tcp.state == LP_TCP_CLOSED);
	return flags == (LP_TCP_SYN | LP_TCP_ACK) && pkt->dir == LP_TO_CLIENT &&
	    (conn->flags & LP_CONN_SYN_AGAIN);
}

/*
 * A SYN on a connection that lives may begin another one, which is only seen at
 * its SYN-ACK (LP_CONN_SYN_AGAIN).  Of one that is half-open it is most likely
 * the SYN that has opened it.
 */
static void
ask_again(struct lp_admit *admit, struct lp_batch *batch, struct lp_pkt *pkt)
{
	const struct lp_conn *known =
	    lp_conntrack_get(admit->conntrack, pkt->conn);
	const struct lp_service *service;
	struct lp_tuple tuple;
	struct lp_conn conn;

	if (!opens(pkt) || lp_tcp_state_half_open(known->tcp.state))
		return;
	lp_conntrack_tuple(pkt, &tuple);
	service = find_service(batch->snapshot, pkt, &tuple);
	if (service == NULL)
		return;
	conn = describe(batch->snapshot, pkt, service, &tuple);
	/* One that waits for its requests could not be told at its SYN-ACK. */
	if (lets(admit, batch, pkt, &conn) && (conn.flags & LP_CONN_LATER))
		lp_reset_answer(admit->reset, batch, pkt, LP_REASON_RESET_RULE);
}

/* False: a rule resets it, and that is done. */
static bool
lets(struct lp_admit *admit, struct lp_batch *batch, struct lp_pkt *pkt,
    struct lp_conn *conn)
{
	struct lp_region *region = admit->conntrack->region;

	enum lp_reason why = lp_gate_refuses(region, batch->snapshot, conn);

	if (why == LP_REASON_NONE)
		return true;
	lp_reset_answer(admit->reset, batch, pkt, why);
	lp_count_add(&region->endpoints[conn->counters].refused, 1);
	return false;
}

static void
forget(struct lp_conntrack *conntrack, struct lp_batch *batch, uint32_t index)
{
	lp_conntrack_forget(conntrack, batch, index, LP_REASON_NO_CONNECTION);
}

/* False: what is there must stay. */
static bool
make_room(struct lp_conntrack *conntrack, struct lp_batch *batch)
{
	bool quota = conntrack->classes[LP_CLASS_HALF_OPEN].count >=
	    conntrack->half_open_max;
	uint32_t victim = LP_CONN_NONE;

	if (!quota && has_place(conntrack, batch->snapshot))
		return true;
	if (!quota)
		victim = lp_conntrack_oldest(conntrack, LP_CLASS_CLOSED);
	if (victim == LP_CONN_NONE)
		victim = lp_conntrack_oldest(conntrack, LP_CLASS_HALF_OPEN);
	if (victim == LP_CONN_NONE ||
	    !(lp_conntrack_get(conntrack, victim)->flags & LP_CONN_INLINE))
		return false;
	forget(conntrack, batch, victim);
	lp_count_add(&conntrack->stats->evicted, 1);
	return true;
}

static bool
has_place(
    const struct lp_conntrack *conntrack, const struct lp_snapshot *snapshot)
{
	uint32_t kept = 1;

	if (snapshot->has_vip)
		kept =
		    conntrack->region->header->connection_count / LP_VIP_SHARE;
	return conntrack->free_count >= kept;
}

/* The tuple is that of a packet to the broker. */
static struct lp_conn
describe(const struct lp_snapshot *snapshot, const struct lp_pkt *pkt,
    const struct lp_service *service, const struct lp_tuple *tuple)
{
	struct lp_conn conn = lp_admit_conn(
	    snapshot, &snapshot->targets[service->target], pkt->port_in, tuple);

	conn.source_ip = tuple->src;
	conn.source_port = tuple->sport;
	conn.flags = LP_CONN_INLINE;
	return conn;
}

static void
open_connection(struct lp_admit *admit, const struct lp_batch *batch,
    struct lp_pkt *pkt, const struct lp_target *target, struct lp_conn *conn)
{
	struct lp_conntrack *conntrack = admit->conntrack;
	uint8_t peer = batch->snapshot->ports[pkt->port_in].peer;
	struct lp_tcp_segment segment;

	lp_admit_segment(pkt, &segment);
	lp_way_learn(batch, pkt, pkt->dir, conn);
	/* Rules ask for its client's, and so does its way after a restart. */
	if (pkt->dir == LP_TO_CLIENT && peer != LP_PORT_NONE)
		conn->port_id = batch->snapshot->ports[peer].id;
	if (opens(pkt)) {
		lp_tcp_state_open(&conn->tcp, &segment);
		pkt->reason = LP_REASON_OPENED;
	} else {
		lp_tcp_state_pick_up(&conn->tcp, pkt->dir, &segment);
		conn->flags |= LP_CONN_PICKED_UP;
		pkt->reason = LP_REASON_PICKED_UP;
		lp_gate_follow(batch->snapshot, conn);
	}
	/* Before it is there: who takes over after a kill must judge it. */
	if (target->kafka && pkt->reason == LP_REASON_OPENED &&
	    lp_snapshot_splices(batch->snapshot, target->listener_id))
		conn->flags |= LP_CONN_SPLICED;
	pkt->conn = lp_conntrack_add(conntrack, conn, batch->now_s);
	assert(pkt->conn != LP_CONN_NONE);
	if (conn->flags & LP_CONN_SPLICED)
		lp_splice_begin(admit->kafka, pkt->conn);
	if (target->kafka && (conn->flags & LP_CONN_PICKED_UP))
		lp_kafka_pick_up(admit->kafka, pkt->conn);
	else if (target->kafka)
		lp_kafka_open(admit->kafka, pkt->conn);
	lp_count_add(&conntrack->region->endpoints[target->counters].opened, 1);
}

/* No room.  A connection that must not go unseen is not to begin. */
static void
go_untracked(struct lp_admit *admit, struct lp_batch *batch, struct lp_pkt *pkt,
    const struct lp_conn *conn)
{
	struct lp_region *region = admit->conntrack->region;

	if (!lp_inline_splice_is_closed(batch->snapshot, conn)) {
		lp_inline_pass(batch, pkt, LP_REASON_UNTRACKED);
		return;
	}
	lp_reset_answer(admit->reset, batch, pkt, LP_REASON_RESET_TABLE_FULL);
	lp_count_add(&region->endpoints[conn->counters].refused, 1);
}

/*
 * Its connection is gone with an earlier or a later packet of this batch.
 * Where rules act it comes again.
 */
static void
forgotten(struct lp_batch *batch, struct lp_pkt *pkt)
{
	const struct lp_service *service;
	struct lp_tuple tuple;

	lp_conntrack_tuple(pkt, &tuple);
	service = find_service(batch->snapshot, pkt, &tuple);
	if (service != NULL &&
	    lp_snapshot_unjudged(batch->snapshot, service->listener_id) != 0)
		lp_pkt_drop(pkt, LP_REASON_NO_CONNECTION);
	else
		lp_inline_pass(batch, pkt, LP_REASON_UNTRACKED);
}

/* Only a SYN without ACK does. */
static bool
opens(const struct lp_pkt *pkt)
{
	return (pkt->tcp_flags & (LP_TCP_SYN | LP_TCP_ACK)) == LP_TCP_SYN;
}

/* Nothing is left to follow. */
static bool
ends(const struct lp_pkt *pkt)
{
	return (pkt->tcp_flags & LP_TCP_RST) ||
	    ((pkt->tcp_flags & LP_TCP_FIN) && pkt->payload_len == 0);
}

static void
turn(struct lp_tuple *tuple)
{
	struct lp_tuple was = *tuple;

	tuple->src = was.dst;
	tuple->dst = was.src;
	tuple->sport = was.dport;
	tuple->dport = was.sport;
}
