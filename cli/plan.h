/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes of a configuration what files declare: for each object, by its
 * stable key, nothing, or one operation.
 *
 * Ports, clusters and rules are known by their names, brokers by cluster and
 * node id, listeners by cluster and name.  What is as declared is not touched;
 * what differs is set, never deleted and added again.
 *
 * Owners.  What is of no owner is taken over; what is of another one is
 * refused, but for a cluster that a file only names at its top: that stays as
 * it is.
 */
#ifndef LP_CLI_PLAN_H
#define LP_CLI_PLAN_H

#include <stdio.h>

#include "cli/declaration_operation.h"

enum lp_plan_verb {
	LP_PLAN_ADD = 1,
	LP_PLAN_SET,
	LP_PLAN_DEL,
};
enum { LP_PLAN_VERBS = 4 }; /* one more than the last */

/* One operation; its place is its index and one more. */
struct lp_plan_step {
	const struct lp_declared *from; /* what there is; NULL: ADD */
	const struct lp_declared *to; /* what is to be; NULL: DEL */
	uint8_t verb; /* enum lp_plan_verb */
};

struct lp_plan {
	struct lp_plan_step *steps; /* in the order of the operations */
	size_t count;
	size_t size; /* places allocated */
	struct lp_declaration_operation operations;
	size_t counts[LP_PLAN_VERBS]; /* steps of each verb */
	size_t unchanged; /* objects of the files */
	/* What there is, also what was discovered. */
	struct lp_declaration current;
	/* Clusters that are set before they are deleted. */
	struct lp_declared *loosened;
};

struct lp_plan_options {
	/*
	 * Deletes what the files lack: of their owners, or, if they are the
	 * whole configuration, of all.  Not brokers that were discovered, but
	 * with their cluster.
	 */
	bool prune;
	/* As in cli/lpctl.h; NULL: names stand for no address. */
	int (*resolve)(struct lp_ip *ip, const char *host, char *why);
	FILE *err; /* where to say what they resolve to; NULL: nowhere */
};

/*
 * 0, also if the report has errors: then the plan lacks what was refused; or
 * -ENOMEM.  lp_plan_fini() in every case.
 *
 * Names of brokers that are new, or other than they were, are resolved, and
 * so become addresses in the declaration; of the others the address is what
 * it is now.  The declaration and the report must outlive the plan.
 */
int lp_plan_make(struct lp_plan *plan, struct lp_report *report,
    struct lp_declaration *declaration, const struct lp_config *config,
    const struct lp_plan_options *options);
void lp_plan_fini(struct lp_plan *plan);

/*
 * Does the operations on a copy, as lp-controld will: what it would refuse
 * goes to the report.  0, or -ENOMEM.
 */
int lp_plan_check(const struct lp_plan *plan, struct lp_report *report,
    struct lp_declaration *declaration, const struct lp_config *config);

#endif
