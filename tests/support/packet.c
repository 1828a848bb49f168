/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/packet.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ETH = 14,
	ARP = 28,
	V4 = 20,
	V6 = 40,
	TCP = 20,
	ICMP = 8,
	ND = 24,
	MLD = 24, /* MLDv1; queries of MLDv2 are 4 longer */
};

/* One end of a packet. */
struct end {
	uint8_t ip[16];
	uint16_t port;
	bool v6;
};

/* What is being built. */
struct draft {
	struct packet *packet;
	const char *text;
	char kind[16];
	char flags[16];
	struct end src, dst;
	size_t l3, l4; /* offsets */
};

static void
fail(const char *what, const char *text)
{
	fprintf(stderr, "packet: %s: %s\n", what, text);
	abort();
}

static void
put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void
put32(uint8_t *p, unsigned long value)
{
	put16(p, (unsigned)(value >> 16));
	put16(p + 2, (unsigned)value & 0xffff);
}

uint16_t
packet_sum(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

bool
packet_word(const char *text, const char *key, char *word, size_t size)
{
	const char *end = strstr(text, " / ");
	size_t len = strlen(key);
	const char *at = text;

	while ((at = strchr(at, ' ')) != NULL && (!end || at < end)) {
		at++;
		if (strncmp(at, key, len) != 0 || at[len] != '=')
			continue;
		at += len + 1;
		snprintf(word, size, "%.*s", (int)strcspn(at, " "), at);
		return true;
	}
	return false;
}

unsigned long
packet_number(const char *text, const char *key, unsigned long otherwise)
{
	char word[32];
	char *rest;
	unsigned long value;

	if (!packet_word(text, key, word, sizeof(word)))
		return otherwise;
	value = strtoul(word, &rest, 0);
	if (*rest != '\0')
		fail("not a number", word);
	return value;
}

static void
parse_end(struct end *end, const char *word)
{
	char host[64];
	const char *port;

	memset(end, 0, sizeof(*end));
	snprintf(host, sizeof(host), "%s", word);
	if (host[0] == '[') {
		port = strchr(word, ']');
		if (!port)
			fail("not an endpoint", word);
		snprintf(host, sizeof(host), "%.*s", (int)(port - word - 1),
		    word + 1);
		end->port = (uint16_t)atoi(port[1] == ':' ? port + 2 : "0");
	} else if (strchr(host, '.') &&
	    strchr(host, ':') == strrchr(host, ':')) {
		host[strcspn(host, ":")] = '\0';
		port = strchr(word, ':');
		end->port = (uint16_t)(port ? atoi(port + 1) : 0);
	}
	end->v6 = strchr(host, ':') != NULL;
	if (inet_pton(end->v6 ? AF_INET6 : AF_INET, host, end->ip) != 1)
		fail("not an address", word);
}

static void
parse_mac(uint8_t mac[6], const char *text)
{
	unsigned byte[6];

	if (sscanf(text, "%x:%x:%x:%x:%x:%x", &byte[0], &byte[1], &byte[2],
		&byte[3], &byte[4], &byte[5]) != 6)
		fail("not a MAC address", text);
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)byte[i];
}

/* The MAC of that key, or the one that goes with an address. */
static void
choose_mac(uint8_t mac[6], const struct draft *draft, const char *key,
    const struct end *end)
{
	static const uint8_t base[6] = {2, 0x10};
	char word[32];

	memcpy(mac, base, 6);
	mac[5] = end->ip[end->v6 ? 15 : 3];
	if (packet_word(draft->text, key, word, sizeof(word)))
		parse_mac(mac, word);
}

static size_t
payload(uint8_t *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)(i * 7 + 1);
	return len;
}

static size_t
hex(uint8_t *to, const char *digits)
{
	size_t len = strlen(digits) / 2;

	for (size_t i = 0; i < len; i++) {
		unsigned byte;

		if (sscanf(digits + 2 * i, "%2x", &byte) != 1)
			fail("not hexadecimal", digits);
		to[i] = (uint8_t)byte;
	}
	return len;
}

