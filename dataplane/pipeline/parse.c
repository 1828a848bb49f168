/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	Ethernet ▸ ARP | IPv4 | IPv6 ▸ TCP | ICMP | ICMPv6
 *
 * The frame may be longer than the IP packet (padding to 60 bytes): the
 * packet is cut to the IP length.  IPv4 options are carried through; IPv6
 * extension headers are walked over (hop-by-hop, destination options), a
 * fragment is dropped.
 *
 * Drops: runt, ethertype, vlan, ip_header, ip_checksum, ip_fragment,
 * ip_options, ip_protocol, ip_source, not_ours, tcp_header, icmp_invalid,
 * arp_invalid.
 */
#include "dataplane/pipeline/parse.h"

#include "dataplane/pipeline/checksum.h"
#include "dataplane/pipeline/tcp_state.h"
#include "dataplane/pipeline/wire.h"

enum {
	/* So many packets on, headers are asked for; a device wrote them. */
	AHEAD = 4,
};

static void parse_arp(struct lp_pkt *);
static void parse_ipv4(struct lp_pkt *);
static void parse_ipv6(struct lp_pkt *);
static void parse_l4(struct lp_pkt *, uint8_t);
static void parse_tcp(struct lp_pkt *);
static bool source4_is_host(const uint8_t *);
static bool source6_is_host(const uint8_t *);
static bool source_is_nobody(const struct lp_pkt *);

void
lp_parse_stage(struct lp_batch *batch)
{
	batch->flags = 0;
	for (unsigned i = 0; i < batch->count; i++) {
		if (i + AHEAD < batch->count)
			__builtin_prefetch(batch->pkts[i + AHEAD].data);
		lp_parse_packet(&batch->pkts[i]);
		batch->flags |= batch->pkts[i].flags;
	}
}

void
lp_parse_packet(struct lp_pkt *pkt)
{
	pkt->conn = LP_CONN_NONE;
	pkt->frame_len = pkt->len;
	pkt->port_out = LP_PORT_NONE;
	pkt->verdict = LP_UNDECIDED;
	pkt->reason = LP_REASON_NONE;
	pkt->flags &= LP_PKT_FROM_PORT;
	if (pkt->len < LP_ETH_LEN) {
		lp_pkt_drop(pkt, LP_REASON_RUNT);
		return;
	}
	pkt->l3_off = LP_ETH_LEN;
	switch (lp_get16(pkt->data + LP_ETH_TYPE)) {
	case LP_ETHERTYPE_IPV4:
		parse_ipv4(pkt);
		break;
	case LP_ETHERTYPE_IPV6:
		parse_ipv6(pkt);
		break;
	case LP_ETHERTYPE_ARP:
		parse_arp(pkt);
		break;
	case LP_ETHERTYPE_VLAN:
	case LP_ETHERTYPE_QINQ:
		lp_pkt_drop(pkt, LP_REASON_VLAN);
		break;
	default:
		lp_pkt_drop(pkt, LP_REASON_ETHERTYPE);
	}
}

void
lp_parse_addresses(
    const struct lp_pkt *pkt, struct lp_ip *src, struct lp_ip *dst)
{
	const uint8_t *ip = pkt->data + pkt->l3_off;

	if (pkt->flags & LP_PKT_V6) {
		memcpy(src->bytes, ip + LP_IP6_SRC, 16);
		memcpy(dst->bytes, ip + LP_IP6_DST, 16);
	} else {
		lp_ip_from_v4(src, ip + LP_IP4_SRC);
		lp_ip_from_v4(dst, ip + LP_IP4_DST);
	}
}

enum lp_reason
lp_parse_tcp_checksum(const struct lp_pkt *pkt)
{
	const uint8_t *ip = pkt->data + pkt->l3_off;
	const uint8_t *tcp = pkt->data + pkt->l4_off;
	uint32_t len = (uint32_t)(pkt->len - pkt->l4_off);
	uint64_t pseudo;

	assert(pkt->flags & LP_PKT_TCP);
	if (pkt->flags & LP_PKT_V6)
		pseudo = lp_sum_pseudo(
		    ip + LP_IP6_SRC, ip + LP_IP6_DST, 16, LP_PROTO_TCP, len);
	else
		pseudo = lp_sum_pseudo(
		    ip + LP_IP4_SRC, ip + LP_IP4_DST, 4, LP_PROTO_TCP, len);
	if (lp_sum_fold(lp_sum_add(pseudo, tcp, len)) == 0xffff)
		return LP_REASON_NONE;
	/* A sender that left the rest to its hardware put this there. */
	if (lp_get16(tcp + LP_TCP_SUM) == lp_sum_fold(pseudo))
		return LP_REASON_TCP_CHECKSUM_PARTIAL;
	return LP_REASON_TCP_CHECKSUM;
}

