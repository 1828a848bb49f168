/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	known ▸ on           a SYN in TIME-WAIT begins anew (RFC 9293, 3.6.1)
 *	not ours, or from one of ours ▸ drop
 *	no SYN ▸ RST         reset_unknown
 *	no listener ▸ RST    reset_closed_port
 *	closed ▸ RST         reset_alone
 *	no broker ▸ RST      reset_no_broker
 *	a rule says so ▸ RST reset_rule
 *	a rule routes it ▸ to that broker; there is none ▸ RST reset_no_broker
 *	no room ▸ evict, else RST   reset_table_full
 *	no port ▸ RST        reset_no_source_port
 *	else created ▸ on    opened
 *
 * Full tables
 *
 * Half-open connections have a quota: beyond it the oldest of them goes, so a
 * flood of SYNs pushes out itself.  A full table gives up the oldest closed
 * one, else the oldest half-open one; when there is none either, the newcomer
 * is refused, never an established connection.
 *
 * Drops: starting, not_ours, ip_source, half_open_full, no_connection,
 * rst_limited.
 */
#include "dataplane/pipeline/admit.h"

#include "dataplane/pipeline/gate.h"
#include "dataplane/pipeline/inline.h"
#include "dataplane/pipeline/parse.h"
#include "dataplane/pipeline/splice.h"
#include "dataplane/pipeline/wire.h"

enum {
	/* Ports tried for a preserved source whose own is taken. */
	MOVE_STEPS = 64,
};

static void admit_packet(struct lp_admit *, struct lp_batch *, struct lp_pkt *);
static bool reopens(const struct lp_admit *, const struct lp_pkt *);
static enum lp_reason open_connection(struct lp_admit *, struct lp_batch *,
    struct lp_pkt *, const struct lp_tuple *);
static enum lp_reason refused(
    const struct lp_admit *, const struct lp_target *, enum lp_reason);
static bool make_room(struct lp_admit *, struct lp_batch *);
static void evict(struct lp_admit *, struct lp_batch *, uint32_t);
static bool choose_source(struct lp_admit *, const struct lp_batch *,
    struct lp_conn *, const struct lp_target *);
static bool translate_source(
    struct lp_admit *, const struct lp_batch *, struct lp_conn *);
static bool preserve_source(struct lp_admit *, struct lp_conn *);
static bool source_is_free(const struct lp_admit *, const struct lp_conn *);

void
lp_admit_stage(struct lp_admit *admit, struct lp_batch *batch)
{
	if (!batch->newcomers)
		return;
	for (unsigned i = 0; i < batch->count; i++) {
		struct lp_pkt *pkt = &batch->pkts[i];

		if (pkt->verdict != LP_UNDECIDED || !(pkt->flags & LP_PKT_TCP))
			continue;
		if (batch->snapshot == NULL)
			lp_pkt_drop(pkt, LP_REASON_STARTING);
		else if (pkt->flags & LP_PKT_INLINE)
			lp_inline_admit(admit, batch, pkt);
		else if (pkt->conn == LP_CONN_NONE || reopens(admit, pkt))
			admit_packet(admit, batch, pkt);
	}
}

static void
admit_packet(struct lp_admit *admit, struct lp_batch *batch, struct lp_pkt *pkt)
{
	const struct lp_own *own;
	enum lp_direction dir;
	struct lp_tuple tuple;
	enum lp_reason why;

	lp_conntrack_tuple(pkt, &tuple);
	own = lp_snapshot_own(batch->snapshot, &tuple.dst);
	if (own == NULL || !(own->port_mask & 1u << pkt->port_in)) {
		lp_pkt_drop(pkt, LP_REASON_NOT_OURS);
		return;
	}
	if (lp_snapshot_own(batch->snapshot, &tuple.src) != NULL) {
		/* Forged: we would talk to ourselves. */
		lp_pkt_drop(pkt, LP_REASON_IP_SOURCE);
		return;
	}
	if ((pkt->tcp_flags & (LP_TCP_SYN | LP_TCP_ACK)) != LP_TCP_SYN) {
		lp_reset_answer(
		    admit->reset, batch, pkt, LP_REASON_RESET_UNKNOWN);
		return;
	}
	if (pkt->conn != LP_CONN_NONE) {
		uint32_t over = pkt->conn;

		pkt->conn = LP_CONN_NONE;
		lp_conntrack_forget(
		    admit->conntrack, batch, over, LP_REASON_NO_CONNECTION);
	}
	/* An earlier packet of this batch may have opened it. */
	pkt->conn = lp_conntrack_find(admit->conntrack, &tuple, &dir);
	if (pkt->conn != LP_CONN_NONE) {
		pkt->dir = (uint8_t)dir;
		return;
	}
	why = open_connection(admit, batch, pkt, &tuple);
	if (why != LP_REASON_OPENED)
		lp_reset_answer(admit->reset, batch, pkt, why);
}

