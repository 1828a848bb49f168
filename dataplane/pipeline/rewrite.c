/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	side ▸ next hop ▸ TCP state ▸ Kafka ▸ commit ▸ translate ▸ output
 *
 * The order is the promise: a packet that a stage drops has changed nothing,
 * and a packet that is transmitted was committed before.  So every stage that
 * may refuse the packet does so before the commit, which ends what TCP state
 * and Kafka (kafka/kafka.h) have begun.  Kafka is looked at here, packet by
 * packet, since the next one of the batch may be of the same stream.
 *
 * What is lost after the commit looks to TCP like a loss behind us: a process
 * killed in between, a full ring (tx_full), a port that went, a held packet
 * whose next hop stays silent.
 *
 * A segment outside the window is forwarded and changes no state but the
 * counters: both ends know better than we do.
 *
 * Reasons: forwarded, opened, out_of_window, reset_unreachable; drops: ttl,
 * tx_mtu, wrong_side, and those of neighbor.c.
 */
#include "dataplane/pipeline/rewrite.h"

#include "dataplane/pipeline/admit.h"
#include "dataplane/pipeline/checksum.h"
#include "dataplane/pipeline/inline.h"
#include "dataplane/pipeline/mark.h"
#include "dataplane/pipeline/parse.h"
#include "dataplane/pipeline/splice.h"
#include "dataplane/pipeline/too_big.h"
#include "dataplane/pipeline/wire.h"

static void rewrite_packet(
    struct lp_rewrite *, struct lp_batch *, struct lp_pkt *);
static void refuse(
    struct lp_rewrite *, struct lp_batch *, struct lp_pkt *, enum lp_reason);
static void translate_ipv4(
    const struct lp_conn *, const struct lp_pkt *, uint16_t);
static void translate_ipv6(const struct lp_conn *, const struct lp_pkt *);

void
lp_rewrite_stage(struct lp_rewrite *rewrite, struct lp_batch *batch)
{
	for (unsigned i = 0; i < batch->count; i++) {
		struct lp_pkt *pkt = &batch->pkts[i];

		if (pkt->verdict != LP_UNDECIDED || !(pkt->flags & LP_PKT_TCP))
			continue;
		if (pkt->flags & LP_PKT_INLINE)
			lp_inline_forward(rewrite, batch, pkt);
		else
			rewrite_packet(rewrite, batch, pkt);
	}
	batch->done = batch->count;
}

bool
lp_rewrite_way(struct lp_rewrite *rewrite, struct lp_batch *batch,
    const struct lp_pkt *pkt, struct lp_way *way, enum lp_reason *why)
{
	struct lp_conn *conn = lp_conntrack_get(rewrite->conntrack, pkt->conn);
	const uint8_t *ip = pkt->data + pkt->l3_off;
	bool client = pkt->dir == LP_TO_CLIENT;
	uint32_t hop = conn->nexthop[pkt->dir];
	struct lp_neighbor *ready;

	if (ip[pkt->flags & LP_PKT_V6 ? LP_IP6_HOPS : LP_IP4_TTL] <= 1) {
		*why = LP_REASON_TTL;
		return false;
	}
	ready = lp_neighbor_ready(rewrite->neighbors, batch, hop);
	if (ready != NULL) {
		ready->used_ms = batch->now_ms;
		way->slot = ready->slot;
	} else {
		hop = lp_neighbor_find(rewrite->neighbors, batch, hop,
		    client ? &conn->client_ip : &conn->broker_ip,
		    client ? LP_SIDE_CLIENT : LP_SIDE_BROKER, why);
		if (hop == 0)
			return false;
		way->slot = lp_neighbor_slot(rewrite->neighbors, hop);
	}
	if (pkt->len - pkt->l3_off > batch->snapshot->ports[way->slot].mtu) {
		*why = LP_REASON_TX_MTU;
		return false;
	}
	way->hop = hop;
	/* A hint of this process: not part of the connection's state. */
	if (ready == NULL)
		conn->nexthop[pkt->dir] = hop;
	return true;
}

