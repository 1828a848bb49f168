/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is counted of requests, responses and topics, and on which row.
 * Internal to the Kafka stage; telemetry.h has the rows.
 *
 * What the latency of a request depends on is its kind.  Of a Produce that is
 * acks.  Of a Fetch it shows only in its response, which was answered by data
 * or waited as long as it might: its requests are counted without a kind, its
 * responses with one.
 */
#ifndef LP_KAFKA_ACCOUNT_H
#define LP_KAFKA_ACCOUNT_H

#include "dataplane/kafka/kafka.h"

/* Keys that are spoken of here; https://kafka.apache.org/protocol */
enum {
	LP_KEY_PRODUCE = 0,
	LP_KEY_FETCH = 1,
	LP_KEY_LIST_OFFSETS = 2,
	LP_KEY_METADATA = 3,
	LP_KEY_OFFSET_FETCH = 9,
	LP_KEY_JOIN_GROUP = 11,
	LP_KEY_HEARTBEAT = 12,
	LP_KEY_SYNC_GROUP = 14,
	LP_KEY_SASL_HANDSHAKE = 17,
	LP_KEY_API_VERSIONS = 18,
	LP_KEY_CREATE_TOPICS = 19,
	LP_KEY_DELETE_TOPICS = 20,
	LP_KEY_INIT_PRODUCER_ID = 22,
	LP_KEY_OFFSET_FOR_LEADER_EPOCH = 23,
	LP_KEY_ADD_PARTITIONS_TO_TXN = 24,
	LP_KEY_END_TXN = 26,
	LP_KEY_WRITE_TXN_MARKERS = 27,
	LP_KEY_DESCRIBE_CONFIGS = 32,
	LP_KEY_ALTER_CONFIGS = 33,
	LP_KEY_SASL_AUTHENTICATE = 36,
	LP_KEY_INCREMENTAL_ALTER_CONFIGS = 44,
	LP_KEY_DESCRIBE_CLUSTER = 60,
	LP_KEY_CONSUMER_GROUP_HEARTBEAT = 68,
	LP_KEY_DESCRIBE_TOPIC_PARTITIONS = 75,
	LP_KEY_SHARE_GROUP_HEARTBEAT = 76,
	LP_KEY_SHARE_FETCH = 78,
	LP_KEY_STREAMS_GROUP_HEARTBEAT = 88,
};

/* Its response waits for records, and has them by topics. */
static inline bool
lp_account_fetches(int16_t key)
{
	return key == LP_KEY_FETCH || key == LP_KEY_SHARE_FETCH;
}

/* The client id of a request. */
void lp_account_client(const struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact);

/* A fact of a topic, from its begin to its end; either direction. */
void lp_account_topic(const struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact);

/*
 * A request is complete: fills its row, client, origin, kind and max_wait_ms.
 * message is NULL if it was not walked.  It waits for a response, or not.
 */
void lp_account_request(const struct lp_kafka_at *at,
    const struct lp_message *message, struct lp_inflight *entry, bool waits);

/* It was answered by so many bytes, the last of them now. */
void lp_account_response(const struct lp_kafka_at *at,
    const struct lp_message *message, const struct lp_inflight *entry,
    uint32_t bytes);

/* An error code in the response to it, not 0. */
void lp_account_error(const struct lp_kafka_at *at,
    const struct lp_inflight *entry, int64_t code);

/* APIs, and versions of them, that only brokers and controllers speak. */
bool lp_account_is_between(int16_t key, int16_t version);

/* It will not be answered, or we shall not see it. */
void lp_account_unanswered(
    const struct lp_kafka_at *at, const struct lp_inflight *entry);

#endif
