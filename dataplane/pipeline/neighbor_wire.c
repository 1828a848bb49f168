/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/neighbor_wire.h"

#include "dataplane/pipeline/checksum.h"
#include "dataplane/pipeline/parse.h"
#include "dataplane/pipeline/wire.h"

enum {
	ND_WITH_MAC = LP_ND_LEN + 8,
	ND_HOPS = 255,
	/* The longest that is made here; an ARP packet is cut to 60. */
	FRAME_MAX = LP_ETH_LEN + LP_IP6_LEN + ND_WITH_MAC,
};
static_assert((unsigned)FRAME_MAX >= (unsigned)LP_ETH_MIN, "ARP fits too");

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const struct lp_ip all_nodes = {{0xff, 2, [15] = 1}};

static enum lp_reason read_arp(
    const struct lp_pkt *, struct lp_neighbor_message *);
static enum lp_reason read_nd(
    const struct lp_pkt *, struct lp_neighbor_message *);
static bool read_nd_mac(const uint8_t *, unsigned, uint8_t, uint8_t[6]);
static void write_arp(struct lp_pkt *, uint16_t, const uint8_t[6],
    const struct lp_ip *, const uint8_t[6], const struct lp_ip *);
static void write_nd(struct lp_pkt *, uint8_t, uint8_t, const uint8_t[6],
    const struct lp_ip *, const struct lp_ip *, const struct lp_ip *);
static void write_eth(
    struct lp_pkt *, const uint8_t[6], const uint8_t[6], uint16_t);

bool
lp_neighbor_wire_is(const struct lp_pkt *pkt)
{
	uint8_t type;

	if (pkt->flags & LP_PKT_ARP)
		return true;
	if ((pkt->flags & (LP_PKT_V6 | LP_PKT_ICMP)) !=
	    (LP_PKT_V6 | LP_PKT_ICMP))
		return false;
	type = pkt->data[pkt->l4_off];
	return type == LP_ICMP6_NS || type == LP_ICMP6_NA;
}

enum lp_reason
lp_neighbor_wire_read(
    const struct lp_pkt *pkt, struct lp_neighbor_message *message)
{
	*message = (struct lp_neighbor_message){0};
	return pkt->flags & LP_PKT_ARP ? read_arp(pkt, message)
				       : read_nd(pkt, message);
}

void
lp_neighbor_wire_answer(struct lp_pkt *pkt,
    const struct lp_neighbor_message *message, const uint8_t mac[6])
{
	bool probe = lp_ip_is_none(&message->sender);
	uint8_t to[6];

	assert(message->solicit);
	memcpy(to, pkt->data + LP_ETH_SRC, 6);
	if (pkt->flags & LP_PKT_ARP) {
		/* A probe (RFC 5227) has no address yet: answer 0.0.0.0. */
		static const uint8_t zero[4];
		struct lp_ip dst = message->sender;

		if (probe)
			lp_ip_from_v4(&dst, zero);
		write_eth(pkt, to, mac, LP_ETHERTYPE_ARP);
		write_arp(pkt, LP_ARP_REPLY, mac, &message->target, to, &dst);
		return;
	}
	/* RFC 4861, 7.2.4: to all nodes if the question came from nobody. */
	if (probe)
		memcpy(to, (uint8_t[]){0x33, 0x33, 0, 0, 0, 1}, 6);
	write_eth(pkt, to, mac, LP_ETHERTYPE_IPV6);
	write_nd(pkt, LP_ICMP6_NA,
	    probe ? LP_ND_OVERRIDE : LP_ND_OVERRIDE | LP_ND_SOLICITED, mac,
	    &message->target, probe ? &all_nodes : &message->sender,
	    &message->target);
}

