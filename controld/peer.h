/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation with one dataplane.  For push.c only.
 *
 *   away ── connected ──▶ HELLO awaited ── WELCOME ──▶ welcomed ◀─┐
 *    ▲                                                   │  BEGIN │ APPLIED
 *    └── any error, silence, a frame out of order ◀──────┴────────┘ REJECTED
 */
#ifndef LP_CONTROLD_PEER_H
#define LP_CONTROLD_PEER_H

#include <event2/bufferevent.h>

#include "controld/names.h"
#include "controld/push.h"
#include "controld/target.h"

/* What all peers share; push.c's. */
struct lp_peer_shared {
	struct lp_push_options options;
	const struct lp_generation *desired;
	struct lp_names *names; /* NULL: all are on this machine */
	/* OBJECT frames that lead from base to desired; NULL: none. */
	struct evbuffer *delta;
	uint32_t delta_count;
	uint64_t delta_base, delta_base_digest;
};

struct lp_peer {
	struct lp_push_dataplane info;
	const struct lp_peer_shared *shared;
	unsigned index;
	struct lp_target target;
	unsigned tries; /* to connect there */
	bool looking; /* for the address: lp_peer_found() */
	struct bufferevent *bev; /* NULL: away */
	struct event *timer; /* away: next attempt; else: the next beat */
	unsigned backoff_ms;
	uint64_t connected_ms; /* CLOCK_MONOTONIC, like all *_ms */
	uint64_t heard_ms; /* the last frame */
	uint64_t pushed_ms; /* the last END */
	uint64_t pushed; /* generation without an answer yet; 0: none */
	uint64_t pushed_digest;
	bool pushed_delta;
};

int lp_peer_init(struct lp_peer *peer, const struct lp_peer_shared *shared,
    unsigned index, const char *path);
void lp_peer_fini(struct lp_peer *peer);

/* Something has an address now, or another. */
void lp_peer_found(struct lp_peer *peer);

/* 0, or -ENOTCONN. */
int lp_peer_send(struct lp_peer *peer, const Lp__Pb__DataplaneMessage *message);

/*
 * Closes the connection, if there is one, and plans the next attempt; the
 * one way out.  The reason is kept for `lpctl status`.
 */
void lp_peer_leave(struct lp_peer *peer, enum lp_push_state state,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

void lp_peer_set_state(
    struct lp_peer *peer, enum lp_push_state state, const char *why);

#endif
