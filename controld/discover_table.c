/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/discover_table.h"

#include <ctype.h>
#include <stdio.h>

struct taking {
	struct lp_discover_table *table;
	const struct lp_config *config;
	uint64_t now_ms;
	bool polled; /* not passed */
};

static bool take(struct taking *taking, const Lp__Pb__BrokersSeen *seen);
static bool take_node(struct taking *taking, const Lp__Pb__BrokerSeen *seen);
static bool is_outdone(const struct taking *taking,
    const struct lp_discover_node *node, uint64_t listed_ms);
static bool is_sane(const Lp__Pb__BrokerSeen *seen);
static struct lp_discover_node *add_node(
    struct lp_discover_table *table, uint64_t listed_ms);
static bool take_list(struct taking *taking, const Lp__Pb__BrokersListed *seen);
static bool take_tls(struct lp_discover_table *table,
    const struct lp_config *config, uint32_t listener_id);

/* Since the beginning at most: of what was before nothing is known. */
static uint64_t
time_of(uint64_t now_ms, uint64_t age_ms)
{
	return age_ms < now_ms ? now_ms - age_ms : 1;
}

bool
lp_discover_table_take(struct lp_discover_table *table,
    const struct lp_config *config, const Lp__Pb__BrokersSeen *seen,
    uint64_t now_ms)
{
	struct taking taking = {table, config, now_ms, false};

	return take(&taking, seen);
}

bool
lp_discover_table_polled(struct lp_discover_table *table,
    const struct lp_config *config, const Lp__Pb__BrokersSeen *seen,
    uint64_t now_ms)
{
	struct taking taking = {table, config, now_ms, true};

	return take(&taking, seen);
}

void
lp_discover_table_sweep(
    struct lp_discover_table *table, const struct lp_config *config)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->node_count; i++)
		if (lp_config_find(config, LP_OBJECT_CLUSTER,
			table->nodes[i].cluster_id) != NULL)
			table->nodes[kept++] = table->nodes[i];
	table->node_count = kept;
	kept = 0;
	for (size_t i = 0; i < table->cluster_count; i++)
		if (lp_config_find(config, LP_OBJECT_CLUSTER,
			table->clusters[i].id) != NULL)
			table->clusters[kept++] = table->clusters[i];
	table->cluster_count = kept;
	kept = 0;
	for (size_t i = 0; i < table->tls_count; i++)
		if (lp_config_find(config, LP_OBJECT_LISTENER, table->tls[i]) !=
		    NULL)
			table->tls[kept++] = table->tls[i];
	table->tls_count = kept;
}

const struct lp_discover_cluster *
lp_discover_table_cluster(
    const struct lp_discover_table *table, uint32_t cluster_id)
{
	for (size_t i = 0; i < table->cluster_count; i++)
		if (table->clusters[i].id == cluster_id)
			return &table->clusters[i];
	return NULL;
}

struct lp_discover_node *
lp_discover_table_node(
    struct lp_discover_table *table, uint32_t cluster_id, int32_t node_id)
{
	for (size_t i = 0; i < table->node_count; i++)
		if (table->nodes[i].cluster_id == cluster_id &&
		    table->nodes[i].node_id == node_id)
			return &table->nodes[i];
	return NULL;
}

struct lp_discover_node *
lp_discover_table_defer(
    struct lp_discover_table *table, uint32_t cluster_id, int32_t node_id)
{
	struct lp_discover_node *node =
	    lp_discover_table_node(table, cluster_id, node_id);

	if (node != NULL)
		return node;
	node = add_node(table, 0);
	if (node != NULL) {
		node->cluster_id = cluster_id;
		node->node_id = node_id;
	}
	return node;
}

bool
lp_discover_table_is_listed(const struct lp_discover_table *table,
    const struct lp_discover_node *node, uint64_t absent_ms)
{
	const struct lp_discover_cluster *cluster =
	    lp_discover_table_cluster(table, node->cluster_id);

	return cluster == NULL ||
	    node->listed_ms + absent_ms > cluster->listed_ms;
}

static bool
take(struct taking *taking, const Lp__Pb__BrokersSeen *seen)
{
	bool news = false;

	for (size_t i = 0; i < seen->n_brokers; i++)
		news |= take_node(taking, seen->brokers[i]);
	for (size_t i = 0; i < seen->n_lists; i++)
		news |= take_list(taking, seen->lists[i]);
	for (size_t i = 0; i < seen->n_tls_listeners; i++)
		news |= take_tls(
		    taking->table, taking->config, seen->tls_listeners[i]);
	return news;
}

