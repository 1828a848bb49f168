/* SPDX-License-Identifier: Apache-2.0 */
/* What diff and apply show. */
#ifndef LP_CLI_OUTPUT_TEXT_PLAN_H
#define LP_CLI_OUTPUT_TEXT_PLAN_H

#include "cli/output.h"

/* The steps, before anything is sent; or what came of them. */
int lp_output_text_plan(
    const struct lp_print *print, const struct lp_plan_view *view);

#endif
