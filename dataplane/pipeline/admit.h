/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New connections: which are let in, where they go, with which addresses.
 *
 * What no connection is known for is judged here, and answered by RST if it is
 * ours and not let in.
 */
#ifndef LP_PIPELINE_ADMIT_H
#define LP_PIPELINE_ADMIT_H

#include "dataplane/pipeline/conntrack.h"
#include "dataplane/pipeline/reset.h"

struct lp_admit {
	struct lp_conntrack *conntrack;
	struct lp_reset *reset;
};

void lp_admit_stage(struct lp_admit *admit, struct lp_batch *batch);

/* A TCP segment as tcp_state.h wants it. */
void lp_admit_segment(const struct lp_pkt *pkt, struct lp_tcp_segment *segment);

#endif
