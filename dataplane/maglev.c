/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/maglev.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "dataplane/pipeline/snapshot.h"

enum {
	SEED_OFFSET = 1,
	SEED_SKIP = 2,
};

/*
 * The size is a prime, so that every skip walks all places; and it is more
 * than the targets, so that each of them gets one.
 */
static_assert(
    (int)LP_MAGLEV_SIZE > (int)LP_ENDPOINTS_MAX, "a place for every target");

/* Where a target looks next: its permutation of the places, lazily. */
struct walk {
	uint32_t at;
	uint32_t skip;
};

static int compare(const void *a, const void *b);
static void start_walk(
    struct walk *walk, const struct lp_maglev_target *target);
static void claim(uint16_t *table, struct walk *walk, uint16_t value);

int
lp_maglev_fill(uint16_t table[LP_MAGLEV_SIZE], struct lp_maglev_target *targets,
    size_t count)
{
	struct walk *walks = calloc(count, sizeof(*walks));

	if (!walks)
		return -ENOMEM;
	assert(count > 0 && count <= LP_ENDPOINTS_MAX);
	/* Who chooses first is part of the result: by node id. */
	qsort(targets, count, sizeof(*targets), compare);
	for (size_t i = 0; i < count; i++)
		start_walk(&walks[i], &targets[i]);
	for (uint32_t i = 0; i < LP_MAGLEV_SIZE; i++)
		table[i] = LP_INDEX_NONE;
	for (uint32_t taken = 0; taken < LP_MAGLEV_SIZE; taken++) {
		size_t turn = taken % count;

		claim(table, &walks[turn], targets[turn].value);
	}
	free(walks);
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct lp_maglev_target *left = a;
	const struct lp_maglev_target *right = b;

	return (left->node_id > right->node_id) -
	    (left->node_id < right->node_id);
}

static void
start_walk(struct walk *walk, const struct lp_maglev_target *target)
{
	/* Byte by byte in network order: every host must agree. */
	uint32_t node = (uint32_t)target->node_id;
	uint8_t key[16 + 2 + 4] = {0};

	memcpy(key, target->real.ip.bytes, 16);
	key[16] = (uint8_t)(target->real.port >> 8);
	key[17] = (uint8_t)target->real.port;
	for (int i = 0; i < 4; i++)
		key[18 + i] = (uint8_t)(node >> (24 - 8 * i));
	walk->at =
	    (uint32_t)(XXH3_64bits_withSeed(key, sizeof(key), SEED_OFFSET) %
		LP_MAGLEV_SIZE);
	walk->skip =
	    (uint32_t)(XXH3_64bits_withSeed(key, sizeof(key), SEED_SKIP) %
		(LP_MAGLEV_SIZE - 1)) +
	    1;
}

/* Takes the next place of the walk that is free; one is. */
static void
claim(uint16_t *table, struct walk *walk, uint16_t value)
{
	uint32_t place;

	do {
		place = walk->at;
		walk->at = (walk->at + walk->skip) % LP_MAGLEV_SIZE;
	} while (table[place] != LP_INDEX_NONE);
	table[place] = value;
}
