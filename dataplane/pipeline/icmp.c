/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 * An error carries the head of the packet that caused it.  We sent that packet
 * on, so its tuple is one of ours, seen from behind: turned around it is found
 * in the table of connections, and the direction found is the way that the
 * error has to go.
 *
 *	broker's side ▸ error about source:broker ▸ client, about client:vip
 *	client's side ▸ error about vip:client    ▸ broker, about broker:source
 *
 * The quoted sequence number must be one that is in flight (RFC 5927, 4.1),
 * the error must be addressed to the source of what it quotes, and come from
 * the side that this was sent to, or anybody could tear down connections.
 *
 * Reasons: icmp_echo, icmp_translated; drops: icmp_invalid, icmp_unknown,
 * ip_source, not_ours, starting, and those of rewrite.c.
 */
#include "dataplane/pipeline/icmp.h"

#include "dataplane/pipeline/checksum.h"
#include "dataplane/pipeline/parse.h"
#include "dataplane/pipeline/wire.h"

enum {
	/* Of the quoted TCP header: ports and sequence number, RFC 792. */
	QUOTE_TCP_MIN = 8,
};

/* What an error quotes. */
struct quote {
	uint8_t *ip;
	uint8_t *tcp;
	unsigned tcp_len; /* bytes of it that are there */
	struct lp_tuple tuple; /* turned around: as its answer would come */
	uint32_t seq;
};

static void icmp_packet(
    struct lp_rewrite *, struct lp_batch *, struct lp_pkt *);
static bool checksum_valid(const struct lp_pkt *);
static void answer_echo(const struct lp_batch *, struct lp_pkt *);
static bool is_error(const struct lp_pkt *);
static void translate_error(
    struct lp_rewrite *, struct lp_batch *, struct lp_pkt *);
static bool read_quote(const struct lp_pkt *, struct quote *);
static void number_back(const struct lp_rewrite *, uint32_t, struct quote *);
static bool in_flight(const struct lp_conn *, enum lp_direction, uint32_t);
static void rewrite_error(
    const struct lp_conn *, struct lp_pkt *, const struct quote *);
static void rewrite_addresses(uint8_t *, bool, const struct lp_ip *,
    const struct lp_ip *, uint8_t *, uint16_t, uint16_t, uint8_t *, bool);

void
lp_icmp_stage(struct lp_rewrite *rewrite, struct lp_batch *batch)
{
	if (!(batch->flags & LP_PKT_ICMP))
		return;
	for (unsigned i = 0; i < batch->count; i++) {
		struct lp_pkt *pkt = &batch->pkts[i];

		if (pkt->verdict == LP_UNDECIDED && (pkt->flags & LP_PKT_ICMP))
			icmp_packet(rewrite, batch, pkt);
	}
}

bool
lp_icmp_quoted(const struct lp_pkt *pkt, struct lp_tuple *tuple)
{
	struct quote quote;

	if (!(pkt->flags & LP_PKT_ICMP) || !is_error(pkt) ||
	    !read_quote(pkt, &quote))
		return false;
	*tuple = quote.tuple;
	return true;
}

static void
icmp_packet(
    struct lp_rewrite *rewrite, struct lp_batch *batch, struct lp_pkt *pkt)
{
	uint8_t type = pkt->data[pkt->l4_off];
	const struct lp_own *own;
	struct lp_ip src, dst;

	if (batch->snapshot == NULL) {
		lp_pkt_drop(pkt, LP_REASON_STARTING);
		return;
	}
	if (!checksum_valid(pkt)) {
		lp_pkt_drop(pkt, LP_REASON_ICMP_INVALID);
		return;
	}
	if (is_error(pkt)) {
		translate_error(rewrite, batch, pkt);
		return;
	}
	lp_parse_addresses(pkt, &src, &dst);
	own = lp_snapshot_own(batch->snapshot, &dst);
	if (own == NULL || !(own->port_mask & 1u << pkt->port_in))
		lp_pkt_drop(pkt, LP_REASON_NOT_OURS);
	else if (lp_snapshot_own(batch->snapshot, &src) != NULL)
		lp_pkt_drop(pkt, LP_REASON_IP_SOURCE);
	else if (type ==
	    (pkt->flags & LP_PKT_V6 ? LP_ICMP6_ECHO : LP_ICMP_ECHO))
		answer_echo(batch, pkt);
	else
		lp_pkt_drop(pkt, LP_REASON_ICMP_UNKNOWN);
}

