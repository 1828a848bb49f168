/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DPDK port.
 *
 * Overview: an ethdev (dpdk_device.c, dpdk_setup.c) whose packets lie in mbufs
 * of a mempool (dpdk_pool.c), in an environment that the process has once
 * (dpdk_eal.c).  port_dpdk_io.c moves packets between its queues and the
 * worker; here is what ties all together.
 *
 * Ownership: a device owns the mbufs in its rings, and gives them back when it
 * is closed; there is nothing for the worker to reclaim.
 *
 * Synchronization: control opens, closes and asks; the worker moves packets.
 * They share the counters, and the MAC.
 */
#include "dataplane/port/port_dpdk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/port/dpdk_eal.h"
#include "dataplane/port/dpdk_setup.h"
#include "dataplane/port/netdev_host.h"

static int port_open(struct lp_port **port, const struct lp_port_config *config,
    char why[LP_WHY_SIZE]);
static void port_close(struct lp_port *port);
static int port_check_route(const struct lp_port *port,
    const struct lp_port_object *object, char why[LP_WHY_SIZE]);
static int port_check_mtu(const struct lp_port *port,
    const struct lp_port_object *object, char why[LP_WHY_SIZE]);
static void port_become(
    struct lp_port *port, const struct lp_port_object *object);
static int port_steer(
    struct lp_port *port, const struct lp_steer *steer, char why[LP_WHY_SIZE]);
static void port_link(struct lp_port *port, struct lp_port_link *link);
static unsigned port_counters(const struct lp_port *port,
    struct lp_port_counter counters[], unsigned max);
static bool is_tap(const char *driver);

const struct lp_backend_ops lp_port_dpdk_ops = {
    .name = "dpdk",
    .check_arguments = lp_dpdk_eal_check,
    .pool_open = lp_dpdk_pool_open,
    .pool_close = lp_dpdk_pool_close,
    .open = port_open,
    .close = port_close,
    .check_route = port_check_route,
    .check_mtu = port_check_mtu,
    .become = port_become,
    .host_addresses = lp_netdev_host_addresses,
    .steer = port_steer,
    .link = port_link,
    .counters = port_counters,
    .rx = lp_port_dpdk_io_rx,
    .tx = lp_port_dpdk_io_tx,
    .enter = lp_dpdk_pool_enter,
    .leave = lp_dpdk_pool_leave,
    .alloc = lp_dpdk_pool_alloc,
    .release = lp_dpdk_pool_release,
    .free_count = lp_dpdk_pool_free_count,
};

static int
port_open(struct lp_port **out, const struct lp_port_config *config,
    char why[LP_WHY_SIZE])
{
	struct lp_port_link link;
	struct lp_port_dpdk *dpdk;
	int error;

	assert(config->slot < LP_PORTS_MAX && config->pool != NULL);
	dpdk = aligned_alloc(_Alignof(struct lp_port_dpdk), sizeof(*dpdk));
	if (dpdk == NULL) {
		snprintf(why, LP_WHY_SIZE, "no memory for a port");
		return -ENOMEM;
	}
	memset(dpdk, 0, sizeof(*dpdk));
	dpdk->port.ops = &lp_port_dpdk_ops;
	dpdk->port.slot = config->slot;
	dpdk->pool = lp_dpdk_pool_of(config->pool);
	dpdk->mtu_wanted = config->object.mtu;
	error = lp_dpdk_device_open(&dpdk->device, config->object.device, why);
	if (error == 0)
		error = lp_dpdk_device_check(
		    &dpdk->device, &config->object, config->known, why);
	if (error == 0)
		error = lp_dpdk_setup_start(
		    &dpdk->device, dpdk->mtu_wanted, dpdk->pool, why);
	if (error == 0 && lp_object_has_peer(&config->object)) {
		dpdk->is_inline = true;
		error = lp_dpdk_setup_promiscuous(&dpdk->device, why);
	}
	if (error != 0) {
		lp_dpdk_device_close(&dpdk->device, dpdk->pool);
		free(dpdk);
		return error;
	}
	dpdk->port.alone =
	    !dpdk->device.has_kernel || is_tap(dpdk->device.driver);
	dpdk->port_id = dpdk->device.port_id;
	dpdk->queues = dpdk->device.rx_queues;
	port_link(&dpdk->port, &link);
	*out = &dpdk->port;
	return 0;
}

