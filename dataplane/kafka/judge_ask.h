/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked of the rules for a request, or for one topic of it, and what is
 * done of what they say: a rule of those that judge.h calls.
 *
 * Who asks.  A broker is one that says so (a replica id, or an API of brokers)
 * from an address that a broker of the cluster has; all others are clients.  A
 * Fetch of version 15 or later says it behind its topics: from such an address
 * both are asked for, what matched is chosen at the end; nothing is refused.
 */
#ifndef LP_KAFKA_JUDGE_ASK_H
#define LP_KAFKA_JUDGE_ASK_H

#include "dataplane/kafka/kafka.h"
#include "dataplane/pipeline/rules.h"

/* LP_JUDGED_AS_*; both where it is not known before its end. */
unsigned lp_judge_ask_who(
    const struct lp_kafka_at *at, const struct lp_message *message, bool ended);

/*
 * For that topic, or for none, of the request or of the answer to at->asked:
 * what is found is noted for the counters, and acts.  The rules may have gone
 * since it began.
 */
void lp_judge_ask(struct lp_kafka_at *at, struct lp_judged *judged,
    unsigned who, const struct lp_rules_text *topic);

/* What is found, of LP_RULE_FROM_*, and nothing else. */
void lp_judge_ask_of(const struct lp_kafka_at *at,
    struct lp_rules_request *request, uint8_t from,
    struct lp_rules_found *found);

/* By what came before: nothing of it is sent. */
bool lp_judge_ask_is_broken(const struct lp_kafka_at *at);

/*
 * Nothing more of it is judged, or sent, which `why` counts: what has matched
 * is counted now.
 */
void lp_judge_ask_end(
    struct lp_kafka_at *at, struct lp_judged *judged, lp_counter *why);

#endif
