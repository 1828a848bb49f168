/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames through dataplane/kafka/readdress.c, however they are cut, with a
 * cluster whose brokers are advertised by a rule.
 */
#ifndef LP_TESTS_SUPPORT_READDRESS_H
#define LP_TESTS_SUPPORT_READDRESS_H

#include "dataplane/kafka/readdress.h"
#include "tests/support/facts.h"

enum { READDRESS_PIECES = 80 };

/* By the last digit of the id; 9 is left as it is. */
bool readdress_find(void *arg, int32_t node_id, struct lp_advertised *out);

/* The same ports; all names are of the pattern "*.k". */
bool readdress_find_pattern(
    void *arg, int32_t node_id, struct lp_advertised *out);

struct readdress_run {
	enum lp_readdress_result result;
	struct lp_readdress_done done;
	uint8_t *bytes; /* the new frame; the tail that is not edited too */
	uint32_t len;
};

/*
 * With a border before each of `cuts`; each piece lies alone in memory.  What
 * the watch says is compared with the result, and the pool has to be whole.
 */
void readdress_run(struct readdress_run *run, const struct facts_frame *frame,
    const uint32_t cuts[], unsigned count, unsigned pieces);

/*
 * Hints, with the names of the pattern, from their mark on.  False: the frame
 * has none that are told of.  Else the new frame is whole, if there is one.
 */
bool readdress_run_hints(struct readdress_run *run,
    const struct facts_frame *frame, const uint32_t cuts[], unsigned count);

void readdress_free(struct readdress_run *run);

#endif
