/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/serve_limit.h"

#include <assert.h>

enum { US_PER_S = 1000000, US_PER_MS = 1000 };

/* The bucket as the time when it is full again (GCRA). */
unsigned
lp_serve_limit_take(struct lp_serve_limit *limit, uint64_t now_ms)
{
	uint64_t now_us = now_ms * US_PER_MS;
	uint64_t step_us, size_us;

	if (limit->per_s == 0)
		return 0;
	assert(limit->burst > 0);
	step_us = US_PER_S / limit->per_s;
	size_us = step_us * limit->burst;
	if (limit->full_us < now_us)
		limit->full_us = now_us;
	if (limit->full_us + step_us <= now_us + size_us) {
		limit->full_us += step_us;
		return 0;
	}
	/* Rounded up: who comes then is not sent away once more. */
	return (unsigned)((limit->full_us + step_us - now_us - size_us +
			      US_PER_MS - 1) /
	    US_PER_MS);
}

unsigned
lp_serve_limit_wait(const struct lp_serve_limit *limit, uint64_t now_ms)
{
	struct lp_serve_limit copy = *limit;

	return lp_serve_limit_take(&copy, now_ms);
}

bool
lp_serve_limit_log(
    struct lp_serve_limit_log *log, uint64_t now_ms, uint64_t *missed)
{
	if (lp_serve_limit_take(&log->limit, now_ms) != 0) {
		log->missed++;
		return false;
	}
	*missed = log->missed;
	log->missed = 0;
	return true;
}
