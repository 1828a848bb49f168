/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The steering program: what of a device's traffic is ours.
 *
 * Ours goes to the socket of its receive queue, everything else to the kernel,
 * which never notices.  Where sources are preserved, what brokers send is ours,
 * too, and ICMP errors about what they are sent.  ARP and neighbour discovery
 * of others, sent to all, goes to the kernel and a copy to us, to learn from.
 * When the dataplane has died our traffic is dropped: the kernel would answer
 * it with a reset.
 *
 * Of an inline port nothing goes to the kernel: what has a named end goes to
 * the socket, everything else leaves by the peer at once; so does what is named
 * when the dataplane has died, if it is so configured.
 *
 * Needs Linux 5.10 or later: no helper is newer than the ring buffer (5.8),
 * except the coarse clock, which is used where the kernel has it.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "dataplane/port/steer.h"

/* RFC 826, for Ethernet and IPv4; unaligned in the frame. */
struct arp_ipv4 {
	__u16 hardware;
	__u16 protocol;
	__u8 hardware_len;
	__u8 protocol_len;
	__u16 operation;
	__u8 sha[6];
	__u8 spa[4];
	__u8 tha[6];
	__u8 tpa[4];
} __attribute__((packed));

/* RFC 4861, 4.3 and 4.4: solicitation and advertisement begin alike. */
struct nd {
	__u8 type;
	__u8 code;
	__u16 checksum;
	__u32 flags;
	__u32 target[4];
};

/* RFC 792 and 4443: an error, before the head of what it is about. */
struct icmp_error {
	__u8 type;
	__u8 code;
	__u16 checksum;
	__u32 rest;
};

enum {
	ARP_ETHERNET = 1,
	ICMP_UNREACHABLE = 3,
	ICMP_EXCEEDED = 11,
	ICMP_PARAMETER = 12,
	ICMP6_ERRORS_END = 5,
	ND_SOLICITATION = 135,
	ND_ADVERTISEMENT = 136,
	/* RFC 791: the offset of a fragment. */
	FRAGMENT_OFFSET_MASK = 0x1fff,
	/* The same, and that more follow. */
	FRAGMENT_MASK = 0x3fff,
};

enum whose {
	OTHERS,
	OURS,
	EVERYONES, /* to the kernel, and a copy to us */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct lp_steer_control);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LP_STEER_ADDRESSES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct lp_steer_address);
	__type(value, struct lp_steer_member);
} addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LP_STEER_SOURCES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct lp_steer_source);
	__type(value, struct lp_steer_member);
} sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, LP_STEER_QUEUES_MAX);
	__type(key, __u32);
	__type(value, __u32);
} xsks SEC(".maps");

/* One entry: the device of the peer. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} peer SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, LP_STEER_COPIES_SIZE);
} copies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LP_STEER_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

/* Set before loading: the kernel has bpf_ktime_get_coarse_ns (5.11). */
const volatile __u32 has_coarse_clock SEC(".rodata.clock") = 0;

static __always_inline void
count(__u32 which)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &which);

	if (value)
		(*value)++;
}

static __always_inline int
is_own_v6(const __u32 ip[4])
{
	struct lp_steer_address key;

	__builtin_memcpy(key.ip, ip, sizeof(key.ip));
	return bpf_map_lookup_elem(&addresses, &key) != NULL;
}

static __always_inline int
is_own_v4(const void *ip)
{
	struct lp_steer_address key = {{0, 0, bpf_htonl(0xffff), 0}};

	__builtin_memcpy(&key.ip[3], ip, 4);
	return bpf_map_lookup_elem(&addresses, &key) != NULL;
}

static __always_inline enum whose
judge_arp(const struct ethhdr *eth, const void *end)
{
	const struct arp_ipv4 *arp = (const void *)(eth + 1);

	if ((const void *)(arp + 1) > end ||
	    arp->hardware != bpf_htons(ARP_ETHERNET) ||
	    arp->protocol != bpf_htons(ETH_P_IP) || arp->hardware_len != 6 ||
	    arp->protocol_len != 4)
		return OTHERS;
	if (is_own_v4(arp->tpa))
		return OURS;
	return eth->h_dest[0] & 1 ? EVERYONES : OTHERS;
}

