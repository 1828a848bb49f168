/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which part of a pool's buffers is promised to the rings of ports, so that no
 * port can starve another.  A quarter of all is promised to none: it is for
 * batches, outboxes and held packets.  Control thread only.
 */
#ifndef LP_PORT_BUDGET_H
#define LP_PORT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct lp_budget {
	uint32_t count; /* of buffers */
	uint32_t reserved;
};

enum { LP_BUDGET_RING_MIN = 32, LP_BUDGET_RING_MAX = 1024 };

/*
 * Promises `rings` rings of equal size to a port, and says how many buffers
 * each may hold: a power of two, smaller when the pool is nearly promised
 * away.  0: not even LP_BUDGET_RING_MIN each are left.
 */
uint32_t lp_budget_reserve(struct lp_budget *budget, unsigned rings);
void lp_budget_return(struct lp_budget *budget, unsigned rings, uint32_t size);

/* Promises so many for good.  False: there are not as many left. */
bool lp_budget_keep(struct lp_budget *budget, uint32_t count);

#endif
