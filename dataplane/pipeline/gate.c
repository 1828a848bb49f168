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
    struct lp_conn *conn, const struct lp_snapshot *snapshot, uint32_t decides)
{
	const struct lp_rules *rules = snapshot->rules;
	const struct lp_rule_action *action;
	uint32_t index;

	conn->dscp = 0;
	conn->mirror_id = 0;
	conn->priority = 0;
	if (decides == LP_RULES_NONE)
		return;
	index = rules->rows[decides].action;
	action = &rules->actions[index];
	if (action->has & LP_RULE_HAS_DSCP)
		conn->dscp = (uint8_t)(action->dscp + 1);
	if (action->has & LP_RULE_HAS_PRIORITY)
		conn->priority = (uint8_t)(action->priority + 1);
	if (action->has & LP_RULE_HAS_MIRROR)
		conn->mirror_id = snapshot->mirrors[index];
}

/* Whether its requests will be. */
static bool
is_judged(const struct lp_snapshot *snapshot, const struct lp_conn *conn)
{
	const struct lp_target *target =
	    lp_snapshot_target(snapshot, conn->listener_id, conn->broker_id);

	return target != NULL && target->kafka &&
	    lp_snapshot_unjudged(snapshot, conn->listener_id) != 0;
}

/* A broker's own endpoint, and inline a broker, is what the client means. */
static bool
is_routed(const struct lp_snapshot *snapshot, const struct lp_conn *conn)
{
	const struct lp_service *service =
	    lp_snapshot_service(snapshot, &conn->vip_ip, conn->vip_port);

	return service != NULL && service->target == LP_INDEX_NONE;
}

/* False: the listener has no such broker. */
static bool
route(const struct lp_snapshot *snapshot, struct lp_conn *conn, int32_t node_id)
{
	const struct lp_target *target =
	    lp_snapshot_node(snapshot, conn->listener_id, node_id);

	if (target == NULL)
		return false;
	conn->broker_ip = target->real.ip;
	conn->broker_port = target->real.port;
	conn->broker_id = target->broker_id;
	conn->node_id = node_id;
	conn->counters = target->counters;
	return true;
}

/* What the rule that decides says. */
static enum lp_reason
follow(const struct lp_snapshot *snapshot, struct lp_conn *conn,
    const struct lp_rules_found *found)
{
	const struct lp_rules *rules = snapshot->rules;
	const struct lp_rules_row *row = &rules->rows[found->decides];

	if (row->verdict == LP_RULE_ROUTE && is_routed(snapshot, conn))
		return route(snapshot, conn, rules->actions[row->action].broker)
		    ? LP_REASON_NONE
		    : LP_REASON_RESET_NO_BROKER;
	if (row->verdict != LP_RULE_RESET)
		return LP_REASON_NONE;
	if (!found->later || !is_judged(snapshot, conn))
		return LP_REASON_RESET_RULE;
	conn->flags |= LP_CONN_LATER;
	return LP_REASON_NONE;
}

enum lp_reason
lp_gate_judge(struct lp_region *region, const struct lp_snapshot *snapshot,
    struct lp_conn *conn)
{
	const struct lp_rules *rules = snapshot->rules;
	const struct lp_rules_connection ask = lp_gate_ask(conn);
	struct lp_rules_found found;
	enum lp_reason why;

	lp_rules_connection(rules, &ask, &found);
	for (uint32_t i = 0; i < found.seen_count; i++) {
		lp_count_add(
		    &stats_of(region, rules, found.seen[i])->connections, 1);
		tell(region, &rules->rows[found.seen[i]], conn);
	}
	if (found.more > 0)
		lp_count_add(&region->kafka_stats->counters.rules_uncounted, 1);
	set_sending(conn, snapshot, found.decides);
	if (found.decides == LP_RULES_NONE)
		return LP_REASON_NONE;
	lp_count_add(&stats_of(region, rules, found.decides)->connections, 1);
	why = follow(snapshot, conn, &found);
	if (why == LP_REASON_NONE)
		return why;
	lp_count_add(&stats_of(region, rules, found.decides)->refused, 1);
	tell(region, &rules->rows[found.decides], conn);
	return why;
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
	set_sending(conn, snapshot, decides);
}

/*
 * Its reset has waited for requests, and waits for none any more: no rule lets
 * one pass, or they are not judged any more.
 */
static bool
is_due(const struct lp_snapshot *snapshot, const struct lp_conn *conn)
{
	const struct lp_rules *rules = snapshot->rules;
	const struct lp_rules_connection ask = lp_gate_ask(conn);
	struct lp_rules_found found;

	if (!(conn->flags & LP_CONN_LATER) || rules == NULL)
		return false;
	lp_rules_connection(rules, &ask, &found);
	return found.decides != LP_RULES_NONE &&
	    rules->rows[found.decides].verdict == LP_RULE_RESET &&
	    (!found.later || !is_judged(snapshot, conn));
}

bool
lp_gate_stays(const struct lp_snapshot *snapshot, const struct lp_conn *conn)
{
	const struct lp_service *service =
	    lp_snapshot_service(snapshot, &conn->vip_ip, conn->vip_port);
	const struct lp_target *target =
	    lp_snapshot_target(snapshot, conn->listener_id, conn->broker_id);

	if (snapshot->closed || service == NULL ||
	    service->listener_id != conn->listener_id || target == NULL ||
	    is_due(snapshot, conn))
		return false;
	if (conn->flags & LP_CONN_INLINE)
		return service->is_inline &&
		    target == &snapshot->targets[service->target];
	if (conn->flags & LP_CONN_NAT_PORT)
		return lp_snapshot_own(snapshot, &conn->source_ip) != NULL;
	return target->source_address == LP_SOURCE_PRESERVE &&
	    target->real.port == conn->broker_port &&
	    lp_ip_equal(&target->real.ip, &conn->broker_ip);
}
