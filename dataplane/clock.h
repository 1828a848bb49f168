/* SPDX-License-Identifier: Apache-2.0 */
/* The two clocks, in nanoseconds.  Cold code, and the worker between turns. */
#ifndef LP_DATAPLANE_CLOCK_H
#define LP_DATAPLANE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t
lp_clock_get(clockid_t which)
{
	struct timespec now;

	clock_gettime(which, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* CLOCK_MONOTONIC: for everything that measures. */
static inline uint64_t
lp_clock_ns(void)
{
	return lp_clock_get(CLOCK_MONOTONIC);
}

/* CLOCK_REALTIME: for people. */
static inline uint64_t
lp_clock_real_ns(void)
{
	return lp_clock_get(CLOCK_REALTIME);
}

#endif
