/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs from others, at random; everything follows from one number. */
#ifndef LP_TESTS_FUZZ_MUTATE_H
#define LP_TESTS_FUZZ_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The state that draws begin with. */
uint64_t fuzz_random(unsigned long long seed);
uint32_t fuzz_draw(uint64_t *random);

/* One small change; the new size is at most size, and 1 or more. */
size_t fuzz_mutate(uint64_t *random, uint8_t *data, size_t size);

/*
 * Whether it is the input before once more, of which only whole steps behind a
 * head are read: that has been cut off inside of a step.
 */
bool fuzz_is_again(const uint8_t *data, size_t size, size_t head, size_t step);

/* A number of the environment: FUZZ_SEED, FUZZ_RUNS. */
unsigned long long fuzz_setting(const char *name, unsigned long long otherwise);

#endif
