/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames for the packet path of world.h: connections opened and closed as TCP
 * does it, and the segments of those that are open.
 */
#ifndef LP_BENCH_TRAFFIC_H
#define LP_BENCH_TRAFFIC_H

#include "segment.h"
#include "world.h"

#define GATEWAY_IP "10.9.1.1"
#define FRONT_IP "10.9.1.10"
#define VIP_IP "10.9.1.100"
#define BROKER_IP "10.9.2.1"
#define BACK_IP "10.9.2.10"
#define SECOND_BACK_IP "10.9.2.11"

enum {
	ARP_LEN = 42,
	/* Of the SYNs. */
	TRAFFIC_CLIENT_SEQ = 1000,
	TRAFFIC_BROKER_SEQ = 5000,
};

/* A connection: what each end puts in front of its payload. */
struct flow {
	uint8_t head[2][HEAD_LEN]; /* by enum lp_direction */
};

/* Asks for our address on that port, and so tells its own. */
void traffic_arp(uint8_t frame[ARP_LEN], unsigned slot);

/*
 * Opens, or closes, at most LP_BATCH_MAX connections in three turns, a segment
 * of each in a turn; returns the cycles.  first numbers the clients.
 */
uint64_t traffic_open(
    struct world *world, struct flow flows[], uint32_t first, unsigned count);
uint64_t traffic_close(
    struct world *world, struct flow flows[], unsigned count);

/* Options as Linux has them once a connection is open: timestamps. */
void traffic_stamp(struct flow *flow);

/* Makes both heads those of data segments with that much payload. */
void traffic_set_payload(struct flow *flow, uint16_t len);

#endif
