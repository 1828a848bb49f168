/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/discover_status.h"

#include <stdio.h>

#include "controld/clock.h"
#include "controld/discover_plan.h"

struct filling {
	struct lp_discover_status *status;
	struct lp_discover *discover;
	const struct lp_config *config;
	uint64_t now_ms, time_ns;
};

static void fill_cluster(
    struct filling *filling, const struct lp_object *cluster);
static void fill_node(struct filling *filling, Lp__Pb__DiscoveryStatus *row,
    const struct lp_discover_node *node);
static void fill_poll(
    struct filling *filling, Lp__Pb__DiscoveryStatus *row, uint32_t cluster_id);
static const char *state_of(
    const struct filling *filling, const struct lp_discover_node *node);
static void fill_tls(
    struct filling *filling, Lp__Pb__DiscoveryStatus *row, uint32_t cluster_id);

/* CLOCK_REALTIME of a moment of the other clock. */
static uint64_t
time_of(const struct filling *filling, uint64_t ms)
{
	return filling->time_ns - (filling->now_ms - ms) * 1000000u;
}

void
lp_discover_status_fill(struct lp_discover_status *status,
    struct lp_discover *discover, const struct lp_config *config)
{
	struct filling filling = {.status = status,
	    .discover = discover,
	    .config = config,
	    .now_ms = lp_clock_now_ms(),
	    .time_ns = lp_clock_time_ns()};
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_CLUSTER, &first);

	status->count = status->node_count = status->tls_count = 0;
	status->why_count = 0;
	for (size_t i = first; i < first + count; i++)
		fill_cluster(&filling, &config->objects[i]);
}

static void
fill_cluster(struct filling *filling, const struct lp_object *cluster)
{
	struct lp_discover_status *status = filling->status;
	struct lp_discover_table *table = lp_discover_known(filling->discover);
	const struct lp_discover_cluster *heard =
	    lp_discover_table_cluster(table, cluster->id);
	const struct lp_discover_change *change =
	    lp_discover_last(filling->discover, cluster->id);
	Lp__Pb__DiscoveryStatus *row = &status->rows[status->count];

	lp__pb__discovery_status__init(row);
	row->cluster = (char *)cluster->cluster.name;
	row->has_discover = true;
	row->discover = cluster->cluster.discover;
	if (heard != NULL && heard->passed_ms != 0) {
		row->has_listed_ns = true;
		row->listed_ns = time_of(filling, heard->passed_ms);
	}
	if (change != NULL) {
		row->has_changed_ns = true;
		row->changed_ns = change->time_ns;
		row->change = (char *)change->text;
	}
	row->has_listed = true;
	row->nodes = &status->node_list[status->node_count];
	for (size_t i = 0; i < table->node_count; i++)
		if (table->nodes[i].cluster_id == cluster->id)
			fill_node(filling, row, &table->nodes[i]);
	fill_tls(filling, row, cluster->id);
	fill_poll(filling, row, cluster->id);
	if (!row->discover && row->poll == NULL && heard == NULL &&
	    row->listed == 0 && row->n_tls_listeners == 0 && change == NULL)
		return; /* nothing to tell */
	status->list[status->count++] = row;
}

static void
fill_node(struct filling *filling, Lp__Pb__DiscoveryStatus *row,
    const struct lp_discover_node *node)
{
	struct lp_discover_status *status = filling->status;
	const char *state = state_of(filling, node);
	char text[LP_HOSTPORT_TEXT_SIZE];
	Lp__Pb__NodeStatus *message;

	row->listed += node->host[0] != '\0' &&
	    lp_discover_table_is_listed(lp_discover_known(filling->discover),
		node, lp_discover_absent_ms(filling->discover));
	if (state == NULL)
		return;
	if (status->node_count == LP_DISCOVER_STATUS_NODES) {
		row->has_more = true;
		row->more++;
		return;
	}
	message = &status->nodes[status->node_count];
	lp__pb__node_status__init(message);
	message->node_id = node->node_id;
	message->host = (char *)node->host;
	message->has_port = message->has_listed_ns = true;
	message->port = node->port;
	message->rack = node->rack[0] != '\0' ? (char *)node->rack : NULL;
	message->listed_ns = time_of(filling, node->listed_ms);
	message->state = (char *)state;
	if (row->discover && node->why[0] != '\0')
		message->why = (char *)node->why;
	snprintf(status->remedies[status->node_count],
	    LP_DISCOVER_STATUS_REMEDY_SIZE, "lpctl %s-broker %s %d %s",
	    strcmp(state, "unknown") == 0 ? "add" : "set", row->cluster,
	    node->node_id, lp_hostport_format(text, node->host, node->port));
	message->remedy = status->remedies[status->node_count];
	status->node_list[status->node_count++] = message;
	row->n_nodes++;
}