uint16_t
lp_parse_tcp_option(const struct lp_pkt *pkt, uint8_t kind, uint8_t len)
{
	unsigned at = pkt->l4_off + LP_TCP_LEN;
	unsigned end = pkt->payload_off;

	while (at < end) {
		uint8_t this = pkt->data[at];

		if (this == LP_TCP_OPT_END)
			return 0;
		if (this == LP_TCP_OPT_NOP) {
			at++;
			continue;
		}
		if (at + 2 > end || pkt->data[at + 1] < 2 ||
		    at + pkt->data[at + 1] > end)
			return 0;
		if (this == kind &&
		    (pkt->data[at + 1] == len || len == LP_TCP_OPT_ANY_LEN))
			return (uint16_t)(at + 2);
		at += pkt->data[at + 1];
	}
	return 0;
}

static void
parse_arp(struct lp_pkt *pkt)
{
	/* Ethernet, IPv4, 6 and 4 bytes of address (RFC 826). */
	static const uint8_t kind[6] = {0, 1, 8, 0, 6, 4};
	const uint8_t *arp = pkt->data + LP_ETH_LEN;

	if (pkt->len < LP_ETH_LEN + LP_ARP_LEN) {
		lp_pkt_drop(pkt, LP_REASON_RUNT);
		return;
	}
	if (memcmp(arp, kind, sizeof(kind)) != 0) {
		lp_pkt_drop(pkt, LP_REASON_ARP_INVALID);
		return;
	}
	pkt->flags |= LP_PKT_ARP;
}

static void
parse_ipv4(struct lp_pkt *pkt)
{
	const uint8_t *ip = pkt->data + LP_ETH_LEN;
	unsigned room = pkt->len - LP_ETH_LEN;
	unsigned header, total;

	if (room < LP_IP4_LEN) {
		lp_pkt_drop(pkt, LP_REASON_RUNT);
		return;
	}
	header = (ip[0] & 15u) * 4;
	total = lp_get16(ip + LP_IP4_TOTAL);
	if (ip[0] >> 4 != 4 || header < LP_IP4_LEN || header > total ||
	    total > room) {
		lp_pkt_drop(pkt, LP_REASON_IP_HEADER);
		return;
	}
	if (!(pkt->flags & LP_PKT_IP_SUM_GOOD) &&
	    lp_sum_word(lp_sum_header(ip, header)) != 0xffff) {
		lp_pkt_drop(pkt, LP_REASON_IP_CHECKSUM);
		return;
	}
	pkt->len = (uint16_t)(LP_ETH_LEN + total);
	if (!source4_is_host(ip)) {
		lp_pkt_drop(pkt, LP_REASON_IP_SOURCE);
		return;
	}
	if (lp_get16(ip + LP_IP4_FRAG) & LP_IP4_MF_OFFSET) {
		lp_pkt_drop(pkt, LP_REASON_IP_FRAGMENT);
		return;
	}
	pkt->l4_off = (uint16_t)(LP_ETH_LEN + header);
	parse_l4(pkt, ip[LP_IP4_PROTO]);
}

static void
parse_ipv6(struct lp_pkt *pkt)
{
	const uint8_t *ip = pkt->data + LP_ETH_LEN;
	unsigned room = pkt->len - LP_ETH_LEN;
	unsigned at = LP_IP6_LEN;
	unsigned total;
	uint8_t next;

	if (room < LP_IP6_LEN) {
		lp_pkt_drop(pkt, LP_REASON_RUNT);
		return;
	}
	total = LP_IP6_LEN + lp_get16(ip + LP_IP6_PAYLOAD);
	if (ip[0] >> 4 != 6 || total > room) {
		lp_pkt_drop(pkt, LP_REASON_IP_HEADER);
		return;
	}
	pkt->len = (uint16_t)(LP_ETH_LEN + total);
	pkt->flags |= LP_PKT_V6;
	if (!source6_is_host(ip)) {
		lp_pkt_drop(pkt, LP_REASON_IP_SOURCE);
		return;
	}
	/* IPv4-mapped: it would pass for the IPv4 address (see address.h). */
	if (memcmp(ip + LP_IP6_DST, lp_ip_v4_prefix, 12) == 0) {
		lp_pkt_drop(pkt, LP_REASON_NOT_OURS);
		return;
	}
	next = ip[LP_IP6_NEXT];
	for (unsigned i = 0; i < LP_EXTENSIONS_MAX &&
	     (next == LP_IP6_HOPOPTS || next == LP_IP6_DSTOPTS);
	     i++) {
		if (at + 8 > total) {
			lp_pkt_drop(pkt, LP_REASON_IP_HEADER);
			return;
		}
		next = ip[at];
		at += 8 + ip[at + 1] * 8u;
	}
	if (at > total)
		lp_pkt_drop(pkt, LP_REASON_IP_HEADER);
	else if (next == LP_IP6_FRAGMENT)
		lp_pkt_drop(pkt, LP_REASON_IP_FRAGMENT);
	else if (next == LP_IP6_HOPOPTS || next == LP_IP6_DSTOPTS ||
	    next == LP_IP6_ROUTING)
		lp_pkt_drop(pkt, LP_REASON_IP_OPTIONS);
	else {
		pkt->l4_off = (uint16_t)(LP_ETH_LEN + at);
		parse_l4(pkt, next);
		if (pkt->verdict == LP_UNDECIDED && source_is_nobody(pkt))
			lp_pkt_drop(pkt, LP_REASON_IP_SOURCE);
	}
}

