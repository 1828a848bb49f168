/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/limit_topic.h"

#include "dataplane/kafka/inflight.h"
#include "dataplane/kafka/judge.h"
#include "dataplane/kafka/judge_ask.h"
#include "dataplane/kafka/judge_count.h"
#include "dataplane/kafka/limit.h"
#include "dataplane/kafka/question.h"
#include "dataplane/pipeline/rules.h"

static bool name_of(const struct lp_kafka_at *, const struct lp_message *,
    struct lp_rules_text *);
static void look_up(const struct lp_kafka_at *, struct lp_message *,
    const struct lp_rules_text *, struct lp_rules_found *);

bool
lp_limit_topic_wanted(const struct lp_kafka_at *at, int16_t key)
{
	const struct lp_rules *rules = lp_judge_rules(at);

	return rules != NULL && lp_rules_limits_topics(rules, key);
}

bool
lp_limit_topic_recalls(const struct lp_kafka_at *at, int16_t key)
{
	const struct lp_rules *rules = lp_judge_rules(at);

	return lp_limit_topic_wanted(at, key) &&
	    (rules->recalls[key / 64] >> key % 64 & 1) != 0;
}

void
lp_limit_topic_end(struct lp_kafka_at *at, struct lp_message *message)
{
	const struct lp_rules *rules = lp_judge_rules(at);
	const struct lp_rules_row *row;
	struct lp_rules_text name;
	struct lp_rules_found found;

	if (message->topic_bytes == 0 ||
	    !lp_limit_topic_wanted(at, message->key) ||
	    !name_of(at, message, &name))
		return;
	at->asked = lp_inflight_oldest(at);
	look_up(at, message, &name, &found);
	at->asked = NULL;
	lp_judge_count_topic(&message->judged, rules, &found, message->key);
	if (found.decides == LP_RULES_NONE)
		return;
	row = &rules->rows[found.decides];
	if (lp_rules_is_of_answer(rules, row, message->key))
		lp_limit_topic_bytes(
		    at, &message->judged, rules, row, message->topic_bytes);
}

/* False: nobody knows it. */
static bool
name_of(const struct lp_kafka_at *at, const struct lp_message *message,
    struct lp_rules_text *name)
{
	struct lp_telemetry *telemetry = &at->kafka->telemetry;

	*name = (struct lp_rules_text){
	    .bytes = (const uint8_t *)message->topic_name,
	    .len = message->topic_name_len};
	if (name->len > 0 || !message->topic_has_id)
		return name->len > 0;
	if (lp_topic_ids_peek(&telemetry->topic_ids, at->tcp->cluster_id,
		message->topic_id, &name->bytes, &name->len))
		return true;
	lp_telemetry_count(telemetry, rules_topics_unknown, 1);
	return false;
}

/* Who has asked is known: it is said by the request in flight. */
static void
look_up(const struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_rules_text *name, struct lp_rules_found *found)
{
	const struct lp_rules *rules = lp_judge_rules(at);
	struct lp_judged *judged = &message->judged;
	struct lp_rules_request request;
	unsigned who;

	message->origin = at->asked->origin;
	who = lp_judge_ask_who(at, message, true);
	judged->is_named = true;
	lp_question_put(at, judged, &request);
	request.text[LP_RULES_TOPIC] = *name;
	if (rules->has_general_deny)
		request.undenied = lp_question_undenied(at, judged, rules);
	lp_judge_ask_of(at, &request,
	    who == LP_JUDGED_AS_BROKER ? LP_RULE_FROM_BROKER
				       : LP_RULE_FROM_CLIENT,
	    found);
}
