/* SPDX-License-Identifier: Apache-2.0 */
/* Of status: what clusters say of their brokers, and what is not so here. */
#ifndef LP_CLI_OUTPUT_TEXT_DISCOVERY_H
#define LP_CLI_OUTPUT_TEXT_DISCOVERY_H

#include "cli/output.h"

void lp_output_text_discovery(
    const struct lp_print *print, const Lp__Pb__StatusReply *reply);

#endif
