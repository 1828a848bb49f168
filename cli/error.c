/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
lp_error_set(struct lp_error *error, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	error->status = status;
	return status;
}

int
lp_error_prefix(struct lp_error *error, const char *format, ...)
{
	char tail[LP_ERROR_SIZE];
	va_list args;
	size_t len;

	memcpy(tail, error->text, sizeof(tail));
	va_start(args, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	len = strlen(error->text);
	(void)snprintf(
	    error->text + len, sizeof(error->text) - len, ": %s", tail);
	return error->status;
}

int
lp_error_output(struct lp_error *error, int err)
{
	if (err == 0)
		return LP_EXIT_OK;
	return lp_error_set(error, LP_EXIT_UNREACHABLE,
	    "cannot write the output: %s", strerror(-err));
}
