/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/trace_packet.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
	ETH_LEN = 14,
	IP4_LEN = 20,
	IP6_LEN = 40,
	TCP_LEN = 20,
	ICMP_LEN = 8,
	ARP_LEN = 28,
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_ICMP6 = 58,
	HOPS = 64,
	WINDOW = 64240,
};

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1};

static size_t build_arp(uint8_t *bytes, const struct lp_trace_packet *packet);
static uint8_t build_tcp(uint8_t *l4, const struct lp_trace_packet *packet);
static uint8_t build_ping(uint8_t *l4, bool v4);
static void build_ip(uint8_t *ip, const struct lp_trace_packet *packet,
    uint8_t proto, size_t len);
static void put16(uint8_t *to, uint32_t value);
static void put32(uint8_t *to, uint32_t value);
static uint32_t add_sum(uint32_t sum, const uint8_t *bytes, size_t len);
static uint16_t fold(uint32_t sum);

size_t
lp_trace_packet_build(
    uint8_t bytes[LP_TRACE_PACKET_MAX], const struct lp_trace_packet *packet)
{
	bool v4 = lp_ip_is_v4(&packet->to.ip);
	size_t ip_len = v4 ? IP4_LEN : IP6_LEN;
	bool tcp = packet->kind == LP_TRACE_TCP;
	size_t head = tcp ? TCP_LEN : ICMP_LEN;
	size_t len = head + packet->payload_len;
	uint8_t *l4 = bytes + ETH_LEN + ip_len;
	uint32_t sum = 0;
	uint8_t proto;

	assert(v4 == lp_ip_is_v4(&packet->from.ip));
	assert(packet->payload_len <=
	    LP_TRACE_PACKET_MAX - LP_TRACE_PACKET_HEADERS);
	memset(bytes, 0, LP_TRACE_PACKET_HEADERS);
	memcpy(bytes + 6, our_mac, sizeof(our_mac));
	if (packet->kind == LP_TRACE_ARP)
		return build_arp(bytes, packet);
	put16(bytes + 12, v4 ? 0x0800 : 0x86dd);
	proto = tcp ? build_tcp(l4, packet) : build_ping(l4, v4);
	if (packet->payload_len > 0)
		memcpy(l4 + head, packet->payload, packet->payload_len);
	build_ip(bytes + ETH_LEN, packet, proto, len);
	/* The pseudo-header: not of ICMP over IPv4. */
	if (proto != PROTO_ICMP) {
		sum = proto + (uint32_t)len;
		sum = add_sum(
		    sum, packet->from.ip.bytes + (v4 ? 12 : 0), v4 ? 4 : 16);
		sum = add_sum(
		    sum, packet->to.ip.bytes + (v4 ? 12 : 0), v4 ? 4 : 16);
	}
	put16(l4 + (tcp ? 16 : 2), fold(add_sum(sum, l4, len)));
	return ETH_LEN + ip_len + len;
}

int
lp_trace_packet_flags(uint8_t *flags, const char *text)
{
	static const char letters[] = "FSRPAU";
	uint8_t all = 0;

	for (; *text != '\0'; text++) {
		const char *at = strchr(letters, toupper((unsigned char)*text));

		if (at == NULL)
			return -EINVAL;
		all |= (uint8_t)(1u << (at - letters));
	}
	*flags = all;
	return 0;
}

int
lp_trace_packet_hex(uint8_t *bytes, size_t max, size_t *len, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	size_t count = 0;

	for (; *text != '\0'; text++) {
		const char *high, *low;

		if (*text == ' ' || *text == ':')
			continue;
		high = strchr(digits, tolower((unsigned char)text[0]));
		low = text[1] != '\0'
		    ? strchr(digits, tolower((unsigned char)text[1]))
		    : NULL;
		if (high == NULL || low == NULL || count == max)
			return -EINVAL;
		bytes[count++] =
		    (uint8_t)((high - digits) << 4 | (low - digits));
		text++;
	}
	*len = count;
	return 0;
}

/* RFC 826 */
static size_t
build_arp(uint8_t *bytes, const struct lp_trace_packet *packet)
{
	uint8_t *arp = bytes + ETH_LEN;

	memset(bytes, 0xff, 6);
	put16(bytes + 12, 0x0806);
	put16(arp, 1);
	put16(arp + 2, 0x0800);
	arp[4] = 6;
	arp[5] = 4;
	put16(arp + 6, 1);
	memcpy(arp + 8, our_mac, sizeof(our_mac));
	memcpy(arp + 14, lp_ip_v4(&packet->from.ip), 4);
	memcpy(arp + 24, lp_ip_v4(&packet->to.ip), 4);
	return ETH_LEN + ARP_LEN;
}

static uint8_t
build_tcp(uint8_t *l4, const struct lp_trace_packet *packet)
{
	put16(l4, packet->from.port);
	put16(l4 + 2, packet->to.port);
	put32(l4 + 4, packet->seq);
	put32(l4 + 8, packet->ack);
	l4[12] = TCP_LEN / 4 << 4;
	l4[13] = packet->flags;
	put16(l4 + 14, WINDOW);
	return PROTO_TCP;
}

static uint8_t
build_ping(uint8_t *l4, bool v4)
{
	l4[0] = v4 ? 8 : 128;
	put16(l4 + 4, 1);
	put16(l4 + 6, 1);
	return v4 ? PROTO_ICMP : PROTO_ICMP6;
}

static void
build_ip(uint8_t *ip, const struct lp_trace_packet *packet, uint8_t proto,
    size_t len)
{
	if (!lp_ip_is_v4(&packet->to.ip)) {
		ip[0] = 0x60;
		put16(ip + 4, (uint32_t)len);
		ip[6] = proto;
		ip[7] = HOPS;
		memcpy(ip + 8, packet->from.ip.bytes, 16);
		memcpy(ip + 24, packet->to.ip.bytes, 16);
		return;
	}
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)(IP4_LEN + len));
	put16(ip + 6, 0x4000); /* don't fragment */
	ip[8] = HOPS;
	ip[9] = proto;
	memcpy(ip + 12, lp_ip_v4(&packet->from.ip), 4);
	memcpy(ip + 16, lp_ip_v4(&packet->to.ip), 4);
	put16(ip + 10, fold(add_sum(0, ip, IP4_LEN)));
}

static void
put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void
put32(uint8_t *to, uint32_t value)
{
	put16(to, value >> 16);
	put16(to + 2, value & 0xffff);
}

/* RFC 1071 */
static uint32_t
add_sum(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
	return sum;
}

static uint16_t
fold(uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}
