/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/query_name.h"

#include <string.h>

void
lp_query_name_row(const struct lp_config *config, uint32_t listener_id,
    uint32_t broker_id, char **cluster, char **listener,
    protobuf_c_boolean *has_node_id, int32_t *node_id)
{
	const struct lp_object *one =
	    lp_config_find(config, LP_OBJECT_LISTENER, listener_id);
	const struct lp_object *broker =
	    lp_config_find(config, LP_OBJECT_BROKER, broker_id);

	if (one != NULL && *listener == NULL)
		*listener = strdup(one->listener.name);
	if (one != NULL)
		lp_query_name_cluster(
		    config, one->listener.cluster_id, cluster);
	if (broker != NULL && !*has_node_id) {
		*has_node_id = true;
		*node_id = broker->broker.node_id;
	}
}

void
lp_query_name_cluster(
    const struct lp_config *config, uint32_t cluster_id, char **cluster)
{
	const struct lp_object *object =
	    lp_config_find(config, LP_OBJECT_CLUSTER, cluster_id);

	if (object != NULL && *cluster == NULL)
		*cluster = strdup(object->cluster.name);
}
