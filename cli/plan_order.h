/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In which order rules of one priority are asked, which is not that of files.
 */
#ifndef LP_CLI_PLAN_ORDER_H
#define LP_CLI_PLAN_ORDER_H

#include "cli/plan.h"

/*
 * Warns of rules that are new or change, and would be asked in another order
 * than they are declared in.  Of each object of the declaration: what becomes
 * of it (enum lp_plan_verb, 0: nothing), and what there is.  0, or -ENOMEM.
 */
int lp_plan_order(struct lp_report *report,
    const struct lp_declaration *declaration, const uint8_t *verbs,
    const struct lp_declared *const *from);

#endif
