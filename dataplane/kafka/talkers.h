/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Those who talk most, of topics or of client ids: each has counters of its
 * own; all the rest share `other`, and what is left of those who had a place
 * is in `evicted`.
 *
 * A name gets a place at once while there are free ones.  Later it must prove
 * itself: names without a place are counted in a small table of candidates,
 * and one that was looked up LP_TALKERS_PROOF times, and twice as often as the
 * least of a few talkers that a hand goes past, takes over.  All these measures
 * are halved every LP_TALKERS_HALF_MS, so that who falls silent loses its
 * place to the next one.  A flood of names that come once proves nothing.
 *
 * The place of who is evicted is drained: its counters and histograms are
 * added to `evicted` in pieces of at most 64 counters, one with each look-up
 * and turn, and only then is it given away.  One place drains at a time, which
 * bounds how often talkers change.  Whoever holds a handle to an evicted
 * talker counts in `other`; so what is in flight moves there, at once.  Nothing
 * is counted twice, and nothing lost.
 */
#ifndef LP_KAFKA_TALKERS_H
#define LP_KAFKA_TALKERS_H

#include "dataplane/kafka/kafka_stats.h"
#include "dataplane/pipeline/table.h"

enum {
	LP_TALKERS_PROOF = 8,
	LP_TALKERS_HALF_MS = 8192,
	LP_TALKERS_PAUSE_MS = 10, /* between two evictions, at least */
	LP_TALKERS_LOOKS = 8, /* at places, by the hand */
	LP_TALKERS_WAYS = 4, /* candidates in a set */
	LP_TALKERS_SETS = 1024,
};

/* A place, and whose it was: 12 bits of index, 20 of its serial. */
typedef uint32_t lp_talker_handle;
enum { LP_TALKER_INDEX_BITS = 12 };
static_assert(LP_TALKER_PLACES <= 1 << LP_TALKER_INDEX_BITS, "a handle");

/* How often looked up, halved with every period that has passed. */
struct lp_talker_weight {
	uint32_t count;
	uint32_t period;
};

struct lp_talker_candidate {
	uint32_t hash;
	struct lp_talker_weight weight;
};

/* The worker's half; it holds what can be made anew. */
struct lp_talkers {
	struct lp_talker_list *list;
	lp_counter *used, *evicted, *other; /* in lp_kafka_stats */
	struct lp_table index;
	struct lp_talker_weight *weights; /* by place */
	uint32_t *hashes; /* by place */
	uint32_t *free; /* stack of places that were drained */
	struct lp_talker_candidate *candidates;
	uint32_t free_count;
	uint32_t draining; /* place; 0: none */
	uint32_t drain_step;
	uint32_t hand;
	uint64_t next_ms; /* no eviction before */
	uint64_t seed;
};

struct lp_talker_name {
	const uint8_t *bytes;
	uint16_t len; /* cut at LP_TALKER_NAME_MAX by its bearer */
	bool null;
	uint32_t cluster_id; /* of clients 0 */
};

void lp_talkers_carve(struct lp_talkers *talkers, struct lp_arena *arena);

/* Takes up what the list holds; gauges are the caller's. */
void lp_talkers_init(struct lp_talkers *talkers, struct lp_talker_list *list,
    lp_counter *used, lp_counter *evicted, lp_counter *other, uint64_t seed);

/* The talker of that name, or LP_TALKER_OTHER. */
lp_talker_handle lp_talkers_find(struct lp_talkers *talkers,
    const struct lp_talker_name *name, uint64_t now_ms);

/* A piece of what there is to drain.  False: there was nothing. */
bool lp_talkers_turn(struct lp_talkers *talkers);

/* Where to count: the talker, or `other` if it is no more. */
static inline struct lp_talker *
lp_talkers_get(struct lp_talkers *talkers, lp_talker_handle handle)
{
	struct lp_talker *places = talkers->list->places;
	uint32_t index = handle & ((1u << LP_TALKER_INDEX_BITS) - 1);
	uint32_t serial;

	assert(index < LP_TALKER_PLACES);
	serial =
	    atomic_load_explicit(&places[index].serial, memory_order_relaxed);
	if (serial << LP_TALKER_INDEX_BITS !=
	    (handle & ~((1u << LP_TALKER_INDEX_BITS) - 1)))
		return &places[LP_TALKER_OTHER];
	return &places[index];
}

#endif
