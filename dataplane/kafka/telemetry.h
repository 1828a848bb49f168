/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting what Kafka does on the wire: the worker's side of kafka_stats.h.
 *
 *	row = lp_telemetry_row(t, endpoint, PRODUCE, origin, LP_KAFKA_ACKS_1);
 *	client = lp_telemetry_client(t, name, len, null, now_ms);
 *	lp_telemetry_request(t, row, bytes);
 *	lp_telemetry_client_request(t, client, bytes);
 *	... the caller keeps row, client, and when its last byte came ...
 *	lp_telemetry_response(t, row, bytes, latency_ns, throttle_ms);
 *	lp_telemetry_client_response(t, client, LP_KAFKA_CLIENT_PRODUCE, ...);
 *
 * A request is in flight from lp_telemetry_request() until the response, or
 * until lp_telemetry_abandon() when its connection goes or its stream is lost;
 * an acks=0 Produce is abandoned at once.  A row is good for ever, a handle
 * too: that of an evicted client or topic counts in `other`.
 *
 * No call allocates, locks or reads a clock, and each does a bounded amount of
 * work.  One thread calls; any other may read the counters.
 */
#ifndef LP_KAFKA_TELEMETRY_H
#define LP_KAFKA_TELEMETRY_H

#include "dataplane/kafka/kafka_stats.h"
#include "dataplane/kafka/sightings.h"
#include "dataplane/kafka/talkers.h"
#include "dataplane/kafka/topic_feed.h"

/* A response whose request was not seen in time. */
#define LP_TELEMETRY_NO_LATENCY UINT64_MAX

enum { LP_TELEMETRY_ROW_OTHER = 0 };

/* What a row is of.  Not the index of the endpoint: others may get that. */
struct lp_telemetry_key {
	uint32_t listener_id;
	uint32_t broker_id;
	int16_t api_key;
	uint8_t origin;
	uint8_t kind;
};
static_assert(sizeof(struct lp_telemetry_key) == 12, "hashed as bytes");

struct lp_telemetry {
	struct lp_kafka_stats *stats;
	const struct lp_endpoint_stats *endpoints;
	struct lp_table rows;
	struct lp_telemetry_key *keys; /* of rows: close together */
	struct lp_talkers topics;
	struct lp_talkers clients;
	struct lp_topic_ids topic_ids;
	struct lp_topic_feed *topic_feed;
	struct lp_sightings sightings;
	uint64_t seed;
};

void lp_telemetry_carve(struct lp_telemetry *telemetry, struct lp_arena *arena);

/*
 * Takes up the region's block, zeroed or as a process before us left it.
 * Nothing is in flight then: restore.c counts again what it finds.
 */
void lp_telemetry_init(struct lp_telemetry *telemetry,
    struct lp_kafka_stats *stats, const struct lp_endpoint_stats *endpoints,
    uint64_t seed);

/*
 * The row of a listener and broker (index of their endpoint counters), API,
 * origin and kind; LP_TELEMETRY_ROW_OTHER, counted, if there is no room.
 */
uint32_t lp_telemetry_row(struct lp_telemetry *telemetry, uint16_t endpoint,
    int16_t api_key, enum lp_kafka_origin origin, enum lp_kafka_kind kind);

/* Longer names are cut at LP_TALKER_NAME_MAX; null is not the empty one. */
lp_talker_handle lp_telemetry_client(struct lp_telemetry *telemetry,
    const uint8_t *name, uint32_t len, bool null, uint64_t now_ms);
lp_talker_handle lp_telemetry_topic(struct lp_telemetry *telemetry,
    uint32_t cluster_id, const uint8_t *name, uint32_t len, uint64_t now_ms);

/*
 * Once a turn of the worker: goes on with what evictions left to do, and takes
 * in names of topic ids.
 */
void lp_telemetry_turn(struct lp_telemetry *telemetry);

#define lp_telemetry_count(telemetry, member, n)                               \
	lp_count_add(&(telemetry)->stats->counters.member, (n))

static inline void
lp_telemetry_time(struct lp_kafka_histogram *histogram, uint64_t ns)
{
	uint32_t index = lp_histogram_index(ns);
	uint64_t octave = 1ull << (index >> LP_HISTOGRAM_SUB_BITS);
	uint64_t octaves = lp_count_get(&histogram->octaves);

	/* First: the drain of an evicted talker looks only there. */
	if (!(octaves & octave))
		lp_count_set(&histogram->octaves, octaves | octave);
	lp_count_add(&histogram->counts[index], 1);
	lp_count_add(&histogram->sum_ns, ns);
	if (lp_count_get(&histogram->max_ns) < ns)
		lp_count_set(&histogram->max_ns, ns);
}

/* ---- rows ---------------------------------------------------------------- */

static inline struct lp_kafka_row *
lp_telemetry_row_at(struct lp_telemetry *telemetry, uint32_t row)
{
	assert(row <= LP_KAFKA_ROWS_MAX);
	return &telemetry->stats->rows[row];
}

static inline void
lp_telemetry_request(
    struct lp_telemetry *telemetry, uint32_t row_index, uint64_t bytes)
{
	struct lp_kafka_row *row = lp_telemetry_row_at(telemetry, row_index);

	lp_count_add(&row->requests, 1);
	lp_count_add(&row->request_bytes, bytes);
	lp_count_add(&row->in_flight, 1);
	lp_telemetry_count(telemetry, requests, 1);
}

/* In flight since before this process. */
static inline void
lp_telemetry_resume(
    struct lp_telemetry *telemetry, uint32_t row_index, lp_talker_handle client)
{
	lp_count_add(&lp_telemetry_row_at(telemetry, row_index)->in_flight, 1);
	lp_count_add(&lp_talkers_get(&telemetry->clients, client)
			  ->counts[LP_KAFKA_CLIENT_in_flight],
	    1);
}

