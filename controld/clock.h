/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two clocks: one for people and one for intervals.
 */
#ifndef LP_CONTROLD_CLOCK_H
#define LP_CONTROLD_CLOCK_H

#include <stdint.h>
#include <time.h>

/* CLOCK_REALTIME */
static inline uint64_t
lp_clock_time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* CLOCK_MONOTONIC */
static inline uint64_t
lp_clock_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#endif