static size_t
build_tcp(const struct draft *draft, uint8_t *tcp)
{
	static const char letters[] = "FSRPAU";
	const char *text = draft->text;
	size_t at = TCP;
	char word[128];

	put16(tcp, draft->src.port);
	put16(tcp + 2, draft->dst.port);
	put32(tcp + 4, packet_number(text, "seq", 0));
	put32(tcp + 8, packet_number(text, "ack", 0));
	for (const char *flag = draft->flags; *flag && *flag != '-'; flag++) {
		const char *letter = strchr(letters, *flag);

		if (!letter)
			fail("not TCP flags", text);
		tcp[13] |= (uint8_t)(1u << (letter - letters));
	}
	put16(tcp + 14, (unsigned)packet_number(text, "win", 64240));
	put16(tcp + 18, (unsigned)packet_number(text, "urg", 0));
	for (unsigned long i = packet_number(text, "nop", 0); i > 0; i--)
		tcp[at++] = 1;
	if (packet_word(text, "mss", word, sizeof(word))) {
		tcp[at] = 2;
		tcp[at + 1] = 4;
		put16(tcp + at + 2, (unsigned)atoi(word));
		at += 4;
	}
	if (packet_word(text, "ws", word, sizeof(word))) {
		tcp[at] = 3;
		tcp[at + 1] = 3;
		tcp[at + 2] = (uint8_t)atoi(word);
		at += 3;
	}
	if (packet_word(text, "opts", word, sizeof(word)))
		at += hex(tcp + at, word);
	while (at % 4)
		tcp[at++] = 1;
	tcp[12] = (uint8_t)(packet_number(text, "off", at / 4) << 4);
	return at + payload(tcp + at, packet_number(text, "len", 0));
}

/* Type and code of ICMP by name, for both families. */
static void
icmp_type(const struct draft *draft, uint8_t *icmp)
{
	static const struct {
		const char *name;
		uint8_t v4, v6;
	} types[] = {{"echo", 8, 128}, {"echo-reply", 0, 129},
	    {"unreach", 3, 1}, {"too-big", 3, 2}, {"exceeded", 11, 3},
	    {"param", 12, 4}, {"icmp", 13, 200}, {"ns", 0, 135}, {"na", 0, 136},
	    {"mld-query", 0, 130}};
	unsigned i = 0;

	while (strcmp(types[i].name, draft->kind) != 0) {
		if (++i == sizeof(types) / sizeof(types[0]))
			fail("no such packet", draft->text);
	}
	icmp[0] = (uint8_t)packet_number(
	    draft->text, "type", draft->src.v6 ? types[i].v6 : types[i].v4);
	/* Fragmentation needed. */
	icmp[1] = (uint8_t)packet_number(draft->text, "code",
	    !draft->src.v6 && strcmp(draft->kind, "too-big") == 0 ? 4 : 0);
}

static size_t
build_nd(const struct draft *draft, uint8_t *nd)
{
	char word[64];
	uint8_t mac[6];

	if (packet_word(draft->text, "nf", word, sizeof(word)))
		nd[4] = (uint8_t)((strchr(word, 'R') ? 0x80 : 0) |
		    (strchr(word, 'S') ? 0x40 : 0) |
		    (strchr(word, 'O') ? 0x20 : 0));
	if (!packet_word(draft->text, "target", word, sizeof(word)) ||
	    inet_pton(AF_INET6, word, nd + 8) != 1)
		fail("no target", draft->text);
	if (packet_word(draft->text, "mac", word, sizeof(word)) &&
	    strcmp(word, "none") == 0)
		return ND;
	choose_mac(mac, draft, "mac", &draft->src);
	nd[ND] = draft->kind[1] == 's' ? 1 : 2;
	nd[ND + 1] = 1;
	memcpy(nd + ND + 2, mac, 6);
	return ND + 8;
}

static size_t
build_mld(const struct draft *draft, uint8_t *mld)
{
	unsigned long version = packet_number(draft->text, "v", 2);
	char word[64];

	put16(mld + 4, (unsigned)packet_number(draft->text, "delay", 0));
	if (packet_word(draft->text, "group", word, sizeof(word)) &&
	    inet_pton(AF_INET6, word, mld + 8) != 1)
		fail("no group", draft->text);
	return packet_number(draft->text, "len", version == 1 ? MLD : MLD + 4);
}