/* No response will come, or none that we should know. */
static inline void
lp_telemetry_abandon(struct lp_telemetry *telemetry, uint32_t row_index)
{
	lp_count_add(
	    &lp_telemetry_row_at(telemetry, row_index)->in_flight, UINT64_MAX);
}

/*
 * `asked` is the row that its request was counted in, `answered` the row of
 * the response: another one of a Fetch, whose kind is known only now.  Time
 * from the last byte of the request to the first of the response.
 */
static inline void
lp_telemetry_response(struct lp_telemetry *telemetry, uint32_t asked,
    uint32_t answered, uint64_t bytes, uint64_t latency_ns,
    uint32_t throttle_ms)
{
	struct lp_kafka_row *row = lp_telemetry_row_at(telemetry, answered);

	lp_telemetry_abandon(telemetry, asked);
	lp_count_add(&row->responses, 1);
	lp_count_add(&row->response_bytes, bytes);
	lp_telemetry_count(telemetry, responses, 1);
	if (throttle_ms > 0) {
		lp_count_add(&row->throttled, 1);
		lp_count_add(&row->throttle_ms, throttle_ms);
	}
	if (latency_ns != LP_TELEMETRY_NO_LATENCY)
		lp_telemetry_time(
		    throttle_ms > 0 ? &row->throttled_latency : &row->latency,
		    latency_ns);
}

/* First to last byte of a response. */
static inline void
lp_telemetry_transfer(struct lp_telemetry *telemetry, uint32_t row, uint64_t ns)
{
	lp_telemetry_time(&lp_telemetry_row_at(telemetry, row)->transfer, ns);
}

/* Not 0: NONE is no error, and ignored. */
static inline void
lp_telemetry_error(struct lp_telemetry *telemetry, uint32_t row, int16_t code)
{
	if (code != 0)
		lp_count_add(&lp_telemetry_row_at(telemetry, row)
				  ->errors[lp_kafka_error_place(code)],
		    1);
}

/* ---- clients ------------------------------------------------------------- */

static inline void
lp_telemetry_client_add(struct lp_telemetry *telemetry, lp_talker_handle client,
    enum lp_kafka_client_count count, uint64_t n)
{
	lp_count_add(
	    &lp_talkers_get(&telemetry->clients, client)->counts[count], n);
}

static inline void
lp_telemetry_client_request(
    struct lp_telemetry *telemetry, lp_talker_handle client, uint64_t bytes)
{
	struct lp_talker *talker = lp_talkers_get(&telemetry->clients, client);

	lp_count_add(&talker->counts[LP_KAFKA_CLIENT_requests], 1);
	lp_count_add(&talker->counts[LP_KAFKA_CLIENT_request_bytes], bytes);
	lp_count_add(&talker->counts[LP_KAFKA_CLIENT_in_flight], 1);
}

static inline void
lp_telemetry_client_abandon(
    struct lp_telemetry *telemetry, lp_talker_handle client)
{
	lp_telemetry_client_add(
	    telemetry, client, LP_KAFKA_CLIENT_in_flight, UINT64_MAX);
}

/* `histogram`: that of its API; LP_TELEMETRY_NO_LATENCY: in none. */
static inline void
lp_telemetry_client_response(struct lp_telemetry *telemetry,
    lp_talker_handle client, enum lp_kafka_client_histogram histogram,
    uint64_t bytes, uint64_t latency_ns, uint32_t throttle_ms)
{
	struct lp_talker *talker = lp_talkers_get(&telemetry->clients, client);

	lp_count_add(&talker->counts[LP_KAFKA_CLIENT_in_flight], UINT64_MAX);
	lp_count_add(&talker->counts[LP_KAFKA_CLIENT_responses], 1);
	lp_count_add(&talker->counts[LP_KAFKA_CLIENT_response_bytes], bytes);
	if (throttle_ms > 0)
		lp_count_add(&talker->counts[LP_KAFKA_CLIENT_throttled], 1);
	if (latency_ns != LP_TELEMETRY_NO_LATENCY)
		lp_telemetry_time(&talker->histograms[histogram], latency_ns);
}

/* ---- topics -------------------------------------------------------------- */

static inline void
lp_telemetry_topic_produce(
    struct lp_telemetry *telemetry, lp_talker_handle topic, uint64_t bytes)
{
	struct lp_talker *talker = lp_talkers_get(&telemetry->topics, topic);

	lp_count_add(&talker->counts[LP_KAFKA_TOPIC_produce_requests], 1);
	lp_count_add(&talker->counts[LP_KAFKA_TOPIC_produce_bytes], bytes);
}

static inline void
lp_telemetry_topic_fetch(
    struct lp_telemetry *telemetry, lp_talker_handle topic, uint64_t bytes)
{
	struct lp_talker *talker = lp_talkers_get(&telemetry->topics, topic);

	lp_count_add(&talker->counts[LP_KAFKA_TOPIC_fetch_responses], 1);
	lp_count_add(&talker->counts[LP_KAFKA_TOPIC_fetch_bytes], bytes);
}

static inline void
lp_telemetry_topic_error(
    struct lp_telemetry *telemetry, lp_talker_handle topic, uint64_t n)
{
	lp_count_add(&lp_talkers_get(&telemetry->topics, topic)
			  ->counts[LP_KAFKA_TOPIC_errors],
	    n);
}

static inline void
lp_telemetry_topic_latency(struct lp_telemetry *telemetry,
    lp_talker_handle topic, enum lp_kafka_topic_histogram histogram,
    uint64_t ns)
{
	lp_telemetry_time(
	    &lp_talkers_get(&telemetry->topics, topic)->histograms[histogram],
	    ns);
}

#endif
