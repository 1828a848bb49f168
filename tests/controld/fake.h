/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dataplane that says what the test wants it to say.
 */
#ifndef LP_TESTS_CONTROLD_FAKE_H
#define LP_TESTS_CONTROLD_FAKE_H

#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "world.h"

enum { FRAMES_MAX = 8192 };

struct fake {
	struct world *world;
	struct evconnlistener *listener;
	struct bufferevent *bev; /* the connection of now, or NULL */
	unsigned connections; /* accepted so far */
	struct lp_tls *tls; /* NULL: none */
	Lp__Pb__DataplaneMessage *frames[FRAMES_MAX];
	unsigned first, count; /* not taken yet */
	bool kafka_stats; /* HELLO says so */
	bool rule_stats; /* the same */
	bool denials;
	bool old; /* it has no inline listeners, no rules, rewrites nothing */
	bool topic_ids; /* the same */
};

void fake_start(struct fake *fake, struct world *world, const char *path);
/* At that address, over TLS; tls NULL: what comes is accepted, and no more. */
void fake_start_far(struct fake *fake, struct world *world,
    const struct lp_endpoint *endpoint, struct lp_tls *tls);
void fake_stop(struct fake *fake);
void fake_hang_up(struct fake *fake);
void fake_wait_connection(struct fake *fake, unsigned connections);
/* Until lp-controld has closed the connection. */
void fake_wait_closed(struct fake *fake);

/* The next frame that is no BEAT; it must be of this kind. */
Lp__Pb__DataplaneMessage *fake_take(
    struct fake *fake, Lp__Pb__DataplaneMessage__BodyCase body);
void fake_send(struct fake *fake, Lp__Pb__DataplaneMessage *message);
void fake_send_bytes(struct fake *fake, const void *bytes, size_t len);

void fake_hello(
    struct fake *fake, uint64_t epoch, uint64_t generation, uint64_t digest);
void fake_beat(struct fake *fake, uint64_t generation, uint64_t digest);
void fake_applied(struct fake *fake, uint64_t generation, uint64_t digest);
void fake_rejected(struct fake *fake, uint64_t generation,
    Lp__Pb__Rejected__Code code, const char *object, const char *field,
    const char *text);

/* One push, taken whole. */
struct pushed {
	uint64_t generation, digest, base, epoch;
	bool full;
	unsigned objects, gone;
};
struct pushed fake_take_push(struct fake *fake);

/* HELLO with nothing, and the first generation applied; returns it. */
struct pushed fake_synchronise(struct fake *fake);

#endif
