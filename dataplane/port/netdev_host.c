/* SPDX-License-Identifier: Apache-2.0 */
/* What the host itself does with a device; see netdev_host.h. */
#include "dataplane/port/netdev_host.h"

#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A bond in a bridge, ... */
enum { MASTERS_MAX = 8 };

static bool ip_of_sockaddr(struct lp_ip *ip, const struct sockaddr *address);

int
lp_netdev_host_addresses(lp_port_host_address *each, void *arg)
{
	const struct ifaddrs *one;
	struct ifaddrs *all;
	struct lp_ip ip;

	if (getifaddrs(&all) != 0)
		return -errno;
	for (one = all; one != NULL; one = one->ifa_next)
		if (ip_of_sockaddr(&ip, one->ifa_addr))
			each(arg, &ip, one->ifa_name);
	freeifaddrs(all);
	return 0;
}

/* The first address of the kernel on a device, link-local ones aside. */
struct held {
	const char *device;
	bool found;
	char text[LP_IP_TEXT_SIZE];
};

static void
match_device(void *arg, const struct lp_ip *ip, const char *device)
{
	struct held *held = arg;

	if (held->found || strcmp(device, held->device) != 0 ||
	    (ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80))
		return;
	held->found = true;
	lp_ip_format(held->text, ip);
}

/* A bridge or a bond, a VLAN or a macvlan of it. */
static bool
find_upper(const char *device, char upper[IF_NAMESIZE])
{
	static const char prefix[] = "upper_";
	const struct dirent *entry;
	bool found = false;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/class/net/%s", device);
	dir = opendir(path);
	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		found = strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
		if (found)
			snprintf(upper, IF_NAMESIZE, "%.15s",
			    entry->d_name + strlen(prefix));
	}
	closedir(dir);
	return found;
}

int
lp_netdev_host_unused(const char *device, char why[LP_WHY_SIZE])
{
	struct held held = {.device = device};
	char upper[IF_NAMESIZE];

	if (find_upper(device, upper)) {
		snprintf(why, LP_WHY_SIZE,
		    "the kernel has %s on top of %s (a bridge, a bond, a "
		    "VLAN), and an inline port leaves it nothing there: take "
		    "%s out of it, or ip link del %s; or say "
		    "--allow-default-route",
		    upper, device, device, upper);
		return -EADDRINUSE;
	}
	if (lp_netdev_host_addresses(match_device, &held) != 0 || !held.found)
		return 0;
	snprintf(why, LP_WHY_SIZE,
	    "the kernel holds %s on %s, and an inline port leaves it nothing "
	    "there: ip addr del %s dev %s; or say --allow-default-route",
	    held.text, device, held.text, device);
	return -EADDRINUSE;
}

/* A line of /proc/net/route: a default route through that device? */
static bool
is_default_v4(const char *line, const char *name)
{
	char device[IF_NAMESIZE];
	unsigned to, flags, mask;

	return sscanf(line, "%15s %x %*x %x %*d %*d %*d %x", device, &to,
		   &flags, &mask) == 4 &&
	    to == 0 && mask == 0 && !(flags & RTF_REJECT) &&
	    strcmp(device, name) == 0;
}

/* The same of /proc/net/ipv6_route. */
static bool
is_default_v6(const char *line, const char *name)
{
	char to[33], device[IF_NAMESIZE];
	unsigned prefix, flags;

	return sscanf(line, "%32s %x %*s %*x %*s %*x %*x %*x %x %15s", to,
		   &prefix, &flags, device) == 4 &&
	    prefix == 0 && !(flags & RTF_REJECT) && strcmp(device, name) == 0;
}

static bool
has_line(
    const char *path, bool (*is)(const char *, const char *), const char *name)
{
	FILE *file = fopen(path, "re");
	bool found = false;
	char line[512];

	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), file) != NULL)
		found = is(line, name);
	fclose(file);
	return found;
}

/* Makes the name that of the bridge or bond that the device is part of. */
static bool
to_master(char name[IF_NAMESIZE])
{
	char path[64], target[128];
	const char *last;
	ssize_t size;

	snprintf(path, sizeof(path), "/sys/class/net/%s/master", name);
	size = readlink(path, target, sizeof(target) - 1);
	if (size <= 0)
		return false;
	target[size] = '\0';
	last = strrchr(target, '/');
	snprintf(name, IF_NAMESIZE, "%.15s", last ? last + 1 : target);
	return true;
}

int
lp_netdev_host_route(const char *device, char why[LP_WHY_SIZE])
{
	char name[IF_NAMESIZE], part[2 * IF_NAMESIZE + 32] = "";
	unsigned depth = 0;
	bool v4, v6;

	snprintf(name, sizeof(name), "%s", device);
	do {
		v4 = has_line(
		    "/proc/thread-self/net/route", is_default_v4, name);
		v6 = has_line(
		    "/proc/thread-self/net/ipv6_route", is_default_v6, name);
	} while (!v4 && !v6 && depth++ < MASTERS_MAX && to_master(name));
	if (!v4 && !v6)
		return 0;
	if (strcmp(name, device) != 0)
		snprintf(
		    part, sizeof(part), "%s is part of %s: ", device, name);
	snprintf(why, LP_WHY_SIZE,
	    "%s%s carries the host's default %s route: a mistake here cuts off "
	    "the host; say --allow-default-route if it is meant",
	    part, name, v4 ? "IPv4" : "IPv6");
	return -EPERM;
}

static bool
ip_of_sockaddr(struct lp_ip *ip, const struct sockaddr *address)
{
	if (address == NULL)
		return false;
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)address;

		lp_ip_from_v4(ip, (const uint8_t *)&v4->sin_addr);
		return true;
	}
	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)address;

		memcpy(ip->bytes, &v6->sin6_addr, sizeof(ip->bytes));
		return true;
	}
	return false;
}

/* A port's addresses, and the first of them that the kernel has. */
struct search {
	const struct lp_port_object *object;
	bool found;
	char *why;
};

static void
match_address(void *arg, const struct lp_ip *ip, const char *device)
{
	struct search *search = arg;
	char text[LP_IP_TEXT_SIZE];
	int i;

	for (i = 0; i < search->object->address_count; i++) {
		if (search->found ||
		    !lp_ip_equal(ip, &search->object->addresses[i].ip))
			continue;
		search->found = true;
		lp_ip_format(text, ip);
		snprintf(search->why, LP_WHY_SIZE,
		    "the kernel holds %s on %s; a port's addresses are "
		    "its own: ip addr del %s dev %s",
		    text, device, text, device);
	}
}

int
lp_netdev_host_own(const struct lp_port_object *object, char why[LP_WHY_SIZE])
{
	struct search search = {.object = object, .why = why};
	int error = lp_netdev_host_addresses(match_address, &search);

	if (error != 0) {
		snprintf(why, LP_WHY_SIZE,
		    "cannot list the addresses of the kernel: %s",
		    strerror(-error));
		return error;
	}
	return search.found ? -EADDRINUSE : 0;
}
