/* SPDX-License-Identifier: Apache-2.0 */
#include "memif_frames.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/pipeline/checksum.h"

enum {
	IP = SEGMENT_IP,
	TCP = SEGMENT_TCP,
	ARP = LP_ETH_LEN,
	PORT = 9092,
	CLIENTS_A_HOST = 256,
	FIRST_PORT = 32768,
};

#define IP4(a, b, c, d)                                                        \
	((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (uint32_t)(d))

static const uint32_t vip = IP4(10, 9, 1, 100);
static const uint32_t own = IP4(10, 9, 1, 10);
static const uint32_t own_last = IP4(10, 9, 1, 11);
static const uint32_t broker = IP4(10, 9, 1, 1);
static const uint32_t gateway = IP4(10, 9, 1, 254);

/* Where the frames of a direction come from. */
static const uint8_t macs[FRAMES_DIRECTIONS][6] = {
    {2, 0, 0, 0, 1, 1}, /* of the gateway */
    {2, 0, 0, 0, 2, 1}, /* of the broker */
};

static void put_ends(uint8_t *addresses, uint8_t *ports, uint32_t src,
    uint16_t sport, uint32_t dst, uint16_t dport);
static const char *wrong_ends(const struct frames *frames, const uint8_t *frame,
    uint32_t number, unsigned direction);
static bool sums_hold(const uint8_t *ip, unsigned len);

/* Before the broker has seen a connection, it looks as without translation. */
void
frames_init(struct frames *frames, uint32_t count)
{
	frames->count = count;
	frames->tuples = calloc(count, sizeof(*frames->tuples));
	if (frames->tuples == NULL)
		err(1, "connections");
	for (uint32_t i = 0; i < count; i++) {
		struct frames_tuple *tuple = frames->tuples[i];
		uint32_t client = IP4(10, 200, 0, 0) + 1 + i / CLIENTS_A_HOST;
		uint16_t port = (uint16_t)(FIRST_PORT + i % CLIENTS_A_HOST);

		put_ends(tuple[FRAMES_TO_BROKER].addresses,
		    tuple[FRAMES_TO_BROKER].ports, client, port, vip, PORT);
		put_ends(tuple[FRAMES_TO_CLIENT].addresses,
		    tuple[FRAMES_TO_CLIENT].ports, broker, PORT, client, port);
	}
}

void
frames_fini(struct frames *frames)
{
	free(frames->tuples);
}

void
frames_make(const struct frames *frames, uint8_t head[HEAD_LEN],
    uint32_t number, unsigned direction, uint8_t flags, uint16_t payload)
{
	const struct frames_tuple *tuple = &frames->tuples[number][direction];
	uint32_t seq = number << 12;

	segment_lay_out(head);
	memcpy(head + LP_ETH_DST, frames->peer[direction], 6);
	memcpy(head + LP_ETH_SRC, macs[direction], 6);
	memcpy(head + IP + LP_IP4_SRC, tuple->addresses, 8);
	memcpy(head + TCP + LP_TCP_SRC, tuple->ports, 4);
	segment_set(head, flags, flags & FRAMES_SYN ? seq : seq + 1,
	    flags & FRAMES_ACK ? seq + 1 : 0, payload);
}

uint32_t
frames_number(const struct frames *frames, const uint8_t *frame)
{
	uint32_t number = lp_get32(frame + TCP + LP_TCP_SEQ) >> 12;

	return number < frames->count ? number : frames->count;
}

void
frames_learn(struct frames *frames, uint32_t number, const uint8_t *frame)
{
	struct frames_tuple *tuple = &frames->tuples[number][FRAMES_TO_CLIENT];

	memcpy(tuple->addresses + 4, frame + IP + LP_IP4_SRC, 4);
	memcpy(tuple->ports + 2, frame + TCP + LP_TCP_SRC, 2);
}

void
frames_settle(struct frames *frames)
{
	uint8_t head[HEAD_LEN];

	for (uint32_t i = 0; i < frames->count; i++) {
		for (unsigned j = 0; j < FRAMES_DIRECTIONS; j++) {
			struct frames_tuple *tuple = &frames->tuples[i][j];

			frames_make(
			    frames, head, i, j, FRAMES_DATA, frames->payload);
			memcpy(&tuple->ip_sum, head + IP + LP_IP4_SUM, 2);
			memcpy(&tuple->tcp_sum, head + TCP + LP_TCP_SUM, 2);
		}
	}
}

const char *
frames_wrong(const struct frames *frames, const uint8_t *frame, unsigned len)
{
	bool nat = frames->mode == FRAMES_NAT;
	uint32_t number = frames_number(frames, frame);
	unsigned direction;

	if (number == frames->count)
		return "of no connection";
	direction = lp_get32(frame + IP + LP_IP4_DST) == (nat ? broker : vip)
	    ? FRAMES_TO_BROKER
	    : FRAMES_TO_CLIENT;
	if (memcmp(frame + LP_ETH_DST, macs[nat ? !direction : direction], 6) !=
	    0)
		return "to another MAC address";
	if (frame[IP + LP_IP4_TTL] != SEGMENT_TTL - nat)
		return "with another TTL";
	if (!sums_hold(frame + IP, len - LP_ETH_LEN))
		return "with a wrong checksum";
	return wrong_ends(frames, frame, number, direction);
}

void
frames_ask(uint8_t arp[FRAMES_ARP_LEN], unsigned direction)
{
	static const uint8_t head[8] = {0, 1, 8, 0, 6, 4, 0, LP_ARP_REQUEST};
	bool client = direction == FRAMES_TO_BROKER;

	memset(arp, 0, FRAMES_ARP_LEN);
	memset(arp + LP_ETH_DST, 0xff, 6);
	memcpy(arp + LP_ETH_SRC, macs[direction], 6);
	lp_put16(arp + LP_ETH_TYPE, LP_ETHERTYPE_ARP);
	memcpy(arp + ARP, head, sizeof(head));
	memcpy(arp + ARP + LP_ARP_SHA, macs[direction], 6);
	lp_put32(arp + ARP + LP_ARP_SPA, client ? gateway : broker);
	lp_put32(arp + ARP + LP_ARP_TPA, client ? vip : own);
}

bool
frames_arp(struct frames *frames, uint8_t *frame, unsigned len)
{
	uint8_t *arp = frame + ARP;
	uint32_t sender, target;
	unsigned direction;

	if (len < FRAMES_ARP_LEN ||
	    lp_get16(frame + LP_ETH_TYPE) != LP_ETHERTYPE_ARP)
		return false;
	sender = lp_get32(arp + LP_ARP_SPA);
	target = lp_get32(arp + LP_ARP_TPA);
	direction = target == gateway ? FRAMES_TO_BROKER : FRAMES_TO_CLIENT;
	if (target != gateway && target != broker)
		return false;
	if (lp_get16(arp + LP_ARP_OP) == LP_ARP_REPLY) {
		if (sender == (target == gateway ? vip : own)) {
			memcpy(frames->peer[direction], arp + LP_ARP_SHA, 6);
			frames->resolved[direction] = true;
		}
		return false;
	}
	memcpy(frame + LP_ETH_DST, arp + LP_ARP_SHA, 6);
	memcpy(frame + LP_ETH_SRC, macs[direction], 6);
	lp_put16(arp + LP_ARP_OP, LP_ARP_REPLY);
	/* The asking end, address and all, becomes the target. */
	memcpy(arp + LP_ARP_THA, arp + LP_ARP_SHA, 10);
	memcpy(arp + LP_ARP_SHA, macs[direction], 6);
	lp_put32(arp + LP_ARP_SPA, target);
	return true;
}

void
frames_text(char text[FRAMES_TEXT], const uint8_t *frame)
{
	const uint8_t *src = frame + IP + LP_IP4_SRC;
	const uint8_t *dst = frame + IP + LP_IP4_DST;

	snprintf(text, FRAMES_TEXT, "%u.%u.%u.%u:%u > %u.%u.%u.%u:%u", src[0],
	    src[1], src[2], src[3], lp_get16(frame + TCP + LP_TCP_SRC), dst[0],
	    dst[1], dst[2], dst[3], lp_get16(frame + TCP + LP_TCP_DST));
}

static void
put_ends(uint8_t *addresses, uint8_t *ports, uint32_t src, uint16_t sport,
    uint32_t dst, uint16_t dport)
{
	lp_put32(addresses, src);
	lp_put32(addresses + 4, dst);
	lp_put16(ports, sport);
	lp_put16(ports + 2, dport);
}

/* What goes out on one side is what the other side would answer to. */
static const char *
wrong_ends(const struct frames *frames, const uint8_t *frame, uint32_t number,
    unsigned direction)
{
	const struct frames_tuple *tuple = frames->tuples[number];
	const uint8_t *ip = frame + IP, *tcp = frame + TCP;

	if (frames->mode == FRAMES_BOUNCE) {
		tuple += direction;
		return memcmp(ip + LP_IP4_SRC, tuple->addresses, 8) == 0 &&
			memcmp(tcp + LP_TCP_SRC, tuple->ports, 4) == 0
		    ? NULL
		    : "changed";
	}
	tuple += !direction;
	if (memcmp(ip + LP_IP4_SRC, tuple->addresses + 4, 4) != 0 ||
	    memcmp(tcp + LP_TCP_SRC, tuple->ports + 2, 2) != 0)
		return "from another source";
	if (memcmp(ip + LP_IP4_DST, tuple->addresses, 4) != 0 ||
	    memcmp(tcp + LP_TCP_DST, tuple->ports, 2) != 0)
		return "to another destination";
	if (direction == FRAMES_TO_BROKER &&
	    lp_get32(ip + LP_IP4_SRC) - own > own_last - own)
		return "from none of the own addresses";
	return NULL;
}

static bool
sums_hold(const uint8_t *ip, unsigned len)
{
	unsigned total = lp_get16(ip + LP_IP4_TOTAL);
	uint64_t sum;

	if (ip[0] != 0x45 || total > len ||
	    lp_sum_fold(lp_sum_add(0, ip, LP_IP4_LEN)) != 0xffff)
		return false;
	sum = lp_sum_pseudo(ip + LP_IP4_SRC, ip + LP_IP4_DST, 4, LP_PROTO_TCP,
	    total - LP_IP4_LEN);
	sum = lp_sum_add(sum, ip + LP_IP4_LEN, total - LP_IP4_LEN);
	return lp_sum_fold(sum) == 0xffff;
}
