/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life-cycle: open ▸ check ▸ start ▸ ... ▸ close.  A PCI device that the
 * kernel drives is refused before DPDK looks at it.
 *
 * Synchronization: control, all of it, but for `removed`, which DPDK's thread
 * for interrupts sets, and the end of a memif, which that thread makes.
 */
#include "dataplane/port/dpdk_device.h"

#include <errno.h>
#include <rte_alarm.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/clock.h"
#include "dataplane/port/dpdk_devargs.h"
#include "dataplane/port/dpdk_eal.h"
#include "dataplane/port/dpdk_log.h"
#include "dataplane/port/dpdk_pci.h"
#include "proto/devargs.h"

/* Turns of a millisecond that an event in progress may take. */
enum { EVENT_WAIT_MAX = 1000 };

/* For how long a client may be without a link before its server is gone. */
static const uint64_t server_wait_ns = 2000000000;

static int attach(
    struct lp_dpdk_device *device, const char *devargs, char why[LP_WHY_SIZE]);
static int find(struct lp_dpdk_device *device);
static const char *explain(const char *complaint);
static int identify(struct lp_dpdk_device *device, char why[LP_WHY_SIZE]);
static int check_alone(const struct lp_dpdk_device *device, unsigned ifindex,
    char why[LP_WHY_SIZE]);
static void forget(struct lp_dpdk_device *device);
static void end(struct lp_dpdk_device *device);
static int on_removed(uint16_t port_id, enum rte_eth_event_type event,
    void *device, void *unused);
static bool is_client(const struct lp_dpdk_device *device, const char *devargs);
static void ask_link(struct lp_dpdk_device *device, struct lp_port_link *link);
static void ask_server(
    struct lp_dpdk_device *device, struct lp_port_link *link);
static void name_offloads(
    const struct lp_dpdk_device *device, struct lp_port_link *link);
static void say_why(const struct lp_dpdk_device *device,
    const struct lp_dpdk_pool *pool, struct lp_port_link *link);

int
lp_dpdk_device_open(
    struct lp_dpdk_device *device, const char *devargs, char why[LP_WHY_SIZE])
{
	char name[LP_DEVICE_SIZE];
	int error;

	memset(device, 0, sizeof(*device));
	device->port_id = RTE_MAX_ETHPORTS;
	error = lp_dpdk_devargs_check(devargs, why);
	if (error != 0)
		return error;
	device->is_pci = lp_devargs_name(name, devargs);
	if (strlen(name) >= sizeof(device->name)) {
		snprintf(why, LP_WHY_SIZE,
		    "the name of a device has at most %zu characters",
		    sizeof(device->name) - 1);
		return -EINVAL;
	}
	memcpy(device->name, name, strlen(name) + 1);
	if (device->is_pci)
		error = lp_dpdk_pci_check("/sys", device->name, why);
	if (error != 0)
		return error;
	if (find(device) == 0) {
		snprintf(why, LP_WHY_SIZE,
		    "%s is open in this process already: as another port, or "
		    "with other arguments; delete that port first",
		    device->name);
		/* Not ours to close. */
		device->port_id = RTE_MAX_ETHPORTS;
		device->device = NULL;
		return -EBUSY;
	}
	error = attach(device, devargs, why);
	if (error == 0)
		error = identify(device, why);
	device->is_client = is_client(device, devargs);
	device->linked_ns = lp_clock_ns();
	return error;
}

void
lp_dpdk_device_close(struct lp_dpdk_device *device, struct lp_dpdk_pool *pool)
{
	if (device->has_kernel)
		lp_netdev_close(&device->kernel);
	device->has_kernel = false;
	if (device->port_id != RTE_MAX_ETHPORTS) {
		forget(device);
		end(device);
	}
	device->started = false;
	device->port_id = RTE_MAX_ETHPORTS;
	if (device->device != NULL)
		rte_dev_remove(device->device);
	device->device = NULL;
	if (device->keeps)
		pool->kept += (device->rx_queues + 1u) * device->ring;
	else if (device->ring != 0)
		lp_budget_return(
		    &pool->budget, device->rx_queues + 1u, device->ring);
	device->ring = 0;
	lp_dpdk_pool_settle(pool);
}

