/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device of a DPDK port, as DPDK itself writes it: a name, and arguments
 * behind commas.
 *
 *	0000:03:00.0,key=value		a PCI address; domain and "pci:" may
 *					be left out
 *	net_memif0,role=client		a virtual device
 *
 * Only the name is looked at here: arguments are the drivers' own.
 */
#ifndef LP_PROTO_DEVARGS_H
#define LP_PROTO_DEVARGS_H

#include <stdbool.h>

#include "proto/limits.h"

/* Whether they name a device: 0, or -EINVAL and why not. */
int lp_devargs_check(const char *devargs, char why[LP_WHY_SIZE]);

/*
 * The name alone, the same one for every way to write it: true for that of a
 * PCI device.
 */
bool lp_devargs_name(char name[LP_DEVICE_SIZE], const char *devargs);

/* Like strcmp(), but of the devices that they name: 0 for the same one. */
int lp_devargs_compare(const char *a, const char *b);

#endif
