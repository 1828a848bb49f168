/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the state region (dataplane/pipeline/region.h), or taking up the one
 * that an earlier packet process left with the keeper.
 */
#ifndef LP_DATAPLANE_REGION_H
#define LP_DATAPLANE_REGION_H

#include "dataplane/keep.h"
#include "dataplane/pipeline/region.h"

/*
 * keep may be NULL: a region that dies with the process.  A kept region that
 * does not fit (another layout, other limits, cut short) is replaced by a new
 * one, and the log says what is lost.  0, or -errno.
 */
int lp_region_open(struct lp_region *region, struct lp_keep *keep,
    uint32_t connection_count, uint32_t buffer_count);

/* Unmaps it; what is kept stays kept. */
void lp_region_close(struct lp_region *region);

#endif
