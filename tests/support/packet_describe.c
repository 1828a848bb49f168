/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/packet.h"

/* A text that grows, cut at PACKET_TEXT_SIZE. */
struct text {
	char *buf;
	size_t len;
};

enum { MLD_GROUPS = 16 }; /* written out */

static void describe_ip(struct text *, const uint8_t *, size_t, bool);

static unsigned
get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static unsigned long
get32(const uint8_t *p)
{
	return (unsigned long)get16(p) << 16 | get16(p + 2);
}

static void __attribute__((format(printf, 2, 3)))
say(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	if (text->len >= PACKET_TEXT_SIZE)
		return;
	va_start(args, format);
	n = vsnprintf(
	    text->buf + text->len, PACKET_TEXT_SIZE - text->len, format, args);
	va_end(args);
	text->len += (size_t)n;
}

static void
say_mac(struct text *text, const char *key, const uint8_t *mac)
{
	say(text, " %s=%02x:%02x:%02x:%02x:%02x:%02x", key, mac[0], mac[1],
	    mac[2], mac[3], mac[4], mac[5]);
}

static void
say_ends(struct text *text, const char *kind, const uint8_t *src,
    const uint8_t *dst, bool v6, const uint8_t *ports)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	int family = v6 ? AF_INET6 : AF_INET;

	inet_ntop(family, src, from, sizeof(from));
	inet_ntop(family, dst, to, sizeof(to));
	if (ports)
		say(text, v6 ? "%s [%s]:%u > [%s]:%u" : "%s %s:%u > %s:%u",
		    kind, from, get16(ports), to, get16(ports + 2));
	else
		say(text, "%s %s > %s", kind, from, to);
}

static void
say_options(struct text *text, const uint8_t *tcp, size_t len)
{
	size_t at = 20;

	while (at < len && tcp[at] != 0) {
		if (tcp[at] == 1) {
			at++;
			continue;
		}
		if (at + 1 >= len || tcp[at + 1] < 2 || at + tcp[at + 1] > len)
			return;
		if (tcp[at] == 2 && tcp[at + 1] == 4)
			say(text, " mss=%u", get16(tcp + at + 2));
		if (tcp[at] == 3 && tcp[at + 1] == 3)
			say(text, " ws=%u", tcp[at + 2]);
		at += tcp[at + 1];
	}
}

static uint32_t
pseudo(const uint8_t *ip, bool v6, uint8_t proto, size_t len)
{
	return v6 ? packet_sum(0, ip + 8, 32) + (uint32_t)len + proto
		  : packet_sum(0, ip + 12, 8) + (uint32_t)len + proto;
}

static void
describe_tcp(struct text *text, const uint8_t *ip, bool v6, const uint8_t *tcp,
    size_t len, bool whole)
{
	static const char letters[] = "FSRPAU";
	size_t head;

	say_ends(text, "tcp", ip + (v6 ? 8 : 12), ip + (v6 ? 24 : 16), v6, tcp);
	if (len < 20) {
		say(text, " seq=%lu cut=%zu", len >= 8 ? get32(tcp + 4) : 0,
		    len);
		return;
	}
	say(text, " ");
	for (unsigned i = 0; i < 6; i++)
		if (tcp[13] & 1u << i)
			say(text, "%c", letters[i]);
	if (tcp[13] == 0)
		say(text, "-");
	head = (tcp[12] >> 4) * 4u;
	if (head < 20 || head > len) {
		say(text, " head=bad");
		return;
	}
	say(text, " seq=%lu ack=%lu win=%u len=%zu", get32(tcp + 4),
	    get32(tcp + 8), get16(tcp + 14), len - head);
	say_options(text, tcp, head);
	if (whole && packet_sum(pseudo(ip, v6, 6, len), tcp, len) != 0xffff)
		say(text, " sum=bad");
}

static const char *
icmp_name(uint8_t type, uint8_t code, bool v6)
{
	if (v6)
		switch (type) {
		case 1:
			return "unreach";
		case 2:
			return "too-big";
		case 3:
			return "exceeded";
		case 4:
			return "param";
		case 128:
			return "echo";
		case 129:
			return "echo-reply";
		case 130:
			return "mld-query";
		case 131:
			return "mld-report1";
		case 135:
			return "ns";
		case 136:
			return "na";
		case 143:
			return "mld-report";
		default:
			return "icmp";
		}
	switch (type) {
	case 0:
		return "echo-reply";
	case 3:
		return code == 4 ? "too-big" : "unreach";
	case 8:
		return "echo";
	case 11:
		return "exceeded";
	case 12:
		return "param";
	default:
		return "icmp";
	}
}

