/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/judge_ask.h"

#include "dataplane/kafka/account.h"
#include "dataplane/kafka/deny.h"
#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/judge.h"
#include "dataplane/kafka/judge_count.h"
#include "dataplane/kafka/limit.h"
#include "dataplane/kafka/question.h"
#include "dataplane/kafka/tell.h"
#include "dataplane/pipeline/gate.h"
#include "dataplane/pipeline/rules.h"

enum {
	/* The first version whose replica id is behind its topics (KIP-903). */
	FETCH_LATE = 15,
};

static void answered(const struct lp_kafka_at *, struct lp_judged *,
    const struct lp_rules_request *, const struct lp_rules_found *);
static void act(struct lp_kafka_at *, struct lp_judged *,
    const struct lp_rules *, const struct lp_rules_request *,
    const struct lp_rules_found *);
static uint8_t marks_of(const struct lp_kafka_at *, const struct lp_judged *,
    const struct lp_rules *, const struct lp_rules_row *);
static bool is_by_name(const struct lp_kafka_at *, const struct lp_judged *,
    const struct lp_rules *);
static void reset(struct lp_kafka_at *, struct lp_judged *,
    const struct lp_rules_row *, const struct lp_rules_request *);

unsigned
lp_judge_ask_who(
    const struct lp_kafka_at *at, const struct lp_message *message, bool ended)
{
	int16_t key = lp_question_key(at), version = lp_question_version(at);
	bool says = lp_account_is_between(key, version) ||
	    (message != NULL && message->origin == LP_KAFKA_FROM_BROKER);
	bool late = !ended && key == LP_KEY_FETCH && version >= FETCH_LATE;

	if ((!says && !late) ||
	    !lp_snapshot_is_broker(
		at->snapshot, at->tcp->cluster_id, &at->tcp->client_ip))
		return LP_JUDGED_AS_CLIENT;
	return says ? LP_JUDGED_AS_BROKER : LP_JUDGED_AS_BOTH;
}

void
lp_judge_ask(struct lp_kafka_at *at, struct lp_judged *judged, unsigned who,
    const struct lp_rules_text *topic)
{
	const struct lp_rules *rules = lp_judge_rules(at);
	struct lp_rules_request request;
	struct lp_rules_found found;

	judged->is_waiting = false;
	if (rules == NULL || lp_judge_ask_is_broken(at))
		return;
	lp_question_put(at, judged, &request);
	request.text[LP_RULES_TOPIC] = *topic;
	if (at->asked != NULL) {
		lp_judge_ask_of(at, &request, LP_RULE_FROM_CLIENT, &found);
		answered(at, judged, &request, &found);
		return;
	}
	if (rules->has_general_deny)
		request.undenied = lp_question_undenied(at, judged, rules);
	if (who & LP_JUDGED_AS_CLIENT) {
		lp_judge_ask_of(at, &request, LP_RULE_FROM_CLIENT, &found);
		lp_judge_count_found(
		    judged, rules, &found, LP_JUDGED_AS_CLIENT, request.api);
		if (who == LP_JUDGED_AS_CLIENT)
			act(at, judged, rules, &request, &found);
	}
	if (who & LP_JUDGED_AS_BROKER) {
		lp_judge_ask_of(at, &request, LP_RULE_FROM_BROKER, &found);
		lp_judge_count_found(
		    judged, rules, &found, LP_JUDGED_AS_BROKER, request.api);
		if (who == LP_JUDGED_AS_BROKER)
			act(at, judged, rules, &request, &found);
	}
}

void
lp_judge_ask_of(const struct lp_kafka_at *at, struct lp_rules_request *request,
    uint8_t from, struct lp_rules_found *found)
{
	const struct lp_rules_connection connection = lp_gate_ask(at->tcp);

	request->from = from;
	lp_rules_cache_request(&at->kafka->rules_cache, at->snapshot->serial,
	    lp_judge_rules(at), &connection, request, found);
}

bool
lp_judge_ask_is_broken(const struct lp_kafka_at *at)
{
	return at->splice != NULL && (at->splice->flags & LP_SPLICE_BROKEN);
}

