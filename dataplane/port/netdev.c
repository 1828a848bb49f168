/* SPDX-License-Identifier: Apache-2.0 */
/* A network device as the kernel knows it; see netdev.h. */
#include "dataplane/port/netdev.h"

#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int ask_ethtool(const struct lp_netdev *device, void *command);
static int check_unused(const struct lp_netdev *device,
    const struct lp_port_object *object, char why[LP_WHY_SIZE]);
static bool strips_tags(const struct lp_netdev *device);
static uint32_t ask_speed(const struct lp_netdev *device);
static int16_t read_numa_node(const char *name);
static int check_default_route(
    const struct lp_netdev *device, char why[LP_WHY_SIZE]);
static bool ip_of_sockaddr(struct lp_ip *ip, const struct sockaddr *address);
static int check_addresses(
    const struct lp_port_object *object, char why[LP_WHY_SIZE]);

static const struct lp_netdev closed = {
    .socket = -1, .groups = -1, .promiscuous = -1};

int
lp_netdev_open(
    struct lp_netdev *device, const char *name, char why[LP_WHY_SIZE])
{
	struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
	int error;

	*device = closed;
	device->ifindex = if_nametoindex(name);
	if (device->ifindex == 0) {
		snprintf(why, LP_WHY_SIZE,
		    "there is no device %.60s here (ip link shows them)", name);
		return -ENODEV;
	}
	snprintf(device->name, sizeof(device->name), "%s", name);
	/* Any family answers for devices; this one is always there. */
	device->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (device->socket < 0) {
		error = -errno;
		snprintf(why, LP_WHY_SIZE, "no socket: %s", strerror(-error));
		return error;
	}
	if (ask_ethtool(device, &driver) == 0)
		snprintf(device->driver, sizeof(device->driver), "%.31s",
		    driver.driver);
	else
		snprintf(device->driver, sizeof(device->driver), "unknown");
	device->numa_node = read_numa_node(name);
	return 0;
}

void
lp_netdev_close(struct lp_netdev *device)
{
	/* The memberships go with their socket. */
	if (device->groups >= 0)
		close(device->groups);
	if (device->socket >= 0)
		close(device->socket);
	if (device->promiscuous >= 0)
		close(device->promiscuous);
	free(device->joined);
	*device = closed;
}

int
lp_netdev_check(const struct lp_netdev *device,
    const struct lp_port_object *object, char why[LP_WHY_SIZE])
{
	struct ifreq request = {0};
	int error = lp_netdev_check_owner(device, object, why);

	if (error != 0)
		return error;
	memcpy(request.ifr_name, device->name, sizeof(request.ifr_name));
	if (ioctl(device->socket, SIOCGIFMTU, &request) != 0) {
		error = -errno;
		snprintf(why, LP_WHY_SIZE, "%s: no MTU: %s", device->name,
		    strerror(-error));
		return error;
	}
	if (request.ifr_mtu > LP_MTU_MAX) {
		snprintf(why, LP_WHY_SIZE,
		    "%s has an MTU of %d, at most %d fits a packet buffer: ip "
		    "link set %s mtu 1500",
		    device->name, request.ifr_mtu, LP_MTU_MAX, device->name);
		return -EMSGSIZE;
	}
	if (!lp_object_has_peer(object))
		return 0;
	error = check_unused(device, object, why);
	if (error != 0)
		return error;
	if (strips_tags(device)) {
		snprintf(why, LP_WHY_SIZE,
		    "%s takes VLAN tags off, which an inline port would lose: "
		    "ethtool -K %s rxvlan off",
		    device->name, device->name);
		return -EINVAL;
	}
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

/* An inline port leaves the kernel nothing: a host would be cut off there. */
static int
check_unused(const struct lp_netdev *device,
    const struct lp_port_object *object, char why[LP_WHY_SIZE])
{
	struct held held = {.device = device->name};

	if (object->allow_default_route ||
	    lp_netdev_host_addresses(match_device, &held) != 0 || !held.found)
		return 0;
	snprintf(why, LP_WHY_SIZE,
	    "the kernel holds %s on %s, and an inline port leaves it nothing "
	    "there: ip addr del %s dev %s; or say --allow-default-route",
	    held.text, device->name, held.text, device->name);
	return -EADDRINUSE;
}

/* Those of a veth are with the sender: nothing that it says helps. */
static bool
strips_tags(const struct lp_netdev *device)
{
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};

	return strcmp(device->driver, "veth") != 0 &&
	    ask_ethtool(device, &flags) == 0 && (flags.data & ETH_FLAG_RXVLAN);
}

