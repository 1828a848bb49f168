/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet buffers of DPDK ports: one mempool a NUMA node, made when the
 * first port on that node is opened; that of node 0 at once, for packets of
 * our own and devices of no node, and out of what memory there is.  Where
 * memory has no nodes (plain pages, or one node), it is the only one.
 *
 * An mbuf is at home in its mempool: free there, in a ring of a device, or
 * with the worker.  Devices take and give them by themselves, so that the
 * ledger of the region has nothing to say about them; what the worker hands
 * back is asserted to be whole.
 */
#ifndef LP_PORT_DPDK_POOL_H
#define LP_PORT_DPDK_POOL_H

#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <stdatomic.h>

#include "dataplane/port/budget.h"
#include "dataplane/port/port.h"

/* RTE_MAX_NUMA_NODES would do, but our limits are ours. */
enum { LP_DPDK_NODES_MAX = 8 };

/* What the port interface calls struct lp_pool. */
struct lp_dpdk_pool {
	/* By NUMA node; control writes, worker reads. */
	_Atomic(struct rte_mempool *) pools[LP_DPDK_NODES_MAX];
	uint32_t count; /* buffers in each */
	uint16_t mtu; /* that a buffer holds, behind its Ethernet header */
	struct lp_budget budget; /* control */
	uint32_t kept; /* of the budget, for good */
	_Atomic int worker_node; /* NUMA, if it is pinned to one; else -1 */
};

static inline struct lp_dpdk_pool *
lp_dpdk_pool_of(struct lp_pool *pool)
{
	return (struct lp_dpdk_pool *)pool;
}

/*
 * control: whether there is one mempool for all, so that all that a device
 * sends is of that one.
 */
bool lp_dpdk_pool_is_one(void);

/* control: the mempool of that node; NULL and why: no memory there. */
struct rte_mempool *lp_dpdk_pool_on(
    struct lp_dpdk_pool *pool, int node, char why[LP_WHY_SIZE]);

/* Gives back what the cache of this thread holds. */
void lp_dpdk_pool_settle(struct lp_dpdk_pool *pool);

/* As in struct lp_backend_ops. */
int lp_dpdk_pool_open(struct lp_pool **pool,
    const struct lp_pool_config *config, char why[LP_WHY_SIZE]);
void lp_dpdk_pool_close(struct lp_pool *pool);
int lp_dpdk_pool_enter(struct lp_pool *pool);
void lp_dpdk_pool_leave(struct lp_pool *pool);
bool lp_dpdk_pool_alloc(struct lp_pool *pool, struct lp_pkt *pkt);
void lp_dpdk_pool_release(
    struct lp_pool *pool, struct lp_pkt *pkts[], unsigned count);
uint32_t lp_dpdk_pool_free_count(const struct lp_pool *pool);

/* A packet in that mbuf, which is one segment; otherwise blank. */
static inline void
lp_dpdk_pool_pkt_init(struct lp_pkt *pkt, struct rte_mbuf *mbuf)
{
	*pkt = (struct lp_pkt){
	    .data = rte_pktmbuf_mtod(mbuf, uint8_t *),
	    .buf = (uintptr_t)mbuf,
	    .conn = LP_CONN_NONE,
	    .len = mbuf->data_len,
	    .verdict = LP_UNDECIDED,
	    .port_in = LP_PORT_NONE,
	    .port_out = LP_PORT_NONE,
	};
}

/* The mbuf of a packet, which goes away: still whole, and ours alone. */
static inline struct rte_mbuf *
lp_dpdk_pool_mbuf(const struct lp_pkt *pkt)
{
	struct rte_mbuf *mbuf = (struct rte_mbuf *)(uintptr_t)pkt->buf;

	assert(rte_mbuf_refcnt_read(mbuf) == 1);
	return mbuf;
}

#endif
