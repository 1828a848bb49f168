/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AF_XDP port.
 *
 * Overview: a steering program (xdp_steer.c) on a device (netdev.c) by a
 * link (xdp_link.c) gives our traffic to one socket a receive queue
 * (xdp_sockets.c).  port_xdp_io.c moves packets between their rings
 * and the worker; here is what ties all together.
 *
 * Life-cycle: the program goes onto the device before the sockets are bound,
 * and off it before they are closed: in between our traffic is dropped, which
 * TCP repairs; the kernel would answer it with resets.
 *
 * Ownership: fill and rx rings hold buffers of LP_BUFFER_RX + slot, tx and
 * completion rings those of LP_BUFFER_TX + slot.  The free stack is the
 * worker's, so the first rx fills the rings, not open.
 *
 * Synchronization: control opens, closes, steers and reads; the worker moves
 * packets (port_xdp_io.c).  They share the counters, and `gone`, which both may
 * set.
 */
#include "dataplane/port/port_xdp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/keep.h"
#include "dataplane/port/netdev_host.h"
#include "dataplane/port/netdev_xdp.h"

static int assemble(struct lp_port_xdp *xdp,
    const struct lp_port_config *config, char why[LP_WHY_SIZE]);
static int take_all(struct lp_port_xdp *xdp, char why[LP_WHY_SIZE]);
static void take_own(struct lp_port_xdp *xdp);
static int check_wire(const struct lp_port_xdp *xdp,
    const struct lp_port_config *config, char why[LP_WHY_SIZE]);
static int open_sockets(struct lp_port_xdp *xdp, char why[LP_WHY_SIZE]);
static void dismantle(struct lp_port_xdp *xdp);

static int port_open(struct lp_port **port, const struct lp_port_config *config,
    char why[LP_WHY_SIZE]);
static void port_close(struct lp_port *port);
static int port_check_route(const struct lp_port *port,
    const struct lp_port_object *object, char why[LP_WHY_SIZE]);
static int port_steer(
    struct lp_port *port, const struct lp_steer *steer, char why[LP_WHY_SIZE]);
static void port_beat(struct lp_port *port, uint64_t now_ns);
static void port_link(struct lp_port *port, struct lp_port_link *link);
static unsigned port_counters(const struct lp_port *port,
    struct lp_port_counter counters[], unsigned max);

const struct lp_backend_ops lp_port_xdp_ops = {
    .name = "af_xdp",
    .pool_open = lp_pool_open,
    .pool_close = lp_pool_close,
    .open = port_open,
    .close = port_close,
    .check_route = port_check_route,
    .host_addresses = lp_netdev_host_addresses,
    .steer = port_steer,
    .beat = port_beat,
    .link = port_link,
    .counters = port_counters,
    .rx = lp_port_xdp_io_rx,
    .tx = lp_port_xdp_io_tx,
    .room = lp_port_xdp_io_room,
    .flush = lp_port_xdp_io_flush,
    .fds = lp_port_xdp_io_fds,
    .alloc = lp_pool_alloc,
    .release = lp_pool_release,
    .reclaim = lp_pool_reclaim,
    .free_count = lp_pool_free_count,
};

static int
port_open(struct lp_port **out, const struct lp_port_config *config,
    char why[LP_WHY_SIZE])
{
	struct lp_port_xdp *xdp;
	int error;

	assert(config->slot < LP_PORTS_MAX && config->pool != NULL);
	xdp = aligned_alloc(_Alignof(struct lp_port_xdp), sizeof(*xdp));
	if (xdp == NULL) {
		snprintf(why, LP_WHY_SIZE, "no memory for a port");
		return -ENOMEM;
	}
	memset(xdp, 0, sizeof(*xdp));
	xdp->port.ops = &lp_port_xdp_ops;
	xdp->port.slot = config->slot;
	xdp->pool = config->pool;
	xdp->keep = config->keep;
	xdp->link.fd = -1;
	error = assemble(xdp, config, why);
	if (error != 0) {
		dismantle(xdp);
		free(xdp);
		return error;
	}
	*out = &xdp->port;
	return 0;
}

