/* SPDX-License-Identifier: Apache-2.0 */
#include "exposition.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 128, LINE_SIZE = 32768 };

struct reader {
	char family[NAME_SIZE]; /* of HELP and TYPE; "": none yet */
	bool has_type, is_histogram;
	char **families; /* all so far */
	size_t family_count;
	char **series; /* name and labels of all so far */
	size_t series_count, series_size;
	char bucket_of[LINE_SIZE]; /* labels without le, of the last bucket */
	uint64_t bucket, infinity; /* its count; that of +Inf */
	bool ended; /* +Inf was there */
	char *why;
};

static bool
fail(struct reader *reader, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reader->why, EXPOSITION_WHY_SIZE, format, args);
	va_end(args);
	return false;
}

/* Bytes of the character here: 0 if it is none, or a control character. */
static unsigned
character(const char *text)
{
	const uint8_t *in = (const uint8_t *)text;
	unsigned len = in[0] < 0x80 ? 1
	    : in[0] < 0xc0          ? 0
	    : in[0] < 0xe0          ? 2
	    : in[0] < 0xf0          ? 3
	    : in[0] < 0xf8          ? 4
				    : 0;
	static const uint32_t least[] = {0, 0x20, 0x80, 0x800, 0x10000};
	uint32_t value = len == 1 ? in[0] : in[0] & (0xffu >> (len + 1));

	for (unsigned i = 1; i < len; i++) {
		if ((in[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (in[i] & 0x3f);
	}
	if (len == 0 || value < least[len] || value > 0x10ffff ||
	    (value >= 0xd800 && value < 0xe000) ||
	    (value >= 0x7f && value < 0xa0))
		return 0;
	return len;
}

static size_t
name_len(const char *text)
{
	size_t len = 0;

	if (!isalpha((unsigned char)text[0]) && text[0] != '_')
		return 0;
	while (isalnum((unsigned char)text[len]) || text[len] == '_')
		len++;
	return len;
}

/* Behind the quote that ends the value; NULL if it is not one. */
static const char *
skip_value(const char *at)
{
	if (*at++ != '"')
		return NULL;
	while (*at != '"') {
		unsigned len = character(at);

		if (*at == '\\' && strchr("\\\"n", at[1]) != NULL &&
		    at[1] != '\0')
			len = 2;
		else if (*at == '\\')
			return NULL;
		if (len == 0)
			return NULL;
		at += len;
	}
	return at + 1;
}

/* Behind the labels; what they are without le, and le. */
static const char *
read_labels(const char *at, char *others, char *le)
{
	size_t used = 0;

	le[0] = others[0] = '\0';
	if (*at != '{')
		return at;
	do {
		const char *name = ++at, *end;
		size_t len = name_len(name);

		if (len == 0 || name[len] != '=')
			return NULL;
		end = skip_value(name + len + 1);
		if (end == NULL)
			return NULL;
		if (len == 2 && strncmp(name, "le", 2) == 0) {
			snprintf(le, NAME_SIZE, "%.*s", (int)(end - name - 5),
			    name + 4);
		} else {
			memcpy(others + used, name, (size_t)(end - name));
			used += (size_t)(end - name);
			others[used++] = ',';
			others[used] = '\0';
		}
		at = end;
	} while (*at == ',');
	return *at == '}' ? at + 1 : NULL;
}

static bool
read_comment(struct reader *reader, const char *line)
{
	bool is_help = strncmp(line, "# HELP ", 7) == 0;
	size_t len = name_len(line + 7);
	char name[NAME_SIZE];

	if (!is_help && strncmp(line, "# TYPE ", 7) != 0)
		return fail(reader, "a comment: %.80s", line);
	snprintf(name, sizeof(name), "%.*s", (int)len, line + 7);
	if (len == 0 || line[7 + len] != ' ')
		return fail(reader, "no name: %.80s", line);
	if (!is_help) {
		if (strcmp(name, reader->family) != 0 || reader->has_type)
			return fail(reader, "TYPE out of order: %.80s", line);
		reader->has_type = true;
		reader->is_histogram = strcmp(line + 8 + len, "histogram") == 0;
		return true;
	}
	for (size_t i = 0; i < reader->family_count; i++)
		if (strcmp(reader->families[i], name) == 0)
			return fail(reader, "%s comes twice", name);
	reader->families = realloc(reader->families,
	    (reader->family_count + 1) * sizeof(reader->families[0]));
	reader->families[reader->family_count++] = strdup(name);
	strcpy(reader->family, name);
	reader->has_type = false;
	return true;
}

static bool
read_bucket(
    struct reader *reader, const char *others, const char *le, uint64_t value)
{
	bool is_first = strcmp(others, reader->bucket_of) != 0 || reader->ended;

	if (!is_first && value < reader->bucket)
		return fail(reader, "%s: not cumulative", reader->family);
	snprintf(reader->bucket_of, sizeof(reader->bucket_of), "%s", others);
	reader->bucket = value;
	reader->ended = strcmp(le, "+Inf") == 0;
	if (reader->ended)
		reader->infinity = value;
	return true;
}

static bool
read_histogram(struct reader *reader, const char *suffix, const char *others,
    const char *le, uint64_t value)
{
	if (strcmp(suffix, "_bucket") == 0)
		return read_bucket(reader, others, le, value);
	if (!reader->ended || strcmp(others, reader->bucket_of) != 0)
		return fail(
		    reader, "%s%s without buckets", reader->family, suffix);
	if (strcmp(suffix, "_sum") == 0)
		return true;
	if (strcmp(suffix, "_count") != 0 || value != reader->infinity)
		return fail(reader, "%s%s", reader->family, suffix);
	return true;
}

static bool
read_sample(struct reader *reader, const char *line)
{
	static _Thread_local char others[LINE_SIZE];
	size_t len = name_len(line), family_len = strlen(reader->family);
	char le[NAME_SIZE], suffix[NAME_SIZE], *rest;
	const char *end = read_labels(line + len, others, le);

	if (len == 0 || end == NULL || *end != ' ')
		return fail(reader, "no sample: %.200s", line);
	if (!reader->has_type || len < family_len ||
	    strncmp(line, reader->family, family_len) != 0)
		return fail(reader, "of no metric: %.200s", line);
	strtod(end + 1, &rest);
	if (!isdigit((unsigned char)end[1]) || *rest != '\0')
		return fail(reader, "no number: %.200s", line);
	snprintf(suffix, sizeof(suffix), "%.*s", (int)(len - family_len),
	    line + family_len);
	if (reader->series_count == reader->series_size) {
		reader->series_size = reader->series_size * 2 + 64;
		reader->series = realloc(reader->series,
		    reader->series_size * sizeof(reader->series[0]));
	}
	reader->series[reader->series_count++] =
	    strndup(line, (size_t)(end - line));
	if (reader->is_histogram)
		return read_histogram(
		    reader, suffix, others, le, strtoull(end + 1, NULL, 10));
	if (suffix[0] != '\0' || le[0] != '\0')
		return fail(reader, "no histogram: %.200s", line);
	return true;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
no_series_twice(struct reader *reader)
{
	if (reader->series_count > 0)
		qsort(reader->series, reader->series_count,
		    sizeof(reader->series[0]), compare);
	for (size_t i = 1; i < reader->series_count; i++)
		if (strcmp(reader->series[i - 1], reader->series[i]) == 0)
			return fail(reader, "twice: %.200s", reader->series[i]);
	return true;
}

bool
exposition_check(const char *page, size_t len, char why[EXPOSITION_WHY_SIZE])
{
	struct reader *reader = calloc(1, sizeof(*reader));
	const char *end = page + len;
	bool ok = true;

	reader->why = why;
	if (memchr(page, '\0', len) != NULL)
		ok = fail(reader, "a NUL");
	if (len > 0 && end[-1] != '\n')
		ok = fail(reader, "no end of the last line");
	while (ok && page < end) {
		const char *stop = memchr(page, '\n', (size_t)(end - page));
		char *line = strndup(page, (size_t)(stop - page));

		if (stop - page >= LINE_SIZE)
			ok = fail(reader, "a very long line");
		else
			ok = line[0] == '#' ? read_comment(reader, line)
					    : read_sample(reader, line);
		free(line);
		page = stop + 1;
	}
	ok = ok && no_series_twice(reader);
	for (size_t i = 0; i < reader->series_count; i++)
		free(reader->series[i]);
	for (size_t i = 0; i < reader->family_count; i++)
		free(reader->families[i]);
	free(reader->series);
	free(reader->families);
	free(reader);
	return ok;
}

const char *
exposition_find(const char *page, const char *series)
{
	size_t len = strlen(series);

	for (const char *at = page; at != NULL && *at != '\0';
	     at = strchr(at, '\n'), at = at != NULL ? at + 1 : NULL)
		if (strncmp(at, series, len) == 0 && at[len] == ' ')
			return at + len + 1;
	return NULL;
}