/* Preserved source addresses: what a broker sends, to whomever. */
static __always_inline enum whose
judge_source(
    struct lp_steer_source *key, const struct tcphdr *tcp, const void *end)
{
	if ((const void *)(tcp + 1) > end)
		return OTHERS;
	key->port = tcp->source;
	return bpf_map_lookup_elem(&sources, key) ? OURS : OTHERS;
}

/* The ports of what an error quotes: it was sent to a broker. */
static __always_inline enum whose
judge_quoted(struct lp_steer_source *key, const __u16 *ports, const void *end)
{
	if ((const void *)(ports + 2) > end)
		return OTHERS;
	key->port = ports[1];
	return bpf_map_lookup_elem(&sources, key) ? OURS : OTHERS;
}

static __always_inline enum whose
judge_error_v4(struct lp_steer_source *key, const struct icmp_error *error,
    const void *end)
{
	const struct iphdr *ip = (const void *)(error + 1);

	if ((const void *)(ip + 1) > end)
		return OTHERS;
	if (error->type != ICMP_UNREACHABLE && error->type != ICMP_EXCEEDED &&
	    error->type != ICMP_PARAMETER)
		return OTHERS;
	if (ip->protocol != IPPROTO_TCP || ip->ihl < 5 ||
	    (ip->frag_off & bpf_htons(FRAGMENT_OFFSET_MASK)))
		return OTHERS;
	key->ip[3] = ip->daddr;
	return judge_quoted(key, (const void *)ip + ip->ihl * 4, end);
}

static __always_inline enum whose
judge_error_v6(struct lp_steer_source *key, const struct icmp_error *error,
    const void *end)
{
	const struct ipv6hdr *ip = (const void *)(error + 1);

	if ((const void *)(ip + 1) > end)
		return OTHERS;
	if (error->type == 0 || error->type >= ICMP6_ERRORS_END ||
	    ip->nexthdr != IPPROTO_TCP)
		return OTHERS;
	__builtin_memcpy(key->ip, &ip->daddr, sizeof(key->ip));
	return judge_quoted(key, (const void *)(ip + 1), end);
}

static __always_inline enum whose
judge_ipv4(const struct ethhdr *eth, const void *end)
{
	const struct iphdr *ip = (const void *)(eth + 1);
	struct lp_steer_source key = {{0, 0, bpf_htonl(0xffff), 0}, 0, 0};
	const void *l4;

	if ((const void *)(ip + 1) > end)
		return OTHERS;
	/* Fragments too: user space drops and counts them. */
	if (is_own_v4(&ip->daddr))
		return OURS;
	if (ip->ihl < 5 || (ip->frag_off & bpf_htons(FRAGMENT_OFFSET_MASK)))
		return OTHERS;
	l4 = (const void *)ip + ip->ihl * 4;
	if (ip->protocol == IPPROTO_ICMP)
		return judge_error_v4(&key, l4, end);
	if (ip->protocol != IPPROTO_TCP)
		return OTHERS;
	key.ip[3] = ip->saddr;
	return judge_source(&key, l4, end);
}

static __always_inline enum whose
judge_icmpv6(const struct ipv6hdr *ip, const struct nd *nd, const void *end)
{
	struct lp_steer_source key = {};

	if ((const void *)(nd + 1) > end)
		return OTHERS;
	if (nd->type != ND_SOLICITATION && nd->type != ND_ADVERTISEMENT)
		return judge_error_v6(&key, (const void *)nd, end);
	if (nd->type == ND_SOLICITATION && is_own_v6(nd->target))
		return OURS;
	return ip->daddr.s6_addr[0] == 0xff ? EVERYONES : OTHERS;
}