void
lp_neighbor_wire_solicit(const struct lp_make *make, struct lp_batch *batch,
    uint8_t slot, const uint8_t mac[6], const struct lp_ip *own,
    const struct lp_ip *target, const uint8_t *at)
{
	bool v4 = lp_ip_is_v4(target);
	struct lp_pkt *pkt = lp_make_packet(make, batch, slot, FRAME_MAX);

	if (pkt == NULL)
		return;
	if (v4) {
		static const uint8_t unknown[6];

		write_eth(
		    pkt, at != NULL ? at : broadcast, mac, LP_ETHERTYPE_ARP);
		write_arp(pkt, LP_ARP_REQUEST, mac, own, unknown, target);
	} else {
		/* RFC 4291, 2.7.1: the solicited-node group. */
		struct lp_ip to = {{0xff, 2, [11] = 1, [12] = 0xff}};
		uint8_t group[6] = {0x33, 0x33, 0xff};

		memcpy(to.bytes + 13, target->bytes + 13, 3);
		memcpy(group + 3, target->bytes + 13, 3);
		write_eth(pkt, at != NULL ? at : group, mac, LP_ETHERTYPE_IPV6);
		write_nd(pkt, LP_ICMP6_NS, 0, mac, own,
		    at != NULL ? target : &to, target);
	}
	lp_count_add(&make->stats->sent_neighbor, 1);
}

void
lp_neighbor_wire_announce(const struct lp_make *make, struct lp_batch *batch,
    uint8_t slot, const uint8_t mac[6], const struct lp_ip *own)
{
	static const uint8_t group[6] = {0x33, 0x33, 0, 0, 0, 1};
	struct lp_pkt *pkt = lp_make_packet(make, batch, slot, FRAME_MAX);

	if (pkt == NULL)
		return;
	if (lp_ip_is_v4(own)) {
		/* RFC 5944, 4.6: a request, both addresses the same. */
		write_eth(pkt, broadcast, mac, LP_ETHERTYPE_ARP);
		write_arp(pkt, LP_ARP_REQUEST, mac, own, broadcast, own);
	} else {
		write_eth(pkt, group, mac, LP_ETHERTYPE_IPV6);
		write_nd(pkt, LP_ICMP6_NA, LP_ND_OVERRIDE, mac, own, &all_nodes,
		    own);
	}
	lp_count_add(&make->stats->sent_neighbor, 1);
}

static enum lp_reason
read_arp(const struct lp_pkt *pkt, struct lp_neighbor_message *message)
{
	const uint8_t *arp = pkt->data + LP_ETH_LEN;
	uint16_t op = lp_get16(arp + LP_ARP_OP);

	if (op != LP_ARP_REQUEST && op != LP_ARP_REPLY)
		return LP_REASON_ARP_INVALID;
	message->solicit = op == LP_ARP_REQUEST;
	lp_ip_from_v4(&message->target, arp + LP_ARP_TPA);
	memcpy(message->mac, arp + LP_ARP_SHA, 6);
	if (message->mac[0] & 1)
		return LP_REASON_ARP_INVALID;
	/* 0.0.0.0: a probe, which teaches nothing. */
	if (lp_get32(arp + LP_ARP_SPA) != 0) {
		lp_ip_from_v4(&message->sender, arp + LP_ARP_SPA);
		message->has_mac = true;
	}
	return LP_REASON_NONE;
}

static enum lp_reason
read_nd(const struct lp_pkt *pkt, struct lp_neighbor_message *message)
{
	const uint8_t *ip = pkt->data + pkt->l3_off;
	const uint8_t *nd = pkt->data + pkt->l4_off;
	unsigned len = (unsigned)(pkt->len - pkt->l4_off);
	struct lp_ip src, dst;
	uint64_t sum;

	lp_parse_addresses(pkt, &src, &dst);
	sum = lp_sum_pseudo(src.bytes, dst.bytes, 16, LP_PROTO_ICMP6, len);
	if (ip[LP_IP6_HOPS] != ND_HOPS || len < LP_ND_LEN ||
	    nd[LP_ICMP_CODE] != 0 || nd[LP_ND_TARGET] == 0xff ||
	    memcmp(nd + LP_ND_TARGET, lp_ip_v4_prefix, 12) == 0 ||
	    lp_sum_fold(lp_sum_add(sum, nd, len)) != 0xffff)
		return LP_REASON_NDP_INVALID;
	message->solicit = nd[LP_ICMP_TYPE] == LP_ICMP6_NS;
	memcpy(message->target.bytes, nd + LP_ND_TARGET, 16);
	if (message->solicit) {
		message->sender = src;
		message->has_mac = !lp_ip_is_none(&src) &&
		    read_nd_mac(nd, len, LP_ND_OPT_SOURCE, message->mac);
	} else {
		/* RFC 4861, 4.4: the answer to a probe need not say where. */
		message->confirms = (nd[LP_ND_FLAGS] & LP_ND_SOLICITED) != 0;
		message->sender = message->target;
		message->has_mac =
		    read_nd_mac(nd, len, LP_ND_OPT_TARGET, message->mac);
	}
	return LP_REASON_NONE;
}

