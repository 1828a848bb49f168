/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0640 };

static int write_file(const char *path, const uint8_t *data, size_t len);
static int write_all(int fd, const uint8_t *data, size_t len);
static int sync_directory(const char *path);

int
lp_replace_file(const char *path, const void *data, size_t len)
{
	char aside[PATH_MAX];
	int error;

	if ((size_t)snprintf(aside, sizeof(aside), "%s.new", path) >=
	    sizeof(aside))
		return -ENAMETOOLONG;
	error = write_file(aside, data, len);
	if (!error && rename(aside, path) != 0)
		error = -errno;
	if (error) {
		unlink(aside);
		return error;
	}
	return sync_directory(path);
}

static int
write_file(const char *path, const uint8_t *data, size_t len)
{
	int fd =
	    open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	int error;

	if (fd < 0)
		return -errno;
	error = write_all(fd, data, len);
	if (!error && fsync(fd) != 0)
		error = -errno;
	if (close(fd) != 0 && !error)
		error = -errno;
	return error;
}

static int
write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t written = write(fd, data, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		data += written;
		len -= (size_t)written;
	}
	return 0;
}

/* A rename is on the disk when its directory is. */
static int
sync_directory(const char *path)
{
	char directory[PATH_MAX];
	char *slash;
	int error = 0;
	int fd;

	snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	if (!slash)
		strcpy(directory, ".");
	else
		slash[slash == directory] = '\0';
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) != 0)
		error = -errno;
	close(fd);
	return error;
}
