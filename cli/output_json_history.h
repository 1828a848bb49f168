/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of the history: the part of output_json.c that does. */
#ifndef LP_CLI_OUTPUT_JSON_HISTORY_H
#define LP_CLI_OUTPUT_JSON_HISTORY_H

#include "cli/output.h"

int lp_output_json_history(
    const struct lp_print *print, const struct lp_history_view *view);

#endif
