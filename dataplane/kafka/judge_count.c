/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/judge_count.h"

#include "dataplane/pipeline/rules.h"

static struct lp_judged_rule *place_for(struct lp_judged *, uint32_t);
static void count_part(struct lp_judged *, const struct lp_rules *,
    const struct lp_rules_found *, uint32_t, int16_t, bool);

void
lp_judge_count_found(struct lp_judged *judged, const struct lp_rules *rules,
    const struct lp_rules_found *found, uint32_t who, int16_t api)
{
	count_part(judged, rules, found, who, api, false);
}

void
lp_judge_count_topic(struct lp_judged *judged, const struct lp_rules *rules,
    const struct lp_rules_found *found, int16_t api)
{
	count_part(judged, rules, found, LP_JUDGED_AS_CLIENT, api, true);
}

/* Those that hold for answers, or all others. */
static void
count_part(struct lp_judged *judged, const struct lp_rules *rules,
    const struct lp_rules_found *found, uint32_t who, int16_t api,
    bool of_answer)
{
	const struct lp_rules_row *row;

	for (uint32_t i = 0; i < found->seen_count; i++) {
		row = &rules->rows[found->seen[i]];
		if (lp_rules_is_of_answer(rules, row, api) == of_answer)
			lp_judge_count_row(judged, row, who);
	}
	judged->is_full |= found->more > 0;
	if (found->decides == LP_RULES_NONE)
		return;
	row = &rules->rows[found->decides];
	if (lp_rules_is_of_answer(rules, row, api) == of_answer)
		lp_judge_count_row(judged, row, who);
}

/* Rules of connections count those, when they open. */
bool
lp_judge_count_row(
    struct lp_judged *judged, const struct lp_rules_row *row, uint32_t who)
{
	struct lp_judged_rule *rule = judged->rules;
	struct lp_judged_rule *end = rule + judged->count;
	bool is_new;

	static_assert(
	    (unsigned)LP_RULE_SLOTS <= LP_JUDGED_SLOT, "room for who asks");
	if (row->flags & LP_RULES_OF_CONNECTION)
		return true;
	while (rule < end &&
	    ((rule->slot & LP_JUDGED_SLOT) != row->slot || rule->id != row->id))
		rule++;
	if (rule == end) {
		rule = place_for(judged, who);
		if (rule == NULL)
			return true;
		rule->slot = row->slot | (rule->slot & LP_JUDGED_AS_BOTH);
		rule->id = row->id;
	}
	is_new = (rule->slot & who) != who;
	rule->slot |= who;
	return is_new;
}

/*
 * NULL: there is none, and it is not counted.  One that limits has to be known,
 * or it would be charged for each topic: it has the place of one that does
 * nothing, and that is not told of (tell.h).
 */
static struct lp_judged_rule *
place_for(struct lp_judged *judged, uint32_t who)
{
	if (judged->count < LP_JUDGED_MAX) {
		judged->rules[judged->count].slot = 0;
		return &judged->rules[judged->count++];
	}
	judged->is_full = true;
	for (unsigned i = LP_JUDGED_MAX; who == LP_JUDGED_LIMITS && i > 0; i--)
		if (i != judged->no_create_by &&
		    !(judged->rules[i - 1].slot &
			(LP_JUDGED_LIMITS | LP_JUDGED_REFUSES)))
			return &judged->rules[i - 1];
	return NULL;
}

bool
lp_judge_count_answer(struct lp_judged *judged, const struct lp_rules *rules,
    const struct lp_rules_found *found)
{
	const struct lp_rules_row *row;
	bool denies;

	for (uint32_t i = 0; judged->is_of_all && i < found->seen_count; i++) {
		row = &rules->rows[found->seen[i]];
		if (row->flags & LP_RULES_OF_TOPICS)
			lp_judge_count_row(judged, row, LP_JUDGED_AS_CLIENT);
	}
	if (found->decides == LP_RULES_NONE)
		return false;
	row = &rules->rows[found->decides];
	denies = row->verdict == LP_RULE_DENY;
	if (judged->is_of_all && (row->flags & LP_RULES_OF_TOPICS))
		lp_judge_count_row(judged, row,
		    LP_JUDGED_AS_CLIENT | (denies ? LP_JUDGED_REFUSES : 0));
	return denies;
}

void
lp_judge_count_all(const struct lp_kafka_at *at, const struct lp_judged *judged,
    unsigned who, uint32_t bytes)
{
	for (unsigned i = 0; i < judged->count; i++) {
		const struct lp_judged_rule *rule = &judged->rules[i];
		struct lp_rule_stats *stats =
		    &at->kafka->region->rules[rule->slot & LP_JUDGED_SLOT];

		if (!(rule->slot & who) ||
		    atomic_load_explicit(
			&stats->rule_id, memory_order_relaxed) != rule->id)
			continue;
		lp_count_add(&stats->requests, 1);
		lp_count_add(&stats->request_bytes, bytes);
		if (rule->slot & LP_JUDGED_REFUSES)
			lp_count_add(&stats->refused, 1);
	}
	if (judged->is_full)
		lp_telemetry_count(&at->kafka->telemetry, rules_uncounted, 1);
}
