/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests of AF_XDP ports share: a network namespace of their own, where
 * near0..near2 are the devices of ports and far0..far2 the other ends of the
 * veths, with raw sockets of the test; and a keep in the process.
 */
#ifndef LP_TESTS_PORT_LAB_H
#define LP_TESTS_PORT_LAB_H

#include "dataplane/keep.h"
#include "dataplane/port/port.h"
#include "tests/support/veth.h"

enum {
	LAB_FRAME_MAX = 2048,
	LAB_PORTS = 3,
	LAB_BUFFERS = LP_BUFFERS_MIN,
};

/* A keep that holds descriptors in this process. */
struct lp_keep {
	struct {
		char name[LP_KEEP_NAME_SIZE];
		int fd;
	} kept[16];
	unsigned count;
	int to; /* a socket that gets a copy of what is put; -1: none */
};

struct port_lab {
	uint8_t ledger[LAB_BUFFERS];
	struct lp_pool *pool;
	struct lp_port *ports[LAB_PORTS];
	int wires[LAB_PORTS]; /* on the far ends */
	struct lp_keep keep;
	char why[LP_WHY_SIZE];
};

extern struct port_lab port_lab;

/* The fixture; after a test no buffer may be missing. */
void port_lab_setup(void);
void port_lab_teardown(void);

/* A new pool, as a successor has it. */
void port_lab_open_pool(void);

/* Port i on near<i>, with the address 10.0.0.<i>, alive. */
struct lp_port_config port_lab_config(int i);
void port_lab_open(int i, struct lp_keep *keep);
void port_lab_steer(int i);
void port_lab_close(int i);

/* A frame that ends in that byte goes out of far<i>, to port i. */
void port_lab_send(int i, uint8_t last);

/* Waits until the port has handed out so many; returns how many. */
unsigned port_lab_rx(int i, struct lp_pkt pkts[], unsigned count);
void port_lab_tx(int i, struct lp_pkt *pkt);
void port_lab_release(struct lp_pkt *pkt);

/* What comes in at one port goes out of the other. */
void port_lab_passage(int in, int out, uint8_t last);

uint64_t port_lab_counter(int i, const char *name);

/* Runs the tests of that one case; what main() returns. */
struct TCase;
int port_lab_main(const char *name, void (*add)(struct TCase *tcase));

/* The next frame with that EtherType and last byte; 0: none in time. */
size_t port_lab_receive(int wire, uint16_t type, uint8_t last, uint8_t *frame);

/* An address of text. */
struct lp_ip port_lab_ip(const char *text);

/* A UDP/IPv4 frame of 64 bytes; `last` is its last byte. Returns its size. */
size_t port_lab_udp(uint8_t *frame, const uint8_t to[6], const char *source,
    const char *destination, uint8_t last);

/* An ARP request of 60 bytes, to all. */
size_t port_lab_arp(uint8_t *frame, const char *target, uint8_t last);

#endif
