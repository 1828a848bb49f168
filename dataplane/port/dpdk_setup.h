/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Setting up an ethdev: queues, offloads, MTU, multicast.  Control thread only.
 */
#ifndef LP_PORT_DPDK_SETUP_H
#define LP_PORT_DPDK_SETUP_H

#include "dataplane/port/dpdk_device.h"

/*
 * Starts it with that MTU, 0 for its own; one that fits, but that the device
 * does not take, shows in its state.  0, or -errno and why.
 */
int lp_dpdk_setup_start(struct lp_dpdk_device *device, uint16_t mtu,
    struct lp_dpdk_pool *pool, char why[LP_WHY_SIZE]);

/*
 * Whether it may get another MTU while it runs, 0 for its own.  0, or -errno
 * and why not.
 */
int lp_dpdk_setup_check_mtu(struct lp_dpdk_device *device, uint16_t mtu,
    const struct lp_dpdk_pool *pool, char why[LP_WHY_SIZE]);

/*
 * Another MTU, 0 for its own, while it runs; that it does not take it shows in
 * its state.
 */
void lp_dpdk_setup_mtu(struct lp_dpdk_device *device, uint16_t mtu,
    const struct lp_dpdk_pool *pool);

/* Lets it receive frames to whatever MAC.  0, or -errno and why. */
int lp_dpdk_setup_promiscuous(
    struct lp_dpdk_device *device, char why[LP_WHY_SIZE]);

/*
 * Lets it receive the solicited-node groups of these addresses.  0, or -errno
 * and why.
 */
int lp_dpdk_setup_groups(struct lp_dpdk_device *device,
    const struct lp_ip *addresses, size_t count, char why[LP_WHY_SIZE]);

#endif
