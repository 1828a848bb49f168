/* SPDX-License-Identifier: Apache-2.0 */
/* The memory port; see port_memory.h. */
#include "dataplane/port/port_memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/pipeline/stats.h"
#include "dataplane/port/pool.h"

struct frame {
	uint16_t len;
	uint8_t bytes[LP_BUFFER_SIZE - LP_BUFFER_HEADROOM];
};

struct ring {
	_Alignas(64) atomic_uint head; /* the producer writes */
	_Alignas(64) atomic_uint tail; /* the consumer writes */
	struct frame frames[LP_PORT_MEMORY_RING];
};

struct counter {
	lp_counter packets; /* worker writes, control reads */
	lp_counter bytes;
};

struct port_memory {
	struct lp_port port;
	struct lp_pool *pool;
	const struct lp_port_memory_frame *script;
	unsigned script_count;
	unsigned script_next;
	atomic_bool present; /* test writes, control reads */
	atomic_bool up;
	_Atomic uint64_t generation; /* control writes, test reads */
	atomic_size_t addresses;
	_Atomic uint64_t beat_ns;
	struct counter received;
	struct counter sent;
	struct ring in; /* test to worker */
	struct ring out; /* worker to test */
};

static int port_open(struct lp_port **port, const struct lp_port_config *config,
    char why[LP_WHY_SIZE]);
static void port_close(struct lp_port *port);
static int port_steer(
    struct lp_port *port, const struct lp_steer *steer, char why[LP_WHY_SIZE]);
static void port_beat(struct lp_port *port, uint64_t now_ns);
static void port_link(struct lp_port *port, struct lp_port_link *link);
static unsigned port_counters(const struct lp_port *port,
    struct lp_port_counter counters[], unsigned max);
static unsigned port_rx(
    struct lp_port *port, struct lp_pkt pkts[], unsigned max);
static unsigned port_tx(
    struct lp_port *port, struct lp_pkt *pkts[], unsigned count);
static void port_flush(struct lp_port *port);
static unsigned port_fds(const struct lp_port *port, int fds[], unsigned max);

const struct lp_backend_ops lp_port_memory_ops = {
    .name = "memory",
    .pool_open = lp_pool_open,
    .pool_close = lp_pool_close,
    .open = port_open,
    .close = port_close,
    .steer = port_steer,
    .beat = port_beat,
    .link = port_link,
    .counters = port_counters,
    .rx = port_rx,
    .tx = port_tx,
    .flush = port_flush,
    .fds = port_fds,
    .alloc = lp_pool_alloc,
    .release = lp_pool_release,
    .reclaim = lp_pool_reclaim,
    .free_count = lp_pool_free_count,
};

static struct port_memory *
memory_of(struct lp_port *port)
{
	assert(port->ops == &lp_port_memory_ops);
	return (struct port_memory *)port;
}

static const struct port_memory *
const_memory_of(const struct lp_port *port)
{
	assert(port->ops == &lp_port_memory_ops);
	return (const struct port_memory *)port;
}

/* The place for the next frame, or NULL if the ring is full. */
static struct frame *
ring_place(struct ring *ring)
{
	unsigned head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	unsigned tail = atomic_load_explicit(&ring->tail, memory_order_acquire);

	if (head - tail == LP_PORT_MEMORY_RING)
		return NULL;
	return &ring->frames[head % LP_PORT_MEMORY_RING];
}

static void
ring_placed(struct ring *ring)
{
	atomic_fetch_add_explicit(&ring->head, 1, memory_order_release);
}

/* The oldest frame, or NULL if the ring is empty. */
static const struct frame *
ring_oldest(struct ring *ring)
{
	unsigned head = atomic_load_explicit(&ring->head, memory_order_acquire);
	unsigned tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	if (head == tail)
		return NULL;
	return &ring->frames[tail % LP_PORT_MEMORY_RING];
}

static void
ring_consumed(struct ring *ring)
{
	atomic_fetch_add_explicit(&ring->tail, 1, memory_order_release);
}

bool
lp_port_memory_inject(struct lp_port *port, const void *bytes, size_t len)
{
	struct port_memory *memory = memory_of(port);
	struct frame *frame = ring_place(&memory->in);

	if (frame == NULL || len > sizeof(frame->bytes))
		return false;
	memcpy(frame->bytes, bytes, len);
	frame->len = (uint16_t)len;
	ring_placed(&memory->in);
	return true;
}

