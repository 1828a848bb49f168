/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Setting up an ethdev.
 *
 * Queues: one to send, since there is one worker.  To receive as many as the
 * device was made with: a vdev spreads packets over all that its arguments
 * name (net_af_packet's qpairs), a NIC over those that it is told to use, and
 * that is one.
 *
 * Offloads: the device verifies checksums where it can.  What we send needs no
 * help: checksums are updated by their differences, which costs less than to
 * ask a device, and carries an error of the sender on to who can see it.
 */
#include "dataplane/port/dpdk_setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/port/dpdk_log.h"

enum {
	MTU_DEFAULT = RTE_ETHER_MTU,
	/* In the fill ring of a queue of net_af_xdp, whatever is asked for. */
	AF_XDP_FILL = 2048,
};

static const uint64_t wanted_offloads =
    RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
static const uint64_t wanted_rss = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP;

static int choose_queues(struct lp_dpdk_device *device,
    const struct rte_eth_dev_info *info, struct lp_dpdk_pool *pool,
    char why[LP_WHY_SIZE]);
static int keep_for_af_xdp(struct lp_dpdk_device *device, unsigned queues,
    struct lp_dpdk_pool *pool, char why[LP_WHY_SIZE]);
static int choose_mtu(struct lp_dpdk_device *device,
    const struct rte_eth_dev_info *info, const struct lp_dpdk_pool *pool,
    uint16_t wanted, uint16_t *mtu, char why[LP_WHY_SIZE]);
static int configure(struct lp_dpdk_device *device,
    const struct rte_eth_dev_info *info, uint16_t mtu);
static int set_up_queues(
    struct lp_dpdk_device *device, struct rte_mempool *mempool);
static int apply_mtu(struct lp_dpdk_device *device, uint16_t mtu);
static void put_group(struct rte_ether_addr *group, const struct lp_ip *ip);

int
lp_dpdk_setup_start(struct lp_dpdk_device *device, uint16_t wanted,
    struct lp_dpdk_pool *pool, char why[LP_WHY_SIZE])
{
	struct rte_mempool *mempool = lp_dpdk_pool_on(pool, device->node, why);
	struct rte_eth_dev_info info;
	uint16_t mtu;
	int error;

	if (mempool == NULL)
		return -ENOMEM;
	lp_dpdk_log_listen();
	error = rte_eth_dev_info_get(device->port_id, &info);
	if (error != 0)
		goto fail;
	error = choose_queues(device, &info, pool, why);
	if (error == 0)
		error = choose_mtu(device, &info, pool, wanted, &mtu, why);
	if (error != 0)
		return error;
	error = configure(device, &info, mtu);
	if (error == 0 && wanted != 0)
		error = apply_mtu(device, mtu);
	if (error == 0)
		error = set_up_queues(device, mempool);
	if (error == 0)
		error = rte_eth_dev_start(device->port_id);
	if (error != 0)
		goto fail;
	device->started = true;
	lp_dpdk_pool_settle(pool);
	return 0;
fail:
	snprintf(why, LP_WHY_SIZE, "DPDK cannot set up %.60s: %.120s%s",
	    device->name, lp_dpdk_log_complaint(strerror(-error)),
	    strcmp(device->driver, "net_af_xdp") == 0
		? " (it needs lp-dataplane --dpdk-privileged)"
		: "");
	return error;
}

void
lp_dpdk_setup_mtu(struct lp_dpdk_device *device, uint16_t wanted,
    const struct lp_dpdk_pool *pool)
{
	struct rte_eth_dev_info info;
	uint16_t mtu;
	int error;

	device->mtu_why[0] = '\0';
	lp_dpdk_log_listen();
	error = rte_eth_dev_info_get(device->port_id, &info);
	if (error == 0)
		error = choose_mtu(
		    device, &info, pool, wanted, &mtu, device->mtu_why);
	if (error == 0)
		error = apply_mtu(device, mtu);
	if (error != 0 && device->mtu_why[0] == '\0')
		snprintf(device->mtu_why, sizeof(device->mtu_why),
		    "%.80s does not take an MTU of %u: %.120s", device->name,
		    wanted, lp_dpdk_log_complaint(strerror(-error)));
}

int
lp_dpdk_setup_groups(struct lp_dpdk_device *device,
    const struct lp_ip *addresses, size_t count, char why[LP_WHY_SIZE])
{
	/* ff02::1, all nodes: RFC 2464, 7. */
	const struct rte_ether_addr all_nodes = {{0x33, 0x33, 0, 0, 0, 1}};
	struct rte_ether_addr *groups;
	uint32_t used = 0;
	int error;

	if (device->has_kernel)
		return lp_netdev_groups(&device->kernel, addresses, count, why);
	groups = calloc(count + 1, sizeof(groups[0]));
	if (groups == NULL) {
		snprintf(why, LP_WHY_SIZE, "no memory for multicast groups");
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		if (!lp_ip_is_v4(&addresses[i]))
			put_group(&groups[used++], &addresses[i]);
	if (used > 0)
		groups[used++] = all_nodes;
	error = rte_eth_dev_set_mc_addr_list(device->port_id, groups, used);
	/* No filter for so many, or none at all: then everything. */
	if (error != 0 && used > 0)
		(void)rte_eth_allmulticast_enable(device->port_id);
	free(groups);
	return 0;
}

static int
choose_queues(struct lp_dpdk_device *device,
    const struct rte_eth_dev_info *info, struct lp_dpdk_pool *pool,
    char why[LP_WHY_SIZE])
{
	unsigned queues = info->nb_rx_queues > 0 ? info->nb_rx_queues : 1;
	int error;

	if (info->max_rx_queues < queues || info->max_tx_queues < 1) {
		snprintf(why, LP_WHY_SIZE,
		    "%s has %u queues to receive and %u to send: it needs one "
		    "of each",
		    device->name, info->max_rx_queues, info->max_tx_queues);
		return -ENOSPC;
	}
	error = keep_for_af_xdp(device, queues, pool, why);
	if (error != 0)
		return error;
	if (queues <= LP_PORT_QUEUES_MAX)
		device->ring = lp_budget_reserve(&pool->budget, queues + 1);
	if (device->ring == 0) {
		snprintf(why, LP_WHY_SIZE,
		    "%s has %u receive queues: at most %d, and %d free packet "
		    "buffers for each, can be served: give it fewer, or "
		    "configure more buffers",
		    device->name, queues, LP_PORT_QUEUES_MAX,
		    LP_BUDGET_RING_MIN);
		return -ENOSPC;
	}
	device->rx_queues = (uint16_t)queues;
	return 0;
}

/*
 * net_af_xdp of DPDK 22.11 loses the buffers in its rings when it is closed,
 * and its socket, so that it can be opened on an interface once.
 */
static int
keep_for_af_xdp(struct lp_dpdk_device *device, unsigned queues,
    struct lp_dpdk_pool *pool, char why[LP_WHY_SIZE])
{
	if (strcmp(device->driver, "net_af_xdp") != 0 || !device->has_kernel)
		return 0;
	for (unsigned i = 0; i < pool->stuck_count; i++) {
		if (pool->stuck[i] != device->kernel.ifindex)
			continue;
		snprintf(why, LP_WHY_SIZE,
		    "net_af_xdp does not let go of %s, and cannot have it "
		    "twice: restart lp-dataplane, or use --backend af_xdp",
		    device->kernel.name);
		return -EBUSY;
	}
	if (pool->stuck_count == LP_DPDK_STUCK_MAX ||
	    !lp_budget_keep(&pool->budget, queues * AF_XDP_FILL)) {
		snprintf(why, LP_WHY_SIZE,
		    "net_af_xdp takes %u packet buffers, and never gives them "
		    "back: configure more buffers, or restart lp-dataplane",
		    queues * AF_XDP_FILL);
		return -ENOSPC;
	}
	pool->kept += queues * AF_XDP_FILL;
	pool->stuck[pool->stuck_count++] = device->kernel.ifindex;
	device->keeps = true;
	return 0;
}

/* Asked for, else that of the interface behind it, else Ethernet's. */
static int
choose_mtu(struct lp_dpdk_device *device, const struct rte_eth_dev_info *info,
    const struct lp_dpdk_pool *pool, uint16_t wanted, uint16_t *mtu,
    char why[LP_WHY_SIZE])
{
	struct lp_port_link link = {.mtu = MTU_DEFAULT};

	if (wanted == 0 && device->has_kernel)
		lp_netdev_state(&device->kernel, &link);
	*mtu = wanted != 0 ? wanted : link.mtu;
	if (*mtu > pool->mtu) {
		snprintf(why, LP_WHY_SIZE,
		    "%s has an MTU of %u, and a packet buffer holds %u: start "
		    "lp-dataplane with --mtu %u",
		    device->name, *mtu, pool->mtu, *mtu);
		return -EMSGSIZE;
	}
	if (*mtu < info->min_mtu || *mtu > info->max_mtu) {
		snprintf(why, LP_WHY_SIZE,
		    "%s takes an MTU of %u to %u, not %u", device->name,
		    info->min_mtu, info->max_mtu, *mtu);
		return -EMSGSIZE;
	}
	return 0;
}

static int
configure(struct lp_dpdk_device *device, const struct rte_eth_dev_info *info,
    uint16_t mtu)
{
	struct rte_eth_conf conf = {.rxmode = {.mtu = mtu}};
	uint32_t extra = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;

	/* net_af_packet knows of no jumbo frames, and carries them. */
	if (device->has_kernel && mtu + extra > info->max_rx_pktlen)
		conf.rxmode.mtu = info->max_rx_pktlen - extra;
	device->rx_offloads = info->rx_offload_capa & wanted_offloads;
	device->rss = device->rx_queues > 1 &&
	    (info->flow_type_rss_offloads & wanted_rss) != 0;
	conf.rxmode.offloads = device->rx_offloads;
	if (device->rss) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
		    info->flow_type_rss_offloads & wanted_rss;
	}
	/* All that we send is of one mempool where there is one NUMA node. */
	if (rte_socket_count() <= 1)
		conf.txmode.offloads =
		    info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	return rte_eth_dev_configure(
	    device->port_id, device->rx_queues, 1, &conf);
}

static int
set_up_queues(struct lp_dpdk_device *device, struct rte_mempool *mempool)
{
	uint16_t receive = (uint16_t)device->ring;
	uint16_t send = (uint16_t)device->ring;
	unsigned node =
	    device->node < 0 ? (unsigned)SOCKET_ID_ANY : (unsigned)device->node;
	int error =
	    rte_eth_dev_adjust_nb_rx_tx_desc(device->port_id, &receive, &send);

	for (uint16_t i = 0; error == 0 && i < device->rx_queues; i++)
		error = rte_eth_rx_queue_setup(
		    device->port_id, i, receive, node, NULL, mempool);
	if (error == 0)
		error = rte_eth_tx_queue_setup(
		    device->port_id, 0, send, node, NULL);
	return error;
}

/* Many vdevs have no such call, and carry what they are given. */
static int
apply_mtu(struct lp_dpdk_device *device, uint16_t mtu)
{
	struct lp_port_link now = {0};
	int error;

	if (device->has_kernel)
		lp_netdev_state(&device->kernel, &now);
	else
		(void)rte_eth_dev_get_mtu(device->port_id, &now.mtu);
	if (now.mtu == mtu)
		return 0;
	error = rte_eth_dev_set_mtu(device->port_id, mtu);
	return error == -ENOTSUP && !device->has_kernel ? 0 : error;
}

/* 33:33:ff and the last three bytes: RFC 2464, 7, and RFC 4291, 2.7.1. */
static void
put_group(struct rte_ether_addr *group, const struct lp_ip *ip)
{
	*group = (struct rte_ether_addr){
	    {0x33, 0x33, 0xff, ip->bytes[13], ip->bytes[14], ip->bytes[15]}};
}
