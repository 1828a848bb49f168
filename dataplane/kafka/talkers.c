/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of a place:
 *
 *	FREE ── own() ──▶ USED ── evict() ──▶ DRAINING ── drained ──▶ FREE
 *
 * A process that was killed leaves at most one place whose name is half
 * written (its counters are zero: it was free) and one that drains, and at
 * most one counter that is already in `evicted` and not yet zero.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/kafka/talkers.h"

enum {
	NAME_WORDS = (LP_TALKER_NAME_MAX + 1) / 8,
	/* Pieces of a drain: each histogram's octaves, then the rest. */
	DRAIN_OCTAVES = LP_TALKER_HISTOGRAMS * LP_HISTOGRAM_OCTAVES,
	MEASURE_MAX = 1 << 30,
};

static uint32_t hash_of(
    const struct lp_talkers *talkers, const struct lp_talker_name *name);
static uint32_t find(const struct lp_talkers *talkers,
    const struct lp_talker_name *name, uint32_t hash);
static bool is_named(
    const struct lp_talker *talker, const struct lp_talker_name *name);
static uint32_t newcomer(struct lp_talkers *talkers, uint32_t hash,
    uint64_t now_ms, uint32_t *count);
static uint32_t prove(
    struct lp_talkers *talkers, uint32_t hash, uint32_t period);
static uint32_t weakest(
    struct lp_talkers *talkers, uint32_t period, uint32_t *count);
static lp_talker_handle own(struct lp_talkers *talkers, uint32_t place,
    const struct lp_talker_name *name, uint32_t hash);
static void evict(struct lp_talkers *talkers, uint32_t place);
static void restore(struct lp_talkers *talkers, uint32_t place);
static void drain_octave(struct lp_kafka_histogram *evicted,
    struct lp_kafka_histogram *histogram, unsigned octave);
static void drain_rest(struct lp_talker *evicted, struct lp_talker *talker);
static void move(lp_counter *to, lp_counter *from);
static void measure(struct lp_talker_weight *weight, uint32_t period);
static uint32_t weight_at(
    const struct lp_talker_weight *weight, uint32_t period);
static lp_talker_handle handle_of(
    const struct lp_talkers *talkers, uint32_t place);

static inline uint32_t
state_of(const struct lp_talker *talker)
{
	return atomic_load_explicit(&talker->state, memory_order_relaxed);
}

/* Before and after anything becomes part of `evicted`. */
static inline void
moving(struct lp_talkers *talkers)
{
	lp_counter *moves = &talkers->list->moves;

	atomic_store_explicit(
	    moves, lp_count_get(moves) + 1, memory_order_release);
}

void
lp_talkers_carve(struct lp_talkers *talkers, struct lp_arena *arena)
{
	lp_table_carve(&talkers->index, arena, LP_TALKER_PLACES);
	talkers->weights =
	    lp_arena_take(arena, LP_TALKER_PLACES, sizeof(*talkers->weights));
	talkers->hashes =
	    lp_arena_take(arena, LP_TALKER_PLACES, sizeof(*talkers->hashes));
	talkers->free =
	    lp_arena_take(arena, LP_TALKER_PLACES, sizeof(*talkers->free));
	talkers->candidates = lp_arena_take(arena,
	    LP_TALKERS_SETS * LP_TALKERS_WAYS, sizeof(*talkers->candidates));
}

void
lp_talkers_init(struct lp_talkers *talkers, struct lp_talker_list *list,
    lp_counter *used, lp_counter *evicted, lp_counter *other, uint64_t seed)
{
	talkers->list = list;
	talkers->used = used;
	talkers->evicted = evicted;
	talkers->other = other;
	talkers->seed = seed;
	talkers->free_count = 0;
	talkers->draining = 0;
	talkers->drain_step = 0;
	talkers->hand = LP_TALKER_FIRST;
	talkers->next_ms = 0;
	lp_table_init(&talkers->index);
	lp_count_set(used, 0);
	/* Odd: a process was killed while it moved something. */
	lp_count_add(&list->moves, lp_count_get(&list->moves) % 2);
	if (lp_count_get(&list->places_used) == 0)
		lp_count_set(&list->places_used, LP_TALKER_FIRST);
	for (uint32_t i = LP_TALKER_FIRST; i < lp_count_get(&list->places_used);
	     i++)
		restore(talkers, i);
}

