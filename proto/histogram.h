/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log-linear histograms of nanoseconds: which bucket a time belongs to, and
 * what can be said of many times from the buckets alone.
 *
 * An octave (a power of two) has 64 buckets of equal width, so that a bucket's
 * midpoint is within 0.8 % of every time in it.  From 0 to 1,024 ns the steps
 * are 16 ns; octaves go from there to 2^42 ns, 73 minutes; what took longer
 * counts in the last bucket.  The layout is a contract: it crosses process
 * borders (message Histogram) and lies in the state region.
 */
#ifndef LP_PROTO_HISTOGRAM_H
#define LP_PROTO_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

enum {
	LP_HISTOGRAM_SUB_BITS = 6,
	LP_HISTOGRAM_SUB = 1 << LP_HISTOGRAM_SUB_BITS, /* buckets an octave */
	LP_HISTOGRAM_MIN_BITS = 10, /* below: linear */
	LP_HISTOGRAM_MAX_BITS = 42, /* from there on: the last bucket */
	/* With the linear part, which is as long as one. */
	LP_HISTOGRAM_OCTAVES =
	    LP_HISTOGRAM_MAX_BITS - LP_HISTOGRAM_MIN_BITS + 1,
	LP_HISTOGRAM_BUCKETS = LP_HISTOGRAM_OCTAVES * LP_HISTOGRAM_SUB,
};

/* For the packet path: a shift, no division, no floating point. */
static inline uint32_t
lp_histogram_index(uint64_t ns)
{
	unsigned bits;

	if (ns < 1u << LP_HISTOGRAM_MIN_BITS)
		return (uint32_t)(ns >>
		    (LP_HISTOGRAM_MIN_BITS - LP_HISTOGRAM_SUB_BITS));
	if (ns >> LP_HISTOGRAM_MAX_BITS)
		return LP_HISTOGRAM_BUCKETS - 1;
	bits = 63u - (unsigned)__builtin_clzll(ns);
	return ((bits - LP_HISTOGRAM_MIN_BITS + 1) << LP_HISTOGRAM_SUB_BITS) +
	    ((uint32_t)(ns >> (bits - LP_HISTOGRAM_SUB_BITS)) &
		(LP_HISTOGRAM_SUB - 1));
}

/* The lowest time of a bucket, and the lowest of the next one. */
uint64_t lp_histogram_lower(uint32_t index);
uint64_t lp_histogram_upper(uint32_t index);
uint64_t lp_histogram_midpoint(uint32_t index);

/* Many times, as read from somewhere.  All zero: none. */
struct lp_histogram_view {
	uint64_t counts[LP_HISTOGRAM_BUCKETS];
	uint64_t count; /* the sum of the counts */
	uint64_t sum_ns;
	uint64_t max_ns;
};

/* One more time. */
void lp_histogram_add(struct lp_histogram_view *view, uint64_t ns);

/* `count` more in a bucket, without sum and maximum; false: no such bucket. */
bool lp_histogram_put(
    struct lp_histogram_view *view, uint32_t index, uint64_t count);

/*
 * The time that `per_myriad` of 10,000 do not exceed: 5000 is the median, 9999
 * p99.99.  The midpoint of its bucket, and never above the maximum.  0 of none.
 */
uint64_t lp_histogram_quantile(
    const struct lp_histogram_view *view, unsigned per_myriad);
uint64_t lp_histogram_mean(const struct lp_histogram_view *view);

void lp_histogram_merge(
    struct lp_histogram_view *into, const struct lp_histogram_view *from);

/*
 * What came between two readings of the same histogram.  A counter that went
 * back (its process is a new one) counts from zero.  The maximum is that of
 * `later` if it rose, else the end of the highest bucket.
 */
void lp_histogram_difference(struct lp_histogram_view *out,
    const struct lp_histogram_view *later,
    const struct lp_histogram_view *earlier);

#endif