static void
describe_nd(struct text *text, const uint8_t *nd, size_t len)
{
	char target[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, nd + 8, target, sizeof(target));
	say(text, " target=%s nf=%s%s%s", target, nd[4] & 0x80 ? "R" : "",
	    nd[4] & 0x40 ? "S" : "", nd[4] & 0x20 ? "O" : "");
	if (len >= 32)
		say_mac(text, "mac", nd + 26);
}

/* All records of one type, and without sources; alert: what precedes it. */
static void
describe_mld(struct text *text, const uint8_t *mld, size_t len, bool alert)
{
	char group[INET6_ADDRSTRLEN];
	unsigned count = get16(mld + 6);

	if (alert)
		say(text, " alert=%u", get16(mld - 4));
	if (mld[0] != 143) {
		inet_ntop(AF_INET6, mld + 8, group, sizeof(group));
		say(text, " delay=%u group=%s v=%d", get16(mld + 4), group,
		    len > 24 ? 2 : 1);
		return;
	}
	say(text, " n=%u", count);
	if (len != 8 + 20 * (size_t)count) {
		say(text, " records=bad");
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *record = mld + 8 + 20 * (size_t)i;

		if (record[0] != mld[8] || get32(record) & 0xffffff)
			say(text, " records=bad");
		inet_ntop(AF_INET6, record + 4, group, sizeof(group));
		if (i < MLD_GROUPS)
			say(text, " g%u=%s", i, group);
	}
	say(text, " rec=%u", mld[8]);
}

static void
describe_icmp(struct text *text, const uint8_t *ip, bool v6,
    const uint8_t *icmp, size_t len, bool whole)
{
	const char *name = icmp_name(icmp[0], icmp[1], v6);
	uint32_t sum = v6 ? pseudo(ip, true, 58, len) : 0;

	say_ends(text, name, ip + (v6 ? 8 : 12), ip + (v6 ? 24 : 16), v6, NULL);
	say(text, " type=%u code=%u", icmp[0], icmp[1]);
	if (whole && packet_sum(sum, icmp, len) != 0xffff)
		say(text, " sum=bad");
	if (name[0] == 'n' && len >= 24) {
		describe_nd(text, icmp, len);
	} else if (name[0] == 'm') {
		if (whole && len >= (icmp[0] == 143 ? 8 : 24))
			describe_mld(text, icmp, len,
			    ip[6] == 0 && icmp == ip + 48 && ip[42] == 5);
	} else if (name[0] == 'e' && name[1] == 'c') {
		say(text, " id=%u seq=%u len=%zu", get16(icmp + 4),
		    get16(icmp + 6), len - 8);
	} else if (name[0] != 'i') {
		say(text, " mtu=%lu / ", get32(icmp + 4) & 0xffff);
		describe_ip(text, icmp + 8, len - 8, false);
	}
}

/* A packet, or as much of it as an ICMP error quotes. */
static void
describe_ip(struct text *text, const uint8_t *ip, size_t len, bool whole)
{
	bool v6 = len > 0 && ip[0] >> 4 == 6;
	size_t head = v6 ? 40 : (size_t)(ip[0] & 15) * 4;
	uint8_t proto;
	size_t total;

	if (len < (v6 ? 40u : 20u) || len < head) {
		say(text, "ip len=%zu", len);
		return;
	}
	total = v6 ? 40u + get16(ip + 4) : get16(ip + 2);
	proto = v6 ? ip[6] : ip[9];
	while (v6 && (proto == 0 || proto == 60) && head + 8 <= len) {
		proto = ip[head];
		head += 8 + ip[head + 1] * 8u;
	}
	/* A quote may be whole, too. */
	whole = whole || total == len;
	if (whole && total < len)
		len = total;
	if (proto == 6 && len >= head + 8)
		describe_tcp(text, ip, v6, ip + head, len - head, whole);
	else if (proto == (v6 ? 58 : 1) && len >= head + 8)
		describe_icmp(text, ip, v6, ip + head, len - head, whole);
	else
		say_ends(text, "ip", ip + (v6 ? 8 : 12), ip + (v6 ? 24 : 16),
		    v6, NULL);
	/* The keys of the outer packet stand before those of the quote. */
	if (strstr(text->buf, " / ") != NULL && proto != 6)
		return;
	say(text, " ttl=%u tos=0x%02x total=%zu", v6 ? ip[7] : ip[8],
	    v6 ? get16(ip) >> 4 & 0xff : ip[1], total);
	if (!v6 && packet_sum(0, ip, head) != 0xffff)
		say(text, " ipsum=bad");
}

