/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/steps.h"

#include <assert.h>
#include <stdio.h>

#include "controld/clock.h"

void
lp_steps_start(struct lp_steps *steps)
{
	*steps = (struct lp_steps){.since_ns = lp_clock_steady_ns()};
}

void
lp_steps_end(struct lp_steps *steps, const char *name)
{
	uint64_t now = lp_clock_steady_ns();
	int len =
	    snprintf(steps->text + steps->len, sizeof(steps->text) - steps->len,
		"%s%s %.1f ms", steps->len > 0 ? ", " : "", name,
		(double)(now - steps->since_ns) / 1e6);

	assert(len > 0 && (size_t)len < sizeof(steps->text) - steps->len);
	steps->len += (size_t)len;
	steps->since_ns = now;
}
