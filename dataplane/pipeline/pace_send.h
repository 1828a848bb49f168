/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends that were held (pace.h) and may go on are told so.
 */
#ifndef LP_PIPELINE_PACE_SEND_H
#define LP_PIPELINE_PACE_SEND_H

#include "dataplane/pipeline/rewrite.h"

/* Those whose time is over, LP_PACE_STEP at most. */
void lp_pace_send_turn(struct lp_rewrite *rewrite, struct lp_batch *batch);

#endif