int
lp_netdev_promiscuous(struct lp_netdev *device, char why[LP_WHY_SIZE])
{
	const struct packet_mreq all = {
	    .mr_ifindex = (int)device->ifindex, .mr_type = PACKET_MR_PROMISC};
	int error;

	/* Protocol 0: it receives nothing itself. */
	device->promiscuous = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (device->promiscuous >= 0 &&
	    setsockopt(device->promiscuous, SOL_PACKET, PACKET_ADD_MEMBERSHIP,
		&all, sizeof(all)) == 0)
		return 0;
	error = -errno;
	snprintf(why, LP_WHY_SIZE,
	    "%s: cannot have it receive frames to every MAC: %s", device->name,
	    strerror(-error));
	return error;
}

int
lp_netdev_check_owner(const struct lp_netdev *device,
    const struct lp_port_object *object, char why[LP_WHY_SIZE])
{
	struct ifreq request = {0};
	int error;

	memcpy(request.ifr_name, device->name, sizeof(request.ifr_name));
	if (ioctl(device->socket, SIOCGIFHWADDR, &request) != 0 ||
	    request.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
		snprintf(
		    why, LP_WHY_SIZE, "%s is no Ethernet device", device->name);
		return -EOPNOTSUPP;
	}
	error = lp_netdev_check_route(device, object, why);
	return error != 0 ? error : check_addresses(object, why);
}

int
lp_netdev_check_route(const struct lp_netdev *device,
    const struct lp_port_object *object, char why[LP_WHY_SIZE])
{
	return object->allow_default_route ? 0
					   : check_default_route(device, why);
}

bool
lp_netdev_merges(const struct lp_netdev *device)
{
	struct ethtool_value gro = {.cmd = ETHTOOL_GGRO};
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};

	return (ask_ethtool(device, &gro) == 0 && gro.data != 0) ||
	    (ask_ethtool(device, &flags) == 0 && (flags.data & ETH_FLAG_LRO));
}

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

/* Drivers that do not say leave the queues of sysfs. */
static unsigned
count_sysfs_queues(const char *name)
{
	char path[64];
	const struct dirent *entry;
	unsigned count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/class/net/%s/queues", name);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		count += strncmp(entry->d_name, "rx-", 3) == 0;
	closedir(dir);
	return count;
}

unsigned
lp_netdev_queues(const struct lp_netdev *device)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	unsigned count = 0;

	if (ask_ethtool(device, &channels) == 0)
		count = channels.rx_count + channels.combined_count;
	if (count == 0)
		count = count_sysfs_queues(device->name);
	return count > 0 ? count : 1;
}

void
lp_netdev_state(struct lp_netdev *device, struct lp_port_link *link)
{
	struct ifreq request = {0};
	short flags;

	link->present = false;
	link->up = false;
	link->speed_mbps = 0;
	snprintf(
	    link->why, sizeof(link->why), "device %s is gone", device->name);
	/* It may have been renamed. */
	if (if_indextoname(device->ifindex, request.ifr_name) == NULL)
		return;
	memcpy(device->name, request.ifr_name, sizeof(device->name));
	if (ioctl(device->socket, SIOCGIFFLAGS, &request) != 0)
		return;
	flags = request.ifr_flags;
	if (ioctl(device->socket, SIOCGIFMTU, &request) != 0)
		return;
	/* The loopback device has one more than fits. */
	link->mtu = (uint16_t)(request.ifr_mtu > UINT16_MAX ? UINT16_MAX
							    : request.ifr_mtu);
	if (ioctl(device->socket, SIOCGIFHWADDR, &request) != 0)
		return;
	memcpy(link->mac, request.ifr_hwaddr.sa_data, sizeof(link->mac));
	link->present = true;
	link->up = (flags & IFF_UP) && (flags & IFF_RUNNING);
	if (link->up)
		link->speed_mbps = ask_speed(device);
	if (link->up)
		link->why[0] = '\0';
	else if (flags & IFF_UP)
		snprintf(link->why, sizeof(link->why), "%s has no carrier",
		    device->name);
	else
		snprintf(link->why, sizeof(link->why),
		    "device is down: ip link set %s up", device->name);
}

static int
compare_groups(const void *a, const void *b)
{
	const uint32_t *one = a, *two = b;

	return (*one > *two) - (*one < *two);
}

/* Sorted, each once; returns how many. */
static size_t
list_groups(uint32_t *groups, const struct lp_ip *addresses, size_t count)
{
	size_t i, used = 0, kept = 0;

	for (i = 0; i < count; i++) {
		const uint8_t *last = &addresses[i].bytes[13];

		if (!lp_ip_is_v4(&addresses[i]))
			groups[used++] = (uint32_t)last[0] << 16 |
			    (uint32_t)last[1] << 8 | last[2];
	}
	qsort(groups, used, sizeof(groups[0]), compare_groups);
	for (i = 0; i < used; i++)
		if (i == 0 || groups[i] != groups[kept - 1])
			groups[kept++] = groups[i];
	return kept;
}

