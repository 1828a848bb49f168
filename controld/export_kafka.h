/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From messages to rows of metrics: Kafka, as the dataplanes saw it pass.
 *
 * The number of rows is bounded by the dataplane, which gives places to as
 * many topics and clients as its limits say and sums up the rest.
 */
#ifndef LP_CONTROLD_EXPORT_KAFKA_H
#define LP_CONTROLD_EXPORT_KAFKA_H

#include "controld/export_text.h"

/* One frame of what dataplane `path` knows. */
void lp_export_kafka_add(struct lp_export_text *text, const char *path,
    const Lp__Pb__KafkaStats *stats);

#endif