/* A client that takes up the tuple of a connection that is over. */
static bool
reopens(const struct lp_admit *admit, const struct lp_pkt *pkt)
{
	uint8_t state;

	if (pkt->dir != LP_TO_BROKER ||
	    (pkt->tcp_flags & (LP_TCP_SYN | LP_TCP_ACK)) != LP_TCP_SYN)
		return false;
	state = lp_conntrack_get(admit->conntrack, pkt->conn)->tcp.state;
	return state == LP_TCP_TIME_WAIT || state == LP_TCP_CLOSED;
}

static enum lp_reason
open_connection(struct lp_admit *admit, struct lp_batch *batch,
    struct lp_pkt *pkt, const struct lp_tuple *tuple)
{
	struct lp_region *region = admit->conntrack->region;
	const struct lp_service *service;
	const struct lp_target *target;
	struct lp_tcp_segment segment;
	struct lp_conn conn;
	enum lp_reason why;

	service =
	    lp_snapshot_service(batch->snapshot, &tuple->dst, tuple->dport);
	if (service == NULL)
		return LP_REASON_RESET_CLOSED_PORT;
	if (batch->snapshot->closed)
		return LP_REASON_RESET_ALONE;
	target = lp_snapshot_choose(
	    batch->snapshot, service, &tuple->src, tuple->sport);
	if (target == NULL)
		return LP_REASON_RESET_NO_BROKER;
	conn = lp_admit_conn(batch->snapshot, target, pkt->port_in, tuple);
	why = lp_gate_refuses(region, batch->snapshot, &conn);
	if (why != LP_REASON_NONE)
		return refused(admit, target, why);
	if (conn.broker_id != target->broker_id)
		target = lp_snapshot_target(
		    batch->snapshot, conn.listener_id, conn.broker_id);
	if (!make_room(admit, batch))
		return refused(admit, target, LP_REASON_RESET_TABLE_FULL);
	if (target->kafka &&
	    lp_snapshot_splices(batch->snapshot, target->listener_id))
		conn.flags |= LP_CONN_SPLICED;
	lp_admit_segment(pkt, &segment);
	lp_tcp_state_open(&conn.tcp, &segment);
	if (!choose_source(admit, batch, &conn, target))
		return refused(admit, target, LP_REASON_RESET_NO_SOURCE_PORT);
	pkt->conn = lp_conntrack_add(admit->conntrack, &conn, batch->now_s);
	assert(pkt->conn != LP_CONN_NONE);
	if (conn.flags & LP_CONN_SPLICED)
		lp_splice_begin(admit->kafka, pkt->conn);
	if (target->kafka)
		lp_kafka_open(admit->kafka, pkt->conn);
	pkt->dir = LP_TO_BROKER;
	pkt->reason = LP_REASON_OPENED;
	lp_count_add(&region->endpoints[target->counters].opened, 1);
	return LP_REASON_OPENED;
}

static enum lp_reason
refused(const struct lp_admit *admit, const struct lp_target *target,
    enum lp_reason why)
{
	struct lp_region *region = admit->conntrack->region;

	lp_count_add(&region->endpoints[target->counters].refused, 1);
	return why;
}

