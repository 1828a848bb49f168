/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/tell.h"

#include "dataplane/kafka/question.h"

static void note_creation(struct lp_judged *, const struct lp_rules_row *);
static void fill(const struct lp_kafka_at *, struct lp_denial *,
    const struct lp_rules_request *);

void
lp_tell_refused(const struct lp_kafka_at *at, const struct lp_rules_row *row,
    const struct lp_rules_request *request, enum lp_denial_kind kind)
{
	struct lp_denials *denials = at->kafka->region->denials;
	struct lp_denial *denial = lp_denials_open(denials, row->slot, row->id);

	if (denial == NULL)
		return;
	fill(at, denial, request);
	denial->kind = (uint8_t)kind;
	denial->shadow = (row->flags & LP_RULES_SHADOW) != 0;
	lp_denials_close(denials);
}

void
lp_tell_seen(const struct lp_kafka_at *at, struct lp_judged *judged,
    const struct lp_rules *rules, const struct lp_rules_request *request,
    const struct lp_rules_found *found, bool denies)
{
	for (uint32_t i = 0; i < found->seen_count; i++) {
		const struct lp_rules_row *row = &rules->rows[found->seen[i]];
		bool shadow = (row->flags & LP_RULES_SHADOW) != 0;

		/* It was told when the connection opened. */
		if (row->flags & LP_RULES_OF_CONNECTION)
			continue;
		if (row->verdict == LP_RULE_NO_CREATE && !shadow)
			note_creation(judged, row);
		else if (row->verdict == LP_RULE_RESET && shadow)
			lp_tell_refused(at, row, request, LP_DENIAL_RESET);
		else if (row->verdict == LP_RULE_DENY && shadow && denies)
			lp_tell_refused(at, row, request, LP_DENIAL_DENY);
	}
}

void
lp_tell_creation(const struct lp_kafka_at *at, const struct lp_message *message)
{
	const struct lp_judged *judged = &message->judged;
	struct lp_denials *denials = at->kafka->region->denials;
	const struct lp_judged_rule *rule;
	struct lp_rules_request request;
	struct lp_denial *denial;

	if (judged->no_create_by == 0)
		return;
	rule = &judged->rules[judged->no_create_by - 1];
	denial =
	    lp_denials_open(denials, rule->slot & LP_JUDGED_SLOT, rule->id);
	if (denial == NULL)
		return;
	lp_question_put(at, judged, &request);
	if (judged->no_create_last)
		request.text[LP_RULES_TOPIC] = (struct lp_rules_text){
		    .bytes = (const uint8_t *)message->topic_name,
		    .len = message->topic_name_len};
	fill(at, denial, &request);
	denial->kind = LP_DENIAL_NO_CREATE;
	lp_denials_close(denials);
}

void
lp_tell_unjudged(const struct lp_kafka_at *at, const struct lp_judged *judged)
{
	struct lp_denials *denials = at->kafka->region->denials;
	struct lp_denial *denial =
	    lp_denials_open(denials, LP_DENIALS_UNJUDGED, 0);
	struct lp_rules_request request;

	if (denial == NULL)
		return;
	if (judged != NULL)
		lp_question_put(at, judged, &request);
	fill(at, denial, judged != NULL ? &request : NULL);
	denial->kind = LP_DENIAL_UNJUDGED;
	lp_denials_close(denials);
}

/* The first one stays, if it has found a place among those that are counted. */
static void
note_creation(struct lp_judged *judged, const struct lp_rules_row *row)
{
	for (uint8_t i = 0; i < judged->count && judged->no_create_by == 0; i++)
		if ((judged->rules[i].slot & LP_JUDGED_SLOT) == row->slot &&
		    judged->rules[i].id == row->id)
			judged->no_create_by = (uint8_t)(i + 1);
}

static void
fill(const struct lp_kafka_at *at, struct lp_denial *denial,
    const struct lp_rules_request *request)
{
	/* As in proto/rule.h, in another order. */
	static const uint8_t places[LP_DENIAL_TEXTS] = {
	    [LP_DENIAL_CLIENT_ID] = LP_RULES_CLIENT_ID,
	    [LP_DENIAL_PRINCIPAL] = LP_RULES_PRINCIPAL,
	    [LP_DENIAL_TOPIC] = LP_RULES_TOPIC,
	    [LP_DENIAL_GROUP] = LP_RULES_GROUP,
	    [LP_DENIAL_TRANSACTIONAL_ID] = LP_RULES_TRANSACTIONAL_ID};

	lp_denials_whose(denial, at->tcp);
	denial->api = LP_DENIALS_NO_API;
	if (request == NULL)
		return;
	denial->api = request->api;
	denial->version = request->version;
	for (unsigned i = 0; i < LP_DENIAL_TEXTS; i++) {
		const struct lp_rules_text *text = &request->text[places[i]];

		if (text->bytes == NULL)
			continue;
		lp_denials_text(denial, i, text->bytes, text->len);
		if (text->cut)
			denial->cut |= (uint8_t)(1u << i);
	}
}