lp_talker_handle
lp_talkers_find(struct lp_talkers *talkers, const struct lp_talker_name *name,
    uint64_t now_ms)
{
	uint32_t hash = hash_of(talkers, name);
	uint32_t period = (uint32_t)(now_ms / LP_TALKERS_HALF_MS);
	uint32_t place = find(talkers, name, hash);
	uint32_t count = 0;
	lp_talker_handle handle;

	assert(name->len <= LP_TALKER_NAME_MAX);
	lp_talkers_turn(talkers);
	if (place != LP_TABLE_NONE) {
		handle = handle_of(talkers, place);
	} else {
		place = newcomer(talkers, hash, now_ms, &count);
		if (place == LP_TALKER_OTHER) {
			lp_count_add(talkers->other, 1);
			return LP_TALKER_OTHER;
		}
		handle = own(talkers, place, name, hash);
		talkers->weights[place] =
		    (struct lp_talker_weight){count, period};
	}
	measure(&talkers->weights[place], period);
	lp_count_set(&talkers->list->places[place].last_ms, now_ms);
	return handle;
}

static uint32_t
hash_of(const struct lp_talkers *talkers, const struct lp_talker_name *name)
{
	uint64_t seed = talkers->seed +
	    (2 * (uint64_t)name->cluster_id + name->null) *
		0x9e3779b97f4a7c15ull;

	/* XXH3 may be given no pointer for no bytes. */
	return (uint32_t)XXH3_64bits_withSeed(
	    name->len > 0 ? (const void *)name->bytes : "", name->len, seed);
}

static uint32_t
find(const struct lp_talkers *talkers, const struct lp_talker_name *name,
    uint32_t hash)
{
	uint32_t at = hash;

	for (;; at++) {
		const struct lp_table_place *found;

		at = lp_table_probe(&talkers->index, at, hash);
		found = &talkers->index.places[at];
		if (found->value == LP_TABLE_NONE ||
		    is_named(&talkers->list->places[found->value], name))
			return found->value;
	}
}

static bool
is_named(const struct lp_talker *talker, const struct lp_talker_name *name)
{
	if (atomic_load_explicit(&talker->name_len, memory_order_relaxed) !=
		name->len ||
	    atomic_load_explicit(&talker->cluster_id, memory_order_relaxed) !=
		name->cluster_id ||
	    atomic_load_explicit(&talker->null, memory_order_relaxed) !=
		name->null)
		return false;
	for (unsigned i = 0; i < name->len; i += 8) {
		uint64_t word = 0;
		unsigned len = name->len - i < 8 ? name->len - i : 8u;

		memcpy(&word, name->bytes + i, len);
		if (atomic_load_explicit(
			&talker->name[i / 8], memory_order_relaxed) != word)
			return false;
	}
	return true;
}

/* A free place for a name that has none, or LP_TALKER_OTHER. */
static uint32_t
newcomer(
    struct lp_talkers *talkers, uint32_t hash, uint64_t now_ms, uint32_t *count)
{
	struct lp_talker_list *list = talkers->list;
	uint64_t places = lp_count_get(&list->places_used);
	uint32_t period = (uint32_t)(now_ms / LP_TALKERS_HALF_MS);
	uint32_t least = 0, victim;

	if (lp_count_get(talkers->used) < LP_KAFKA_TALKERS_MAX) {
		if (places < LP_TALKER_PLACES) {
			lp_count_set(&list->places_used, places + 1);
			return (uint32_t)places;
		}
		if (talkers->free_count > 0)
			return talkers->free[--talkers->free_count];
	}
	*count = prove(talkers, hash, period);
	if (*count < LP_TALKERS_PROOF || now_ms < talkers->next_ms ||
	    talkers->draining != 0)
		return LP_TALKER_OTHER;
	victim = weakest(talkers, period, &least);
	if (victim == LP_TALKER_OTHER || *count / 2 < least)
		return LP_TALKER_OTHER;
	talkers->next_ms = now_ms + LP_TALKERS_PAUSE_MS;
	evict(talkers, victim);
	if (places < LP_TALKER_PLACES) {
		lp_count_set(&list->places_used, places + 1);
		return (uint32_t)places;
	}
	assert(talkers->free_count > 0);
	return talkers->free[--talkers->free_count];
}

