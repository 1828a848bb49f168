/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of rules and their counters: the part of output_json.c that does. */
#ifndef LP_CLI_OUTPUT_JSON_RULES_H
#define LP_CLI_OUTPUT_JSON_RULES_H

#include "cli/json.h"
#include "cli/output.h"

/* In the order in which they are asked; NULL: no memory. */
json_t *lp_output_json_rules_list(const struct lp_view *view);

int lp_output_json_rules_stats(
    const struct lp_print *print, const struct lp_rule_stats_view *view);

#endif
