/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The endpoint of every broker on every listener of its cluster.
 */
#ifndef LP_CONTROLD_MODEL_ENDPOINT_H
#define LP_CONTROLD_MODEL_ENDPOINT_H

#include "controld/model.h"

/*
 * Makes what is missing, moves what a listener's VIP or base has moved, and
 * removes what has lost its listener, broker or port; everything else stays as
 * it is, ids included.  0; -EINVAL with change->error (place unset) and the two
 * that do not fit in *listener_id and *broker_id; -ENOMEM.
 */
int lp_model_endpoint_run(
    struct lp_model_change *change, uint32_t *listener_id, uint32_t *broker_id);

/*
 * The operator's choice; vip NULL: none any more.  Listener and broker exist,
 * and are of one cluster.  As lp_model_endpoint_run(), which is to follow.
 */
int lp_model_endpoint_choose(struct lp_model_change *change,
    uint32_t listener_id, uint32_t broker_id, const struct lp_endpoint *vip);

/* Whether that is what was chosen. */
bool lp_model_endpoint_is(const struct lp_config *config, uint32_t listener_id,
    uint32_t broker_id, const struct lp_endpoint *vip);

#endif
