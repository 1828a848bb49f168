/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port_forward DEVICE ADDRESS NEXT-MAC DEVICE ADDRESS NEXT-MAC
 *
 * For test_port_xdp.sh: two AF_XDP ports and nothing in between.  What comes
 * in at one port for its address leaves at the other towards NEXT-MAC.  Writes
 * "ready", forwards until its standard input ends, and fails if a buffer is
 * missing then.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/port/port.h"

enum { BUFFERS = LP_BUFFERS_MIN, BEAT_MS = 200 };

static const struct lp_backend_ops *const ops = &lp_port_xdp_ops;

struct forward {
	uint8_t ledger[BUFFERS];
	struct lp_pool *pool;
	struct lp_port *ports[2];
	uint8_t next[2][6]; /* behind each port */
};

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "port_forward: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static void
open_port(struct forward *forward, int i, char *const arguments[3])
{
	struct lp_port_config config = {
	    .slot = (uint8_t)i, .pool = forward->pool};
	uint8_t *mac = forward->next[i];
	char why[LP_WHY_SIZE];
	struct lp_ip ip;
	const struct lp_steer whole = {
	    .generation = 1, .addresses = &ip, .address_count = 1};

	snprintf(config.object.device, sizeof(config.object.device), "%s",
	    arguments[0]);
	if (lp_ip_parse(&ip, arguments[1], why) != 0)
		fail(arguments[1], why);
	if (sscanf(arguments[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0],
		&mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) != 6)
		fail(arguments[2], "no MAC");
	if (ops->open(&forward->ports[i], &config, why) != 0 ||
	    ops->steer(forward->ports[i], &whole, why) != 0)
		fail(arguments[0], why);
}

static unsigned
pass(struct forward *forward, int in)
{
	struct lp_port *out = forward->ports[1 - in];
	struct lp_pkt pkts[LP_BATCH_MAX], *list[LP_BATCH_MAX];
	unsigned i, sent, count, n = 0;

	count = ops->rx(forward->ports[in], pkts, LP_BATCH_MAX);
	for (i = 0; i < count; i++) {
		struct lp_pkt *pkt = &pkts[i];

		if (pkt->flags & LP_PKT_COPY) {
			ops->release(forward->pool, &pkt, 1);
			continue;
		}
		memcpy(pkt->data, forward->next[1 - in], 6);
		memcpy(pkt->data + 6, out->mac, 6);
		list[n++] = pkt;
	}
	sent = ops->tx(out, list, n);
	ops->release(forward->pool, list + sent, n - sent);
	ops->flush(out);
	return count;
}

/* Sleeps until there is something to do; false: the input has ended. */
static bool
wait(struct forward *forward)
{
	struct pollfd ready[1 + 2 * LP_PORT_QUEUES_MAX] = {
	    {STDIN_FILENO, POLLIN, 0}};
	int fds[LP_PORT_QUEUES_MAX];
	unsigned i, j, n, count = 1;

	for (i = 0; i < 2; i++) {
		n = ops->fds(forward->ports[i], fds, LP_PORT_QUEUES_MAX);
		for (j = 0; j < n; j++)
			ready[count++] = (struct pollfd){fds[j], POLLIN, 0};
		ops->beat(forward->ports[i], now_ns());
	}
	poll(ready, count, BEAT_MS);
	return ready[0].revents == 0;
}

int
main(int argc, char *argv[])
{
	static struct forward forward;
	const struct lp_pool_config config = {
	    .buffer_count = BUFFERS, .ledger = forward.ledger};
	char why[LP_WHY_SIZE];
	unsigned count;
	int i;

	if (argc != 7)
		fail("usage", "DEVICE ADDRESS NEXT-MAC, twice");
	if (ops->pool_open(&forward.pool, &config, why) != 0)
		fail("pool", why);
	for (i = 0; i < 2; i++)
		open_port(&forward, i, &argv[1 + 3 * i]);
	printf("ready\n");
	fflush(stdout);
	do {
		do {
			count = pass(&forward, 0) + pass(&forward, 1);
		} while (count > 0);
	} while (wait(&forward));
	for (i = 0; i < 2; i++) {
		ops->close(forward.ports[i]);
		ops->reclaim(forward.pool, (uint8_t)i);
	}
	if (ops->free_count(forward.pool) != BUFFERS)
		fail("pool", "buffers are missing");
	ops->pool_close(forward.pool);
	return EXIT_SUCCESS;
}
