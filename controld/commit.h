/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions, one after another: model, store, push, and the answer when
 * every connected dataplane has answered.
 */
#ifndef LP_CONTROLD_COMMIT_H
#define LP_CONTROLD_COMMIT_H

#include "controld/confirm.h"
#include "controld/reply.h"

enum {
	LP_COMMIT_QUEUE_MAX = 64, /* transactions that wait for their turn */
	/* Bytes of them in memory; but one may wait always. */
	LP_COMMIT_QUEUE_BYTES = 384 << 20,
	LP_COMMIT_TIMEOUT_MS = 10000, /* if the request does not say */
};

struct lp_commit;

/* *context is borrowed; its push may still be unset.  -ENOMEM. */
int lp_commit_new(struct lp_commit **out, struct lp_context *context);
void lp_commit_free(struct lp_commit *commit);

/*
 * Takes ownership of the request: a transaction, rollback or confirmation,
 * of to->audit.who; it is audited.
 */
void lp_commit_add(struct lp_commit *commit, const struct lp_reply_to *to,
    Lp__Pb__ControlRequest *request);

/* A dataplane has applied, rejected, come or gone. */
void lp_commit_changed(struct lp_commit *commit);

/* None is under way or waits, for its turn or to be confirmed. */
bool lp_commit_is_idle(const struct lp_commit *commit);

/* At start, with the desired generation: it may wait to be confirmed. */
void lp_commit_resume(struct lp_commit *commit);

/* What waits to be confirmed. */
const struct lp_confirm *lp_commit_confirm(const struct lp_commit *commit);

/* What this client has waiting is not done; what has begun is. */
void lp_commit_gone(struct lp_commit *commit, uint64_t client);

#endif
