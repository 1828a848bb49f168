/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How what a rule limits is limited: it passes, and who sent it waits until its
 * bucket (pipeline/buckets.h) owes nothing any more.
 *
 *	requests=	each request, when it comes
 *	bytes=		its frame; of Fetch and ShareFetch that of the answer,
 *			to the bucket that the request was charged to
 *
 * A rule that limits topics of Fetch or ShareFetch is asked when an answer has
 * records of one (limit_topic.h): requests=, that answer; bytes=, the records.
 * Its throttle time has gone by then, so the next answer of that connection
 * tells what is still owed, and until that the broker's window is kept.  What
 * limits them without topics counts whole answers, whoever counts topics.
 *
 * Waiting is made in two ways.  The answer's throttle time becomes the rest of
 * the wait, if the broker's own is not longer, in those versions in which
 * clients obey it (KIP-219); it keeps its length, and nothing waits for later
 * bytes.  And for whoever does not obey, or sends before that, the window of
 * who sends too much is not opened further until then: the client's for
 * requests, the broker's for answers of Fetch.  No longer than LP_LIMIT_HELD_MS
 * for each, or LP_LIMIT_HELD_ALONE_MS, or max_throttle if that is longer: so no
 * client gives up, and who is in a group, too, by the same connection, stays in
 * it.
 *
 * It is bound besides: never told of more at once than what passes in a part of
 * a second, but for the sake of a request that has begun and is larger; nor by
 * what passes in between that is not limited, or less, until all is paid and
 * some seconds more.
 *
 * Never delayed, and not charged: what members of groups must do in time, and
 * what a connection begins with (lp_rule_limit_fault()).
 */
#ifndef LP_KAFKA_LIMIT_H
#define LP_KAFKA_LIMIT_H

#include "dataplane/kafka/kafka.h"

struct lp_rules;
struct lp_rules_row;

/*
 * A rule limits a part of the request that is being judged, or all of it:
 * charges it, once for each such rule.
 */
void lp_limit_request(struct lp_kafka_at *at, struct lp_judged *judged,
    const struct lp_rules *rules, const struct lp_rules_row *row);

/* An answer has so many bytes of records of a topic that a rule limits. */
void lp_limit_topic_bytes(struct lp_kafka_at *at, struct lp_judged *judged,
    const struct lp_rules *rules, const struct lp_rules_row *row,
    uint64_t bytes);

/*
 * A Fetch ends: without its topics, of those that its answer is charged for, or
 * who has asked is known only now, for it may have been a broker.
 */
void lp_limit_late(
    struct lp_kafka_at *at, struct lp_judged *judged, unsigned who);

/* It is complete, and judged: its sender waits.  `entry`: it is in flight. */
void lp_limit_request_end(struct lp_kafka_at *at, struct lp_inflight *entry);

/*
 * The head of the answer of so many bytes to the oldest request has come: that
 * is charged.  Returns the throttle time that its client is to be told; 0:
 * none.
 */
uint32_t lp_limit_answer(struct lp_kafka_at *at, uint32_t bytes);

/* Its last byte has come. */
void lp_limit_answer_end(
    struct lp_kafka_at *at, const struct lp_inflight *oldest);

/* A fact of that answer, which becomes what the client is told. */
void lp_limit_fact(struct lp_kafka_at *at, const struct lp_message *message,
    struct lp_fact *fact);

/* From which version on clients obey the throttle time; -1: in none. */
int16_t lp_limit_obeyed(int16_t key);

#endif
