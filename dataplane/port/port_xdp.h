/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AF_XDP port, as its two halves share it: port_xdp.c (control) and
 * port_xdp_io.c (worker).
 */
#ifndef LP_PORT_PORT_XDP_H
#define LP_PORT_PORT_XDP_H

#include <stdatomic.h>

#include "dataplane/pipeline/stats.h"
#include "dataplane/port/netdev.h"
#include "dataplane/port/pool.h"
#include "dataplane/port/xdp_link.h"
#include "dataplane/port/xdp_sockets.h"
#include "dataplane/port/xdp_steer.h"

/* Counters of its own; the worker writes, control reads. */
struct lp_port_xdp_io {
	lp_counter rx_packets;
	lp_counter rx_bytes;
	lp_counter tx_packets;
	lp_counter tx_bytes;
	lp_counter tx_errors; /* wake-ups that the kernel refused */
	lp_counter copies_lost; /* no buffer for a copy */
};

struct lp_port_xdp {
	struct lp_port port;
	struct lp_pool *pool;

	/* control */
	struct lp_keep *keep;
	char name[IF_NAMESIZE]; /* of the device, when it was opened */
	struct lp_netdev device;
	struct lp_xdp_link link;

	/* Both set it, and nobody takes it back: the device has vanished. */
	atomic_bool gone;

	/* worker, once it is open */
	_Alignas(64) struct lp_xdp_sockets sockets;
	struct lp_xdp_steer steer;
	unsigned first_queue; /* to ask, so that none starves */
	unsigned copies_turn;
	uint32_t sending; /* buffers in the tx and completion rings */
	struct lp_pkt *copies; /* where the next copy goes */
	unsigned copies_left;
	_Alignas(64) struct lp_port_xdp_io io;
};

static inline struct lp_port_xdp *
lp_port_xdp_of(struct lp_port *port)
{
	assert(port->ops == &lp_port_xdp_ops);
	return (struct lp_port_xdp *)port;
}

/* worker: as in struct lp_backend_ops. */
unsigned lp_port_xdp_io_rx(
    struct lp_port *port, struct lp_pkt pkts[], unsigned max);
unsigned lp_port_xdp_io_tx(
    struct lp_port *port, struct lp_pkt *pkts[], unsigned count);
unsigned lp_port_xdp_io_room(struct lp_port *port, unsigned most);
void lp_port_xdp_io_flush(struct lp_port *port);
unsigned lp_port_xdp_io_fds(
    const struct lp_port *port, int fds[], unsigned max);

/* worker: takes a copy of an ARP or ND frame; false if the batch is full. */
bool lp_port_xdp_io_copy(void *port, const void *bytes, size_t len);

#endif
