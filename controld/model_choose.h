/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where clients shall reach a broker, as the operator chooses.
 */
#ifndef LP_CONTROLD_MODEL_CHOOSE_H
#define LP_CONTROLD_MODEL_CHOOSE_H

#include "controld/model_work.h"

/*
 * Does what the operation says of endpoints.  Of an object that was there
 * before, and was to be added all the same, it must say what is so already.
 */
int lp_model_choose_run(struct lp_model_work *work, uint32_t broker_id);

#endif
