/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of denials: one document, or, of rounds, an object for each. */
#ifndef LP_CLI_OUTPUT_JSON_DENIALS_H
#define LP_CLI_OUTPUT_JSON_DENIALS_H

#include "cli/output.h"

int lp_output_json_denials(
    const struct lp_print *print, const struct lp_denials_view *view);

#endif
