/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that a dataplane left out of its answer.
 *
 * The strings belong to the message, as all of its strings do; without memory
 * there are no names.
 */
#ifndef LP_CONTROLD_QUERY_NAME_H
#define LP_CONTROLD_QUERY_NAME_H

#include "proto/config.h"
#include "proto/message.h"

/* Those that are NULL, or not there. */
void lp_query_name_row(const struct lp_config *config, uint32_t listener_id,
    uint32_t broker_id, char **cluster, char **listener,
    protobuf_c_boolean *has_node_id, int32_t *node_id);
void lp_query_name_cluster(
    const struct lp_config *config, uint32_t cluster_id, char **cluster);

#endif
