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
lp_wheel_init(struct lp_wheel *wheel, uint32_t now)
{
	wheel->now = now;
	for (uint32_t i = 0; i < LP_WHEEL_SLOTS; i++)
		wheel->heads[i] = LP_WHEEL_NONE;
	for (uint32_t i = 0; i < wheel->count; i++)
		wheel->slot[i] = LP_WHEEL_NONE;
}

void
lp_wheel_put(struct lp_wheel *wheel, uint32_t index, uint32_t at)
{
	uint32_t ahead, slot, head;

	assert(index < wheel->count);
	lp_wheel_remove(wheel, index);
	ahead = at - wheel->now;
	if ((int32_t)ahead < 0)
		ahead = 0;
	if (ahead >= LP_WHEEL_SLOTS)
		ahead = LP_WHEEL_SLOTS - 1;
	slot = (wheel->now + ahead) % LP_WHEEL_SLOTS;
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
lp_wheel_pop(struct lp_wheel *wheel, uint32_t now)
{
	/* That of now itself is handed out once it is over. */
	while ((int32_t)(now - wheel->now) > 0) {
		uint32_t index = wheel->heads[wheel->now % LP_WHEEL_SLOTS];

		if (index != LP_WHEEL_NONE) {
			lp_wheel_remove(wheel, index);
			return index;
		}
		wheel->now++;
	}
	return LP_WHEEL_NONE;
}

uint32_t
lp_wheel_wait(const struct lp_wheel *wheel, uint32_t now, uint32_t most)
{
	uint32_t ahead = now - wheel->now;

	/* Some have not been looked at yet. */
	if ((int32_t)ahead > 0)
		return 0;
	for (uint32_t i = 0; i < most && i < LP_WHEEL_SLOTS; i++)
		if (wheel->heads[(wheel->now + i) % LP_WHEEL_SLOTS] !=
		    LP_WHEEL_NONE)
			return i + 1 < most ? i + 1 : most;
	return most;
}
