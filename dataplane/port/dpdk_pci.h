/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI devices as sysfs shows them.  A device that the kernel drives is no
 * matter for DPDK to try: it may be what the host is reached by.
 */
#ifndef LP_PORT_DPDK_PCI_H
#define LP_PORT_DPDK_PCI_H

#include "proto/limits.h"

/*
 * sysfs is "/sys", but in tests.  0; -ENODEV and why: there is no such
 * device; -EBUSY and why: it is bound to a driver of the kernel.  Drivers that
 * share a device with DPDK (mlx4, mlx5, mana) are none of those.
 */
int lp_dpdk_pci_check(
    const char *sysfs, const char *name, char why[LP_WHY_SIZE]);

#endif
