/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reasons: those given by the caller; no_connection (a RST), rst_limited.
 */
#include "dataplane/pipeline/reset.h"

#include <string.h>

#include "dataplane/pipeline/checksum.h"
#include "dataplane/pipeline/mark.h"
#include "dataplane/pipeline/mirror.h"
#include "dataplane/pipeline/parse.h"
#include "dataplane/pipeline/way.h"
#include "dataplane/pipeline/wire.h"

enum { OF_CONNECTION = 4 }; /* RSTs at most: two to each end */

static bool take_token(struct lp_reset *, uint64_t);
static void refill(struct lp_reset *, uint64_t);
static void turn_macs(const struct lp_batch *, struct lp_pkt *);
static void write_tcp(
    struct lp_pkt *, uint16_t, uint16_t, uint32_t, uint32_t, uint8_t);
static void reset_end(struct lp_reset *, struct lp_batch *,
    const struct lp_conn *, enum lp_direction);
static void send_reset(struct lp_reset *, struct lp_batch *,
    const struct lp_conn *, enum lp_direction, uint32_t, uint32_t, uint8_t);

void
lp_reset_init(struct lp_reset *reset, const struct lp_make *make,
    struct lp_neighbors *neighbors, uint64_t now_ns)
{
	*reset = (struct lp_reset){.make = make,
	    .neighbors = neighbors,
	    .refilled_ns = now_ns,
	    .tokens = LP_RST_BURST};
}

void
lp_reset_answer(struct lp_reset *reset, struct lp_batch *batch,
    struct lp_pkt *pkt, enum lp_reason reason)
{
	const uint8_t *tcp = pkt->data + pkt->l4_off;
	struct lp_ip src, dst;
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;

	assert(pkt->flags & LP_PKT_TCP);
	if (pkt->tcp_flags & LP_TCP_RST) {
		lp_pkt_drop(pkt, LP_REASON_NO_CONNECTION);
		return;
	}
	if (!take_token(reset, batch->now_ns)) {
		lp_pkt_drop(pkt, LP_REASON_RST_LIMITED);
		return;
	}
	lp_parse_addresses(pkt, &src, &dst);
	sport = lp_get16(tcp + LP_TCP_SRC);
	dport = lp_get16(tcp + LP_TCP_DST);
	if (pkt->tcp_flags & LP_TCP_ACK) {
		seq = lp_get32(tcp + LP_TCP_ACKNO);
		ack = 0;
		flags = LP_TCP_RST;
	} else {
		seq = 0;
		ack = lp_get32(tcp + LP_TCP_SEQ) + pkt->payload_len +
		    ((pkt->tcp_flags & LP_TCP_SYN) != 0) +
		    ((pkt->tcp_flags & LP_TCP_FIN) != 0);
		flags = LP_TCP_RST | LP_TCP_ACK;
	}
	turn_macs(batch, pkt);
	lp_make_ip(pkt, &dst, &src, LP_PROTO_TCP, LP_TCP_LEN);
	write_tcp(pkt, dport, sport, seq, ack, flags);
	lp_pkt_decide(pkt, LP_LOCAL, reason);
	pkt->port_out = pkt->port_in;
	lp_count_add(&reset->make->stats->sent_reset, 1);
}

void
lp_reset_connection(
    struct lp_reset *reset, struct lp_batch *batch, const struct lp_conn *conn)
{
	/* Inline one that is only followed is its ends' alone. */
	if ((conn->flags & (LP_CONN_INLINE | LP_CONN_SPLICED)) ==
		LP_CONN_INLINE ||
	    conn->tcp.state == LP_TCP_CLOSED ||
	    conn->tcp.state == LP_TCP_TIME_WAIT || batch->snapshot == NULL)
		return;
	reset_end(reset, batch, conn, LP_TO_BROKER);
	reset_end(reset, batch, conn, LP_TO_CLIENT);
}

void
lp_reset_between(struct lp_reset *reset, struct lp_batch *batch,
    struct lp_pkt *pkt, enum lp_reason reason)
{
	const uint8_t *tcp = pkt->data + pkt->l4_off;
	uint8_t flags = LP_TCP_RST | (pkt->tcp_flags & LP_TCP_ACK);
	struct lp_ip src, dst;
	struct lp_pkt *made = NULL;
	struct lp_way way;

	assert(pkt->flags & LP_PKT_INLINE);
	if (lp_way_wire(batch, pkt, &way) && take_token(reset, batch->now_ns))
		made = lp_make_packet(reset->make, batch, way.slot,
		    LP_ETH_LEN + LP_IP6_LEN + LP_TCP_LEN);
	if (made != NULL) {
		/* Behind what waits of its connection (queue.h). */
		made->conn = pkt->conn;
		memcpy(made->data, pkt->data, LP_ETH_TYPE);
		lp_parse_addresses(pkt, &src, &dst);
		lp_make_ip(made, &src, &dst, LP_PROTO_TCP, LP_TCP_LEN);
		write_tcp(made, lp_get16(tcp + LP_TCP_SRC),
		    lp_get16(tcp + LP_TCP_DST), lp_get32(tcp + LP_TCP_SEQ),
		    flags & LP_TCP_ACK ? lp_get32(tcp + LP_TCP_ACKNO) : 0,
		    flags);
		lp_count_add(&reset->make->stats->sent_reset, 1);
	}
	lp_reset_answer(reset, batch, pkt, reason);
}

