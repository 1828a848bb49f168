/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chance that is the same every time: all of a test follows from its seed,
 * and LP_TEST_SEED in the environment runs that one alone.  LP_TEST_MORE=N has
 * N times as many seeds as a test has by itself.
 */
#ifndef LP_TESTS_SUPPORT_RANDOM_H
#define LP_TESTS_SUPPORT_RANDOM_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Of the sanitizers, which make a test slower some ten times. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { RANDOM_SLOWER = 10 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { RANDOM_SLOWER = 10 };
#else
enum { RANDOM_SLOWER = 1 };
#endif
#else
enum { RANDOM_SLOWER = 1 };
#endif

/* SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t
random_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* 64 bits; any number is a state. */
static inline uint64_t
random_next(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15u;
	return random_mix(*state);
}

/* From `low` to `high`, both included. */
static inline uint32_t
random_between(uint64_t *state, uint32_t low, uint32_t high)
{
	return low +
	    (uint32_t)(random_next(state) % ((uint64_t)high - low + 1));
}

static inline bool
random_percent(uint64_t *state, unsigned percent)
{
	return random_next(state) % 100 < percent;
}

/* The byte at a position of an endless string of that seed. */
static inline uint8_t
random_byte(uint64_t seed, uint64_t position)
{
	return (uint8_t)(random_mix(seed + (position >> 3) + 1) >>
	    (8 * (position & 7)));
}

/* Whether the environment has it; what is no number ends the test. */
static inline bool
random_setting(const char *name, uint64_t *value)
{
	const char *text = getenv(name);
	char *end;

	if (text == NULL)
		return false;
	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno != 0 || end == text || *end != '\0') {
		fprintf(stderr, "%s=%s: not a number\n", name, text);
		exit(2);
	}
	return true;
}

/* Whether LP_TEST_SEED names a seed. */
static inline bool
random_seed_given(uint64_t *seed)
{
	return random_setting("LP_TEST_SEED", seed);
}

/* How many seeds, of a test that has so many by itself; one at least. */
static inline unsigned
random_seeds(unsigned own)
{
	uint64_t more = 1;

	(void)random_setting("LP_TEST_MORE", &more);
	return (unsigned)((own * more + RANDOM_SLOWER - 1) / RANDOM_SLOWER);
}

#endif