static bool
take_node(struct taking *taking, const Lp__Pb__BrokerSeen *seen)
{
	struct lp_discover_table *table = taking->table;
	uint64_t listed_ms = time_of(taking->now_ms, seen->age_ms);
	const char *rack = seen->rack != NULL ? seen->rack : "";
	struct lp_discover_node *node;
	bool same, outdone = false;

	if (!is_sane(seen)) {
		table->wrong++;
		return false;
	}
	if (lp_config_find(
		taking->config, LP_OBJECT_CLUSTER, seen->cluster_id) == NULL)
		return false;
	node = lp_discover_table_node(table, seen->cluster_id, seen->node_id);
	if (node == NULL) {
		node = add_node(table, listed_ms);
		if (node == NULL)
			return false;
		node->cluster_id = seen->cluster_id;
		node->node_id = seen->node_id;
	} else {
		outdone = is_outdone(taking, node, listed_ms);
	}
	if (node->listed_ms < listed_ms)
		node->listed_ms = listed_ms;
	if (!taking->polled && node->passed_ms < listed_ms)
		node->passed_ms = listed_ms;
	if (outdone)
		return false;
	same = node->port == seen->port && strcmp(node->host, seen->host) == 0;
	if (!taking->polled)
		snprintf(node->rack, sizeof(node->rack), "%.*s",
		    LP_DISCOVER_TABLE_RACK_SIZE - 1, rack);
	if (same)
		return false;
	node->port = (uint16_t)seen->port;
	strcpy(node->host, seen->host);
	node->again_ms = 0;
	node->why[0] = '\0';
	return true;
}

/*
 * Of two lists that passed the younger one is true; one that passed lately
 * before a poll; else the younger one of both again.
 */
static bool
is_outdone(const struct taking *taking, const struct lp_discover_node *node,
    uint64_t listed_ms)
{
	uint64_t lately_ms =
	    time_of(taking->now_ms, LP_DISCOVER_TABLE_PASSED_MS);

	if (taking->polled)
		return node->passed_ms > lately_ms;
	return listed_ms < node->passed_ms ||
	    (listed_ms < node->listed_ms && listed_ms <= lately_ms);
}

static bool
is_sane(const Lp__Pb__BrokerSeen *seen)
{
	size_t len = strlen(seen->host);

	if (seen->cluster_id == 0 || seen->node_id < 0 || len == 0 ||
	    len >= LP_HOST_SIZE || seen->port < 1 || seen->port > UINT16_MAX)
		return false;
	for (const char *c = seen->host; *c != '\0'; c++)
		if (!isascii(*c) || !isgraph(*c))
			return false;
	for (const char *c = seen->rack; c != NULL && *c != '\0'; c++)
		if (!isascii(*c) || !isprint(*c))
			return false;
	return true;
}

/* When all places are taken, that of the one not listed for the longest. */
static struct lp_discover_node *
add_node(struct lp_discover_table *table, uint64_t listed_ms)
{
	struct lp_discover_node *node = &table->nodes[0];

	if (table->node_count < LP_DISCOVER_TABLE_NODES_MAX) {
		node = &table->nodes[table->node_count++];
	} else {
		for (size_t i = 1; i < table->node_count; i++)
			if (table->nodes[i].listed_ms < node->listed_ms)
				node = &table->nodes[i];
		table->full++;
		if (node->listed_ms >= listed_ms)
			return NULL;
	}
	memset(node, 0, sizeof(*node));
	return node;
}

static bool
take_list(struct taking *taking, const Lp__Pb__BrokersListed *seen)
{
	struct lp_discover_table *table = taking->table;
	uint64_t listed_ms = time_of(taking->now_ms, seen->age_ms);
	uint64_t passed_ms = taking->polled ? 0 : listed_ms;
	struct lp_discover_cluster *cluster = NULL;

	if (lp_config_find(
		taking->config, LP_OBJECT_CLUSTER, seen->cluster_id) == NULL)
		return false;
	for (size_t i = 0; i < table->cluster_count; i++)
		if (table->clusters[i].id == seen->cluster_id)
			cluster = &table->clusters[i];
	if (cluster != NULL) {
		if (cluster->listed_ms < listed_ms)
			cluster->listed_ms = listed_ms;
		if (cluster->passed_ms < passed_ms)
			cluster->passed_ms = passed_ms;
		return false;
	}
	lp_discover_table_sweep(table, taking->config);
	if (table->cluster_count == LP_CLUSTERS_MAX)
		return false; /* no: there are not more of them */
	table->clusters[table->cluster_count++] =
	    (struct lp_discover_cluster){.id = seen->cluster_id,
		.first_ms = taking->now_ms,
		.listed_ms = listed_ms,
		.passed_ms = passed_ms};
	return true;
}

static bool
take_tls(struct lp_discover_table *table, const struct lp_config *config,
    uint32_t listener_id)
{
	for (size_t i = 0; i < table->tls_count; i++)
		if (table->tls[i] == listener_id)
			return false;
	if (lp_config_find(config, LP_OBJECT_LISTENER, listener_id) == NULL ||
	    table->tls_count == LP_LISTENERS_MAX)
		return false;
	table->tls[table->tls_count++] = listener_id;
	return true;
}
