/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/corpus.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"
#include "tests/support/ensure.h"
#include "tests/support/plane.h"

enum {
	HEAD = 3, /* in front of a frame of fuzz_packet.c: port, length */
	SEED_MAX = 8192,
	NOISE_MAX = 300,
	ETH = 14,
};

#define C4 "tcp 10.9.0.50:4000# > 10.9.0.100:9100 "
#define B4 "tcp 10.8.0.20:9092 > 10.8.0.10:$ "
#define C6 "tcp [2001:db8:9::50]:4000# > [2001:db8:9::100]:9101 "
#define B6 "tcp [2001:db8:8::21]:9092 > [2001:db8:8::10]:$ "
#define P4 "tcp 10.9.0.50:4000# > 10.9.0.101:9100 "
#define Q4 "tcp 10.8.0.20:9092 > 10.9.0.50:4000# "
#define P6 "tcp [2001:db8:9::50]:4000# > [2001:db8:9::101]:9101 "
#define Q6 "tcp [2001:db8:8::21]:9092 > [2001:db8:9::50]:4000# "

/* "#" is a digit, "$" the source port that was given last. */
static const struct {
	uint8_t slot;
	const char *text;
} seeds[] = {
    {0, C4 "S seq=1000 mss=1460 ws=7"},
    {1, B4 "SA seq=5000 ack=1001 mss=1460 ws=8"},
    {0, C4 "A seq=1001 ack=5001 len=20"},
    {1, B4 "A seq=5001 ack=1001 len=30"},
    {0, C4 "FA seq=1001 ack=5001"},
    {1, B4 "FA seq=5001 ack=1002"},
    {0, C4 "R seq=1001"},
    {0, "tcp 10.9.0.51:4000# > 10.9.0.100:9092 S seq=1 mss=9000"},
    {0, "tcp 10.9.0.50:4000# > 10.9.0.100:9101 S seq=1"},
    {0, "tcp 10.9.0.50:4000# > 10.9.0.100:22 S seq=1 len=3"},
    {0, "tcp 10.9.0.50:4000# > 10.9.0.77:9100 S seq=1"},
    {1, "tcp 10.8.0.20:9092 > 10.8.0.11:5# A seq=5 ack=6"},
    {0, C6 "S seq=1000 mss=1440 ws=7"},
    {1, B6 "SA seq=5000 ack=1001 mss=1440"},
    {0, C6 "A seq=1001 ack=5001 len=20"},
    {1, B6 "A seq=5001 ack=1001 len=1#"},
    {0, P4 "S seq=1000 mss=1460"},
    {1, Q4 "SA seq=5000 ack=1001"},
    {0, P4 "A seq=1001 ack=5001 len=9"},
    {1, Q4 "A seq=5001 ack=1001 len=9"},
    {0, P6 "S seq=1000 mss=1440"},
    {1, Q6 "SA seq=5000 ack=1001"},
    {1, Q6 "A seq=5001 ack=1001 len=9"},
    {1, "tcp 10.8.0.20:9093 > 10.9.0.50:4000# A seq=5 ack=6"},
    {0, "echo 10.9.0.50 > 10.9.0.100 id=7 len=2#"},
    {1, "echo 10.8.0.20 > 10.8.0.11 id=7 len=56"},
    {0, "echo 10.9.0.50 > 10.9.0.24# id=7"},
    {0, "echo 2001:db8:9::50 > 2001:db8:9::10 id=7 len=1#"},
    {0, "echo 2001:db8:9::50 > 2001:db8:9::7# id=7"},
    {0, "arp-request 10.9.0.5# > 10.9.0.10 dmac=ff:ff:ff:ff:ff:ff"},
    {0, "arp-request 10.9.0.5# > 10.9.0.77 dmac=ff:ff:ff:ff:ff:ff"},
    {1, "arp-request 10.8.0.20 > 10.8.0.20 dmac=ff:ff:ff:ff:ff:ff"},
    {1, "arp-reply 10.8.0.20 > 10.8.0.10"},
    {1, "arp-reply 10.8.0.20 > 10.8.0.9 mac=2:0:0:0:0:#"},
    {0,
	"ns 2001:db8:9::5# > ff02::1:ff00:10 target=2001:db8:9::10 "
	"dmac=33:33:ff:0:0:10"},
    {0,
	"ns 2001:db8:9::5# > ff02::1:ff00:77 target=2001:db8:9::77 "
	"dmac=33:33:ff:0:0:77"},
    {0, "ns 2001:db8:9::5# > 2001:db8:9::10 target=2001:db8:9::10"},
    {1, "na 2001:db8:8::21 > 2001:db8:8::10 target=2001:db8:8::21 nf=SO"},
    {1,
	"na 2001:db8:8::21 > ff02::1 target=2001:db8:8::21 nf=O "
	"dmac=33:33:0:0:0:1"},
    {1, "na 2001:db8:8::21 > 2001:db8:8::9 target=2001:db8:8::21 nf=SO"},
    /* The kernel's, on all ports that there are. */
    {0, "mld-query fe80::# > ff02::1 delay=1# dmac=33:33:0:0:0:1"},
    {1,
	"mld-query fe80::1 > ff02::1:ff00:10 group=ff02::1:ff00:10 v=1 "
	"dmac=33:33:ff:0:0:10"},
    {0, "mld-query fe80::1 > 2001:db8:9::10 group=ff02::1:ff00:10"},
    {0,
	"too-big 10.9.0.1 > 10.9.0.100 mtu=1280 / tcp 10.9.0.100:9100 > "
	"10.9.0.50:4000# A seq=5001 len=8"},
    {1,
	"unreach 10.8.0.1 > 10.8.0.10 code=1 / tcp 10.8.0.10:$ > "
	"10.8.0.20:9092 A seq=1001"},
    {1,
	"too-big 10.8.0.1 > 10.9.0.50 mtu=1280 / tcp 10.9.0.50:4000# > "
	"10.8.0.20:9092 A seq=1001 len=8"},
    {0,
	"unreach 10.9.0.1 > 10.9.0.77 code=1 / tcp 10.9.0.100:9100 > "
	"10.9.0.50:4000# A seq=5001 len=8"},
    {0,
	"too-big fe80::1 > 2001:db8:9::100 mtu=1280 / tcp "
	"[2001:db8:9::100]:9101 > [2001:db8:9::50]:4000# A seq=5001 len=8"},
    {1,
	"unreach 2001:db8:8::1 > 2001:db8:8::10 code=3 / tcp "
	"[2001:db8:8::10]:$ > [2001:db8:8::21]:9092 A seq=1001 len=8"},
};

