/* SPDX-License-Identifier: Apache-2.0 */
/* The two ends of a wait to be confirmed, as requests: for commit.c. */
#ifndef LP_CONTROLD_CONFIRM_REQUEST_H
#define LP_CONTROLD_CONFIRM_REQUEST_H

#include "controld/confirm.h"
#include "controld/reply.h"

/* Somebody confirms: ends the wait, or tells him why not. */
void lp_confirm_request_answer(struct lp_confirm *confirm,
    const struct lp_context *context, struct lp_reply_to *to,
    const Lp__Pb__ConfirmRequest *request);

/* Nobody has: what takes it back.  The caller's to free; NULL: no memory. */
Lp__Pb__ControlRequest *lp_confirm_request_rollback(
    const struct lp_confirm *confirm);

/* Whether what waits is still what this one takes back. */
bool lp_confirm_request_holds(
    const struct lp_confirm *confirm, const Lp__Pb__RollbackRequest *request);

#endif
