/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells one controller what clusters say of their brokers (kafka/sightings.h):
 * all of it, whenever something is new, and from time to time, since it also
 * tells how long ago each was listed.  The table is read where it lies; the
 * worker is not asked.
 */
#ifndef LP_DATAPLANE_SIGHT_H
#define LP_DATAPLANE_SIGHT_H

#include <event2/buffer.h>

#include "dataplane/dataplane.h"

enum {
	LP_SIGHT_AGAIN_MS = 10000,
	/* In one call; the rest is for the next. */
	LP_SIGHT_FRAMES_MAX = 8,
};

/* All zero: nothing was told. */
struct lp_sight {
	uint64_t serial; /* of the youngest that was told */
	uint64_t told_ms; /* when the last pass began */
	uint32_t next; /* place to look at */
	bool begun; /* once something was told */
	bool passing;
};

/* Once a second; 0, -ENOMEM. */
int lp_sight_report(struct lp_sight *sight,
    const struct lp_dataplane *dataplane, uint64_t now_ms,
    struct evbuffer *out);

#endif
