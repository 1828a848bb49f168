/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table of fixed size: from a hash to the values that have it.
 *
 * Open addressing with linear probing; at most half of the places are taken.
 * A place has the whole hash beside the value: a search reads one cache line,
 * rarely two, and its owner compares only what has the same hash.  Deletion
 * closes the gap (Knuth, 6.4, algorithm R), so that probes stay short for
 * ever.
 */
#ifndef LP_PIPELINE_TABLE_H
#define LP_PIPELINE_TABLE_H

#include <assert.h>
#include <string.h>

#include "dataplane/pipeline/arena.h"

enum { LP_TABLE_NONE = UINT32_MAX };

struct lp_table_place {
	uint32_t hash;
	uint32_t value; /* LP_TABLE_NONE: free */
};

struct lp_table {
	struct lp_table_place *places;
	uint32_t mask;
};

static inline void
lp_table_carve(
    struct lp_table *table, struct lp_arena *arena, uint32_t value_count)
{
	uint32_t places = 1;

	while (places < 2 * value_count)
		places *= 2;
	table->mask = places - 1;
	table->places = lp_arena_take(arena, places, sizeof(*table->places));
}

static inline void
lp_table_init(struct lp_table *table)
{
	memset(
	    table->places, 0xff, (table->mask + 1ul) * sizeof(*table->places));
}

/* The first place, from that one on, that has the hash or is free. */
static inline uint32_t
lp_table_probe(const struct lp_table *table, uint32_t at, uint32_t hash)
{
	for (;; at++) {
		const struct lp_table_place *place =
		    &table->places[at & table->mask];

		if (place->hash == hash || place->value == LP_TABLE_NONE)
			return at & table->mask;
	}
}

static inline void
lp_table_add(struct lp_table *table, uint32_t hash, uint32_t value)
{
	uint32_t at = hash & table->mask;

	while (table->places[at].value != LP_TABLE_NONE)
		at = (at + 1) & table->mask;
	table->places[at] = (struct lp_table_place){hash, value};
}

/* Empties its place and moves up those that probed past it. */
static inline void
lp_table_remove(struct lp_table *table, uint32_t hash, uint32_t value)
{
	struct lp_table_place *places = table->places;
	uint32_t hole = hash & table->mask;

	while (places[hole].value != value) {
		assert(places[hole].value != LP_TABLE_NONE);
		hole = (hole + 1) & table->mask;
	}
	for (uint32_t at = hole;;) {
		at = (at + 1) & table->mask;
		if (places[at].value == LP_TABLE_NONE)
			break;
		/* Stays if its home lies cyclically in (hole, at]. */
		if (((at - places[at].hash) & table->mask) <
		    ((at - hole) & table->mask))
			continue;
		places[hole] = places[at];
		hole = at;
	}
	places[hole].value = LP_TABLE_NONE;
}

#endif
