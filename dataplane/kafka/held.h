/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Held bytes: copies of segments that came before what stands in front of
 * them.  Pieces of one size, in one pool a worker.
 *
 * The pieces lie in the state region and survive the process; which of them
 * are free is private, and found again at start by a scan:
 *
 *	lp_held_pool_scan(&pool);
 *	... lp_stream_recover() of every stream ...
 *	lp_held_pool_settle(&pool);
 *
 * The bytes of a piece that is given back are zeros from then on, or from when
 * the change has ended: a client's may be of a token.
 */
#ifndef LP_KAFKA_HELD_H
#define LP_KAFKA_HELD_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/pipeline/undo.h"

enum {
	/* Bytes of one piece that is held; longer segments are several. */
	LP_HELD_BYTES = 2032,
};

/* A piece of the bytes behind a gap.  Lies in the region. */
struct lp_held {
	uint32_t next; /* index + 1 of the next one by position; 0: none */
	uint32_t seq;
	uint16_t len;
	uint16_t spare[3];
	uint8_t bytes[LP_HELD_BYTES];
};
_Static_assert(sizeof(struct lp_held) == 2048, "half a page");

/* The pieces and which of them are free; the list of free ones is private. */
struct lp_held_pool {
	struct lp_held *pieces;
	uint32_t *free; /* stack of indexes; in a scan, 1: claimed */
	uint32_t free_count;
	uint32_t count;
	/* Given back by a change that has not ended: behind the free ones. */
	uint32_t pending;
	struct lp_undo *undo; /* logs changes, while it is not NULL */
};

/* Bytes of a piece that are not the held ones. */
enum { LP_HELD_HEAD = 12 };

/* Memory of the caller's, `count` of both; all of the pieces are free. */
static inline void
lp_held_pool_init(struct lp_held_pool *pool, struct lp_held *pieces,
    uint32_t *free, uint32_t count)
{
	*pool = (struct lp_held_pool){.pieces = pieces,
	    .free = free,
	    .free_count = count,
	    .count = count};
	for (uint32_t i = 0; i < count; i++)
		free[i] = count - 1 - i;
}

/* An index + 1, or 0 if there is none. */
static inline uint32_t
lp_held_pool_take(struct lp_held_pool *pool)
{
	return pool->free_count == 0 ? 0 : pool->free[--pool->free_count] + 1;
}

/* Who has many gets no more. */
static inline bool
lp_held_pool_is_scarce(const struct lp_held_pool *pool)
{
	return pool->free_count < pool->count / 4;
}

static inline void
lp_held_pool_free(struct lp_held_pool *pool, uint32_t index)
{
	struct lp_held *piece = &pool->pieces[index];

	memset(piece->bytes, 0,
	    piece->len < LP_HELD_BYTES ? piece->len : LP_HELD_BYTES);
	pool->free[pool->free_count++] = index;
}

static inline void
lp_held_pool_give(struct lp_held_pool *pool, uint32_t link)
{
	assert(link > 0 && link <= pool->count);
	assert(pool->free_count + pool->pending < pool->count);
	if (pool->undo != NULL)
		pool->free[pool->count - ++pool->pending] = link - 1;
	else
		lp_held_pool_free(pool, link - 1);
}

/* The change has ended: what it gave back may be taken again. */
static inline void
lp_held_pool_end(struct lp_held_pool *pool)
{
	for (; pool->pending > 0; pool->pending--)
		lp_held_pool_free(
		    pool, pool->free[pool->count - pool->pending]);
	pool->undo = NULL;
}

/* Until lp_held_pool_settle() nothing is free and nothing is claimed. */
static inline void
lp_held_pool_scan(struct lp_held_pool *pool)
{
	pool->free_count = 0;
	for (uint32_t i = 0; i < pool->count; i++)
		pool->free[i] = 0;
}

/* What nobody has claimed is free.  Writes behind what it reads. */
static inline void
lp_held_pool_settle(struct lp_held_pool *pool)
{
	for (uint32_t i = 0; i < pool->count; i++)
		if (pool->free[i] == 0)
			pool->free[pool->free_count++] = i;
}

#endif
