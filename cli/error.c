/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/error.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
	SHOWN_COLUMNS = 72, /* of a text */
	SHOWN_BEFORE = 40, /* of them, before what is underlined */
};

static bool is_first(char c);
static const char *step(const char *at, const char *begin, int count);

int
lp_error_set(struct lp_error *error, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	error->shown[0] = '\0';
	error->status = status;
	return status;
}

void
lp_error_show(
    struct lp_error *error, const char *text, uint32_t column, uint32_t len)
{
	const char *end = text + strlen(text);
	const char *at = text + column - 1 < end ? text + column - 1 : end;
	const char *from = step(at, text, -SHOWN_BEFORE);
	const char *to = step(from, text, SHOWN_COLUMNS);
	char *out = stpcpy(error->shown, from > text ? "  ..." : "  ");
	int indent = from > text ? 5 : 2;

	for (const char *c = from; c < to; c++)
		*out++ = (char)(iscntrl((unsigned char)*c) ? '?' : *c);
	out = stpcpy(out, to < end ? "...\n" : "\n");
	for (const char *c = from; c < at; c++)
		indent += is_first(*c);
	out += sprintf(out, "%*s^", indent, "");
	for (const char *c = at + 1; c < at + len && c < to; c++)
		if (is_first(*c))
			*out++ = '~';
	strcpy(out, "\n");
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

/* Of a character in UTF-8. */
static bool
is_first(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

/* So many characters on, or back; not beyond the ends of the text. */
static const char *
step(const char *at, const char *begin, int count)
{
	for (; count > 0 && *at != '\0'; count--)
		do
			at++;
		while (*at != '\0' && !is_first(*at));
	for (; count < 0 && at > begin; count++)
		do
			at--;
		while (at > begin && !is_first(*at));
	return at;
}
