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
 * help: checksums are updated by their differences, which carries an error of
 * the sender on to who can see it.
 */
#include "dataplane/port/dpdk_setup.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dataplane/port/dpdk_log.h"

enum {
	MTU_DEFAULT = RTE_ETHER_MTU,
	/* In the fill ring of a queue of net_af_xdp, whatever is asked for. */
	AF_XDP_FILL = 2048,
	/* Interfaces: more than anybody needs. */
	STUCK_MAX = 64,
};

/*
 * What net_af_xdp has had in this process, and does not let go of.  Control
 * thread only.
 */
static struct {
	unsigned ifindex;
	char why[LP_WHY_SIZE]; /* why it could not be started; "": it was */
} stuck[STUCK_MAX];
static unsigned stuck_count;

static const uint64_t wanted_offloads =
    RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
static const uint64_t wanted_rss = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP;

static int choose_queues(struct lp_dpdk_device *device,
    const struct rte_eth_dev_info *info, struct lp_dpdk_pool *pool,
    char why[LP_WHY_SIZE]);
static int check_stuck(
    const struct lp_dpdk_device *device, char why[LP_WHY_SIZE]);
static int keep_for_af_xdp(struct lp_dpdk_device *device,
    struct lp_dpdk_pool *pool, char why[LP_WHY_SIZE]);
static void explain(
    const struct lp_dpdk_device *device, int error, char why[LP_WHY_SIZE]);
static bool may_administer(void);
static uint32_t largest_mtu(const struct rte_eth_dev_info *info);
static int choose_mtu(struct lp_dpdk_device *device,
    const struct rte_eth_dev_info *info, const struct lp_dpdk_pool *pool,
    uint16_t wanted, uint16_t *mtu, char why[LP_WHY_SIZE]);
static int configure(struct lp_dpdk_device *device,
    const struct rte_eth_dev_info *info, uint16_t mtu);
static int choose_rings(struct lp_dpdk_device *device, uint16_t *receive,
    uint16_t *send, char why[LP_WHY_SIZE]);
static int set_up_queues(struct lp_dpdk_device *device, uint16_t receive,
    uint16_t send, struct rte_mempool *mempool);
static uint16_t mtu_of(struct lp_dpdk_device *device);
static void apply_mtu(struct lp_dpdk_device *device, uint16_t mtu);
static void put_group(struct rte_ether_addr *group, const struct lp_ip *ip);

int
lp_dpdk_setup_start(struct lp_dpdk_device *device, uint16_t wanted,
    struct lp_dpdk_pool *pool, char why[LP_WHY_SIZE])
{
	struct rte_mempool *mempool = lp_dpdk_pool_on(pool, device->node, why);
	struct rte_eth_dev_info info;
	uint16_t mtu, receive, send;
	int error;

	if (mempool == NULL)
		return -ENOMEM;
	error = check_stuck(device, why);
	if (error != 0)
		return error;
	lp_dpdk_log_listen();
	error = rte_eth_dev_info_get(device->port_id, &info);
	if (error != 0)
		goto fail;
	error = choose_mtu(device, &info, pool, wanted, &mtu, why);
	if (error == 0)
		error = choose_queues(device, &info, pool, why);
	if (error != 0)
		return error;
	error = configure(device, &info, mtu);
	if (error != 0)
		goto fail;
	if (wanted != 0)
		apply_mtu(device, mtu);
	error = choose_rings(device, &receive, &send, why);
	if (error == 0)
		error = keep_for_af_xdp(device, pool, why);
	if (error != 0)
		return error;
	lp_dpdk_log_listen();
	error = set_up_queues(device, receive, send, mempool);
	if (error == 0)
		error = rte_eth_dev_start(device->port_id);
	if (error != 0)
		goto fail;
	device->started = true;
	lp_dpdk_pool_settle(pool);
	return 0;
fail:
	explain(device, error, why);
	return error;
}

int
lp_dpdk_setup_check_mtu(struct lp_dpdk_device *device, uint16_t wanted,
    const struct lp_dpdk_pool *pool, char why[LP_WHY_SIZE])
{
	struct rte_eth_dev_info info;
	uint16_t mtu;
	int error = rte_eth_dev_info_get(device->port_id, &info);

	/* Its driver has no say any more: the port is as good as gone. */
	if (error != 0)
		return 0;
	error = choose_mtu(device, &info, pool, wanted, &mtu, why);
	if (error != 0 || mtu <= largest_mtu(&info) || mtu == mtu_of(device))
		return error;
	snprintf(why, LP_WHY_SIZE,
	    "%s sets no MTU above %u, and carries it: ip link set %s mtu %u, "
	    "then try again",
	    device->driver, largest_mtu(&info), device->kernel.name, mtu);
	return -EMSGSIZE;
}

