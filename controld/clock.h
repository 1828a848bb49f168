/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two clocks: one for people and one for intervals; and an interval as the
 * loop takes it.
 */
#ifndef LP_CONTROLD_CLOCK_H
#define LP_CONTROLD_CLOCK_H

#include <stdint.h>
#include <sys/time.h>
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
lp_clock_steady_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The same. */
static inline uint64_t
lp_clock_now_ms(void)
{
	return lp_clock_steady_ns() / 1000000;
}

static inline struct timeval
lp_clock_timeval(uint64_t ms)
{
	return (struct timeval){.tv_sec = (time_t)(ms / 1000),
	    .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

#endif
