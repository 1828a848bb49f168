/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/discover_plan.h"

#include <stdio.h>

struct making {
	const struct lp_discover_plan *plan;
	struct lp_discover_step *steps;
	size_t count;
};

static void add_or_move(struct making *making, struct lp_discover_node *node);
static void retire(struct making *making, const struct lp_object *cluster);
static bool is_gone(const struct making *making,
    const struct lp_discover_cluster *heard, const struct lp_object *broker);
static bool has_chosen(const struct lp_config *config, uint32_t broker_id);
static void follow(struct making *making, const struct lp_object *broker);
static bool resolve(const struct making *making, const char *host,
    uint32_t cluster_id, const struct lp_object *broker, struct lp_ip *ip,
    char *why);
static bool wants_v4(
    const struct lp_config *config, uint32_t cluster_id, bool *is_v4);
static struct lp_discover_step *add_step(struct making *making,
    enum lp_discover_verb verb, uint32_t cluster_id, int32_t node_id);

static bool
discovers(const struct lp_config *config, uint32_t cluster_id)
{
	const struct lp_object *cluster =
	    lp_config_find(config, LP_OBJECT_CLUSTER, cluster_id);

	return cluster != NULL && cluster->cluster.discover;
}

size_t
lp_discover_plan_make(
    const struct lp_discover_plan *plan, struct lp_discover_step *steps)
{
	struct making making = {.plan = plan, .steps = steps};
	const struct lp_config *config = plan->config;
	size_t first, count;

	for (size_t i = 0; i < plan->table->node_count; i++)
		if (discovers(config, plan->table->nodes[i].cluster_id))
			add_or_move(&making, &plan->table->nodes[i]);
	count = lp_config_range(config, LP_OBJECT_CLUSTER, &first);
	for (size_t i = first; i < first + count; i++)
		if (config->objects[i].cluster.discover)
			retire(&making, &config->objects[i]);
	count = lp_config_range(config, LP_OBJECT_BROKER, &first);
	for (size_t i = first; i < first + count; i++)
		follow(&making, &config->objects[i]);
	return making.count;
}

bool
lp_discover_plan_is_ours(const struct lp_config *config, const struct lp_ip *ip)
{
	size_t count = lp_config_count_plain(config);

	for (size_t i = 0; i < count; i++) {
		const struct lp_object *object = &config->objects[i];

		if (object->kind == LP_OBJECT_PORT)
			for (unsigned j = 0; j < object->port.address_count;
			     j++)
				if (lp_ip_equal(
					&object->port.addresses[j].ip, ip))
					return true;
		if (object->kind == LP_OBJECT_LISTENER &&
		    lp_ip_equal(&object->listener.vip.ip, ip))
			return true;
		/* Inline it is the broker's own. */
		if (object->kind == LP_OBJECT_ENDPOINT &&
		    object->endpoint.chosen &&
		    lp_ip_equal(&object->endpoint.vip.ip, ip))
			return true;
	}
	return false;
}

static void
add_or_move(struct making *making, struct lp_discover_node *node)
{
	const struct lp_discover_plan *plan = making->plan;
	const struct lp_object *broker = lp_config_find_broker(
	    plan->config, node->cluster_id, node->node_id);
	struct lp_discover_step *step;
	char why[LP_WHY_SIZE] = "";
	struct lp_ip ip;

	if (node->host[0] == '\0')
		return; /* only something that was refused */
	if (broker != NULL &&
	    (!broker->broker.discovered ||
		(broker->broker.real.port == node->port &&
		    strcmp(broker->broker.host, node->host) == 0))) {
		node->why[0] = '\0';
		return;
	}
	if (node->again_ms > plan->now_ms ||
	    !lp_discover_table_is_listed(plan->table, node, plan->absent_ms))
		return;
	if (!resolve(making, node->host, node->cluster_id, broker, &ip, why)) {
		if (why[0] == '\0')
			return;
		snprintf(node->why, sizeof(node->why), "%s", why);
		node->again_ms = plan->now_ms + plan->again_ms;
		return;
	}
	step = add_step(making,
	    broker != NULL ? LP_DISCOVER_MOVE : LP_DISCOVER_ADD,
	    node->cluster_id, node->node_id);
	if (step == NULL)
		return;
	strcpy(step->host, node->host);
	step->discovered = true;
	step->real = (struct lp_endpoint){.ip = ip, .port = node->port};
}

/* Never the last broker: through it all others would be found again. */
static void
retire(struct making *making, const struct lp_object *cluster)
{
	const struct lp_discover_plan *plan = making->plan;
	const struct lp_discover_cluster *heard =
	    lp_discover_table_cluster(plan->table, cluster->id);
	size_t first, left = 0;
	size_t count = lp_config_range(plan->config, LP_OBJECT_BROKER, &first);

	if (heard == NULL)
		return;
	for (size_t i = first; i < first + count; i++)
		left +=
		    plan->config->objects[i].broker.cluster_id == cluster->id;
	for (size_t i = first; i < first + count && left > 1; i++) {
		const struct lp_object *broker = &plan->config->objects[i];

		if (broker->broker.cluster_id != cluster->id ||
		    !is_gone(making, heard, broker))
			continue;
		if (add_step(making, LP_DISCOVER_RETIRE, cluster->id,
			broker->broker.node_id) == NULL)
			return;
		left--;
	}
}

