/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devargs ("net_af_packet0,iface=eth1") as DPDK reads them, before it acts on
 * them.  Control thread only, with EAL started.
 */
#ifndef LP_PORT_DPDK_DEVARGS_H
#define LP_PORT_DPDK_DEVARGS_H

#include <rte_dev.h>

#include "proto/limits.h"

struct lp_dpdk_devargs {
	char bus[32]; /* "vdev", "pci" */
	char name[RTE_DEV_NAME_MAX_LEN]; /* "net_af_packet0", "0000:03:00.0" */
};

/* 0, or -errno and why: DPDK makes nothing of it, or must not. */
int lp_dpdk_devargs_parse(
    struct lp_dpdk_devargs *parsed, const char *devargs, char why[LP_WHY_SIZE]);

#endif
