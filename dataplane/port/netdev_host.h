/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host itself does with its devices: its addresses and routes.  Named
 * by the device, asked at that moment.  Control thread only.
 */
#ifndef LP_PORT_NETDEV_HOST_H
#define LP_PORT_NETDEV_HOST_H

#include "dataplane/port/port.h"

/* Every address that the kernel holds, on any device.  0 or -errno. */
int lp_netdev_host_addresses(lp_port_host_address *each, void *arg);

/* Those below: 0, or -errno and why not. */

/*
 * That the host's default route does not go by the device, or by the bridge or
 * bond that it is part of.
 */
int lp_netdev_host_route(const char *device, char why[LP_WHY_SIZE]);

/*
 * That the kernel has no address there, and no device on top of it, which an
 * inline port would cut off.
 */
int lp_netdev_host_unused(const char *device, char why[LP_WHY_SIZE]);

/* That the kernel holds none of a port's own: both would answer for it. */
int lp_netdev_host_own(
    const struct lp_port_object *object, char why[LP_WHY_SIZE]);

#endif