/* Fields that are said before others count. */
static const char *const fields[] = {"ttl=1", "ttl=2", "ttl=255", "frag=0",
    "frag=0x2000", "frag=0x10", "ipopt=1", "ipopt=#", "ext=hop", "ext=dst",
    "ext=hop,dst", "ext=dst,dst,dst,dst", "ext=route", "ext=frag",
    "ext=hop,frag", "ext=alert", "ext=none", "proto=17", "proto=6", "proto=58",
    "total=0", "total=2#", "total=65535", "off=4", "off=#", "badsum=1",
    "badip=1", "vlan=#", "ethertype=0x88cc", "ethertype=0x88a8",
    "ethertype=0x0800", "ethertype=0x86dd", "ethertype=0x0806", "len=0",
    "len=#", "len=536", "len=138#", "win=0", "seq=1001", "seq=5001", "seq=100#",
    "seq=90000000", "ack=1001", "ack=5001", "ack=1", "mss=8960", "mss=536",
    "mss=65535 nop=#", "ws=14", "opts=0402", "opts=05ff020405b40101", "pad=6",
    "pad=90", "cut=3#", "cut=5#", "smac=2:9:9:9:9:#", "smac=1:0:0:0:0:1",
    "dmac=ff:ff:ff:ff:ff:ff", "dmac=2:0:0:0:9:#", "dmac=1:0:5e:0:0:#", "type=#",
    "type=13#", "code=#", "mtu=#", "quote=28", "quote=4#", "@14=0x4#", "@22=#",
    "@15=6", "@19=16", "@21=#"};

/* A digit for each "#". */
static void
fill(uint64_t *random, char *text)
{
	for (char *at = text; (at = strchr(at, '#')) != NULL;)
		*at = (char)('0' + fuzz_draw(random) % 8);
}

