/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/tap.h"

#include <limits.h>
#include <string.h>

#include "tests/proto/objects.h"
#include "tests/support/ensure.h"
#include "tests/support/plane.h"

struct tap tap;

static unsigned
receive(struct lp_port *port, struct lp_pkt pkts[], unsigned max)
{
	(void)port;
	(void)pkts;
	(void)max;
	return 0;
}

/* What speaks of neighbours is nothing to see. */
static unsigned
transmit(struct lp_port *port, struct lp_pkt *pkts[], unsigned count)
{
	char text[PACKET_TEXT_SIZE];

	(void)port;
	if (count > tap.room)
		count = tap.room;
	for (unsigned i = 0; i < count; i++) {
		struct packet *kept = &tap.frames[tap.head % TAP_FRAMES];

		packet_describe(text, pkts[i]->data, pkts[i]->len);
		if (strncmp(text, "tcp ", 4) != 0)
			continue;
		ensure(tap.head - tap.tail < TAP_FRAMES, "too many copies");
		memcpy(kept->bytes, pkts[i]->data, pkts[i]->len);
		kept->len = pkts[i]->len;
		tap.head++;
	}
	if (count > 0)
		lp_port_backend(plane.backend)
		    ->release(plane.pool, pkts, count);
	return count;
}

static unsigned
room(struct lp_port *port, unsigned most)
{
	(void)port;
	return tap.is_full ? 0 : most;
}

static const struct lp_backend_ops ops = {
    .name = "tap", .rx = receive, .tx = transmit, .room = room};

void
tap_open(void)
{
	memset(&tap, 0, sizeof(tap));
	tap.room = UINT_MAX;
	tap.port = (struct lp_port){.ops = &ops, .slot = TAP_SLOT, .mtu = 1500};
	put(&plane.config,
	    make_port(TAP, "tap", LP_SIDE_CLIENT, "192.0.2.1/24", NULL, NULL));
	plane.ports.port[TAP_SLOT] = &tap.port;
	plane.ports.id[TAP_SLOT] = TAP;
}

bool
tap_take(void)
{
	if (tap.tail == tap.head)
		return false;
	plane.frame = tap.frames[tap.tail++ % TAP_FRAMES];
	packet_describe(plane.text, plane.frame.bytes, plane.frame.len);
	return true;
}

void
tap_expect(const char *text)
{
	ensure(tap_take(), "no copy of %s", text);
	ensure(packet_matches(plane.text, text), "expected %s\ngot      %s",
	    text, plane.text);
}
