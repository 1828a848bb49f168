/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/restart.h"

bool
lp_restart_allow(
    struct lp_restart *restart, uint64_t now_ms, unsigned *delay_ms)
{
	unsigned recent = 0;

	for (unsigned i = 0; i < LP_RESTART_MAX && i < restart->count; i++)
		if (now_ms - restart->times_ms[i] < LP_RESTART_WINDOW_MS)
			recent++;
	if (recent >= LP_RESTART_MAX)
		return false;
	*delay_ms = 0;
	for (unsigned i = LP_RESTART_AT_ONCE; i <= recent; i++)
		*delay_ms = *delay_ms ? *delay_ms * 2 : LP_RESTART_DELAY_MS;
	if (*delay_ms > LP_RESTART_DELAY_MAX_MS)
		*delay_ms = LP_RESTART_DELAY_MAX_MS;
	restart->times_ms[restart->count++ % LP_RESTART_MAX] = now_ms;
	return true;
}
