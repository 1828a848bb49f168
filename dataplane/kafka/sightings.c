/* SPDX-License-Identifier: Apache-2.0 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/kafka/sightings.h"

enum {
	LOOKS = 8, /* places that are looked at for room */
	STALE_MS = 3600000,
};

static uint32_t hash_of(
    const struct lp_sightings *, const struct lp_sighting_key *);
static uint32_t locate(
    const struct lp_sightings *, const struct lp_sighting_key *, uint32_t);
static uint32_t take_place(struct lp_sightings *, uint64_t);
static bool same(
    const struct lp_sighting_value *, const struct lp_sighting_node *);
static void write_value(struct lp_sightings *, struct lp_sighting *,
    const struct lp_sighting_key *, const struct lp_sighting_node *, uint64_t);
static void end_node(struct lp_sightings *, struct lp_sighting_list *, uint32_t,
    const struct lp_fact *, uint64_t);

void
lp_sightings_carve(struct lp_sightings *seen, struct lp_arena *arena)
{
	lp_table_carve(&seen->index, arena, LP_SIGHTINGS_MAX);
}

void
lp_sightings_init(
    struct lp_sightings *seen, struct lp_kafka_stats *stats, uint64_t seed)
{
	uint64_t used = lp_count_get(&stats->sightings_used);

	seen->stats = stats;
	seen->hand = 0;
	seen->seed = seed;
	lp_table_init(&seen->index);
	for (uint32_t i = 0; i < used; i++) {
		struct lp_sighting *place = &stats->sightings[i];
		uint64_t serial = lp_count_get(&place->serial);

		/* The process before us was killed on it: it is nobody's. */
		if (serial & 1) {
			place->value.key.kind = LP_SIGHTING_NONE;
			lp_count_set(&place->serial, serial + 1);
		}
		if (place->value.key.kind != LP_SIGHTING_NONE)
			lp_table_add(
			    &seen->index, hash_of(seen, &place->value.key), i);
	}
	lp_count_set(&stats->counters.sightings, used);
	lp_count_set(&stats->counters.sightings_max, LP_SIGHTINGS_MAX);
}

void
lp_sightings_note(struct lp_sightings *seen, const struct lp_sighting_key *key,
    const struct lp_sighting_node *node, uint64_t now_ms)
{
	uint32_t hash = hash_of(seen, key);
	uint32_t at = locate(seen, key, hash);
	struct lp_sighting *place;

	if (at == LP_TABLE_NONE) {
		at = take_place(seen, now_ms);
		if (at == LP_TABLE_NONE) {
			lp_count_add(&seen->stats->counters.sightings_full, 1);
			return;
		}
		write_value(
		    seen, &seen->stats->sightings[at], key, node, now_ms);
		lp_table_add(&seen->index, hash, at);
		return;
	}
	place = &seen->stats->sightings[at];
	if (same(&place->value, node))
		lp_count_set(&place->seen_ms, now_ms);
	else
		write_value(seen, place, key, node, now_ms);
}

void
lp_sightings_begin(
    struct lp_sighting_list *list, bool is_metadata, int16_t version)
{
	list->left = 0;
	list->node_id = -1;
	list->port = 0;
	list->host_len = 0;
	list->racks = !is_metadata || version > 0;
	list->other = false;
	list->begun = false;
}

void
lp_sightings_fact(struct lp_sightings *seen, struct lp_sighting_list *list,
    uint32_t cluster_id, const struct lp_fact *fact, uint64_t now_ms)
{
	switch (fact->kind) {
	case LP_FACT_ENDPOINT_TYPE:
		list->other = fact->value != 1;
		break;
	case LP_FACT_ENDPOINTS:
		list->left = fact->value > 0 ? (uint32_t)fact->value : 0;
		list->begun = list->left > 0;
		break;
	case LP_FACT_NODE_ID:
		list->node_id = (int32_t)fact->value;
		list->host_len = 0;
		break;
	case LP_FACT_HOST:
		/* A longer one is no name. */
		if (fact->null || fact->full_len > sizeof(list->host))
			break;
		list->host_len = (uint8_t)fact->full_len;
		memcpy(list->host, fact->bytes, fact->full_len);
		break;
	case LP_FACT_PORT:
		list->port = fact->value > 0 && fact->value <= UINT16_MAX
		    ? (uint16_t)fact->value
		    : 0;
		if (!list->racks)
			end_node(seen, list, cluster_id, NULL, now_ms);
		break;
	case LP_FACT_RACK:
		end_node(seen, list, cluster_id, fact, now_ms);
		break;
	default:
		break;
	}
}