size_t
lp_port_memory_take(struct lp_port *port, void *buf, size_t max)
{
	struct port_memory *memory = memory_of(port);
	const struct frame *frame = ring_oldest(&memory->out);
	size_t len;

	if (frame == NULL)
		return 0;
	len = frame->len;
	memcpy(buf, frame->bytes, len < max ? len : max);
	ring_consumed(&memory->out);
	return len;
}

void
lp_port_memory_script(struct lp_port *port,
    const struct lp_port_memory_frame *frames, unsigned count)
{
	struct port_memory *memory = memory_of(port);

	memory->script = frames;
	memory->script_count = count;
	memory->script_next = 0;
}

void
lp_port_memory_link(struct lp_port *port, bool present, bool up)
{
	struct port_memory *memory = memory_of(port);

	atomic_store(&memory->present, present);
	atomic_store(&memory->up, up);
}

size_t
lp_port_memory_steered(const struct lp_port *port, uint64_t *generation)
{
	const struct port_memory *memory = const_memory_of(port);

	*generation = atomic_load(&memory->generation);
	return atomic_load(&memory->addresses);
}

uint64_t
lp_port_memory_beat(const struct lp_port *port)
{
	return atomic_load(&const_memory_of(port)->beat_ns);
}

/* One of the options behind the name; its text ends at a comma. */
static int
parse_option(struct lp_port *port, const char *option)
{
	unsigned mac[6], mtu;
	int i, end = 0;

	if (sscanf(option, "mtu=%5u%n", &mtu, &end) == 1) {
		if (mtu < LP_MTU_MIN || mtu > LP_MTU_MAX)
			return -EINVAL;
		port->mtu = (uint16_t)mtu;
	} else if (sscanf(option, "mac=%2x:%2x:%2x:%2x:%2x:%2x%n", &mac[0],
		       &mac[1], &mac[2], &mac[3], &mac[4], &mac[5],
		       &end) == 6) {
		for (i = 0; i < 6; i++)
			port->mac[i] = (uint8_t)mac[i];
	} else if (strncmp(option, "alone", 5) == 0) {
		port->alone = true;
		end = 5;
	}
	if (end == 0 || (option[end] != '\0' && option[end] != ','))
		return -EINVAL;
	return 0;
}

static int
port_open(struct lp_port **out, const struct lp_port_config *config,
    char why[LP_WHY_SIZE])
{
	const char *option = config->object.device;
	struct port_memory *memory;

	assert(config->slot < LP_PORTS_MAX && config->pool != NULL);
	memory = aligned_alloc(_Alignof(struct port_memory), sizeof(*memory));
	if (memory == NULL) {
		snprintf(why, LP_WHY_SIZE, "no memory for a port");
		return -ENOMEM;
	}
	memset(memory, 0, sizeof(*memory));
	memory->port = (struct lp_port){
	    .ops = &lp_port_memory_ops,
	    .slot = config->slot,
	    .mac = {2, 0, 0, 0, 0, config->slot},
	    .mtu = 1500,
	};
	memory->pool = config->pool;
	atomic_store(&memory->present, true);
	atomic_store(&memory->up, true);
	while ((option = strchr(option, ',')) != NULL) {
		option++;
		if (parse_option(&memory->port, option) != 0) {
			snprintf(why, LP_WHY_SIZE,
			    "memory port: no such option, or out of range: "
			    "%.100s",
			    option);
			free(memory);
			return -EINVAL;
		}
	}
	*out = &memory->port;
	return 0;
}

static void
port_close(struct lp_port *port)
{
	free(memory_of(port));
}

static int
port_steer(
    struct lp_port *port, const struct lp_steer *steer, char why[LP_WHY_SIZE])
{
	struct port_memory *memory = memory_of(port);

	(void)why;
	atomic_store(&memory->addresses, steer->address_count);
	atomic_store(&memory->generation, steer->generation);
	return 0;
}

static void
port_beat(struct lp_port *port, uint64_t now_ns)
{
	atomic_store(&memory_of(port)->beat_ns, now_ns);
}

