/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rules a request has matched, for their counters.
 *
 * Limits.  Of one request LP_JUDGED_MAX rules are counted, and of one topic
 * those that lp_rules_request() tells; that there were more is counted.
 */
#ifndef LP_KAFKA_JUDGE_COUNT_H
#define LP_KAFKA_JUDGE_COUNT_H

#include "dataplane/kafka/kafka.h"

struct lp_rules;
struct lp_rules_found;
struct lp_rules_row;

/*
 * All that was found, but for rules that hold for its answer; or one of them;
 * who: LP_JUDGED_*.  True: that was not noted of it before, as far as is known.
 */
void lp_judge_count_found(struct lp_judged *judged,
    const struct lp_rules *rules, const struct lp_rules_found *found,
    uint32_t who, int16_t api);
bool lp_judge_count_row(
    struct lp_judged *judged, const struct lp_rules_row *row, uint32_t who);

/* Of a topic of an answer those that hold for answers (limit_topic.h). */
void lp_judge_count_topic(struct lp_judged *judged,
    const struct lp_rules *rules, const struct lp_rules_found *found,
    int16_t api);

/*
 * Of a topic that an answer tells: whether it is denied.  Where the request
 * named it, its rules have been counted with that; where it meant all, those
 * that ask for topics have not.
 */
bool lp_judge_count_answer(struct lp_judged *judged,
    const struct lp_rules *rules, const struct lp_rules_found *found);

/* The request is over, or refused: it had so many bytes. */
void lp_judge_count_all(const struct lp_kafka_at *at,
    const struct lp_judged *judged, unsigned who, uint32_t bytes);

#endif
