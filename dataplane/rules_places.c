/* SPDX-License-Identifier: Apache-2.0 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/rules_places.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "dataplane/pipeline/rules_hash.h"

enum {
	KEYS_OF_A_WORD = 4, /* on average */
	NUMBERS = UINT16_MAX + 1,
};

/* Of the words: where their keys are in `keys`. */
struct work {
	const struct lp_rules_places *places;
	uint32_t *first; /* and one more */
	uint32_t *keys; /* by word */
	uint32_t *order; /* words, those with most keys first */
	bool *taken;
};

static void group(struct work *work);
static void sort(struct work *work);
static bool settle(struct work *work, uint32_t word);
static bool try(
    struct work *work, uint32_t begin, uint32_t end, uint64_t number);

uint32_t
lp_rules_places_words(uint32_t keys)
{
	return keys / KEYS_OF_A_WORD + 1;
}

/* Fewer take longer to find; a sixth is left. */
uint32_t
lp_rules_places_count(uint32_t keys)
{
	return keys + keys / 5 + 1;
}

int
lp_rules_places_find(const struct lp_rules_places *places)
{
	uint32_t words = places->word_count;
	struct work work = {.places = places,
	    .first = calloc(words + 2, sizeof(*work.first)),
	    .keys = calloc(places->key_count + 1, sizeof(*work.keys)),
	    .order = calloc(words, sizeof(*work.order)),
	    .taken = calloc(places->place_count, sizeof(*work.taken))};
	int error = -ENOMEM;

	if (work.first == NULL || work.keys == NULL || work.order == NULL ||
	    work.taken == NULL)
		goto out;
	group(&work);
	sort(&work);
	error = -EAGAIN;
	for (uint32_t i = 0; i < words; i++)
		if (!settle(&work, work.order[i]))
			goto out;
	error = 0;
out:
	free(work.first);
	free(work.keys);
	free(work.order);
	free(work.taken);
	return error;
}

/* Keys by their words; and their bits. */
static void
group(struct work *work)
{
	const struct lp_rules_places *places = work->places;
	uint32_t *next = work->first + 1;

	for (uint32_t i = 0; i < places->key_count; i++) {
		uint64_t hash = places->hashes[i];
		uint32_t word = lp_rules_hash_word(hash, places->word_count);

		places->words[word] |= lp_rules_hash_bits(hash);
		next[word + 1]++;
	}
	for (uint32_t word = 0; word < places->word_count; word++)
		next[word + 1] += next[word];
	/* Then each is where the one behind it begins. */
	for (uint32_t i = 0; i < places->key_count; i++)
		work->keys[next[lp_rules_hash_word(
		    places->hashes[i], places->word_count)]++] = i;
}

/* What has to fit in best goes in first. */
static void
sort(struct work *work)
{
	uint32_t words = work->places->word_count, at = 0, most = 0, less;

	for (uint32_t word = 0; word < words; word++) {
		uint32_t count = work->first[word + 1] - work->first[word];

		if (count > most)
			most = count;
	}
	for (; at < words; most = less) {
		less = 0;
		for (uint32_t word = 0; word < words; word++) {
			uint32_t count =
			    work->first[word + 1] - work->first[word];

			if (count == most)
				work->order[at++] = word;
			else if (count < most && count > less)
				less = count;
		}
	}
}

static bool
settle(struct work *work, uint32_t word)
{
	uint32_t begin = work->first[word], end = work->first[word + 1];

	for (uint64_t number = 0; number < NUMBERS; number++) {
		if (!try(work, begin, end, number))
			continue;
		work->places->words[word] |= number;
		return true;
	}
	return false;
}

/* Takes the places of those keys, or none. */
static bool
try(struct work *work, uint32_t begin, uint32_t end, uint64_t number)
{
	const struct lp_rules_places *places = work->places;
	uint32_t at;

	for (at = begin; at < end; at++) {
		uint32_t key = work->keys[at];
		uint32_t place = lp_rules_hash_place(
		    places->hashes[key], number, places->place_count);

		if (work->taken[place])
			break;
		work->taken[place] = true;
		places->place[key] = place;
	}
	if (at == end)
		return true;
	while (at-- > begin)
		work->taken[places->place[work->keys[at]]] = false;
	return false;
}
