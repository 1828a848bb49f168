/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/histogram.h"

#include <assert.h>
#include <string.h>

enum { MYRIAD = 10000 };

static uint64_t less(uint64_t later, uint64_t earlier);

uint64_t
lp_histogram_lower(uint32_t index)
{
	uint32_t octave = index >> LP_HISTOGRAM_SUB_BITS;
	uint64_t step = index & (LP_HISTOGRAM_SUB - 1);

	assert(index <= LP_HISTOGRAM_BUCKETS);
	if (octave == 0)
		return step << (LP_HISTOGRAM_MIN_BITS - LP_HISTOGRAM_SUB_BITS);
	return (LP_HISTOGRAM_SUB + step)
	    << (octave + LP_HISTOGRAM_MIN_BITS - 1 - LP_HISTOGRAM_SUB_BITS);
}

uint64_t
lp_histogram_upper(uint32_t index)
{
	return lp_histogram_lower(index + 1);
}

uint64_t
lp_histogram_midpoint(uint32_t index)
{
	uint64_t lower = lp_histogram_lower(index);

	return lower + (lp_histogram_upper(index) - lower) / 2;
}

void
lp_histogram_add(struct lp_histogram_view *view, uint64_t ns)
{
	view->counts[lp_histogram_index(ns)]++;
	view->count++;
	view->sum_ns += ns;
	if (view->max_ns < ns)
		view->max_ns = ns;
}

bool
lp_histogram_put(struct lp_histogram_view *view, uint32_t index, uint64_t count)
{
	if (index >= LP_HISTOGRAM_BUCKETS)
		return false;
	view->counts[index] += count;
	view->count += count;
	return true;
}

uint64_t
lp_histogram_quantile(const struct lp_histogram_view *view, unsigned per_myriad)
{
	uint64_t whole = view->count / MYRIAD;
	uint64_t rest = view->count % MYRIAD;
	uint64_t rank, seen = 0;

	assert(per_myriad <= MYRIAD);
	if (view->count == 0)
		return 0;
	/* Rounded up, and no product that could overflow. */
	rank = whole * per_myriad + (rest * per_myriad + MYRIAD - 1) / MYRIAD;
	if (rank == 0)
		rank = 1;
	for (uint32_t i = 0; i < LP_HISTOGRAM_BUCKETS; i++) {
		seen += view->counts[i];
		if (seen < rank)
			continue;
		/* Of the last bucket nothing but the maximum is known. */
		if (i == LP_HISTOGRAM_BUCKETS - 1 ||
		    lp_histogram_midpoint(i) > view->max_ns)
			return view->max_ns;
		return lp_histogram_midpoint(i);
	}
	return view->max_ns;
}

uint64_t
lp_histogram_mean(const struct lp_histogram_view *view)
{
	return view->count == 0 ? 0 : view->sum_ns / view->count;
}

void
lp_histogram_merge(
    struct lp_histogram_view *into, const struct lp_histogram_view *from)
{
	for (uint32_t i = 0; i < LP_HISTOGRAM_BUCKETS; i++)
		into->counts[i] += from->counts[i];
	into->count += from->count;
	into->sum_ns += from->sum_ns;
	if (into->max_ns < from->max_ns)
		into->max_ns = from->max_ns;
}

void
lp_histogram_difference(struct lp_histogram_view *out,
    const struct lp_histogram_view *later,
    const struct lp_histogram_view *earlier)
{
	uint64_t end = 0;

	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < LP_HISTOGRAM_BUCKETS; i++) {
		uint64_t count = less(later->counts[i], earlier->counts[i]);

		lp_histogram_put(out, i, count);
		if (count > 0)
			end = lp_histogram_upper(i) - 1;
	}
	if (out->count == 0)
		return;
	out->sum_ns = less(later->sum_ns, earlier->sum_ns);
	out->max_ns = later->max_ns;
	if (later->max_ns == earlier->max_ns && end < later->max_ns)
		out->max_ns = end;
}

static uint64_t
less(uint64_t later, uint64_t earlier)
{
	return later >= earlier ? later - earlier : later;
}
