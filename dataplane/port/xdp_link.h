/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attachment of a steering program to a device: a bpf_link, which the
 * keeper holds as well, so that the program outlives the process.
 */
#ifndef LP_PORT_XDP_LINK_H
#define LP_PORT_XDP_LINK_H

#include "dataplane/port/port.h"

struct lp_xdp_device;

struct lp_xdp_link {
	int fd;
	bool adopted; /* a predecessor's, with our program in it */
	bool generic; /* not in the driver: slower */
	char why[96]; /* why generic */
};

/*
 * Puts the program on the device: into the link that is kept for it, if there
 * is one, else into a new one.  0, or -errno and why; the pool knows how long
 * -EBUSY is retried.
 */
int lp_xdp_link_open(struct lp_xdp_link *link,
    const struct lp_xdp_device *device, int program, const struct lp_pool *pool,
    struct lp_keep *keep, char why[LP_WHY_SIZE]);

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
