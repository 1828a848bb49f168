/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/dataplane/bump.h"

#include <check.h>
#include <string.h>

#include "tests/proto/objects.h"

static void
inline_config(struct lp_config *config)
{
	plane_config(config);
	put(config, make_peer(LEFT, "left", "right"));
	put(config, make_peer(RIGHT, "right", "left"));
	put(config, make_inline(SEEN, PAYMENTS, "seen"));
	put(config, make_endpoint(SEEN_0, SEEN, PAYMENTS_0, "10.8.0.20:9092"));
	put(config, make_endpoint(SEEN_1, SEEN, PAYMENTS_1, "10.7.0.21:9092"));
	put(config, make_inline(SEEN_6, ORDERS, "seen"));
	put(config,
	    make_endpoint(SEEN_6_1, SEEN_6, ORDERS_1, "[2001:db8:8::21]:9092"));
}

void
bump_open(void)
{
	bump_open_with(CONNECTIONS);
}

void
bump_open_with(uint32_t connections)
{
	struct lp_config config;

	inline_config(&config);
	plane_open_with(connections, &config);
	plane_port(FRONT_SLOT, FRONT, "");
	plane_port(BACK_SLOT, BACK, "");
	plane_port(LEFT_SLOT, LEFT, "inline");
	plane_port(RIGHT_SLOT, RIGHT, "inline");
	plane_publish();
	plane_run();
	plane_forget();
}

void
bump_on_loss(enum lp_on_loss how)
{
	const uint32_t ids[] = {LEFT, RIGHT};

	for (unsigned i = 0; i < 2; i++) {
		struct lp_object port =
		    *lp_config_find(&plane.config, LP_OBJECT_PORT, ids[i]);

		port.port.on_loss = (uint8_t)how;
		put(&plane.config, port);
	}
	plane_publish();
	plane_run();
}

/* What may be passed on without us, where the port can do that. */
static bool
need_not_be_seen(enum lp_reason reason)
{
	return reason == LP_REASON_WIRED || reason == LP_REASON_WIRED_UNREAD;
}

void
left_as_it_came(uint8_t by, const struct packet *came, const char *text)
{
	ck_assert_msg(plane_take(by), "nothing has left: %s", text);
	ck_assert_msg(plane.frame.len == came->len &&
		memcmp(plane.frame.bytes, came->bytes, came->len) == 0,
	    "%s\nleft as %s", text, plane.text);
	plane_quiet();
}

void
passes(uint8_t in, const char *text, enum lp_reason reason)
{
	uint64_t counted = plane_reason(reason), wired = plane_wired();
	struct packet packet;

	packet_build(&packet, text);
	/* What asks there for a next hop does not ask us. */
	plane.helpful = reason != LP_REASON_WIRED;
	ck_assert(plane_inject(in, packet.bytes, packet.len));
	plane_run();
	plane.helpful = true;
	left_as_it_came(
	    in == LEFT_SLOT ? RIGHT_SLOT : LEFT_SLOT, &packet, text);
	if (need_not_be_seen(reason) && plane_wired() > wired)
		return;
	ck_assert_msg(plane_reason(reason) == counted + 1,
	    "%s: %s has not counted", text, lp_reason_name(reason));
}

void
establish(void)
{
	passes(LEFT_SLOT, C4 "S seq=1000", LP_REASON_OPENED);
	passes(RIGHT_SLOT, B4 "SA seq=5000 ack=1001", LP_REASON_FORWARDED);
	passes(LEFT_SLOT, C4 "A seq=1001 ack=5001", LP_REASON_FORWARDED);
}