static void
fill_poll(
    struct filling *filling, Lp__Pb__DiscoveryStatus *row, uint32_t cluster_id)
{
	struct lp_discover_status *status = filling->status;
	const struct lp_poll_status *polling =
	    lp_discover_polling(filling->discover, cluster_id);
	Lp__Pb__PollStatus *poll = &status->polls[status->count];

	if (polling == NULL)
		return;
	lp__pb__poll_status__init(poll);
	poll->has_answered = poll->has_failed = poll->has_brokers = true;
	poll->answered = polling->answered;
	poll->failed = polling->failed;
	poll->brokers = (uint32_t)polling->brokers;
	poll->has_answered_ns = polling->answered != 0;
	poll->answered_ns = polling->answered_ns;
	poll->has_failed_ns = polling->failed != 0;
	poll->failed_ns = polling->failed_ns;
	if (polling->why[0] != '\0')
		poll->why = status->why_count++ < LP_DISCOVER_STATUS_WHYS
		    ? (char *)polling->why
		    : (char *)"the log of lp-controld says why";
	row->poll = poll;
}

/* NULL: it is where it is configured, or is listed no more. */
static const char *
state_of(const struct filling *filling, const struct lp_discover_node *node)
{
	const struct lp_object *broker = lp_config_find_broker(
	    filling->config, node->cluster_id, node->node_id);
	struct lp_ip ip;

	if (node->host[0] == '\0' ||
	    !lp_discover_table_is_listed(lp_discover_known(filling->discover),
		node, lp_discover_absent_ms(filling->discover)))
		return NULL;
	/* By its own configuration: nothing is to be done. */
	if (lp_ip_parse(&ip, node->host, NULL) == 0 &&
	    lp_discover_plan_is_ours(filling->config, &ip))
		return NULL;
	if (broker == NULL)
		return "unknown";
	if (broker->broker.real.port != node->port)
		return "elsewhere";
	if (strcmp(broker->broker.host, node->host) == 0)
		return NULL;
	/* The operator may have written the address of that name. */
	if (lp_ip_parse(&ip, node->host, NULL) == 0)
		return lp_ip_equal(&ip, &broker->broker.real.ip) ? NULL
								 : "elsewhere";
	return lp_discover_resolves_to(
		   filling->discover, node->host, &broker->broker.real.ip)
	    ? NULL
	    : "elsewhere";
}

/* Those that rewrite still. */
static void
fill_tls(
    struct filling *filling, Lp__Pb__DiscoveryStatus *row, uint32_t cluster_id)
{
	struct lp_discover_status *status = filling->status;
	const struct lp_discover_table *table =
	    lp_discover_known(filling->discover);

	row->tls_listeners = &status->tls[status->tls_count];
	for (size_t i = 0;
	     i < table->tls_count && status->tls_count < LP_DISCOVER_STATUS_TLS;
	     i++) {
		const struct lp_object *listener = lp_config_find(
		    filling->config, LP_OBJECT_LISTENER, table->tls[i]);

		if (listener == NULL ||
		    listener->listener.cluster_id != cluster_id ||
		    listener->listener.rewrite == LP_REWRITING_OFF)
			continue;
		status->tls[status->tls_count++] =
		    (char *)listener->listener.name;
		row->n_tls_listeners++;
	}
}
