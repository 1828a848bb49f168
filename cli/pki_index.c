/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/pki_index.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	FIELDS = 6,
	LINE_SIZE = 256,
	ROWS_FIRST = 16,
	TIME_SIZE = 32,
	/* "9999-12-31T23:59:59Z": what a certificate can hold. */
	TIME_LEN = 20,
};

static const char title[] = "# SERIAL ROLE ISSUED EXPIRES REVOKED NAME";

static int read_line(struct lp_pki_index *index, char *line, char *why);
static int read_row(
    struct lp_pki_index_row *row, char *const fields[FIELDS], char *why);
static int read_time(int64_t *out, const char *text);
static char *format_time(char buf[TIME_SIZE], int64_t seconds);
static int refuse(char *why, const char *what, const char *text);

void
lp_pki_index_fini(struct lp_pki_index *index)
{
	free(index->rows);
	*index = (struct lp_pki_index){0};
}

int
lp_pki_index_read(struct lp_pki_index *index, const char *text, size_t len,
    char why[LP_WHY_SIZE])
{
	const char *end = text + len;
	unsigned number = 0;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t line_len = (size_t)((stop ? stop : end) - text);
		char line[LINE_SIZE], what[LP_WHY_SIZE] = "";
		int err;

		number++;
		if (line_len >= sizeof(line) ||
		    memchr(text, '\0', line_len) != NULL) {
			err = refuse(what, "is no line of an index", "");
		} else {
			memcpy(line, text, line_len);
			line[line_len] = '\0';
			err = read_line(index, line, what);
		}
		if (err == -EINVAL)
			snprintf(
			    why, LP_WHY_SIZE, "line %u: %.200s", number, what);
		if (err != 0)
			return err;
		text += line_len + 1;
	}
	return 0;
}

void
lp_pki_index_write(const struct lp_pki_index *index, FILE *file)
{
	(void)fprintf(file, "%s\n", title);
	for (size_t i = 0; i < index->count; i++) {
		const struct lp_pki_index_row *row = &index->rows[i];
		char serial[LP_PKI_INDEX_SERIAL_SIZE];
		char issued[TIME_SIZE], expires[TIME_SIZE], revoked[TIME_SIZE];

		(void)fprintf(file, "%s %s %s %s %s %s\n",
		    lp_pki_index_format(serial, row->serial),
		    lp_role_word(row->role), format_time(issued, row->issued),
		    format_time(expires, row->expires),
		    row->revoked != 0 ? format_time(revoked, row->revoked)
				      : "-",
		    row->name);
	}
}

int
lp_pki_index_add(struct lp_pki_index *index, const struct lp_pki_index_row *row)
{
	if (index->count == index->size) {
		size_t size = index->size ? 2 * index->size : ROWS_FIRST;
		struct lp_pki_index_row *rows =
		    realloc(index->rows, size * sizeof(*rows));

		if (rows == NULL)
			return -ENOMEM;
		index->rows = rows;
		index->size = size;
	}
	index->rows[index->count++] = *row;
	return 0;
}

struct lp_pki_index_row *
lp_pki_index_find(const struct lp_pki_index *index, uint64_t serial)
{
	for (size_t i = 0; i < index->count; i++)
		if (index->rows[i].serial == serial)
			return &index->rows[i];
	return NULL;
}

uint64_t
lp_pki_index_serial(const char *text)
{
	uint64_t serial;

	if (strlen(text) != LP_PKI_INDEX_SERIAL_SIZE - 1 ||
	    text[strspn(text, "0123456789abcdefABCDEF")] != '\0')
		return 0;
	serial = strtoull(text, NULL, 16);
	return serial <= INT64_MAX ? serial : 0;
}

char *
lp_pki_index_format(char buf[LP_PKI_INDEX_SERIAL_SIZE], uint64_t serial)
{
	snprintf(buf, LP_PKI_INDEX_SERIAL_SIZE, "%016" PRIx64, serial);
	return buf;
}

int
lp_pki_index_check_name(const char *name, char why[LP_WHY_SIZE])
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@";
	size_t len = strspn(name, good);

	if (name[0] == '\0')
		return refuse(why, "a name is missing", "");
	if (strlen(name) >= LP_NAME_SIZE) {
		snprintf(
		    why, LP_WHY_SIZE, "longer than %d bytes", LP_NAME_SIZE - 1);
		return -EINVAL;
	}
	if (name[len] != '\0' || strchr("._-@", name[0]) != NULL)
		return refuse(why,
		    "is no name of letters, digits, \".\", \"_\", \"-\" and "
		    "\"@\" that begins with a letter or digit",
		    "");
	if (lp_pki_index_serial(name) != 0)
		return refuse(why, "could be a serial number", "");
	return 0;
}

static int
read_line(struct lp_pki_index *index, char *line, char *why)
{
	char *fields[FIELDS];
	struct lp_pki_index_row row = {0};
	char *saved = NULL;
	size_t count = 0;

	if (line[0] == '#' || line[strspn(line, " \t\r")] == '\0')
		return 0;
	for (char *field = strtok_r(line, " \t\r", &saved); field != NULL;
	     field = strtok_r(NULL, " \t\r", &saved)) {
		if (count == FIELDS)
			return refuse(why, "has more than 6 words", "");
		fields[count++] = field;
	}
	if (count < FIELDS)
		return refuse(why, "has less than 6 words", "");
	if (read_row(&row, fields, why) != 0)
		return -EINVAL;
	return lp_pki_index_add(index, &row);
}

static int
read_row(struct lp_pki_index_row *row, char *const fields[FIELDS], char *why)
{
	row->serial = lp_pki_index_serial(fields[0]);
	row->role = lp_role_parse(fields[1]);
	if (row->serial == 0)
		return refuse(why, "no serial number: ", fields[0]);
	if (row->role == LP_ROLE_NONE)
		return refuse(why, "no role: ", fields[1]);
	if (read_time(&row->issued, fields[2]) != 0)
		return refuse(why, "no time: ", fields[2]);
	if (read_time(&row->expires, fields[3]) != 0)
		return refuse(why, "no time: ", fields[3]);
	if (strcmp(fields[4], "-") != 0 &&
	    read_time(&row->revoked, fields[4]) != 0)
		return refuse(why, "no time: ", fields[4]);
	if (lp_pki_index_check_name(fields[5], why) != 0)
		return refuse(why, "no name: ", fields[5]);
	memcpy(row->name, fields[5], strlen(fields[5]) + 1);
	return 0;
}

static int
read_time(int64_t *out, const char *text)
{
	struct tm tm = {0};
	const char *end;
	char again[TIME_SIZE];

	if (strlen(text) != TIME_LEN)
		return -EINVAL;
	end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (end == NULL || *end != '\0')
		return -EINVAL;
	*out = timegm(&tm);
	/* What is no day of the calendar is another one by then. */
	if (*out <= 0 || strcmp(format_time(again, *out), text) != 0)
		return -EINVAL;
	return 0;
}

static char *
format_time(char buf[TIME_SIZE], int64_t seconds)
{
	time_t time = seconds;
	struct tm tm = {0};

	gmtime_r(&time, &tm);
	if (strftime(buf, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		buf[0] = '\0';
	return buf;
}

/* What is shown of a text is harmless to a terminal. */
static int
refuse(char *why, const char *what, const char *text)
{
	int len = snprintf(why, LP_WHY_SIZE, "%s%.64s", what, text);

	for (int i = 0; i < len && why[i] != '\0'; i++)
		if (why[i] < ' ' || why[i] > '~')
			why[i] = '?';
	return -EINVAL;
}
