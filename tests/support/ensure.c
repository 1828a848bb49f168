/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/ensure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
ensure_fail(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "wrong: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	abort();
}