void
lp_judge_ask_end(
    struct lp_kafka_at *at, struct lp_judged *judged, lp_counter *why)
{
	lp_judge_count_all(at, judged, LP_JUDGED_AS_BOTH, lp_question_size(at));
	judged->count = 0;
	judged->is_full = false;
	lp_edit_refuse(at->kafka, at->index, why);
}

/* Of what the request has named it was told then. */
static void
answered(const struct lp_kafka_at *at, struct lp_judged *judged,
    const struct lp_rules_request *request, const struct lp_rules_found *found)
{
	const struct lp_rules *rules = lp_judge_rules(at);
	const struct lp_rules_row *row;

	if (!lp_judge_count_answer(judged, rules, found))
		return;
	judged->marks = LP_DENY_REFUSED;
	row = &rules->rows[found->decides];
	if (judged->is_of_all && (row->flags & LP_RULES_OF_TOPICS))
		lp_tell_refused(at, row, request, LP_DENIAL_DENY);
}

/* Where rules act the listener has said so (proto/config_check_rule.c). */
static void
act(struct lp_kafka_at *at, struct lp_judged *judged,
    const struct lp_rules *rules, const struct lp_rules_request *request,
    const struct lp_rules_found *found)
{
	const struct lp_rules_row *row;

	lp_tell_seen(at, judged, rules, request, found,
	    lp_question_is_among(at, rules->by_index) ||
		is_by_name(at, judged, rules) ||
		lp_question_is_among(at, rules->by_answer) ||
		lp_question_is_among(at, rules->by_whole));
	judged->no_create |= found->no_create;
	judged->no_create_last = found->no_create;
	if (found->decides == LP_RULES_NONE)
		return;
	row = &rules->rows[found->decides];
	if (row->verdict == LP_RULE_RESET) {
		reset(at, judged, row, request);
	} else if (row->verdict == LP_RULE_DENY) {
		uint8_t marks = marks_of(at, judged, rules, row);

		if (marks == 0 && !lp_question_is_among(at, rules->by_answer))
			return;
		judged->marks = marks;
		lp_judge_count_row(judged, row, LP_JUDGED_REFUSES);
		if (at->splice != NULL)
			lp_tell_refused(at, row, request, LP_DENIAL_DENY);
	} else if (row->verdict == LP_RULE_LIMIT) {
		lp_limit_request(at, judged, rules, row);
	}
}

/* How the topic at hand is denied, or what has none; 0: in no way. */
static uint8_t
marks_of(const struct lp_kafka_at *at, const struct lp_judged *judged,
    const struct lp_rules *rules, const struct lp_rules_row *row)
{
	int16_t key = lp_question_key(at);

	if (!lp_question_is_among(at, rules->by_index))
		return is_by_name(at, judged, rules) ? LP_DENY_NAME : 0;
	/* What is among them has such a key. */
	if ((row->flags & LP_RULES_OF_TRANSACTION) &&
	    (rules->tells_transaction[key / 64] >> key % 64 & 1))
		return LP_DENY_TRANSACTION;
	if ((row->flags & LP_RULES_OF_GROUP) &&
	    (rules->tells_group[key / 64] >> key % 64 & 1))
		return LP_DENY_GROUP;
	return LP_DENY_REFUSED;
}

static bool
is_by_name(const struct lp_kafka_at *at, const struct lp_judged *judged,
    const struct lp_rules *rules)
{
	return judged->is_named && lp_question_is_among(at, rules->by_name);
}

/* A rule of connections has had its say when they opened, or had to wait. */
static void
reset(struct lp_kafka_at *at, struct lp_judged *judged,
    const struct lp_rules_row *row, const struct lp_rules_request *request)
{
	if (at->splice == NULL)
		return;
	if (row->flags & LP_RULES_OF_CONNECTION) {
		if (!(at->tcp->flags & LP_CONN_LATER))
			return;
		lp_count_add(&at->kafka->region->rules[row->slot].refused, 1);
	}
	lp_tell_refused(at, row, request, LP_DENIAL_RESET);
	lp_judge_count_row(judged, row, LP_JUDGED_AS_BOTH | LP_JUDGED_REFUSES);
	lp_judge_ask_end(
	    at, judged, &at->kafka->telemetry.stats->counters.requests_reset);
}
