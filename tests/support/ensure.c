/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/ensure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void (*ensure_failing)(void);
static char at[128];

void
ensure_at(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(at, sizeof(at), format, args);
	va_end(args);
}

void
ensure_fail(const char *format, ...)
{
	va_list args;

	if (ensure_failing != NULL)
		ensure_failing();
	fprintf(stderr, "%s%swrong: ", at, at[0] != '\0' ? ": " : "");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	abort();
}
