/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of lp-controld: transactions from one line of text, a daemon
 * without main(), and a dataplane that says what the test wants it to say.
 */
#ifndef LP_TESTS_CONTROLD_SUPPORT_H
#define LP_TESTS_CONTROLD_SUPPORT_H

#include <check.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "controld/model.h"
#include "controld/session.h"
#include "controld/store.h"

enum { FRAMES_MAX = 8192, REPLIES_MAX = 512 };

/* A directory of the test's own, and a path in it (one of a few buffers). */
void make_dir(char dir[64]);
void remove_dir(const char *dir);
const char *path_in(const char *dir, const char *name);

/*
 * A request with a transaction; commands are separated by ';':
 *   add port NAME device=D address=A,A gateway=G side=S route=1
 *   add cluster NAME
 *   add broker CLUSTER NODE [to=IP:PORT]
 *   add listener CLUSTER NAME [vip=IP:PORT] [base=N] [source=W] [mode=W]
 * and the same with set (name=NEW, keep=1: addresses are added to) and del;
 * "may=1" and "if=1" are may_exist and if_exists.
 */
Lp__Pb__ControlRequest *make_transaction(const char *text);

/* The model applied to a configuration, which must succeed. */
void apply(struct lp_config *config, uint32_t *next_id, const char *text);

/* The lines of a configuration: endpoints too. */
char *dump(const struct lp_config *config);

/* Commands of a working configuration: one of each kind. */
extern const char *const basic;

/* ---- a daemon, without main() ---- */

struct world {
	char dir[64];
	struct event_base *base;
	struct lp_store *store;
	struct lp_session *session;
	const char *paths[2]; /* of dataplanes */
	Lp__Pb__ControlReply *replies[REPLIES_MAX];
	uint64_t clients[REPLIES_MAX];
	unsigned reply_count;
};

/* Long enough for any machine; tests shorten what they wait for. */
extern const struct lp_push_times patient;

void world_start(struct world *world, const struct lp_push_times *times,
    unsigned dataplanes);
void world_stop(struct world *world);

/* Runs the loop until the condition holds; fails the test after 10 s. */
void world_run(struct world *world, bool (*done)(void *arg), void *arg);
/* Until there are `count` replies in all; returns the last. */
const Lp__Pb__ControlReply *world_replies(struct world *world, unsigned count);
/* Sends the transaction; the answer comes with world_replies(). */
void world_send(struct world *world, const char *text, uint32_t timeout_ms);
/* The status of dataplane `index`; valid until the next call. */
const Lp__Pb__DataplaneStatus *world_status(
    struct world *world, unsigned index);
/* Until dataplane `index` is in that state. */
void world_state(struct world *world, unsigned index, const char *state);

/* ---- a dataplane ---- */

struct fake {
	struct world *world;
	struct evconnlistener *listener;
	struct bufferevent *bev; /* the connection of now, or NULL */
	unsigned connections; /* accepted so far */
	Lp__Pb__DataplaneMessage *frames[FRAMES_MAX];
	unsigned first, count; /* not taken yet */
};

void fake_start(struct fake *fake, struct world *world, const char *path);
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