/* What follows hop-by-hop and destination options, or NULL. */
static __always_inline const void *
skip_extensions(const struct ipv6hdr *ip, const void *end, __u8 *next)
{
	const __u8 *at = (const void *)(ip + 1);
	int i;

	*next = ip->nexthdr;
	for (i = 0; i < LP_STEER_EXTENSIONS_MAX; i++) {
		if (*next != IPPROTO_HOPOPTS && *next != IPPROTO_DSTOPTS)
			break;
		if ((const void *)(at + 8) > end)
			return NULL;
		*next = at[0];
		at += 8 + at[1] * 8;
	}
	return at;
}

static __always_inline enum whose
judge_ipv6(const struct ethhdr *eth, const void *end)
{
	const struct ipv6hdr *ip = (const void *)(eth + 1);
	struct lp_steer_source key = {};
	const void *l4;
	__u8 next;

	if ((const void *)(ip + 1) > end)
		return OTHERS;
	if (is_own_v6(ip->daddr.s6_addr32))
		return OURS;
	l4 = skip_extensions(ip, end, &next);
	if (!l4)
		return OTHERS;
	if (next == IPPROTO_ICMPV6)
		return judge_icmpv6(ip, l4, end);
	if (next != IPPROTO_TCP)
		return OTHERS;
	__builtin_memcpy(key.ip, &ip->saddr, sizeof(key.ip));
	return judge_source(&key, l4, end);
}

/* A unicast frame that only came here because of flooding or promiscuity. */
static __always_inline int
is_for_another_host(const struct ethhdr *eth, const struct lp_steer_control *c)
{
	const __u16 *to = (const __u16 *)eth->h_dest;
	const __u16 *us = (const __u16 *)c->mac;

	/* Group addresses have the lowest bit of the first byte set. */
	return !(eth->h_dest[0] & 1) &&
	    (to[0] != us[0] || to[1] != us[1] || to[2] != us[2]);
}

static __always_inline enum whose
judge(
    const struct ethhdr *eth, const void *end, const struct lp_steer_control *c)
{
	if ((const void *)(eth + 1) > end || is_for_another_host(eth, c))
		return OTHERS;
	switch (eth->h_proto) {
	case bpf_htons(ETH_P_IP):
		return judge_ipv4(eth, end);
	case bpf_htons(ETH_P_IPV6):
		return judge_ipv6(eth, end);
	case bpf_htons(ETH_P_ARP):
		return judge_arp(eth, end);
	case bpf_htons(ETH_P_8021Q):
	case bpf_htons(ETH_P_8021AD):
		count(LP_STEER_VLAN);
		return OTHERS;
	default:
		return OTHERS;
	}
}

/* The coarse clock may be a tick behind the heartbeat: compare signed. */
static __always_inline int
is_alive(const struct lp_steer_control *c)
{
	__u64 beat = *(const volatile __u64 *)&c->heartbeat_ns;
	__u64 now =
	    has_coarse_clock ? bpf_ktime_get_coarse_ns() : bpf_ktime_get_ns();

	return beat != 0 && (__s64)(now - beat) <= (__s64)c->timeout_ns;
}

static __always_inline void
copy_to_us(const __u8 *data, const __u8 *end)
{
	struct lp_steer_copy *copy;
	__u64 len = end - data;
	int i;

	if (len > LP_STEER_COPY_MAX) {
		count(LP_STEER_COPY_LOST);
		return;
	}
	copy = bpf_ringbuf_reserve(&copies, sizeof(*copy), 0);
	if (!copy) {
		count(LP_STEER_COPY_LOST);
		return;
	}
	copy->len = len;
	for (i = 0; i < LP_STEER_COPY_MAX; i++) {
		if (data + i + 1 > end)
			break;
		copy->bytes[i] = data[i];
	}
	bpf_ringbuf_submit(copy, 0);
	count(LP_STEER_COPIED);
}

static __always_inline int
give_to_us(struct xdp_md *ctx, const struct lp_steer_control *c)
{
	int action;

	if (!is_alive(c)) {
		count(LP_STEER_DEAD);
		return XDP_DROP;
	}
	action = bpf_redirect_map(&xsks, ctx->rx_queue_index, XDP_DROP);
	count(action == XDP_DROP ? LP_STEER_NO_SOCKET : LP_STEER_REDIRECTED);
	return action;
}

