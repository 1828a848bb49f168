/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a configuration the running one: all or nothing.
 */
#ifndef LP_DATAPLANE_APPLY_H
#define LP_DATAPLANE_APPLY_H

#include "dataplane/dataplane.h"

struct lp_applied {
	uint64_t build_ns;
	uint64_t swap_ns; /* until no worker can see the old one */
};

/*
 * Applies a complete candidate and takes its configuration.  0, or -EINVAL
 * with a refusal: then everything is as it was.
 */
int lp_apply_candidate(struct lp_dataplane *dataplane,
    struct lp_candidate *candidate, struct lp_applied *applied,
    struct lp_refusal *refusal);

/*
 * At start: applies what is on the disk.  A file that is of no use is moved
 * aside and logged; ports that cannot be opened are tried again later.
 * -errno only if the worker cannot run.
 */
int lp_apply_last_good(struct lp_dataplane *dataplane);

/*
 * Remembers the highest epoch and whose it is (0: not known), also on the
 * disk.
 */
void lp_apply_epoch(
    struct lp_dataplane *dataplane, uint64_t epoch, uint64_t controller);

/*
 * The same configuration once more: it has closed, or opened.  -EAGAIN: not
 * yet, and lp_apply_watch() tries again.
 */
int lp_apply_again(struct lp_dataplane *dataplane);

/* Each second: devices that come and go, and whatever has failed before. */
void lp_apply_watch(struct lp_dataplane *dataplane);

#endif