bool
lp_reset_may(
    struct lp_reset *reset, const struct lp_conn *conn, uint64_t now_ns)
{
	const uint8_t both = LP_CONN_INLINE | LP_CONN_SPLICED;

	if ((conn->flags & both) != both)
		return true;
	refill(reset, now_ns);
	return reset->tokens >= OF_CONNECTION;
}

static bool
take_token(struct lp_reset *reset, uint64_t now_ns)
{
	refill(reset, now_ns);
	if (reset->tokens == 0)
		return false;
	reset->tokens--;
	return true;
}

static void
refill(struct lp_reset *reset, uint64_t now_ns)
{
	const uint64_t step_ns = 1000000000u / LP_RST_RATE;
	uint64_t fresh = (now_ns - reset->refilled_ns) / step_ns;

	if (fresh == 0)
		return;
	reset->refilled_ns += fresh * step_ns;
	reset->tokens = fresh > LP_RST_BURST - reset->tokens
	    ? LP_RST_BURST
	    : reset->tokens + (uint32_t)fresh;
}

/* Inline we have no address there: it is the other end that answers. */
static void
turn_macs(const struct lp_batch *batch, struct lp_pkt *pkt)
{
	uint8_t mac[6];

	memcpy(mac,
	    pkt->flags & LP_PKT_INLINE
		? pkt->data + LP_ETH_DST
		: batch->snapshot->ports[pkt->port_in].mac,
	    6);
	memcpy(pkt->data + LP_ETH_DST, pkt->data + LP_ETH_SRC, 6);
	memcpy(pkt->data + LP_ETH_SRC, mac, 6);
}

static void
write_tcp(struct lp_pkt *pkt, uint16_t sport, uint16_t dport, uint32_t seq,
    uint32_t ack, uint8_t flags)
{
	uint8_t *tcp = pkt->data + pkt->l4_off;

	memset(tcp, 0, LP_TCP_LEN);
	lp_put16(tcp + LP_TCP_SRC, sport);
	lp_put16(tcp + LP_TCP_DST, dport);
	lp_put32(tcp + LP_TCP_SEQ, seq);
	lp_put32(tcp + LP_TCP_ACKNO, ack);
	tcp[LP_TCP_OFF] = LP_TCP_LEN / 4 << 4;
	tcp[LP_TCP_FLAGS] = flags;
	lp_make_checksum(pkt, LP_PROTO_TCP, LP_TCP_SUM);
}

/* The end that packets of that direction go to. */
static void
reset_end(struct lp_reset *reset, struct lp_batch *batch,
    const struct lp_conn *conn, enum lp_direction dir)
{
	const struct lp_tcp_peer *from = &conn->tcp.peer[dir];
	const struct lp_tcp_peer *to = &conn->tcp.peer[!dir];
	uint32_t ack = to->ack;
	uint32_t end = from->end;

	if (!(from->flags & LP_PEER_SEEN)) {
		/* Its SYN has had no answer: refuse it (RFC 9293, 3.5.2). */
		send_reset(reset, batch, conn, dir, 0, to->end,
		    LP_TCP_RST | LP_TCP_ACK);
		return;
	}
	if (dir == LP_TO_CLIENT && (conn->flags & LP_CONN_SPLICED)) {
		uint32_t index = (uint32_t)(conn - reset->region->connections);
		const struct lp_splice *splice =
		    &reset->region->kafka.splices[index];

		/* The client numbers what it has in its own way. */
		ack = splice->client_ack;
		end = splice->out_next;
	}
	if (to->flags & LP_PEER_ACKED)
		send_reset(reset, batch, conn, dir, ack, 0, LP_TCP_RST);
	if (!(to->flags & LP_PEER_ACKED) || ack != end)
		send_reset(reset, batch, conn, dir, end, 0, LP_TCP_RST);
}

static void
send_reset(struct lp_reset *reset, struct lp_batch *batch,
    const struct lp_conn *conn, enum lp_direction dir, uint32_t seq,
    uint32_t ack, uint8_t flags)
{
	bool client = dir == LP_TO_CLIENT;
	const struct lp_ip *to = client ? &conn->client_ip : &conn->broker_ip;
	struct lp_pkt *pkt;
	struct lp_way way;

	if (!take_token(reset, batch->now_ns) ||
	    !lp_way_find(reset->neighbors, batch, conn, dir, &way))
		return;
	pkt = lp_make_packet(
	    reset->make, batch, way.slot, LP_ETH_LEN + LP_IP6_LEN + LP_TCP_LEN);
	if (pkt == NULL)
		return;
	lp_make_ip(pkt, client ? &conn->vip_ip : &conn->source_ip, to,
	    LP_PROTO_TCP, LP_TCP_LEN);
	lp_mark_made(reset->region, conn, pkt);
	if (client)
		lp_mirror_made(batch, conn, pkt, 0, false);
	write_tcp(pkt, client ? conn->vip_port : conn->source_port,
	    client ? conn->client_port : conn->broker_port, seq, ack, flags);
	lp_count_add(&reset->make->stats->sent_reset, 1);
	lp_way_send(reset->neighbors, batch, conn, dir, &way, pkt);
}
