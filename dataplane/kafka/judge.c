/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	client id, acks, group, transactional id ▸ kept
 *	a topic's name, or its end ▸ asked for it
 *	another group, the one before it had no topic ▸ asked for that
 *	the end, nothing was asked since the last of them ▸ asked
 *	the number that is overwritten where all of a request is refused ▸
 *		asked before it is, without the topics behind it
 *	a partition ▸ marked, if its topic is refused; where only the topic's
 *		id is there, that is asked for at the first of them
 *	the end ▸ what matched is counted
 *	a topic of an answer, where that is what is edited ▸ asked for, with
 *		what the request was (recall.h)
 *
 * A transactional id is as a group there.
 */
#include "dataplane/kafka/judge.h"

#include <string.h>

#include "dataplane/kafka/account.h"
#include "dataplane/kafka/deny.h"
#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/judge_ask.h"
#include "dataplane/kafka/judge_count.h"
#include "dataplane/kafka/limit.h"
#include "dataplane/kafka/question.h"
#include "dataplane/kafka/tell.h"
#include "dataplane/pipeline/rules.h"

enum {
	RESOURCE_TOPIC = 2,
};

/* A request that was not walked has no texts. */
static const struct lp_judged unwalked = {.acks = LP_RULES_NO_ACKS};
static const struct lp_rules_text no_text = {.bytes = NULL};

static void keep(
    struct lp_judged *, enum lp_judged_text, const struct lp_fact *);
static void another(struct lp_kafka_at *, struct lp_message *,
    enum lp_judged_text, const struct lp_fact *);
static void topic_name(
    struct lp_kafka_at *, struct lp_message *, const struct lp_fact *);
static void named_by_id(
    struct lp_kafka_at *, struct lp_message *, const struct lp_fact *);
static void named(
    struct lp_kafka_at *, struct lp_message *, const struct lp_fact *);
static void topic_id(struct lp_kafka_at *, struct lp_message *);
static bool acts_on_topics(const struct lp_kafka_at *, const struct lp_rules *);
static void partition(
    struct lp_kafka_at *, struct lp_message *, const struct lp_fact *);
static void whole(
    struct lp_kafka_at *, struct lp_message *, const struct lp_fact *);
static bool is_of_configs(const struct lp_kafka_at *);
static struct lp_rules_text text_of(const struct lp_fact *);
static bool is_unreadable(
    const struct lp_kafka_at *, const struct lp_message *);
static void unread(struct lp_kafka_at *, const struct lp_judged *);

void
lp_judge_open(struct lp_message *message)
{
	/* But for the rules and texts, which are as many as it says. */
	memset(&message->judged, 0, offsetof(struct lp_judged, rules));
	message->judged.acks = LP_RULES_NO_ACKS;
	message->judged.is_waiting = true;
	message->is_judged = true;
}

void
lp_judge_fact(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	struct lp_judged *judged = &message->judged;

	switch (fact->kind) {
	case LP_FACT_CLIENT_ID:
		keep(judged, LP_JUDGED_CLIENT_ID, fact);
		break;
	case LP_FACT_ACKS:
		judged->acks = (int16_t)fact->value;
		break;
	case LP_FACT_GROUP_ID:
		another(at, message, LP_JUDGED_GROUP, fact);
		break;
	case LP_FACT_TRANSACTIONAL_ID:
		another(at, message, LP_JUDGED_TRANSACTIONAL_ID, fact);
		break;
	case LP_FACT_TOPIC_BEGIN:
		judged->is_named = false;
		judged->marks = 0;
		break;
	case LP_FACT_TOPICS_NULL:
		judged->is_of_all = true;
		break;
	case LP_FACT_TOPIC_NAME:
		topic_name(at, message, fact);
		break;
	case LP_FACT_TOPIC_ID:
		named_by_id(at, message, fact);
		break;
	case LP_FACT_TOPIC_END:
		topic_id(at, message);
		break;
	case LP_FACT_PARTITION:
	case LP_FACT_PARTITION_CUT:
		partition(at, message, fact);
		break;
	case LP_FACT_TIMEOUT:
	case LP_FACT_MEMBER_EPOCH:
	case LP_FACT_NUMBER_CUT:
		whole(at, message, fact);
		break;
	case LP_FACT_AUTO_CREATION:
		if (!judged->no_create)
			break;
		lp_deny_creation(at, message, fact);
		if (at->splice != NULL && fact->value != 0)
			lp_tell_creation(at, message);
		break;
	case LP_FACT_RESOURCE_TYPE:
		judged->resource_type = (uint8_t)fact->value;
		judged->marks = 0;
		break;
	case LP_FACT_RESOURCE_NAME:
		if (judged->resource_type == RESOURCE_TOPIC &&
		    is_of_configs(at))
			topic_name(at, message, fact);
		break;
	default:
		break;
	}
}

