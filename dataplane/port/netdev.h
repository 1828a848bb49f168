/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network device as the kernel knows it: what a port asks about it before it
 * takes it, and while it has it.  All of AF_XDP, and the vdevs of DPDK that are
 * on an interface of the kernel.  Control thread only.
 */
#ifndef LP_PORT_NETDEV_H
#define LP_PORT_NETDEV_H

#include <net/if.h>

#include "dataplane/port/port.h"

struct lp_netdev {
	unsigned ifindex; /* never changes */
	int socket; /* to ask on */
	int groups; /* holds the multicast memberships; -1: none yet */
	int promiscuous; /* a socket that keeps it so; -1: it is not */
	char name[IF_NAMESIZE]; /* may change */
	char driver[32];
	int16_t numa_node; /* negative: none */
	/* Solicited-node groups joined: the last 3 bytes, sorted. */
	uint32_t *joined;
	size_t joined_count;
};

/* 0, or -errno and why: it does not exist. */
int lp_netdev_open(
    struct lp_netdev *device, const char *name, char why[LP_WHY_SIZE]);
void lp_netdev_close(struct lp_netdev *device);

/*
 * Whether a port may have it: what lp_netdev_check_owner() asks, its MTU, and
 * that an inline port takes nothing from the kernel or from a frame.  The last
 * is only warned of if the port was known before: what the host has done to its
 * device meanwhile is no reason to cut the wire.  0, or -errno and why not.
 */
int lp_netdev_check(const struct lp_netdev *device,
    const struct lp_port_object *object, bool known, char why[LP_WHY_SIZE]);

/*
 * Has it receive frames to whatever MAC, for as long as the socket is held by
 * anybody.  0, or -errno and why.
 */
int lp_netdev_promiscuous(struct lp_netdev *device, char why[LP_WHY_SIZE]);

/* Of these only the host's default route: an open port may lose its leave. */
int lp_netdev_check_route(const struct lp_netdev *device,
    const struct lp_port_object *object, char why[LP_WHY_SIZE]);

/*
 * That it is Ethernet, its host's default route, and the addresses that the
 * kernel holds.  The route of an inline port that was known before is only
 * warned of.
 */
int lp_netdev_check_owner(const struct lp_netdev *device,
    const struct lp_port_object *object, bool known, char why[LP_WHY_SIZE]);

/*
 * The error, which why explains, of an inline port; of one that was known
 * before a warning, and 0.
 */
int lp_netdev_excuse(int error, const struct lp_port_object *object, bool known,
    char why[LP_WHY_SIZE]);

/* Whether the kernel merges what it receives there (GRO, LRO). */
bool lp_netdev_merges(const struct lp_netdev *device);

/* Receive queues that are in use; at least 1. */
unsigned lp_netdev_queues(const struct lp_netdev *device);

/* Fills present, up, mtu, mac, speed_mbps and, if it is not up, why. */
void lp_netdev_state(struct lp_netdev *device, struct lp_port_link *link);

/* Joins the solicited-node groups of these addresses, leaves the others. */
int lp_netdev_groups(struct lp_netdev *device, const struct lp_ip *addresses,
    size_t count, char why[LP_WHY_SIZE]);

#endif
