/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of Kafka statistics: the part of output_json.c that shows them. */
#ifndef LP_CLI_OUTPUT_JSON_KAFKA_H
#define LP_CLI_OUTPUT_JSON_KAFKA_H

#include "cli/json.h"
#include "cli/output.h"

int lp_output_json_kafka_stats(
    const struct lp_print *print, const struct lp_kafka_view *view);
int lp_output_json_kafka_clients(
    const struct lp_print *print, const struct lp_kafka_view *view);
int lp_output_json_kafka_topics(
    const struct lp_print *print, const struct lp_kafka_view *view);

/* What lp-controld knows of topic ids, a cluster each; NULL: no memory. */
json_t *lp_output_json_kafka_ids(const Lp__Pb__StatusReply *reply);

#endif
