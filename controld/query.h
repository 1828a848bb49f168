/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions that dataplanes answer: statistics, of Kafka and of rules too,
 * connections, and denials.
 *
 * Asked of one or all that are connected, and passed on frame by frame as
 * the answers come; what people call things is filled in.  A dataplane that
 * owes LP_QUESTIONS_MAX answers would leave at one question more, so it is not
 * asked: that dataplane is missing in the answer, which ends with a failure.
 */
#ifndef LP_CONTROLD_QUERY_H
#define LP_CONTROLD_QUERY_H

#include "controld/reply.h"

enum {
	LP_QUERIES_MAX = 80, /* at the same time */
	/* Of them, and of LP_QUESTIONS_MAX, what only a scrape may have. */
	LP_QUERIES_SCRAPE = 48,
	LP_QUERY_QUESTIONS_SCRAPE = 3,
	LP_QUERY_MS = 2000, /* without a frame of any dataplane */
};

struct lp_query_set;

int lp_query_new(
    struct lp_query_set **out, struct lp_context *context, unsigned time_ms);
void lp_query_free(struct lp_query_set *set);

/* Of its counters, connections, kafka, rules or denials; borrows it for the
 * call. */
void lp_query_add(struct lp_query_set *set, const struct lp_reply_to *to,
    const Lp__Pb__ControlRequest *request);

/* A frame from dataplane `index`. */
void lp_query_answered(struct lp_query_set *set, unsigned index,
    const Lp__Pb__DataplaneMessage *message);

/* A dataplane may have gone. */
void lp_query_changed(struct lp_query_set *set);

/* A client has. */
void lp_query_gone(struct lp_query_set *set, uint64_t client);

#endif