/* The link-layer address option of that type; false: none, or a bad one. */
static bool
read_nd_mac(const uint8_t *nd, unsigned len, uint8_t type, uint8_t mac[6])
{
	unsigned at = LP_ND_OPTIONS;

	while (at + 8 <= len && nd[at + 1] != 0) {
		if (nd[at] == type && nd[at + 1] == 1) {
			memcpy(mac, nd + at + 2, 6);
			return (mac[0] & 1) == 0;
		}
		at += nd[at + 1] * 8u;
	}
	return false;
}

static void
write_eth(struct lp_pkt *pkt, const uint8_t dst[6], const uint8_t src[6],
    uint16_t type)
{
	memcpy(pkt->data + LP_ETH_DST, dst, 6);
	memcpy(pkt->data + LP_ETH_SRC, src, 6);
	lp_put16(pkt->data + LP_ETH_TYPE, type);
}

static void
write_arp(struct lp_pkt *pkt, uint16_t op, const uint8_t mac[6],
    const struct lp_ip *own, const uint8_t to[6], const struct lp_ip *target)
{
	static const uint8_t head[6] = {0, 1, 8, 0, 6, 4};
	uint8_t *arp = pkt->data + LP_ETH_LEN;

	memcpy(arp, head, sizeof(head));
	lp_put16(arp + LP_ARP_OP, op);
	memcpy(arp + LP_ARP_SHA, mac, 6);
	memcpy(arp + LP_ARP_SPA, lp_ip_v4(own), 4);
	memcpy(arp + LP_ARP_THA, to, 6);
	memcpy(arp + LP_ARP_TPA, lp_ip_v4(target), 4);
	/* Padded: a device need not do it. */
	memset(arp + LP_ARP_LEN, 0, LP_ETH_MIN - LP_ETH_LEN - LP_ARP_LEN);
	pkt->len = LP_ETH_MIN;
}

/* NS or NA with our link-layer address as its one option. */
static void
write_nd(struct lp_pkt *pkt, uint8_t type, uint8_t flags, const uint8_t mac[6],
    const struct lp_ip *src, const struct lp_ip *dst,
    const struct lp_ip *target)
{
	struct lp_ip from = *src, to = *dst, about = *target;
	uint8_t *nd;

	/* Copies: they may lie in the packet that is being written. */
	lp_make_ip(pkt, &from, &to, LP_PROTO_ICMP6, ND_WITH_MAC);
	nd = pkt->data + pkt->l4_off;
	memset(nd, 0, ND_WITH_MAC);
	nd[LP_ICMP_TYPE] = type;
	nd[LP_ND_FLAGS] = flags;
	memcpy(nd + LP_ND_TARGET, about.bytes, 16);
	nd[LP_ND_OPTIONS] =
	    type == LP_ICMP6_NS ? LP_ND_OPT_SOURCE : LP_ND_OPT_TARGET;
	nd[LP_ND_OPTIONS + 1] = 1;
	memcpy(nd + LP_ND_OPTIONS + 2, mac, 6);
	lp_make_checksum(pkt, LP_PROTO_ICMP6, LP_ICMP_SUM);
}
