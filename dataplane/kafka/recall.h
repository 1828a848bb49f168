/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that are judged: of requests that only ask, and are answered topic by
 * topic, name first, what is denied is denied by an edit of the answer alone
 * (lp_rule_deny_is_by_answer()).  The error code of each partition becomes
 * TOPIC_AUTHORIZATION_FAILED, its offset and the epoch of its leader -1, as a
 * broker's authorizer has it.  Nothing waits for later bytes: all of that
 * stands behind the name.
 *
 *	OffsetFetch: a partition that is not there would be answered without an
 *	error, as one without a commit: the consumer would begin anew
 *	OffsetForLeaderEpoch: the error code stands before the index, so that
 *	the index could not say what becomes of it
 *
 * By which rules.  Those of the time of the answer, with what the request was:
 * its client id, group, version, size, and the principal of its connection.  An
 * answer says which topics it is of, also where the request meant all of them.
 * So what the rules may ask for is kept with the request in flight, in a piece
 * of the held ones, if a rule denies that API there; one that was sent before
 * any rule did is answered as it is.  It lies in the region, and outlives the
 * process.  The same is kept of a Fetch whose answer is charged by its topics
 * (limit_topic.h).
 *
 * Full: of the pieces a half is left to others, and three quarters by who has
 * many requests in flight.  What is not kept cannot be judged, and is as its
 * listener says (--unjudged); of a Fetch, which has a quarter, no topic is
 * charged.  Who keeps and stalls is reset (splice_stall.c).
 */
#ifndef LP_KAFKA_RECALL_H
#define LP_KAFKA_RECALL_H

#include "dataplane/kafka/kafka.h"

/* A request is in flight: what its answer will be judged with is kept. */
void lp_recall_keep(struct lp_kafka_at *at, const struct lp_message *message,
    struct lp_inflight *entry);

/* Nobody finds room. */
bool lp_recall_is_short(const struct lp_kafka *kafka);

/*
 * An answer begins, which will be walked: it is_judged, if it is to be; with
 * lp_recall_fact(), but for those of Fetch.
 */
void lp_recall_begin(const struct lp_kafka_at *at, struct lp_message *message);

/* One of its facts, and the end of any; only if it is_judged. */
void lp_recall_fact(
    struct lp_kafka_at *at, struct lp_message *message, struct lp_fact *fact);
void lp_recall_end(struct lp_kafka_at *at, struct lp_message *message);

#endif
