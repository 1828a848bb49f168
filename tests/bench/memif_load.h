/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data segments of open connections, both ways, as fast as they come back.
 *
 * So many are on their way at a time, less than a ring holds, that the system
 * under test always finds more than a burst waiting if it is the slower one,
 * and that nothing is lost because we were away.  If it is not, we hardly ever
 * wait, and the figure is about us: see idle_cycles.
 */
#ifndef LP_BENCH_MEMIF_LOAD_H
#define LP_BENCH_MEMIF_LOAD_H

#include "memif_frames.h"
#include "memif_link.h"

struct load {
	struct link *link;
	struct frames *frames;
	struct rte_mempool *pools[FRAMES_DIRECTIONS];
	uint32_t at[FRAMES_DIRECTIONS]; /* the next connection */
	int64_t underway;
	uint64_t arrived; /* when the last one came */
	/* What is counted. */
	uint64_t sent;
	uint64_t received;
	uint64_t other; /* not data segments, and not for us to answer */
	uint64_t checked;
	uint64_t wrong; /* of those checked */
	uint64_t cycles;
	uint64_t idle_cycles; /* of turns with nothing to receive or send */
	double running; /* the share of the time that the CPU was ours */
	const char *why; /* of the last wrong one */
};

/* Borrows both. */
void load_init(struct load *load, struct link *link, struct frames *frames);

/* For so long; counts from zero, and waits for what is still on its way. */
void load_run(struct load *load, uint64_t cycles);

#endif
