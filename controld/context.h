/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What those who answer requests share; owned by session.c.
 */
#ifndef LP_CONTROLD_CONTEXT_H
#define LP_CONTROLD_CONTEXT_H

#include "controld/generation.h"
#include "controld/push.h"
#include "controld/store.h"

struct lp_audit;

struct lp_context {
	struct event_base *base;
	struct lp_store *store;
	struct lp_push *push;
	struct lp_audit *audit;
	struct lp_generation current; /* desired; commit.c changes it */
	void (*reply)(
	    void *arg, uint64_t client, const Lp__Pb__ControlReply *reply);
	/* Bytes that a client has not read yet; NULL: all was read. */
	size_t (*unread)(void *arg, uint64_t client);
	void *arg;
	/* Answers to LP_REPLY_SELF. */
	void (*self)(void *arg, const Lp__Pb__ControlReply *reply);
	void *arg_of_self;
};

#endif