void
lp_rewrite_output(struct lp_rewrite *rewrite, struct lp_batch *batch,
    struct lp_pkt *pkt, const struct lp_way *way, enum lp_reason reason)
{
	const struct lp_neighbor *ready =
	    lp_neighbor_ready(rewrite->neighbors, batch, way->hop);

	if (ready != NULL) {
		lp_neighbor_address(batch, ready, pkt);
		lp_pkt_decide(pkt, LP_FORWARD, reason);
	} else if (way->hop == 0) {
		pkt->port_out = way->slot;
		lp_pkt_decide(pkt, LP_FORWARD, reason);
	} else if (lp_neighbor_output(
		       rewrite->neighbors, batch, way->hop, pkt)) {
		lp_pkt_decide(pkt, LP_FORWARD, reason);
	} else {
		lp_pkt_decide(pkt, LP_HOLD, LP_REASON_NEIGHBOR_PENDING);
	}
}

static void
rewrite_packet(
    struct lp_rewrite *rewrite, struct lp_batch *batch, struct lp_pkt *pkt)
{
	struct lp_conn *conn = lp_conntrack_get(rewrite->conntrack, pkt->conn);
	struct lp_tcp_segment segment;
	enum lp_tcp_verdict verdict;
	enum lp_reason reason = LP_REASON_FORWARDED;
	struct lp_way way;
	enum lp_reason why;

	if (!lp_rewrite_comes_by(batch, pkt, conn)) {
		lp_pkt_drop(pkt, LP_REASON_WRONG_SIDE);
		return;
	}
	if (conn->tcp.state == LP_TCP_CLOSED && (pkt->tcp_flags & LP_TCP_SYN)) {
		/* Reset by an earlier packet of this batch: sent again, it
		 * opens a connection of its own. */
		lp_pkt_drop(pkt, LP_REASON_NO_CONNECTION);
		return;
	}
	if (!lp_rewrite_way(rewrite, batch, pkt, &way, &why)) {
		refuse(rewrite, batch, pkt, why);
		return;
	}
	if (conn->flags & LP_CONN_SPLICED) {
		lp_splice_packet(rewrite, batch, pkt, &way);
		return;
	}
	lp_admit_segment(pkt, &segment);
	lp_region_begin(rewrite->conntrack->region, pkt->conn);
	verdict = lp_tcp_state_run(&conn->tcp, pkt->dir, &segment);
	if (verdict == LP_TCP_OK)
		lp_kafka_segment(rewrite->kafka, batch, pkt, &segment);
	lp_conntrack_commit(rewrite->conntrack, pkt->conn, verdict, pkt->dir,
	    pkt->payload_len, batch->now_s);
	lp_rewrite_translate(rewrite, pkt);
	if (pkt->tcp_flags & LP_TCP_SYN)
		lp_rewrite_clamp_mss(batch, pkt, way.slot);
	lp_pace_packet(&rewrite->kafka->pace, conn, pkt, verdict == LP_TCP_OK);
	if (verdict != LP_TCP_OK)
		reason = LP_REASON_OUT_OF_WINDOW;
	else if (pkt->reason == LP_REASON_OPENED)
		reason = LP_REASON_OPENED;
	lp_rewrite_output(rewrite, batch, pkt, &way, reason);
}

/*
 * It has no way on.  A client's SYN is answered by RST where there is no broker
 * to be reached: it tries another one at once.  Nothing stays of a connection
 * that never began.
 */
static void
refuse(struct lp_rewrite *rewrite, struct lp_batch *batch, struct lp_pkt *pkt,
    enum lp_reason why)
{
	const struct lp_conn *conn =
	    lp_conntrack_get(rewrite->conntrack, pkt->conn);
	uint32_t index = pkt->conn;
	bool unreachable =
	    why == LP_REASON_NO_ROUTE || why == LP_REASON_NEIGHBOR_FAILED;
	bool never_began = pkt->reason == LP_REASON_OPENED;
	bool given_up = unreachable && conn->tcp.state == LP_TCP_SYN_SENT &&
	    (pkt->tcp_flags & LP_TCP_SYN) && pkt->dir == LP_TO_BROKER;

