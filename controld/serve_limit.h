/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often something may be done: for requests, handshakes and lines of the
 * log that others bring about.  Time is a number of CLOCK_MONOTONIC.
 */
#ifndef LP_CONTROLD_SERVE_LIMIT_H
#define LP_CONTROLD_SERVE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct lp_serve_limit {
	uint32_t per_s; /* 0: as often as one likes */
	uint32_t burst; /* so many at once; at least 1 */
	uint64_t full_us; /* when nothing would be owed to the rate */
};

/* 0: do it now; else ask again after so many milliseconds. */
unsigned lp_serve_limit_take(struct lp_serve_limit *limit, uint64_t now_ms);
/* The same, and nothing is taken. */
unsigned lp_serve_limit_wait(
    const struct lp_serve_limit *limit, uint64_t now_ms);

struct lp_serve_limit_log {
	struct lp_serve_limit limit;
	uint64_t missed; /* since the last line */
};

/* Whether to write the line; *missed: so many were not written before it. */
bool lp_serve_limit_log(
    struct lp_serve_limit_log *log, uint64_t now_ms, uint64_t *missed);

#endif
