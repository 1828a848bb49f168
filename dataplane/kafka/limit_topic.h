/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits of what is fetched of topics: rules are asked by what an answer of
 * Fetch or ShareFetch has records of, for requests in a session do not name
 * their topics again (KIP-227).
 *
 * When a topic of an answer ends, its name is known, or its id's (topic_ids.h),
 * and so is how many bytes of records it had.  Each rule that limits it is
 * charged those bytes, and once the answer; topics without records are free.
 * An id without a known name is charged to nobody, and counted
 * (rules_topics_unknown): where such a rule acts a request that names it is
 * answered so that the client asks for its name (deny.h).
 *
 * By which rules: those of the time of the answer.  What only the request says,
 * a client id or a group, is kept with it in flight, as for other answers that
 * are judged (recall.h), where any rule of that API asks for it; there an
 * answer whose request was not kept is charged to no topic's rule
 * (answers_uncharged counts those for which there was no room).
 */
#ifndef LP_KAFKA_LIMIT_TOPIC_H
#define LP_KAFKA_LIMIT_TOPIC_H

#include "dataplane/kafka/kafka.h"

/* Rules limit topics of such answers. */
bool lp_limit_topic_wanted(const struct lp_kafka_at *at, int16_t key);

/* And they ask for what only the request says. */
bool lp_limit_topic_recalls(const struct lp_kafka_at *at, int16_t key);

/* A topic of an answer ends; only if it is_judged. */
void lp_limit_topic_end(struct lp_kafka_at *at, struct lp_message *message);

#endif
