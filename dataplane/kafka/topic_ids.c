/* SPDX-License-Identifier: Apache-2.0 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/kafka/topic_ids.h"

enum { LOOKS = 8 };

static uint32_t hash_of(
    const struct lp_topic_ids *ids, uint32_t cluster_id, const uint8_t *uuid);
static uint32_t locate(const struct lp_topic_ids *ids, uint32_t cluster_id,
    const uint8_t *uuid, uint32_t hash);
static uint32_t take_place(struct lp_topic_ids *ids);
static void write_name(
    struct lp_topic_id *entry, const uint8_t *name, uint16_t len);

void
lp_topic_ids_carve(struct lp_topic_ids *ids, struct lp_arena *arena)
{
	lp_table_carve(&ids->index, arena, LP_TOPIC_IDS_MAX);
}

void
lp_topic_ids_init(
    struct lp_topic_ids *ids, struct lp_kafka_stats *stats, uint64_t seed)
{
	uint64_t known = 0;

	ids->stats = stats;
	ids->hand = 0;
	ids->seed = seed;
	lp_table_init(&ids->index);
	for (uint32_t i = 0; i < stats->topic_ids_used; i++) {
		const struct lp_topic_id *entry = &stats->topic_ids[i];

		if (entry->name_len == 0)
			continue;
		lp_table_add(&ids->index,
		    hash_of(ids, entry->cluster_id, entry->uuid), i);
		known++;
	}
	lp_count_set(&stats->counters.topic_ids, known);
	lp_count_set(&stats->counters.topic_ids_max, LP_TOPIC_IDS_MAX);
}

void
lp_topic_ids_learn(struct lp_topic_ids *ids, uint32_t cluster_id,
    const uint8_t uuid[LP_TOPIC_ID_SIZE], const uint8_t *name, uint16_t len)
{
	static const uint8_t none[LP_TOPIC_ID_SIZE];
	uint32_t hash, place;
	struct lp_topic_id *entry;

	if (len == 0 || len > LP_TOPIC_NAME_MAX ||
	    memcmp(uuid, none, sizeof(none)) == 0)
		return;
	hash = hash_of(ids, cluster_id, uuid);
	place = locate(ids, cluster_id, uuid, hash);
	if (place != LP_TABLE_NONE) {
		entry = &ids->stats->topic_ids[place];
		if (entry->name_len != len ||
		    memcmp(entry->name, name, len) != 0)
			write_name(entry, name, len);
		return;
	}
	place = take_place(ids);
	entry = &ids->stats->topic_ids[place];
	entry->cluster_id = cluster_id;
	memcpy(entry->uuid, uuid, LP_TOPIC_ID_SIZE);
	entry->used_lately = 0;
	write_name(entry, name, len);
	lp_table_add(&ids->index, hash, place);
	lp_count_add(&ids->stats->counters.topic_ids, 1);
}

bool
lp_topic_ids_find(struct lp_topic_ids *ids, uint32_t cluster_id,
    const uint8_t uuid[LP_TOPIC_ID_SIZE], const uint8_t **name, uint16_t *len)
{
	uint32_t place =
	    locate(ids, cluster_id, uuid, hash_of(ids, cluster_id, uuid));
	struct lp_topic_id *entry;

	if (place == LP_TABLE_NONE) {
		lp_count_add(&ids->stats->counters.topic_ids_unknown, 1);
		return false;
	}
	entry = &ids->stats->topic_ids[place];
	entry->used_lately = 1;
	*name = entry->name;
	*len = entry->name_len;
	return true;
}

bool
lp_topic_ids_peek(const struct lp_topic_ids *ids, uint32_t cluster_id,
    const uint8_t uuid[LP_TOPIC_ID_SIZE], const uint8_t **name, uint16_t *len)
{
	uint32_t place =
	    locate(ids, cluster_id, uuid, hash_of(ids, cluster_id, uuid));

	if (place == LP_TABLE_NONE)
		return false;
	*name = ids->stats->topic_ids[place].name;
	*len = ids->stats->topic_ids[place].name_len;
	return true;
}

static uint32_t
hash_of(
    const struct lp_topic_ids *ids, uint32_t cluster_id, const uint8_t *uuid)
{
	return (uint32_t)XXH3_64bits_withSeed(
	    uuid, LP_TOPIC_ID_SIZE, ids->seed + cluster_id);
}

static uint32_t
locate(const struct lp_topic_ids *ids, uint32_t cluster_id, const uint8_t *uuid,
    uint32_t hash)
{
	uint32_t at = hash;

	for (;; at++) {
		const struct lp_table_place *found;
		const struct lp_topic_id *entry;

		at = lp_table_probe(&ids->index, at, hash);
		found = &ids->index.places[at];
		if (found->value == LP_TABLE_NONE)
			return LP_TABLE_NONE;
		entry = &ids->stats->topic_ids[found->value];
		if (entry->cluster_id == cluster_id &&
		    memcmp(entry->uuid, uuid, LP_TOPIC_ID_SIZE) == 0)
			return found->value;
	}
}

/* One never used, or that of an id which is forgotten for it. */
static uint32_t
take_place(struct lp_topic_ids *ids)
{
	struct lp_kafka_stats *stats = ids->stats;
	struct lp_topic_id *entry;
	uint32_t place = stats->topic_ids_used;

	if (place < LP_TOPIC_IDS_MAX) {
		stats->topic_ids_used = place + 1;
		return place;
	}
	for (unsigned i = 0;; i++) {
		place = ids->hand;
		ids->hand = (place + 1) % LP_TOPIC_IDS_MAX;
		entry = &stats->topic_ids[place];
		if (!entry->used_lately || i == LOOKS)
			break;
		entry->used_lately = 0;
	}
	/* Not in the index: the process before us was killed in between. */
	if (entry->name_len == 0)
		return place;
	lp_table_remove(
	    &ids->index, hash_of(ids, entry->cluster_id, entry->uuid), place);
	entry->name_len = 0;
	atomic_signal_fence(memory_order_seq_cst);
	lp_count_set(&stats->counters.topic_ids,
	    lp_count_get(&stats->counters.topic_ids) - 1);
	lp_count_add(&stats->counters.topic_ids_replaced, 1);
	return place;
}

/* A process that is killed meanwhile leaves no name, or the whole one. */
static void
write_name(struct lp_topic_id *entry, const uint8_t *name, uint16_t len)
{
	entry->name_len = 0;
	atomic_signal_fence(memory_order_seq_cst);
	memcpy(entry->name, name, len);
	atomic_signal_fence(memory_order_seq_cst);
	entry->name_len = len;
}