/* All that is said of one has been read. */
static void
end_node(struct lp_sightings *seen, struct lp_sighting_list *list,
    uint32_t cluster_id, const struct lp_fact *rack, uint64_t now_ms)
{
	struct lp_sighting_key key = {.cluster_id = cluster_id,
	    .id = list->node_id,
	    .kind = LP_SIGHTING_NODE};
	struct lp_sighting_node node = {
	    .host = list->host, .host_len = list->host_len, .port = list->port};

	if (!list->begun || list->other || list->left == 0)
		return;
	if (rack != NULL && !rack->null) {
		node.rack = rack->bytes;
		node.rack_len = (uint8_t)(rack->len < LP_SIGHTING_RACK_MAX
			? rack->len
			: LP_SIGHTING_RACK_MAX);
	}
	if (node.host_len > 0 && node.port > 0 && key.id >= 0)
		lp_sightings_note(seen, &key, &node, now_ms);
	if (--list->left > 0)
		return;
	key = (struct lp_sighting_key){
	    .cluster_id = cluster_id, .kind = LP_SIGHTING_LIST};
	node = (struct lp_sighting_node){0};
	lp_sightings_note(seen, &key, &node, now_ms);
}

static uint32_t
hash_of(const struct lp_sightings *seen, const struct lp_sighting_key *key)
{
	return (uint32_t)XXH3_64bits_withSeed(key, sizeof(*key), seen->seed);
}

static uint32_t
locate(const struct lp_sightings *seen, const struct lp_sighting_key *key,
    uint32_t hash)
{
	uint32_t at = hash;

	for (;; at++) {
		const struct lp_table_place *found;

		at = lp_table_probe(&seen->index, at, hash);
		found = &seen->index.places[at];
		if (found->value == LP_TABLE_NONE ||
		    memcmp(&seen->stats->sightings[found->value].value.key, key,
			sizeof(*key)) == 0)
			return found->value;
	}
}

/* One never used, or one that is stale; LP_TABLE_NONE: neither was found. */
static uint32_t
take_place(struct lp_sightings *seen, uint64_t now_ms)
{
	struct lp_kafka_stats *stats = seen->stats;
	uint64_t used = lp_count_get(&stats->sightings_used);

	if (used < LP_SIGHTINGS_MAX) {
		lp_count_add(&stats->counters.sightings, 1);
		lp_count_set(&stats->sightings_used, used + 1);
		return (uint32_t)used;
	}
	for (unsigned i = 0; i < LOOKS; i++) {
		uint32_t at = seen->hand;
		const struct lp_sighting *place = &stats->sightings[at];

		seen->hand = (at + 1) % LP_SIGHTINGS_MAX;
		if (place->value.key.kind == LP_SIGHTING_NONE)
			return at;
		if (now_ms - lp_count_get(&place->seen_ms) < STALE_MS)
			continue;
		lp_table_remove(
		    &seen->index, hash_of(seen, &place->value.key), at);
		return at;
	}
	return LP_TABLE_NONE;
}

static bool
same(const struct lp_sighting_value *value, const struct lp_sighting_node *node)
{
	return value->port == node->port && value->host_len == node->host_len &&
	    value->rack_len == node->rack_len &&
	    (node->host_len == 0 ||
		memcmp(value->host, node->host, node->host_len) == 0) &&
	    (node->rack_len == 0 ||
		memcmp(value->rack, node->rack, node->rack_len) == 0);
}

/* By words, between an odd serial and an even one: others may be reading. */
static void
write_value(struct lp_sightings *seen, struct lp_sighting *place,
    const struct lp_sighting_key *key, const struct lp_sighting_node *node,
    uint64_t now_ms)
{
	uint64_t serial = lp_count_get(&seen->stats->sightings_serial) + 2;
	union {
		struct lp_sighting_value value;
		uint64_t words[LP_SIGHTING_WORDS];
	} new = {.value = {.key = *key,
		     .port = node->port,
		     .host_len = node->host_len,
		     .rack_len = node->rack_len}};

	if (node->host_len > 0)
		memcpy(new.value.host, node->host, node->host_len);
	if (node->rack_len > 0)
		memcpy(new.value.rack, node->rack, node->rack_len);
	lp_count_set(&place->serial, serial - 1);
	atomic_thread_fence(memory_order_release);
	lp_count_set(&place->seen_ms, now_ms);
	for (unsigned i = 0; i < LP_SIGHTING_WORDS; i++)
		atomic_store_explicit(
		    &place->words[i], new.words[i], memory_order_relaxed);
	atomic_store_explicit(&place->serial, serial, memory_order_release);
	atomic_store_explicit(
	    &seen->stats->sightings_serial, serial, memory_order_release);
}
