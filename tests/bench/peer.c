/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <err.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>

static int open_socket(const char *address, const char *port, int flags,
    int (*use)(int, const struct sockaddr *, socklen_t));
static void set_int(int fd, int level, int option, int value);
static void set_timeout(int fd);

int
peer_connect(const char *address, const char *port)
{
	int fd = open_socket(address, port, 0, connect);

	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	return fd;
}

int
peer_listen(const char *port)
{
	int fd = open_socket(NULL, port, AI_PASSIVE, bind);

	if (listen(fd, 16) != 0)
		err(1, "listen on port %s", port);
	return fd;
}

int
peer_accept(int listener)
{
	int fd;

	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		err(1, "accept");
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_timeout(fd);
	return fd;
}

uint64_t
peer_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int
open_socket(const char *address, const char *port, int flags,
    int (*use)(int, const struct sockaddr *, socklen_t))
{
	struct addrinfo hints = {.ai_family = address ? AF_UNSPEC : AF_INET,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = flags | AI_NUMERICHOST | AI_NUMERICSERV};
	const char *name = address ? address : "0.0.0.0";
	struct addrinfo *info;
	int error = getaddrinfo(address, port, &hints, &info);
	int fd;

	if (error != 0)
		errx(1, "%s port %s: %s", name, port, gai_strerror(error));
	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err(1, "socket");
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	/* A listener may wait for ever. */
	if (address != NULL)
		set_timeout(fd);
	if (use(fd, info->ai_addr, info->ai_addrlen) != 0)
		err(1, "%s port %s", name, port);
	freeaddrinfo(info);
	return fd;
}

static void
set_int(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) != 0)
		err(1, "setsockopt");
}

static void
set_timeout(int fd)
{
	struct timeval time = {.tv_sec = PEER_TIMEOUT_S};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)) != 0)
		err(1, "setsockopt");
}
