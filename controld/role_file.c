/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/role_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/log.h"
#include "proto/nearest.h"

enum { PATH_SHOWN = 200, ROWS_FIRST = 16 };

static const char blanks[] = " \t\r\f\v";

struct lp_role_file {
	const char *path;
	struct lp_role_file_list list;
};

static int load(struct lp_role_file_list *list, const char *path, char *why);
static int check(int fd, const char *path, char *why);
static int read_all(char **text, size_t *len, int fd);
static int read_line(struct lp_role_file_list *list, const char *at, size_t len,
    unsigned number, char *why);
static int read_row(
    struct lp_role_file_row *row, const char *at, size_t len, char *why);
static int read_role(
    struct lp_role_file_row *row, const char *word, size_t len, char *why);
static int add(
    struct lp_role_file_list *list, const struct lp_role_file_row *row);
static int find_twins(
    struct lp_role_file_list *list, unsigned *line, char *why);
static int compare(const void *a, const void *b);
static int refuse(char *why, const char *path, int err);

int
lp_role_file_open(struct lp_role_file **out, const char *path,
    char why[LP_ROLE_FILE_WHY_SIZE])
{
	struct lp_role_file *file = calloc(1, sizeof(*file));
	int err;

	if (file == NULL)
		return refuse(why, path, -ENOMEM);
	file->path = path;
	err = load(&file->list, path, why);
	if (err != 0)
		lp_role_file_close(file);
	else
		*out = file;
	return err;
}

void
lp_role_file_close(struct lp_role_file *file)
{
	if (file == NULL)
		return;
	lp_role_file_fini(&file->list);
	free(file);
}

void
lp_role_file_reload(struct lp_role_file *file)
{
	struct lp_role_file_list list = {0};
	char why[LP_ROLE_FILE_WHY_SIZE];

	if (load(&list, file->path, why) != 0) {
		lp_log_error("%s; the roles stay as they were", why);
		lp_role_file_fini(&list);
		return;
	}
	lp_role_file_fini(&file->list);
	file->list = list;
	lp_log_info("%s: roles of %zu names", file->path, list.count);
}

enum lp_role
lp_role_file_find(const struct lp_role_file *file, const char *name)
{
	return lp_role_file_lookup(&file->list, name);
}

int
lp_role_file_parse(struct lp_role_file_list *list, const char *text, size_t len,
    unsigned *line, char why[LP_ROLE_FILE_WHY_SIZE])
{
	size_t at = 0;

	for (*line = 1; at < len; ++*line) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t line_len =
		    end != NULL ? (size_t)(end - text) - at : len - at;
		int err = read_line(list, text + at, line_len, *line, why);

		if (err != 0)
			return err;
		at += line_len + 1;
	}
	return find_twins(list, line, why);
}

enum lp_role
lp_role_file_lookup(const struct lp_role_file_list *list, const char *name)
{
	struct lp_role_file_row key = {.name = "*"};
	const struct lp_role_file_row *row = NULL;
	size_t len = strlen(name);

	if (list->count == 0)
		return LP_ROLE_NONE;
	if (len < sizeof(key.name)) {
		memcpy(key.name, name, len + 1);
		row = bsearch(
		    &key, list->rows, list->count, sizeof(key), compare);
	}
	if (row == NULL) {
		memcpy(key.name, "*", sizeof("*"));
		row = bsearch(
		    &key, list->rows, list->count, sizeof(key), compare);
	}
	return row != NULL ? row->role : LP_ROLE_NONE;
}

void
lp_role_file_fini(struct lp_role_file_list *list)
{
	free(list->rows);
	*list = (struct lp_role_file_list){0};
}

static int
load(struct lp_role_file_list *list, const char *path, char *why)
{
	/* A pipe must not hold us up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char what[LP_ROLE_FILE_WHY_SIZE];
	char *text = NULL;
	unsigned line = 0;
	size_t len = 0;
	int err;

	if (fd < 0)
		return refuse(why, path, -errno);
	err = check(fd, path, why);
	if (err == 0) {
		err = read_all(&text, &len, fd);
		if (err != 0)
			refuse(why, path, err);
	}
	close(fd);
	if (err == 0) {
		err = lp_role_file_parse(list, text, len, &line, what);
		if (err == -EINVAL)
			snprintf(why, LP_ROLE_FILE_WHY_SIZE, "%.*s:%u: %.256s",
			    PATH_SHOWN, path, line, what);
		else if (err != 0)
			refuse(why, path, err);
	}
	free(text);
	return err;
}

/* Who can change it makes himself an admin. */
static int
check(int fd, const char *path, char *why)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return refuse(why, path, -errno);
	if (!S_ISREG(status.st_mode)) {
		snprintf(why, LP_ROLE_FILE_WHY_SIZE, "%.*s: not a regular file",
		    PATH_SHOWN, path);
		return -EINVAL;
	}
	if (status.st_uid != 0 && status.st_uid != geteuid()) {
		snprintf(why, LP_ROLE_FILE_WHY_SIZE,
		    "%.*s: belongs to user %u: it must be root's, or that of "
		    "user %u, who runs lp-controld",
		    PATH_SHOWN, path, status.st_uid, geteuid());
		return -EPERM;
	}
	if ((status.st_mode & 022) != 0) {
		snprintf(why, LP_ROLE_FILE_WHY_SIZE,
		    "%.*s: mode %04o lets others write it: chmod go-w",
		    PATH_SHOWN, path, status.st_mode & 07777);
		return -EPERM;
	}
	return 0;
}