/*
 * Lists have come for long enough, and none of them has named it.  One that is
 * not known here at all was listed before we began to listen, or never.
 */
static bool
is_gone(const struct making *making, const struct lp_discover_cluster *heard,
    const struct lp_object *broker)
{
	const struct lp_discover_plan *plan = making->plan;
	const struct lp_discover_node *node = lp_discover_table_node(
	    plan->table, heard->id, broker->broker.node_id);

	if (!broker->broker.discovered ||
	    has_chosen(plan->config, broker->id) ||
	    heard->listed_ms < heard->first_ms + plan->absent_ms)
		return false;
	return node == NULL ||
	    (node->again_ms <= plan->now_ms &&
		!lp_discover_table_is_listed(
		    plan->table, node, plan->absent_ms));
}

/*
 * Where its clients reach it is the operator's, and would be lost with it: one
 * that is down for long would come back elsewhere.
 */
static bool
has_chosen(const struct lp_config *config, uint32_t broker_id)
{
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_ENDPOINT, &first);

	for (size_t i = first; i < first + count; i++)
		if (config->objects[i].endpoint.broker_id == broker_id &&
		    config->objects[i].endpoint.chosen)
			return true;
	return false;
}

/* What has another name or port now has been moved above. */
static void
follow(struct making *making, const struct lp_object *object)
{
	const struct lp_broker_object *broker = &object->broker;
	const struct lp_discover_plan *plan = making->plan;
	struct lp_discover_node *node = lp_discover_table_node(
	    plan->table, broker->cluster_id, broker->node_id);
	struct lp_discover_step *step;
	char why[LP_WHY_SIZE] = "";
	struct lp_ip ip;

	if (lp_ip_parse(&ip, broker->host, NULL) == 0 ||
	    (node != NULL && node->again_ms > plan->now_ms))
		return;
	for (size_t i = 0; i < making->count; i++)
		if (making->steps[i].cluster_id == broker->cluster_id &&
		    making->steps[i].node_id == broker->node_id)
			return;
	if (!resolve(
		making, broker->host, broker->cluster_id, object, &ip, why) ||
	    lp_ip_equal(&ip, &broker->real.ip))
		return;
	step = add_step(
	    making, LP_DISCOVER_FOLLOW, broker->cluster_id, broker->node_id);
	if (step == NULL)
		return;
	strcpy(step->host, broker->host);
	step->discovered = broker->discovered;
	step->real = (struct lp_endpoint){.ip = ip, .port = broker->real.port};
}

/*
 * The address that it has already, if the name still has it; else the first
 * of the family that the listeners need.  False with why: there is none; and
 * without: it is not known yet.
 */
static bool
resolve(const struct making *making, const char *host, uint32_t cluster_id,
    const struct lp_object *broker, struct lp_ip *ip, char *why)
{
	const struct lp_discover_plan *plan = making->plan;
	const struct lp_names_answer *answer = plan->look_up(plan->arg, host);
	const struct lp_ip *found = NULL;
	bool is_v4;
	bool chosen = wants_v4(plan->config, cluster_id, &is_v4);

	if (answer == NULL)
		return false;
	for (unsigned i = 0; i < answer->count; i++) {
		const struct lp_ip *at = &answer->ips[i];

		if (broker != NULL && lp_ip_equal(at, &broker->broker.real.ip))
			found = at;
		if (found == at)
			break;
		if (found == NULL && (!chosen || lp_ip_is_v4(at) == is_v4))
			found = at;
	}
	if (found != NULL && lp_discover_plan_is_ours(plan->config, found)) {
		snprintf(why, LP_WHY_SIZE,
		    "\"%.*s\" is an address of Lightpath: the broker "
		    "advertises that, and not its own",
		    LP_NAME_SIZE, host);
		return false;
	}
	if (found != NULL) {
		*ip = *found;
		return true;
	}
	if (answer->count == 0)
		snprintf(why, LP_WHY_SIZE, "%s", answer->why);
	else
		snprintf(why, LP_WHY_SIZE,
		    "\"%.*s\" has no IPv%d address, as the VIPs of its "
		    "listeners have",
		    LP_NAME_SIZE, host, is_v4 ? 4 : 6);
	return false;
}

/* False: it does not matter. */
static bool
wants_v4(const struct lp_config *config, uint32_t cluster_id, bool *is_v4)
{
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_LISTENER, &first);

	for (size_t i = first; i < first + count; i++) {
		const struct lp_listener_object *listener =
		    &config->objects[i].listener;

		if (listener->cluster_id != cluster_id ||
		    lp_ip_is_none(&listener->vip.ip))
			continue;
		*is_v4 = lp_ip_is_v4(&listener->vip.ip);
		return true;
	}
	*is_v4 = true;
	return false;
}

/* NULL: no more in this change. */
static struct lp_discover_step *
add_step(struct making *making, enum lp_discover_verb verb, uint32_t cluster_id,
    int32_t node_id)
{
	struct lp_discover_step *step;

	if (making->count == LP_DISCOVER_PLAN_MAX)
		return NULL;
	step = &making->steps[making->count++];
	memset(step, 0, sizeof(*step));
	step->verb = verb;
	step->cluster_id = cluster_id;
	step->node_id = node_id;
	return step;
}
