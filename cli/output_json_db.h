/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LP_CLI_OUTPUT_JSON_DB_H
#define LP_CLI_OUTPUT_JSON_DB_H

#include "cli/output.h"
#include "cli/view_db.h"

/* For lp_output_json. */
int lp_output_json_db(
    const struct lp_print *print, const struct lp_db_view *view);

#endif
