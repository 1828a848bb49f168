/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet process as a whole, seen from its control thread: everything
 * that is not a packet hangs here.
 */
#ifndef LP_DATAPLANE_DATAPLANE_H
#define LP_DATAPLANE_DATAPLANE_H

#include "dataplane/alone.h"
#include "dataplane/candidate.h"
#include "dataplane/denial_log.h"
#include "dataplane/keep.h"
#include "dataplane/options.h"
#include "dataplane/ports.h"
#include "dataplane/snapshot.h"
#include "dataplane/worker.h"

struct lp_dataplane {
	const struct lp_options *options; /* borrowed */
	struct lp_keep *keep; /* borrowed; NULL: nothing outlives us */
	struct lp_region region;
	struct lp_snapshot_cell cell;
	struct lp_ports ports;
	struct lp_worker *worker; /* NULL until there is a port */
	struct lp_running running;
	struct lp_denial_log *denials;
	struct lp_alone alone; /* without any lp-controld */
	struct {
		uint64_t accepted, refused;
	} remote; /* controllers of other machines */
	uint64_t started_ns; /* CLOCK_MONOTONIC */
	uint64_t since_ns; /* CLOCK_REALTIME of the last swap; 0: none */
	bool unsaved; /* what runs could not be written to the disk */
	bool alone_unsaved; /* nor that it is alone */
	/* Ports have changed, or it has closed, and no snapshot says so. */
	bool unpublished;
	bool tapped; /* a capture runs: one at a time */
};

/*
 * Opens the region and starts to forward from the last good configuration,
 * if there is one.  keep may be NULL.  0, or -errno, logged.
 */
int lp_dataplane_init(struct lp_dataplane *dataplane,
    const struct lp_options *options, struct lp_keep *keep);
/* Stops forwarding. */
void lp_dataplane_fini(struct lp_dataplane *dataplane);

/*
 * The packet process, from its first line to its exit status: EX_CONFIG if
 * it would be of no use to start it again.
 */
int lp_dataplane_main(const struct lp_options *options);

#endif
