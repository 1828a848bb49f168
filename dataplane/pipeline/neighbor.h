/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Next hops: ARP (RFC 826) and neighbour discovery (RFC 4861) for our own
 * addresses, with the same table for both families.
 *
 * Answers for our addresses, learns and revalidates next hops, holds a few
 * packets while one is being resolved, and announces our addresses when they
 * appear or move, so that a host that takes over is found at once.  Where
 * nobody else does it, it reports the groups that questions come by (mld.h).
 */
#ifndef LP_PIPELINE_NEIGHBOR_H
#define LP_PIPELINE_NEIGHBOR_H

#include "dataplane/pipeline/announce.h"
#include "dataplane/pipeline/arena.h"
#include "dataplane/pipeline/make.h"
#include "dataplane/pipeline/mld.h"
#include "dataplane/pipeline/snapshot.h"
#include "dataplane/pipeline/wire.h"

/* See neighbor.c. */
enum lp_neighbor_state {
	LP_NEIGHBOR_NEW,
	LP_NEIGHBOR_INCOMPLETE,
	LP_NEIGHBOR_REACHABLE,
	LP_NEIGHBOR_PROBE,
	LP_NEIGHBOR_FAILED,
};

struct lp_neighbor {
	/* line 0: all that a packet of an established connection asks for */
	_Alignas(64) struct lp_ip ip;
	uint32_t serial;
	uint32_t port_id; /* of the port in slot; 0: place is free */
	uint16_t chain; /* next in its bucket: entry + 1 */
	uint8_t slot;
	uint8_t state; /* enum lp_neighbor_state */
	uint8_t probes; /* questions sent without an answer */
	uint8_t queued;
	uint8_t mac[6];
	uint64_t confirmed_ms;
	uint64_t next_ms; /* ask again, or try a failed one again */
	uint64_t used_ms;

	struct lp_pkt queue[LP_NEIGHBOR_QUEUE_MAX];
};
static_assert(offsetof(struct lp_neighbor, queue) == 64, "line 0");

struct lp_neighbors {
	const struct lp_make *make;
	struct lp_neighbor *entries; /* LP_NEIGHBORS_MAX */
	uint16_t *buckets; /* hash to entry + 1 */
	unsigned count;
	unsigned hand; /* where to look for a place to recycle */
	unsigned pending; /* entries that are being asked for */
	uint64_t tick_ms; /* when to look at those next */

	uint64_t serial; /* of the snapshot that this is about */
	struct lp_announce announce;
	struct lp_mld mld;
};

/* Takes its memory; lp_neighbor_init() starts with an empty table. */
void lp_neighbor_carve(struct lp_neighbors *neighbors, struct lp_arena *arena);
void lp_neighbor_init(
    struct lp_neighbors *neighbors, const struct lp_make *make);

/*
 * Answers and learns from every ARP and neighbour discovery packet, and takes
 * note of queries for our groups.
 */
void lp_neighbor_stage(struct lp_neighbors *neighbors, struct lp_batch *batch);

/*
 * Once a turn: asks again for next hops that do not answer, gives up after
 * LP_NEIGHBOR_PROBES_MAX, reports and announces what is new in this snapshot.
 */
void lp_neighbor_tick(struct lp_neighbors *neighbors, struct lp_batch *batch);

/*
 * The serial of the next hop towards an address, from the hint of last time or
 * by the snapshot's routes.  0 and the reason: no route, table full, or a next
 * hop that does not answer.
 */
uint32_t lp_neighbor_find(struct lp_neighbors *neighbors,
    struct lp_batch *batch, uint32_t hint, const struct lp_ip *to,
    enum lp_side side, enum lp_reason *why);

/* The slot that this next hop is reached by. */
uint8_t lp_neighbor_slot(const struct lp_neighbors *neighbors, uint32_t serial);

/*
 * Addresses the packet to that next hop: true, MACs and port_out are set.
 * False: it must wait, and a copy of the descriptor is held; the packet is
 * now the table's (LP_HOLD).  A full queue drops the oldest that waits.
 */
bool lp_neighbor_output(struct lp_neighbors *neighbors, struct lp_batch *batch,
    uint32_t serial, struct lp_pkt *pkt);

/*
 * The next hop of that serial if packets may go to it at once, without a
 * question; else NULL.
 */
static inline struct lp_neighbor *
lp_neighbor_ready(const struct lp_neighbors *neighbors,
    const struct lp_batch *batch, uint32_t serial)
{
	struct lp_neighbor *entry =
	    &neighbors->entries[serial % LP_NEIGHBORS_MAX];

	return entry->serial == serial &&
		entry->state == LP_NEIGHBOR_REACHABLE &&
		batch->now_ms - entry->confirmed_ms <= LP_NEIGHBOR_REACHABLE_MS
	    ? entry
	    : NULL;
}

/* From us to that next hop. */
static inline void
lp_neighbor_address(const struct lp_batch *batch,
    const struct lp_neighbor *entry, struct lp_pkt *pkt)
{
	memcpy(pkt->data + LP_ETH_DST, entry->mac, 6);
	memcpy(
	    pkt->data + LP_ETH_SRC, batch->snapshot->ports[entry->slot].mac, 6);
	pkt->port_out = entry->slot;
}

/*
 * For trace: knows a next hop as that entry of another table does, if this
 * snapshot has its port.  What waits there does not come along.
 */
void lp_neighbor_adopt(struct lp_neighbors *neighbors, struct lp_batch *batch,
    const struct lp_neighbor *from);

/* Something to do soon: milliseconds until then, at most max. */
unsigned lp_neighbor_wait_ms(
    const struct lp_neighbors *neighbors, uint64_t now_ms, unsigned max);

/* Drops all held packets (at the end, before the pool is closed). */
void lp_neighbor_flush(struct lp_neighbors *neighbors);

#endif
