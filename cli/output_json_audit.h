/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of who has changed what: the part of output_json.c that does. */
#ifndef LP_CLI_OUTPUT_JSON_AUDIT_H
#define LP_CLI_OUTPUT_JSON_AUDIT_H

#include "cli/output.h"

int lp_output_json_audit(
    const struct lp_print *print, const struct lp_audit_view *view);

#endif
