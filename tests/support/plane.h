/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pipeline for tests: the test is the wire and the clock.
 *
 * The ports are memory, or devices of the back end that LP_TEST_BACKEND names
 * ("memory", "af_xdp", "dpdk"): the same tests hold on all of them.
 *
 * One plane a test program, made anew by plane_open(); what goes wrong in it
 * ends the program.  Unless it is told not to be, the wire is helpful: it
 * answers every question for a next hop (the MAC ends in the last byte of the
 * address) and swallows announcements, so that a test sees TCP and ICMP alone.
 */
#ifndef LP_TESTS_SUPPORT_PLANE_H
#define LP_TESTS_SUPPORT_PLANE_H

#include "dataplane/pipeline/pipeline.h"
#include "dataplane/snapshot.h"
#include "proto/config.h"
#include "tests/support/packet.h"

enum {
	PLANE_OUT_MAX = 4096, /* frames kept of one port */
	PLANE_START_S = 1000,
};

/* Frames that left by one port and have not been looked at. */
struct plane_out {
	struct packet *frames;
	unsigned head, tail;
};

struct plane {
	enum lp_backend backend;
	struct lp_config config;
	struct lp_region region;
	struct lp_pool *pool;
	struct lp_snapshot_cell cell;
	struct lp_open_ports ports; /* as the next snapshot sees them */
	struct lp_port *wires[LP_PORTS_MAX]; /* all that were opened */
	struct lp_pipeline *pipeline;
	struct plane_out out[LP_PORTS_MAX];
	uint64_t now_ns;
	uint64_t generation; /* of steering */
	uint64_t seed;
	bool helpful;
	uint16_t nat; /* what "$" stands for in a packet's text */
	char text[PACKET_TEXT_SIZE]; /* of the frame taken last */
	struct packet frame; /* the frame taken last */
};
extern struct plane plane;

/*
 * The configuration of most tests.  IPv4 and IPv6, clients on port FRONT (slot
 * 0), brokers on port BACK (slot 1), see tests/proto/objects.h; and LEGACY, a
 * listener of cluster payments with preserved source addresses:
 * 10.9.0.101:9092, endpoints :9100 and :9101.
 */
enum { FRONT_SLOT = 0, BACK_SLOT = 1 };
/* Of the bump that some tests have beside them. */
enum { LEFT_SLOT = 2, RIGHT_SLOT = 3 };
enum { LEGACY = 20, LEGACY_0, LEGACY_1, ORDERS_LEGACY, ORDERS_LEGACY_1 };
void plane_config(struct lp_config *config);

/* Of all its listeners; plane_config() leaves them off: tests look at streams
 * as they are. */
void plane_config_rewrite(struct lp_config *config, enum lp_rewriting how);

/* Opens all with plane_config(), so many connections.  In plane_config.c. */
void plane_open(uint32_t connections);

/* Without a snapshot, and with that configuration, which the plane takes. */
void plane_open_with(uint32_t connections, struct lp_config *config);

/*
 * Ends the plane: every buffer must be back, and every packet received must
 * have one verdict and one reason.
 */
void plane_close(void);

/*
 * As if it had been opened just now, with the same configuration and ports:
 * no connection, a new pipeline, and the time of the start.  Counters go on.
 */
void plane_reset(void);

/* What LP_TEST_BACKEND says, which this build must have. */
enum lp_backend plane_backend(void);

/* For tests whose nature needs the rings of memory ports. */
bool plane_on_memory(void);

/* The ledger of buffers and the reasons add up; checked after every turn. */
void plane_check(void);

/*
 * Opens a port for that port object: "mac=...", "mtu=...", "alone", "inline" or
 * "".
 */
void plane_port(uint8_t slot, uint32_t port_id, const char *options);

/* A snapshot of plane.config as it is now; the old one is freed. */
void plane_publish(void);

/* Another process takes the region over: the pipeline is made anew. */
void plane_restart(void);

/*
 * Turns until nothing moves any more.  Each may only change of a connection
 * what a process that dies in it could take back.
 */
void plane_run(void);

/* Time goes by, then turns. */
void plane_wait_ms(uint64_t ms);

/* A frame in, and turns; text as of packet.h, "$" is plane.nat. */
void plane_in(uint8_t slot, const char *text);
/* The same without a turn. */
void plane_queue(uint8_t slot, const char *text);
/* The frame of that text; to the MAC of the port in that slot without dmac= */
void plane_build(struct packet *packet, uint8_t slot, const char *text);
/* Bytes, as they are; false if there is no room for them. */
bool plane_inject(uint8_t slot, const void *bytes, size_t len);

/* The next frame out of that port matches; ":$*" also notes its source port. */
void plane_expect(uint8_t slot, const char *text);
/* It is taken and described; false if there is none. */
bool plane_take(uint8_t slot);
/* Nothing has left by any port. */
void plane_quiet(void);
/* The port of the source in a text, "10.8.0.10:1234" or "[...]:1234". */
uint16_t plane_source_port(const char *text);
/* Forgets all frames that have left. */
void plane_forget(void);

/* Counters. */
uint64_t plane_reason(enum lp_reason reason);

/*
 * Frames that the ports have left to the kernel: none where there are no
 * others on the device.  What is left so would have been dropped, or only
 * learnt from, for one of the reasons that may pass.
 */
uint64_t plane_passed(void);
bool plane_may_pass(enum lp_reason reason);

/* Frames that inline ports have given to their peers by themselves. */
uint64_t plane_wired(void);

/* A connection of the region in use, or NULL: number n of them. */
struct lp_conn *plane_connection(unsigned n);
unsigned plane_connections(void);

enum plane_way {
	PLANE_IN,
	PLANE_OUT,
	PLANE_WAIT_MS, /* text: how long */
	PLANE_STATE, /* text: TCP state of the only connection */
	/* text: a reason that has counted, or may pass and has, since asked */
	PLANE_REASON,
};

struct plane_row {
	enum plane_way way;
	uint8_t slot;
	const char *text;
};

/* Runs the rows; after every step what left must be in OUT rows. */
void plane_rows(const struct plane_row rows[], unsigned count);
#define PLANE_ROWS(rows) plane_rows(rows, sizeof(rows) / sizeof((rows)[0]))

#endif
