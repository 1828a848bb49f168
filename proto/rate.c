/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rate.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "proto/log.h"

enum { US_PER_S = 1000000, US_PER_MS = 1000, LINE_SIZE = 1024 };

/* The bucket as the time when it is full again (GCRA). */
unsigned
lp_rate_take(struct lp_rate *rate, uint64_t now_ms)
{
	uint64_t now_us = now_ms * US_PER_MS;
	uint64_t step_us, size_us;

	if (rate->per_s == 0)
		return 0;
	assert(rate->burst > 0);
	step_us = US_PER_S / rate->per_s;
	size_us = step_us * rate->burst;
	if (rate->full_us < now_us)
		rate->full_us = now_us;
	if (rate->full_us + step_us <= now_us + size_us) {
		rate->full_us += step_us;
		return 0;
	}
	/* Rounded up: who comes then is not sent away once more. */
	return (unsigned)((rate->full_us + step_us - now_us - size_us +
			      US_PER_MS - 1) /
	    US_PER_MS);
}

unsigned
lp_rate_wait(const struct lp_rate *rate, uint64_t now_ms)
{
	struct lp_rate copy = *rate;

	return lp_rate_take(&copy, now_ms);
}

void
lp_rate_warn(struct lp_rate_log *log, uint64_t now_ms, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;

	if (lp_rate_take(&log->rate, now_ms) != 0) {
		log->missed++;
		return;
	}
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (log->missed > 0)
		lp_log_warn("%s (and %" PRIu64
			    " lines before it were not logged)",
		    line, log->missed);
	else
		lp_log_warn("%s", line);
	log->missed = 0;
}