/* False: the table is full of connections that live. */
static bool
make_room(struct lp_admit *admit, struct lp_batch *batch)
{
	struct lp_conntrack *conntrack = admit->conntrack;
	uint32_t victim = LP_CONN_NONE;

	if (conntrack->classes[LP_CLASS_HALF_OPEN].count >=
	    conntrack->half_open_max)
		victim = lp_conntrack_oldest(conntrack, LP_CLASS_HALF_OPEN);
	else if (conntrack->free_count == 0)
		victim = lp_conntrack_oldest(conntrack, LP_CLASS_CLOSED);
	if (victim == LP_CONN_NONE && conntrack->free_count == 0)
		victim = lp_conntrack_oldest(conntrack, LP_CLASS_HALF_OPEN);
	if (victim != LP_CONN_NONE)
		evict(admit, batch, victim);
	return conntrack->free_count > 0;
}

static void
evict(struct lp_admit *admit, struct lp_batch *batch, uint32_t index)
{
	lp_reset_connection(
	    admit->reset, batch, lp_conntrack_get(admit->conntrack, index));
	lp_conntrack_forget(
	    admit->conntrack, batch, index, LP_REASON_HALF_OPEN_FULL);
	lp_count_add(&admit->conntrack->stats->evicted, 1);
}

static bool
choose_source(struct lp_admit *admit, const struct lp_batch *batch,
    struct lp_conn *conn, const struct lp_target *target)
{
	if (target->source_address == LP_SOURCE_PRESERVE)
		return preserve_source(admit, conn);
	return translate_source(admit, batch, conn);
}

/* An address of the port that leads to the broker, and a free port of it. */
static bool
translate_source(
    struct lp_admit *admit, const struct lp_batch *batch, struct lp_conn *conn)
{
	bool v4 = lp_ip_is_v4(&conn->broker_ip);
	const struct lp_snapshot_port *port;
	struct lp_ip nexthop;
	unsigned first;
	uint8_t slot;

	if (!lp_snapshot_route(batch->snapshot, &conn->broker_ip,
		LP_SIDE_BROKER, &slot, &nexthop))
		return false;
	port = &batch->snapshot->ports[slot];
	/* Spread over several addresses by the client. */
	first = lp_snapshot_hash_endpoint(&conn->client_ip, conn->client_port);
	for (unsigned i = 0; i < port->prefix_count; i++) {
		const struct lp_ip *own =
		    &port->prefixes[(first + i) % port->prefix_count].ip;
		uint16_t number;

		if (lp_ip_is_v4(own) != v4)
			continue;
		number = lp_nat_take(&admit->conntrack->nat, own,
		    &conn->broker_ip, conn->broker_port);
		if (number == 0)
			continue;
		conn->source_ip = *own;
		conn->source_port = number;
		conn->flags |= LP_CONN_NAT_PORT;
		return true;
	}
	return false;
}

/*
 * The client's own; but it may use one port towards VIP:9092 and another
 * endpoint of ours at once, which are one tuple to the broker.
 */
static bool
preserve_source(struct lp_admit *admit, struct lp_conn *conn)
{
	conn->source_ip = conn->client_ip;
	conn->source_port = conn->client_port;
	if (source_is_free(admit, conn))
		return true;
	for (unsigned i = 1; i <= MOVE_STEPS; i++) {
		conn->source_port = (uint16_t)(LP_SOURCE_PORT_MIN +
		    (conn->client_port + i * 4099u) % LP_SOURCE_PORTS);
		if (source_is_free(admit, conn)) {
			conn->flags |= LP_CONN_MOVED_PORT;
			lp_count_add(
			    &admit->conntrack->stats->source_port_moved, 1);
			return true;
		}
	}
	return false;
}

static bool
source_is_free(const struct lp_admit *admit, const struct lp_conn *conn)
{
	struct lp_tuple tuple = {.src = conn->broker_ip,
	    .dst = conn->source_ip,
	    .sport = conn->broker_port,
	    .dport = conn->source_port};
	enum lp_direction dir;

	return lp_conntrack_find(admit->conntrack, &tuple, &dir) ==
	    LP_CONN_NONE;
}
