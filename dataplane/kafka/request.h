/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What requests say: who asks for what, of which topics; and the list of those
 * in flight.  Internal to the Kafka stage.
 */
#ifndef LP_KAFKA_REQUEST_H
#define LP_KAFKA_REQUEST_H

#include "dataplane/kafka/frame.h"

/* Bytes of the head of a request that says it is `size` bytes long. */
uint8_t lp_request_head_size(int64_t size);

/* The head is complete, the cursor is behind it.  May lose the streams. */
/* Whether the frame at hand, whose head is complete, is one. */
bool lp_request_is_raw_token(const struct lp_kafka_at *at);

struct lp_head lp_request_begin(
    struct lp_kafka_at *at, const struct lp_cursor *in);

void lp_request_fact(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact);

/* Its last byte has passed; message is NULL if it was not walked. */
void lp_request_end(struct lp_kafka_at *at, struct lp_message *message);

#endif
