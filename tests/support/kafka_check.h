/* SPDX-License-Identifier: Apache-2.0 */
/* What always holds of Kafka's state and statistics in a plane. */
#ifndef LP_TESTS_SUPPORT_KAFKA_CHECK_H
#define LP_TESTS_SUPPORT_KAFKA_CHECK_H

#include "tests/support/plane.h"

/* What the connections say that they have of the pools. */
struct kafka_taken {
	uint32_t messages;
	uint32_t inflight;
	uint32_t held;
	uint32_t waiting; /* segments behind gaps */
	uint32_t said; /* blocks */
};

/*
 * Every place of the pools that is taken belongs to one connection, and what a
 * connection has is taken; what is in flight is what the gauges say.  Ends the
 * program otherwise.
 */
struct kafka_taken kafka_check_pools(void);

/* Sums reconcile, and nothing has become less since that was asked last. */
void kafka_check_counters(void);

/* They may begin anew. */
void kafka_check_forget(void);

#endif
