/* SPDX-License-Identifier: Apache-2.0 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/kafka/telemetry.h"

static uint32_t hash_of(
    const struct lp_telemetry *telemetry, const struct lp_telemetry_key *key);
static uint32_t add_row(struct lp_telemetry *telemetry,
    const struct lp_telemetry_key *key, uint32_t hash);
static void nothing_in_flight(struct lp_kafka_stats *stats);

static inline struct lp_telemetry_key
key_of(const struct lp_kafka_row *row)
{
	return (struct lp_telemetry_key){row->listener_id, row->broker_id,
	    row->api_key, row->origin, row->kind};
}

void
lp_telemetry_carve(struct lp_telemetry *telemetry, struct lp_arena *arena)
{
	lp_table_carve(&telemetry->rows, arena, LP_KAFKA_ROWS_MAX);
	telemetry->keys = lp_arena_take(
	    arena, LP_KAFKA_ROWS_MAX + 1, sizeof(*telemetry->keys));
	lp_talkers_carve(&telemetry->topics, arena);
	lp_talkers_carve(&telemetry->clients, arena);
	lp_topic_ids_carve(&telemetry->topic_ids, arena);
	telemetry->topic_feed =
	    lp_arena_take(arena, 1, sizeof(*telemetry->topic_feed));
	lp_sightings_carve(&telemetry->sightings, arena);
}

void
lp_telemetry_init(struct lp_telemetry *telemetry, struct lp_kafka_stats *stats,
    const struct lp_endpoint_stats *endpoints, uint64_t seed)
{
	uint32_t rows = 0;

	telemetry->stats = stats;
	telemetry->endpoints = endpoints;
	telemetry->seed = seed;
	lp_table_init(&telemetry->rows);
	for (uint32_t i = 1; i < lp_count_get(&stats->rows_used); i++) {
		struct lp_telemetry_key key = key_of(&stats->rows[i]);

		telemetry->keys[i] = key;
		lp_table_add(&telemetry->rows, hash_of(telemetry, &key), i);
		rows++;
	}
	lp_count_set(&stats->rows_used, rows + 1);
	lp_count_set(&stats->counters.rows, rows);
	lp_count_set(&stats->counters.rows_max, LP_KAFKA_ROWS_MAX);
	lp_count_set(&stats->counters.topics_max, LP_KAFKA_TALKERS_MAX);
	lp_count_set(&stats->counters.clients_max, LP_KAFKA_TALKERS_MAX);
	lp_talkers_init(&telemetry->topics, &stats->topics,
	    &stats->counters.topics, &stats->counters.topics_evicted,
	    &stats->counters.topics_other, seed);
	lp_talkers_init(&telemetry->clients, &stats->clients,
	    &stats->counters.clients, &stats->counters.clients_evicted,
	    &stats->counters.clients_other, seed);
	lp_topic_ids_init(&telemetry->topic_ids, stats, seed);
	lp_sightings_init(&telemetry->sightings, stats, seed);
	nothing_in_flight(stats);
}

uint32_t
lp_telemetry_row(struct lp_telemetry *telemetry, uint16_t endpoint,
    int16_t api_key, enum lp_kafka_origin origin, enum lp_kafka_kind kind)
{
	const struct lp_telemetry_key key = {
	    .listener_id = telemetry->endpoints[endpoint].listener_id,
	    .broker_id = telemetry->endpoints[endpoint].broker_id,
	    .api_key = api_key,
	    .origin = (uint8_t)origin,
	    .kind = (uint8_t)kind,
	};
	uint32_t hash = hash_of(telemetry, &key);
	uint32_t at = hash;

	assert(endpoint < LP_ENDPOINTS_MAX);
	for (;; at++) {
		const struct lp_table_place *found;

		at = lp_table_probe(&telemetry->rows, at, hash);
		found = &telemetry->rows.places[at];
		if (found->value == LP_TABLE_NONE)
			return add_row(telemetry, &key, hash);
		if (memcmp(&telemetry->keys[found->value], &key, sizeof(key)) ==
		    0)
			return found->value;
	}
}

lp_talker_handle
lp_telemetry_client(struct lp_telemetry *telemetry, const uint8_t *name,
    uint32_t len, bool null, uint64_t now_ms)
{
	const struct lp_talker_name talker = {
	    .bytes = name,
	    .len = (uint16_t)(null             ? 0
		    : len < LP_TALKER_NAME_MAX ? len
					       : LP_TALKER_NAME_MAX),
	    .null = null,
	};

	return lp_talkers_find(&telemetry->clients, &talker, now_ms);
}

lp_talker_handle
lp_telemetry_topic(struct lp_telemetry *telemetry, uint32_t cluster_id,
    const uint8_t *name, uint32_t len, uint64_t now_ms)
{
	const struct lp_talker_name talker = {
	    .bytes = name,
	    .len =
		(uint16_t)(len < LP_TALKER_NAME_MAX ? len : LP_TALKER_NAME_MAX),
	    .cluster_id = cluster_id,
	};

	return lp_talkers_find(&telemetry->topics, &talker, now_ms);
}

void
lp_telemetry_turn(struct lp_telemetry *telemetry)
{
	lp_talkers_turn(&telemetry->topics);
	lp_talkers_turn(&telemetry->clients);
	lp_topic_feed_turn(telemetry->topic_feed, &telemetry->topic_ids);
}

static uint32_t
hash_of(
    const struct lp_telemetry *telemetry, const struct lp_telemetry_key *key)
{
	return (uint32_t)XXH3_64bits_withSeed(
	    key, sizeof(*key), telemetry->seed);
}

static uint32_t
add_row(struct lp_telemetry *telemetry, const struct lp_telemetry_key *key,
    uint32_t hash)
{
	struct lp_kafka_stats *stats = telemetry->stats;
	uint32_t place = (uint32_t)lp_count_get(&stats->rows_used);
	struct lp_kafka_row *row = &stats->rows[place];

	if (place > LP_KAFKA_ROWS_MAX) {
		lp_count_add(&stats->counters.rows_refused, 1);
		return LP_TELEMETRY_ROW_OTHER;
	}
	row->listener_id = key->listener_id;
	row->broker_id = key->broker_id;
	row->api_key = key->api_key;
	row->origin = key->origin;
	row->kind = key->kind;
	/* Last: whoever reads it then reads a whole key. */
	atomic_store_explicit(
	    &stats->rows_used, place + 1, memory_order_release);
	telemetry->keys[place] = *key;
	lp_table_add(&telemetry->rows, hash, place);
	lp_count_set(&stats->counters.rows, place);
	return place;
}

static void
nothing_in_flight(struct lp_kafka_stats *stats)
{
	struct lp_talker_list *clients = &stats->clients;

	for (uint32_t i = 0; i < lp_count_get(&stats->rows_used); i++)
		lp_count_set(&stats->rows[i].in_flight, 0);
	for (uint32_t i = 0; i < lp_count_get(&clients->places_used); i++)
		lp_count_set(
		    &clients->places[i].counts[LP_KAFKA_CLIENT_in_flight], 0);
}
