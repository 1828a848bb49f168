/* SPDX-License-Identifier: Apache-2.0 */
/* Text of what runs: the part of output_text.c that changes by itself. */
#ifndef LP_CLI_OUTPUT_TEXT_LIVE_H
#define LP_CLI_OUTPUT_TEXT_LIVE_H

#include "cli/output.h"

int lp_output_text_live_stats(
    const struct lp_print *print, const struct lp_stats_view *view);
int lp_output_text_live_connections(
    const struct lp_print *print, const struct lp_connections_view *view);

#endif
