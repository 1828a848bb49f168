/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/histogram.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR_S = 3600, US = 1000, TIMES = 20000 };
static const uint64_t hour_ns = (uint64_t)HOUR_S * 1000000000;
static const uint64_t end_ns = 1ull << LP_HISTOGRAM_MAX_BITS;

static uint64_t state;

/* Marsaglia's xorshift: the same times in every run. */
static uint64_t
random64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* All magnitudes alike. */
static uint64_t
random_ns(void)
{
	return random64() >> (22 + random64() % 42);
}

static struct lp_histogram_view *
some(unsigned count)
{
	struct lp_histogram_view *view = calloc(1, sizeof(*view));

	ck_assert_ptr_nonnull(view);
	for (unsigned i = 0; i < count; i++)
		lp_histogram_add(view, random_ns());
	return view;
}

static void
setup(void)
{
	state = 88172645463325252ull;
}

START_TEST(buckets_follow_each_other_without_gap)
{
	ck_assert_uint_eq(lp_histogram_lower(0), 0);
	for (uint32_t i = 0; i < LP_HISTOGRAM_BUCKETS; i++) {
		uint64_t lower = lp_histogram_lower(i);
		uint64_t upper = lp_histogram_upper(i);

		ck_assert_uint_lt(lower, upper);
		ck_assert_uint_eq(lp_histogram_index(lower), i);
		ck_assert_uint_eq(lp_histogram_index(upper - 1), i);
		ck_assert_uint_eq(
		    lp_histogram_index(lp_histogram_midpoint(i)), i);
		if (i + 1 < LP_HISTOGRAM_BUCKETS)
			ck_assert_uint_eq(lp_histogram_index(upper), i + 1);
	}
	ck_assert_uint_eq(lp_histogram_upper(LP_HISTOGRAM_BUCKETS - 1), end_ns);
	ck_assert_uint_gt(end_ns, hour_ns);
}
END_TEST

/* The ends of a bucket are the worst of it. */
START_TEST(a_midpoint_is_within_eight_per_mille)
{
	for (uint64_t ns = US; ns < end_ns;) {
		uint32_t index = lp_histogram_index(ns);
		uint64_t middle = lp_histogram_midpoint(index);
		uint64_t last = lp_histogram_upper(index) - 1;

		ck_assert_uint_le(
		    1000 * (middle > ns ? middle - ns : ns - middle), 8 * ns);
		ck_assert_uint_le(1000 * (last - middle), 8 * last);
		ns = last + 1;
	}
}
END_TEST

START_TEST(a_longer_time_is_in_no_earlier_bucket)
{
	for (unsigned i = 0; i < TIMES; i++) {
		uint64_t a = random_ns(), b = random_ns();
		uint64_t shorter = a < b ? a : b, longer = a < b ? b : a;

		ck_assert_uint_le(
		    lp_histogram_index(shorter), lp_histogram_index(longer));
	}
}
END_TEST

START_TEST(what_is_too_long_is_in_the_last_bucket)
{
	static const uint64_t times[] = {
	    1ull << 42, (1ull << 42) + 1, 1ull << 63, UINT64_MAX};

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
		ck_assert_uint_eq(
		    lp_histogram_index(times[i]), LP_HISTOGRAM_BUCKETS - 1);
}
END_TEST

static int
compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* Against the times themselves, sorted. */
START_TEST(quantiles_are_those_of_the_times)
{
	static const unsigned wanted[] = {
	    0, 1, 2500, 5000, 9000, 9900, 9990, 9999, 10000};
	static const unsigned sizes[] = {1, 2, 3, 99, 10000, TIMES};
	static uint64_t times[TIMES];

	for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
		struct lp_histogram_view *view = some(0);
		uint64_t sum = 0;

		for (unsigned i = 0; i < sizes[s]; i++) {
			times[i] = US + random_ns() % hour_ns;
			sum += times[i];
			lp_histogram_add(view, times[i]);
		}
		qsort(times, sizes[s], sizeof(*times), compare);
		for (size_t q = 0; q < sizeof(wanted) / sizeof(*wanted); q++) {
			uint64_t rank =
			    ((uint64_t)sizes[s] * wanted[q] + 9999) / 10000;
			uint64_t exact = times[rank > 0 ? rank - 1 : 0];
			uint64_t told = lp_histogram_quantile(view, wanted[q]);

			ck_assert_uint_le(
			    1000 * (told > exact ? told - exact : exact - told),
			    8 * exact);
		}
		ck_assert_uint_eq(view->count, sizes[s]);
		ck_assert_uint_eq(lp_histogram_mean(view), sum / sizes[s]);
		ck_assert_uint_eq(view->max_ns, times[sizes[s] - 1]);
		free(view);
	}
}
END_TEST