static void
port_close(struct lp_port *port)
{
	struct lp_port_xdp *xdp = lp_port_xdp_of(port);

	lp_xdp_link_detach(&xdp->link, xdp->name, xdp->keep);
	take_own(xdp);
	lp_xdp_sockets_close(&xdp->sockets);
	lp_pool_expect_busy(xdp->pool);
	lp_xdp_sockets_await(&xdp->sockets, &xdp->device, xdp->pool);
	dismantle(xdp);
	free(xdp);
}

/* What else the object says needs no leave of the device. */
static int
port_check_route(const struct lp_port *port,
    const struct lp_port_object *object, char why[LP_WHY_SIZE])
{
	const struct lp_port_xdp *xdp = (const struct lp_port_xdp *)port;

	return lp_netdev_check_route(&xdp->device, object, why);
}

/*
 * Its device, or 0: it has vanished.  An open one may have been renamed; what
 * is not open goes by its name.
 */
static unsigned
peer_of(const struct lp_steer *steer)
{
	const struct lp_port_xdp *peer;

	if (steer->peer != NULL) {
		peer = lp_port_xdp_of(steer->peer);
		if (!atomic_load_explicit(&peer->gone, memory_order_relaxed))
			return peer->device.ifindex;
	}
	return steer->peer_device ? if_nametoindex(steer->peer_device) : 0;
}

static int
port_steer(
    struct lp_port *port, const struct lp_steer *steer, char why[LP_WHY_SIZE])
{
	struct lp_port_xdp *xdp = lp_port_xdp_of(port);
	int error;

	error = lp_netdev_groups(
	    &xdp->device, steer->addresses, steer->address_count, why);
	if (error == 0 && steer->is_inline)
		error = lp_xdp_steer_peer(&xdp->steer, peer_of(steer), why);
	if (error == 0)
		error = lp_xdp_steer_set(&xdp->steer, steer, why);
	if (error != 0)
		return error;
	/* Complete now: sockets are bound and addresses are known. */
	return lp_xdp_link_activate(
	    &xdp->link, &xdp->steer, xdp->steer.program, why);
}

static void
port_beat(struct lp_port *port, uint64_t now_ns)
{
	lp_xdp_steer_beat(&lp_port_xdp_of(port)->steer, now_ns);
}

/* The reasons why it is slow, if it is up. */
static void
say_mode(const struct lp_port_xdp *xdp, struct lp_port_link *link)
{
	const char *mode = "copy";

	if (xdp->sockets.zero_copy)
		mode = "zero-copy";
	else if (xdp->link.generic)
		mode = "generic copy";
	snprintf(link->mode, sizeof(link->mode), "%s", mode);
	if (link->why[0] == '\0' && !xdp->sockets.zero_copy)
		snprintf(link->why, sizeof(link->why), "%s mode: %s", mode,
		    xdp->sockets.why);
}

/* A bond fails over, somebody sets the MTU: the port goes on with it. */
static void
follow(struct lp_port_xdp *xdp, const struct lp_port_link *link)
{
	if (memcmp(xdp->port.mac, link->mac, sizeof(link->mac)) != 0) {
		memcpy(xdp->port.mac, link->mac, sizeof(link->mac));
		xdp->port.incarnation++;
	}
	xdp->port.mtu = link->mtu < LP_MTU_MAX ? link->mtu : LP_MTU_MAX;
	lp_xdp_steer_mac(&xdp->steer, link->mac);
}

static void
port_link(struct lp_port *port, struct lp_port_link *link)
{
	struct lp_port_xdp *xdp = lp_port_xdp_of(port);

	memset(link, 0, sizeof(*link));
	lp_netdev_state(&xdp->device, link);
	if (link->present &&
	    !lp_xdp_link_is_on(&xdp->link, xdp->device.ifindex)) {
		link->present = false;
		link->up = false;
		snprintf(link->why, sizeof(link->why),
		    "%s has lost our XDP program: it was away or somebody "
		    "detached it",
		    xdp->device.name);
	}
	if (link->present &&
	    lp_netdev_queues(&xdp->device) != xdp->sockets.count) {
		link->present = false;
		link->up = false;
		snprintf(link->why, sizeof(link->why),
		    "%s has another number of receive queues now",
		    xdp->device.name);
	}
	if (link->present)
		follow(xdp, link);
	else
		atomic_store_explicit(&xdp->gone, true, memory_order_relaxed);
	link->queues = (uint16_t)xdp->sockets.count;
	link->numa_node = xdp->device.numa_node;
	snprintf(link->driver, sizeof(link->driver), "%s", xdp->device.driver);
	say_mode(xdp, link);
}

