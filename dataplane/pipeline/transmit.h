/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What leaves in a turn, in which order: packets of the batch as they came,
 * and those that we made where they belong among them.
 */
#ifndef LP_PIPELINE_TRANSMIT_H
#define LP_PIPELINE_TRANSMIT_H

#include "dataplane/pipeline/queue.h"

/* Sends all that is to be sent; what a port does not take at once waits in the
 * queues; what finds no room there is released, or marked as dropped. */
void lp_transmit(const struct lp_make *make, struct lp_queues *queues,
    struct lp_batch *batch);

#endif
