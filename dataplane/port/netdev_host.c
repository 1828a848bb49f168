/* SPDX-License-Identifier: Apache-2.0 */
/* What the host itself does with a device; see netdev_host.h. */
#include "dataplane/port/netdev_host.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

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

int
lp_netdev_host_unused(const char *device, char why[LP_WHY_SIZE])
{
	struct held held = {.device = device};

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

int
lp_netdev_host_route(const char *device, char why[LP_WHY_SIZE])
{
	bool v4 =
	    has_line("/proc/thread-self/net/route", is_default_v4, device);

	if (!v4 &&
	    !has_line(
		"/proc/thread-self/net/ipv6_route", is_default_v6, device))
		return 0;
	snprintf(why, LP_WHY_SIZE,
	    "%s carries the host's default %s route: a mistake here cuts off "
	    "the host; say --allow-default-route if it is meant",
	    device, v4 ? "IPv4" : "IPv6");
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
