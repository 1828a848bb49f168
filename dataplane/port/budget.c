/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/port/budget.h"

#include <assert.h>

static uint32_t left_of(const struct lp_budget *budget);

uint32_t
lp_budget_reserve(struct lp_budget *budget, unsigned rings)
{
	uint32_t left = left_of(budget);
	uint32_t size = LP_BUDGET_RING_MAX;

	assert(rings > 0);
	/* A port takes at most a quarter of what is left: others will come. */
	while (size > LP_BUDGET_RING_MIN && size * rings > left / 4)
		size /= 2;
	if (size * rings > left)
		return 0;
	budget->reserved += size * rings;
	return size;
}

void
lp_budget_return(struct lp_budget *budget, unsigned rings, uint32_t size)
{
	assert(budget->reserved >= size * rings);
	budget->reserved -= size * rings;
}

bool
lp_budget_keep(struct lp_budget *budget, uint32_t count)
{
	if (count > left_of(budget))
		return false;
	budget->reserved += count;
	return true;
}

static uint32_t
left_of(const struct lp_budget *budget)
{
	assert(budget->reserved <= budget->count - budget->count / 4);
	return budget->count - budget->count / 4 - budget->reserved;
}
