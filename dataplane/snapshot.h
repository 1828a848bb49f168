/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building snapshots from configurations, and publishing them.
 *
 * Control thread only; the one place where the dataplane allocates after it
 * has started.
 */
#ifndef LP_DATAPLANE_SNAPSHOT_H
#define LP_DATAPLANE_SNAPSHOT_H

#include "dataplane/pipeline/region.h"
#include "dataplane/pipeline/snapshot.h"
#include "proto/config.h"

/* The open ports by slot, and the id of the port object in each slot. */
struct lp_open_ports {
	struct lp_port *port[LP_PORTS_MAX]; /* NULL: free, or not open */
	uint32_t id[LP_PORTS_MAX]; /* 0: free */
};

/* The object that cannot be compiled. */
struct lp_snapshot_fault {
	uint32_t object_id; /* 0: none of them */
	const char *field; /* a constant string */
	char why[LP_WHY_SIZE];
};

/*
 * Compiles a checked configuration.  Counters of endpoints (found by listener
 * and broker id) and of rules keep their place or get a free one.  0 and *out,
 * which the caller frees, or with *fault, which may be NULL, if it is one
 * object's
 *	-ENOSPC	more of something than there is room for
 *	-EINVAL	a rule with a text that is longer than what is read
 *	-EIO	no random numbers
 *	-ENOMEM
 */
int lp_snapshot_build(struct lp_snapshot **out, const struct lp_config *config,
    const struct lp_open_ports *ports, struct lp_region *region,
    struct lp_snapshot_fault *fault);

/* Accepts NULL. */
void lp_snapshot_free(struct lp_snapshot *snapshot);

/*
 * Publishes next (may be NULL only at the end) and frees the old one after
 * a grace period; returns once no worker can see it.
 */
void lp_snapshot_publish(
    struct lp_snapshot_cell *cell, struct lp_snapshot *next);

/*
 * Forgets counters whose listener, broker or rule is not in the snapshot (NULL:
 * all), those included that a configuration took that was refused; after
 * publishing, or refusing.
 */
void lp_snapshot_release_counters(
    const struct lp_snapshot *snapshot, struct lp_region *region);

#endif
