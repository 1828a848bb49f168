/* SPDX-License-Identifier: Apache-2.0 */
/* The state region of a plane, in private memory. */
#ifndef LP_TESTS_SUPPORT_PLANE_REGION_H
#define LP_TESTS_SUPPORT_PLANE_REGION_H

#include "dataplane/pipeline/region.h"

void plane_region_open(
    struct lp_region *region, uint32_t connections, uint32_t buffers);
void plane_region_close(struct lp_region *region);

/* No connection was ever there, and nothing of Kafka was counted. */
void plane_region_reset(struct lp_region *region);

#endif
