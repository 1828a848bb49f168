/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire behind the ports of a plane: the test is at its other end.
 *
 *	wire_memory	the rings of memory ports
 *	wire_veth	real devices in a network namespace; for AF_XDP and DPDK
 *
 * One wire a program.  What goes wrong on it ends the program.
 */
#ifndef LP_TESTS_SUPPORT_WIRE_H
#define LP_TESTS_SUPPORT_WIRE_H

#include "dataplane/port/port.h"

struct wire_ops {
	/* A place with no ports yet; false: not possible on this machine. */
	bool (*enter)(const struct lp_backend_ops *backend);

	/*
	 * A port on a device of its own, as the pipeline is to see it; options
	 * "mac=...,mtu=...,inline" or "".
	 */
	struct lp_port *(*open)(
	    uint8_t slot, struct lp_pool *pool, const char *options);
	/* Also reclaims the buffers in its rings, and looks for frames left. */
	void (*close)(uint8_t slot);
	void (*steer)(uint8_t slot, const struct lp_steer *steer);

	/* A frame in; false: no room. */
	bool (*inject)(uint8_t slot, const void *bytes, size_t len);
	/* Waits until what was injected is where it goes: NULL: it is. */
	void (*settle)(void);
	/* The next frame out, cut to max; 0: all that were sent are taken. */
	size_t (*take)(uint8_t slot, void *buf, size_t max);

	/* Frames that the pipeline has received of that port. */
	uint64_t (*received)(uint8_t slot);
	/*
	 * Frames in that the port has given to its peer by itself; take has
	 * them there.  NULL: none.
	 */
	uint64_t (*wired)(uint8_t slot);
	/* Frames in that the port has left to others.  NULL: none. */
	uint64_t (*passed)(uint8_t slot);
};

extern const struct wire_ops wire_memory;
extern const struct wire_ops wire_veth;

/* The counter of that name, or 0 if the port has none. */
uint64_t wire_counter(const struct lp_port *port, const char *name);

#endif
