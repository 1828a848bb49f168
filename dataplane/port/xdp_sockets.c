/* SPDX-License-Identifier: Apache-2.0 */
/* The AF_XDP sockets of one port; see xdp_sockets.h. */
#include "dataplane/port/xdp_sockets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "dataplane/port/netdev.h"

static_assert(LP_BUFFER_HEADROOM == 256, "XDP_PACKET_HEADROOM of the kernel");

static int open_mode(struct lp_xdp_sockets *sockets, const char *name,
    const struct lp_pool *pool, uint64_t size, uint16_t mode);
static void say_why(int error, const struct lp_xdp_sockets *sockets,
    const char *name, const struct lp_pool *pool, char why[LP_WHY_SIZE]);

int
lp_xdp_sockets_open(struct lp_xdp_sockets *sockets,
    const struct lp_netdev *device, const struct lp_pool *pool, unsigned count,
    uint32_t ring_size, const char *copy_why, char why[LP_WHY_SIZE])
{
	const uint64_t size = (uint64_t)pool->count * LP_BUFFER_SIZE;
	int error = -EOPNOTSUPP;

	assert(count > 0 && count <= LP_PORT_QUEUES_MAX);
	memset(sockets, 0, sizeof(*sockets));
	sockets->count = count;
	sockets->ring_size = ring_size;
	if (copy_why == NULL) {
		error =
		    open_mode(sockets, device->name, pool, size, XDP_ZEROCOPY);
		sockets->zero_copy = error == 0;
		snprintf(sockets->why, sizeof(sockets->why),
		    "driver %s has no zero copy%s%s", device->driver,
		    error == -EOPNOTSUPP ? "" : ": ",
		    error == -EOPNOTSUPP ? "" : strerror(-error));
	} else {
		snprintf(sockets->why, sizeof(sockets->why), "%s", copy_why);
	}
	if (error != 0 && error != -EBUSY)
		error = open_mode(sockets, device->name, pool, size, XDP_COPY);
	if (error != 0)
		say_why(error, sockets, device->name, pool, why);
	return error;
}

void
lp_xdp_sockets_close(struct lp_xdp_sockets *sockets)
{
	unsigned i;

	for (i = 0; i < sockets->count; i++) {
		if (sockets->queues[i].socket != NULL)
			xsk_socket__delete(sockets->queues[i].socket);
		sockets->queues[i].socket = NULL;
	}
	if (sockets->umem != NULL)
		(void)xsk_umem__delete(sockets->umem);
	sockets->umem = NULL;
}

void
lp_xdp_sockets_await(struct lp_xdp_sockets *sockets,
    const struct lp_netdev *device, const struct lp_pool *pool)
{
	const uint64_t size = 2 * LP_BUFFER_SIZE;

	assert(sockets->umem == NULL);
	if (open_mode(sockets, device->name, pool, size, XDP_COPY) == 0)
		lp_xdp_sockets_close(sockets);
}

void
lp_xdp_sockets_statistics(
    const struct lp_xdp_sockets *sockets, struct xdp_statistics *sum)
{
	struct xdp_statistics one;
	socklen_t size;
	unsigned i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < sockets->count; i++) {
		size = sizeof(one);
		memset(&one, 0, sizeof(one));
		if (getsockopt(sockets->queues[i].fd, SOL_XDP, XDP_STATISTICS,
			&one, &size) != 0)
			continue;
		sum->rx_dropped += one.rx_dropped;
		sum->rx_invalid_descs += one.rx_invalid_descs;
		sum->tx_invalid_descs += one.tx_invalid_descs;
		sum->rx_ring_full += one.rx_ring_full;
		sum->rx_fill_ring_empty_descs += one.rx_fill_ring_empty_descs;
		sum->tx_ring_empty_descs += one.tx_ring_empty_descs;
	}
}

static int
open_queue(struct lp_xdp_sockets *sockets, const char *name, unsigned index,
    uint16_t mode)
{
	const struct xsk_socket_config config = {
	    .rx_size = sockets->ring_size,
	    .tx_size = sockets->ring_size,
	    .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
	    .bind_flags = (uint16_t)(mode | XDP_USE_NEED_WAKEUP),
	};
	struct lp_xdp_queue *queue = &sockets->queues[index];
	int error;

	error = xsk_socket__create_shared(&queue->socket, name, index,
	    sockets->umem, &queue->rx, index == 0 ? &sockets->tx : NULL,
	    &queue->fill, &queue->done, &config);
	if (error != 0) {
		queue->socket = NULL;
		return error;
	}
	queue->fd = xsk_socket__fd(queue->socket);
	return 0;
}

static int
open_once(struct lp_xdp_sockets *sockets, const char *name,
    const struct lp_pool *pool, uint64_t size, uint16_t mode)
{
	const struct xsk_umem_config config = {
	    .fill_size = sockets->ring_size,
	    .comp_size = sockets->ring_size,
	    .frame_size = LP_BUFFER_SIZE,
	};
	unsigned i;
	int error;

	memset(sockets->queues, 0, sizeof(sockets->queues));
	error = xsk_umem__create(&sockets->umem, pool->memory, size,
	    &sockets->queues[0].fill, &sockets->queues[0].done, &config);
	if (error != 0) {
		sockets->umem = NULL;
		return error;
	}
	for (i = 0; i < sockets->count && error == 0; i++)
		error = open_queue(sockets, name, i, mode);
	if (error != 0)
		lp_xdp_sockets_close(sockets);
	return error;
}

/* Waits while a predecessor has the queues. */
static int
open_mode(struct lp_xdp_sockets *sockets, const char *name,
    const struct lp_pool *pool, uint64_t size, uint16_t mode)
{
	int error;

	do {
		error = open_once(sockets, name, pool, size, mode);
	} while (error == -EBUSY && lp_pool_pause_busy(pool));
	return error;
}

static void
say_why(int error, const struct lp_xdp_sockets *sockets, const char *name,
    const struct lp_pool *pool, char why[LP_WHY_SIZE])
{
	unsigned long long kib = (unsigned long long)pool->size / 1024;
	struct rlimit limit = {0};

	switch (-error) {
	case EBUSY:
		snprintf(why, LP_WHY_SIZE,
		    "another AF_XDP program has the receive queues of %s: "
		    "stop it",
		    name);
		break;
	case EPERM:
		snprintf(why, LP_WHY_SIZE,
		    "not permitted to open an AF_XDP socket: give "
		    "lp-dataplane CAP_NET_RAW");
		break;
	case EAFNOSUPPORT:
		snprintf(why, LP_WHY_SIZE,
		    "this kernel has no AF_XDP (CONFIG_XDP_SOCKETS)");
		break;
	case ENOBUFS:
	case ENOMEM:
		(void)getrlimit(RLIMIT_MEMLOCK, &limit);
		snprintf(why, LP_WHY_SIZE,
		    "cannot lock %llu KiB of packet buffers: raise "
		    "RLIMIT_MEMLOCK (now %llu KiB; it counts once for every "
		    "port) or give lp-dataplane CAP_IPC_LOCK",
		    kib, (unsigned long long)limit.rlim_cur / 1024);
		break;
	default:
		snprintf(why, LP_WHY_SIZE,
		    "cannot bind %u AF_XDP sockets to %s: %s", sockets->count,
		    name, strerror(-error));
		break;
	}
}
