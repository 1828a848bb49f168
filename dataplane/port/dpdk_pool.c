/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 * A cache of mbufs belongs to an lcore, and a thread that DPDK has not made
 * has none: it would go to the shared ring for each buffer.  So the worker is
 * registered as one (enter, leave).  Control is lcore 0, and empties its cache
 * whenever it is done.
 *
 * Limits: --buffers is for each NUMA node that has a port, and for node 0.
 */
#include "dataplane/port/dpdk_pool.h"

#include <errno.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/port/dpdk_eal.h"

enum {
	CACHE_SIZE = RTE_MEMPOOL_CACHE_MAX_SIZE,
	/* Ethernet, and a VLAN tag that a device may not have stripped. */
	FRAME_EXTRA = 18,
	/* Below it, devices have ideas of their own. */
	ROOM_MIN = 2048,
	/* Of a mempool for each buffer, besides: its header, and padding. */
	BUFFER_EXTRA = 192,
};

static_assert(RTE_PKTMBUF_HEADROOM >= LP_PORT_META_SIZE, "room in front");

static uint16_t room_of(uint16_t mtu);
static struct rte_mempool *make(
    const struct lp_dpdk_pool *pool, int number, int node);
static int pinned_node(void);

int
lp_dpdk_pool_open(struct lp_pool **out, const struct lp_pool_config *config,
    char why[LP_WHY_SIZE])
{
	uint32_t count = config->buffer_count;
	struct lp_dpdk_pool *pool;
	uint16_t mtu;
	int error;

	assert(count >= LP_BUFFERS_MIN && count <= LP_BUFFERS_MAX);
	assert(config->mtu == 0 || config->mtu <= LP_PORT_MTU_MAX);
	mtu = (uint16_t)(room_of(config->mtu) - FRAME_EXTRA);
	error = lp_dpdk_eal_start(config->arguments, count,
	    sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM +
		room_of(config->mtu) + BUFFER_EXTRA,
	    why);
	if (error != 0)
		return error;
	pool = calloc(1, sizeof(*pool));
	if (pool == NULL) {
		snprintf(why, LP_WHY_SIZE, "no memory");
		return -ENOMEM;
	}
	pool->count = count;
	pool->mtu = mtu;
	pool->budget.count = count;
	atomic_init(&pool->worker_node, -1);
	/* Packets of our own need one, wherever ports will be. */
	if (lp_dpdk_pool_on(pool, 0, why) == NULL) {
		free(pool);
		return -ENOMEM;
	}
	*out = (struct lp_pool *)pool;
	return 0;
}

void
lp_dpdk_pool_close(struct lp_pool *closed)
{
	struct lp_dpdk_pool *pool = lp_dpdk_pool_of(closed);

	if (pool == NULL)
		return;
	assert(pool->budget.reserved == pool->kept);
	for (unsigned i = 0; i < LP_DPDK_NODES_MAX; i++)
		rte_mempool_free(atomic_load(&pool->pools[i]));
	free(pool);
}

bool
lp_dpdk_pool_is_one(void)
{
	return !rte_eal_has_hugepages() || rte_socket_count() <= 1;
}

struct rte_mempool *
lp_dpdk_pool_on(struct lp_dpdk_pool *pool, int node, char why[LP_WHY_SIZE])
{
	struct rte_mempool *mempool;

	/* A device without a node, or one that we have no place for. */
	if (node < 0 || node >= LP_DPDK_NODES_MAX || lp_dpdk_pool_is_one())
		node = 0;
	mempool = atomic_load(&pool->pools[node]);
	if (mempool != NULL)
		return mempool;
	mempool = make(pool, node, node);
	/* Without that of node 0 there is no port anywhere. */
	if (mempool == NULL && node == 0)
		mempool = make(pool, node, SOCKET_ID_ANY);
	if (mempool == NULL) {
		snprintf(why, LP_WHY_SIZE,
		    "no memory for %u packet buffers for an MTU of %u on NUMA "
		    "node %d: %s (--buffers, --mtu, or more hugepages)",
		    pool->count, pool->mtu, node, rte_strerror(rte_errno));
		return NULL;
	}
	atomic_store(&pool->pools[node], mempool);
	return mempool;
}

