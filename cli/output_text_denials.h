/* SPDX-License-Identifier: Apache-2.0 */
/* Text of denials: a table that goes on from round to round. */
#ifndef LP_CLI_OUTPUT_TEXT_DENIALS_H
#define LP_CLI_OUTPUT_TEXT_DENIALS_H

#include "cli/output.h"

int lp_output_text_denials(
    const struct lp_print *print, const struct lp_denials_view *view);

#endif
