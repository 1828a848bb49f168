/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the dataplanes say about the desired generation, and who is waited for:
 * for commit.c.
 */
#ifndef LP_CONTROLD_AWAIT_H
#define LP_CONTROLD_AWAIT_H

#include "controld/context.h"

/* Of one change; a bit for each dataplane. */
struct lp_await {
	uint64_t base; /* number of the generation that it found */
	uint32_t awaited; /* was connected since */
	uint32_t refused; /* has rejected the base, too */
};

struct lp_await_poll {
	unsigned connected, applied, rejected;
	const struct lp_push_dataplane *late; /* one without an answer */
	const struct lp_push_dataplane *refuser; /* one that rejected */
	bool refused_base; /* as it did the generation before */
};

void lp_await_start(struct lp_await *await, const struct lp_context *context);

/* What is forgotten when a dataplane goes, or answers the next generation. */
void lp_await_look(struct lp_await *await, const struct lp_context *context);

struct lp_await_poll lp_await_ask(
    const struct lp_await *await, const struct lp_context *context);

#endif