static bool
checksum_valid(const struct lp_pkt *pkt)
{
	const uint8_t *ip = pkt->data + pkt->l3_off;
	uint32_t len = (uint32_t)(pkt->len - pkt->l4_off);
	uint64_t sum = 0;

	if (pkt->flags & LP_PKT_V6)
		sum = lp_sum_pseudo(
		    ip + LP_IP6_SRC, ip + LP_IP6_DST, 16, LP_PROTO_ICMP6, len);
	return lp_sum_fold(lp_sum_add(sum, pkt->data + pkt->l4_off, len)) ==
	    0xffff;
}

/* In place: back to where it came from, with the hops of a new packet. */
static void
answer_echo(const struct lp_batch *batch, struct lp_pkt *pkt)
{
	uint8_t *ip = pkt->data + pkt->l3_off;
	uint8_t *icmp = pkt->data + pkt->l4_off;
	bool v6 = (pkt->flags & LP_PKT_V6) != 0;
	struct lp_ip src, dst;

	lp_parse_addresses(pkt, &src, &dst);
	memcpy(pkt->data + LP_ETH_DST, pkt->data + LP_ETH_SRC, 6);
	memcpy(pkt->data + LP_ETH_SRC, batch->snapshot->ports[pkt->port_in].mac,
	    6);
	rewrite_addresses(ip, v6, &dst, &src, NULL, 0, 0, NULL, false);
	icmp[LP_ICMP_TYPE] = v6 ? LP_ICMP6_ECHO_REPLY : LP_ICMP_ECHO_REPLY;
	if (v6) {
		ip[LP_IP6_HOPS] = 64;
	} else {
		lp_sum_update(ip + LP_IP4_SUM,
		    lp_sum_replace16(
			0, (uint16_t)(ip[LP_IP4_TTL] << 8), 64 << 8));
		ip[LP_IP4_TTL] = 64;
	}
	lp_make_checksum(pkt, v6 ? LP_PROTO_ICMP6 : LP_PROTO_ICMP, LP_ICMP_SUM);
	lp_pkt_decide(pkt, LP_LOCAL, LP_REASON_ECHO);
	pkt->port_out = pkt->port_in;
}

static bool
is_error(const struct lp_pkt *pkt)
{
	uint8_t type = pkt->data[pkt->l4_off];

	if (pkt->flags & LP_PKT_V6)
		return type >= LP_ICMP6_UNREACHABLE &&
		    type <= LP_ICMP6_PARAMETER;
	return type == LP_ICMP_UNREACHABLE || type == LP_ICMP_TIME_EXCEEDED ||
	    type == LP_ICMP_PARAMETER;
}

static void
translate_error(
    struct lp_rewrite *rewrite, struct lp_batch *batch, struct lp_pkt *pkt)
{
	const struct lp_conn *conn;
	enum lp_direction dir;
	struct lp_ip src, dst;
	struct quote quote = {0};
	enum lp_reason why;
	struct lp_way way;

