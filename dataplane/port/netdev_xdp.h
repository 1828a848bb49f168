/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device's driver says that it can do with XDP (Linux 6.3, the netlink
 * family netdev).  Control thread only.
 */
#ifndef LP_PORT_NETDEV_XDP_H
#define LP_PORT_NETDEV_XDP_H

#include <stdint.h>

/* As in linux/netdev.h, which the oldest headers that we build with lack. */
enum {
	LP_NETDEV_XDP_NDO_XMIT = 4, /* sends what is redirected to it */
};

/* 0, or -errno: an older kernel does not know. */
int lp_netdev_xdp_features(unsigned ifindex, uint64_t *features);

#endif