int
lp_dpdk_device_check(const struct lp_dpdk_device *device,
    const struct lp_port_object *object, bool known, char why[LP_WHY_SIZE])
{
	if (!device->has_kernel)
		return 0;
	return lp_netdev_check_owner(&device->kernel, object, known, why);
}

int
lp_dpdk_device_check_route(const struct lp_dpdk_device *device,
    const struct lp_port_object *object, char why[LP_WHY_SIZE])
{
	if (!device->has_kernel)
		return 0;
	return lp_netdev_check_route(&device->kernel, object, why);
}

void
lp_dpdk_device_state(struct lp_dpdk_device *device,
    const struct lp_dpdk_pool *pool, struct lp_port_link *link)
{
	struct rte_ether_addr mac;

	memset(link, 0, sizeof(*link));
	link->numa_node = (int16_t)(device->node < 0 ? -1 : device->node);
	link->queues = device->rx_queues;
	snprintf(link->driver, sizeof(link->driver), "%s", device->driver);
	snprintf(link->mode, sizeof(link->mode), "%s", device->driver);
	name_offloads(device, link);
	link->present = !atomic_load(&device->removed);
	if (!link->present) {
		snprintf(link->why, sizeof(link->why), "%s was removed",
		    device->name);
		return;
	}
	(void)rte_eth_dev_get_mtu(device->port_id, &link->mtu);
	if (rte_eth_macaddr_get(device->port_id, &mac) == 0)
		memcpy(link->mac, mac.addr_bytes, sizeof(link->mac));
	ask_link(device, link);
	ask_server(device, link);
	if (link->present && link->up)
		say_why(device, pool, link);
}

static int
attach(
    struct lp_dpdk_device *device, const char *devargs, char why[LP_WHY_SIZE])
{
	int error;

	lp_dpdk_log_listen();
	error = rte_dev_probe(devargs);
	if (error != 0) {
		snprintf(why, LP_WHY_SIZE, "DPDK cannot open %.80s: %.140s",
		    device->name,
		    explain(lp_dpdk_log_complaint("no driver has taken it")));
		return -ENODEV;
	}
	if (find(device) == 0)
		return 0;
	(void)rte_eal_hotplug_remove(
	    device->is_pci ? "pci" : "vdev", device->name);
	snprintf(why, LP_WHY_SIZE, "%.80s is no network device to DPDK",
	    device->name);
	return -ENODEV;
}

/* Some drivers name the ethdev otherwise than its device (net_ring). */
static int
find(struct lp_dpdk_device *device)
{
	struct rte_eth_dev_info info;

	for (uint16_t id = 0; id < RTE_MAX_ETHPORTS; id++) {
		if (!rte_eth_dev_is_valid_port(id) ||
		    rte_eth_dev_info_get(id, &info) != 0 ||
		    info.device == NULL ||
		    strcmp(rte_dev_name(info.device), device->name) != 0)
			continue;
		device->port_id = id;
		device->device = info.device;
		return 0;
	}
	device->port_id = RTE_MAX_ETHPORTS;
	return -ENODEV;
}

/*
 * What EAL means when no driver has said more; and what net_memif of DPDK
 * 22.11 leaves behind: the socket of a server, unless it is a file, and the
 * name of one that failed.
 */
