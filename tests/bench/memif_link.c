/* SPDX-License-Identifier: Apache-2.0 */
#include "memif_link.h"

#include <err.h>
#include <rte_eal.h>
#include <stdio.h>

enum {
	BUFFERS = 4096, /* more than both rings and all caches hold */
	CACHE = 256,
	HEADROOM = RTE_PKTMBUF_HEADROOM,
	POLL_US = 1000,
};

struct content {
	const uint8_t *frame;
	uint16_t len;
};

static void start_eal(const char *socket, unsigned cpu);
static void start_port(struct link *link);
static void fill(
    struct rte_mempool *pool, void *arg, void *object, unsigned index);

void
link_open(struct link *link, const char *socket, unsigned cpu, unsigned queues)
{
	static const uint8_t nothing[1];

	link->queues = (uint16_t)queues;
	link->queue = 0;
	start_eal(socket, cpu);
	if (rte_eth_dev_get_port_by_name("net_memif0", &link->port) != 0)
		errx(1, "there is no port net_memif0");
	link->pool = link_pool("plain", nothing, 0);
	start_port(link);
}

void
link_close(struct link *link)
{
	rte_eth_dev_stop(link->port);
	rte_eth_dev_close(link->port);
	rte_eal_cleanup();
}

struct rte_mempool *
link_pool(const char *name, const uint8_t *frame, uint16_t len)
{
	struct content content = {frame, len};
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
	    name, BUFFERS, CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);

	if (pool == NULL)
		errx(1, "no memory for packet buffers");
	rte_mempool_obj_iter(pool, fill, &content);
	return pool;
}

unsigned
link_receive(struct link *link, struct rte_mbuf *buffers[LINK_BURST])
{
	for (unsigned i = 0; i < link->queues; i++) {
		uint16_t count = rte_eth_rx_burst(
		    link->port, link->queue, buffers, LINK_BURST);

		if (count > 0)
			return count;
		link->queue = (uint16_t)((link->queue + 1) % link->queues);
	}
	return 0;
}

bool
link_send(struct link *link, const uint8_t *frame, uint16_t len)
{
	struct rte_mbuf *buffer = rte_pktmbuf_alloc(link->pool);
	char *data;

	if (buffer == NULL)
		return false;
	data = rte_pktmbuf_append(buffer, len);
	if (data != NULL) {
		memcpy(data, frame, len);
		if (rte_eth_tx_burst(link->port, 0, &buffer, 1) == 1)
			return true;
	}
	rte_pktmbuf_free(buffer);
	return false;
}

/* In memory of its own: no files, and nothing to take away afterwards. */
static void
start_eal(const char *socket, unsigned cpu)
{
	char lcores[32], device[512];
	char *argv[] = {"bench_memif", "--in-memory", "--no-pci",
	    "--no-telemetry", "--log-level=error", "-m", "128", "--lcores",
	    lcores, "--vdev", device, NULL};

	snprintf(lcores, sizeof(lcores), "0@%u", cpu);
	snprintf(device, sizeof(device),
	    "net_memif0,role=client,id=0,socket=%s,socket-abstract=no", socket);
	if (rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv) < 0)
		errx(1, "DPDK: %s", rte_strerror(rte_errno));
}

static void
start_port(struct link *link)
{
	static const struct rte_eth_conf conf;
	struct rte_eth_link state = {0};

	if (rte_eth_dev_configure(link->port, link->queues, 1, &conf) != 0)
		errx(1, "the port takes no %u queues", link->queues);
	for (uint16_t i = 0; i < link->queues; i++) {
		if (rte_eth_rx_queue_setup(link->port, i, LINK_RING,
			SOCKET_ID_ANY, NULL, link->pool) != 0)
			errx(1, "no queue %u", i);
	}
	if (rte_eth_tx_queue_setup(
		link->port, 0, LINK_RING, SOCKET_ID_ANY, NULL) != 0 ||
	    rte_eth_dev_start(link->port) != 0)
		errx(1, "the port does not start");
	for (unsigned i = 0; i < LINK_TIMEOUT_S * 1000000 / POLL_US; i++) {
		if (rte_eth_link_get_nowait(link->port, &state) == 0 &&
		    state.link_status == RTE_ETH_LINK_UP)
			return;
		rte_delay_us_sleep(POLL_US);
	}
	errx(1, "nobody accepts the connection");
}

/* Where rte_pktmbuf_alloc() puts the data. */
static void
fill(struct rte_mempool *pool, void *arg, void *object, unsigned index)
{
	const struct content *content = arg;
	struct rte_mbuf *buffer = object;

	(void)pool;
	(void)index;
	memcpy((uint8_t *)buffer->buf_addr + HEADROOM, content->frame,
	    content->len);
}
