/* SPDX-License-Identifier: Apache-2.0 */
/* Text of the history: the part of output_text.c that does. */
#ifndef LP_CLI_OUTPUT_TEXT_HISTORY_H
#define LP_CLI_OUTPUT_TEXT_HISTORY_H

#include "cli/output.h"

int lp_output_text_history(
    const struct lp_print *print, const struct lp_history_view *view);

#endif
