/* SPDX-License-Identifier: Apache-2.0 */
/* What a fuzzer gives to fuzz_main.c, and to libFuzzer. */
#ifndef LP_TESTS_FUZZ_FUZZ_H
#define LP_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Always returns 0: what is wrong is found by assertions and sanitizers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * A well-formed input to start from: seed number `index` into data, returns
 * its size (at most max), or 0 if there is no such seed.
 */
size_t fuzz_seed(unsigned index, uint8_t *data, size_t max);

#endif
