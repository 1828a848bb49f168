/* SPDX-License-Identifier: Apache-2.0 */
#include "samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int compare(const void *a, const void *b);

void
samples_print(uint64_t samples[], unsigned long count)
{
	static const double percentiles[] = {50, 90, 99, 99.9, 100};

	qsort(samples, count, sizeof(samples[0]), compare);
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(double); i++) {
		/* The smallest sample that so many are not above. */
		double rank = percentiles[i] / 100 * (double)count;
		unsigned long at = (unsigned long)rank;

		if (at > 0 && (double)at >= rank)
			at--;
		printf("p%g\t%" PRIu64 "\t%lu\n", percentiles[i], samples[at],
		    count);
	}
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}
