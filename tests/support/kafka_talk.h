/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client and a broker say in the tests of the Kafka stage, and what the
 * plane's statistics say of it.
 */
#ifndef LP_TESTS_SUPPORT_KAFKA_TALK_H
#define LP_TESTS_SUPPORT_KAFKA_TALK_H

#include "dataplane/kafka/kafka.h"
#include "tests/support/kafka_wire.h"

enum {
	CONNECTIONS = LP_CONNECTIONS_MIN,
	PRODUCE = 0,
	FETCH = 1,
	METADATA = 3,
	HANDSHAKE = 17,
	VERSIONS = 18,
	AUTHENTICATE = 36,
	RECORDS = 700,
	MS = 1000000,
};

/* The frame that the functions below make. */
extern struct kafka_frame kafka_frame;

/* A plane with the connection open. */
void kafka_setup(void);

struct lp_kafka_stats *kafka_stats(void);
#define KAFKA_COUNTER(member) lp_count_get(&kafka_stats()->counters.member)
/* The row of that API and kind, or NULL. */
const struct lp_kafka_row *kafka_row(int16_t key, enum lp_kafka_kind kind);
uint64_t kafka_samples(const struct lp_kafka_histogram *histogram);
/* The one of that name with a place of its own, or NULL. */
const struct lp_talker *kafka_talker(
    const struct lp_talker_list *list, const char *name);
/* enum lp_kafka_mode of the connection. */
uint8_t kafka_mode(void);
/* Nothing of a connection at rest may be left in the pools. */
void kafka_ensure_at_rest(void);

void kafka_versions_request(int32_t id);
void kafka_versions_response(int32_t id);
/* Version 3: one topic, one partition, so many bytes of records. */
void kafka_produce_request(int32_t id, int16_t acks, size_t records);
void kafka_produce_response(int32_t id, int16_t error, int32_t throttle_ms);
void kafka_fetch_request(int32_t id, int32_t max_wait_ms, int32_t replica);
void kafka_fetch_response(int32_t id, size_t records);

/* Sends the frame, from the client, from the broker. */
void kafka_ask(void);
void kafka_answer(void);
/* As alice, by SASL/PLAIN; all four frames. */
void kafka_log_in(void);
/* A request that is answered, so that all know that this is Kafka. */
void kafka_greet(int32_t id);

#endif
