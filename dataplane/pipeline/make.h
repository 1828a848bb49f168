/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that we make ourselves: an empty buffer in the outbox, and the
 * headers that all of them have.
 */
#ifndef LP_PIPELINE_MAKE_H
#define LP_PIPELINE_MAKE_H

#include "dataplane/pipeline/batch.h"
#include "dataplane/pipeline/stats.h"
#include "dataplane/port/port.h"
#include "proto/address.h"

struct lp_make {
	const struct lp_backend_ops *backend;
	struct lp_pool *pool;
	struct lp_stats *stats;
};

/*
 * A packet of that length in the batch's outbox, to leave by that port; all
 * zero.  NULL, and counted, if there is no room or no buffer.
 */
struct lp_pkt *lp_make_packet(const struct lp_make *make,
    struct lp_batch *batch, uint8_t slot, uint16_t len);

/*
 * Writes Ethernet and IP headers for len bytes above IP: a hop limit of 64
 * (255 for neighbour discovery), no options.  Sets l3_off, l4_off, len and
 * flags of the packet; the MAC addresses are the caller's or neighbor.c's.
 */
void lp_make_ip(struct lp_pkt *pkt, const struct lp_ip *src,
    const struct lp_ip *dst, uint8_t proto, uint16_t len);

/* The checksum of TCP or ICMP, over a packet that is otherwise complete. */
void lp_make_checksum(struct lp_pkt *pkt, uint8_t proto, unsigned field);

/*
 * Gives a held packet to the outbox (its buffer moves there), or back to the
 * pool, counted as dropped, if there is no room.
 */
void lp_make_release(const struct lp_make *make, struct lp_batch *batch,
    const struct lp_pkt *held);

/* Back to the pool. */
void lp_make_discard(const struct lp_make *make, struct lp_pkt *pkt);

#endif
