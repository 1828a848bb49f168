/* SPDX-License-Identifier: Apache-2.0 */
/* Text of rules: of list-rules, and where they are part of show. */
#ifndef LP_CLI_OUTPUT_TEXT_RULES_H
#define LP_CLI_OUTPUT_TEXT_RULES_H

#include "cli/output.h"

int lp_output_text_rules_list(
    const struct lp_print *print, const struct lp_view *view);

/* "rule NAME", and what it is, of each. */
int lp_output_text_rules_show(
    const struct lp_print *print, const struct lp_view *view);

#endif
