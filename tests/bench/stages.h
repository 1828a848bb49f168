/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stages of the packet path called one by one, with the time of each.
 *
 * They have tables of their own, rebuilt from the same state region, and know
 * the connections that the packet path of a world has opened.  Only segments
 * that open and close nothing may pass: the two do not learn from each other.
 */
#ifndef LP_BENCH_STAGES_H
#define LP_BENCH_STAGES_H

#include "world.h"

enum stage {
	STAGE_RX,
	STAGE_PARSE,
	STAGE_NEIGHBOR,
	STAGE_ICMP,
	STAGE_CONNTRACK,
	STAGE_ADMIT,
	STAGE_REWRITE,
	STAGE_TX,
	STAGES,
};

extern const char *const stage_names[STAGES];

struct stages;

struct stages *stages_new(struct world *world);
void stages_free(struct stages *stages);

/*
 * One turn with what that port has; returns how many packets, and the cycles
 * of each stage.
 */
unsigned stages_turn(
    struct stages *stages, unsigned slot, uint64_t cycles[STAGES]);

/* What only the ports cost: in at slot, out at the other port. */
unsigned stages_pass(struct stages *stages, unsigned slot, uint64_t *cycles);

#endif
