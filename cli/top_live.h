/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LP_CLI_TOP_LIVE_H
#define LP_CLI_TOP_LIVE_H

#include "cli/top_ask.h"

/*
 * The live screen, until a key or a signal ends it: keys are obeyed while an
 * answer is waited for.  LP_EXIT_OK, or the status and the reason why there
 * is no screen; the terminal is as it was either way.  A signal other than
 * SIGINT is raised again when it is.
 */
int lp_top_live_run(const struct lp_lpctl *lpctl,
    const struct lp_top_options *options, struct lp_error *error);

#endif
