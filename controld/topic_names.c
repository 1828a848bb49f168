/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places are taken in order, and again when they were given up; a chain for
 * each hash leads to them.  `known` has a bit for each dataplane, and all
 * places below its `next` have it set: so who looks for what is not known
 * begins there.
 */
#include "controld/topic_names.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { NONE = UINT32_MAX, FIRST_SIZE = 256 };

struct entry {
	struct lp_topic_id_pair pair; /* cluster_id 0: free */
	uint16_t known;
	uint32_t after; /* in its chain, or the next free one */
};
static_assert(LP_PUSH_DATAPLANES_MAX <= 16, "bits of known");

struct lp_topic_names {
	struct entry *entries;
	uint32_t used, size, max;
	uint32_t free; /* first of a chain */
	uint32_t oldest; /* the next to go when all are taken */
	uint32_t *chains;
	uint32_t mask;
	uint32_t next[LP_PUSH_DATAPLANES_MAX];
	struct lp_topic_names_counts counts[LP_CLUSTERS_MAX];
	unsigned cluster_count;
};

static uint32_t *chain_of(
    struct lp_topic_names *names, const struct lp_topic_id_pair *pair);
static uint32_t find(
    struct lp_topic_names *names, const struct lp_topic_id_pair *pair);
static uint32_t take_place(struct lp_topic_names *names);
static void forget(struct lp_topic_names *names, uint32_t place);
static void mark(struct lp_topic_names *names, uint32_t place, unsigned peer);
static struct lp_topic_names_counts *counts_of(
    const struct lp_topic_names *names, uint32_t cluster_id);

int
lp_topic_names_new(struct lp_topic_names **out, uint32_t max)
{
	struct lp_topic_names *names = calloc(1, sizeof(*names));
	uint32_t chains = 1;

	if (names == NULL)
		return -ENOMEM;
	while (chains < max)
		chains *= 2;
	names->max = max;
	names->mask = chains - 1;
	names->free = NONE;
	names->chains = malloc(chains * sizeof(*names->chains));
	if (names->chains == NULL) {
		lp_topic_names_free(names);
		return -ENOMEM;
	}
	memset(names->chains, 0xff, chains * sizeof(*names->chains));
	*out = names;
	return 0;
}

void
lp_topic_names_free(struct lp_topic_names *names)
{
	if (names == NULL)
		return;
	free(names->entries);
	free(names->chains);
	free(names);
}

void
lp_topic_names_configure(
    struct lp_topic_names *names, const struct lp_config *config)
{
	struct lp_topic_names_counts counts[LP_CLUSTERS_MAX] = {0};
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_CLUSTER, &first);

	assert(count <= LP_CLUSTERS_MAX);
	for (size_t i = 0; i < count; i++) {
		uint32_t id = config->objects[first + i].id;
		const struct lp_topic_names_counts *had = counts_of(names, id);

		if (had != NULL)
			counts[i] = *had;
		counts[i].cluster_id = id;
	}
	for (uint32_t i = 0; i < names->used; i++) {
		uint32_t id = names->entries[i].pair.cluster_id;

		if (id == 0 ||
		    lp_config_find(config, LP_OBJECT_CLUSTER, id) != NULL)
			continue;
		forget(names, i);
		names->entries[i].after = names->free;
		names->free = i;
	}
	memcpy(names->counts, counts, sizeof(counts));
	names->cluster_count = (unsigned)count;
}

bool
lp_topic_names_add(struct lp_topic_names *names,
    const struct lp_topic_id_pair *pair, enum lp_topic_source source,
    unsigned peer)
{
	struct lp_topic_names_counts *counts =
	    counts_of(names, pair->cluster_id);
	uint32_t place, *chain;
	struct entry *entry;

	if (counts == NULL)
		return false;
	place = find(names, pair);
	if (place != NONE) {
		entry = &names->entries[place];
		if (entry->pair.len != pair->len ||
		    memcmp(entry->pair.name, pair->name, pair->len) != 0)
			counts->renamed++;
		mark(names, place, peer);
		return false;
	}
	place = take_place(names);
	if (place == NONE) {
		counts->refused++;
		if (source == LP_TOPIC_SEEDED || names->used == 0)
			return false;
		place = names->oldest;
		names->oldest = (place + 1) % names->used;
		forget(names, place);
	}
	chain = chain_of(names, pair);
	entry = &names->entries[place];
	*entry = (struct entry){.pair = *pair, .after = *chain};
	*chain = place;
	for (unsigned i = 0; i < LP_PUSH_DATAPLANES_MAX; i++)
		if (names->next[i] > place)
			names->next[i] = place;
	mark(names, place, peer);
	counts->known++;
	counts->seeded += source == LP_TOPIC_SEEDED;
	counts->learnt += source == LP_TOPIC_LEARNT;
	return true;
}

