/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet path of one worker.  Read pipeline.c first.
 */
#ifndef LP_PIPELINE_PIPELINE_H
#define LP_PIPELINE_PIPELINE_H

#include "dataplane/pipeline/region.h"
#include "dataplane/pipeline/snapshot.h"
#include "dataplane/port/port.h"

struct lp_capture;
struct lp_conntrack;
struct lp_denials;
struct lp_neighbor;
struct lp_neighbors;
struct lp_pipeline;
struct lp_topic_feed;

struct lp_pipeline_config {
	struct lp_snapshot_cell *cell; /* borrowed */
	struct lp_region *region; /* borrowed */
	const struct lp_backend_ops *backend;
	struct lp_pool *pool; /* borrowed */
	uint64_t hash_seed; /* random: of the connection table */
	uint64_t now_ns; /* CLOCK_MONOTONIC */
	/* The same clock, looked at once packets have come in: what a turn was
	 * given may be milliseconds old then, and latencies would show them.
	 * NULL: a turn is at the time that it was given. */
	uint64_t (*clock)(void);
};

/* Bytes that a packet path over so many connections needs, for ever. */
size_t lp_pipeline_size(uint32_t connection_count);

/*
 * control, before the worker starts: makes the packet path in that memory
 * (zeroed, aligned to a cache line), copies back a marked undo slot, rebuilds
 * the indexes from the region.
 */
struct lp_pipeline *lp_pipeline_init(
    void *memory, const struct lp_pipeline_config *config);

/* control, after the worker has stopped: held packets go back to the pool. */
void lp_pipeline_fini(struct lp_pipeline *pipeline);

/* The same with memory of its own (pipeline_new.c).  0, or -ENOMEM. */
int lp_pipeline_new(
    struct lp_pipeline **pipeline, const struct lp_pipeline_config *config);
void lp_pipeline_free(struct lp_pipeline *pipeline);

/*
 * worker: one turn, begun at that time: packets in, through every stage, out;
 * then a slice of timers and, after a new generation, of the connection sweep;
 * and, when the pools of splices are short, of those that may stall. Returns
 * how many packets came in.
 */
unsigned lp_pipeline_run(struct lp_pipeline *pipeline, uint64_t now_ns);

/*
 * The same turn of a pipeline that no worker runs, for trace: after each
 * stage, "rx" to "tx", it is shown what became of the batch.  At "rewrite" the
 * frames that are to leave lie in the batch and its outbox.
 */
typedef void lp_pipeline_seen(
    void *arg, const char *stage, const struct lp_batch *batch);
unsigned lp_pipeline_watch(struct lp_pipeline *pipeline, uint64_t now_ns,
    lp_pipeline_seen *seen, void *arg);

/* worker: descriptors to poll before sleeping; at most max. */
unsigned lp_pipeline_fds(struct lp_pipeline *pipeline, int fds[], unsigned max);

/*
 * worker: milliseconds until a timer is due, for poll(); at most 1000, and 0
 * while there is work to do without a packet (a sweep).
 */
int lp_pipeline_wait_ms(const struct lp_pipeline *pipeline, uint64_t now_ns);

/*
 * control: that port was closed (no snapshot has it); the worker takes back
 * its buffers in one of its next turns.  True once that is done, false: ask
 * again; the slot must not be used until then.
 */
bool lp_pipeline_reclaim(struct lp_pipeline *pipeline, uint8_t slot);

/*
 * control: packets to copy from the next turn on; NULL: none.  What was given
 * before is still used until a grace period has passed.
 */
void lp_pipeline_capture(
    struct lp_pipeline *pipeline, struct lp_capture *capture);

/* control: where names of topic ids go in. */
struct lp_topic_feed *lp_pipeline_topic_feed(struct lp_pipeline *pipeline);

/* control: where what was refused comes out. */
struct lp_denials *lp_pipeline_denials(struct lp_pipeline *pipeline);

/*
 * For trace.  Those of a pipeline that a worker runs may only be read, by
 * copies that prove to be whole.
 */
struct lp_conntrack *lp_pipeline_conntrack(struct lp_pipeline *pipeline);
const struct lp_neighbors *lp_pipeline_neighbors(
    const struct lp_pipeline *pipeline);
/* Knows a next hop as another pipeline does; no worker runs this one. */
void lp_pipeline_adopt(
    struct lp_pipeline *pipeline, const struct lp_neighbor *from);

#endif
