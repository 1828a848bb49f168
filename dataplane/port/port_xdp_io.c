/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AF_XDP port: what the worker does.
 *
 * In aligned mode the kernel takes any address inside a buffer and writes a
 * received packet LP_BUFFER_HEADROOM behind the buffer's start; completions
 * give back the address that was sent.  So address / LP_BUFFER_SIZE is the
 * index of the buffer, always.
 */
#include "dataplane/port/port_xdp.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum {
	/* Turns of a busy rx between two looks for copies of ARP and ND. */
	COPIES_TURNS = 16,
	/* Completions taken at once. */
	REAP_MAX = 64,
};

static bool
is_gone(const struct lp_port_xdp *xdp)
{
	return atomic_load_explicit(&xdp->gone, memory_order_relaxed);
}

/* Gives empty buffers to the kernel, up to what the pool promised. */
static void
refill(struct lp_port_xdp *xdp, struct lp_xdp_queue *queue)
{
	uint8_t owner = (uint8_t)(LP_BUFFER_RX + xdp->port.slot);
	uint32_t want = xdp->sockets.ring_size - queue->filled;
	uint32_t i, place;

	if (want > xdp->pool->free_count)
		want = xdp->pool->free_count;
	if (want == 0 ||
	    xsk_ring_prod__reserve(&queue->fill, want, &place) == 0)
		return;
	for (i = 0; i < want; i++)
		*xsk_ring_prod__fill_addr(&queue->fill, place + i) =
		    (uint64_t)lp_pool_pop(xdp->pool, owner) * LP_BUFFER_SIZE;
	xsk_ring_prod__submit(&queue->fill, want);
	queue->filled += want;
}

static void
receive(
    struct lp_port_xdp *xdp, const struct xdp_desc *desc, struct lp_pkt *pkt)
{
	uint32_t index = (uint32_t)(desc->addr / LP_BUFFER_SIZE);

	lp_pool_move(xdp->pool, index, (uint8_t)(LP_BUFFER_RX + xdp->port.slot),
	    LP_BUFFER_WORKER);
	assert(desc->addr % LP_BUFFER_SIZE + desc->len <= LP_BUFFER_SIZE);
	lp_pool_pkt_init(
	    pkt, xdp->pool->memory + desc->addr, index, (uint16_t)desc->len);
	pkt->port_in = xdp->port.slot;
}

static unsigned
rx_queue(struct lp_port_xdp *xdp, struct lp_xdp_queue *queue,
    struct lp_pkt pkts[], unsigned max)
{
	uint32_t i, place, received;
	uint64_t bytes = 0;

	received = xsk_ring_cons__peek(&queue->rx, max, &place);
	for (i = 0; i < received; i++) {
		receive(xdp, xsk_ring_cons__rx_desc(&queue->rx, place + i),
		    &pkts[i]);
		bytes += pkts[i].len;
	}
	if (received > 0) {
		xsk_ring_cons__release(&queue->rx, received);
		assert(queue->filled >= received);
		queue->filled -= received;
		lp_count_add(&xdp->io.rx_packets, received);
		lp_count_add(&xdp->io.rx_bytes, bytes);
	}
	refill(xdp, queue);
	/* The driver had found the fill ring empty and has stopped. */
	if (received == 0 && queue->filled > 0 &&
	    xsk_ring_prod__needs_wakeup(&queue->fill))
		(void)recvfrom(queue->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
	return received;
}

bool
lp_port_xdp_io_copy(void *context, const void *bytes, size_t len)
{
	struct lp_port_xdp *xdp = context;
	struct lp_pkt *pkt = xdp->copies;

	assert(xdp->copies_left > 0);
	if (!lp_pool_alloc(xdp->pool, pkt)) {
		lp_count_add(&xdp->io.copies_lost, 1);
		return true;
	}
	memcpy(pkt->data, bytes, len);
	pkt->len = (uint16_t)len;
	pkt->port_in = xdp->port.slot;
	pkt->flags = LP_PKT_COPY;
	lp_count_add(&xdp->io.rx_packets, 1);
	lp_count_add(&xdp->io.rx_bytes, len);
	xdp->copies++;
	return --xdp->copies_left > 0;
}

static unsigned
rx_copies(struct lp_port_xdp *xdp, struct lp_pkt pkts[], unsigned max)
{
	xdp->copies = pkts;
	xdp->copies_left = max;
	lp_xdp_steer_copies(&xdp->steer);
	return max - xdp->copies_left;
}

unsigned
lp_port_xdp_io_rx(struct lp_port *port, struct lp_pkt pkts[], unsigned max)
{
	struct lp_port_xdp *xdp = lp_port_xdp_of(port);
	unsigned queues = xdp->sockets.count;
	unsigned i, received = 0;

	if (is_gone(xdp))
		return 0;
	for (i = 0; i < queues && received < max; i++) {
		unsigned index = (xdp->first_queue + i) % queues;

		received += rx_queue(xdp, &xdp->sockets.queues[index],
		    pkts + received, max - received);
	}
	xdp->first_queue = (xdp->first_queue + 1) % queues;
	if (received < max &&
	    (received == 0 || xdp->copies_turn++ % COPIES_TURNS == 0))
		received += rx_copies(xdp, pkts + received, max - received);
	return received;
}

/* Takes back what the kernel has sent. */
static void
reap(struct lp_port_xdp *xdp)
{
	uint8_t owner = (uint8_t)(LP_BUFFER_TX + xdp->port.slot);
	struct xsk_ring_cons *done = &xdp->sockets.queues[0].done;
	uint32_t i, place, reaped;

	do {
		reaped = xsk_ring_cons__peek(done, REAP_MAX, &place);
		for (i = 0; i < reaped; i++)
			lp_pool_push(xdp->pool,
			    (uint32_t)(*xsk_ring_cons__comp_addr(
					   done, place + i) /
				LP_BUFFER_SIZE),
			    owner);
		if (reaped > 0)
			xsk_ring_cons__release(done, reaped);
		assert(xdp->sending >= reaped);
		xdp->sending -= reaped;
	} while (reaped > 0);
}

static void
describe(
    struct lp_port_xdp *xdp, struct xdp_desc *desc, const struct lp_pkt *pkt)
{
	uint32_t index = (uint32_t)pkt->buf;
	size_t address = (size_t)(pkt->data - xdp->pool->memory);

