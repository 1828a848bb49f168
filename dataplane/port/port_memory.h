/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory port: a port without a device, for tests and benchmarks.
 *
 * The test is the wire: it injects frames that rx will hand out and takes
 * those that tx sent.  Both directions are bounded rings with one producer and
 * one consumer, so the test may be another thread than the worker.  The device
 * string is "NAME[,mac=02:00:00:00:00:01][,mtu=1500][,alone]".
 */
#ifndef LP_PORT_PORT_MEMORY_H
#define LP_PORT_PORT_MEMORY_H

#include "dataplane/port/port.h"

/* Frames that each direction holds. */
enum { LP_PORT_MEMORY_RING = 256 };

/* A frame to be received; false if the ring is full or it is too long. */
bool lp_port_memory_inject(struct lp_port *port, const void *bytes, size_t len);

/* The next frame sent: its length, cut to max in buf; 0 if there is none. */
size_t lp_port_memory_take(struct lp_port *port, void *buf, size_t max);

struct lp_port_memory_frame {
	const uint8_t *bytes;
	uint16_t len;
};

/*
 * For benchmarks: rx hands out these frames again and again, as many as it is
 * asked for, and tx counts and releases what it is given.  At a frame of
 * length 0 it stops, for good.  Borrowed until the next call; count 0 goes
 * back to the rings.  Not while a worker runs.
 */
void lp_port_memory_script(struct lp_port *port,
    const struct lp_port_memory_frame *frames, unsigned count);

/* What link() says from now on; both true when opened. */
void lp_port_memory_link(struct lp_port *port, bool present, bool up);

/* When the worker last said that it lives; 0: never. */
uint64_t lp_port_memory_beat(const struct lp_port *port);

/* How many addresses the last steer() named, and its generation. */
size_t lp_port_memory_steered(const struct lp_port *port, uint64_t *generation);

#endif
