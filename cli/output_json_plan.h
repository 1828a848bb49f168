/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LP_CLI_OUTPUT_JSON_PLAN_H
#define LP_CLI_OUTPUT_JSON_PLAN_H

#include "cli/json.h"

/* Of an apply that sends something: all of it once it is done. */
int lp_output_json_plan(
    const struct lp_print *print, const struct lp_plan_view *view);

#endif