	assert(address / LP_BUFFER_SIZE == index);
	assert(address % LP_BUFFER_SIZE + pkt->len <= LP_BUFFER_SIZE);
	lp_pool_move(xdp->pool, index, LP_BUFFER_WORKER,
	    (uint8_t)(LP_BUFFER_TX + xdp->port.slot));
	*desc = (struct xdp_desc){.addr = address, .len = pkt->len};
}

unsigned
lp_port_xdp_io_tx(struct lp_port *port, struct lp_pkt *pkts[], unsigned wanted)
{
	struct lp_port_xdp *xdp = lp_port_xdp_of(port);
	struct xsk_ring_prod *tx = &xdp->sockets.tx;
	uint32_t i, place, taken;
	uint64_t bytes = 0;

	if (is_gone(xdp) || wanted == 0)
		return 0;
	/* No more than the pool promised may be on the way at once. */
	if (xdp->sending + wanted > xdp->sockets.ring_size)
		reap(xdp);
	taken = xdp->sockets.ring_size - xdp->sending;
	if (taken > wanted)
		taken = wanted;
	if (taken == 0 || xsk_ring_prod__reserve(tx, taken, &place) == 0)
		return 0;
	for (i = 0; i < taken; i++) {
		describe(xdp, xsk_ring_prod__tx_desc(tx, place + i), pkts[i]);
		bytes += pkts[i]->len;
	}
	xsk_ring_prod__submit(tx, taken);
	xdp->sending += taken;
	lp_count_add(&xdp->io.tx_packets, taken);
	lp_count_add(&xdp->io.tx_bytes, bytes);
	return taken;
}

unsigned
lp_port_xdp_io_room(struct lp_port *port, unsigned most)
{
	struct lp_port_xdp *xdp = lp_port_xdp_of(port);

	if (!is_gone(xdp) && xdp->sending >= most)
		reap(xdp);
	return xdp->sending < most ? most - xdp->sending : 0;
}

/* Packets in the tx ring that the kernel has not taken. */
static uint32_t
waiting(const struct xsk_ring_prod *tx)
{
	return *tx->producer - __atomic_load_n(tx->consumer, __ATOMIC_ACQUIRE);
}

/*
 * In copy mode the kernel sends at most 32 packets a call, and says EAGAIN
 * both for that and when it cannot go on: what tells is whether it moved.
 */
static void
wake(struct lp_port_xdp *xdp)
{
	const struct xsk_ring_prod *tx = &xdp->sockets.tx;
	uint32_t before, left = waiting(tx);
	int fd = xdp->sockets.queues[0].fd;

	do {
		before = left;
		if (sendto(fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 &&
		    errno != EAGAIN && errno != EBUSY && errno != ENOBUFS) {
			lp_count_add(&xdp->io.tx_errors, 1);
			return;
		}
		left = waiting(tx);
	} while (left != 0 && left < before && !xdp->sockets.zero_copy);
}

void
lp_port_xdp_io_flush(struct lp_port *port)
{
	struct lp_port_xdp *xdp = lp_port_xdp_of(port);

	if (xdp->sending == 0 || is_gone(xdp))
		return;
	if (xsk_ring_prod__needs_wakeup(&xdp->sockets.tx) &&
	    (waiting(&xdp->sockets.tx) > 0 || xdp->sockets.zero_copy))
		wake(xdp);
	reap(xdp);
}

unsigned
lp_port_xdp_io_fds(const struct lp_port *port, int fds[], unsigned max)
{
	struct lp_port_xdp *xdp = lp_port_xdp_of((struct lp_port *)port);
	unsigned i;

	for (i = 0; i < xdp->sockets.count && i < max; i++) {
		int fd = xdp->sockets.queues[i].fd, error = 0;
		socklen_t size = sizeof(error);

		/* A vanished device would end every poll at once. */
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
		    error != 0)
			atomic_store_explicit(
			    &xdp->gone, true, memory_order_relaxed);
		fds[i] = fd;
	}
	if (is_gone(xdp))
		return 0;
	if (i < max)
		fds[i++] = lp_xdp_steer_copies_fd(&xdp->steer);
	return i;
}
