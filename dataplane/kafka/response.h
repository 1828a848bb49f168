/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What responses say: which request they answer, how long that took, what
 * went wrong, which topics have which ids.  Internal to the Kafka stage.
 */
#ifndef LP_KAFKA_RESPONSE_H
#define LP_KAFKA_RESPONSE_H

#include "dataplane/kafka/frame.h"

/* Bytes of the head of a response that says it is `size` bytes long. */
uint8_t lp_response_head_size(const struct lp_kafka_at *at, int64_t size);

/* Its first byte has come. */
void lp_response_first(const struct lp_kafka_at *at);

/* The head is complete.  May lose the streams. */
struct lp_head lp_response_begin(struct lp_kafka_at *at);

void lp_response_fact(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact);

/* Its last byte has passed; message is NULL if it was not walked. */
void lp_response_end(struct lp_kafka_at *at, struct lp_message *message);

#endif
