/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What dataplanes have seen of the brokers of each cluster, and what clusters
 * have said that were asked: the last word on each node, and when lists have
 * named it.
 *
 * Pure: no clock, no socket.  Times are of CLOCK_MONOTONIC.
 */
#ifndef LP_CONTROLD_DISCOVER_TABLE_H
#define LP_CONTROLD_DISCOVER_TABLE_H

#include "proto/config.h"
#include "proto/message.h"

enum {
	/* A node that is not listed any more is forgotten for another. */
	LP_DISCOVER_TABLE_NODES_MAX = 4096,
	LP_DISCOVER_TABLE_RACK_SIZE = 64,
	/* Where a passing list has put a node a poll does not move it. */
	LP_DISCOVER_TABLE_PASSED_MS = 300000,
};

struct lp_discover_node {
	uint32_t cluster_id;
	int32_t node_id;
	uint16_t port;
	char host[LP_HOST_SIZE];
	char rack[LP_DISCOVER_TABLE_RACK_SIZE];
	uint64_t listed_ms; /* last, in passing or by a poll */
	uint64_t passed_ms; /* last in passing; 0: never */
	/* What was refused is not tried again before; and why it was. */
	uint64_t again_ms;
	char why[LP_WHY_SIZE];
};

struct lp_discover_cluster {
	uint32_t id;
	uint64_t first_ms; /* the first list that was heard of */
	uint64_t listed_ms; /* the last one; both 0: none */
	uint64_t passed_ms; /* the last one in passing; 0: none */
};

struct lp_discover_table {
	struct lp_discover_node nodes[LP_DISCOVER_TABLE_NODES_MAX];
	size_t node_count;
	struct lp_discover_cluster clusters[LP_CLUSTERS_MAX];
	size_t cluster_count;
	uint32_t tls[LP_LISTENERS_MAX]; /* listeners, in order of their news */
	size_t tls_count;
	uint64_t wrong; /* rows that say nothing a cluster could say */
	uint64_t full; /* nodes that had no place */
};

/*
 * Takes one report.  What is of no cluster of the configuration is ignored,
 * what cannot be is counted as wrong.  True: something is new.
 */
bool lp_discover_table_take(struct lp_discover_table *table,
    const struct lp_config *config, const Lp__Pb__BrokersSeen *seen,
    uint64_t now_ms);

/*
 * Takes the answer to a poll: as a report of a list that has just passed, but
 * that it knows no racks, and does not outdo a list that has passed: the poll
 * may have come in by another listener of the brokers.
 */
bool lp_discover_table_polled(struct lp_discover_table *table,
    const struct lp_config *config, const Lp__Pb__BrokersSeen *seen,
    uint64_t now_ms);

/* Forgets clusters, and their nodes, that are configured no more. */
void lp_discover_table_sweep(
    struct lp_discover_table *table, const struct lp_config *config);

/* NULL: nothing was heard of it. */
const struct lp_discover_cluster *lp_discover_table_cluster(
    const struct lp_discover_table *table, uint32_t cluster_id);
struct lp_discover_node *lp_discover_table_node(
    struct lp_discover_table *table, uint32_t cluster_id, int32_t node_id);

/*
 * Its node, or one without a host, which no list has named: to remember what
 * was refused of it.  NULL: no room.
 */
struct lp_discover_node *lp_discover_table_defer(
    struct lp_discover_table *table, uint32_t cluster_id, int32_t node_id);

/* Lists name it still, but for the last absent_ms of them. */
bool lp_discover_table_is_listed(const struct lp_discover_table *table,
    const struct lp_discover_node *node, uint64_t absent_ms);

#endif