static size_t
build_icmp(const struct draft *draft, uint8_t *icmp)
{
	const char *inner = strstr(draft->text, " / ");
	unsigned long mtu = packet_number(draft->text, "mtu", 0);
	struct packet quote;
	size_t len;

	icmp_type(draft, icmp);
	if (strcmp(draft->kind, "ns") == 0 || strcmp(draft->kind, "na") == 0)
		return build_nd(draft, icmp);
	if (strcmp(draft->kind, "mld-query") == 0)
		return build_mld(draft, icmp);
	if (inner) {
		put32(icmp + 4, mtu);
		packet_build(&quote, inner + 3);
		len = packet_number(draft->text, "quote", quote.len - ETH);
		memcpy(icmp + ICMP, quote.bytes + ETH, len);
		return ICMP + len;
	}
	put16(icmp + 4, (unsigned)packet_number(draft->text, "id", 0));
	put16(icmp + 6, (unsigned)packet_number(draft->text, "seq", 0));
	return ICMP +
	    payload(icmp + ICMP, packet_number(draft->text, "len", 0));
}

static size_t
build_arp(const struct draft *draft, uint8_t *arp)
{
	static const uint8_t head[6] = {0, 1, 8, 0, 6, 4};
	char word[32];

	memcpy(arp, head, sizeof(head));
	put16(arp + 6, strcmp(draft->kind, "arp-reply") == 0 ? 2 : 1);
	choose_mac(arp + 8, draft, "mac", &draft->src);
	memcpy(arp + 14, draft->src.ip, 4);
	if (packet_word(draft->text, "dmac", word, sizeof(word)))
		parse_mac(arp + 18, word);
	memcpy(arp + 24, draft->dst.ip, 4);
	return ARP;
}

/* The extension headers, "hop,dst"; false: none. */
static bool
extensions(const struct draft *draft, char *word, size_t size)
{
	bool mld = strcmp(draft->kind, "mld-query") == 0;

	if (!packet_word(draft->text, "ext", word, size))
		snprintf(word, size, "%s", mld ? "alert" : "none");
	return strcmp(word, "none") != 0;
}

/* Room for the IP header of that draft, options and all. */
static size_t
ip_room(const struct draft *draft)
{
	char word[64];
	size_t room = V6;

	if (!draft->src.v6)
		return V4 + 4 * packet_number(draft->text, "ipopt", 0);
	if (extensions(draft, word, sizeof(word)))
		for (const char *at = word; at; at = strchr(at + 1, ','))
			room += 8;
	return room;
}

static void
build_v4(const struct draft *draft, uint8_t proto, size_t l4_len)
{
	uint8_t *ip = draft->packet->bytes + draft->l3;
	size_t head = draft->l4 - draft->l3;

	ip[0] = (uint8_t)(0x40 | head / 4);
	ip[1] = (uint8_t)packet_number(draft->text, "tos", 0);
	put16(ip + 2,
	    (unsigned)packet_number(draft->text, "total", head + l4_len));
	put16(ip + 4, 1);
	put16(ip + 6, (unsigned)packet_number(draft->text, "frag", 0x4000));
	ip[8] = (uint8_t)packet_number(draft->text, "ttl", 64);
	ip[9] = (uint8_t)packet_number(draft->text, "proto", proto);
	memcpy(ip + 12, draft->src.ip, 4);
	memcpy(ip + 16, draft->dst.ip, 4);
	memset(ip + V4, 1, head - V4);
	put16(ip + 10,
	    (uint16_t)~packet_sum(
		(uint32_t)packet_number(draft->text, "badip", 0), ip, head));
}

static uint8_t
extension(const char *name)
{
	static const struct {
		const char *name;
		uint8_t next;
	} all[] = {
	    {"hop", 0}, {"alert", 0}, {"route", 43}, {"frag", 44}, {"dst", 60}};

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strncmp(name, all[i].name, strlen(all[i].name)) == 0)
			return all[i].next;
	fail("no such extension header", name);
	return 0;
}

static void
build_v6(const struct draft *draft, uint8_t proto, size_t l4_len)
{
	uint8_t *ip = draft->packet->bytes + draft->l3;
	size_t head = draft->l4 - draft->l3, at = V6;
	unsigned long hops =
	    strcmp(draft->kind, "ns") == 0 || strcmp(draft->kind, "na") == 0
	    ? 255
	    : strcmp(draft->kind, "mld-query") == 0 ? 1
						    : 64;
	uint8_t *next = ip + 6;
	char word[64];

	/* A flow label shows who writes over it. */
	put16(ip,
	    0x6000 | (unsigned)packet_number(draft->text, "tos", 0) << 4 | 5);
	put16(ip + 4,
	    (unsigned)packet_number(draft->text, "total", head + l4_len - V6));
	ip[7] = (uint8_t)packet_number(draft->text, "ttl", hops);
	memcpy(ip + 8, draft->src.ip, 16);
	memcpy(ip + 24, draft->dst.ip, 16);
	if (extensions(draft, word, sizeof(word))) {
		for (const char *name = word; name;) {
			*next = extension(name);
			next = ip + at;
			/* Router alert and PadN, or PadN: 4 bytes of data. */
			if (*name == 'a')
				memcpy(ip + at + 2, "\5\2\0\0\1", 5);
			else if (*name != 'f')
				memcpy(ip + at + 2, "\1\4", 2);
			at += 8;
			name = strchr(name, ',');
			name = name ? name + 1 : NULL;
		}
	}
	*next = (uint8_t)packet_number(draft->text, "proto", proto);
}