static int
read_all(char **text, size_t *len, int fd)
{
	ssize_t n;

	/* One more byte tells that it is too large. */
	*text = malloc(LP_ROLE_FILE_SIZE_MAX + 1);
	if (*text == NULL)
		return -ENOMEM;
	do {
		n = read(fd, *text + *len, LP_ROLE_FILE_SIZE_MAX + 1 - *len);
		if (n > 0)
			*len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		return -errno;
	return *len > LP_ROLE_FILE_SIZE_MAX ? -EFBIG : 0;
}

static int
read_line(struct lp_role_file_list *list, const char *at, size_t len,
    unsigned number, char *why)
{
	struct lp_role_file_row row = {.line = number};

	for (size_t i = 0; i < len; i++)
		if (((unsigned char)at[i] < ' ' && !strchr(blanks, at[i])) ||
		    at[i] == '\0' || (unsigned char)at[i] > '~') {
			snprintf(why, LP_ROLE_FILE_WHY_SIZE,
			    "byte %zu is no printable ASCII: no certificate "
			    "has such a name",
			    i + 1);
			return -EINVAL;
		}
	while (len > 0 && strchr(blanks, at[len - 1]) != NULL)
		len--;
	for (; len > 0 && strchr(blanks, *at) != NULL; len--)
		at++;
	if (len == 0 || *at == '#')
		return 0;
	if (list->count == LP_ROLE_FILE_NAMES_MAX) {
		snprintf(why, LP_ROLE_FILE_WHY_SIZE, "more than %d names",
		    LP_ROLE_FILE_NAMES_MAX);
		return -EINVAL;
	}
	if (read_row(&row, at, len, why) != 0)
		return -EINVAL;
	return add(list, &row);
}

/* The line neither begins nor ends with a blank. */
static int
read_row(struct lp_role_file_row *row, const char *at, size_t len, char *why)
{
	size_t role = len, name;

	while (role > 0 && strchr(blanks, at[role - 1]) == NULL)
		role--;
	name = role;
	while (name > 0 && strchr(blanks, at[name - 1]) != NULL)
		name--;
	if (name == 0) {
		snprintf(why, LP_ROLE_FILE_WHY_SIZE,
		    "\"%.*s\": a role is missing: NAME ROLE",
		    len < 64 ? (int)len : 64, at);
		return -EINVAL;
	}
	if (name >= sizeof(row->name)) {
		snprintf(why, LP_ROLE_FILE_WHY_SIZE,
		    "the name is longer than the %zu bytes of one in a "
		    "certificate",
		    sizeof(row->name) - 1);
		return -EINVAL;
	}
	memcpy(row->name, at, name);
	return read_role(row, at + role, len - role, why);
}

static int
read_role(struct lp_role_file_row *row, const char *word, size_t len, char *why)
{
	char hint[LP_NEAREST_HINT_SIZE], copy[16] = "";
	struct lp_nearest nearest;

	if (len < sizeof(copy))
		memcpy(copy, word, len);
	row->role = lp_role_parse(copy);
	if (row->role != LP_ROLE_NONE ||
	    strcmp(copy, lp_role_word(LP_ROLE_NONE)) == 0)
		return 0;
	lp_nearest_init(&nearest, word, len);
	for (int role = 0; role < LP_ROLES; role++)
		lp_nearest_offer(&nearest, lp_role_word(role));
	snprintf(why, LP_ROLE_FILE_WHY_SIZE,
	    "\"%.*s\" is no role%s: there are " LP_ROLE_WORDS " none",
	    len < 64 ? (int)len : 64, word,
	    lp_nearest_hint(hint, nearest.best));
	return -EINVAL;
}

static int
add(struct lp_role_file_list *list, const struct lp_role_file_row *row)
{
	if (list->count == list->size) {
		size_t size = list->size != 0 ? 2 * list->size : ROWS_FIRST;
		struct lp_role_file_row *rows =
		    reallocarray(list->rows, size, sizeof(*rows));

		if (rows == NULL)
			return -ENOMEM;
		list->rows = rows;
		list->size = size;
	}
	list->rows[list->count++] = *row;
	return 0;
}

/* Sorts them, too.  Of two lines it is the later that is wrong. */
static int
find_twins(struct lp_role_file_list *list, unsigned *line, char *why)
{
	if (list->count > 1)
		qsort(list->rows, list->count, sizeof(*list->rows), compare);
	for (size_t i = 1; i < list->count; i++) {
		const struct lp_role_file_row *a = &list->rows[i - 1];
		const struct lp_role_file_row *b = &list->rows[i];
		bool a_first = a->line < b->line;

		if (strcmp(a->name, b->name) != 0)
			continue;
		*line = a_first ? b->line : a->line;
		snprintf(why, LP_ROLE_FILE_WHY_SIZE,
		    "%s has a role already, by line %u", a->name,
		    a_first ? a->line : b->line);
		return -EINVAL;
	}
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct lp_role_file_row *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static int
refuse(char *why, const char *path, int err)
{
	snprintf(why, LP_ROLE_FILE_WHY_SIZE, "%.*s: %s", PATH_SHOWN, path,
	    err == -EFBIG ? "larger than 1 MiB" : strerror(-err));
	return err;
}
