/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which places of a pool in the region are free: a stack of indexes, private
 * to the packet process.
 */
#ifndef LP_KAFKA_SLOTS_H
#define LP_KAFKA_SLOTS_H

#include <assert.h>
#include <stdbool.h>

#include "dataplane/pipeline/arena.h"

enum { LP_SLOT_NONE = UINT32_MAX };

struct lp_slots {
	uint32_t *free;
	uint32_t free_count;
	uint32_t count;
	/* Given back by a change that has not ended: behind the free ones. */
	uint32_t pending;
	bool deferring;
};

static inline void
lp_slots_carve(struct lp_slots *slots, struct lp_arena *arena, uint32_t count)
{
	slots->free = lp_arena_take(arena, count, sizeof(uint32_t));
	slots->count = count;
	slots->free_count = 0;
}

/* LP_SLOT_NONE: all are taken. */
static inline uint32_t
lp_slots_take(struct lp_slots *slots)
{
	if (slots->free_count == 0)
		return LP_SLOT_NONE;
	return slots->free[--slots->free_count];
}

static inline void
lp_slots_give(struct lp_slots *slots, uint32_t index)
{
	assert(index < slots->count &&
	    slots->free_count + slots->pending < slots->count);
	if (slots->deferring)
		slots->free[slots->count - ++slots->pending] = index;
	else
		slots->free[slots->free_count++] = index;
}

/* The change has ended: what it gave back may be taken again. */
static inline void
lp_slots_end(struct lp_slots *slots)
{
	for (; slots->pending > 0; slots->pending--)
		slots->free[slots->free_count++] =
		    slots->free[slots->count - slots->pending];
	slots->deferring = false;
}

static inline uint32_t
lp_slots_used(const struct lp_slots *slots)
{
	return slots->count - slots->free_count - slots->pending;
}

#endif