static void
sum_l4(const struct draft *draft, uint8_t proto, size_t len)
{
	uint8_t *l4 = draft->packet->bytes + draft->l4;
	size_t field = proto == 6 ? 16 : 2;
	size_t address = draft->src.v6 ? 16 : 4;
	uint32_t sum = (uint32_t)packet_number(draft->text, "badsum", 0);

	if (proto != 1) {
		sum += packet_sum(0, draft->src.ip, address);
		sum += packet_sum(0, draft->dst.ip, address);
		sum += (uint32_t)len + proto;
	}
	put16(l4 + field, (uint16_t)~packet_sum(sum, l4, len));
}

static void
build_ip(struct draft *draft)
{
	uint8_t *bytes = draft->packet->bytes;
	bool tcp = strcmp(draft->kind, "tcp") == 0;
	uint8_t proto = tcp ? 6 : draft->src.v6 ? 58 : 1;
	size_t len;

	draft->l4 = draft->l3 + ip_room(draft);
	len = tcp ? build_tcp(draft, bytes + draft->l4)
		  : build_icmp(draft, bytes + draft->l4);
	if (draft->src.v6)
		build_v6(draft, proto, len);
	else
		build_v4(draft, proto, len);
	sum_l4(draft, proto, len);
	draft->packet->len = draft->l4 + len;
}

/* Bytes set by hand, padding, and what is cut off. */
static void
finish(struct draft *draft)
{
	struct packet *packet = draft->packet;
	const char *end = strstr(draft->text, " / ");
	const char *at = draft->text;
	unsigned off, value;

	while ((at = strchr(at, '@')) != NULL && (!end || at < end)) {
		if (sscanf(at, "@%u=%i", &off, (int *)&value) != 2)
			fail("not a byte", at);
		packet->bytes[off] = (uint8_t)value;
		at++;
	}
	packet->len += packet_number(draft->text, "pad", 0);
	packet->len = packet_number(draft->text, "cut", packet->len);
}

static void
put_tag(struct draft *draft, const char *key, unsigned type)
{
	unsigned tag = (unsigned)packet_number(draft->text, key, 0);

	if (tag == 0)
		return;
	put16(draft->packet->bytes + draft->l3 - 2, type);
	put16(draft->packet->bytes + draft->l3, tag);
	draft->l3 += 4;
}

void
packet_build(struct packet *packet, const char *text)
{
	struct draft draft = {.packet = packet, .text = text, .l3 = ETH};
	char src[64], dst[64];
	unsigned type;

	memset(packet, 0, sizeof(*packet));
	if (sscanf(text, "%15s %63s > %63s %15s", draft.kind, src, dst,
		draft.flags) < 3)
		fail("not a packet", text);
	if (strchr(draft.flags, '='))
		draft.flags[0] = '\0';
	parse_end(&draft.src, src);
	parse_end(&draft.dst, dst);
	choose_mac(packet->bytes, &draft, "dmac", &draft.dst);
	choose_mac(packet->bytes + 6, &draft, "smac", &draft.src);
	put_tag(&draft, "svlan", 0x88a8);
	put_tag(&draft, "vlan", 0x8100);
	type = strncmp(draft.kind, "arp-", 4) == 0 ? 0x0806
	    : draft.src.v6                         ? 0x86dd
						   : 0x0800;
	put16(packet->bytes + draft.l3 - 2,
	    (unsigned)packet_number(text, "ethertype", type));
	if (type == 0x0806)
		packet->len =
		    draft.l3 + build_arp(&draft, packet->bytes + draft.l3);
	else
		build_ip(&draft);
	finish(&draft);
}