void
lp_dpdk_setup_mtu(struct lp_dpdk_device *device, uint16_t wanted,
    const struct lp_dpdk_pool *pool)
{
	struct rte_eth_dev_info info;
	uint16_t mtu;

	device->mtu_why[0] = '\0';
	if (rte_eth_dev_info_get(device->port_id, &info) == 0 &&
	    choose_mtu(device, &info, pool, wanted, &mtu, device->mtu_why) == 0)
		apply_mtu(device, mtu);
}

int
lp_dpdk_setup_promiscuous(struct lp_dpdk_device *device, char why[LP_WHY_SIZE])
{
	int error = rte_eth_promiscuous_enable(device->port_id);

	/* One that has no filter needs no leave to pass all. */
	if (error == 0 || error == -ENOTSUP)
		return 0;
	snprintf(why, LP_WHY_SIZE,
	    "%s cannot receive frames to every MAC, as an inline port must: %s",
	    device->name, strerror(-error));
	return error;
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

	if (info->max_rx_queues < queues || info->max_tx_queues < 1) {
		snprintf(why, LP_WHY_SIZE,
		    "%s has %u queues to receive and %u to send: it needs one "
		    "of each",
		    device->name, info->max_rx_queues, info->max_tx_queues);
		return -ENOSPC;
	}
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
check_stuck(const struct lp_dpdk_device *device, char why[LP_WHY_SIZE])
{
	if (strcmp(device->driver, "net_af_xdp") != 0 || !device->has_kernel)
		return 0;
	for (unsigned i = 0; i < stuck_count; i++) {
		if (stuck[i].ifindex != device->kernel.ifindex)
			continue;
		if (stuck[i].why[0] != '\0')
			memcpy(why, stuck[i].why, LP_WHY_SIZE);
		else
			snprintf(why, LP_WHY_SIZE,
			    "net_af_xdp does not let go of %s, and cannot have "
			    "it twice: restart lp-dataplane, or use "
			    "--backend af_xdp",
			    device->kernel.name);
		return -EBUSY;
	}
	return 0;
}

/* The last thing before its queues are set up: what is kept is kept. */
static int
keep_for_af_xdp(struct lp_dpdk_device *device, struct lp_dpdk_pool *pool,
    char why[LP_WHY_SIZE])
{
	uint32_t count = device->rx_queues * (uint32_t)AF_XDP_FILL;

	if (strcmp(device->driver, "net_af_xdp") != 0 || !device->has_kernel)
		return 0;
	if (stuck_count == STUCK_MAX || !lp_budget_keep(&pool->budget, count)) {
		snprintf(why, LP_WHY_SIZE,
		    "net_af_xdp takes %u packet buffers, and never gives them "
		    "back: configure more buffers, or restart lp-dataplane",
		    count);
		return -ENOSPC;
	}
	pool->kept += count;
	stuck[stuck_count++].ifindex = device->kernel.ifindex;
	device->keeps = true;
	return 0;
}

static void
explain(const struct lp_dpdk_device *device, int error, char why[LP_WHY_SIZE])
{
	const char *hint = "";

	if (device->keeps && !may_administer())
		hint = " (it needs lp-dataplane --dpdk-privileged)";
	else if (device->keeps)
		hint = " (once in a process: then restart lp-dataplane)";
	snprintf(why, LP_WHY_SIZE, "DPDK cannot set up %.60s: %.120s%s",
	    device->name, lp_dpdk_log_complaint(strerror(-error)), hint);
	/* For those who try again. */
	if (device->keeps)
		memcpy(stuck[stuck_count - 1].why, why, LP_WHY_SIZE);
}

/* Whether CAP_SYS_ADMIN is in effect. */
static bool
may_administer(void)
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	return syscall(SYS_capget, &header, data) == 0 &&
	    (data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &
		CAP_TO_MASK(CAP_SYS_ADMIN)) != 0;
}

/* The largest that DPDK lets it be set to. */
static uint32_t
largest_mtu(const struct rte_eth_dev_info *info)
{
	uint32_t extra = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;

	if (info->max_mtu != UINT16_MAX && info->max_rx_pktlen > info->max_mtu)
		return info->max_mtu;
	if (info->max_rx_pktlen < extra)
		return 0;
	return RTE_MIN(info->max_rx_pktlen - extra, (uint32_t)info->max_mtu);
}

