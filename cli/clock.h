/* SPDX-License-Identifier: Apache-2.0 */
/* Times as people and programs read them. */
#ifndef LP_CLI_CLOCK_H
#define LP_CLI_CLOCK_H

#include <stdint.h>

enum {
	LP_CLOCK_RFC3339_SIZE = 32, /* "2025-11-23T02:30:00.123Z" */
	LP_CLOCK_DURATION_SIZE = 32, /* "3 min 20 s" */
};

#define LP_CLOCK_NS_PER_S UINT64_C(1000000000)

/* CLOCK_REALTIME. */
uint64_t lp_clock_now_ns(void);

/* UTC with milliseconds; returns buf. */
char *lp_clock_rfc3339(char buf[LP_CLOCK_RFC3339_SIZE], uint64_t time_ns);

/* The two largest units; returns buf. */
char *lp_clock_duration(char buf[LP_CLOCK_DURATION_SIZE], uint64_t duration_ns);

#endif
