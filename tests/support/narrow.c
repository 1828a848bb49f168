/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/narrow.h"

#include <limits.h>

#include "tests/support/plane.h"

static struct narrow {
	struct lp_port port;
	struct lp_port *wide;
	unsigned left, asked;
} narrows[LP_PORTS_MAX];

static struct lp_port *
wide_of(const struct lp_port *port)
{
	return narrows[port->slot].wide;
}

static unsigned
narrow_rx(struct lp_port *port, struct lp_pkt pkts[], unsigned max)
{
	return wide_of(port)->ops->rx(wide_of(port), pkts, max);
}

static unsigned
narrow_tx(struct lp_port *port, struct lp_pkt *pkts[], unsigned count)
{
	struct narrow *narrow = &narrows[port->slot];
	unsigned sent;

	if (count > narrow->left)
		count = narrow->left;
	sent =
	    count == 0 ? 0 : narrow->wide->ops->tx(narrow->wide, pkts, count);
	if (narrow->left != UINT_MAX)
		narrow->left -= sent;
	return sent;
}

static unsigned
narrow_room(struct lp_port *port, unsigned most)
{
	narrows[port->slot].asked++;
	return most;
}

static void
narrow_flush(struct lp_port *port)
{
	if (wide_of(port)->ops->flush)
		wide_of(port)->ops->flush(wide_of(port));
}

static const struct lp_backend_ops ops = {
    .name = "narrow",
    .rx = narrow_rx,
    .tx = narrow_tx,
    .room = narrow_room,
    .flush = narrow_flush,
};

void
narrow_open(uint8_t slot)
{
	struct lp_port *wide = plane.wires[slot];

	narrows[slot] = (struct narrow){.port = *wide, .wide = wide};
	narrows[slot].port.ops = &ops;
	plane.ports.port[slot] = &narrows[slot].port;
}

unsigned
narrow_asked(uint8_t slot)
{
	return narrows[slot].asked;
}

void
narrow_let(uint8_t slot, unsigned count)
{
	narrows[slot].left = count;
}

void
narrow_let_all(uint8_t slot)
{
	narrows[slot].left = UINT_MAX;
}
