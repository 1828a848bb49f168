/* SPDX-License-Identifier: Apache-2.0 */
/* The content of an old generation for a new one: for commit.c. */
#ifndef LP_CONTROLD_ROLLBACK_H
#define LP_CONTROLD_ROLLBACK_H

#include "controld/model.h"
#include "controld/order.h"

enum { LP_ROLLBACK_COMMENT_SIZE = 4096 };

/*
 * Loads it and checks it: what passed once may not pass this version's check.
 * 0 with the configuration, the next id and what the history says of it; or
 * -errno, and the client has been told.
 */
int lp_rollback_load(struct lp_model_change *change,
    const struct lp_order *order, const struct lp_context *context,
    const struct lp_confirm *confirm, const struct lp_reply_to *to,
    char comment[LP_ROLLBACK_COMMENT_SIZE]);

#endif
