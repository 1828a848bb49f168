/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All changes of one command line: stored together, or not at all.
 */
#ifndef LP_CLI_TRANSACTION_H
#define LP_CLI_TRANSACTION_H

#include "cli/client.h"
#include "cli/line.h"

/*
 * Sends the commands, waits for the dataplanes, prints what there is to say.
 * comment: the command line as it was typed.  Returns the exit status.
 */
int lp_transaction_run(const struct lp_lpctl *lpctl, const struct lp_line *line,
    const char *comment, struct lp_error *error);

/*
 * What lp-controld has refused, for people: "listener c/l: vip: TEXT".  known:
 * the object that is named anyway, or NULL.  Returns the status.
 */
int lp_transaction_explain(
    struct lp_error *error, const Lp__Pb__Failure *failure, const char *known);

/* --confirm, in seconds; 0: not given.  An exit status. */
int lp_transaction_confirm(
    uint32_t *wait_s, const struct lp_words *words, struct lp_error *error);

/*
 * Sends the transaction, in as many frames as it takes; timeout_ms is filled
 * in.  Statuses, errors and replies are those of lp_client_ask().
 */
int lp_transaction_send(struct lp_replies *replies,
    const struct lp_lpctl *lpctl, Lp__Pb__Transaction *transaction,
    struct lp_error *error);

#endif
