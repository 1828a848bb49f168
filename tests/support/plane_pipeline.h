/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a plane's pipeline, which the next one gets again.  A
 * simulation makes a pipeline for each of its runs, and most of its time went
 * into pages that the kernel made and took back every time.
 */
#ifndef LP_TESTS_SUPPORT_PLANE_PIPELINE_H
#define LP_TESTS_SUPPORT_PLANE_PIPELINE_H

#include "dataplane/pipeline/pipeline.h"

/* In zeroed memory, as lp_pipeline_new() does it; one at a time. */
struct lp_pipeline *plane_pipeline_open(
    const struct lp_pipeline_config *config);
/* Of none, nothing. */
void plane_pipeline_close(struct lp_pipeline *pipeline);

#endif