static unsigned
port_counters(
    const struct lp_port *port, struct lp_port_counter counters[], unsigned max)
{
	const struct lp_port_xdp *xdp = (const struct lp_port_xdp *)port;
	const struct lp_port_xdp_io *io = &xdp->io;
	uint64_t steer[LP_STEER_COUNTERS];
	struct xdp_statistics socket;
	unsigned i;

	lp_xdp_steer_counters(&xdp->steer, steer);
	lp_xdp_sockets_statistics(&xdp->sockets, &socket);
	const struct lp_port_counter all[] = {
	    {"rx_packets", lp_count_get(&io->rx_packets)},
	    {"rx_bytes", lp_count_get(&io->rx_bytes)},
	    {"tx_packets", lp_count_get(&io->tx_packets)},
	    {"tx_bytes", lp_count_get(&io->tx_bytes)},
	    {"tx_errors", lp_count_get(&io->tx_errors)},
	    {"rx_dropped", socket.rx_dropped},
	    {"rx_ring_full", socket.rx_ring_full},
	    {"rx_fill_ring_empty", socket.rx_fill_ring_empty_descs},
	    {"rx_invalid", socket.rx_invalid_descs},
	    {"tx_invalid", socket.tx_invalid_descs},
	    {"steer_passed", steer[LP_STEER_PASSED]},
	    {"steer_redirected", steer[LP_STEER_REDIRECTED]},
	    {"steer_dropped_dead", steer[LP_STEER_DEAD]},
	    {"steer_dropped_no_socket", steer[LP_STEER_NO_SOCKET]},
	    {"steer_copied", steer[LP_STEER_COPIED]},
	    {"steer_copy_lost",
		steer[LP_STEER_COPY_LOST] + lp_count_get(&io->copies_lost)},
	    {"steer_vlan", steer[LP_STEER_VLAN]},
	    {"steer_wired", steer[LP_STEER_WIRED]},
	    {"steer_dropped_no_peer", steer[LP_STEER_NO_PEER]},
	};
	static_assert(
	    sizeof(all) / sizeof(all[0]) <= LP_PORT_COUNTERS_MAX, "all fit");

	for (i = 0; i < max && i < sizeof(all) / sizeof(all[0]); i++)
		counters[i] = all[i];
	return i;
}

static int
assemble(struct lp_port_xdp *xdp, const struct lp_port_config *config,
    char why[LP_WHY_SIZE])
{
	struct lp_port_link link;
	int error;

	error = lp_netdev_open(&xdp->device, config->object.device, why);
	if (error != 0)
		return error;
	snprintf(xdp->name, sizeof(xdp->name), "%s", xdp->device.name);
	error =
	    lp_netdev_check(&xdp->device, &config->object, config->known, why);
	if (error != 0)
		return error;
	lp_netdev_state(&xdp->device, &link);
	xdp->port.mtu = link.mtu;
	memcpy(xdp->port.mac, link.mac, sizeof(xdp->port.mac));
	error = lp_xdp_steer_open(&xdp->steer, lp_port_xdp_io_copy, xdp, why);
	if (error != 0)
		return error;
	lp_xdp_steer_mac(&xdp->steer, link.mac);
	if (lp_object_has_peer(&config->object))
		lp_xdp_steer_mode(&xdp->steer, LP_STEER_INLINE);
	error = lp_xdp_link_open(&xdp->link, &xdp->device, xdp->steer.program,
	    xdp->pool, xdp->keep, why);
	if (error != 0)
		return error;
	if (lp_object_has_peer(&config->object)) {
		error = check_wire(xdp, config, why);
		if (error == 0)
			error = take_all(xdp, why);
	}
	if (error == 0)
		error = open_sockets(xdp, why);
	if (error != 0 || xdp->keep == NULL || xdp->link.adopted)
		return error;
	error = lp_xdp_link_keep(&xdp->link, xdp->name, xdp->keep);
	if (error != 0)
		snprintf(why, LP_WHY_SIZE,
		    "%s: the keeper does not take the XDP link: %s", xdp->name,
		    strerror(-error));
	return error;
}

/*
 * That an inline port passes whole frames on, known once the program is on:
 * drivers often send for XDP only then.  The host's merged segments, and frames
 * above the MTU, get lost in generic mode.
 */
