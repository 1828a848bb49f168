/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/gate.h"

#include "dataplane/kafka/kafka_stats.h"

static struct lp_rule_stats *
stats_of(struct lp_region *region, const struct lp_rules *rules, uint32_t row)
{
	return &region->rules[rules->rows[row].slot];
}

bool
lp_gate_judge(struct lp_region *region, const struct lp_rules *rules,
    const struct lp_conn *conn)
{
	const struct lp_rules_connection ask = lp_gate_ask(conn);
	struct lp_rules_found found;

	lp_rules_connection(rules, &ask, &found);
	for (uint32_t i = 0; i < found.seen_count; i++)
		lp_count_add(
		    &stats_of(region, rules, found.seen[i])->connections, 1);
	if (found.more > 0)
		lp_count_add(&region->kafka_stats->counters.rules_uncounted, 1);
	if (found.decides == LP_RULES_NONE)
		return true;
	lp_count_add(&stats_of(region, rules, found.decides)->connections, 1);
	if (rules->rows[found.decides].verdict != LP_RULE_RESET)
		return true;
	lp_count_add(&stats_of(region, rules, found.decides)->refused, 1);
	return false;
}