/* Either end of it is named. */
static __always_inline int
is_named(struct lp_steer_source *from, struct lp_steer_source *to,
    const struct tcphdr *tcp, const void *end)
{
	if ((const void *)(tcp + 1) > end)
		return 0;
	from->port = tcp->source;
	to->port = tcp->dest;
	return bpf_map_lookup_elem(&sources, to) != NULL ||
	    bpf_map_lookup_elem(&sources, from) != NULL;
}

static __always_inline int
is_named_v4(const struct iphdr *ip, const void *end)
{
	struct lp_steer_source from = {{0, 0, bpf_htonl(0xffff), 0}, 0, 0};
	struct lp_steer_source to = from;

	if ((const void *)(ip + 1) > end || ip->ihl < 5 ||
	    ip->protocol != IPPROTO_TCP ||
	    (ip->frag_off & bpf_htons(FRAGMENT_MASK)))
		return 0;
	from.ip[3] = ip->saddr;
	to.ip[3] = ip->daddr;
	return is_named(&from, &to, (const void *)ip + ip->ihl * 4, end);
}

static __always_inline int
is_named_v6(const struct ipv6hdr *ip, const void *end)
{
	struct lp_steer_source from = {}, to = {};
	const void *l4;
	__u8 next;

	if ((const void *)(ip + 1) > end)
		return 0;
	l4 = skip_extensions(ip, end, &next);
	if (!l4 || next != IPPROTO_TCP)
		return 0;
	__builtin_memcpy(from.ip, &ip->saddr, sizeof(from.ip));
	__builtin_memcpy(to.ip, &ip->daddr, sizeof(to.ip));
	return is_named(&from, &to, l4, end);
}

static __always_inline int
is_to_be_seen(const struct ethhdr *eth, const void *end)
{
	if ((const void *)(eth + 1) > end)
		return 0;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		return is_named_v4((const void *)(eth + 1), end);
	if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		return is_named_v6((const void *)(eth + 1), end);
	return 0;
}

static __always_inline int
give_to_peer(void)
{
	int action = bpf_redirect_map(&peer, 0, XDP_DROP);

	count(action == XDP_DROP ? LP_STEER_NO_PEER : LP_STEER_WIRED);
	return action;
}

/* A bump in the wire.  A socket is gone as soon as its process is. */
static __always_inline int
steer_inline(struct xdp_md *ctx, const struct lp_steer_control *c)
{
	const void *data = (const void *)(long)ctx->data;
	const void *end = (const void *)(long)ctx->data_end;
	int action;

	if (!is_to_be_seen(data, end))
		return give_to_peer();
	if (!is_alive(c)) {
		if (c->wire_on_loss)
			return give_to_peer();
		count(LP_STEER_DEAD);
		return XDP_DROP;
	}
	action = bpf_redirect_map(&xsks, ctx->rx_queue_index, XDP_DROP);
	if (action == XDP_DROP && c->wire_on_loss)
		return give_to_peer();
	count(action == XDP_DROP ? LP_STEER_NO_SOCKET : LP_STEER_REDIRECTED);
	return action;
}

SEC("xdp")
int
lp_steer(struct xdp_md *ctx)
{
	const void *data = (const void *)(long)ctx->data;
	const void *end = (const void *)(long)ctx->data_end;
	const struct lp_steer_control *c;
	enum whose whose = OTHERS;
	__u32 zero = 0;

	c = bpf_map_lookup_elem(&control, &zero);
	if (c && c->mode == LP_STEER_INLINE)
		return steer_inline(ctx, c);
	if (c && c->mode == LP_STEER_VIP)
		whose = judge(data, end, c);
	if (whose == OURS)
		return give_to_us(ctx, c);
	if (whose == EVERYONES && is_alive(c))
		copy_to_us(data, end);
	count(LP_STEER_PASSED);
	return XDP_PASS;
}

char lp_license[] SEC("license") = "Dual BSD/GPL";