static void
port_link(struct lp_port *port, struct lp_port_link *link)
{
	struct port_memory *memory = memory_of(port);

	memset(link, 0, sizeof(*link));
	link->present = atomic_load(&memory->present);
	link->up = link->present && atomic_load(&memory->up);
	link->mtu = port->mtu;
	memcpy(link->mac, port->mac, sizeof(link->mac));
	link->queues = 1;
	link->numa_node = -1;
	snprintf(link->mode, sizeof(link->mode), "memory");
	if (!link->present)
		snprintf(link->why, sizeof(link->why), "device is gone");
	else if (!link->up)
		snprintf(link->why, sizeof(link->why), "device is down");
}

static unsigned
port_counters(
    const struct lp_port *port, struct lp_port_counter counters[], unsigned max)
{
	const struct port_memory *memory = const_memory_of(port);
	const struct lp_port_counter all[] = {
	    {"rx_packets", lp_count_get(&memory->received.packets)},
	    {"rx_bytes", lp_count_get(&memory->received.bytes)},
	    {"tx_packets", lp_count_get(&memory->sent.packets)},
	    {"tx_bytes", lp_count_get(&memory->sent.bytes)},
	};
	unsigned i;

	for (i = 0; i < max && i < sizeof(all) / sizeof(all[0]); i++)
		counters[i] = all[i];
	return i;
}

static void
count_frame(struct counter *counter, uint16_t len)
{
	lp_count_add(&counter->packets, 1);
	lp_count_add(&counter->bytes, len);
}

/* False if there is no buffer: the frame stays where it is. */
static bool
receive(struct port_memory *memory, struct lp_pkt *pkt, const uint8_t *bytes,
    uint16_t len)
{
	if (!lp_pool_alloc(memory->pool, pkt))
		return false;
	assert(len <= LP_BUFFER_SIZE - LP_BUFFER_HEADROOM);
	memcpy(pkt->data, bytes, len);
	pkt->len = len;
	pkt->port_in = memory->port.slot;
	count_frame(&memory->received, len);
	return true;
}

static unsigned
rx_script(struct port_memory *memory, struct lp_pkt pkts[], unsigned max)
{
	unsigned i;

	for (i = 0; i < max; i++) {
		const struct lp_port_memory_frame *frame =
		    &memory->script[memory->script_next];

		if (frame->len == 0 ||
		    !receive(memory, &pkts[i], frame->bytes, frame->len))
			break;
		if (++memory->script_next == memory->script_count)
			memory->script_next = 0;
	}
	return i;
}

static unsigned
port_rx(struct lp_port *port, struct lp_pkt pkts[], unsigned max)
{
	struct port_memory *memory = memory_of(port);
	const struct frame *frame;
	unsigned i;

	if (memory->script_count > 0)
		return rx_script(memory, pkts, max);
	for (i = 0; i < max; i++) {
		frame = ring_oldest(&memory->in);
		if (frame == NULL)
			break;
		if (!receive(memory, &pkts[i], frame->bytes, frame->len))
			break;
		ring_consumed(&memory->in);
	}
	return i;
}

/* The buffer goes the way of every other: to the ring and back. */
static void
sent(struct port_memory *memory, const struct lp_pkt *pkt)
{
	uint8_t ring = (uint8_t)(LP_BUFFER_TX + memory->port.slot);
	uint32_t index = (uint32_t)pkt->buf;

	lp_pool_move(memory->pool, index, LP_BUFFER_WORKER, ring);
	lp_pool_push(memory->pool, index, ring);
	count_frame(&memory->sent, pkt->len);
}

static unsigned
port_tx(struct lp_port *port, struct lp_pkt *pkts[], unsigned count)
{
	struct port_memory *memory = memory_of(port);
	struct frame *frame;
	unsigned i;

	for (i = 0; i < count; i++) {
		if (memory->script_count == 0) {
			frame = ring_place(&memory->out);
			if (frame == NULL)
				break;
			assert(pkts[i]->len <= sizeof(frame->bytes));
			memcpy(frame->bytes, pkts[i]->data, pkts[i]->len);
			frame->len = pkts[i]->len;
			ring_placed(&memory->out);
		}
		sent(memory, pkts[i]);
	}
	return i;
}

static void
port_flush(struct lp_port *port)
{
	(void)port;
}

static unsigned
port_fds(const struct lp_port *port, int fds[], unsigned max)
{
	(void)port;
	(void)fds;
	(void)max;
	return 0;
}
