/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of a rule's text, and the places of what is wrong in it. */
#include "proto/rule_words.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/text.h"
#include "proto/utf8.h"

static int read_quoted(struct lp_rule_piece *piece, const char **at,
    const char *text, struct lp_rule_error *error);
static int read_bare(struct lp_rule_piece *piece, const char **at,
    const char *text, struct lp_rule_error *error);
static bool is_end(char c);

int
lp_rule_refuse(struct lp_rule_error *error, const char *text, const char *at,
    size_t len, const char *format, ...)
{
	va_list args;

	assert(at >= text);
	error->column = (uint32_t)(at - text) + 1;
	error->len = len > 0 ? (uint32_t)len : 1;
	va_start(args, format);
	vsnprintf(error->why, sizeof(error->why), format, args);
	va_end(args);
	return -EINVAL;
}

char *
lp_rule_quote(char buf[LP_RULE_QUOTE_SIZE], const char *text, size_t len)
{
	enum { SHOWN_MAX = LP_RULE_QUOTE_SIZE - 6 };
	size_t shown = lp_text_fit(text, len, SHOWN_MAX);

	snprintf(buf, LP_RULE_QUOTE_SIZE, "\"%.*s%s\"", (int)shown, text,
	    shown < len ? "..." : "");
	return buf;
}

int
lp_rule_text_check(const char *text, struct lp_rule_error *error)
{
	const char *end = text + strlen(text);
	uint32_t code;
	size_t len;

	for (const char *at = text; at < end; at += len) {
		len = lp_utf8_decode(at, end, &code);
		if (len == 0)
			return lp_rule_refuse(error, text, at, 1,
			    "the byte 0x%02x is not UTF-8", (unsigned)code);
		/* C1 too: terminals obey them. */
		if ((code < 0x20 && !lp_rule_is_blank((char)code)) ||
		    (code >= 0x7f && code < 0xa0))
			return lp_rule_refuse(error, text, at, len,
			    "the control character 0x%02x is not for rules",
			    (unsigned)code);
	}
	return 0;
}

const char *
lp_rule_skip_blanks(const char *at)
{
	while (lp_rule_is_blank(*at))
		at++;
	return at;
}

/* Files have their rules over several lines. */
bool
lp_rule_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int
lp_rule_piece_read(struct lp_rule_piece *piece, const char **at,
    const char *text, struct lp_rule_error *error)
{
	int rc;

	memset(piece, 0, sizeof(*piece));
	piece->at = *at;
	piece->quoted = **at == '"';
	rc = piece->quoted ? read_quoted(piece, at, text, error)
			   : read_bare(piece, at, text, error);
	if (rc)
		return rc;
	assert(is_end(**at));
	piece->len = (size_t)(*at - piece->at);
	return 0;
}

static int
keep(struct lp_rule_piece *piece, char c, const char *end, const char *text,
    struct lp_rule_error *error)
{
	if (piece->size == LP_RULE_TEXT_MAX)
		return lp_rule_refuse(error, text, piece->at,
		    (size_t)(end - piece->at),
		    "the value is longer than %d bytes", LP_RULE_TEXT_MAX);
	piece->bytes[piece->size++] = c;
	return 0;
}

static int
read_quoted(struct lp_rule_piece *piece, const char **at, const char *text,
    struct lp_rule_error *error)
{
	const char *c = *at + 1;

	for (; *c != '"'; c++) {
		int rc;

		if (*c == '\0')
			return lp_rule_refuse(error, text, piece->at,
			    (size_t)(c - piece->at),
			    "the quote does not end: a \" is missing");
		if (*c != ' ' && lp_rule_is_blank(*c))
			return lp_rule_refuse(error, text, c, 1,
			    "the control character 0x%02x is not for values",
			    *c);
		if (*c == '\\' && c[1] != '"' && c[1] != '\\')
			return lp_rule_refuse(error, text, c, 1,
			    "a \\ stands before \" or \\ only: write \\\\");
		c += *c == '\\';
		rc = keep(piece, *c, c + 1, text, error);
		if (rc)
			return rc;
	}
	c++;
	piece->prefix = *c == '*';
	c += piece->prefix;
	if (!is_end(*c))
		return lp_rule_refuse(error, text, c, 1,
		    "behind a value comes a comma or a blank");
	*at = c;
	return 0;
}

static int
read_bare(struct lp_rule_piece *piece, const char **at, const char *text,
    struct lp_rule_error *error)
{
	const char *c = *at;

	for (; !is_end(*c); c++) {
		int rc;

		if (*c == '"')
			return lp_rule_refuse(error, text, c, 1,
			    "a quote inside of a value: write \"...\" around "
			    "the whole, and \\\" for one in it");
		if (*c == '*' && is_end(c[1])) {
			piece->prefix = true;
			continue;
		}
		if (*c == '*')
			return lp_rule_refuse(error, text, c, 1,
			    "a * stands at the end of a value only: write "
			    "\"...\" around one that has a * of its own");
		rc = keep(piece, *c, c + 1, text, error);
		if (rc)
			return rc;
	}
	*at = c;
	return 0;
}

static bool
is_end(char c)
{
	return c == '\0' || c == ',' || lp_rule_is_blank(c);
}
