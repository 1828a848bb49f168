/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carving one piece of memory into the tables of the packet path.
 *
 * Done twice with the same calls: once without memory, to learn the size, and
 * once with it.  So the packet path gets all it will ever need at start, and
 * has no way to ask for more.
 */
#ifndef LP_PIPELINE_ARENA_H
#define LP_PIPELINE_ARENA_H

#include <stddef.h>
#include <stdint.h>

enum { LP_ARENA_ALIGN = 64 };

struct lp_arena {
	uint8_t *base; /* zeroed, aligned; NULL: measure only */
	size_t used;
};

/* Zeroed memory for count things of that size; NULL when measuring. */
static inline void *
lp_arena_take(struct lp_arena *arena, size_t count, size_t size_bytes)
{
	size_t at =
	    (arena->used + LP_ARENA_ALIGN - 1) & ~(size_t)(LP_ARENA_ALIGN - 1);

	arena->used = at + count * size_bytes;
	return arena->base == NULL ? NULL : arena->base + at;
}

#endif
