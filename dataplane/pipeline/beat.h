/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the worker says that it lives, and what it does once it had not.
 *
 * Of an inline port with on_loss wire the steering program passes on what comes
 * in as soon as our last beat is too old.  What had come in before waits for us
 * in the rings meanwhile, and newer frames go past it: it is dropped as stale,
 * and only when nothing is left of it do we say that we live, or more of both
 * would mix.  It is what a short loss of the wire is to TCP; late segments,
 * maybe of a connection that was there before, would be worse.
 *
 * Everything else is kept, late as it is.  What came to a VIP, or to a port
 * with on_loss drop, while we hung was dropped: nothing has gone past what
 * waits, so it comes in order, and is that much less to send again.  On DPDK
 * all waits in one queue.
 *
 * We say it first in a turn, next to the look at the clock: what hangs later in
 * it shows in the next one.  A hang between the two and rx sends late the one
 * batch that was taken just then.
 */
#ifndef LP_PIPELINE_BEAT_H
#define LP_PIPELINE_BEAT_H

#include "dataplane/pipeline/batch.h"
#include "dataplane/pipeline/snapshot.h"

struct lp_beat {
	/* When the ports, and those of which snapshot, were told we live. */
	uint64_t told_ns; /* 0: never */
	uint64_t serial;
};

static inline bool
lp_beat_tell(struct lp_beat *beat, const struct lp_batch *batch)
{
	beat->told_ns = batch->now_ns;
	beat->serial = batch->snapshot->serial;
	return true;
}

/* Before anything is received: true if the ports are to be told. */
static inline bool
lp_beat_begin(struct lp_beat *beat, struct lp_batch *batch)
{
	const struct lp_snapshot *snapshot = batch->snapshot;
	uint64_t silent_ns = batch->now_ns - beat->told_ns;

	batch->stale = 0;
	batch->late = snapshot != NULL && snapshot->wires_on_loss &&
	    beat->told_ns != 0 && silent_ns > LP_DEAD_NS;
	if (snapshot == NULL || batch->late ||
	    (silent_ns < LP_BEAT_NS && beat->serial == snapshot->serial))
		return false;
	return lp_beat_tell(beat, batch);
}

/* The turn ends, of one that was late: true if they are to be told now. */
static inline bool
lp_beat_end(struct lp_beat *beat, const struct lp_batch *batch)
{
	/* A full batch may have left no room for more of them. */
	if (!batch->late || batch->stale > 0 || batch->count == LP_BATCH_MAX)
		return false;
	return lp_beat_tell(beat, batch);
}

#endif
