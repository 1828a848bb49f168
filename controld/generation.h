/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generation: one whole numbered configuration.  The daemon has one that
 * it desires; the store keeps it, push brings it to every dataplane.
 */
#ifndef LP_CONTROLD_GENERATION_H
#define LP_CONTROLD_GENERATION_H

#include <stdint.h>

#include "proto/config.h"

struct lp_generation {
	uint64_t number; /* from 1 */
	uint64_t digest;
	uint64_t time_ns; /* CLOCK_REALTIME when it was stored */
	struct lp_config config;
};

#endif