	if (why == LP_REASON_TX_MTU)
		lp_too_big_answer(rewrite->neighbors, batch, pkt, conn);
	if (!never_began && !given_up) {
		lp_pkt_drop(pkt, why);
		return;
	}
	pkt->conn = LP_CONN_NONE;
	lp_conntrack_forget(rewrite->conntrack, batch, index, why);
	if (unreachable)
		lp_reset_answer(
		    rewrite->reset, batch, pkt, LP_REASON_RESET_UNREACHABLE);
	else
		lp_pkt_drop(pkt, why);
}

void
lp_rewrite_translate(const struct lp_rewrite *rewrite, const struct lp_pkt *pkt)
{
	const struct lp_conn *conn =
	    lp_conntrack_get(rewrite->conntrack, pkt->conn);
	struct lp_endpoint_stats *endpoint =
	    &rewrite->conntrack->region->endpoints[conn->counters];
	uint16_t flip = pkt->dir == LP_TO_BROKER ? 0 : 0xffff;
	uint8_t *tcp = pkt->data + pkt->l4_off;
	uint32_t ports = conn->wire_ports[!pkt->dir];

	lp_count_add(&endpoint->packets[pkt->dir], 1);
	lp_count_add(&endpoint->bytes[pkt->dir], pkt->payload_len);
	if (pkt->flags & LP_PKT_INLINE) {
		lp_mark_packet(conn, pkt);
		return;
	}
	if (pkt->flags & LP_PKT_V6)
		translate_ipv6(conn, pkt);
	else
		translate_ipv4(conn, pkt, conn->sum_addresses ^ flip);
	ports = ports << 16 | ports >> 16;
	memcpy(tcp + LP_TCP_SRC, &ports, sizeof(ports));
	lp_sum_update(tcp + LP_TCP_SUM, conn->sum_all ^ flip);
	lp_mark_packet(conn, pkt);
}

static void
translate_ipv4(
    const struct lp_conn *conn, const struct lp_pkt *pkt, uint16_t sum)
{
	/* One hop less: the high byte of its word, whatever that was. */
	const uint16_t hop = 0xffff - 0x0100;
	uint64_t addresses = conn->wire_addresses[!pkt->dir];
	uint8_t *ip = pkt->data + pkt->l3_off;

	addresses = addresses << 32 | addresses >> 32;
	memcpy(ip + LP_IP4_SRC, &addresses, sizeof(addresses));
	ip[LP_IP4_TTL]--;
	lp_sum_update(ip + LP_IP4_SUM, (uint64_t)sum + htobe16(hop));
}

static void
translate_ipv6(const struct lp_conn *conn, const struct lp_pkt *pkt)
{
	bool to_broker = pkt->dir == LP_TO_BROKER;
	uint8_t *ip = pkt->data + pkt->l3_off;

	memcpy(
	    ip + LP_IP6_SRC, to_broker ? &conn->source_ip : &conn->vip_ip, 16);
	memcpy(ip + LP_IP6_DST, to_broker ? &conn->broker_ip : &conn->client_ip,
	    16);
	ip[LP_IP6_HOPS]--;
}

void
lp_rewrite_clamp_mss(
    const struct lp_batch *batch, const struct lp_pkt *pkt, uint8_t slot)
{
	uint16_t at = lp_parse_tcp_option(pkt, LP_TCP_OPT_MSS, 4);
	uint16_t in = batch->snapshot->ports[pkt->port_in].mtu;
	uint16_t out = batch->snapshot->ports[slot].mtu;
	uint16_t room = (uint16_t)((in < out ? in : out) - LP_TCP_LEN -
	    (pkt->flags & LP_PKT_V6 ? LP_IP6_LEN : LP_IP4_LEN));
	uint8_t was[4], is[4];
	uint16_t mss, even, len;

	if (at == 0)
		return;
	mss = lp_get16(pkt->data + at);
	if (mss <= room)
		return;
	/* Options need not lie on even offsets: sum the words around it. */
	even = (uint16_t)(at - ((at - pkt->l4_off) & 1));
	len = even == at ? 2 : 4;
	memcpy(was, pkt->data + even, len);
	lp_put16(pkt->data + at, room);
	memcpy(is, pkt->data + even, len);
	lp_sum_update(pkt->data + pkt->l4_off + LP_TCP_SUM,
	    lp_sum_replace(0, was, is, len));
}