static const char *
explain(const char *complaint)
{
	static const struct {
		const char *complaint, *meaning;
	} all[] = {
	    {"EAL: Driver cannot attach",
		"its driver does not take these arguments: one is missing, "
		"unknown, or wrong"},
	    {"EAL: Failed to attach",
		"it is in use already, as a part of another device"},
	    {": Address already in use",
		"its socket is in use, maybe by an earlier port: restart "
		"lp-dataplane, and say socket-abstract=no"},
	    {" already allocated",
		"an earlier try has left that name behind: restart "
		"lp-dataplane, or use another name"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strstr(complaint, all[i].complaint) != NULL)
			return all[i].meaning;
	return complaint;
}

static int
identify(struct lp_dpdk_device *device, char why[LP_WHY_SIZE])
{
	char interface[IF_NAMESIZE];
	struct rte_eth_dev_info info;
	int error = rte_eth_dev_info_get(device->port_id, &info);

	if (error != 0) {
		snprintf(why, LP_WHY_SIZE, "%s does not say what it is: %s",
		    device->name, strerror(-error));
		return error;
	}
	device->node = rte_eth_dev_socket_id(device->port_id);
	snprintf(
	    device->driver, sizeof(device->driver), "%.31s", info.driver_name);
	(void)rte_eth_dev_callback_register(
	    device->port_id, RTE_ETH_EVENT_INTR_RMV, on_removed, device);
	if (info.if_index == 0 ||
	    if_indextoname(info.if_index, interface) == NULL)
		return 0;
	error = lp_netdev_open(&device->kernel, interface, why);
	device->has_kernel = error == 0;
	if (error != 0)
		return error;
	/* A vdev's driver says where control runs. */
	device->node = device->kernel.numa_node;
	return check_alone(device, info.if_index, why);
}

/* Two on one interface would both take every frame. */
static int
check_alone(const struct lp_dpdk_device *device, unsigned ifindex,
    char why[LP_WHY_SIZE])
{
	char name[RTE_ETH_NAME_MAX_LEN];
	struct rte_eth_dev_info info;

	for (uint16_t id = 0; id < RTE_MAX_ETHPORTS; id++) {
		if (id == device->port_id || !rte_eth_dev_is_valid_port(id) ||
		    rte_eth_dev_info_get(id, &info) != 0 ||
		    info.if_index != ifindex ||
		    rte_eth_dev_get_name_by_port(id, name) != 0)
			continue;
		snprintf(why, LP_WHY_SIZE,
		    "another port, %.64s, is on %s already", name,
		    device->kernel.name);
		return -EBUSY;
	}
	return 0;
}

/* It is one unless it is told otherwise. */
static bool
is_client(const struct lp_dpdk_device *device, const char *devargs)
{
	return strcmp(device->driver, "net_memif") == 0 &&
	    strstr(devargs, "role=server") == NULL &&
	    strstr(devargs, "role=master") == NULL;
}

/* Not while DPDK's thread tells of the event. */
static void
forget(struct lp_dpdk_device *device)
{
	for (int turn = 0; turn < EVENT_WAIT_MAX; turn++) {
		if (rte_eth_dev_callback_unregister(device->port_id,
			RTE_ETH_EVENT_INTR_RMV, on_removed, device) != -EAGAIN)
			return;
		rte_delay_us_sleep(1000);
	}
}

static void
stop_and_close(const struct lp_dpdk_device *device)
{
	if (device->started)
		rte_eth_dev_stop(device->port_id);
	rte_eth_dev_close(device->port_id);
}

struct ending {
	const struct lp_dpdk_device *device;
	sem_t done;
};

/* What the thread is to end: control waits for it, so there is one at most. */
static struct ending *_Atomic to_end;

static void
end_there(void *unused)
{
	struct ending *ending = atomic_load(&to_end);

	(void)unused;
	stop_and_close(ending->device);
	sem_post(&ending->done);
}

/*
 * When the other end of a memif goes, DPDK's thread takes the connection down;
 * so does a stop, and nothing keeps the two apart: both unmap the same memory.
 * So it is stopped on that thread.
 */
static void
end(struct lp_dpdk_device *device)
{
	struct ending ending = {.device = device};

	if (strcmp(device->driver, "net_memif") != 0 ||
	    sem_init(&ending.done, 0, 0) != 0) {
		stop_and_close(device);
		return;
	}
	atomic_store(&to_end, &ending);
	if (rte_eal_alarm_set(1, end_there, NULL) != 0)
		end_there(NULL);
	while (sem_wait(&ending.done) != 0)
		;
	sem_destroy(&ending.done);
}

static int
on_removed(uint16_t port_id, enum rte_eth_event_type event, void *removed,
    void *unused)
{
	struct lp_dpdk_device *device = removed;

	(void)port_id;
	(void)event;
	(void)unused;
	atomic_store(&device->removed, true);
	return 0;
}

/* What the kernel knows of it is nearer to the truth than a vdev's driver. */
static void
ask_link(struct lp_dpdk_device *device, struct lp_port_link *link)
{
	struct rte_eth_link state;

	if (rte_eth_link_get_nowait(device->port_id, &state) == 0) {
		link->up = state.link_status == RTE_ETH_LINK_UP;
		if (state.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
			link->speed_mbps = state.link_speed;
	}
	if (!link->up)
		snprintf(link->why, sizeof(link->why), "%s has no link",
		    device->name);
	if (device->has_kernel) {
		struct lp_port_link kernel = {0};

		lp_netdev_state(&device->kernel, &kernel);
		link->present = kernel.present;
		link->up = link->up && kernel.up;
		if (!kernel.up)
			memcpy(link->why, kernel.why, sizeof(link->why));
		if (kernel.present) {
			link->mtu = kernel.mtu;
			link->speed_mbps = kernel.speed_mbps;
			memcpy(link->mac, kernel.mac, sizeof(link->mac));
		}
	}
}

/*
 * net_memif of DPDK 22.11 connects a client when it is started, and not again:
 * one that has lost its server is gone, and opened anew when there is one.
 */
static void
ask_server(struct lp_dpdk_device *device, struct lp_port_link *link)
{
	uint64_t now_ns = lp_clock_ns();

	if (link->up)
		device->linked_ns = now_ns;
	if (!device->is_client || now_ns - device->linked_ns < server_wait_ns)
		return;
	link->present = false;
	snprintf(link->why, sizeof(link->why), "the server of %s is gone",
	    device->name);
}

static void
name_offloads(const struct lp_dpdk_device *device, struct lp_port_link *link)
{
	const struct {
		const char *name;
		bool on;
	} all[] = {
	    {"rx-ip-checksum",
		device->rx_offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM},
	    {"rx-tcp-checksum",
		device->rx_offloads & RTE_ETH_RX_OFFLOAD_TCP_CKSUM},
	    {"rss", device->rss},
	};
	size_t len = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].on)
			len += (size_t)snprintf(link->offloads + len,
			    sizeof(link->offloads) - len, "%s%s",
			    len > 0 ? " " : "", all[i].name);
}

