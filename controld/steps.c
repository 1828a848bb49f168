/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/steps.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void
lp_steps_start(struct lp_steps *steps)
{
	*steps = (struct lp_steps){.since_ns = now_ns()};
}

void
lp_steps_end(struct lp_steps *steps, const char *name)
{
	uint64_t now = now_ns();
	int len =
	    snprintf(steps->text + steps->len, sizeof(steps->text) - steps->len,
		"%s%s %.1f ms", steps->len > 0 ? ", " : "", name,
		(double)(now - steps->since_ns) / 1e6);

	assert(len > 0 && (size_t)len < sizeof(steps->text) - steps->len);
	steps->len += (size_t)len;
	steps->since_ns = now;
}
