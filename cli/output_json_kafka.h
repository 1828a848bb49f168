/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of Kafka statistics: the part of output_json.c that shows them. */
#ifndef LP_CLI_OUTPUT_JSON_KAFKA_H
#define LP_CLI_OUTPUT_JSON_KAFKA_H

#include "cli/output.h"

int lp_output_json_kafka_stats(
    const struct lp_print *print, const struct lp_kafka_view *view);
int lp_output_json_kafka_clients(
    const struct lp_print *print, const struct lp_kafka_view *view);
int lp_output_json_kafka_topics(
    const struct lp_print *print, const struct lp_kafka_view *view);

#endif
