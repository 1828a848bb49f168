/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon without main() and control socket, for tests.
 */
#ifndef LP_TESTS_CONTROLD_WORLD_H
#define LP_TESTS_CONTROLD_WORLD_H

#include <check.h>
#include <event2/event.h>

#include "controld/session.h"
#include "controld/store.h"

enum { REPLIES_MAX = 512 };

/* A directory of the test's own, and a path in it (one of a few buffers). */
void make_dir(char dir[64]);
void remove_dir(const char *dir);
const char *path_in(const char *dir, const char *name);

struct world {
	char dir[64];
	struct event_base *base;
	struct lp_store *store;
	struct lp_session *session;
	const char *paths[2]; /* of dataplanes */
	unsigned dataplanes;
	struct lp_push_times times;
	Lp__Pb__ControlReply *replies[REPLIES_MAX];
	uint64_t clients[REPLIES_MAX];
	unsigned reply_count;
	size_t unread; /* bytes that every client has not read */
};

/* Long enough for any machine; tests shorten what they wait for. */
extern const struct lp_push_times patient;

/* Of the next world. */
extern struct lp_discover_options world_discover;
extern struct lp_gather_limits world_gather;
extern unsigned world_backup_ms;

/* The same: where its first dataplane is on another machine, and how. */
extern struct world_far {
	const char *path; /* NULL: here */
	struct lp_tls *tls;
	void (*resolve)(const char *host, struct lp_names_answer *answer);
} world_far;

/* Who asks in tests: of this machine. */
extern const struct lp_serve_peer world_peer;

void world_start(struct world *world, const struct lp_push_times *times,
    unsigned dataplanes);
void world_stop(struct world *world);
/* It ends, and starts anew with what is stored. */
void world_restart(
    struct world *world, void (*meanwhile)(const char *database));

/* Runs the loop until the condition holds; fails the test after 10 s. */
void world_run(struct world *world, bool (*done)(void *arg), void *arg);
/* Until there are `count` replies in all; returns the last. */
const Lp__Pb__ControlReply *world_replies(struct world *world, unsigned count);
/* Sends the transaction; the answer comes with world_replies(). */
void world_send(struct world *world, const char *text, uint32_t timeout_ms);
/* Sends it without a timeout, and is sure that it was done. */
void world_change(struct world *world, const char *text);
/* 0: without a generation. */
void world_roll_back(
    struct world *world, uint64_t generation, uint32_t confirm_ms);
void world_confirm(struct world *world, uint64_t generation);
void world_show(struct world *world, uint64_t generation);
/* Who has made the newest generation, and what he has said of it. */
const char *world_newest(struct world *world);
/* The status of dataplane `index`; valid until the next call. */
const Lp__Pb__DataplaneStatus *world_status(
    struct world *world, unsigned index);
const Lp__Pb__StatusReply *world_status_reply(struct world *world);
/* Until dataplane `index` is in that state. */
void world_state(struct world *world, unsigned index, const char *state);

/* The reply is the whole answer, a refusal; or a change that was done. */
const Lp__Pb__Failure *world_failure(const Lp__Pb__ControlReply *reply);
const Lp__Pb__TransactionReply *world_done(const Lp__Pb__ControlReply *reply);

#endif
