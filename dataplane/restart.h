/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a packet process is started again: the restart budget.  Pure:
 * time is a number.
 */
#ifndef LP_DATAPLANE_RESTART_H
#define LP_DATAPLANE_RESTART_H

#include <stdbool.h>
#include <stdint.h>

enum {
	LP_RESTART_MAX = 10, /* within the window; one more gives up */
	LP_RESTART_WINDOW_MS = 60000,
	LP_RESTART_AT_ONCE = 3, /* without a delay */
	LP_RESTART_DELAY_MS = 100, /* the first one; doubles each time */
	LP_RESTART_DELAY_MAX_MS = 5000,
};

struct lp_restart {
	uint64_t times_ms[LP_RESTART_MAX]; /* of the last ones, a ring */
	unsigned count; /* ever */
};

/*
 * The process died at now_ms.  False: too often.  Else *delay_ms is how long
 * to wait before it is started again.
 */
bool lp_restart_allow(
    struct lp_restart *restart, uint64_t now_ms, unsigned *delay_ms);

#endif