	if (!read_quote(pkt, &quote)) {
		lp_pkt_drop(pkt, LP_REASON_ICMP_INVALID);
		return;
	}
	/* RFC 1122, 3.2.2: it is sent to the source of what it quotes. */
	lp_parse_addresses(pkt, &src, &dst);
	if (!lp_ip_equal(&dst, &quote.tuple.dst)) {
		lp_pkt_drop(pkt, LP_REASON_ICMP_UNKNOWN);
		return;
	}
	pkt->conn = lp_conntrack_find(rewrite->conntrack, &quote.tuple, &dir);
	if (pkt->conn == LP_CONN_NONE) {
		lp_pkt_drop(pkt, LP_REASON_ICMP_UNKNOWN);
		return;
	}
	pkt->dir = (uint8_t)dir;
	conn = lp_conntrack_get(rewrite->conntrack, pkt->conn);
	if (!lp_rewrite_comes_by(batch, pkt, conn)) {
		lp_pkt_drop(pkt, LP_REASON_WRONG_SIDE);
		return;
	}
	if (dir == LP_TO_BROKER && (conn->flags & LP_CONN_SPLICED))
		number_back(rewrite, pkt->conn, &quote);
	if (!in_flight(conn, dir, quote.seq)) {
		lp_pkt_drop(pkt, LP_REASON_ICMP_UNKNOWN);
		return;
	}
	if (!lp_rewrite_way(rewrite, batch, pkt, &way, &why)) {
		lp_pkt_drop(pkt, why);
		return;
	}
	rewrite_error(conn, pkt, &quote);
	lp_rewrite_output(rewrite, batch, pkt, &way, LP_REASON_ICMP_TRANSLATED);
}

/* False if it quotes no TCP segment that was first of its packet. */
static bool
read_quote(const struct lp_pkt *pkt, struct quote *quote)
{
	uint8_t *ip = pkt->data + pkt->payload_off;
	unsigned room = pkt->payload_len;
	unsigned header;

	if (pkt->flags & LP_PKT_V6) {
		header = LP_IP6_LEN;
		if (room < header + QUOTE_TCP_MIN || ip[0] >> 4 != 6 ||
		    ip[LP_IP6_NEXT] != LP_PROTO_TCP)
			return false;
		memcpy(quote->tuple.src.bytes, ip + LP_IP6_DST, 16);
		memcpy(quote->tuple.dst.bytes, ip + LP_IP6_SRC, 16);
		/* Mapped ones would find an IPv4 connection. */
		if (lp_ip_is_v4(&quote->tuple.src) ||
		    lp_ip_is_v4(&quote->tuple.dst))
			return false;
	} else {
		if (room < LP_IP4_LEN)
			return false;
		header = (ip[0] & 15u) * 4;
		if (ip[0] >> 4 != 4 || header < LP_IP4_LEN ||
		    room < header + QUOTE_TCP_MIN ||
		    ip[LP_IP4_PROTO] != LP_PROTO_TCP ||
		    (lp_get16(ip + LP_IP4_FRAG) & 0x1fff) != 0)
			return false;
		lp_ip_from_v4(&quote->tuple.src, ip + LP_IP4_DST);
		lp_ip_from_v4(&quote->tuple.dst, ip + LP_IP4_SRC);
	}
	quote->ip = ip;
	quote->tcp = ip + header;
	quote->tcp_len = room - header;
	quote->tuple.sport = lp_get16(quote->tcp + LP_TCP_DST);
	quote->tuple.dport = lp_get16(quote->tcp + LP_TCP_SRC);
	quote->seq = lp_get32(quote->tcp + LP_TCP_SEQ);
	return true;
}

/* What the client was sent, as the broker numbers it: it looks for that. */
static void
number_back(
    const struct lp_rewrite *rewrite, uint32_t index, struct quote *quote)
{
	const struct lp_kafka_state *state = rewrite->kafka->state;
	const struct lp_splice *splice = &state->splices[index];
	uint8_t *field = quote->tcp + LP_TCP_SEQ;
	uint8_t is[4];

	if (!(splice->flags & LP_SPLICE_EDITED))
		return;
	quote->seq = lp_seqmap_back(&splice->maps[LP_TO_CLIENT], state->edits,
	    quote->seq,
	    lp_conntrack_get(rewrite->conntrack, index)
		->tcp.peer[LP_TO_CLIENT]
		.end);
	lp_put32(is, quote->seq);
	if (quote->tcp_len >= LP_TCP_SUM + 2u)
		lp_sum_update(quote->tcp + LP_TCP_SUM,
		    lp_sum_replace(0, field, is, sizeof(is)));
	memcpy(field, is, sizeof(is));
}

