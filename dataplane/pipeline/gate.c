/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/gate.h"

#include "dataplane/kafka/kafka_stats.h"
#include "dataplane/pipeline/denials.h"

static void
tell(struct lp_region *region, const struct lp_rules_row *row,
    const struct lp_conn *conn)
{
	struct lp_denial *denial;

	if (row->verdict != LP_RULE_RESET)
		return;
	denial = lp_denials_open(region->denials, row->slot, row->id);
	if (denial == NULL)
		return;
	lp_denials_whose(denial, conn);
	denial->kind = LP_DENIAL_RESET;
	denial->shadow = (row->flags & LP_RULES_SHADOW) != 0;
	denial->api = LP_DENIALS_NO_API;
	lp_denials_close(region->denials);
}

static struct lp_rule_stats *
stats_of(struct lp_region *region, const struct lp_rules *rules, uint32_t row)
{
	return &region->rules[rules->rows[row].slot];
}

static void
set_sending(
    struct lp_conn *conn, const struct lp_rules *rules, uint32_t decides)
{
	const struct lp_rule_action *action;

	conn->dscp = 0;
	if (decides == LP_RULES_NONE)
		return;
	action = &rules->actions[rules->rows[decides].action];
	if (action->has & LP_RULE_HAS_DSCP)
		conn->dscp = (uint8_t)(action->dscp + 1);
}

/* Whether its requests will be; inline they never are. */
static bool
is_judged(const struct lp_snapshot *snapshot, const struct lp_conn *conn)
{
	const struct lp_target *target =
	    lp_snapshot_target(snapshot, conn->listener_id, conn->broker_id);

	return target != NULL && target->kafka &&
	    lp_snapshot_unjudged(snapshot, conn->listener_id) != 0;
}

bool
lp_gate_judge(struct lp_region *region, const struct lp_snapshot *snapshot,
    struct lp_conn *conn)
{
	const struct lp_rules *rules = snapshot->rules;
	const struct lp_rules_connection ask = lp_gate_ask(conn);
	struct lp_rules_found found;

	lp_rules_connection(rules, &ask, &found);
	for (uint32_t i = 0; i < found.seen_count; i++) {
		lp_count_add(
		    &stats_of(region, rules, found.seen[i])->connections, 1);
		tell(region, &rules->rows[found.seen[i]], conn);
	}
	if (found.more > 0)
		lp_count_add(&region->kafka_stats->counters.rules_uncounted, 1);
	set_sending(conn, rules, found.decides);
	if (found.decides == LP_RULES_NONE)
		return true;
	lp_count_add(&stats_of(region, rules, found.decides)->connections, 1);
	if (rules->rows[found.decides].verdict != LP_RULE_RESET)
		return true;
	if (found.later && is_judged(snapshot, conn)) {
		conn->flags |= LP_CONN_LATER;
		return true;
	}
	lp_count_add(&stats_of(region, rules, found.decides)->refused, 1);
	tell(region, &rules->rows[found.decides], conn);
	return false;
}

void
lp_gate_follow(const struct lp_snapshot *snapshot, struct lp_conn *conn)
{
	const struct lp_rules *rules = snapshot->rules;
	uint32_t decides = LP_RULES_NONE;
	struct lp_rules_found found;

	if (rules != NULL && rules->sends) {
		const struct lp_rules_connection ask = lp_gate_ask(conn);

		lp_rules_connection(rules, &ask, &found);
		decides = found.decides;
	}
	set_sending(conn, rules, decides);
}
