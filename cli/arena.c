/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	BLOCK_SIZE = 1 << 18,
	ALIGNMENT = alignof(uint64_t),
};

struct lp_arena_block {
	struct lp_arena_block *next;
	alignas(uint64_t) char data[];
};

static char *take(struct lp_arena *arena, size_t size, size_t alignment);

void *
lp_arena_alloc(struct lp_arena *arena, size_t size)
{
	void *data = take(arena, size, ALIGNMENT);

	return data ? memset(data, 0, size) : NULL;
}

char *
lp_arena_text(struct lp_arena *arena, const char *text, size_t len)
{
	char *copy = take(arena, len + 1, 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

void
lp_arena_fini(struct lp_arena *arena)
{
	struct lp_arena_block *next;

	for (struct lp_arena_block *block = arena->blocks; block;
	     block = next) {
		next = block->next;
		free(block);
	}
	*arena = (struct lp_arena){0};
}

/* From the end of the newest block downwards, so that alignment is a mask. */
static char *
take(struct lp_arena *arena, size_t size, size_t alignment)
{
	struct lp_arena_block *block = arena->blocks;
	size_t room;

	if (arena->left < size) {
		room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
		room = (room + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
		block = malloc(sizeof(*block) + room);
		if (!block)
			return NULL;
		block->next = arena->blocks;
		arena->blocks = block;
		arena->left = room;
	}
	arena->left = (arena->left - size) / alignment * alignment;
	return block->data + arena->left;
}
