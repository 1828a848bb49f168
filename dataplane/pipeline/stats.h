/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters in the state region: one writer each (the worker), read by control
 * at any time, never by asking the worker.  They survive the packet process.
 */
#ifndef LP_PIPELINE_STATS_H
#define LP_PIPELINE_STATS_H

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>

#include "proto/limits.h"
#include "proto/reasons.h"

typedef _Atomic uint64_t lp_counter;

enum {
	/* Places for reasons, so that a new one does not move the layout. */
	LP_STATS_REASONS = 128,
	LP_STATS_VERDICTS = 8,
};
static_assert((unsigned)LP_REASON_COUNT <= LP_STATS_REASONS,
    "reasons outgrew the layout");
/* Counters outlive the process: by the same number, or by another layout. */
static_assert(LP_REASON_COUNT == 59, "raise LP_REGION_LAYOUT with it");

/* X(member, what it counts); the names are the contract of `lpctl stats`. */
/* clang-format off */
#define LP_STATS_WORKER(X)                                                     \
	X(loops, "turns of the worker")                                        \
	X(busy_ns, "time in turns that moved packets")                         \
	X(idle_ns, "time in turns that moved none")                            \
	X(sleep_ns, "time asleep in poll")                                     \
	X(sleeps, "times it went to sleep")                                    \
	X(sent_reset, "RSTs of our own")                                       \
	X(sent_edited, "segments of our own, with rewritten bytes")            \
	X(sent_acks, "acknowledgements of our own, to either end")             \
	X(sent_windows, "window updates of our own, to ends that were held")   \
	X(sent_mirror, "copies of packets, by ports that rules mirror to")     \
	X(sent_neighbor, "ARP, neighbour discovery and MLD packets of our own")\
	X(sent_released, "held packets sent after their next hop was found")   \
	X(sent_queued, "packets sent that had waited for room in a port")      \
	X(dropped_held, "held packets dropped: next hop not found in time")    \
	X(dropped_queued, "packets dropped that waited: port gone, too long")  \
	X(dropped_made, "packets of our own dropped: no buffer, no room")      \
	X(dropped_mirror, "copies not sent: no buffer, no room, too long")
#define LP_STATS_TABLES(X)                                                     \
	X(connections, "connections in the table")                             \
	X(connections_max, "its limit")                                        \
	X(half_open, "of them half-open")                                      \
	X(half_open_max, "limit of half-open ones")                            \
	X(neighbors, "next hops known")                                        \
	X(neighbors_max, "limit of next hops")                                 \
	X(source_pairs, "own address and broker pairs with ports in use")      \
	X(source_pairs_max, "limit of pairs")                                  \
	X(buffers, "packet buffers in use, those in rings included")             \
	X(buffers_max, "packet buffers")                                       \
	X(queued, "packets that wait for room in a port")                      \
	X(queued_max, "limit of them, over all ports")                         \
	X(opened, "connections opened so far")                                 \
	X(closed, "connections closed by their ends")                          \
	X(expired, "connections expired")                                      \
	X(evicted, "connections evicted to make room")                         \
	X(removed, "connections reset because their configuration went")       \
	X(source_port_moved, "preserved sources whose port had to change")     \
	X(paced, "times that an end was held back by its window")
/* clang-format on */

/* What waits for room in one port, by slot, since it was opened. */
struct lp_queue_stats {
	lp_counter queued; /* now */
	lp_counter waited; /* and were sent */
	lp_counter full; /* found no room to wait */
	lp_counter dropped; /* waited too long, or the port went */
};

struct lp_stats {
	_Alignas(64) lp_counter reasons[LP_STATS_REASONS];
	lp_counter verdicts[LP_STATS_VERDICTS];
#define X(member, text) lp_counter member;
	LP_STATS_WORKER(X)
	LP_STATS_TABLES(X)
#undef X
	struct lp_queue_stats queues[LP_PORTS_MAX];
};

/* Of one listener and broker; the place is given by control (snapshot.c). */
struct lp_endpoint_stats {
	_Alignas(64) uint32_t listener_id; /* 0: place is free */
	uint32_t broker_id;
	lp_counter opened;
	lp_counter open;
	lp_counter packets[2]; /* by enum lp_direction */
	lp_counter bytes[2]; /* TCP payload */
	lp_counter refused;
};

/* The writer's increment: it alone writes, so no locked instruction. */
static inline void
lp_count_add(lp_counter *counter, uint64_t n)
{
	uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, value + n, memory_order_relaxed);
}

static inline void
lp_count_set(lp_counter *counter, uint64_t value)
{
	atomic_store_explicit(counter, value, memory_order_relaxed);
}

static inline uint64_t
lp_count_get(const lp_counter *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/*
 * What one rule has matched.  In the region, by the slot of its row
 * (pipeline/rules.h), which it keeps from one generation to the next.
 */
struct lp_rule_stats {
	_Atomic uint32_t rule_id; /* 0: a free slot; control writes it */
	lp_counter connections; /* that opened, or would have */
	lp_counter requests; /* each once, however many topics matched */
	lp_counter request_bytes; /* their frames, with the size field */
	lp_counter refused; /* of both, by this rule */
	lp_counter delayed; /* requests whose sender was made to wait */
	lp_counter delayed_ns; /* in all */
};

#endif
