/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same small cluster, second after second, as "lpctl top" sees it: what is
 * counted rises by the same amount each round, but the start was slower than
 * what came after it.
 */
#ifndef LP_TESTS_CLI_SUPPORT_TOP_H
#define LP_TESTS_CLI_SUPPORT_TOP_H

#include "tests/cli/support.h"

enum {
	SUPPORT_TOP_SLOW_NS = 50000000, /* all that was before round 0 */
	SUPPORT_TOP_FAST_NS = 1000000,
	SUPPORT_TOP_RARE_NS = 20000000, /* 1 of 200 */
};

/*
 * Two frames of one dataplane; more: another dataplane's follow.  extra:
 * clients named extra-000 and so on, up to 1000.
 */
void support_top_kafka(struct support_bytes *bytes, const char *dataplane,
    uint64_t round, unsigned extra, bool more);

#endif
