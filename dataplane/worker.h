/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker: the one thread that runs the pipeline.
 */
#ifndef LP_DATAPLANE_WORKER_H
#define LP_DATAPLANE_WORKER_H

#include "dataplane/pipeline/pipeline.h"

struct lp_worker;

struct lp_worker_config {
	struct lp_snapshot_cell *cell; /* borrowed, as all of these */
	struct lp_region *region;
	const struct lp_backend_ops *backend;
	struct lp_pool *pool;
	bool spin; /* never sleep */
	uint32_t spin_us; /* without a packet, before it sleeps */
	int cpu; /* negative: anywhere */
};

/*
 * control: makes the pipeline and starts the thread.  0, -EINVAL (no such
 * CPU), or -errno.
 */
int lp_worker_new(
    struct lp_worker **worker, const struct lp_worker_config *config);
/* control: stops the thread and waits for it.  Accepts NULL. */
void lp_worker_free(struct lp_worker *worker);

/* control: it may be asleep, and there is something new to look at. */
void lp_worker_wake(struct lp_worker *worker);

/*
 * control: for how long it has been in one turn, as seen by these calls: 0 if
 * it has made one since the last call, or is asleep.
 */
uint64_t lp_worker_stuck_ns(struct lp_worker *worker, uint64_t now_ns);

/* control: for lp_pipeline_reclaim(). */
struct lp_pipeline *lp_worker_pipeline(struct lp_worker *worker);

#endif
