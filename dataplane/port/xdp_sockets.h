/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AF_XDP sockets of one port: one for every receive queue of its device.
 *
 * The packet memory is registered with the kernel once for every port, not
 * once for all of them: a shared registration would tie all ports to the
 * socket that was bound first, and to its copy mode.  Which kernel object a
 * buffer is registered with does not matter to the buffer: any port transmits
 * what any other received.
 */
#ifndef LP_PORT_XDP_SOCKETS_H
#define LP_PORT_XDP_SOCKETS_H

#include <linux/if_xdp.h>
#include <xdp/xsk.h>

#include "dataplane/port/pool.h"

struct lp_netdev;

struct lp_xdp_queue {
	struct xsk_ring_cons rx;
	struct xsk_ring_prod fill;
	struct xsk_ring_cons done; /* completions */
	struct xsk_socket *socket;
	int fd;
	uint32_t filled; /* worker: buffers in fill and rx */
};

struct lp_xdp_sockets {
	struct xsk_umem *umem;
	/*
	 * One worker has the port, so one transmit queue is enough: that of
	 * the first socket.
	 */
	struct xsk_ring_prod tx;
	uint32_t ring_size; /* of every ring */
	unsigned count;
	bool zero_copy;
	char why[96]; /* why not zero-copy */
	struct lp_xdp_queue queues[LP_PORT_QUEUES_MAX];
};

/*
 * Binds `count` sockets.  Zero-copy if the driver can, and copy_why is NULL;
 * else copy.  0, or -errno and why; -EBUSY is retried for a second.
 */
int lp_xdp_sockets_open(struct lp_xdp_sockets *sockets,
    const struct lp_netdev *device, const struct lp_pool *pool, unsigned count,
    uint32_t ring_size, const char *copy_why, char why[LP_WHY_SIZE]);
void lp_xdp_sockets_close(struct lp_xdp_sockets *sockets);

/*
 * Waits, after close, until the device has let go of our buffers: the kernel
 * takes it apart later, and a zero-copy driver may write into them until then.
 * The queues can be bound again when it is done, so that is what is tried,
 * with two buffers that nobody fills.
 */
void lp_xdp_sockets_await(struct lp_xdp_sockets *sockets,
    const struct lp_netdev *device, const struct lp_pool *pool);

/* Sums over the sockets; what cannot be read counts as zero. */
void lp_xdp_sockets_statistics(
    const struct lp_xdp_sockets *sockets, struct xdp_statistics *sum);

#endif
