/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/wheel.h"

#include <assert.h>

#include "dataplane/pipeline/limits.h"

void
lp_wheel_carve(struct lp_wheel *wheel, struct lp_arena *arena, uint32_t count)
{
	assert(count > 0 && count < LP_WHEEL_NONE);
	wheel->count = count;
	wheel->heads =
	    lp_arena_take(arena, LP_WHEEL_SLOTS, sizeof(*wheel->heads));
	wheel->next = lp_arena_take(arena, count, sizeof(*wheel->next));
	wheel->prev = lp_arena_take(arena, count, sizeof(*wheel->prev));
	wheel->slot = lp_arena_take(arena, count, sizeof(*wheel->slot));
}

void
lp_wheel_init(struct lp_wheel *wheel, uint32_t now_s)
{
	wheel->now_s = now_s;
	for (uint32_t i = 0; i < LP_WHEEL_SLOTS; i++)
		wheel->heads[i] = LP_WHEEL_NONE;
	for (uint32_t i = 0; i < wheel->count; i++)
		wheel->slot[i] = LP_WHEEL_NONE;
}

void
lp_wheel_put(struct lp_wheel *wheel, uint32_t index, uint32_t at_s)
{
	uint32_t ahead, slot, head;

	assert(index < wheel->count);
	lp_wheel_remove(wheel, index);
	ahead = at_s - wheel->now_s;
	if ((int32_t)ahead < 0)
		ahead = 0;
	if (ahead >= LP_WHEEL_SLOTS)
		ahead = LP_WHEEL_SLOTS - 1;
	slot = (wheel->now_s + ahead) % LP_WHEEL_SLOTS;
	head = wheel->heads[slot];
	wheel->next[index] = head;
	wheel->prev[index] = LP_WHEEL_NONE;
	wheel->slot[index] = slot;
	if (head != LP_WHEEL_NONE)
		wheel->prev[head] = index;
	wheel->heads[slot] = index;
}

void
lp_wheel_remove(struct lp_wheel *wheel, uint32_t index)
{
	uint32_t next, prev;

	assert(index < wheel->count);
	if (wheel->slot[index] == LP_WHEEL_NONE)
		return;
	next = wheel->next[index];
	prev = wheel->prev[index];
	if (prev == LP_WHEEL_NONE)
		wheel->heads[wheel->slot[index]] = next;
	else
		wheel->next[prev] = next;
	if (next != LP_WHEEL_NONE)
		wheel->prev[next] = prev;
	wheel->slot[index] = LP_WHEEL_NONE;
}

uint32_t
lp_wheel_pop(struct lp_wheel *wheel, uint32_t now_s)
{
	/* The second now_s itself is handed out once it is over. */
	while ((int32_t)(now_s - wheel->now_s) > 0) {
		uint32_t index = wheel->heads[wheel->now_s % LP_WHEEL_SLOTS];

		if (index != LP_WHEEL_NONE) {
			lp_wheel_remove(wheel, index);
			return index;
		}
		wheel->now_s++;
	}
	return LP_WHEEL_NONE;
}
