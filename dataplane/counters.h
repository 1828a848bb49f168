/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The places of endpoint counters in the region: which belongs to which pair
 * of listener and broker.  Control alone gives and takes places.
 */
#ifndef LP_DATAPLANE_COUNTERS_H
#define LP_DATAPLANE_COUNTERS_H

#include "dataplane/pipeline/region.h"

/* An index over the places, for as long as one snapshot is being built. */
enum { LP_COUNTERS_INDEX_SIZE = 4 * LP_ENDPOINTS_MAX };

struct lp_counters {
	struct lp_endpoint_stats *places; /* LP_ENDPOINTS_MAX, borrowed */
	unsigned next; /* the first that may be free */
	uint16_t index[LP_COUNTERS_INDEX_SIZE]; /* place + 1; 0: nothing */
};

void lp_counters_init(
    struct lp_counters *counters, struct lp_endpoint_stats *places);

/* The place of that pair, a new one at zero if it has none, or -ENOSPC. */
int lp_counters_take(struct lp_counters *counters, uint32_t listener_id,
    uint32_t broker_id, uint16_t *place);

#endif
