/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One memif port, by DPDK, in the role of the client: one queue to send, and
 * as many to receive as the other end has to send.
 *
 * Whatever goes wrong ends the process: a benchmark has nobody to tell.
 */
#ifndef LP_BENCH_MEMIF_LINK_H
#define LP_BENCH_MEMIF_LINK_H

#include <rte_ethdev.h>
#include <rte_mbuf.h>

enum {
	LINK_RING = 1024, /* frames each way */
	LINK_BURST = 32,
	LINK_TIMEOUT_S = 10,
};

struct link {
	uint16_t port;
	uint16_t queues; /* to receive from */
	uint16_t queue; /* the last one that had something */
	struct rte_mempool *pool; /* what is received, and lone frames */
};

/* Returns once the server of that socket has accepted. */
void link_open(
    struct link *link, const char *socket, unsigned cpu, unsigned queues);
void link_close(struct link *link);

/* Buffers that all begin with the same frame, and keep it. */
struct rte_mempool *link_pool(
    const char *name, const uint8_t *frame, uint16_t len);

/* At most a burst, from one of the queues. */
unsigned link_receive(struct link *link, struct rte_mbuf *buffers[LINK_BURST]);

/* A copy of one frame; false if there is no room. */
bool link_send(struct link *link, const uint8_t *frame, uint16_t len);

#endif
