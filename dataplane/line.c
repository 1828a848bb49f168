/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/line.h"

#include <stdarg.h>
#include <stdio.h>

void
lp_line_put(struct lp_line *line, const char *format, ...)
{
	size_t room = line->size - line->len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line->text + line->len, room, format, args);
	va_end(args);
	if (len > 0)
		line->len += (size_t)len < room ? (size_t)len : room - 1;
}
