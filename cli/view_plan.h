/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan for showing: alone, or with what came of it.
 */
#ifndef LP_CLI_VIEW_PLAN_H
#define LP_CLI_VIEW_PLAN_H

#include "cli/plan.h"

enum {
	/* apply shows so many steps; diff shows all. */
	LP_PLAN_STEPS_SHOWN = 200,
};

struct lp_plan_view {
	const struct lp_plan *plan;
	const struct lp_report *report; /* which knows the files */
	uint64_t generation; /* that it was made for */
	bool is_apply;
	bool is_dry; /* of apply: nothing is to be sent */
	/* What came of it; NULL: nothing yet, or nothing was sent. */
	const Lp__Pb__TransactionReply *reply;
	uint32_t confirm_s; /* it is rolled back by itself after that; 0: not */
};

#endif
