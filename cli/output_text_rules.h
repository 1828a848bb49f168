/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of rules: of list-rules, where they are part of show, and of their
 * counters.
 */
#ifndef LP_CLI_OUTPUT_TEXT_RULES_H
#define LP_CLI_OUTPUT_TEXT_RULES_H

#include "cli/output.h"

int lp_output_text_rules_list(
    const struct lp_print *print, const struct lp_view *view);

/* "rule NAME", and what it is, of each. */
int lp_output_text_rules_show(
    const struct lp_print *print, const struct lp_view *view);

int lp_output_text_rules_stats(
    const struct lp_print *print, const struct lp_rule_stats_view *view);

#endif