bool
lp_judge_is_among(const struct lp_kafka_at *at,
    const struct lp_message *message, const uint32_t versions[LP_RULES_APIS])
{
	return !lp_judge_ask_is_broken(at) &&
	    lp_question_is_among(at, versions) &&
	    lp_judge_ask_who(at, message, true) == LP_JUDGED_AS_CLIENT;
}

void
lp_judge_answered(struct lp_kafka_at *at, struct lp_message *message)
{
	lp_judge_count_all(
	    at, &message->judged, LP_JUDGED_AS_CLIENT, lp_question_size(at));
}

void
lp_judge_close(struct lp_kafka_at *at, struct lp_message *message)
{
	struct lp_judged head_alone;
	struct lp_judged *judged = &head_alone;
	unsigned who = lp_judge_ask_who(at, message, true);

	if (is_unreadable(at, message))
		unread(at, message != NULL ? &message->judged : &unwalked);
	if (message != NULL) {
		judged = &message->judged;
	} else {
		memcpy(judged, &unwalked, offsetof(struct lp_judged, rules));
		judged->is_waiting = true;
	}
	judged->is_named = false;
	if (judged->is_waiting && lp_judge_rules(at) != NULL)
		lp_judge_ask(at, judged, who, &no_text);
	if (message != NULL &&
	    (judged->is_by_answer ||
		lp_judge_ask_who(at, message, false) == LP_JUDGED_AS_BOTH))
		lp_limit_late(at, judged, who);
	lp_judge_count_all(at, judged, who, lp_question_size(at));
	at->limited = judged->limited;
}

static void
keep(struct lp_judged *judged, enum lp_judged_text which,
    const struct lp_fact *fact)
{
	uint8_t bit = (uint8_t)(1u << which);

	static_assert(LP_FACT_TEXT_MAX <= UINT8_MAX, "its length is a byte");
	judged->has &= (uint8_t)~bit;
	judged->cut &= (uint8_t)~bit;
	if (fact->null)
		return;
	judged->has |= bit;
	if (fact->full_len > fact->len)
		judged->cut |= bit;
	judged->lens[which] = (uint8_t)fact->len;
	memcpy(judged->texts[which], fact->bytes, fact->len);
}

/* The one before it may have come without a topic. */
static void
another(struct lp_kafka_at *at, struct lp_message *message,
    enum lp_judged_text which, const struct lp_fact *fact)
{
	struct lp_judged *judged = &message->judged;

	if (judged->is_waiting && (judged->has & 1u << which)) {
		judged->is_named = false;
		lp_judge_ask(
		    at, judged, lp_judge_ask_who(at, message, false), &no_text);
	}
	keep(judged, which, fact);
	judged->is_waiting = true;
}

static void
topic_name(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	struct lp_rules_text name = text_of(fact);

	/* Where a name is empty beside an id, the id says which it is. */
	if (fact->null || (fact->len == 0 && message->topic_has_id))
		return;
	message->judged.is_named = true;
	lp_judge_ask(
	    at, &message->judged, lp_judge_ask_who(at, message, false), &name);
	named(at, message, fact);
}

/* Where nothing behind it can be refused. */
static void
named_by_id(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	if (message->judged.is_named || !lp_deny_name_is_by_id(message))
		return;
	topic_id(at, message);
	named(at, message, fact);
}

/* By its name, or by its id, alone. */
static void
named(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	const struct lp_rules *rules = lp_judge_rules(at);
	struct lp_judged *judged = &message->judged;

	if (rules != NULL && !lp_judge_ask_is_broken(at) &&
	    lp_question_is_among(at, rules->by_name) &&
	    !lp_deny_name(at, message, fact, judged->marks & LP_DENY_NAME))
		lp_judge_ask_end(at, judged,
		    &at->kafka->telemetry.stats->counters.names_reset);
}

/* Of one without a name the id says it, if anybody has told of it. */
static void
topic_id(struct lp_kafka_at *at, struct lp_message *message)
{
	struct lp_telemetry *telemetry = &at->kafka->telemetry;
	const struct lp_rules *rules = lp_judge_rules(at);
	struct lp_judged *judged = &message->judged;
	unsigned who = lp_judge_ask_who(at, message, false);
	struct lp_rules_text name = no_text;
	bool known;

	if (judged->is_named)
		return;
	judged->is_named = true;
	known = !message->topic_has_id ||
	    lp_topic_ids_peek(&telemetry->topic_ids, at->tcp->cluster_id,
		message->topic_id, &name.bytes, &name.len);
	if (!known)
		lp_telemetry_count(telemetry, rules_topics_unknown, 1);
	lp_judge_ask(at, judged, who, &name);
	/* A rule that needs no name may have refused it already. */
	if (known || judged->marks != 0 || rules == NULL ||
	    who != LP_JUDGED_AS_CLIENT || !acts_on_topics(at, rules))
		return;
	if (lp_question_is_among(at, rules->by_index))
		judged->marks = LP_DENY_UNKNOWN;
	/* What is denied in the answer may be known by then. */
	else if (at->asked != NULL ||
	    !lp_question_is_among(at, rules->by_answer))
		unread(at, judged);
}

