/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devargs ("net_af_packet0,iface=eth1") before DPDK sees them: it is not made
 * for mistakes.  Control thread only, with EAL started.
 */
#ifndef LP_PORT_DPDK_DEVARGS_H
#define LP_PORT_DPDK_DEVARGS_H

#include "proto/limits.h"

/* 0, or -errno and why: they are malformed, or must not be. */
int lp_dpdk_devargs_check(const char *devargs, char why[LP_WHY_SIZE]);

#endif
