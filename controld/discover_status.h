/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `lpctl status` tells of discovery: of each cluster that was heard, how
 * what it says differs from what is configured, with the command for it.
 */
#ifndef LP_CONTROLD_DISCOVER_STATUS_H
#define LP_CONTROLD_DISCOVER_STATUS_H

#include "controld/discover.h"

enum {
	LP_DISCOVER_STATUS_NODES = 16, /* of all clusters: so they fit */
	LP_DISCOVER_STATUS_TLS = 32,
	LP_DISCOVER_STATUS_WHYS = 16, /* of polls; others are in the log */
	LP_DISCOVER_STATUS_REMEDY_SIZE = LP_HOST_SIZE + LP_NAME_SIZE + 48,
};

/* Borrows from what it is filled from; it is not to be copied. */
struct lp_discover_status {
	size_t count, node_count, tls_count;
	Lp__Pb__DiscoveryStatus *list[LP_CLUSTERS_MAX];
	Lp__Pb__DiscoveryStatus rows[LP_CLUSTERS_MAX];
	Lp__Pb__NodeStatus *node_list[LP_DISCOVER_STATUS_NODES];
	Lp__Pb__NodeStatus nodes[LP_DISCOVER_STATUS_NODES];
	char remedies[LP_DISCOVER_STATUS_NODES][LP_DISCOVER_STATUS_REMEDY_SIZE];
	char *tls[LP_DISCOVER_STATUS_TLS];
	Lp__Pb__PollStatus polls[LP_CLUSTERS_MAX];
	size_t why_count;
};

void lp_discover_status_fill(struct lp_discover_status *status,
    struct lp_discover *discover, const struct lp_config *config);

#endif
