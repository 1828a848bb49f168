/* SPDX-License-Identifier: Apache-2.0 */
/* Traces as JSON, for output_json.c. */
#ifndef LP_CLI_OUTPUT_JSON_TRACE_H
#define LP_CLI_OUTPUT_JSON_TRACE_H

#include "cli/output.h"

int lp_output_json_trace(
    const struct lp_print *print, const struct lp_trace_view *view);
int lp_output_json_trace_captured(
    const struct lp_print *print, const struct lp_capture_view *view);

#endif
