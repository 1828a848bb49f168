/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/poll_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check(int fd, const char *path, char *why);
static int read_all(struct lp_poll_file *file, int fd);
static char *trim(char *text, char *end);
static int split(
    char *line, char *end, const char **name, const char **value, char *why);

static const char blanks[] = " \t\r\f\v";

static int
refuse(char *why, const char *path, const char *text)
{
	snprintf(why, LP_POLL_WHY_SIZE, "%.*s: %s", LP_POLL_FILE_PATH_SHOWN,
	    path, text);
	return -EINVAL;
}

int
lp_poll_file_open(struct lp_poll_file *file, const char *path, char *why)
{
	/* A pipe must not hold us up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int err;

	*file = (struct lp_poll_file){0};
	if (fd < 0 && errno == ELOOP)
		return refuse(why, path, "a symbolic link, not a regular file");
	if (fd < 0) {
		err = -errno;
		refuse(why, path, strerror(-err));
		return err;
	}
	err = check(fd, path, why);
	if (err == 0) {
		err = read_all(file, fd);
		if (err == -EFBIG)
			snprintf(why, LP_POLL_WHY_SIZE,
			    "%.*s: larger than %d bytes",
			    LP_POLL_FILE_PATH_SHOWN, path,
			    LP_POLL_FILE_SIZE_MAX);
		else if (err != 0)
			refuse(why, path, strerror(-err));
	}
	close(fd);
	return err;
}

void
lp_poll_file_close(struct lp_poll_file *file)
{
	if (file->text != NULL)
		explicit_bzero(file->text, file->len);
	free(file->text);
	file->text = NULL;
}

int
lp_poll_file_next(
    struct lp_poll_file *file, const char **name, const char **value, char *why)
{
	while (file->at < file->len) {
		char *line = file->text + file->at;
		char *end = memchr(line, '\n', file->len - file->at);

		if (end == NULL)
			end = file->text + file->len;
		file->line++;
		file->at = (size_t)(end - file->text) + 1;
		if (memchr(line, '\0', (size_t)(end - line)) != NULL) {
			snprintf(why, LP_WHY_SIZE, "has a byte of 0");
			return -EINVAL;
		}
		*end = '\0';
		line = trim(line, end);
		if (line[0] != '\0' && line[0] != '#')
			return split(
			    line, line + strlen(line), name, value, why);
	}
	return 0;
}

/* Of the file that is open: nobody can put another in its place. */
static int
check(int fd, const char *path, char *why)
{
	struct stat status;

	if (fstat(fd, &status) != 0) {
		int err = -errno;

		refuse(why, path, strerror(-err));
		return err;
	}
	if (!S_ISREG(status.st_mode))
		return refuse(why, path, "not a regular file");
	if (status.st_uid != 0 && status.st_uid != geteuid()) {
		snprintf(why, LP_POLL_WHY_SIZE,
		    "%.*s: belongs to user %u: it must be root's, or that of "
		    "user %u, who runs lp-controld",
		    LP_POLL_FILE_PATH_SHOWN, path, status.st_uid, geteuid());
		return -EPERM;
	}
	if ((status.st_mode & 077) != 0) {
		snprintf(why, LP_POLL_WHY_SIZE,
		    "%.*s: mode %04o lets others in, and passwords are in it: "
		    "chmod 600",
		    LP_POLL_FILE_PATH_SHOWN, path, status.st_mode & 07777);
		return -EPERM;
	}
	return 0;
}

static int
read_all(struct lp_poll_file *file, int fd)
{
	ssize_t n;

	/* One more byte tells that it is too large; and the NUL. */
	file->text = calloc(1, LP_POLL_FILE_SIZE_MAX + 2);
	if (file->text == NULL)
		return -ENOMEM;
	do {
		n = read(fd, file->text + file->len,
		    LP_POLL_FILE_SIZE_MAX + 1 - file->len);
		if (n > 0)
			file->len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0 && file->len <= LP_POLL_FILE_SIZE_MAX)
		return 0;
	n = n < 0 ? -errno : -EFBIG;
	lp_poll_file_close(file);
	return (int)n;
}

/* Where it begins; its end, which is at *end, moves. */
static char *
trim(char *text, char *end)
{
	while (end > text && strchr(blanks, end[-1]) != NULL)
		*--end = '\0';
	return text + strspn(text, blanks);
}

static int
split(char *line, char *end, const char **name, const char **value, char *why)
{
	char *equals = strchr(line, '=');

	if (equals == NULL || equals == line) {
		snprintf(why, LP_WHY_SIZE, "is no PROPERTY=VALUE");
		return -EINVAL;
	}
	*equals = '\0';
	*name = trim(line, equals);
	*value = trim(equals + 1, end);
	if ((*name)[strspn(*name, "abcdefghijklmnopqrstuvwxyz0123456789._")] !=
	    '\0') {
		snprintf(why, LP_WHY_SIZE,
		    "no property of librdkafka has such a name");
		return -EINVAL;
	}
	return 1;
}
