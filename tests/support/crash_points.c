/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For LD_PRELOAD.  What is written to stderr is no step: the log is not what a
 * daemon is restored from.
 */
#include "crash_points.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static struct crash_points *points;

__attribute__((constructor)) static void
map_points(void)
{
	const char *path = getenv(CRASH_POINTS_FILE);
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map;

	if (fd < 0)
		return;
	map = mmap(
	    NULL, sizeof(*points), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		points = map;
}

static void
step(const char *what, const char *object)
{
	uint32_t left = points->left;

	if (left == 1) {
		snprintf(
		    points->name, sizeof(points->name), "%s %s", what, object);
		kill(getpid(), SIGKILL);
		pause();
	}
	if (left > 1)
		points->left = left - 1;
	points->done++;
}

static void
step_at(const char *what, int fd)
{
	char link[32], path[256];
	const char *name;
	struct stat status;
	ssize_t len;

	if (points == NULL || fd <= STDERR_FILENO || fstat(fd, &status) != 0)
		return;
	if (S_ISSOCK(status.st_mode)) {
		step(what, "socket");
		return;
	}
	if (!S_ISREG(status.st_mode))
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		return;
	path[len] = '\0';
	name = strrchr(path, '/');
	step(what, name != NULL ? name + 1 : path);
}

#define REAL(name)                                                             \
	static __typeof__(&(name)) real;                                       \
	if (real == NULL)                                                      \
	real = (__typeof__(real))dlsym(RTLD_NEXT, #name)

ssize_t
pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	REAL(pwrite64);
	step_at("pwrite", fd);
	return real(fd, bytes, len, at);
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
	REAL(write);
	step_at("write", fd);
	return real(fd, bytes, len);
}

ssize_t
writev(int fd, const struct iovec *vector, int count)
{
	REAL(writev);
	step_at("writev", fd);
	return real(fd, vector, count);
}

int
fsync(int fd)
{
	REAL(fsync);
	step_at("fsync", fd);
	return real(fd);
}

int
fdatasync(int fd)
{
	REAL(fdatasync);
	step_at("fdatasync", fd);
	return real(fd);
}

int
ftruncate64(int fd, off64_t len)
{
	REAL(ftruncate64);
	step_at("ftruncate", fd);
	return real(fd, len);
}

int
unlink(const char *path)
{
	const char *name = strrchr(path, '/');

	REAL(unlink);
	if (points != NULL)
		step("unlink", name != NULL ? name + 1 : path);
	return real(path);
}
