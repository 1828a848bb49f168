/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of Conform.java: KEY VERSION request|response BYTES FACTS... */
#ifndef LP_TESTS_SUPPORT_LINES_H
#define LP_TESTS_SUPPORT_LINES_H

#include <stdio.h>

#include "tests/support/facts.h"

enum { LINES_FRAME_MAX = 1 << 20 };

struct lines {
	struct facts_frame frame; /* in bytes */
	const char *facts; /* until the next line */
	char *line;
	size_t size;
	uint8_t bytes[LINES_FRAME_MAX];
};

/* False: there are no more. */
bool lines_next(struct lines *lines, FILE *file);

#endif