/* The gravest of what makes it slow. */
static void
say_why(const struct lp_dpdk_device *device, const struct lp_dpdk_pool *pool,
    struct lp_port_link *link)
{
	int worker = atomic_load(&pool->worker_node);

	if (device->mtu_why[0] != '\0')
		memcpy(link->why, device->mtu_why, sizeof(link->why));
	else if (link->mtu > pool->mtu)
		snprintf(link->why, sizeof(link->why),
		    "MTU %u, a packet buffer holds %u: start lp-dataplane with "
		    "--mtu %u",
		    link->mtu, pool->mtu, link->mtu);
	else if (device->has_kernel &&
	    strcmp(device->driver, "net_af_packet") == 0 &&
	    lp_netdev_merges(&device->kernel))
		snprintf(link->why, sizeof(link->why),
		    "the kernel merges segments into frames that fit no "
		    "buffer: ethtool -K %s gro off lro off",
		    device->kernel.name);
	else if (device->node >= 0 && worker >= 0 && device->node != worker)
		snprintf(link->why, sizeof(link->why),
		    "the device is on NUMA node %d, the worker on node %d: "
		    "--cpu moves it",
		    device->node, worker);
	else
		snprintf(
		    link->why, sizeof(link->why), "%s", lp_dpdk_eal_cost());
}
