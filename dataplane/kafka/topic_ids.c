/* SPDX-License-Identifier: Apache-2.0 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/kafka/topic_ids.h"

enum { LOOKS = 8 };

static uint32_t hash_of(
    const struct lp_topic_ids *ids, uint32_t cluster_id, const uint8_t *uuid);
static uint32_t locate(const struct lp_topic_ids *ids, uint32_t cluster_id,
    const uint8_t *uuid, uint32_t hash);
static bool is_topic(const uint8_t *uuid, uint16_t len);
static bool is_whole(const struct lp_topic_id *entry);
static void add(
    struct lp_topic_ids *ids, const struct lp_topic_id_value *value);
static uint32_t take_place(struct lp_topic_ids *ids);
static void write_value(struct lp_topic_ids *ids, struct lp_topic_id *entry,
    const struct lp_topic_id_value *value);
static struct lp_topic_id_value value_of(uint32_t cluster_id,
    const uint8_t *uuid, const uint8_t *name, uint16_t len, bool told);

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
	for (uint32_t i = 0; i < lp_count_get(&stats->topic_ids_used); i++) {
		const struct lp_topic_id *entry = &stats->topic_ids[i];
		uint64_t serial = lp_count_get(&entry->serial);

		/* The process before us was killed while it wrote this. */
		if (!is_whole(entry))
			continue;
		/* Or when it had. */
		if (serial > lp_count_get(&stats->topic_ids_serial))
			lp_count_set(&stats->topic_ids_serial, serial);
		lp_table_add(&ids->index,
		    hash_of(ids, entry->value.cluster_id, entry->value.uuid),
		    i);
		known++;
	}
	lp_count_set(&stats->counters.topic_ids, known);
	lp_count_set(&stats->counters.topic_ids_max, LP_TOPIC_IDS_MAX);
}

void
lp_topic_ids_learn(struct lp_topic_ids *ids, uint32_t cluster_id,
    const uint8_t uuid[LP_TOPIC_ID_SIZE], const uint8_t *name, uint16_t len)
{
	struct lp_topic_id_value value;
	struct lp_topic_id *entry;
	uint32_t place;

	if (!is_topic(uuid, len))
		return;
	place = locate(ids, cluster_id, uuid, hash_of(ids, cluster_id, uuid));
	if (place == LP_TABLE_NONE) {
		value = value_of(cluster_id, uuid, name, len, false);
		add(ids, &value);
		lp_count_add(&ids->stats->counters.topic_ids_learnt, 1);
		return;
	}
	entry = &ids->stats->topic_ids[place];
	if (entry->value.name_len == len &&
	    memcmp(entry->value.name, name, len) == 0)
		return;
	value = value_of(cluster_id, uuid, name, len, false);
	write_value(ids, entry, &value);
}

void
lp_topic_ids_tell(struct lp_topic_ids *ids, uint32_t cluster_id,
    const uint8_t uuid[LP_TOPIC_ID_SIZE], const uint8_t *name, uint16_t len)
{
	struct lp_topic_id_value value;

	if (!is_topic(uuid, len) ||
	    locate(ids, cluster_id, uuid, hash_of(ids, cluster_id, uuid)) !=
		LP_TABLE_NONE)
		return;
	value = value_of(cluster_id, uuid, name, len, true);
	add(ids, &value);
	lp_count_add(&ids->stats->counters.topic_ids_told, 1);
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
	*name = entry->value.name;
	*len = entry->value.name_len;
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
	*name = ids->stats->topic_ids[place].value.name;
	*len = ids->stats->topic_ids[place].value.name_len;
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
		const struct lp_topic_id_value *value;

		at = lp_table_probe(&ids->index, at, hash);
		found = &ids->index.places[at];
		if (found->value == LP_TABLE_NONE)
			return LP_TABLE_NONE;
		value = &ids->stats->topic_ids[found->value].value;
		if (value->cluster_id == cluster_id &&
		    memcmp(value->uuid, uuid, LP_TOPIC_ID_SIZE) == 0)
			return found->value;
	}
}

static bool
is_topic(const uint8_t *uuid, uint16_t len)
{
	static const uint8_t none[LP_TOPIC_ID_SIZE];

	return len > 0 && len <= LP_TOPIC_NAME_MAX &&
	    memcmp(uuid, none, sizeof(none)) != 0;
}

static bool
is_whole(const struct lp_topic_id *entry)
{
	uint64_t serial = lp_count_get(&entry->serial);

	return serial != 0 && serial % 2 == 0;
}

static void
add(struct lp_topic_ids *ids, const struct lp_topic_id_value *value)
{
	uint32_t place = take_place(ids);
	struct lp_topic_id *entry = &ids->stats->topic_ids[place];

	entry->used_lately = 0;
	write_value(ids, entry, value);
	lp_table_add(
	    &ids->index, hash_of(ids, value->cluster_id, value->uuid), place);
	lp_count_add(&ids->stats->counters.topic_ids, 1);
}

/* One never used, or that of an id which is forgotten for it. */
static uint32_t
take_place(struct lp_topic_ids *ids)
{
	struct lp_kafka_stats *stats = ids->stats;
	uint32_t place = (uint32_t)lp_count_get(&stats->topic_ids_used);
	struct lp_topic_id *entry;

	if (place < LP_TOPIC_IDS_MAX) {
		atomic_store_explicit(
		    &stats->topic_ids_used, place + 1, memory_order_release);
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
	if (!is_whole(entry))
		return place;
	lp_table_remove(&ids->index,
	    hash_of(ids, entry->value.cluster_id, entry->value.uuid), place);
	lp_count_set(&stats->counters.topic_ids,
	    lp_count_get(&stats->counters.topic_ids) - 1);
	lp_count_add(&stats->counters.topic_ids_replaced, 1);
	return place;
}

/*
 * A process that is killed meanwhile leaves no name, or the whole one.  The
 * youngest serial is told last: who has read it finds all that is older.
 */
static void
write_value(struct lp_topic_ids *ids, struct lp_topic_id *entry,
    const struct lp_topic_id_value *value)
{
	lp_counter *youngest = &ids->stats->topic_ids_serial;
	uint64_t serial = lp_count_get(youngest) + 2;
	uint64_t words[LP_TOPIC_ID_WORDS];

	memcpy(words, value, sizeof(words));
	atomic_store_explicit(&entry->serial, serial - 1, memory_order_release);
	for (unsigned i = 0; i < LP_TOPIC_ID_WORDS; i++)
		atomic_store_explicit(
		    &entry->words[i], words[i], memory_order_release);
	atomic_store_explicit(&entry->serial, serial, memory_order_release);
	atomic_store_explicit(youngest, serial, memory_order_release);
}

static struct lp_topic_id_value
value_of(uint32_t cluster_id, const uint8_t *uuid, const uint8_t *name,
    uint16_t len, bool told)
{
	struct lp_topic_id_value value = {
	    .cluster_id = cluster_id, .name_len = len, .told = told};

	memcpy(value.uuid, uuid, LP_TOPIC_ID_SIZE);
	memcpy(value.name, name, len);
	return value;
}
