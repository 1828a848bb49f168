/* SPDX-License-Identifier: Apache-2.0 */
/* What each step of a change has taken, for the log. */
#ifndef LP_CONTROLD_STEPS_H
#define LP_CONTROLD_STEPS_H

#include <stddef.h>
#include <stdint.h>

struct lp_steps {
	uint64_t since_ns; /* the end of the step before; CLOCK_MONOTONIC */
	size_t len;
	char text[128]; /* "model 1.2 ms, stored 10.3 ms" */
};

void lp_steps_start(struct lp_steps *steps);
/* That step ends now.  There are few of them, of short names. */
void lp_steps_end(struct lp_steps *steps, const char *name);

#endif