static void
port_close(struct lp_port *port)
{
	struct lp_port_dpdk *dpdk = lp_port_dpdk_of(port);

	lp_dpdk_device_close(&dpdk->device, dpdk->pool);
	free(dpdk);
}

static int
port_check_route(const struct lp_port *port,
    const struct lp_port_object *object, char why[LP_WHY_SIZE])
{
	const struct lp_port_dpdk *dpdk =
	    lp_port_dpdk_of((struct lp_port *)port);

	return lp_dpdk_device_check_route(&dpdk->device, object, why);
}

static int
port_check_mtu(const struct lp_port *port, const struct lp_port_object *object,
    char why[LP_WHY_SIZE])
{
	struct lp_port_dpdk *dpdk = lp_port_dpdk_of((struct lp_port *)port);

	return lp_dpdk_setup_check_mtu(
	    &dpdk->device, object->mtu, dpdk->pool, why);
}

static void
port_become(struct lp_port *port, const struct lp_port_object *object)
{
	struct lp_port_dpdk *dpdk = lp_port_dpdk_of(port);

	if (object->mtu == dpdk->mtu_wanted)
		return;
	dpdk->mtu_wanted = object->mtu;
	lp_dpdk_setup_mtu(&dpdk->device, object->mtu, dpdk->pool);
}

/* The device has no other address than its own MAC to filter by. */
static int
port_steer(
    struct lp_port *port, const struct lp_steer *steer, char why[LP_WHY_SIZE])
{
	return lp_dpdk_setup_groups(&lp_port_dpdk_of(port)->device,
	    steer->addresses, steer->address_count, why);
}

/* A bond fails over, somebody sets the MTU: the port goes on with it. */
static void
port_link(struct lp_port *port, struct lp_port_link *link)
{
	struct lp_port_dpdk *dpdk = lp_port_dpdk_of(port);

	lp_dpdk_device_state(&dpdk->device, dpdk->pool, link);
	if (!link->present)
		return;
	if (memcmp(port->mac, link->mac, sizeof(link->mac)) != 0) {
		memcpy(port->mac, link->mac, sizeof(link->mac));
		atomic_store(&dpdk->mac, lp_port_dpdk_mac(link->mac));
		atomic_store(&dpdk->own,
		    is_tap(link->driver) ? (uint64_t)LP_PORT_DPDK_NO_MAC
					 : lp_port_dpdk_mac(link->mac));
		port->incarnation++;
	}
	port->mtu = link->mtu < dpdk->pool->mtu ? link->mtu : dpdk->pool->mtu;
}

/* The kernel is the other end of it, and has its MAC. */
static bool
is_tap(const char *driver)
{
	return strcmp(driver, "net_tap") == 0;
}

static unsigned
port_counters(
    const struct lp_port *port, struct lp_port_counter counters[], unsigned max)
{
	const struct lp_port_dpdk *dpdk =
	    lp_port_dpdk_of((struct lp_port *)port);
	const struct lp_port_dpdk_io *io = &dpdk->io;
	struct rte_eth_stats device = {0};
	unsigned i;

	(void)rte_eth_stats_get(dpdk->device.port_id, &device);
	const struct lp_port_counter all[] = {
	    {"rx_packets", lp_count_get(&io->rx_packets)},
	    {"rx_bytes", lp_count_get(&io->rx_bytes)},
	    {"tx_packets", lp_count_get(&io->tx_packets)},
	    {"tx_bytes", lp_count_get(&io->tx_bytes)},
	    {"tx_errors", device.oerrors},
	    {"rx_missed", device.imissed},
	    {"rx_errors", device.ierrors},
	    {"rx_no_buffer", device.rx_nombuf},
	    {"rx_too_long", lp_count_get(&io->rx_too_long)},
	    {"rx_other_host", lp_count_get(&io->rx_other_host)},
	};
	static_assert(
	    sizeof(all) / sizeof(all[0]) <= LP_PORT_COUNTERS_MAX, "all fit");

	for (i = 0; i < max && i < sizeof(all) / sizeof(all[0]); i++)
		counters[i] = all[i];
	return i;
}