void
packet_describe(char buf[PACKET_TEXT_SIZE], const uint8_t *frame, size_t len)
{
	/* Zeros behind a frame that is cut short. */
	uint8_t bytes[2 * PACKET_MAX] = {0};
	struct text text = {.buf = buf};
	const uint8_t *l3 = bytes + 14;
	char rest[PACKET_TEXT_SIZE], *quote;
	size_t at;

	buf[0] = '\0';
	if (len > PACKET_MAX)
		len = PACKET_MAX;
	memcpy(bytes, frame, len);
	if (len < 14) {
		say(&text, "runt len=%zu", len);
		return;
	}
	switch (get16(bytes + 12)) {
	case 0x0806:
		say_ends(&text, l3[7] == 2 ? "arp-reply" : "arp-request",
		    l3 + 14, l3 + 24, false, NULL);
		say_mac(&text, "mac", l3 + 8);
		break;
	case 0x0800:
	case 0x86dd:
		describe_ip(&text, l3, len - 14, true);
		break;
	default:
		say(&text, "ethertype type=0x%04x", get16(bytes + 12));
	}
	/* The frame's own keys go before the quote. */
	quote = strstr(buf, " / ");
	rest[0] = '\0';
	if (quote) {
		snprintf(rest, sizeof(rest), "%s", quote);
		text.len = (size_t)(quote - buf);
		if (get16(bytes + 12) == 0x0800) {
			say(&text, " ttl=%u", l3[8]);
			if (packet_sum(0, l3, (l3[0] & 15) * 4u) != 0xffff)
				say(&text, " ipsum=bad");
		} else {
			say(&text, " ttl=%u", l3[7]);
		}
	}
	say_mac(&text, "smac", bytes + 6);
	say_mac(&text, "dmac", bytes);
	at = len;
	say(&text, " frame=%zu%s", at, rest);
}

/* The next word of a list, or NULL at its end or at a "/". */
static const char *
next_word(const char *at, char word[128])
{
	at += strspn(at, " ");
	if (*at == '\0' || *at == '/')
		return NULL;
	snprintf(word, 128, "%.*s", (int)strcspn(at, " "), at);
	return at + strcspn(at, " ");
}

static bool
word_fits(const char *actual, const char *expected)
{
	size_t len = strlen(expected);

	if (strcmp(expected, "*") == 0)
		return true;
	if (len >= 2 && strcmp(expected + len - 2, ":*") == 0)
		return strncmp(actual, expected, len - 1) == 0 &&
		    strcmp(actual, expected) != 0;
	return strcmp(actual, expected) == 0;
}

static bool
section_matches(const char *actual, const char *expected)
{
	const char *a = actual, *e = expected;
	char is[128], want[128], value[64];

	/* Words first, in order; then keys, in any. */
	while ((e = next_word(e, want)) != NULL && !strchr(want, '=')) {
		a = next_word(a, is);
		if (!a || !word_fits(is, want))
			return false;
	}
	for (; e; e = next_word(e, want)) {
		char *equals = strchr(want, '=');

		*equals = '\0';
		if (!packet_word(actual, want, value, sizeof(value)) ||
		    strcmp(value, equals + 1) != 0)
			return false;
	}
	for (unsigned i = 0; i < 2; i++) {
		const char *sum = i ? "sum" : "ipsum";

		if (packet_word(actual, sum, value, sizeof(value)) &&
		    !packet_word(expected, sum, want, sizeof(want)))
			return false;
	}
	return true;
}

bool
packet_matches(const char *actual, const char *expected)
{
	while (section_matches(actual, expected)) {
		expected = strstr(expected, " / ");
		actual = strstr(actual, " / ");
		if (!expected)
			return true;
		if (!actual)
			return false;
		expected += 3;
		actual += 3;
	}
	return false;
}
