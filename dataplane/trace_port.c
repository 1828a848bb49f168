/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/trace_port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUFFER_SIZE = (LP_BUFFER_HEADROOM + LP_TRACE_PACKET_MAX + 63) & ~63,
};
static_assert((unsigned)BUFFER_SIZE >= (unsigned)LP_BUFFER_SIZE,
    "what the pipeline makes itself has room");

struct trace_port {
	struct lp_port port;
	struct lp_trace_port_set *set;
};

struct lp_trace_port_set {
	struct trace_port ports[LP_PORTS_MAX];
	uint8_t *memory; /* touched only where it is used */
	uint16_t free[LP_TRACE_PORT_BUFFERS];
	unsigned free_count;
	const uint8_t *bytes; /* what comes in next; NULL: nothing */
	uint16_t len;
	uint8_t slot; /* and where */
};

static unsigned port_rx(
    struct lp_port *port, struct lp_pkt pkts[], unsigned max);
static unsigned port_tx(
    struct lp_port *port, struct lp_pkt *pkts[], unsigned count);
static bool pool_alloc(struct lp_pool *pool, struct lp_pkt *pkt);
static void pool_release(
    struct lp_pool *pool, struct lp_pkt *pkts[], unsigned count);
static uint32_t pool_free_count(const struct lp_pool *pool);

const struct lp_backend_ops lp_trace_port_ops = {
    .name = "trace",
    .rx = port_rx,
    .tx = port_tx,
    .alloc = pool_alloc,
    .release = pool_release,
    .free_count = pool_free_count,
};

int
lp_trace_port_new(struct lp_trace_port_set **out)
{
	struct lp_trace_port_set *set = calloc(1, sizeof(*set));

	if (!set)
		return -ENOMEM;
	set->memory = calloc(LP_TRACE_PORT_BUFFERS, BUFFER_SIZE);
	if (!set->memory) {
		free(set);
		return -ENOMEM;
	}
	for (uint8_t i = 0; i < LP_PORTS_MAX; i++) {
		set->ports[i].set = set;
		set->ports[i].port.ops = &lp_trace_port_ops;
		set->ports[i].port.slot = i;
	}
	while (set->free_count < LP_TRACE_PORT_BUFFERS) {
		set->free[set->free_count] = (uint16_t)set->free_count;
		set->free_count++;
	}
	*out = set;
	return 0;
}

void
lp_trace_port_free(struct lp_trace_port_set *set)
{
	if (!set)
		return;
	assert(set->free_count == LP_TRACE_PORT_BUFFERS);
	free(set->memory);
	free(set);
}

struct lp_pool *
lp_trace_port_pool(struct lp_trace_port_set *set)
{
	return (struct lp_pool *)set;
}

struct lp_port *
lp_trace_port_get(struct lp_trace_port_set *set, uint8_t slot)
{
	assert(slot < LP_PORTS_MAX);
	return &set->ports[slot].port;
}

void
lp_trace_port_give(struct lp_trace_port_set *set, uint8_t slot,
    const uint8_t *bytes, uint16_t len)
{
	assert(len <= LP_TRACE_PACKET_MAX);
	set->slot = slot;
	set->bytes = bytes;
	set->len = len;
}

static unsigned
port_rx(struct lp_port *port, struct lp_pkt pkts[], unsigned max)
{
	struct lp_trace_port_set *set = ((struct trace_port *)port)->set;

	if (max == 0 || !set->bytes || set->slot != port->slot ||
	    !pool_alloc(lp_trace_port_pool(set), &pkts[0]))
		return 0;
	memcpy(pkts[0].data, set->bytes, set->len);
	pkts[0].len = set->len;
	set->bytes = NULL;
	return 1;
}

static unsigned
port_tx(struct lp_port *port, struct lp_pkt *pkts[], unsigned count)
{
	struct lp_trace_port_set *set = ((struct trace_port *)port)->set;

	pool_release(lp_trace_port_pool(set), pkts, count);
	return count;
}

static bool
pool_alloc(struct lp_pool *pool, struct lp_pkt *pkt)
{
	struct lp_trace_port_set *set = (struct lp_trace_port_set *)pool;
	unsigned index;

	if (set->free_count == 0)
		return false;
	index = set->free[--set->free_count];
	*pkt = (struct lp_pkt){
	    .data =
		set->memory + (size_t)index * BUFFER_SIZE + LP_BUFFER_HEADROOM,
	    .buf = index,
	    .conn = LP_CONN_NONE,
	    .port_in = LP_PORT_NONE,
	    .port_out = LP_PORT_NONE,
	};
	return true;
}

static void
pool_release(struct lp_pool *pool, struct lp_pkt *pkts[], unsigned count)
{
	struct lp_trace_port_set *set = (struct lp_trace_port_set *)pool;

	for (unsigned i = 0; i < count; i++) {
		assert(set->free_count < LP_TRACE_PORT_BUFFERS);
		set->free[set->free_count++] = (uint16_t)pkts[i]->buf;
	}
}

static uint32_t
pool_free_count(const struct lp_pool *pool)
{
	return ((const struct lp_trace_port_set *)pool)->free_count;
}