/* ff02::1:ffXX:XXXX, RFC 4291, 2.7.1 */
static int
change_group(const struct lp_netdev *device, int option, uint32_t group)
{
	struct ipv6_mreq membership = {
	    .ipv6mr_interface = device->ifindex,
	    .ipv6mr_multiaddr.s6_addr = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
		0xff, (uint8_t)(group >> 16), (uint8_t)(group >> 8),
		(uint8_t)group},
	};

	if (setsockopt(device->groups, IPPROTO_IPV6, option, &membership,
		sizeof(membership)) == 0)
		return 0;
	return -errno;
}

static bool
has_group(const uint32_t *groups, size_t count, uint32_t group)
{
	return count > 0 &&
	    bsearch(&group, groups, count, sizeof(groups[0]), compare_groups) !=
	    NULL;
}

static int
change_groups(struct lp_netdev *device, const uint32_t *groups, size_t count)
{
	size_t i;
	int error;

	if (count > 0 && device->groups < 0) {
		device->groups = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (device->groups < 0)
			return -errno;
	}
	for (i = 0; i < count; i++) {
		if (has_group(device->joined, device->joined_count, groups[i]))
			continue;
		error = change_group(device, IPV6_JOIN_GROUP, groups[i]);
		/* Joined by an earlier try that failed further on. */
		if (error != 0 && error != -EADDRINUSE)
			return error;
	}
	/* Leaving can only fail if the device or the membership is gone. */
	for (i = 0; i < device->joined_count; i++)
		if (!has_group(groups, count, device->joined[i]))
			(void)change_group(
			    device, IPV6_LEAVE_GROUP, device->joined[i]);
	return 0;
}

int
lp_netdev_groups(struct lp_netdev *device, const struct lp_ip *addresses,
    size_t count, char why[LP_WHY_SIZE])
{
	uint32_t *groups = calloc(count + 1, sizeof(groups[0]));
	size_t group_count;
	int error = -ENOMEM;

	if (groups != NULL) {
		group_count = list_groups(groups, addresses, count);
		error = change_groups(device, groups, group_count);
	}
	if (error != 0) {
		snprintf(why, LP_WHY_SIZE,
		    "%s: cannot join the solicited-node groups of the IPv6 "
		    "addresses: %s (is IPv6 enabled there, is "
		    "net.core.optmem_max too low?)",
		    device->name, strerror(-error));
		free(groups);
		return error;
	}
	free(device->joined);
	device->joined = groups;
	device->joined_count = group_count;
	return 0;
}

static int
ask_ethtool(const struct lp_netdev *device, void *command)
{
	struct ifreq request = {.ifr_data = command};

	memcpy(request.ifr_name, device->name, sizeof(request.ifr_name));
	return ioctl(device->socket, SIOCETHTOOL, &request) == 0 ? 0 : -errno;
}

/* Mbit/s; 0 where the driver does not know. */
static uint32_t
ask_speed(const struct lp_netdev *device)
{
	union {
		struct ethtool_link_settings settings;
		uint32_t room[16 + 3 * INT8_MAX]; /* for its three masks */
	} command = {.settings.cmd = ETHTOOL_GLINKSETTINGS};
	int words;

	/* First it only says how many words a mask has, as a negative. */
	if (ask_ethtool(device, &command) != 0)
		return 0;
	words = -command.settings.link_mode_masks_nwords;
	if (words <= 0 || words > INT8_MAX)
		return 0;
	command.settings.cmd = ETHTOOL_GLINKSETTINGS;
	command.settings.link_mode_masks_nwords = (int8_t)words;
	if (ask_ethtool(device, &command) != 0 ||
	    command.settings.speed == (uint32_t)SPEED_UNKNOWN)
		return 0;
	return command.settings.speed;
}

/* Of the card; what is no card has none. */
static int16_t
read_numa_node(const char *name)
{
	char path[64];
	int node = -1;
	FILE *file;

	snprintf(
	    path, sizeof(path), "/sys/class/net/%s/device/numa_node", name);
	file = fopen(path, "re");
	if (file == NULL)
		return -1;
	if (fscanf(file, "%d", &node) != 1 || node < 0 || node > INT16_MAX)
		node = -1;
	fclose(file);
	return (int16_t)node;
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

static int
check_default_route(const struct lp_netdev *device, char why[LP_WHY_SIZE])
{
	bool v4 = has_line(
	    "/proc/thread-self/net/route", is_default_v4, device->name);

	if (!v4 &&
	    !has_line("/proc/thread-self/net/ipv6_route", is_default_v6,
		device->name))
		return 0;
	snprintf(why, LP_WHY_SIZE,
	    "%s carries the host's default %s route: a mistake here cuts off "
	    "the host; say --allow-default-route if it is meant",
	    device->name, v4 ? "IPv4" : "IPv6");
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

/* The kernel and we would both answer for it. */
static int
check_addresses(const struct lp_port_object *object, char why[LP_WHY_SIZE])
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
