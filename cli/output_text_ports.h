/* SPDX-License-Identifier: Apache-2.0 */
/* Text of list-ports: what is configured, and below it what runs. */
#ifndef LP_CLI_OUTPUT_TEXT_PORTS_H
#define LP_CLI_OUTPUT_TEXT_PORTS_H

#include "cli/output.h"

int lp_output_text_ports(
    const struct lp_print *print, const struct lp_ports_view *view);

#endif
