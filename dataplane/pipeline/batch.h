/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packet and a batch of packets.
 *
 * A packet is one contiguous buffer; its descriptor is one cache line.  Stages
 * exchange offsets, never pointers into the frame: parse proves the bounds,
 * the stages behind it assert them.  Packets keep their index from rx to tx; a
 * stage skips those that have a verdict.
 *
 * Ownership: rx gives a buffer to the batch, tx and release give it back.
 * LP_HOLD is the one verdict that moves it elsewhere (neighbor.c).
 */
#ifndef LP_PIPELINE_BATCH_H
#define LP_PIPELINE_BATCH_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/pipeline/limits.h"
#include "proto/reasons.h"

enum { LP_CONN_NONE = UINT32_MAX };
enum { LP_PORT_NONE = UINT8_MAX };

enum lp_direction {
	LP_TO_BROKER = 0,
	LP_TO_CLIENT = 1,
};

enum lp_pkt_flags {
	LP_PKT_V6 = 1 << 0,
	LP_PKT_TCP = 1 << 1,
	LP_PKT_ICMP = 1 << 2, /* ICMP or ICMPv6 */
	LP_PKT_ARP = 1 << 3,
	LP_PKT_COPY = 1 << 4, /* the kernel has it too: learn, never answer */
	LP_PKT_IP_SUM_GOOD = 1 << 5, /* the device has verified it: IPv4 */
	LP_PKT_TCP_SUM_GOOD = 1 << 6, /* and that of TCP */
	LP_PKT_INLINE = 1 << 7, /* of an inline port: leaves by its peer */
	/* What the port says of a packet; all others are the stages'. */
	LP_PKT_FROM_PORT =
	    LP_PKT_COPY | LP_PKT_IP_SUM_GOOD | LP_PKT_TCP_SUM_GOOD,
};

struct lp_capture;
struct lp_mirror;
struct lp_snapshot;

struct lp_pkt {
	_Alignas(64) uint8_t *data; /* first byte of the Ethernet header */
	uint64_t buf; /* the back end's own handle, opaque to stages */
	uint32_t conn; /* index in the region, or LP_CONN_NONE */
	uint16_t len; /* bytes from data, Ethernet header included */
	uint16_t l3_off;
	uint16_t l4_off;
	uint16_t payload_off;
	uint16_t payload_len;
	uint8_t flags; /* enum lp_pkt_flags */
	uint8_t tcp_flags; /* RFC 9293, 3.1 */
	uint8_t dir; /* enum lp_direction, set with conn */
	uint8_t verdict; /* enum lp_verdict */
	uint8_t reason; /* enum lp_reason */
	uint8_t port_in; /* slot of the port */
	uint8_t port_out; /* LP_PORT_NONE: do not transmit */
	/* capture.h: its entry among those of the batch, from 1; 0: none.
	 * Valid only with a capture in the batch. */
	uint8_t captured;
	uint16_t frame_len; /* len as it came in, padding included */
	uint8_t behind; /* of the outbox: leaves behind so many of the batch */
	/* mirror.h, valid only with a mirror in the batch: 1 + the slot that a
	 * copy leaves by, or 0; of the outbox, that its payload is hidden. */
	uint8_t mirror;
	bool hidden;
	uint8_t spare1[21];
};
static_assert(sizeof(struct lp_pkt) == 64, "one packet, one cache line");

/*
 * Packets that we made ourselves or had held; they leave among those of the
 * batch, each where it belongs (transmit.c).
 * They have left the accounting of reasons: counters of their own.
 */
struct lp_outbox {
	unsigned count;
	struct lp_pkt pkts[LP_OUTBOX_MAX];
};

struct lp_batch {
	uint64_t now_ns; /* CLOCK_MONOTONIC, read once a turn */
	uint64_t now_ms; /* the same time */
	uint32_t now_s;
	/* Of this turn, and only of this turn; NULL: no configuration yet. */
	const struct lp_snapshot *snapshot;
	struct lp_capture *capture; /* of this turn, too; NULL: none */
	struct lp_mirror *mirror; /* NULL: no rule asks for copies */
	unsigned count;
	unsigned done; /* what is made now leaves behind so many of them */
	bool late; /* we had not said for LP_DEAD_NS that we live */
	unsigned stale; /* dropped for that, from inline */
	uint8_t flags; /* of all its packets, from parse */
	bool newcomers; /* from conntrack: a SYN, or no connection is known */
	struct lp_pkt pkts[LP_BATCH_MAX];
	struct lp_outbox out;
};

static inline void
lp_batch_set_now(struct lp_batch *batch, uint64_t now_ns)
{
	batch->now_ns = now_ns;
	batch->now_ms = now_ns / 1000000u;
	batch->now_s = (uint32_t)(now_ns / 1000000000u);
}

static inline void
lp_pkt_decide(struct lp_pkt *pkt, enum lp_verdict verdict, enum lp_reason why)
{
	assert(pkt->verdict == LP_UNDECIDED);
	pkt->verdict = (uint8_t)verdict;
	pkt->reason = (uint8_t)why;
}

static inline void
lp_pkt_drop(struct lp_pkt *pkt, enum lp_reason why)
{
	lp_pkt_decide(pkt, LP_DROP, why);
}

#endif
