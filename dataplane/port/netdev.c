/* SPDX-License-Identifier: Apache-2.0 */
/* A network device as the kernel knows it; see netdev.h. */
#include "dataplane/port/netdev.h"

#include <dirent.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/port/netdev_host.h"
#include "proto/log.h"

static int ask_ethtool(const struct lp_netdev *device, void *command);
static int check_inline(const struct lp_netdev *device,
    const struct lp_port_object *object, char why[LP_WHY_SIZE]);
static bool strips_tags(const struct lp_netdev *device);
static int check_ethernet(
    const struct lp_netdev *device, char why[LP_WHY_SIZE]);
static uint32_t ask_speed(const struct lp_netdev *device);
static int16_t read_numa_node(const char *name);

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
    const struct lp_port_object *object, bool known, char why[LP_WHY_SIZE])
{
	struct ifreq request = {0};
	bool is_inline = lp_object_has_peer(object);
	int error = is_inline
	    ? check_ethernet(device, why)
	    : lp_netdev_check_owner(device, object, known, why);

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
	if (!is_inline)
		return 0;
	return lp_netdev_excuse(
	    check_inline(device, object, why), object, known, why);
}

int
lp_netdev_excuse(int error, const struct lp_port_object *object, bool known,
    char why[LP_WHY_SIZE])
{
	if (error == 0 || !known)
		return error;
	lp_log_warn("port %s: %s; it was there before, and is opened "
		    "nevertheless",
	    object->name, why);
	why[0] = '\0';
	return 0;
}

/* An inline port leaves the kernel nothing: a host would be cut off there. */
static int
check_inline(const struct lp_netdev *device,
    const struct lp_port_object *object, char why[LP_WHY_SIZE])
{
	int error = lp_netdev_check_route(device, object, why);

	if (error == 0 && !object->allow_default_route)
		error = lp_netdev_host_unused(device->name, why);
	if (error != 0 || !strips_tags(device))
		return error;
	snprintf(why, LP_WHY_SIZE,
	    "%s takes VLAN tags off, which an inline port would lose: ethtool "
	    "-K %s rxvlan off",
	    device->name, device->name);
	return -EINVAL;
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
    const struct lp_port_object *object, bool known, char why[LP_WHY_SIZE])
{
	int error = check_ethernet(device, why);

	if (error != 0)
		return error;
	error = lp_netdev_check_route(device, object, why);
	if (lp_object_has_peer(object))
		error = lp_netdev_excuse(error, object, known, why);
	return error != 0 ? error : lp_netdev_host_own(object, why);
}

static int
check_ethernet(const struct lp_netdev *device, char why[LP_WHY_SIZE])
{
	struct ifreq request = {0};

	memcpy(request.ifr_name, device->name, sizeof(request.ifr_name));
	if (ioctl(device->socket, SIOCGIFHWADDR, &request) == 0 &&
	    request.ifr_hwaddr.sa_family == ARPHRD_ETHER)
		return 0;
	snprintf(why, LP_WHY_SIZE, "%s is no Ethernet device", device->name);
	return -EOPNOTSUPP;
}

int
lp_netdev_check_route(const struct lp_netdev *device,
    const struct lp_port_object *object, char why[LP_WHY_SIZE])
{
	return object->allow_default_route
	    ? 0
	    : lp_netdev_host_route(device->name, why);
}

bool
lp_netdev_merges(const struct lp_netdev *device)
{
	struct ethtool_value gro = {.cmd = ETHTOOL_GGRO};
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};

	return (ask_ethtool(device, &gro) == 0 && gro.data != 0) ||
	    (ask_ethtool(device, &flags) == 0 && (flags.data & ETH_FLAG_LRO));
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
