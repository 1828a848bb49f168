/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attachment of a steering program to a device: a bpf_link, which the
 * keeper holds as well, so that the program outlives the process.
 */
#ifndef LP_PORT_XDP_LINK_H
#define LP_PORT_XDP_LINK_H

#include "dataplane/port/port.h"

struct lp_netdev;
struct lp_xdp_steer;

struct lp_xdp_link {
	int fd;
	bool adopted; /* a predecessor's */
	/* Adopted, and still with the predecessor's program in it. */
	bool pending;
	bool generic; /* not in the driver: slower */
	char why[96]; /* why generic */
};

/*
 * Takes the link that is kept for the device, if there is one, or puts the
 * program on it by a new one.  0, or -errno and why; the pool knows how long
 * -EBUSY is retried.
 */
int lp_xdp_link_open(struct lp_xdp_link *link, const struct lp_netdev *device,
    int program, const struct lp_pool *pool, struct lp_keep *keep,
    char why[LP_WHY_SIZE]);

/*
 * Puts the program into an adopted link, once it has sockets and addresses:
 * until then the predecessor's, whose sockets are gone, drops what is ours,
 * where one that knows nothing yet would give it to the kernel.  0 or -errno
 * and why.
 */
int lp_xdp_link_activate(struct lp_xdp_link *link, struct lp_xdp_steer *steer,
    int program, char why[LP_WHY_SIZE]);

/* Has the keeper hold it from now on. */
int lp_xdp_link_keep(
    const struct lp_xdp_link *link, const char *name, struct lp_keep *keep);

/* Takes the program off the device, whoever else holds the link. */
void lp_xdp_link_detach(
    struct lp_xdp_link *link, const char *name, struct lp_keep *keep);

/* Lets go: the program stays on the device if the keeper holds the link. */
void lp_xdp_link_close(struct lp_xdp_link *link);

/* Whether it is (still) attached to that device. */
bool lp_xdp_link_is_on(const struct lp_xdp_link *link, unsigned ifindex);

#endif
