/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collects what all dataplanes know, and makes one page of it.
 *
 * It asks what lpctl could ask, in the same messages: for the status, then of
 * each dataplane its counters, those of Kafka and those of rules, each question
 * by itself, so that one that does not answer harms none of the others.
 */
#ifndef LP_CONTROLD_EXPORT_COLLECT_H
#define LP_CONTROLD_EXPORT_COLLECT_H

#include <event2/buffer.h>
#include <stdbool.h>

#include "proto/message.h"

enum {
	/* For all answers; a scraper has 10 s, as a rule. */
	LP_EXPORT_COLLECT_MS = 8000,
	/* Bytes of rows from one question: twice what the tables can hold. */
	LP_EXPORT_COLLECT_SIZE_MAX = 128 << 20,
};

struct lp_export_collect;

struct lp_export_collect_options {
	/*
	 * Asks; takes ownership of the request.  Answers may come before it
	 * returns; there is always a last one, which may be a failure.
	 */
	void (*ask)(void *arg, Lp__Pb__ControlRequest *request);
	/* No answer is waited for any more. */
	void (*cancel)(void *arg);
	/*
	 * The page, lent; NULL: there was no memory for it.  Never called
	 * before lp_export_collect_start() has returned true.
	 */
	void (*done)(void *done_arg, struct evbuffer *page);
	void *arg, *done_arg;
	struct event_base *base;
	unsigned time_ms; /* LP_EXPORT_COLLECT_MS */
	size_t size_max; /* LP_EXPORT_COLLECT_SIZE_MAX */
};

/* 0 or -ENOMEM. */
int lp_export_collect_new(struct lp_export_collect **out,
    const struct lp_export_collect_options *options);
void lp_export_collect_free(struct lp_export_collect *collect);

/*
 * Begins, unless it is at it already: then that is as good.  False: no memory,
 * or nobody to ask.
 */
bool lp_export_collect_start(struct lp_export_collect *collect);

/* An answer; borrowed for the call. */
void lp_export_collect_reply(
    struct lp_export_collect *collect, const Lp__Pb__ControlReply *reply);

#endif