/* Counts a candidate; a new one takes the place of the least of its set. */
static uint32_t
prove(struct lp_talkers *talkers, uint32_t hash, uint32_t period)
{
	struct lp_talker_candidate *set =
	    &talkers->candidates[hash % LP_TALKERS_SETS * LP_TALKERS_WAYS];
	struct lp_talker_candidate *least = set;

	for (unsigned i = 0; i < LP_TALKERS_WAYS; i++) {
		if (set[i].hash == hash && set[i].weight.count > 0) {
			measure(&set[i].weight, period);
			return set[i].weight.count;
		}
		if (weight_at(&set[i].weight, period) <
		    weight_at(&least->weight, period))
			least = &set[i];
	}
	least->hash = hash;
	least->weight = (struct lp_talker_weight){1, period};
	return 1;
}

/* Of the talkers that the hand goes past. */
static uint32_t
weakest(struct lp_talkers *talkers, uint32_t period, uint32_t *count)
{
	uint32_t found = LP_TALKER_OTHER;

	for (unsigned i = 0; i < LP_TALKERS_LOOKS; i++) {
		uint32_t place = talkers->hand, weight;

		talkers->hand =
		    place + 1 < LP_TALKER_PLACES ? place + 1 : LP_TALKER_FIRST;
		if (state_of(&talkers->list->places[place]) != LP_TALKER_USED)
			continue;
		weight = weight_at(&talkers->weights[place], period);
		if (found == LP_TALKER_OTHER || weight < *count) {
			found = place;
			*count = weight;
		}
	}
	return found;
}

static lp_talker_handle
own(struct lp_talkers *talkers, uint32_t place,
    const struct lp_talker_name *name, uint32_t hash)
{
	struct lp_talker *talker = &talkers->list->places[place];
	uint32_t serial =
	    atomic_load_explicit(&talker->serial, memory_order_relaxed);
	uint64_t words[NAME_WORDS] = {0};

	assert(state_of(talker) == LP_TALKER_FREE && serial % 2 == 0);
	if (name->len > 0)
		memcpy(words, name->bytes, name->len);
	atomic_store_explicit(
	    &talker->serial, serial + 1, memory_order_release);
	for (unsigned i = 0; i < NAME_WORDS; i++)
		atomic_store_explicit(
		    &talker->name[i], words[i], memory_order_release);
	atomic_store_explicit(
	    &talker->name_len, name->len, memory_order_release);
	atomic_store_explicit(&talker->null, name->null, memory_order_release);
	atomic_store_explicit(
	    &talker->cluster_id, name->cluster_id, memory_order_release);
	atomic_store_explicit(
	    &talker->state, LP_TALKER_USED, memory_order_release);
	atomic_store_explicit(
	    &talker->serial, serial + 2, memory_order_release);
	talkers->hashes[place] = hash;
	lp_table_add(&talkers->index, hash, place);
	lp_count_add(talkers->used, 1);
	return handle_of(talkers, place);
}

static void
evict(struct lp_talkers *talkers, uint32_t place)
{
	struct lp_talker *other = &talkers->list->places[LP_TALKER_OTHER];
	struct lp_talker *talker = &talkers->list->places[place];
	uint32_t serial =
	    atomic_load_explicit(&talker->serial, memory_order_relaxed);

	assert(talkers->draining == 0);
	lp_table_remove(&talkers->index, talkers->hashes[place], place);
	moving(talkers);
	atomic_store_explicit(
	    &talker->state, LP_TALKER_DRAINING, memory_order_release);
	atomic_store_explicit(
	    &talker->serial, serial + 2, memory_order_release);
	move(&other->counts[LP_TALKER_GAUGE], &talker->counts[LP_TALKER_GAUGE]);
	moving(talkers);
	talkers->draining = place;
	talkers->drain_step = 0;
	lp_count_set(talkers->used, lp_count_get(talkers->used) - 1);
	lp_count_add(talkers->evicted, 1);
}

