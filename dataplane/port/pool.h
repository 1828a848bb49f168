/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool of packet buffers: one memory, one ledger, one free stack.
 *
 * Shared by the back ends that keep packets in memory of our own (AF_XDP,
 * memory).  The free stack belongs to the worker; control only opens, closes
 * and reserves.  A buffer is known by its index; the ledger says who owns it,
 * and every change of owner asserts the one before.
 */
#ifndef LP_PORT_POOL_H
#define LP_PORT_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/port/budget.h"
#include "dataplane/port/port.h"

struct lp_pool {
	uint8_t *memory; /* buffer n begins at n * LP_BUFFER_SIZE */
	size_t size;
	uint32_t count;
	uint8_t *ledger; /* borrowed */

	/* control */
	struct lp_budget budget; /* what rings of ports may hold of it */
	uint64_t busy_until_ns; /* see lp_pool_expect_busy */
	int fd; /* the memory, so that a successor can map it */

	/* worker */
	_Alignas(64) uint32_t free_count;
	uint32_t *free; /* last in, first out: it is still in the cache */
};

/* control: as in struct lp_backend_ops. */
int lp_pool_open(struct lp_pool **pool, const struct lp_pool_config *config,
    char why[LP_WHY_SIZE]);
void lp_pool_close(struct lp_pool *pool);

/* worker: as in struct lp_backend_ops. */
bool lp_pool_alloc(struct lp_pool *pool, struct lp_pkt *pkt);
void lp_pool_release(
    struct lp_pool *pool, struct lp_pkt *pkts[], unsigned count);
void lp_pool_reclaim(struct lp_pool *pool, uint8_t slot);
uint32_t lp_pool_free_count(const struct lp_pool *pool);

/*
 * control: what held a device, a dead predecessor or a port that was just
 * closed, goes a little later than it seems.  From opening the pool, and from
 * expect_busy, pause_busy waits a moment and is true, for a second in all; so
 * a device that somebody else has does not hold up the heartbeat each time.
 */
void lp_pool_expect_busy(struct lp_pool *pool);
bool lp_pool_pause_busy(const struct lp_pool *pool);

/* A packet in buffer `index` at that address, otherwise blank. */
static inline void
lp_pool_pkt_init(
    struct lp_pkt *pkt, uint8_t *data, uint32_t index, uint16_t len)
{
	*pkt = (struct lp_pkt){
	    .data = data,
	    .buf = index,
	    .conn = LP_CONN_NONE,
	    .len = len,
	    .verdict = LP_UNDECIDED,
	    .port_in = LP_PORT_NONE,
	    .port_out = LP_PORT_NONE,
	};
}

static inline uint8_t *
lp_pool_buffer(const struct lp_pool *pool, uint32_t index)
{
	assert(index < pool->count);
	return pool->memory + (size_t)index * LP_BUFFER_SIZE;
}

static inline void
lp_pool_move(struct lp_pool *pool, uint32_t index, uint8_t from, uint8_t to)
{
	assert(index < pool->count);
	assert(pool->ledger[index] == from);
	pool->ledger[index] = to;
}

/* worker: out of the pool; there must be one. */
static inline uint32_t
lp_pool_pop(struct lp_pool *pool, uint8_t to)
{
	uint32_t index;

	assert(pool->free_count > 0);
	index = pool->free[--pool->free_count];
	lp_pool_move(pool, index, LP_BUFFER_FREE, to);
	return index;
}

/* worker: back into the pool. */
static inline void
lp_pool_push(struct lp_pool *pool, uint32_t index, uint8_t from)
{
	assert(pool->free_count < pool->count);
	lp_pool_move(pool, index, from, LP_BUFFER_FREE);
	pool->free[pool->free_count++] = index;
}

#endif
