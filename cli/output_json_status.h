/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of `status`: the part of output_json.c that shows it. */
#ifndef LP_CLI_OUTPUT_JSON_STATUS_H
#define LP_CLI_OUTPUT_JSON_STATUS_H

#include "cli/output.h"

int lp_output_json_status(
    const struct lp_print *print, const Lp__Pb__StatusReply *reply);

#endif