static int
check_wire(const struct lp_port_xdp *xdp, const struct lp_port_config *config,
    char why[LP_WHY_SIZE])
{
	uint64_t features;

	if (xdp->link.generic)
		snprintf(why, LP_WHY_SIZE,
		    "%s: %.95s: an inline port needs one, for without it "
		    "merged segments and frames above the MTU would be lost",
		    xdp->name, xdp->link.why);
	else if (lp_netdev_xdp_features(xdp->device.ifindex, &features) == 0 &&
	    !(features & LP_NETDEV_XDP_NDO_XMIT))
		snprintf(why, LP_WHY_SIZE,
		    "%s: driver %s does not send what XDP redirects to it, "
		    "which an inline port needs (of a veth the other end must "
		    "receive with NAPI: ethtool -K, gro on, there)",
		    xdp->name, xdp->device.driver);
	else
		return 0;
	return lp_netdev_excuse(
	    -EOPNOTSUPP, &config->object, config->known, why);
}

static void
promiscuous_name(const struct lp_port_xdp *xdp, char name[LP_KEEP_NAME_SIZE])
{
	snprintf(name, LP_KEEP_NAME_SIZE, "promiscuous:%s", xdp->name);
}

/*
 * Frames to whatever MAC.  The keeper holds that, too: without us the program
 * goes on with passing them to the peer.
 */
static int
take_all(struct lp_port_xdp *xdp, char why[LP_WHY_SIZE])
{
	char name[LP_KEEP_NAME_SIZE];
	int error = lp_netdev_promiscuous(&xdp->device, why);

	if (error != 0 || xdp->keep == NULL)
		return error;
	promiscuous_name(xdp, name);
	error = lp_keep_put(xdp->keep, name, xdp->device.promiscuous);
	if (error != 0)
		snprintf(why, LP_WHY_SIZE,
		    "%s: the keeper does not take its promiscuity: %s",
		    xdp->name, strerror(-error));
	return error;
}

static void
take_own(struct lp_port_xdp *xdp)
{
	char name[LP_KEEP_NAME_SIZE];

	if (xdp->device.promiscuous < 0 || xdp->keep == NULL)
		return;
	promiscuous_name(xdp, name);
	(void)lp_keep_drop(xdp->keep, name);
}

static int
open_sockets(struct lp_port_xdp *xdp, char why[LP_WHY_SIZE])
{
	unsigned i, queues = lp_netdev_queues(&xdp->device);
	uint32_t size = 0;
	int error = 0;

	if (queues <= LP_PORT_QUEUES_MAX)
		size = lp_budget_reserve(&xdp->pool->budget, queues + 1);
	if (size == 0) {
		snprintf(why, LP_WHY_SIZE,
		    "%s has %u receive queues: at most %d, and %d free packet "
		    "buffers for each, can be served: ethtool -L %s combined "
		    "N, or configure more buffers",
		    xdp->name, queues, LP_PORT_QUEUES_MAX, LP_BUDGET_RING_MIN,
		    xdp->name);
		return -ENOSPC;
	}
	error = lp_xdp_sockets_open(&xdp->sockets, &xdp->device, xdp->pool,
	    queues, size, xdp->link.generic ? xdp->link.why : NULL, why);
	if (error != 0) {
		lp_budget_return(&xdp->pool->budget, queues + 1, size);
		xdp->sockets.count = 0;
		return error;
	}
	for (i = 0; i < queues && error == 0; i++)
		error = lp_xdp_steer_socket(
		    &xdp->steer, i, xdp->sockets.queues[i].fd);
	if (error != 0)
		snprintf(why, LP_WHY_SIZE, "%s: cannot steer to queue %u: %s",
		    xdp->name, i - 1, strerror(-error));
	return error;
}

/* Whatever there is of it, from the outside in; the link is let go. */
static void
dismantle(struct lp_port_xdp *xdp)
{
	lp_xdp_link_close(&xdp->link);
	if (xdp->sockets.count > 0) {
		lp_xdp_sockets_close(&xdp->sockets);
		lp_budget_return(&xdp->pool->budget, xdp->sockets.count + 1,
		    xdp->sockets.ring_size);
	}
	lp_xdp_steer_close(&xdp->steer);
	lp_netdev_close(&xdp->device);
}