void
lp_dpdk_pool_settle(struct lp_dpdk_pool *pool)
{
	for (unsigned i = 0; i < LP_DPDK_NODES_MAX; i++) {
		struct rte_mempool *mempool = atomic_load(&pool->pools[i]);

		if (mempool != NULL)
			rte_mempool_cache_flush(NULL, mempool);
	}
}

int
lp_dpdk_pool_enter(struct lp_pool *entered)
{
	struct lp_dpdk_pool *pool = lp_dpdk_pool_of(entered);

	if (rte_thread_register() != 0)
		return -rte_errno;
	atomic_store(&pool->worker_node, pinned_node());
	return 0;
}

void
lp_dpdk_pool_leave(struct lp_pool *left)
{
	struct lp_dpdk_pool *pool = lp_dpdk_pool_of(left);

	lp_dpdk_pool_settle(pool);
	rte_thread_unregister();
}

/* From the mempool of the worker's own node, or of any. */
bool
lp_dpdk_pool_alloc(struct lp_pool *from, struct lp_pkt *pkt)
{
	struct lp_dpdk_pool *pool = lp_dpdk_pool_of(from);
	int own =
	    atomic_load_explicit(&pool->worker_node, memory_order_relaxed);
	unsigned first = own > 0 ? (unsigned)own : 0;
	struct rte_mbuf *mbuf = NULL;

	for (unsigned i = 0; mbuf == NULL && i < LP_DPDK_NODES_MAX; i++) {
		struct rte_mempool *mempool = atomic_load_explicit(
		    &pool->pools[(first + i) % LP_DPDK_NODES_MAX],
		    memory_order_acquire);

		if (mempool != NULL)
			mbuf = rte_pktmbuf_alloc(mempool);
	}
	if (mbuf == NULL)
		return false;
	lp_dpdk_pool_pkt_init(pkt, mbuf);
	return true;
}

void
lp_dpdk_pool_release(
    struct lp_pool *pool, struct lp_pkt *pkts[], unsigned count)
{
	(void)pool;
	for (unsigned i = 0; i < count; i++)
		rte_pktmbuf_free_seg(lp_dpdk_pool_mbuf(pkts[i]));
}

/*
 * What is missing in the mempool of another node is in use as well; so what
 * is in use is right for all, and never more than one of them holds.
 */
uint32_t
lp_dpdk_pool_free_count(const struct lp_pool *counted)
{
	struct lp_dpdk_pool *pool = lp_dpdk_pool_of((struct lp_pool *)counted);
	uint32_t used = 0;

	for (unsigned i = 0; i < LP_DPDK_NODES_MAX; i++) {
		struct rte_mempool *mempool =
		    atomic_load_explicit(&pool->pools[i], memory_order_acquire);
		unsigned free;

		if (mempool == NULL)
			continue;
		free = rte_mempool_avail_count(mempool);
		used += pool->count > free ? pool->count - free : 0;
	}
	return pool->count > used ? pool->count - used : 0;
}

/* Of a buffer, behind its headroom. */
static uint16_t
room_of(uint16_t mtu)
{
	uint16_t room = (uint16_t)RTE_ALIGN_CEIL(mtu + FRAME_EXTRA, 64);

	return room > ROOM_MIN ? room : ROOM_MIN;
}

/* Of that number, in memory of that node, which may be any. */
static struct rte_mempool *
make(const struct lp_dpdk_pool *pool, int number, int node)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "packets%d", number);
	return rte_pktmbuf_pool_create(name, pool->count, CACHE_SIZE, 0,
	    (uint16_t)(RTE_PKTMBUF_HEADROOM + FRAME_EXTRA + pool->mtu),
	    lp_dpdk_pool_is_one() ? SOCKET_ID_ANY : node);
}

/* Of the CPUs that this thread may run on; -1 if they are of several. */
static int
pinned_node(void)
{
	return rte_socket_id() == (unsigned)SOCKET_ID_ANY
	    ? -1
	    : (int)rte_socket_id();
}
