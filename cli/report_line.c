/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report_line.h"

#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <wchar.h>

#include "proto/utf8.h"

enum {
	WIDTH = LP_REPORT_LINE_WIDTH,
	TAB = 8,
	BEFORE = 40, /* columns before the place, where a line is cut */
	/* Bytes before the place that are looked at: more than WIDTH columns
	 * take. */
	NEAR = 4096,
};

/* The part of a line that is looked at. */
struct part {
	const char *begin, *end;
	const char *from, *to; /* what is underlined */
	bool cut_begin, cut_end;
};

/* One character: its bytes, and its columns behind `column`. */
struct glyph {
	size_t len;
	unsigned width;
	bool hidden; /* cannot be shown */
};

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

static struct part find_part(
    const char *text, size_t len, uint32_t from, uint32_t to);
static void cut(struct part *part);
static unsigned width_of(const char *begin, const char *end, unsigned most);
static struct glyph look(const char *at, const char *end, unsigned column);
static unsigned put(
    FILE *out, const char *begin, const char *end, unsigned column);
static locale_t enter(locale_t *before);
static void leave(locale_t ours, locale_t before);

void
lp_report_line_show(FILE *out, const char *text, size_t len, uint32_t from,
    uint32_t to, const char *shade, const char *plain)
{
	struct part part = find_part(text, len, from, to);
	locale_t before, ours = enter(&before);
	unsigned at, width;

	cut(&part);
	if (part.cut_begin)
		(void)fputs("...", out);
	(void)put(out, part.begin, part.end, 0);
	(void)fputs(part.cut_end ? "...\n" : "\n", out);
	at = width_of(part.begin, part.from, WIDTH);
	width = width_of(part.begin, part.to, 2 * WIDTH) - at;
	(void)fprintf(
	    out, "%*s%s^", (int)(at + (part.cut_begin ? 3 : 0)), "", shade);
	for (unsigned i = 1; i < width; i++)
		(void)fputc('~', out);
	(void)fprintf(out, "%s\n", plain);
	leave(ours, before);
}

void
lp_report_line_text(FILE *out, const char *text)
{
	locale_t before, ours = enter(&before);

	(void)put(out, text, text + strlen(text), 0);
	leave(ours, before);
}

/* The line, as far as it may matter. */
static struct part
find_part(const char *text, size_t len, uint32_t from, uint32_t to)
{
	struct part part = {.from = text + from};
	const char *end;
	size_t back = from < NEAR ? from : NEAR;
	const char *near = part.from - back;

	part.begin = memrchr(near, '\n', back);
	part.begin = part.begin ? part.begin + 1 : near;
	part.cut_begin = part.begin == near && near > text && near[-1] != '\n';
	end = text + (len - from < NEAR ? len : from + NEAR);
	part.end = memchr(part.from, '\n', (size_t)(end - part.from));
	if (!part.end) {
		part.end = end;
		part.cut_end = end < text + len;
	} else if (part.end > part.from && part.end[-1] == '\r') {
		part.end--;
	}
	part.to = text + to < part.end ? text + to : part.end;
	return part;
}

/* To WIDTH columns, if there are more. */
static void
cut(struct part *part)
{
	unsigned column = 0;
	const char *at;

	if (!part->cut_begin && !part->cut_end &&
	    width_of(part->begin, part->end, WIDTH + 1) <= WIDTH)
		return;
	at = part->from;
	while (at > part->begin && column < BEFORE) {
		do
			at--;
		while (at > part->begin && lp_utf8_is_inside(*at));
		column += look(at, part->from, 0).width;
	}
	part->cut_begin = part->cut_begin || at > part->begin;
	part->begin = at;
	column = 0;
	for (at = part->begin; at < part->end;) {
		struct glyph glyph = look(at, part->end, column);

		if (column + glyph.width > WIDTH)
			break;
		column += glyph.width;
		at += glyph.len;
	}
	part->cut_end = part->cut_end || at < part->end;
	part->end = at;
	if (part->to > at)
		part->to = at;
}

/* Columns; no more are counted than `most` and one character. */
static unsigned
width_of(const char *begin, const char *end, unsigned most)
{
	unsigned column = 0;

	for (const char *at = begin; at < end && column < most;) {
		struct glyph glyph = look(at, end, column);

		column += glyph.width;
		at += glyph.len;
	}
	return column;
}

static struct glyph
look(const char *at, const char *end, unsigned column)
{
	struct glyph glyph = {.width = 1};
	uint32_t code;
	size_t len = lp_utf8_decode(at, end, &code);
	int width;

	glyph.len = len > 0 ? len : 1;
	if (*at == '\t') {
		glyph.width = TAB - column % TAB;
		return glyph;
	}
	if (*at >= 0x20 && *at < 0x7f)
		return glyph;
	width = len > 0 ? wcwidth((wchar_t)code) : -1;
	/* What turns the direction of text would show another line. */
	glyph.hidden = width < 0 || (code >= 0x202a && code <= 0x202e) ||
	    (code >= 0x2066 && code <= 0x2069);
	if (!glyph.hidden)
		glyph.width = (unsigned)width;
	return glyph;
}

static unsigned
put(FILE *out, const char *begin, const char *end, unsigned column)
{
	for (const char *at = begin; at < end;) {
		struct glyph glyph = look(at, end, column);

		if (*at == '\t')
			(void)fprintf(out, "%*s", (int)glyph.width, "");
		else if (glyph.hidden)
			(void)fputs(replacement, out);
		else
			(void)fwrite(at, 1, glyph.len, out);
		column += glyph.width;
		at += glyph.len;
	}
	return column;
}

/*
 * Widths of characters are the locale's: whatever the user's says, files are
 * UTF-8.  Without such a locale those beyond ASCII are replaced.
 */
static locale_t
enter(locale_t *before)
{
	locale_t ours = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);

	*before = ours ? uselocale(ours) : (locale_t)0;
	return ours;
}

static void
leave(locale_t ours, locale_t before)
{
	if (!ours)
		return;
	(void)uselocale(before);
	freelocale(ours);
}
