/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a port does not take at once waits here, by the priority of its
 * connection (rules: priority=N).
 */
#ifndef LP_PIPELINE_QUEUE_H
#define LP_PIPELINE_QUEUE_H

#include "dataplane/pipeline/arena.h"
#include "dataplane/pipeline/make.h"
#include "dataplane/pipeline/region.h"
#include "dataplane/pipeline/rules.h"
#include "dataplane/pipeline/snapshot.h"

enum {
	LP_QUEUE_PRIORITIES = 8, /* the highest is sent first */
	LP_QUEUE_DEFAULT = 3, /* of what no rule gives one */
	LP_QUEUE_CONTROL = 7, /* what we say ourselves, of no connection */
};

/* The packets of one priority that wait for one port, oldest first. */
struct lp_queue {
	uint16_t first; /* their places; not valid when there is none */
	uint16_t last;
	uint16_t count;
	uint32_t owed; /* bytes that higher ones have sent since its turn */
};

struct lp_queue_port {
	uint32_t count; /* of all its queues */
	struct lp_queue queues[LP_QUEUE_PRIORITIES];
};

/* Of a connection: what it has waiting, and where; by its index. */
struct lp_queue_conn {
	uint16_t count;
	uint8_t priority;
};

struct lp_queues {
	const struct lp_make *make;
	const struct lp_region *region;
	uint32_t waiting; /* 1 << slot: something waits for that port */
	uint32_t count; /* in all */
	uint32_t limit; /* in all */
	unsigned still; /* turns in which no port has taken any of it */
	uint16_t free; /* the first free place, if there is one */
	uint16_t *next; /* by place: behind it in its queue, or free */
	uint32_t *since_ms; /* by place */
	struct lp_pkt *pkts; /* by place */
	struct lp_queue_conn *conns;
	struct lp_queue_port ports[LP_PORTS_MAX];
};

/* Takes its memory. */
void lp_queue_carve(struct lp_queues *queues, struct lp_arena *arena,
    uint32_t connection_count);
void lp_queue_init(struct lp_queues *queues, const struct lp_make *make,
    const struct lp_region *region);

/* How many more that port may be given now. */
static inline unsigned
lp_queue_room(const struct lp_batch *batch, struct lp_port *port)
{
	const struct lp_rules *rules = batch->snapshot->rules;

	return rules != NULL && rules->prioritizes && port->ops->room != NULL
	    ? port->ops->room(port, LP_QUEUE_RING)
	    : (unsigned)LP_QUEUE_ANY;
}

/* Its buffer moves here; false: there is no room, and it stays the caller's. */
bool lp_queue_put(struct lp_queues *queues, const struct lp_batch *batch,
    const struct lp_pkt *pkt);

/* Once a turn, if anything waits: ports are given what they take. */
void lp_queue_turn(struct lp_queues *queues, const struct lp_batch *batch);

/* Gives back what waits for the port in that slot, which is no more. */
void lp_queue_drop(struct lp_queues *queues, uint8_t slot);
void lp_queue_flush(struct lp_queues *queues);

/* Milliseconds until ports should be asked again, at most so many. */
static inline uint32_t
lp_queue_wait_ms(const struct lp_queues *queues, uint32_t most)
{
	if (queues->waiting == 0)
		return most;
	return queues->still < LP_QUEUE_STILL ? 0 : 1;
}

#endif
