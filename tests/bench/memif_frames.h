/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames of clients and brokers behind one port, and what has to become
 * of them.
 *
 *	10.200.0.0/16 -- gateway 10.9.1.254 --+
 *	clients                               +-- VIP 10.9.1.100:9092
 *	           broker 10.9.1.1:9092 ------+   own 10.9.1.10, .11
 *
 * The sequence numbers of a connection are its number, so that each frame
 * tells which it belongs to.
 */
#ifndef LP_BENCH_MEMIF_FRAMES_H
#define LP_BENCH_MEMIF_FRAMES_H

#include <stdbool.h>

#include "segment.h"

enum {
	FRAMES_TO_BROKER,
	FRAMES_TO_CLIENT,
	FRAMES_DIRECTIONS,
	FRAMES_MAX = 65536, /* connections */
	FRAMES_ARP_LEN = LP_ETH_LEN + LP_ARP_LEN,
	FRAMES_SYN = 0x02,
	FRAMES_ACK = 0x10,
	FRAMES_DATA = 0x18, /* PSH, ACK */
};

/* How the system under test is expected to treat frames. */
enum frames_mode {
	FRAMES_NAT, /* both addresses translated, routed */
	FRAMES_BOUNCE, /* sent back, MAC addresses swapped */
};

/* What differs from connection to connection, as it is on the wire. */
struct frames_tuple {
	uint16_t ip_sum, tcp_sum; /* of a data segment */
	uint8_t addresses[8]; /* source, destination */
	uint8_t ports[4]; /* source, destination */
};

struct frames {
	enum frames_mode mode;
	uint16_t payload;
	uint32_t count; /* of connections */
	uint8_t peer[FRAMES_DIRECTIONS][6]; /* whom each side sends to */
	bool resolved[FRAMES_DIRECTIONS];
	struct frames_tuple (*tuples)[FRAMES_DIRECTIONS];
};

void frames_init(struct frames *frames, uint32_t count);
void frames_fini(struct frames *frames);

/* A segment of that connection, without its payload of so many zeros. */
void frames_make(const struct frames *frames, uint8_t head[HEAD_LEN],
    uint32_t number, unsigned direction, uint8_t flags, uint16_t payload);

/* Makes what there is a data segment of another connection. */
static inline void
frames_patch(uint8_t *head, const struct frames_tuple *tuple, uint32_t number)
{
	uint8_t *tcp = head + SEGMENT_TCP;
	uint32_t seq = htobe32(number << 12 | 1);

	memcpy(head + SEGMENT_IP + LP_IP4_SUM, &tuple->ip_sum, 2);
	memcpy(head + SEGMENT_IP + LP_IP4_SRC, tuple->addresses, 8);
	memcpy(tcp + LP_TCP_SRC, tuple->ports, 4);
	memcpy(tcp + LP_TCP_SEQ, &seq, 4);
	memcpy(tcp + LP_TCP_ACKNO, &seq, 4);
	memcpy(tcp + LP_TCP_SUM, &tuple->tcp_sum, 2);
}

/* True if it is TCP over IPv4 with just these flags. */
static inline bool
frames_is(const uint8_t *frame, unsigned len, uint8_t flags)
{
	return len >= HEAD_LEN &&
	    lp_get16(frame + LP_ETH_TYPE) == LP_ETHERTYPE_IPV4 &&
	    frame[SEGMENT_IP + LP_IP4_PROTO] == LP_PROTO_TCP &&
	    frame[SEGMENT_TCP + LP_TCP_FLAGS] == flags;
}

/* Which connection a segment belongs to; count if to none. */
uint32_t frames_number(const struct frames *frames, const uint8_t *frame);

/* As what a SYN left, so that the broker may answer it. */
void frames_learn(struct frames *frames, uint32_t number, const uint8_t *frame);

/* Computes the tuples of data segments, once all addresses are known. */
void frames_settle(struct frames *frames);

/* Why it is not what has to become of a segment of ours; NULL if it is. */
const char *frames_wrong(
    const struct frames *frames, const uint8_t *frame, unsigned len);

/* Asks who it is that a side sends to. */
void frames_ask(uint8_t arp[FRAMES_ARP_LEN], unsigned direction);

/*
 * Learns from an answer, or makes an answer out of a question, in place; true
 * if there is something to send.
 */
bool frames_arp(struct frames *frames, uint8_t *frame, unsigned len);

/* "10.200.0.1:32768 > 10.9.1.100:9092" */
enum { FRAMES_TEXT = 48 };
void frames_text(char text[FRAMES_TEXT], const uint8_t *frame);

#endif
