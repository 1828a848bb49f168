/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All changes of one command line: stored together, or not at all.
 */
#ifndef LP_CLI_TRANSACTION_H
#define LP_CLI_TRANSACTION_H

#include "cli/line.h"

/*
 * Sends the commands, waits for the dataplanes, prints what there is to say.
 * comment: the command line as it was typed.  Returns the exit status.
 */
int lp_transaction_run(const struct lp_lpctl *lpctl, const struct lp_line *line,
    const char *comment, struct lp_error *error);

#endif
