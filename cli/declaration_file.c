/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/declaration_file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/yaml.h"

enum { BLOCK = 64 << 10 };

/* Which one it is, by whatever name. */
struct lp_declaration_file_id {
	dev_t device;
	ino_t inode;
};

static int read_path(struct lp_declaration_files *files,
    struct lp_report *report, const char *path);
static int read_open(struct lp_declaration_files *files,
    struct lp_report *report, const char *path, int fd);
static int read_directory(struct lp_declaration_files *files,
    struct lp_report *report, const char *path);
static int refuse(struct lp_report *report, const char *path,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
static int refuse_many(struct lp_report *report, int err);
static char *read_all(int fd, size_t *len);
static int add(struct lp_declaration_files *files, struct lp_report *report,
    const char *path, const struct stat *stat, char *text, size_t len);

int
lp_declaration_file_read(struct lp_declaration_files *files,
    struct lp_report *report, const char *const *paths, size_t path_count)
{
	int err = 0;

	*files = (struct lp_declaration_files){0};
	for (size_t i = 0; i < path_count && err == 0; i++)
		err = read_path(files, report, paths[i]);
	return err;
}

void
lp_declaration_file_fini(struct lp_declaration_files *files)
{
	free(files->list);
	free(files->ids);
	*files = (struct lp_declaration_files){0};
}

static int
read_path(struct lp_declaration_files *files, struct lp_report *report,
    const char *path)
{
	struct stat stat;
	int fd, err;

	if (strcmp(path, "-") == 0)
		return read_open(files, report, "standard input", STDIN_FILENO);
	/* A fifo that nobody writes to is waited for: <(...) of a shell. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return refuse(report, path, "%s", strerror(errno));
	if (fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode))
		err = read_directory(files, report, path);
	else
		err = read_open(files, report, path, fd);
	close(fd);
	return err;
}

static bool
is_known(const struct lp_declaration_files *files, const struct stat *stat)
{
	for (size_t i = 0; i < files->count; i++)
		if (files->ids[i].device == stat->st_dev &&
		    files->ids[i].inode == stat->st_ino)
			return true;
	return false;
}

static int
read_open(struct lp_declaration_files *files, struct lp_report *report,
    const char *path, int fd)
{
	struct stat stat;
	size_t len;
	char *text;

	if (fstat(fd, &stat) != 0)
		return refuse(report, path, "%s", strerror(errno));
	if (is_known(files, &stat))
		return 0;
	text = read_all(fd, &len);
	if (text == NULL && errno == EFBIG)
		return refuse(report, path, "is larger than %d MB",
		    LP_YAML_FILE_MAX >> 20);
	if (text == NULL)
		return errno == ENOMEM
		    ? -ENOMEM
		    : refuse(report, path, "%s", strerror(errno));
	return add(files, report, path, &stat, text, len);
}

static int
is_file(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot != NULL &&
	    (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* By bytes: the same everywhere, whatever the locale. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
read_entry(struct lp_declaration_files *files, struct lp_report *report,
    const char *path, const char *name, size_t *found)
{
	char *joined = NULL;
	size_t len = strlen(path);
	struct stat status;
	int err = 0;

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (asprintf(&joined, "%.*s%s%s", (int)len, path,
		path[len - 1] == '/' ? "" : "/", name) < 0)
		return -ENOMEM;
	/* Not deeper; a link that leads nowhere is told, a fifo not opened. */
	if (stat(joined, &status) != 0 || S_ISREG(status.st_mode)) {
		err = read_path(files, report, joined);
		(*found)++;
	} else if (!S_ISDIR(status.st_mode)) {
		err = refuse(report, joined, "is no regular file");
		(*found)++;
	}
	free(joined);
	return err;
}

static int
read_directory(struct lp_declaration_files *files, struct lp_report *report,
    const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_file, by_name);
	size_t found = 0;
	int err = 0;

	if (count < 0)
		return errno == ENOMEM
		    ? -ENOMEM
		    : refuse(report, path, "%s", strerror(errno));
	for (int i = 0; i < count; i++) {
		if (err == 0)
			err = read_entry(
			    files, report, path, entries[i]->d_name, &found);
		free(entries[i]);
	}
	free(entries);
	if (err == 0 && found == 0)
		return refuse(
		    report, path, "has no files named *.yaml or *.yml");
	return err;
}

/* A problem has its place in a file: here in one that is empty. */
static int
refuse(struct lp_report *report, const char *path, const char *format, ...)
{
	struct lp_span span = {0};
	char *text = calloc(1, 1);
	char why[LP_WHY_SIZE];
	va_list args;
	int file;

	if (text == NULL)
		return -ENOMEM;
	file = lp_report_add_file(report, path, text, 0);
	if (file < 0)
		return refuse_many(report, file);
	va_start(args, format);
	(void)vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	span.file = (uint16_t)file;
	lp_report_add(report, LP_SEVERITY_ERROR, &span, "%s", why);
	return 0;
}

/* It has its place in the last one that there was room for. */
static int
refuse_many(struct lp_report *report, int err)
{
	static const struct lp_span last = {.file = LP_REPORT_FILES_MAX - 1};

	if (err != -ENOSPC)
		return err;
	lp_report_add(report, LP_SEVERITY_ERROR, &last,
	    "is the last of %d files: more of them are not read",
	    LP_REPORT_FILES_MAX);
	return 0;
}

/* Malloc'ed, with a NUL behind it; NULL and errno. */
static char *
read_all(int fd, size_t *len)
{
	size_t size = 0, used = 0;
	char *text = NULL;

	for (;;) {
		ssize_t got;

		if (used + 1 >= size) {
			char *more;

			size = size == 0 ? BLOCK : 2 * size;
			more = realloc(text, size);
			if (more == NULL)
				break;
			text = more;
		}
		got = read(fd, text + used, size - used - 1);
		if (got == 0) {
			text[used] = '\0';
			*len = used;
			return text;
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		used += (size_t)got;
		if (used > LP_YAML_FILE_MAX) {
			errno = EFBIG;
			break;
		}
	}
	free(text);
	return NULL;
}

static int
add(struct lp_declaration_files *files, struct lp_report *report,
    const char *path, const struct stat *stat, char *text, size_t len)
{
	int file;

	if (files->count == files->size) {
		size_t size = files->size == 0 ? 16 : 2 * files->size;
		unsigned *list = reallocarray(files->list, size, sizeof(*list));
		struct lp_declaration_file_id *ids;

		if (list != NULL)
			files->list = list;
		ids = reallocarray(files->ids, size, sizeof(*ids));
		if (ids != NULL)
			files->ids = ids;
		if (list == NULL || ids == NULL) {
			free(text);
			return -ENOMEM;
		}
		files->size = size;
	}
	file = lp_report_add_file(report, path, text, len);
	if (file < 0)
		return refuse_many(report, file);
	files->list[files->count] = (unsigned)file;
	files->ids[files->count++] = (struct lp_declaration_file_id){
	    .device = stat->st_dev, .inode = stat->st_ino};
	return 0;
}
