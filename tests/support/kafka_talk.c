/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/kafka_talk.h"

#include <string.h>

#include "tests/support/ensure.h"
#include "tests/support/plane.h"

struct kafka_frame kafka_frame;

void
kafka_setup(void)
{
	plane_open(CONNECTIONS);
	plane_run();
	kafka_talk.more = 0;
	kafka_connect();
}

struct lp_kafka_stats *
kafka_stats(void)
{
	return plane.region.kafka_stats;
}

/* The row of that API and kind, or NULL. */
const struct lp_kafka_row *
kafka_row(int16_t key, enum lp_kafka_kind kind)
{
	uint64_t used = lp_count_get(&kafka_stats()->rows_used);

	for (uint64_t i = 1; i < used; i++)
		if (kafka_stats()->rows[i].api_key == key &&
		    kafka_stats()->rows[i].kind == kind)
			return &kafka_stats()->rows[i];
	return NULL;
}

uint64_t
kafka_samples(const struct lp_kafka_histogram *histogram)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < LP_HISTOGRAM_BUCKETS; i++)
		sum += lp_count_get(&histogram->counts[i]);
	return sum;
}

const struct lp_talker *
kafka_talker(const struct lp_talker_list *list, const char *name)
{
	uint64_t used = lp_count_get(&list->places_used);

	for (uint64_t i = 1; i < used; i++)
		if (list->places[i].state == LP_TALKER_USED &&
		    list->places[i].name_len == strlen(name) &&
		    memcmp((const void *)list->places[i].name, name,
			strlen(name)) == 0)
			return &list->places[i];
	return NULL;
}

uint8_t
kafka_mode(void)
{
	return plane.region.kafka.conns[0].mode;
}

/* Nothing of a connection at rest may be left in the pools. */
void
kafka_ensure_at_rest(void)
{
	const struct lp_kafka_state *state = &plane.region.kafka;

	for (uint32_t i = 0; i < state->message_count; i++)
		ensure(state->messages[i].used == 0, "message %u is taken", i);
	for (uint32_t i = 0; i < state->inflight_count; i++)
		ensure(
		    state->inflight[i].used == 0, "request %u is in flight", i);
}

void
kafka_versions_request(int32_t id)
{
	kafka_request(&kafka_frame, VERSIONS, 3, id, "web-1", true);
	kafka_compact(&kafka_frame, "soft");
	kafka_compact(&kafka_frame, "1.0");
	kafka_int8(&kafka_frame, 0);
	kafka_end(&kafka_frame);
}

void
kafka_versions_response(int32_t id)
{
	kafka_response(&kafka_frame, id, false);
	kafka_int16(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 2); /* one key */
	kafka_int16(&kafka_frame, PRODUCE);
	kafka_int16(&kafka_frame, 0);
	kafka_int16(&kafka_frame, 9);
	kafka_int8(&kafka_frame, 0);
	kafka_int32(&kafka_frame, 0); /* throttle time */
	kafka_int8(&kafka_frame, 0);
	kafka_end(&kafka_frame);
}

/* Version 3: one topic, one partition, so many bytes of records. */
void
kafka_produce_request(int32_t id, int16_t acks, size_t records)
{
	kafka_request(&kafka_frame, PRODUCE, 3, id, "web-1", false);
	kafka_string(&kafka_frame, NULL); /* transactional id */
	kafka_int16(&kafka_frame, acks);
	kafka_int32(&kafka_frame, 30000);
	kafka_int32(&kafka_frame, 1);
	kafka_string(&kafka_frame, "orders");
	kafka_int32(&kafka_frame, 1);
	kafka_int32(&kafka_frame, 0);
	kafka_int32(&kafka_frame, (int64_t)records);
	kafka_fill(&kafka_frame, 'r', records);
	kafka_end(&kafka_frame);
}

void
kafka_produce_response(int32_t id, int16_t error, int32_t throttle_ms)
{
	kafka_response(&kafka_frame, id, false);
	kafka_int32(&kafka_frame, 1);
	kafka_string(&kafka_frame, "orders");
	kafka_int32(&kafka_frame, 1);
	kafka_int32(&kafka_frame, 0);
	kafka_int16(&kafka_frame, error);
	kafka_int64(&kafka_frame, 77);
	kafka_int64(&kafka_frame, -1);
	kafka_int32(&kafka_frame, throttle_ms);
	kafka_end(&kafka_frame);
}

void
kafka_fetch_request(int32_t id, int32_t max_wait_ms, int32_t replica)
{
	kafka_request(&kafka_frame, FETCH, 4, id, "web-1", false);
	kafka_int32(&kafka_frame, replica);
	kafka_int32(&kafka_frame, max_wait_ms);
	kafka_int32(&kafka_frame, 1); /* min bytes */
	kafka_int32(&kafka_frame, 1 << 20);
	kafka_int8(&kafka_frame, 0);
	kafka_int32(&kafka_frame, 1);
	kafka_string(&kafka_frame, "orders");
	kafka_int32(&kafka_frame, 1);
	kafka_int32(&kafka_frame, 0);
	kafka_int64(&kafka_frame, 0);
	kafka_int32(&kafka_frame, 1 << 20);
	kafka_end(&kafka_frame);
}

void
kafka_fetch_response(int32_t id, size_t records)
{
	kafka_response(&kafka_frame, id, false);
	kafka_int32(&kafka_frame, 0);
	kafka_int32(&kafka_frame, 1);
	kafka_string(&kafka_frame, "orders");
	kafka_int32(&kafka_frame, 1);
	kafka_int32(&kafka_frame, 0);
	kafka_int16(&kafka_frame, 0);
	kafka_int64(&kafka_frame, 100);
	kafka_int64(&kafka_frame, 100);
	kafka_int32(&kafka_frame, -1); /* aborted transactions */
	kafka_int32(&kafka_frame, (int64_t)records);
	kafka_fill(&kafka_frame, 'r', records);
	kafka_end(&kafka_frame);
}

void
kafka_ask(void)
{
	kafka_send_frame(LP_TO_BROKER, &kafka_frame);
}

void
kafka_answer(void)
{
	kafka_send_frame(LP_TO_CLIENT, &kafka_frame);
}

/* A request that is answered, so that all know that this is Kafka. */
void
kafka_greet(int32_t id)
{
	kafka_versions_request(id);
	kafka_ask();
	kafka_versions_response(id);
	kafka_answer();
	kafka_acknowledge(LP_TO_BROKER);
}

void
kafka_log_in(void)
{
	static const uint8_t token[] = "\0alice\0secret";

	kafka_request(&kafka_frame, HANDSHAKE, 1, 1, "web-1", false);
	kafka_string(&kafka_frame, "PLAIN");
	kafka_end(&kafka_frame);
	kafka_ask();
	kafka_response(&kafka_frame, 1, false);
	kafka_int16(&kafka_frame, 0);
	kafka_int32(&kafka_frame, 1);
	kafka_string(&kafka_frame, "PLAIN");
	kafka_end(&kafka_frame);
	kafka_answer();
	kafka_request(&kafka_frame, AUTHENTICATE, 0, 2, "web-1", false);
	kafka_int32(&kafka_frame, sizeof(token) - 1);
	kafka_bytes(&kafka_frame, token, sizeof(token) - 1);
	kafka_end(&kafka_frame);
	kafka_ask();
	kafka_response(&kafka_frame, 2, false);
	kafka_int16(&kafka_frame, 0);
	kafka_string(&kafka_frame, NULL);
	kafka_int32(&kafka_frame, 0);
	kafka_end(&kafka_frame);
	kafka_answer();
}
