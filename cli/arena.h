/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is given back all at once: for trees of many small pieces.
 */
#ifndef LP_CLI_ARENA_H
#define LP_CLI_ARENA_H

#include <stddef.h>

struct lp_arena_block;

/* Zero is an empty one. */
struct lp_arena {
	struct lp_arena_block *blocks; /* the newest is first */
	size_t left; /* bytes of it that are free */
};

/* Zeroed, aligned for pointers and numbers; NULL: there is no memory. */
void *lp_arena_alloc(struct lp_arena *arena, size_t size);
/* A copy of len bytes, and NUL; not aligned. */
char *lp_arena_text(struct lp_arena *arena, const char *text, size_t len);
void lp_arena_fini(struct lp_arena *arena);

#endif
