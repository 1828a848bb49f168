/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of text that is put together piece by piece; what has no room is left
 * out.
 *
 *	char text[SIZE];
 *	struct lp_line line = {.text = text, .size = sizeof(text)};
 *	lp_line_put(&line, "broker %u", id);
 */
#ifndef LP_DATAPLANE_LINE_H
#define LP_DATAPLANE_LINE_H

#include <stddef.h>

struct lp_line {
	char *text; /* the owner's; ends with a NUL once something was put */
	size_t size; /* of that, 1 or more */
	size_t len;
};

void lp_line_put(struct lp_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
