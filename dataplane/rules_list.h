/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays that grow, and such that keep equal things once.  Internal to
 * dataplane/rules.c.
 */
#ifndef LP_DATAPLANE_RULES_LIST_H
#define LP_DATAPLANE_RULES_LIST_H

#include <stddef.h>
#include <stdint.h>

struct lp_rules_list {
	void *items;
	uint32_t count;
	uint32_t room;
};

/* Of things without holes, or whose holes are zero. */
struct lp_rules_pool {
	struct lp_rules_list list;
	uint32_t *index; /* by hash: item + 1; 0: free */
	uint32_t room; /* a power of two, or 0 */
};

/* Room for that many more items of that size.  0 or -ENOMEM. */
int lp_rules_list_reserve(
    struct lp_rules_list *list, size_t size_bytes, uint32_t more);

/* The index of the one that is equal; added if there is none.  0, -ENOMEM. */
int lp_rules_list_intern(struct lp_rules_pool *pool, size_t size_bytes,
    const void *item, uint32_t *index);

void lp_rules_list_free_pool(struct lp_rules_pool *pool);

#endif