/* A place as a process before us left it. */
static void
restore(struct lp_talkers *talkers, uint32_t place)
{
	struct lp_talker *talker = &talkers->list->places[place];
	uint32_t serial =
	    atomic_load_explicit(&talker->serial, memory_order_relaxed);
	struct lp_talker_name name = {0};
	uint64_t words[NAME_WORDS];

	if (serial % 2 != 0) {
		atomic_store_explicit(
		    &talker->state, LP_TALKER_FREE, memory_order_release);
		atomic_store_explicit(
		    &talker->serial, serial + 1, memory_order_release);
	}
	if (state_of(talker) == LP_TALKER_FREE) {
		talkers->free[talkers->free_count++] = place;
		return;
	}
	if (state_of(talker) == LP_TALKER_DRAINING) {
		talkers->draining = place;
		return;
	}
	for (unsigned i = 0; i < NAME_WORDS; i++)
		words[i] = atomic_load_explicit(
		    &talker->name[i], memory_order_relaxed);
	name.bytes = (const uint8_t *)words;
	name.len = talker->name_len;
	name.null = talker->null;
	name.cluster_id = talker->cluster_id;
	talkers->hashes[place] = hash_of(talkers, &name);
	lp_table_add(&talkers->index, talkers->hashes[place], place);
	lp_count_add(talkers->used, 1);
}

bool
lp_talkers_turn(struct lp_talkers *talkers)
{
	struct lp_talker *evicted = &talkers->list->places[LP_TALKER_EVICTED];
	struct lp_talker *talker = &talkers->list->places[talkers->draining];

	if (talkers->draining == 0)
		return false;
	/* Octaves where nothing fell cost nothing. */
	while (talkers->drain_step < DRAIN_OCTAVES) {
		unsigned i = talkers->drain_step / LP_HISTOGRAM_OCTAVES;
		unsigned octave = talkers->drain_step % LP_HISTOGRAM_OCTAVES;

		talkers->drain_step++;
		if (!(lp_count_get(&talker->histograms[i].octaves) >> octave &
			1))
			continue;
		moving(talkers);
		drain_octave(
		    &evicted->histograms[i], &talker->histograms[i], octave);
		moving(talkers);
		return true;
	}
	moving(talkers);
	drain_rest(evicted, talker);
	atomic_store_explicit(
	    &talker->state, LP_TALKER_FREE, memory_order_release);
	moving(talkers);
	talkers->free[talkers->free_count++] = talkers->draining;
	talkers->draining = 0;
	return true;
}

static void
drain_octave(struct lp_kafka_histogram *evicted,
    struct lp_kafka_histogram *histogram, unsigned octave)
{
	for (unsigned i = 0; i < LP_HISTOGRAM_SUB; i++)
		move(&evicted->counts[octave * LP_HISTOGRAM_SUB + i],
		    &histogram->counts[octave * LP_HISTOGRAM_SUB + i]);
	lp_count_set(&evicted->octaves,
	    lp_count_get(&evicted->octaves) | 1ull << octave);
	lp_count_set(&histogram->octaves,
	    lp_count_get(&histogram->octaves) & ~(1ull << octave));
}

static void
drain_rest(struct lp_talker *evicted, struct lp_talker *talker)
{
	for (unsigned i = 0; i < LP_TALKER_COUNTS; i++)
		move(&evicted->counts[i], &talker->counts[i]);
	for (unsigned i = 0; i < LP_TALKER_HISTOGRAMS; i++) {
		struct lp_kafka_histogram *to = &evicted->histograms[i];
		struct lp_kafka_histogram *from = &talker->histograms[i];

		move(&to->sum_ns, &from->sum_ns);
		if (lp_count_get(&to->max_ns) < lp_count_get(&from->max_ns))
			lp_count_set(&to->max_ns, lp_count_get(&from->max_ns));
		lp_count_set(&from->max_ns, 0);
	}
}

static void
move(lp_counter *to, lp_counter *from)
{
	uint64_t value = lp_count_get(from);

	if (value == 0)
		return;
	/* Behind moving(), for whoever reads them. */
	atomic_store_explicit(
	    to, lp_count_get(to) + value, memory_order_release);
	atomic_store_explicit(from, 0, memory_order_release);
}

static void
measure(struct lp_talker_weight *weight, uint32_t period)
{
	weight->count = weight_at(weight, period);
	weight->period = period;
	if (weight->count < MEASURE_MAX)
		weight->count++;
}

static uint32_t
weight_at(const struct lp_talker_weight *weight, uint32_t period)
{
	uint32_t halvings = period - weight->period;

	return halvings < 32 ? weight->count >> halvings : 0;
}

static lp_talker_handle
handle_of(const struct lp_talkers *talkers, uint32_t place)
{
	return atomic_load_explicit(
		   &talkers->list->places[place].serial, memory_order_relaxed)
	    << LP_TALKER_INDEX_BITS |
	    place;
}
