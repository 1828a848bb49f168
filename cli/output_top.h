/* SPDX-License-Identifier: Apache-2.0 */
/* A round of "lpctl top" where there is no screen: text, and JSON. */
#ifndef LP_CLI_OUTPUT_TOP_H
#define LP_CLI_OUTPUT_TOP_H

#include "cli/output.h"

int lp_output_text_top(
    const struct lp_print *print, const struct lp_top_picture *picture);
int lp_output_json_top(
    const struct lp_print *print, const struct lp_top_picture *picture);

#endif