/* The error goes in dir: the quoted segment was sent by the end there. */
static bool
in_flight(const struct lp_conn *conn, enum lp_direction dir, uint32_t seq)
{
	const struct lp_tcp_peer *sender = &conn->tcp.peer[!dir];
	const struct lp_tcp_peer *other = &conn->tcp.peer[dir];

	if (!(sender->flags & LP_PEER_SEEN) || lp_seq_before(sender->end, seq))
		return false;
	return !(other->flags & LP_PEER_ACKED) ||
	    !lp_seq_before(seq, other->ack);
}

/* Outside and inside as the end that it goes to knows the connection. */
static void
rewrite_error(
    const struct lp_conn *conn, struct lp_pkt *pkt, const struct quote *quote)
{
	bool v6 = (pkt->flags & LP_PKT_V6) != 0;
	bool client = pkt->dir == LP_TO_CLIENT;
	const struct lp_ip *end = client ? &conn->client_ip : &conn->broker_ip;
	const struct lp_ip *peer = client ? &conn->vip_ip : &conn->source_ip;

	/* From the peer that it knows: routers behind us are not its own. */
	rewrite_addresses(
	    pkt->data + pkt->l3_off, v6, peer, end, NULL, 0, 0, NULL, true);
	rewrite_addresses(quote->ip, v6, end, peer, quote->tcp,
	    client ? conn->client_port : conn->broker_port,
	    client ? conn->vip_port : conn->source_port,
	    quote->tcp_len >= LP_TCP_SUM + 2u ? quote->tcp + LP_TCP_SUM : NULL,
	    false);
	lp_make_checksum(pkt, v6 ? LP_PROTO_ICMP6 : LP_PROTO_ICMP, LP_ICMP_SUM);
}

/*
 * Replaces addresses and, if ports is not NULL, the two ports there, keeping
 * the checksum at sum (NULL: none) and that of an IPv4 header right; takes one
 * hop if hop is true.
 */
static void
rewrite_addresses(uint8_t *ip, bool v6, const struct lp_ip *src,
    const struct lp_ip *dst, uint8_t *ports, uint16_t sport, uint16_t dport,
    uint8_t *sum, bool hop)
{
	unsigned len = v6 ? 16 : 4;
	uint8_t *was_src = ip + (v6 ? LP_IP6_SRC : LP_IP4_SRC);
	uint8_t *was_dst = ip + (v6 ? LP_IP6_DST : LP_IP4_DST);
	const uint8_t *is_src = v6 ? src->bytes : lp_ip_v4(src);
	const uint8_t *is_dst = v6 ? dst->bytes : lp_ip_v4(dst);
	uint64_t diff = 0;

	diff = lp_sum_replace(diff, was_src, is_src, len);
	diff = lp_sum_replace(diff, was_dst, is_dst, len);
	memcpy(was_src, is_src, len);
	memcpy(was_dst, is_dst, len);
	if (v6) {
		ip[LP_IP6_HOPS] = (uint8_t)(ip[LP_IP6_HOPS] - hop);
	} else {
		uint64_t ip_diff = diff;

		if (hop)
			/* The hop count is the high byte of its word. */
			ip_diff = lp_sum_replace16(ip_diff,
			    (uint16_t)(ip[LP_IP4_TTL] << 8),
			    (uint16_t)((ip[LP_IP4_TTL] - 1) << 8));
		ip[LP_IP4_TTL] = (uint8_t)(ip[LP_IP4_TTL] - hop);
		lp_sum_update(ip + LP_IP4_SUM, ip_diff);
	}
	if (ports != NULL) {
		diff = lp_sum_replace16(diff, lp_get16(ports), sport);
		diff = lp_sum_replace16(diff, lp_get16(ports + 2), dport);
		lp_put16(ports, sport);
		lp_put16(ports + 2, dport);
	}
	if (sum != NULL)
		lp_sum_update(sum, diff);
}
