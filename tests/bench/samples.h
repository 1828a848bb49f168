/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times that were measured, all of them kept.  The lines of a result are:
 * percentile, nanoseconds, number of samples.
 */
#ifndef LP_BENCH_SAMPLES_H
#define LP_BENCH_SAMPLES_H

#include <stdint.h>

/* Sorts them. */
void samples_print(uint64_t samples[], unsigned long count);

#endif
