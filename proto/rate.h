/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often something may be done that others bring about: requests,
 * handshakes, lines of the log.  Time is a number of CLOCK_MONOTONIC.
 */
#ifndef LP_PROTO_RATE_H
#define LP_PROTO_RATE_H

#include <stdint.h>

struct lp_rate {
	uint32_t per_s; /* 0: as often as one likes */
	uint32_t burst; /* so many at once; at least 1 */
	uint64_t full_us; /* when nothing would be owed to the rate */
};

/* 0: do it now; else ask again after so many milliseconds. */
unsigned lp_rate_take(struct lp_rate *rate, uint64_t now_ms);
/* The same, and nothing is taken. */
unsigned lp_rate_wait(const struct lp_rate *rate, uint64_t now_ms);

struct lp_rate_log {
	struct lp_rate rate;
	uint64_t missed; /* lines, since the last one that was written */
};

/* lp_log_warn(), or one more that is missed; the next line tells of those. */
void lp_rate_warn(struct lp_rate_log *log, uint64_t now_ms, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

#endif