/* Asked for, else that of the interface behind it, else Ethernet's. */
static int
choose_mtu(struct lp_dpdk_device *device, const struct rte_eth_dev_info *info,
    const struct lp_dpdk_pool *pool, uint16_t wanted, uint16_t *mtu,
    char why[LP_WHY_SIZE])
{
	struct lp_port_link link = {.mtu = MTU_DEFAULT};
	/* The interface may have a larger one than the driver knows of. */
	uint32_t largest =
	    device->has_kernel ? info->max_mtu : largest_mtu(info);

	if (wanted == 0 && device->has_kernel)
		lp_netdev_state(&device->kernel, &link);
	*mtu = wanted != 0 ? wanted : link.mtu;
	if (*mtu > pool->mtu) {
		snprintf(why, LP_WHY_SIZE,
		    "%s: an MTU of %u does not fit a packet buffer, which "
		    "holds %u: start lp-dataplane with --mtu %u",
		    device->name, *mtu, pool->mtu, *mtu);
		return -EMSGSIZE;
	}
	if (*mtu < info->min_mtu || *mtu > largest) {
		snprintf(why, LP_WHY_SIZE,
		    "%s takes an MTU of %u to %u, not %u", device->name,
		    info->min_mtu, largest, *mtu);
		return -EMSGSIZE;
	}
	return 0;
}

static int
configure(struct lp_dpdk_device *device, const struct rte_eth_dev_info *info,
    uint16_t mtu)
{
	struct rte_eth_conf conf = {.rxmode = {.mtu = mtu}};

	/* net_af_packet knows of no jumbo frames, and carries them. */
	if (device->has_kernel)
		conf.rxmode.mtu = RTE_MIN((uint32_t)mtu, largest_mtu(info));
	conf.intr_conf.rmv = (*info->dev_flags & RTE_ETH_DEV_INTR_RMV) != 0;
	device->rx_offloads = info->rx_offload_capa & wanted_offloads;
	device->rss = device->rx_queues > 1 &&
	    (info->flow_type_rss_offloads & wanted_rss) != 0;
	conf.rxmode.offloads = device->rx_offloads;
	if (device->rss) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
		    info->flow_type_rss_offloads & wanted_rss;
	}
	if (lp_dpdk_pool_is_one())
		conf.txmode.offloads =
		    info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	return rte_eth_dev_configure(
	    device->port_id, device->rx_queues, 1, &conf);
}

/* Drivers have least sizes: not more than was promised to each. */
static int
choose_rings(struct lp_dpdk_device *device, uint16_t *receive, uint16_t *send,
    char why[LP_WHY_SIZE])
{
	int error;

	*receive = *send = (uint16_t)device->ring;
	error =
	    rte_eth_dev_adjust_nb_rx_tx_desc(device->port_id, receive, send);
	if (error != 0) {
		explain(device, error, why);
		return error;
	}
	if (*receive <= device->ring && *send <= device->ring)
		return 0;
	snprintf(why, LP_WHY_SIZE,
	    "%s wants %u packet buffers to receive and %u to send, %u each can "
	    "be spared: configure more buffers",
	    device->name, *receive, *send, device->ring);
	return -ENOSPC;
}

static int
set_up_queues(struct lp_dpdk_device *device, uint16_t receive, uint16_t send,
    struct rte_mempool *mempool)
{
	unsigned node =
	    device->node < 0 ? (unsigned)SOCKET_ID_ANY : (unsigned)device->node;
	int error = 0;

	for (uint16_t i = 0; error == 0 && i < device->rx_queues; i++)
		error = rte_eth_rx_queue_setup(
		    device->port_id, i, receive, node, NULL, mempool);
	if (error == 0)
		error = rte_eth_tx_queue_setup(
		    device->port_id, 0, send, node, NULL);
	return error;
}

static uint16_t
mtu_of(struct lp_dpdk_device *device)
{
	struct lp_port_link now = {0};

	if (device->has_kernel)
		lp_netdev_state(&device->kernel, &now);
	else
		(void)rte_eth_dev_get_mtu(device->port_id, &now.mtu);
	return now.mtu;
}

/* Many vdevs have no such call, and carry what they were configured with. */
static void
apply_mtu(struct lp_dpdk_device *device, uint16_t mtu)
{
	int error;

	if (mtu_of(device) == mtu)
		return;
	lp_dpdk_log_listen();
	error = rte_eth_dev_set_mtu(device->port_id, mtu);
	if (error != 0)
		snprintf(device->mtu_why, sizeof(device->mtu_why),
		    "%.80s does not take an MTU of %u: %.120s", device->name,
		    mtu, lp_dpdk_log_complaint(strerror(-error)));
}

/* 33:33:ff and the last three bytes: RFC 2464, 7, and RFC 4291, 2.7.1. */
static void
put_group(struct rte_ether_addr *group, const struct lp_ip *ip)
{
	*group = (struct rte_ether_addr){
	    {0x33, 0x33, 0xff, ip->bytes[13], ip->bytes[14], ip->bytes[15]}};
}
