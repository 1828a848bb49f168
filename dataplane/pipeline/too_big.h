/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path MTU discovery: the sender of a packet that does not fit the port out is
 * told "fragmentation needed" (RFC 1191) or "packet too big" (RFC 8201).
 */
#ifndef LP_PIPELINE_TOO_BIG_H
#define LP_PIPELINE_TOO_BIG_H

#include "dataplane/pipeline/neighbor.h"
#include "dataplane/pipeline/region.h"

/* Tells the sender of pkt, a segment of conn. */
void lp_too_big_answer(struct lp_neighbors *neighbors, struct lp_batch *batch,
    const struct lp_pkt *pkt, const struct lp_conn *conn);

#endif