void
lp_topic_names_forget_peer(struct lp_topic_names *names, unsigned peer)
{
	for (uint32_t i = 0; i < names->used; i++)
		names->entries[i].known &= (uint16_t) ~(1u << peer);
	names->next[peer] = 0;
}

unsigned
lp_topic_names_next(struct lp_topic_names *names, unsigned peer,
    struct lp_topic_id_pair *pairs, unsigned max)
{
	unsigned count = 0;
	uint32_t at = names->next[peer];

	for (; at < names->used && count < max; at++) {
		struct entry *entry = &names->entries[at];

		if (entry->pair.cluster_id == 0 || entry->known >> peer & 1)
			continue;
		mark(names, at, peer);
		counts_of(names, entry->pair.cluster_id)->shared++;
		pairs[count++] = entry->pair;
	}
	names->next[peer] = at;
	return count;
}

const struct lp_topic_names_counts *
lp_topic_names_counts(const struct lp_topic_names *names, uint32_t cluster_id)
{
	return counts_of(names, cluster_id);
}

static uint32_t *
chain_of(struct lp_topic_names *names, const struct lp_topic_id_pair *pair)
{
	uint64_t hash = XXH3_64bits_withSeed(
	    pair->uuid, LP_TOPIC_ID_SIZE, pair->cluster_id);

	return &names->chains[hash & names->mask];
}

static uint32_t
find(struct lp_topic_names *names, const struct lp_topic_id_pair *pair)
{
	uint32_t at = *chain_of(names, pair);

	while (at != NONE) {
		const struct entry *entry = &names->entries[at];

		if (entry->pair.cluster_id == pair->cluster_id &&
		    memcmp(entry->pair.uuid, pair->uuid, LP_TOPIC_ID_SIZE) == 0)
			break;
		at = entry->after;
	}
	return at;
}

/* NONE: all are taken, or there is no memory for more. */
static uint32_t
take_place(struct lp_topic_names *names)
{
	uint32_t place = names->free;

	if (place != NONE) {
		names->free = names->entries[place].after;
		return place;
	}
	if (names->used == names->size && names->size < names->max) {
		uint32_t size = names->size == 0 ? FIRST_SIZE : names->size * 2;
		struct entry *entries;

		if (size > names->max)
			size = names->max;
		entries =
		    reallocarray(names->entries, size, sizeof(*names->entries));
		if (entries != NULL) {
			names->entries = entries;
			names->size = size;
		}
	}
	return names->used < names->size ? names->used++ : NONE;
}

static void
forget(struct lp_topic_names *names, uint32_t place)
{
	struct entry *entry = &names->entries[place];
	uint32_t *link = chain_of(names, &entry->pair);

	counts_of(names, entry->pair.cluster_id)->known--;
	while (*link != place)
		link = &names->entries[*link].after;
	*link = entry->after;
	entry->pair.cluster_id = 0;
}

static void
mark(struct lp_topic_names *names, uint32_t place, unsigned peer)
{
	if (peer != LP_TOPIC_NAMES_NO_PEER)
		names->entries[place].known |= (uint16_t)(1u << peer);
}

static struct lp_topic_names_counts *
counts_of(const struct lp_topic_names *names, uint32_t cluster_id)
{
	for (unsigned i = 0; i < names->cluster_count; i++)
		if (names->counts[i].cluster_id == cluster_id)
			return (
			    struct lp_topic_names_counts *)&names->counts[i];
	return NULL;
}