START_TEST(none_has_zeros)
{
	struct lp_histogram_view *view = some(0);

	ck_assert_uint_eq(lp_histogram_quantile(view, 5000), 0);
	ck_assert_uint_eq(lp_histogram_mean(view), 0);
	free(view);
}
END_TEST

START_TEST(no_quantile_exceeds_the_maximum)
{
	struct lp_histogram_view *view = some(0);

	lp_histogram_add(view, 5 * hour_ns);
	ck_assert_uint_eq(lp_histogram_quantile(view, 5000), 5 * hour_ns);
	for (unsigned i = 0; i < 99; i++)
		lp_histogram_add(view, lp_histogram_lower(1000));
	ck_assert_uint_eq(
	    lp_histogram_quantile(view, 9900), lp_histogram_midpoint(1000));
	ck_assert_uint_eq(lp_histogram_quantile(view, 9901), 5 * hour_ns);
	free(view);
}
END_TEST

START_TEST(huge_counts_do_not_overflow)
{
	struct lp_histogram_view *view = some(0);

	ck_assert(lp_histogram_put(view, 100, UINT64_MAX / 2));
	ck_assert(lp_histogram_put(view, 200, UINT64_MAX / 2));
	view->max_ns = UINT64_MAX;
	ck_assert_uint_eq(
	    lp_histogram_quantile(view, 4999), lp_histogram_midpoint(100));
	ck_assert_uint_eq(
	    lp_histogram_quantile(view, 5001), lp_histogram_midpoint(200));
	ck_assert(!lp_histogram_put(view, LP_HISTOGRAM_BUCKETS, 1));
	ck_assert(!lp_histogram_put(view, UINT32_MAX, 1));
	free(view);
}
END_TEST

START_TEST(merged_is_as_counted_together)
{
	struct lp_histogram_view *a = some(500), *b = some(700);
	struct lp_histogram_view *both;

	setup();
	both = some(1200);
	lp_histogram_merge(a, b);
	ck_assert_mem_eq(a, both, sizeof(*a));
	free(a);
	free(b);
	free(both);
}
END_TEST

START_TEST(a_difference_is_what_came_between)
{
	struct lp_histogram_view *earlier = some(500), *later = some(0);
	struct lp_histogram_view *between = some(0), *out = some(0);

	lp_histogram_merge(later, earlier);
	for (unsigned i = 0; i < 300; i++) {
		uint64_t ns = random_ns() % US;

		lp_histogram_add(later, ns);
		lp_histogram_add(between, ns);
	}
	lp_histogram_difference(out, later, earlier);
	ck_assert_mem_eq(out->counts, between->counts, sizeof(out->counts));
	ck_assert_uint_eq(out->count, 300);
	ck_assert_uint_eq(out->sum_ns, between->sum_ns);
	/* The end of its bucket: the earlier maximum hides it. */
	ck_assert_uint_eq(out->max_ns,
	    lp_histogram_upper(lp_histogram_index(between->max_ns)) - 1);
	lp_histogram_add(later, UINT64_MAX / 4);
	lp_histogram_difference(out, later, earlier);
	ck_assert_uint_eq(out->max_ns, UINT64_MAX / 4);
	/* Of nothing, and of a process that began anew. */
	lp_histogram_difference(out, later, later);
	ck_assert_uint_eq(out->count + out->max_ns + out->sum_ns, 0);
	lp_histogram_difference(out, between, later);
	ck_assert_uint_le(out->count, between->count);
	free(earlier);
	free(later);
	free(between);
	free(out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("histogram");
	TCase *tcase = tcase_create("histogram");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, buckets_follow_each_other_without_gap);
	tcase_add_test(tcase, a_midpoint_is_within_eight_per_mille);
	tcase_add_test(tcase, a_longer_time_is_in_no_earlier_bucket);
	tcase_add_test(tcase, what_is_too_long_is_in_the_last_bucket);
	tcase_add_test(tcase, quantiles_are_those_of_the_times);
	tcase_add_test(tcase, none_has_zeros);
	tcase_add_test(tcase, no_quantile_exceeds_the_maximum);
	tcase_add_test(tcase, huge_counts_do_not_overflow);
	tcase_add_test(tcase, merged_is_as_counted_together);
	tcase_add_test(tcase, a_difference_is_what_came_between);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
