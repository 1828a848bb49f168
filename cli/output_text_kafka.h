/* SPDX-License-Identifier: Apache-2.0 */
/* Text of Kafka statistics: the part of output_text.c that shows them. */
#ifndef LP_CLI_OUTPUT_TEXT_KAFKA_H
#define LP_CLI_OUTPUT_TEXT_KAFKA_H

#include "cli/output.h"

int lp_output_text_kafka_stats(
    const struct lp_print *print, const struct lp_kafka_view *view);
int lp_output_text_kafka_clients(
    const struct lp_print *print, const struct lp_kafka_view *view);
int lp_output_text_kafka_topics(
    const struct lp_print *print, const struct lp_kafka_view *view);

/* What lp-controld knows of topic ids; nothing, if that is not told. */
int lp_output_text_kafka_ids(
    const struct lp_print *print, const Lp__Pb__StatusReply *reply);

#endif
