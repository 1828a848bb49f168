/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/units.h"

#include <inttypes.h>
#include <stdio.h>

enum { STEP = 1000, TENTHS = 100, HUNDREDTHS = 10 };

/* value is in units of the first one; none has more than three digits. */
static char *
scale(char *buf, uint64_t value, const char *const *units, unsigned count)
{
	uint64_t rest = 0;
	unsigned unit = 0;

	while (value >= STEP && unit + 1 < count) {
		rest = value % STEP;
		value /= STEP;
		unit++;
	}
	if (unit == 0 || value >= 100)
		(void)snprintf(
		    buf, LP_UNITS_SIZE, "%" PRIu64 "%s", value, units[unit]);
	else if (value >= 10)
		(void)snprintf(buf, LP_UNITS_SIZE, "%" PRIu64 ".%u%s", value,
		    (unsigned)rest / TENTHS, units[unit]);
	else
		(void)snprintf(buf, LP_UNITS_SIZE, "%" PRIu64 ".%02u%s", value,
		    (unsigned)rest / HUNDREDTHS, units[unit]);
	return buf;
}

char *
lp_units_time(char buf[LP_UNITS_SIZE], uint64_t ns)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	const uint64_t seconds = ns / (STEP * STEP * STEP);

	if (seconds < STEP)
		return scale(buf, ns, units, 4);
	(void)snprintf(buf, LP_UNITS_SIZE, "%" PRIu64 "min%us", seconds / 60,
	    (unsigned)(seconds % 60));
	return buf;
}

char *
lp_units_bytes(char buf[LP_UNITS_SIZE], uint64_t bytes)
{
	static const char *const units[] = {
	    "B", "kB", "MB", "GB", "TB", "PB", "EB"};

	return scale(buf, bytes, units, 7);
}
