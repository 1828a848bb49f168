/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames through dataplane/kafka/disguise.c, however they are cut: what is
 * overlaid must not have been forwarded before.
 */
#ifndef LP_TESTS_SUPPORT_DISGUISE_H
#define LP_TESTS_SUPPORT_DISGUISE_H

#include "dataplane/kafka/disguise.h"
#include "tests/support/facts.h"

struct disguise_run {
	enum lp_walk_result result;
	unsigned overlays;
	bool failed;
	uint8_t *bytes; /* as many as the frame has */
};

/* An answer, with a border before each of `cuts`. */
void disguise_run(struct disguise_run *run, const struct facts_frame *frame,
    const uint32_t cuts[], unsigned count, int16_t produce_last);

void disguise_free(struct disguise_run *run);

#endif
