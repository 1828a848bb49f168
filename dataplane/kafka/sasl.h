/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a client says it is: the user name in a token of SASL/PLAIN (RFC 4616)
 * or SCRAM (RFC 5802), where it passes in clear.  It is claimed when the token
 * passes and holds once the broker has answered without an error; nothing else
 * of a token is kept.  Internal to the Kafka stage.
 */
#ifndef LP_KAFKA_SASL_H
#define LP_KAFKA_SASL_H

#include "dataplane/kafka/frame.h"

void lp_sasl_mechanism(struct lp_kafka_at *at, const struct lp_fact *fact);
void lp_sasl_token(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact);

/* The response to that request; message is NULL if it was not walked. */
void lp_sasl_answered(struct lp_kafka_at *at, const struct lp_message *message,
    const struct lp_inflight *entry);

#endif
