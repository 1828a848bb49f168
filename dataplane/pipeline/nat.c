/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 * A pair is found by a hash table of fixed size with linear probing.  It is
 * made with its first port and given back with its last; deletion closes the
 * gap (Knuth, 6.4, algorithm R), so that probes stay short for ever.
 *
 * Memory is reserved for all pairs at start and touched only when used: a
 * bitmap is 8 kB, so 4,096 of them are 33 MB of address space, and 8 kB for
 * each own address and broker in practice.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/pipeline/nat.h"

#include <assert.h>
#include <string.h>

#include "dataplane/pipeline/limits.h"

enum {
	WORDS = 65536 / 64,
	INDEX_SIZE = 2 * LP_SOURCE_PAIRS_MAX,
	INDEX_MASK = INDEX_SIZE - 1,
	NONE = UINT16_MAX,
};
static_assert((INDEX_SIZE & INDEX_MASK) == 0, "a power of two");
static_assert(LP_SOURCE_PORT_MIN % 64 == 0, "the first word is whole");
static_assert(LP_SOURCE_PORT_MIN + LP_SOURCE_PORTS == 65536, "all ports");

struct key {
	struct lp_ip own;
	struct lp_ip broker;
	uint16_t broker_port;
	uint16_t zero;
};
static_assert(sizeof(struct key) == 36, "hashed as bytes: no padding");

struct lp_nat_pair {
	struct key key;
	uint32_t used;
	uint32_t cursor; /* where to look first */
	uint64_t taken[WORDS];
};

static struct key key_of(const struct lp_ip *, const struct lp_ip *, uint16_t);
static uint32_t home(const struct lp_nat *, const struct key *);
static uint32_t locate(const struct lp_nat *, const struct key *);
static struct lp_nat_pair *get(struct lp_nat *, const struct key *);
static void forget(struct lp_nat *, uint32_t);
static uint16_t next_free(const struct lp_nat_pair *);

void
lp_nat_carve(struct lp_nat *nat, struct lp_arena *arena)
{
	nat->pairs =
	    lp_arena_take(arena, LP_SOURCE_PAIRS_MAX, sizeof(*nat->pairs));
	nat->index = lp_arena_take(arena, INDEX_SIZE, sizeof(*nat->index));
	nat->free =
	    lp_arena_take(arena, LP_SOURCE_PAIRS_MAX, sizeof(*nat->free));
}

void
lp_nat_init(struct lp_nat *nat, uint64_t seed)
{
	nat->seed = seed;
	nat->given = 0;
	for (uint16_t i = 0; i < LP_SOURCE_PAIRS_MAX; i++)
		nat->free[i] = (uint16_t)(LP_SOURCE_PAIRS_MAX - 1 - i);
	nat->free_count = LP_SOURCE_PAIRS_MAX;
}

uint16_t
lp_nat_take(struct lp_nat *nat, const struct lp_ip *own,
    const struct lp_ip *broker, uint16_t broker_port)
{
	struct key key = key_of(own, broker, broker_port);
	struct lp_nat_pair *pair = get(nat, &key);
	uint16_t port;

	if (pair == NULL || pair->used == LP_SOURCE_PORTS)
		return 0;
	port = next_free(pair);
	pair->taken[port / 64] |= 1ull << (port % 64);
	pair->used++;
	nat->given++;
	pair->cursor = port == 65535 ? LP_SOURCE_PORT_MIN : port + 1u;
	return port;
}

bool
lp_nat_claim(struct lp_nat *nat, const struct lp_ip *own,
    const struct lp_ip *broker, uint16_t broker_port, uint16_t port)
{
	struct key key = key_of(own, broker, broker_port);
	struct lp_nat_pair *pair = get(nat, &key);
	uint64_t bit = 1ull << (port % 64);

	if (pair == NULL || (pair->taken[port / 64] & bit))
		return false;
	pair->taken[port / 64] |= bit;
	pair->used++;
	return true;
}

