/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/clock.h"

#include <stdio.h>
#include <time.h>

enum {
	NS_PER_MS = 1000000,
	S_PER_MIN = 60,
	S_PER_HOUR = 60 * S_PER_MIN,
	S_PER_DAY = 24 * S_PER_HOUR,
};

uint64_t
lp_clock_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * LP_CLOCK_NS_PER_S + (uint64_t)now.tv_nsec;
}

char *
lp_clock_rfc3339(char buf[LP_CLOCK_RFC3339_SIZE], uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / LP_CLOCK_NS_PER_S);
	unsigned ms = (unsigned)(time_ns % LP_CLOCK_NS_PER_S / NS_PER_MS);
	struct tm utc = {0};
	char day[LP_CLOCK_RFC3339_SIZE];

	(void)gmtime_r(&seconds, &utc);
	(void)strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc);
	(void)snprintf(
	    buf, LP_CLOCK_RFC3339_SIZE, "%.24s.%03uZ", day, ms % 1000);
	return buf;
}

char *
lp_clock_duration(char buf[LP_CLOCK_DURATION_SIZE], uint64_t duration_ns)
{
	unsigned long long s = duration_ns / LP_CLOCK_NS_PER_S;

	if (s < S_PER_MIN)
		(void)snprintf(buf, LP_CLOCK_DURATION_SIZE, "%llu s", s);
	else if (s < S_PER_HOUR)
		(void)snprintf(buf, LP_CLOCK_DURATION_SIZE, "%llu min %llu s",
		    s / S_PER_MIN, s % S_PER_MIN);
	else if (s < S_PER_DAY)
		(void)snprintf(buf, LP_CLOCK_DURATION_SIZE, "%llu h %llu min",
		    s / S_PER_HOUR, s % S_PER_HOUR / S_PER_MIN);
	else
		(void)snprintf(buf, LP_CLOCK_DURATION_SIZE, "%llu d %llu h",
		    s / S_PER_DAY, s % S_PER_DAY / S_PER_HOUR);
	return buf;
}