/* Fields go behind the ends, and the flags of TCP. */
static void
insert(char text[PACKET_TEXT_SIZE], const char *field)
{
	char rest[PACKET_TEXT_SIZE];
	char *at = strstr(text, " > ") + 3;

	at += strcspn(at, " ");
	if (strncmp(text, "tcp", 3) == 0)
		at += 1 + strcspn(at + 1, " ");
	snprintf(rest, sizeof(rest), "%s", at);
	snprintf(
	    at, PACKET_TEXT_SIZE - (size_t)(at - text), " %s%s", field, rest);
}

static void
from_text(uint64_t *random, struct corpus_frame *frame)
{
	unsigned which = fuzz_draw(random) % (sizeof(seeds) / sizeof(seeds[0]));
	unsigned changes = fuzz_draw(random) % 4;
	char text[PACKET_TEXT_SIZE];

	frame->slot = seeds[which].slot;
	snprintf(text, sizeof(text), "%s", seeds[which].text);
	/* Half of them stay as they are. */
	for (; changes > 1; changes--)
		insert(text,
		    fields[fuzz_draw(random) %
			(sizeof(fields) / sizeof(fields[0]))]);
	fill(random, text);
	plane_build(&frame->packet, frame->slot, text);
}

/* One of the frames that fuzz_packet.c begins with. */
static void
from_seed(uint64_t *random, struct corpus_frame *frame)
{
	uint8_t list[SEED_MAX];
	unsigned count = 0;
	size_t size, at = 0, len;

	while (fuzz_seed(count, list, sizeof(list)) > 0)
		count++;
	size = fuzz_seed(fuzz_draw(random) % count, list, sizeof(list));
	for (;;) {
		len = (size_t)list[at + 1] << 8 | list[at + 2];
		if (at + HEAD + len >= size || fuzz_draw(random) % 3 == 0)
			break;
		at += HEAD + len;
	}
	frame->slot = list[at] & 1;
	frame->packet.len = len;
	memcpy(frame->packet.bytes, list + at + HEAD, len);
	if (!(frame->packet.bytes[0] & 1))
		memcpy(frame->packet.bytes, plane.wires[frame->slot]->mac, 6);
}

static void
from_noise(uint64_t *random, struct corpus_frame *frame)
{
	struct packet *packet = &frame->packet;

	frame->slot = fuzz_draw(random) % 2;
	packet->len = fuzz_draw(random) % NOISE_MAX;
	for (size_t i = 0; i < packet->len; i++)
		packet->bytes[i] = (uint8_t)fuzz_draw(random);
	memcpy(packet->bytes, plane.wires[frame->slot]->mac, 6);
}

/* Mostly none; now and then what timers wait for. */
static uint64_t
wait_ns(uint64_t *random)
{
	static const uint32_t ms[] = {0, 1, 10, 100, 1001, 4000, 31000, 300000};
	uint32_t which = fuzz_draw(random) % 64;

	return which < sizeof(ms) / sizeof(ms[0]) ? ms[which] * 1000000ull : 0;
}

void
corpus_next(uint64_t *random, struct corpus_frame *frame)
{
	struct packet *packet = &frame->packet;
	size_t most;

	memset(packet, 0, sizeof(*packet));
	frame->wait_ns = wait_ns(random);
	switch (fuzz_draw(random) % 16) {
	case 0:
		from_noise(random, frame);
		break;
	case 1:
	case 2:
		from_seed(random, frame);
		break;
	default:
		from_text(random, frame);
		break;
	}
	if (fuzz_draw(random) % 4 == 0 && packet->len > ETH)
		/* A device is given frames for it. */
		for (unsigned n = fuzz_draw(random) % 4; n > 0; n--)
			packet->len = ETH - 2 +
			    fuzz_mutate(random, packet->bytes + ETH - 2,
				packet->len - (ETH - 2));
	/* By the other port. */
	if (fuzz_draw(random) % 16 == 0) {
		frame->slot ^= 1;
		if (!(packet->bytes[0] & 1))
			memcpy(packet->bytes, plane.wires[frame->slot]->mac, 6);
	}
	/* What a device sends: no less than its header, and no more. */
	most = ETH + (size_t)plane.wires[frame->slot]->mtu;
	if (packet->len < ETH)
		packet->len = ETH;
	if (packet->len > most)
		packet->len = most;
	ensure(packet->len <= PACKET_MAX, "too long");
}
