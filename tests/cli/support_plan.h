/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans of configurations that are written as commands
 * (tests/controld/transaction.h).
 */
#ifndef LP_TESTS_CLI_SUPPORT_PLAN_H
#define LP_TESTS_CLI_SUPPORT_PLAN_H

#include "cli/plan.h"

/* Of each test, between setup and teardown. */
extern struct lp_report *support_plan_report;
/* Where all that is declared has its place. */
extern struct lp_yaml_node support_plan_node;

void support_plan_setup(void);
void support_plan_teardown(void);

void support_plan_config(struct lp_config *config, const char *commands);

/*
 * As if files had declared it.  owners: that they have at their tops, "none"
 * for nobody; NULL: it is the whole configuration.
 */
void support_plan_declaration(struct lp_declaration *declaration,
    const char *commands, const char *owners);

/*
 * The model does the operations.  False: what was discovered, which stays, is
 * in the way.
 */
bool support_plan_run(struct lp_config *to, const struct lp_config *from,
    const struct lp_plan *plan);

#endif
