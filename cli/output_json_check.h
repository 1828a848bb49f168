/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LP_CLI_OUTPUT_JSON_CHECK_H
#define LP_CLI_OUTPUT_JSON_CHECK_H

#include "cli/output.h"

int lp_output_json_check(
    const struct lp_print *print, const struct lp_check_view *view);

#endif
