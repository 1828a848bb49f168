/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes of the parts of a key of rules, for who builds the tables and for who
 * looks up.  A key's hash is the exclusive or of its parts'.  0 means: there
 * is no such part.
 *
 * Prefixes are hashed byte by byte, so that one walk over a text gives those
 * of all lengths.  xxhash.h comes first.
 */
#ifndef LP_PIPELINE_RULES_HASH_H
#define LP_PIPELINE_RULES_HASH_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "proto/address.h"

/* The halves of a product: every bit of it depends on all of both. */
static inline uint64_t
lp_rules_hash_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t
lp_rules_hash_seed(uint64_t seed, unsigned field)
{
	return seed + (field + 1) * 0x9e3779b97f4a7c15u;
}

static inline uint64_t
lp_rules_hash_end(uint64_t hash, uint64_t with)
{
	hash = lp_rules_hash_mix(
	    hash ^ 0xa0761d6478bd642fu, with ^ 0xe7037ed1a0b428dbu);
	return hash == 0 ? 1 : hash;
}

static inline uint64_t
lp_rules_hash_number(uint64_t seed, unsigned field, uint32_t number)
{
	return lp_rules_hash_end(lp_rules_hash_seed(seed, field), number);
}

static inline uint64_t
lp_rules_hash_text(
    uint64_t seed, unsigned field, const uint8_t *bytes, unsigned len)
{
	return lp_rules_hash_end(
	    XXH3_64bits_withSeed(bytes, len, lp_rules_hash_seed(seed, field)),
	    0);
}

/* Begin with the seed of the field, end with the number of bytes. */
static inline uint64_t
lp_rules_hash_byte(uint64_t hash, uint8_t byte)
{
	return (hash ^ byte) * 0xd6e8feb86659fd93u;
}

/*
 * A tuple's words: 16 bits of a number, 48 of a filter.  Which of them is that
 * of a key,
 */
static inline uint32_t
lp_rules_hash_word(uint64_t hash, uint32_t count)
{
	return (uint32_t)((hash >> 32) * count >> 32);
}

/* the two bits of the key in the filter, */
static inline uint64_t
lp_rules_hash_bits(uint64_t hash)
{
	return UINT64_C(1) << (16 + (hash & 15)) |
	    UINT64_C(1) << (32 + (hash >> 4 & 31));
}

/* and its place, by the number in the word. */
static inline uint32_t
lp_rules_hash_place(uint64_t hash, uint64_t word, uint32_t count)
{
	uint64_t mixed = lp_rules_hash_mix(hash ^ 0xa0761d6478bd642fu,
	    (2 * (word & UINT16_MAX) + 1) * 0x9e3779b97f4a7c15u);

	return (uint32_t)((mixed >> 32) * count >> 32);
}

/* Of its first bits; the others may be anything. */
static inline uint64_t
lp_rules_hash_ip(
    uint64_t seed, unsigned field, const struct lp_ip *ip, unsigned bits)
{
	uint64_t high, low;

	memcpy(&high, ip->bytes, 8);
	memcpy(&low, ip->bytes + 8, 8);
	high = be64toh(high);
	low = be64toh(low);
	if (bits <= 64)
		low = 0;
	else if (bits < 128)
		low &= ~(UINT64_MAX >> (bits - 64));
	if (bits == 0)
		high = 0;
	else if (bits < 64)
		high &= ~(UINT64_MAX >> bits);
	/* The seed in both: no address makes 0 of a product with all seeds. */
	seed = lp_rules_hash_seed(seed, field);
	high = lp_rules_hash_mix(high ^ seed, 0x8ebc6af09c88c6e3u ^ bits);
	return lp_rules_hash_end(high, low ^ seed);
}

#endif
