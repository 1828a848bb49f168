/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/pki_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(char *why, const char *path, int err);
static int open_parent(const char *path, char *why);
static int fill(
    const char *path, const struct lp_pki_file *files, size_t count, char *why);
static int write_all(int fd, const struct lp_pki_file *file);
static void empty(
    const char *path, const struct lp_pki_file *files, size_t count);
static int check_private(
    const struct stat *status, const char *path, char *why);
static int read_all(struct lp_pki_x509_pem *text, int fd, size_t size);

int
lp_pki_file_directory(const char *path, const struct lp_pki_file *files,
    size_t count, char why[LP_PKI_FILE_WHY_SIZE])
{
	char temporary[PATH_MAX];
	size_t len = strlen(path);
	int parent, err;

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (snprintf(temporary, sizeof(temporary), "%.*s.XXXXXX", (int)len,
		path) >= PATH_MAX)
		return refuse(why, path, -ENAMETOOLONG);
	parent = open_parent(path, why);
	if (parent < 0)
		return parent;
	if (mkdtemp(temporary) == NULL) {
		err = refuse(why, path, -errno);
		close(parent);
		return err;
	}
	err = fill(temporary, files, count, why);
	if (err == 0 && rename(temporary, path) != 0)
		err = refuse(why, path, -errno);
	if (err != 0)
		empty(temporary, files, count);
	else if (fsync(parent) != 0)
		err = refuse(why, path, -errno);
	close(parent);
	return err;
}

int
lp_pki_file_replace(const char *directory, const struct lp_pki_file *file,
    char why[LP_PKI_FILE_WHY_SIZE])
{
	int parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[PATH_MAX], temporary[PATH_MAX];
	int fd, err = 0;

	if (parent < 0)
		return refuse(why, directory, -errno);
	if (snprintf(path, sizeof(path), "%s/%s", directory, file->name) >=
		PATH_MAX ||
	    snprintf(temporary, sizeof(temporary), "%s/.%s.XXXXXX", directory,
		file->name) >= PATH_MAX) {
		close(parent);
		return refuse(why, directory, -ENAMETOOLONG);
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		err = -errno;
	else
		err = write_all(fd, file);
	if (err == 0 && rename(temporary, path) != 0)
		err = -errno;
	if (err != 0 && fd >= 0)
		(void)unlink(temporary);
	else if (err == 0 && fsync(parent) != 0)
		err = -errno;
	close(parent);
	return err != 0 ? refuse(why, path, err) : 0;
}

int
lp_pki_file_read(struct lp_pki_x509_pem *text, const char *directory,
    const char *name, size_t max, bool private, char why[LP_PKI_FILE_WHY_SIZE])
{
	char path[PATH_MAX];
	struct stat status;
	int fd, err = 0;

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= PATH_MAX)
		return refuse(why, directory, -ENAMETOOLONG);
	/* A pipe must not hold us up. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return refuse(why, path, -errno);
	if (fstat(fd, &status) != 0)
		err = refuse(why, path, -errno);
	else if (!S_ISREG(status.st_mode))
		err = refuse(why, path, -EINVAL);
	else if (status.st_size > (off_t)max)
		err = refuse(why, path, -EFBIG);
	else if (private)
		err = check_private(&status, path, why);
	if (err == 0) {
		err = read_all(text, fd, (size_t)status.st_size);
		if (err != 0)
			(void)refuse(why, path, err);
	}
	close(fd);
	return err;
}

int
lp_pki_file_lock(const char *directory, char why[LP_PKI_FILE_WHY_SIZE])
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	err = refuse(why, directory, -errno);
	if (fd >= 0)
		close(fd);
	return err;
}

static int
refuse(char *why, const char *path, int err)
{
	const char *text = strerror(-err);

	if (err == -ENOTEMPTY || err == -EEXIST)
		text = "exists, and is not empty";
	else if (err == -EINVAL)
		text = "not a regular file";
	snprintf(why, LP_PKI_FILE_WHY_SIZE, "%.300s: %s", path, text);
	return err;
}

/* The directory that the path is in. */
static int
open_parent(const char *path, char *why)
{
	char *copy = strdup(path);
	int fd;

	if (copy == NULL)
		return refuse(why, path, -ENOMEM);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = refuse(why, copy, -errno);
	free(copy);
	return fd;
}

static int
fill(const char *path, const struct lp_pki_file *files, size_t count, char *why)
{
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = directory < 0 ? -errno : 0;

	for (size_t i = 0; i < count && err == 0; i++) {
		int fd = openat(directory, files[i].name,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		err = fd < 0 ? -errno : write_all(fd, &files[i]);
	}
	if (err == 0 && fsync(directory) != 0)
		err = -errno;
	if (directory >= 0)
		close(directory);
	return err != 0 ? refuse(why, path, err) : 0;
}

/* Closes it, too. */
static int
write_all(int fd, const struct lp_pki_file *file)
{
	const char *at = file->text->text;
	size_t left = file->text->len;
	int err = fchmod(fd, file->mode) != 0 ? -errno : 0;

	while (err == 0 && left > 0) {
		ssize_t n = write(fd, at, left);

		if (n < 0 && errno != EINTR)
			err = -errno;
		if (n <= 0)
			continue;
		at += n;
		left -= (size_t)n;
	}
	if (err == 0 && fsync(fd) != 0)
		err = -errno;
	if (close(fd) != 0 && err == 0)
		err = -errno;
	return err;
}

/* Only what we have made is removed. */
static void
empty(const char *path, const struct lp_pki_file *files, size_t count)
{
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (directory < 0)
		return;
	for (size_t i = 0; i < count; i++)
		(void)unlinkat(directory, files[i].name, 0);
	close(directory);
	(void)rmdir(path);
}

static int
check_private(const struct stat *status, const char *path, char *why)
{
	if ((status->st_mode & 077) == 0)
		return 0;
	snprintf(why, LP_PKI_FILE_WHY_SIZE,
	    "%.300s: mode %04o lets others at the key: chmod 600", path,
	    status->st_mode & 07777);
	return -EPERM;
}

static int
read_all(struct lp_pki_x509_pem *text, int fd, size_t size)
{
	ssize_t n = 1;

	*text = (struct lp_pki_x509_pem){.text = malloc(size + 1)};
	if (text->text == NULL)
		return -ENOMEM;
	while (n > 0 && text->len < size) {
		n = read(fd, text->text + text->len, size - text->len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			text->len += (size_t)n;
	}
	if (n >= 0)
		return 0;
	n = -errno;
	lp_pki_x509_pem_free(text);
	return (int)n;
}
