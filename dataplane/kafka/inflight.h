/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests in flight of a connection, oldest first.  Brokers answer in
 * order, so the oldest is the one that the next response belongs to; the
 * correlation id is the check.  Internal to the Kafka stage.
 */
#ifndef LP_KAFKA_INFLIGHT_H
#define LP_KAFKA_INFLIGHT_H

#include "dataplane/kafka/kafka.h"

/* The key of a SASL token without a header, which no API has. */
enum { LP_INFLIGHT_RAW = -1 };

/* A new newest one, zeroed but for its links; NULL: no room. */
struct lp_inflight *lp_inflight_push(const struct lp_kafka_at *at);

/* Whether so many more can be pushed. */
bool lp_inflight_room(const struct lp_kafka *kafka,
    const struct lp_kafka_conn *conn, uint32_t more);

/* The oldest, or NULL. */
struct lp_inflight *lp_inflight_oldest(const struct lp_kafka_at *at);

/* Takes away the oldest, which there is. */
void lp_inflight_pop(const struct lp_kafka_at *at);

/*
 * The oldest ones that are tokens without a header: the last token of an
 * exchange need not be answered, and a request that follows says that it is
 * over.
 */
void lp_inflight_drop_raw(const struct lp_kafka_at *at);

/* All of them; their requests will not be answered. */
void lp_inflight_clear(const struct lp_kafka_at *at);

#endif
