/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of a snapshot: compiled (rules.h), each with the slot of its
 * counters in the region, which it keeps from one generation to the next.
 * Control alone gives and takes slots.
 */
#ifndef LP_DATAPLANE_SNAPSHOT_RULES_H
#define LP_DATAPLANE_SNAPSHOT_RULES_H

#include "dataplane/snapshot.h"

/*
 * 0, also where there are none; or as lp_snapshot_build(), with *fault if it is
 * one rule's.  Their hashes have a seed that is drawn anew for each snapshot.
 * What was taken of the region is released by lp_snapshot_rules_release().
 */
int lp_snapshot_rules_build(struct lp_snapshot *snapshot,
    const struct lp_config *config, struct lp_region *region,
    struct lp_snapshot_fault *fault);

/* Frees the slots of all others; NULL: there are none, and all are free. */
void lp_snapshot_rules_release(
    const struct lp_rules *rules, struct lp_region *region);

#endif
