/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/socket.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	BACKLOG = 16,
	/* Read and write for the owner and the group, nobody else. */
	SOCKET_UMASK = 0117,
};

static int find_group(const char *name, gid_t *group, char *why);
static int remove_stale(const struct sockaddr_un *address, char *why);
static int bind_private(int fd, const struct sockaddr_un *address);
static int fail(int error, char *why, const char *what);

int
lp_socket_listen(const char *path, const char *group, char why[LP_WHY_SIZE])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	gid_t owner = (gid_t)-1;
	int error = 0;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return fail(-ENAMETOOLONG, why, "path");
	strcpy(address.sun_path, path);
	if (group)
		error = find_group(group, &owner, why);
	if (!error)
		error = remove_stale(&address, why);
	if (error)
		return error;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(-errno, why, "socket");
	error = bind_private(fd, &address);
	if (error) {
		close(fd);
		return fail(error, why, "bind");
	}
	if (group && chown(path, (uid_t)-1, owner) != 0)
		error = fail(-errno, why, "group");
	else if (listen(fd, BACKLOG) != 0)
		error = fail(-errno, why, "listen");
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

	if (!entry) {
		snprintf(
		    why, LP_WHY_SIZE, "--group %.64s: no such group", name);
		return -EINVAL;
	}
	*group = entry->gr_gid;
	return 0;
}

/* 0 if nothing is there any more; who listens there answers at once. */
static int
remove_stale(const struct sockaddr_un *address, char *why)
{
	struct stat stat;
	int error = 0;
	int fd;

	if (lstat(address->sun_path, &stat) != 0)
		return errno == ENOENT ? 0 : fail(-errno, why, "path");
	if (!S_ISSOCK(stat.st_mode)) {
		snprintf(why, LP_WHY_SIZE, "there is a file that is no socket");
		return -EEXIST;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(-errno, why, "socket");
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) !=
	    0)
		error = -errno;
	close(fd);
	/* EAGAIN: it lives, and its backlog is full. */
	if (error == 0 || error == -EAGAIN) {
		snprintf(why, LP_WHY_SIZE,
		    "another process listens there: stop it, or give this "
		    "one another --socket");
		return -EADDRINUSE;
	}
	if (error != -ECONNREFUSED)
		return fail(error, why, "a socket is there");
	if (unlink(address->sun_path) != 0)
		return fail(-errno, why, "a dead socket is there");
	return 0;
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
fail(int error, char *why, const char *what)
{
	snprintf(why, LP_WHY_SIZE, "%s: %s", what, strerror(-error));
	return error;
}
