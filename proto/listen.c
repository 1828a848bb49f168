/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/listen.h"

#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	BACKLOG = 64,
	/* Read and write for the owner and the group, nobody else. */
	SOCKET_UMASK = 0117,
};

static int find_group(const char *name, gid_t *group, char *why);
static int remove_dead(const struct sockaddr_un *address, char *why);
static int try_connect(const struct sockaddr_un *address);
static int bind_private(int fd, const struct sockaddr_un *address);
static int open_socket(void);
static int refuse(char *why, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int
lp_listen_open(const char *path, const char *group, char why[LP_WHY_SIZE])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	gid_t owner = (gid_t)-1;
	int error = 0;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return refuse(why, -ENAMETOOLONG,
		    "%.108s...: longer than the path of a socket can be", path);
	strcpy(address.sun_path, path);
	if (group)
		error = find_group(group, &owner, why);
	if (!error)
		error = remove_dead(&address, why);
	if (error)
		return error;
	fd = open_socket();
	if (fd < 0)
		return refuse(why, fd, "%s: %s", path, strerror(-fd));
	error = bind_private(fd, &address);
	if (error) {
		close(fd);
		return refuse(why, error, "%s: %s", path, strerror(-error));
	}
	if (group && chown(path, (uid_t)-1, owner) != 0)
		error =
		    refuse(why, -errno, "%s: cannot be given to group %s: %s",
			path, group, strerror(errno));
	else if (listen(fd, BACKLOG) != 0)
		error = refuse(why, -errno, "%s: cannot listen: %s", path,
		    strerror(errno));
	if (!error)
		return fd;
	unlink(path);
	close(fd);
	return error;
}

static int
find_group(const char *name, gid_t *group, char *why)
{
	const struct group *entry = getgrnam(name);

	if (!entry)
		return refuse(
		    why, -ENOENT, "--group %s: there is no such group", name);
	*group = entry->gr_gid;
	return 0;
}

/* 0 if nothing is there any more; who listens there answers at once. */
static int
remove_dead(const struct sockaddr_un *address, char *why)
{
	const char *path = address->sun_path;
	struct stat status;
	int error;

	if (lstat(path, &status) != 0)
		return errno == ENOENT
		    ? 0
		    : refuse(why, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(status.st_mode))
		return refuse(
		    why, -ENOTSOCK, "%s: is there, and is no socket", path);
	error = try_connect(address);
	/* A full backlog (EAGAIN) is a living daemon, too. */
	if (error == 0 || error == -EAGAIN)
		return refuse(why, -EADDRINUSE,
		    "%s: another daemon serves this socket", path);
	if (error != -ECONNREFUSED)
		return refuse(why, error, "%s: %s", path, strerror(-error));
	if (unlink(path) != 0)
		return refuse(why, -errno,
		    "%s: left by a dead daemon, cannot be removed: %s", path,
		    strerror(errno));
	return 0;
}

static int
try_connect(const struct sockaddr_un *address)
{
	int fd = open_socket();
	int error = 0;

	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) !=
	    0)
		error = -errno;
	close(fd);
	return error;
}

/* With its final permissions from the first moment on. */
static int
bind_private(int fd, const struct sockaddr_un *address)
{
	mode_t before = umask(SOCKET_UMASK);
	int error = 0;

	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
		error = -errno;
	umask(before);
	return error;
}

static int
open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 ? fd : -errno;
}

static int
refuse(char *why, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, LP_WHY_SIZE, format, args);
	va_end(args);
	return error;
}