/* Rules there would have to know the names of topics of such a request. */
static bool
acts_on_topics(const struct lp_kafka_at *at, const struct lp_rules *rules)
{
	int16_t key = lp_question_key(at);

	return key >= 0 && key < LP_RULES_APIS &&
	    (rules->acts_on_topics[key / 64] >> key % 64 & 1) != 0 &&
	    lp_snapshot_unjudged(at->snapshot, at->tcp->listener_id) != 0;
}

static void
partition(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	uint8_t marks;

	topic_id(at, message);
	marks = message->judged.marks & ~LP_DENY_NAME;
	if (marks == 0 || at->asked != NULL)
		return;
	lp_deny_partition(at, message, fact, marks);
}

/*
 * What denies the group, or the transactional id, denies all of the request.
 * Any other answer is left to its end, or to its topics.
 */
static void
whole(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	const struct lp_rules *rules = lp_judge_rules(at);
	struct lp_judged *judged = &message->judged;
	const struct lp_rules_row *row;
	struct lp_rules_request request;
	struct lp_rules_found found;

	if (rules == NULL || lp_judge_ask_is_broken(at) ||
	    !lp_question_is_among(at, rules->by_whole) ||
	    !lp_deny_whole_may(at, message, fact) ||
	    !(judged->has &
		(1u << LP_JUDGED_GROUP | 1u << LP_JUDGED_TRANSACTIONAL_ID)) ||
	    lp_judge_ask_who(at, message, false) != LP_JUDGED_AS_CLIENT)
		return;
	lp_question_put(at, judged, &request);
	lp_judge_ask_of(at, &request, LP_RULE_FROM_CLIENT, &found);
	if (found.decides == LP_RULES_NONE)
		return;
	row = &rules->rows[found.decides];
	if (row->verdict != LP_RULE_DENY)
		return;
	judged->is_waiting = false;
	lp_judge_count_found(
	    judged, rules, &found, LP_JUDGED_AS_CLIENT, request.api);
	lp_judge_count_row(judged, row, LP_JUDGED_REFUSES);
	lp_tell_seen(at, judged, rules, &request, &found, true);
	if (at->splice != NULL)
		lp_tell_refused(at, row, &request, LP_DENIAL_DENY);
	lp_deny_whole(at, message, fact);
}

/* As in proto/apis.h: there the name of a resource may be a topic's. */
static bool
is_of_configs(const struct lp_kafka_at *at)
{
	switch (lp_question_key(at)) {
	case LP_KEY_DESCRIBE_CONFIGS:
	case LP_KEY_ALTER_CONFIGS:
	case LP_KEY_INCREMENTAL_ALTER_CONFIGS:
		return true;
	default:
		return false;
	}
}

static struct lp_rules_text
text_of(const struct lp_fact *fact)
{
	return (struct lp_rules_text){.bytes = fact->bytes,
	    .len = fact->len,
	    .cut = fact->full_len > fact->len};
}

/*
 * NULL: there was no place to walk it.  A question for versions names nothing
 * that a rule could refuse, and one that is too new has become one of a version
 * that no broker knows (lp_disguise_request()).
 */
static bool
is_unreadable(const struct lp_kafka_at *at, const struct lp_message *message)
{
	return message == NULL || message->bad ||
	    (message->foreign && lp_question_key(at) != LP_KEY_API_VERSIONS);
}

void
lp_judge_unread(struct lp_kafka_at *at)
{
	unread(at, NULL);
}

/* A request, as far as it was read; NULL: of none. */
static void
unread(struct lp_kafka_at *at, const struct lp_judged *judged)
{
	struct lp_telemetry *telemetry = &at->kafka->telemetry;
	uint8_t what = lp_snapshot_unjudged(at->snapshot, at->tcp->listener_id);

	/* It is open for the requests that are allowed (pipeline/gate.h). */
	if (what != 0 && (at->tcp->flags & LP_CONN_LATER))
		what = LP_UNJUDGED_RESET;
	switch (what) {
	case LP_UNJUDGED_RESET:
		if (at->splice == NULL || lp_judge_ask_is_broken(at))
			break;
		lp_tell_unjudged(at, judged);
		lp_edit_refuse(at->kafka, at->index,
		    &telemetry->stats->counters.unjudged_reset);
		break;
	case LP_UNJUDGED_PASS:
		lp_telemetry_count(telemetry, unjudged_passed, 1);
		break;
	default:
		break;
	}
}
