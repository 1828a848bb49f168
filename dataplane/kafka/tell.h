/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells of what rules refuse of requests (pipeline/denials.h): by which rule,
 * whose connection it is, and what was asked.
 */
#ifndef LP_KAFKA_TELL_H
#define LP_KAFKA_TELL_H

#include "dataplane/kafka/kafka.h"
#include "dataplane/pipeline/denials.h"
#include "dataplane/pipeline/rules.h"

/* As it was asked: with one of its topics, or without. */
void lp_tell_refused(const struct lp_kafka_at *at,
    const struct lp_rules_row *row, const struct lp_rules_request *request,
    enum lp_denial_kind kind);

/*
 * Of the rules that hold and do not decide: what those in shadow would refuse,
 * if `denies` a deny; and which one lets no topic be created is kept.
 */
void lp_tell_seen(const struct lp_kafka_at *at, struct lp_judged *judged,
    const struct lp_rules *rules, const struct lp_rules_request *request,
    const struct lp_rules_found *found, bool denies);

/*
 * A Metadata request creates nothing, because of the one that was kept.  With
 * the name of the topic if it is the one that was asked for last.
 */
void lp_tell_creation(
    const struct lp_kafka_at *at, const struct lp_message *message);

/* By its listener; as far as it was read, NULL: its bytes are no request. */
void lp_tell_unjudged(
    const struct lp_kafka_at *at, const struct lp_judged *judged);

#endif
