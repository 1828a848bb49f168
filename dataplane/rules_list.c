/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/rules_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { ROOM_MIN = 16 };

static int grow_index(struct lp_rules_pool *pool, size_t size_bytes);
static uint32_t *find(
    struct lp_rules_pool *pool, size_t size_bytes, const void *item);

int
lp_rules_list_reserve(
    struct lp_rules_list *list, size_t size_bytes, uint32_t more)
{
	uint32_t room = list->room == 0 ? ROOM_MIN : list->room;
	void *items;

	while (room - list->count < more)
		room *= 2;
	if (room == list->room)
		return 0;
	items = realloc(list->items, room * size_bytes);
	if (items == NULL)
		return -ENOMEM;
	list->items = items;
	list->room = room;
	return 0;
}

int
lp_rules_list_intern(struct lp_rules_pool *pool, size_t size_bytes,
    const void *item, uint32_t *index)
{
	struct lp_rules_list *list = &pool->list;
	uint32_t *place;

	if (lp_rules_list_reserve(list, size_bytes, 1))
		return -ENOMEM;
	if (pool->room <= 2 * list->count && grow_index(pool, size_bytes))
		return -ENOMEM;
	place = find(pool, size_bytes, item);
	if (*place == 0) {
		memcpy((uint8_t *)list->items + list->count * size_bytes, item,
		    size_bytes);
		*place = ++list->count;
	}
	*index = *place - 1;
	return 0;
}

void
lp_rules_list_free_pool(struct lp_rules_pool *pool)
{
	free(pool->list.items);
	free(pool->index);
}

static int
grow_index(struct lp_rules_pool *pool, size_t size_bytes)
{
	const uint8_t *items = pool->list.items;
	uint32_t room = pool->room == 0 ? ROOM_MIN : 2 * pool->room;
	uint32_t *index = calloc(room, sizeof(*index));

	if (index == NULL)
		return -ENOMEM;
	free(pool->index);
	pool->index = index;
	pool->room = room;
	for (uint32_t i = 0; i < pool->list.count; i++)
		*find(pool, size_bytes, items + i * size_bytes) = i + 1;
	return 0;
}

/* Where it is, or is to be. */
static uint32_t *
find(struct lp_rules_pool *pool, size_t size_bytes, const void *item)
{
	const uint8_t *items = pool->list.items;
	uint32_t mask = pool->room - 1;
	uint32_t at = (uint32_t)XXH3_64bits(item, size_bytes) & mask;

	while (pool->index[at] != 0 &&
	    memcmp(items + (pool->index[at] - 1) * size_bytes, item,
		size_bytes) != 0)
		at = (at + 1) & mask;
	return &pool->index[at];
}
