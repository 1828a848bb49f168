/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ethdev: found by its devargs, judged, set up, asked, let go.  Control
 * thread only, but for what an event says.
 */
#ifndef LP_PORT_DPDK_DEVICE_H
#define LP_PORT_DPDK_DEVICE_H

#include <rte_ethdev.h>
#include <stdatomic.h>

#include "dataplane/port/dpdk_pool.h"
#include "dataplane/port/netdev.h"

struct lp_dpdk_device {
	char name[RTE_ETH_NAME_MAX_LEN]; /* "0000:03:00.0", "net_memif0" */
	bool is_pci;
	char driver[32]; /* "net_ixgbe" */
	uint16_t port_id; /* RTE_MAX_ETHPORTS: none */
	struct rte_device *device; /* what is to be removed */
	int node; /* NUMA; negative: none */
	/*
	 * The interface of the kernel that it is on: net_af_packet, net_af_xdp,
	 * net_pcap by iface=, net_tap, NICs that are shared with the kernel.
	 */
	bool has_kernel;
	struct lp_netdev kernel;
	bool started;
	uint16_t rx_queues;
	uint32_t ring; /* buffers promised to each ring; 0: none */
	bool keeps; /* its driver gives back none of them */
	uint64_t rx_offloads; /* in use: RTE_ETH_RX_OFFLOAD_* */
	bool rss;
	/* A client (net_memif) that nobody but we would connect again. */
	bool is_client;
	uint64_t linked_ns; /* when it was last seen up, or opened */
	char mtu_why[LP_WHY_SIZE]; /* why it has not the MTU asked for */
	atomic_bool removed; /* unplugged: its driver says so */
};

/*
 * Attaches it.  0, or -errno and why: there is none, the kernel has it,
 * another port of this process has it, the driver refuses.
 */
int lp_dpdk_device_open(
    struct lp_dpdk_device *device, const char *devargs, char why[LP_WHY_SIZE]);
/* What is not attached is no matter. */
void lp_dpdk_device_close(
    struct lp_dpdk_device *device, struct lp_dpdk_pool *pool);

/*
 * Whether a port may have it: the host's default route, which is no reason to
 * cut a wire that was known before, and its addresses.  0, or -errno and why
 * not.
 */
int lp_dpdk_device_check(const struct lp_dpdk_device *device,
    const struct lp_port_object *object, bool known, char why[LP_WHY_SIZE]);
/* The same of its host's default route alone, when leave is taken back. */
int lp_dpdk_device_check_route(const struct lp_dpdk_device *device,
    const struct lp_port_object *object, char why[LP_WHY_SIZE]);

/* Fills the whole of it. */
void lp_dpdk_device_state(struct lp_dpdk_device *device,
    const struct lp_dpdk_pool *pool, struct lp_port_link *link);

#endif
