/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maglev's lookup table (Eisenbud et al., NSDI 2016, 3.4): every target gets
 * an equal share of the places, and when one goes few others move.
 */
#ifndef LP_DATAPLANE_MAGLEV_H
#define LP_DATAPLANE_MAGLEV_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/pipeline/limits.h"
#include "proto/address.h"

/* A target by what it is on every host, and what to put into the table. */
struct lp_maglev_target {
	int32_t node_id;
	struct lp_endpoint real;
	uint16_t value;
};

/*
 * Fills the table from 1..LP_ENDPOINTS_MAX targets with different node ids,
 * which it reorders.  Depends on the set alone, not on its order or on the
 * values.  0 or -ENOMEM.
 */
int lp_maglev_fill(uint16_t table[LP_MAGLEV_SIZE],
    struct lp_maglev_target *targets, size_t count);

#endif
