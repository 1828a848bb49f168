/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A timer wheel over indexes, in the unit of its owner: seconds where
 * connections end (conntrack.h), milliseconds where they are paced (pace.h).
 *
 * A timer that is put off is not moved: its owner notes the later time and
 * puts it in again when the wheel hands it out.  So the path of an established
 * packet touches no list.  Private memory, rebuilt at start.
 */
#ifndef LP_PIPELINE_WHEEL_H
#define LP_PIPELINE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/pipeline/arena.h"

struct lp_wheel {
	uint32_t *heads; /* LP_WHEEL_SLOTS: first index, or LP_WHEEL_NONE */
	uint32_t *next; /* by index */
	uint32_t *prev; /* by index */
	uint32_t *slot; /* by index: its slot, or LP_WHEEL_NONE: not in */
	uint32_t count; /* indexes 0..count - 1 */
	uint32_t now; /* what is below this has been handed out */
};

enum { LP_WHEEL_NONE = UINT32_MAX };

/* Takes its memory; lp_wheel_init() fills it. */
void lp_wheel_carve(
    struct lp_wheel *wheel, struct lp_arena *arena, uint32_t count);
void lp_wheel_init(struct lp_wheel *wheel, uint32_t now);

/* Puts an index in, or moves it; a time in the past is due at once. */
void lp_wheel_put(struct lp_wheel *wheel, uint32_t index, uint32_t at);

/* Takes it out; no matter if it is not in. */
void lp_wheel_remove(struct lp_wheel *wheel, uint32_t index);

/*
 * Takes out and returns one index whose slot is due, or LP_WHEEL_NONE.  It may
 * have been put off since, and may be up to a turn of the wheel early.
 */
uint32_t lp_wheel_pop(struct lp_wheel *wheel, uint32_t now);

/* How long until it may have one to hand out, but at most that long. */
uint32_t lp_wheel_wait(
    const struct lp_wheel *wheel, uint32_t now, uint32_t most);

#endif
