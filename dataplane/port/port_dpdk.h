/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DPDK port, as its two halves share it: port_dpdk.c (control) and
 * port_dpdk_io.c (worker).
 */
#ifndef LP_PORT_PORT_DPDK_H
#define LP_PORT_PORT_DPDK_H

#include <stdatomic.h>

#include "dataplane/pipeline/stats.h"
#include "dataplane/port/dpdk_device.h"

/* Counters of its own; the worker writes, control reads. */
struct lp_port_dpdk_io {
	lp_counter rx_packets;
	lp_counter rx_bytes;
	lp_counter rx_other_host; /* to another MAC, or sent by ours */
	lp_counter rx_too_long; /* more than one buffer */
	lp_counter tx_packets;
	lp_counter tx_bytes;
};

struct lp_port_dpdk {
	struct lp_port port;

	/* control */
	struct lp_dpdk_pool *pool;
	struct lp_dpdk_device device;
	uint16_t mtu_wanted; /* 0: the device's own */

	/* worker, once it is open */
	_Alignas(64) uint16_t port_id;
	uint16_t queues;
	uint16_t first_queue; /* to ask, so that none starves */
	bool is_inline; /* frames to whatever MAC are for us */
	/* control writes, worker reads: as in port.mac */
	_Atomic uint64_t mac;
	/* The same, or none: frames from it are our host's own. */
	_Atomic uint64_t own;
	_Alignas(64) struct lp_port_dpdk_io io;
};

static inline struct lp_port_dpdk *
lp_port_dpdk_of(struct lp_port *port)
{
	assert(port->ops == &lp_port_dpdk_ops);
	return (struct lp_port_dpdk *)port;
}

/* No six bytes are as large. */
enum { LP_PORT_DPDK_NO_MAC = -1 };

/* The six bytes of a MAC, as two frames that begin with it compare. */
static inline uint64_t
lp_port_dpdk_mac(const uint8_t mac[6])
{
	uint64_t value = 0;

	memcpy(&value, mac, 6);
	return value;
}

/* worker: as in struct lp_backend_ops. */
unsigned lp_port_dpdk_io_rx(
    struct lp_port *port, struct lp_pkt pkts[], unsigned max);
unsigned lp_port_dpdk_io_tx(
    struct lp_port *port, struct lp_pkt *pkts[], unsigned count);

#endif
