/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of us without any lp-controld (alone.h): the option, the file,
 * the log, and the snapshot that is closed.
 */
#ifndef LP_DATAPLANE_LOSS_H
#define LP_DATAPLANE_LOSS_H

#include "dataplane/dataplane.h"

/* At start, before anything is published: it may begin closed. */
void lp_loss_begin(struct lp_dataplane *dataplane);

/*
 * Each second, and at once when one is welcomed: whether any lp-controld is
 * there.
 */
void lp_loss_turn(struct lp_dataplane *dataplane, bool somebody);

#endif
