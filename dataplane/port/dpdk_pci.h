/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI devices as sysfs shows them.  A device that the kernel drives is no
 * matter for DPDK to try: it may be what the host is reached by.
 */
#ifndef LP_PORT_DPDK_PCI_H
#define LP_PORT_DPDK_PCI_H

#include <stdbool.h>

#include "proto/limits.h"

enum { LP_DPDK_PCI_NAME_SIZE = sizeof("ffffffff:00:00.0") };

/*
 * Devargs that begin with a PCI address, "0000:03:00.0" or "3:0.0", with or
 * without "pci:": true, and the name as sysfs and DPDK write it.
 */
bool lp_dpdk_pci_name(const char *devargs, char name[LP_DPDK_PCI_NAME_SIZE]);

/*
 * sysfs is "/sys", but in tests.  0; -ENODEV and why: there is no such
 * device; -EBUSY and why: it is bound to a driver of the kernel.  Drivers that
 * share a device with DPDK (mlx4, mlx5, mana) are none of those.
 */
int lp_dpdk_pci_check(
    const char *sysfs, const char *name, char why[LP_WHY_SIZE]);

#endif
