/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests of DPDK ports share.  Each test is a process of its own, with an
 * EAL on plain pages, a pool, a network namespace and a directory, which is
 * the working directory, too.
 */
#ifndef LP_TESTS_DPDK_LAB_H
#define LP_TESTS_DPDK_LAB_H

#include <check.h>
#include <limits.h>

#include "dataplane/port/port.h"
#include "tests/support/veth.h"

enum {
	DPDK_LAB_FRAME_MAX = 16384,
	DPDK_LAB_WAIT_MS = 60000,
	DPDK_LAB_BUFFERS = LP_BUFFERS_MIN,
};

struct dpdk_lab {
	struct lp_pool *pool;
	char why[LP_WHY_SIZE];
	char directory[PATH_MAX];
	/* Buffers that a driver is known not to give back. */
	uint32_t lost;
};

extern struct dpdk_lab dpdk_lab;

/* The fixture; after a test no buffer may be missing. */
void dpdk_lab_setup(void);
void dpdk_lab_teardown(void);

/* A namespace and a directory, and no pool; the directory goes in leave. */
void dpdk_lab_enter(void);
void dpdk_lab_leave(void);

/* Instead of the pool of the fixture, one whose buffers hold that MTU. */
void dpdk_lab_open_pool(uint16_t mtu);

/* near<i> and far<i>, both up. */
void dpdk_lab_veth(int i);

struct lp_port_config dpdk_lab_config(const char *devargs);
struct lp_port *dpdk_lab_open(const char *devargs);
void dpdk_lab_close(struct lp_port *port);
/* Opening is refused with that error and a line that has those words. */
void dpdk_lab_refused(
    const struct lp_port_config *config, int error, const char *words);

/* Waits until the port has handed out so many; returns how many. */
unsigned dpdk_lab_rx(struct lp_port *port, struct lp_pkt pkts[], unsigned n);
/* A new packet with these bytes goes out. */
void dpdk_lab_tx(struct lp_port *port, const uint8_t *frame, size_t len);
void dpdk_lab_release(struct lp_pkt *pkt);

uint64_t dpdk_lab_counter(const struct lp_port *port, const char *name);
struct lp_port_link dpdk_lab_link(struct lp_port *port);
/* Calls rx until that counter has that value: nothing may come out. */
void dpdk_lab_await_counter(
    struct lp_port *port, const char *name, uint64_t value);
void dpdk_lab_await_link(struct lp_port *port, bool up);

/* The next frame with that EtherType that came in there; 0: none in time. */
size_t dpdk_lab_receive(int wire, uint16_t type, uint8_t *frame);

/*
 * A frame of that length, from 02:00:00:00:00:01, whose payload depends on
 * seed.  Returns len.
 */
size_t dpdk_lab_frame(uint8_t *frame, const uint8_t to[6], uint16_t type,
    size_t len, unsigned seed);

/* Runs the tests of that one case; what main() returns. */
int dpdk_lab_main(const char *name, void (*add)(TCase *tcase));
/* The same, without a fixture. */
int dpdk_lab_main_bare(const char *name, void (*add)(TCase *tcase));

#endif
