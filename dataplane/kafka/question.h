/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules are asked of the request at hand, as far as it was read; or, in
 * its answer, of at->asked.
 */
#ifndef LP_KAFKA_QUESTION_H
#define LP_KAFKA_QUESTION_H

#include "dataplane/kafka/kafka.h"
#include "dataplane/pipeline/rules.h"

/* All but the topic, and who asks; texts are borrowed. */
void lp_question_put(const struct lp_kafka_at *at,
    const struct lp_judged *judged, struct lp_rules_request *request);

/* Of its frame, with the size field. */
uint32_t lp_question_size(const struct lp_kafka_at *at);
int16_t lp_question_key(const struct lp_kafka_at *at);
int16_t lp_question_version(const struct lp_kafka_at *at);

/* Whether it is of one of those: by API, versions as bits. */
bool lp_question_is_among(
    const struct lp_kafka_at *at, const uint32_t versions[LP_RULES_APIS]);

/* enum lp_rules_undenied, of what is known of it by now. */
uint8_t lp_question_undenied(const struct lp_kafka_at *at,
    const struct lp_judged *judged, const struct lp_rules *rules);

#endif
