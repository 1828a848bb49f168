/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of connections: finding, adding, changing, expiring.
 *
 * The connections themselves lie in the state region; the indexes over them
 * (hash table, free list, timer wheel, queues, source ports) are private and
 * rebuilt from them at start.  A connection is found by either of its tuples:
 * client to VIP, and broker to source.
 */
#ifndef LP_PIPELINE_CONNTRACK_H
#define LP_PIPELINE_CONNTRACK_H

#include "dataplane/pipeline/fifo.h"
#include "dataplane/pipeline/nat.h"
#include "dataplane/pipeline/region.h"
#include "dataplane/pipeline/table.h"
#include "dataplane/pipeline/wheel.h"

/* Which queue a connection stands in, for eviction. */
enum lp_conn_class {
	LP_CLASS_HALF_OPEN = 0, /* and picked up, if unproven */
	LP_CLASS_CLOSED, /* TIME-WAIT, or reset: nothing more is expected */
	LP_CLASS_OPEN, /* never evicted */
	LP_CLASSES,
};

struct lp_conntrack {
	struct lp_region *region;
	struct lp_stats *stats;
	uint64_t seed;
	struct lp_table table; /* of nodes: 2 x connection + direction */
	uint32_t *free; /* stack of free connections */
	uint32_t free_count;
	uint8_t *class; /* by connection, enum lp_conn_class */
	struct lp_fifo classes[LP_CLASSES];
	struct lp_fifo_links links;
	struct lp_wheel wheel;
	struct lp_nat nat;
	uint32_t half_open_max;
	uint32_t serial;
	/* Told of each connection before it is removed; may be NULL. */
	void (*removing)(void *arg, uint32_t index);
	void *removing_arg;
};

/* The addresses of a packet, as it came. */
struct lp_tuple {
	struct lp_ip src;
	struct lp_ip dst;
	uint16_t sport;
	uint16_t dport;
	bool is_inline; /* of an inline port: its connections are others */
};

/* Takes the memory of the indexes over so many connections. */
void lp_conntrack_carve(struct lp_conntrack *conntrack, struct lp_arena *arena,
    uint32_t connection_count);

/*
 * Copies back a marked undo slot and rebuilds all indexes from the region,
 * which must have as many connections as were carved for.
 */
void lp_conntrack_init(struct lp_conntrack *conntrack, struct lp_region *region,
    uint64_t seed, uint32_t now_s);

/* Sets conn and dir of every TCP packet whose connection is known. */
void lp_conntrack_stage(struct lp_conntrack *conntrack, struct lp_batch *batch);

/* The tuple of a parsed TCP packet. */
void lp_conntrack_tuple(const struct lp_pkt *pkt, struct lp_tuple *tuple);

/* The connection that a packet with that tuple belongs to, or LP_CONN_NONE. */
uint32_t lp_conntrack_find(const struct lp_conntrack *conntrack,
    const struct lp_tuple *tuple, enum lp_direction *dir);

/*
 * Adds a connection: addresses, ports, tcp, ids and flags as in *conn; the
 * rest is set here.  Neither tuple may be known.  LP_CONN_NONE: table full.
 */
uint32_t lp_conntrack_add(
    struct lp_conntrack *conntrack, const struct lp_conn *conn, uint32_t now_s);

/*
 * Commits a packet of len payload bytes that is to be transmitted, and ends
 * the change of its connection that lp_region_begin() has begun and that has
 * run its TCP state, with that verdict: counts it, and the timer moves on
 * unless it was outside the window.
 */
void lp_conntrack_commit(struct lp_conntrack *conntrack, uint32_t index,
    enum lp_tcp_verdict verdict, enum lp_direction dir, uint16_t len,
    uint32_t now_s);

/* Gives its source port back and forgets it. */
void lp_conntrack_remove(struct lp_conntrack *conntrack, uint32_t index);

/*
 * The same, and packets of this batch that belong to it and have not been sent
 * on are dropped for that reason; inline they pass, and belong to none.
 */
void lp_conntrack_forget(struct lp_conntrack *conntrack, struct lp_batch *batch,
    uint32_t index, enum lp_reason why);

/* The oldest of that class, or LP_CONN_NONE. */
uint32_t lp_conntrack_oldest(
    const struct lp_conntrack *conntrack, enum lp_conn_class class);

/* One connection whose time is over, or LP_CONN_NONE; at most LP_EXPIRE_STEP
 * timers are looked at. */
uint32_t lp_conntrack_expired(struct lp_conntrack *conntrack, uint32_t now_s);

/* Picked up, and only one end has spoken: anybody may have made it. */
static inline bool
lp_conntrack_unproven(const struct lp_conn *conn)
{
	return (conn->flags & LP_CONN_PICKED_UP) &&
	    (conn->packets[LP_TO_BROKER] == 0 ||
		conn->packets[LP_TO_CLIENT] == 0);
}

static inline enum lp_conn_class
lp_conntrack_class(const struct lp_conn *conn)
{
	uint8_t state = conn->tcp.state;

	if (lp_tcp_state_half_open(state))
		return LP_CLASS_HALF_OPEN;
	if (state == LP_TCP_TIME_WAIT || state == LP_TCP_CLOSED)
		return LP_CLASS_CLOSED;
	return lp_conntrack_unproven(conn) ? LP_CLASS_HALF_OPEN : LP_CLASS_OPEN;
}

static inline struct lp_conn *
lp_conntrack_get(const struct lp_conntrack *conntrack, uint32_t index)
{
	assert(index < conntrack->region->header->connection_count);
	return &conntrack->region->connections[index];
}

#endif