void
lp_nat_give(struct lp_nat *nat, const struct lp_ip *own,
    const struct lp_ip *broker, uint16_t broker_port, uint16_t port)
{
	struct key key = key_of(own, broker, broker_port);
	uint32_t at = locate(nat, &key);
	uint64_t bit = 1ull << (port % 64);
	struct lp_nat_pair *pair;

	assert(nat->index[at] != 0);
	pair = &nat->pairs[nat->index[at] - 1];
	assert(pair->taken[port / 64] & bit);
	pair->taken[port / 64] &= ~bit;
	if (--pair->used == 0)
		forget(nat, at);
}

uint32_t
lp_nat_used(const struct lp_nat *nat, const struct lp_ip *own,
    const struct lp_ip *broker, uint16_t broker_port)
{
	struct key key = key_of(own, broker, broker_port);
	uint32_t at = locate(nat, &key);

	return nat->index[at] == 0 ? 0 : nat->pairs[nat->index[at] - 1].used;
}

uint32_t
lp_nat_pairs(const struct lp_nat *nat)
{
	return LP_SOURCE_PAIRS_MAX - nat->free_count;
}

static struct key
key_of(const struct lp_ip *own, const struct lp_ip *broker, uint16_t port)
{
	return (struct key){
	    .own = *own, .broker = *broker, .broker_port = port};
}

static uint32_t
home(const struct lp_nat *nat, const struct key *key)
{
	return (uint32_t)XXH3_64bits_withSeed(key, sizeof(*key), nat->seed) &
	    INDEX_MASK;
}

/* The place of the key in the index, or the empty place it would take. */
static uint32_t
locate(const struct lp_nat *nat, const struct key *key)
{
	uint32_t at = home(nat, key);

	while (nat->index[at] != 0 &&
	    memcmp(&nat->pairs[nat->index[at] - 1].key, key, sizeof(*key)) != 0)
		at = (at + 1) & INDEX_MASK;
	return at;
}

static struct lp_nat_pair *
get(struct lp_nat *nat, const struct key *key)
{
	uint32_t at = locate(nat, key);
	struct lp_nat_pair *pair;

	if (nat->index[at] != 0)
		return &nat->pairs[nat->index[at] - 1];
	if (nat->free_count == 0)
		return NULL;
	nat->index[at] = (uint16_t)(nat->free[--nat->free_count] + 1);
	pair = &nat->pairs[nat->index[at] - 1];
	assert(pair->used == 0);
	pair->key = *key;
	/*
	 * RFC 6056: begin where an outsider cannot guess, and behind the ports
	 * of last time, which their connections have only just left.
	 */
	pair->cursor = LP_SOURCE_PORT_MIN +
	    (uint32_t)((XXH3_64bits_withSeed(key, sizeof(*key), ~nat->seed) +
			   nat->given) %
		LP_SOURCE_PORTS);
	return pair;
}

/* Empties a place of the index and moves up those that probed past it. */
static void
forget(struct lp_nat *nat, uint32_t hole)
{
	uint32_t at = hole;

	assert(nat->free_count < LP_SOURCE_PAIRS_MAX);
	nat->free[nat->free_count++] = (uint16_t)(nat->index[hole] - 1);
	nat->index[hole] = 0;
	for (;;) {
		uint32_t want;

		at = (at + 1) & INDEX_MASK;
		if (nat->index[at] == 0)
			return;
		want = home(nat, &nat->pairs[nat->index[at] - 1].key);
		/* Stays if its home lies cyclically in (hole, at]. */
		if (((at - want) & INDEX_MASK) < ((at - hole) & INDEX_MASK))
			continue;
		nat->index[hole] = nat->index[at];
		nat->index[at] = 0;
		hole = at;
	}
}

/* The first free port at or after the cursor, in a circle; there is one. */
static uint16_t
next_free(const struct lp_nat_pair *pair)
{
	uint32_t word = pair->cursor / 64;
	uint64_t open = ~pair->taken[word] & (~0ull << (pair->cursor % 64));

	assert(pair->used < LP_SOURCE_PORTS);
	while (open == 0) {
		word = word + 1 == WORDS ? LP_SOURCE_PORT_MIN / 64 : word + 1;
		open = ~pair->taken[word];
	}
	return (uint16_t)(word * 64 + (unsigned)__builtin_ctzll(open));
}
