/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place for each key of a tuple, and the words that say which (rules_hash.h):
 * keys that share a word are moved together, by trying one number after the
 * other, until all of them are where no other key is; the words with the most
 * keys first.  Internal to dataplane/rules.c.
 */
#ifndef LP_DATAPLANE_RULES_PLACES_H
#define LP_DATAPLANE_RULES_PLACES_H

#include <stdint.h>

struct lp_rules_places {
	const uint64_t *hashes; /* of the keys */
	uint32_t key_count;
	uint64_t *words; /* zeroed */
	uint32_t word_count;
	uint32_t place_count;
	uint32_t *place; /* out, of each key */
};

/* How many words, and places, there have to be for so many keys. */
uint32_t lp_rules_places_words(uint32_t keys);
uint32_t lp_rules_places_count(uint32_t keys);

/* 0, -ENOMEM, -EAGAIN: no number gives places, two hashes are equal. */
int lp_rules_places_find(const struct lp_rules_places *places);

#endif
