/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/veth.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/ensure.h"

bool
veth_enter(void)
{
	if (unshare(CLONE_NEWNET) != 0)
		return false;
	/* Nothing but what the tests send. */
	veth_sysctl("0", "net/ipv6/conf/default/accept_dad");
	veth_sysctl("0", "net/ipv6/conf/default/router_solicitations");
	return true;
}

void
veth_run(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	ensure(system(line) == 0, "failed: %s", line);
}

void
veth_sysctl(const char *value, const char *format, ...)
{
	char path[256] = "/proc/sys/";
	size_t len = strlen(path);
	va_list args;
	FILE *file;

	va_start(args, format);
	vsnprintf(path + len, sizeof(path) - len, format, args);
	va_end(args);
	file = fopen(path, "w");
	ensure(file != NULL, "%s: %s", path, strerror(errno));
	ensure(fputs(value, file) >= 0 && fclose(file) == 0, "%s: not %s", path,
	    value);
}

void
veth_up(const char *device)
{
	struct ifreq request = {0};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	ensure(
	    ioctl(fd, SIOCGIFFLAGS, &request) == 0, "there is no %s", device);
	request.ifr_flags |= IFF_UP;
	ensure(ioctl(fd, SIOCSIFFLAGS, &request) == 0, "%s: %s", device,
	    strerror(errno));
	close(fd);
}

int
veth_socket(const char *device)
{
	struct sockaddr_ll address = {
	    .sll_family = AF_PACKET,
	    .sll_protocol = htons(ETH_P_ALL),
	    .sll_ifindex = (int)if_nametoindex(device),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	int room = 4 << 20; /* for whatever a test sends before it looks */

	ensure(fd >= 0, "no raw socket: %s", strerror(errno));
	ensure(setsockopt(
		   fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) == 0,
	    "SO_RCVBUFFORCE: %s", strerror(errno));
	ensure(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0,
	    "bind to %s: %s", device, strerror(errno));
	return fd;
}

void
veth_await_up(const char *device)
{
	const uint64_t end = veth_now_ns() + VETH_WAIT_MS * 1000000ULL;
	struct ifreq request = {0};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	do {
		ensure(veth_now_ns() < end, "%s does not come up", device);
		ensure(ioctl(fd, SIOCGIFFLAGS, &request) == 0, "there is no %s",
		    device);
	} while (!(request.ifr_flags & IFF_RUNNING));
	close(fd);
}

uint64_t
veth_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

unsigned
veth_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned count = 0;

	ensure(directory != NULL, "/proc/self/fd: %s", strerror(errno));
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count;
}