static void
parse_l4(struct lp_pkt *pkt, uint8_t proto)
{
	uint8_t icmp = pkt->flags & LP_PKT_V6 ? LP_PROTO_ICMP6 : LP_PROTO_ICMP;

	if (proto == LP_PROTO_TCP) {
		parse_tcp(pkt);
		return;
	}
	if (proto != icmp) {
		lp_pkt_drop(pkt, LP_REASON_IP_PROTOCOL);
		return;
	}
	if (pkt->len - pkt->l4_off < LP_ICMP_LEN) {
		lp_pkt_drop(pkt, LP_REASON_ICMP_INVALID);
		return;
	}
	pkt->flags |= LP_PKT_ICMP;
	pkt->payload_off = (uint16_t)(pkt->l4_off + LP_ICMP_LEN);
	pkt->payload_len = (uint16_t)(pkt->len - pkt->payload_off);
}

static void
parse_tcp(struct lp_pkt *pkt)
{
	const uint8_t *tcp = pkt->data + pkt->l4_off;
	unsigned room = pkt->len - pkt->l4_off;
	unsigned header;

	if (room < LP_TCP_LEN) {
		lp_pkt_drop(pkt, LP_REASON_TCP_HEADER);
		return;
	}
	header = (tcp[LP_TCP_OFF] >> 4) * 4u;
	if (header < LP_TCP_LEN || header > room ||
	    !lp_tcp_flags_valid(tcp[LP_TCP_FLAGS])) {
		lp_pkt_drop(pkt, LP_REASON_TCP_HEADER);
		return;
	}
	pkt->flags |= LP_PKT_TCP;
	pkt->tcp_flags = tcp[LP_TCP_FLAGS];
	pkt->payload_off = (uint16_t)(pkt->l4_off + header);
	pkt->payload_len = (uint16_t)(pkt->len - pkt->payload_off);
	/*
	 * What opens or closes a connection must be what was sent.  Data is
	 * not summed here: it changes no state that its acknowledgement would
	 * not confirm, and its end checks it.
	 */
	if (!(pkt->flags & LP_PKT_TCP_SUM_GOOD) &&
	    (pkt->tcp_flags & (LP_TCP_SYN | LP_TCP_FIN | LP_TCP_RST))) {
		enum lp_reason wrong = lp_parse_tcp_checksum(pkt);

		if (wrong != LP_REASON_NONE)
			lp_pkt_drop(pkt, wrong);
	}
}

/*
 * A source that nobody may have: it would make us answer into nowhere, or pass
 * for an IPv4 address.
 */
static bool
source4_is_host(const uint8_t *ip)
{
	uint8_t first = ip[LP_IP4_SRC];

	return first != 0 && first != 127 && first < 224;
}

static bool
source6_is_host(const uint8_t *ip)
{
	static const uint8_t loopback[16] = {[15] = 1};

	return ip[LP_IP6_SRC] != 0xff &&
	    memcmp(ip + LP_IP6_SRC, loopback, 16) != 0 &&
	    memcmp(ip + LP_IP6_SRC, lp_ip_v4_prefix, 12) != 0;
}

/* The unspecified IPv6 address may ask for a neighbour (RFC 4862, 5.4). */
static bool
source_is_nobody(const struct lp_pkt *pkt)
{
	static const uint8_t nobody[16];

	return memcmp(pkt->data + pkt->l3_off + LP_IP6_SRC, nobody, 16) == 0 &&
	    !((pkt->flags & LP_PKT_ICMP) &&
		pkt->data[pkt->l4_off] == LP_ICMP6_NS);
}
