/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clusters that are the same as others, in a plan: what they really are the
 * same as, and in which order they can become that.
 */
#ifndef LP_CLI_PLAN_CLUSTER_H
#define LP_CLI_PLAN_CLUSTER_H

#include "cli/declaration_names.h"

enum lp_plan_cluster_pass {
	LP_PLAN_CLUSTER_ALONE = 0, /* they stand for themselves */
	LP_PLAN_CLUSTER_LOOSEN, /* before these: what goes lets others go */
	/* Others were the same as they are. */
	LP_PLAN_CLUSTER_LAST,
	LP_PLAN_CLUSTER_PASSES,
};

/*
 * As lp-controld does it, each becomes the same as what the one that its file
 * names stands for.  current: of what there is.  0, or -ENOMEM.
 */
int lp_plan_cluster_resolve(struct lp_declaration *declaration,
    const struct lp_declaration_names *current);

/*
 * A file that just names a cluster at its top, to say where its brokers and
 * listeners belong, says nothing of one that is another's.
 */
bool lp_plan_cluster_is_named_only(
    const struct lp_declared *to, const struct lp_declared *from);

/* In which pass a cluster of the files comes. */
unsigned lp_plan_cluster_pass(
    const struct lp_declaration *current, const struct lp_declared *cluster);

#endif
