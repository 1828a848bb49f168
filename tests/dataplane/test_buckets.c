/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets of rules, against a plain model that counts what is in them. */
#include "dataplane/pipeline/buckets.h"

#include <check.h>
#include <stdlib.h>

#include "tests/support/ensure.h"
#include "tests/support/random.h"

enum { RULE = 7, MS = 1000000, S = 1000000000 };

static struct lp_buckets buckets;
static void *memory;

static void
setup(void)
{
	struct lp_arena arena = {.base = NULL};

	lp_buckets_carve(&buckets, &arena);
	memory = calloc(1, arena.used);
	ck_assert_ptr_nonnull(memory);
	arena = (struct lp_arena){.base = memory};
	lp_buckets_carve(&buckets, &arena);
	lp_buckets_init(&buckets, UINT64_MAX);
}

static void
teardown(void)
{
	free(memory);
}

static struct lp_rule_action
of_bytes(uint64_t rate, uint64_t burst)
{
	return (struct lp_rule_action){.verdict = LP_RULE_LIMIT,
	    .bytes_per_s = rate,
	    .burst_bytes = burst,
	    .max_throttle_ms = 1000};
}

static struct lp_rule_action
of_requests(uint64_t rate)
{
	return (struct lp_rule_action){.verdict = LP_RULE_LIMIT,
	    .requests_per_s = rate,
	    .max_throttle_ms = 1000};
}

static int64_t
charge(const struct lp_rule_action *action, uint32_t requests, uint32_t bytes,
    int64_t now_ns)
{
	struct lp_bucket *bucket =
	    lp_buckets_take(&buckets, RULE, action, 0, now_ns);

	lp_buckets_charge(&buckets, bucket, requests, bytes, now_ns);
	return lp_buckets_wait(bucket, now_ns);
}

START_TEST(a_burst_passes_and_what_is_more_is_waited_for)
{
	struct lp_rule_action action = of_bytes(1000000, 500000);

	ck_assert_int_eq(charge(&action, 1, 500000, S), 0);
	ck_assert_int_eq(charge(&action, 1, 1000, S), MS);
	ck_assert_int_eq(charge(&action, 1, 1000, S), 2 * MS);
	/* It fills again, up to the burst. */
	ck_assert_int_eq(charge(&action, 1, 0, S + 2 * MS), 0);
	ck_assert_int_eq(charge(&action, 1, 500000, 60ll * S), 0);
	ck_assert_int_eq(charge(&action, 1, 1000, 60ll * S), MS);
}
END_TEST

START_TEST(requests_have_a_burst_of_one_or_of_a_tenth_of_a_second)
{
	struct lp_rule_action slow = of_requests(2), fast = of_requests(100);

	ck_assert_int_eq(charge(&slow, 1, 1 << 30, S), 0);
	ck_assert_int_eq(charge(&slow, 1, 1 << 30, S), S / 2);
	for (unsigned i = 0; i < 10; i++)
		ck_assert_int_eq(charge(&fast, 1, 0, 10ll * S), 0);
	ck_assert_int_eq(charge(&fast, 1, 0, 10ll * S), 10 * MS);
}
END_TEST

START_TEST(of_two_limits_the_longer_wait_holds)
{
	struct lp_rule_action action = of_bytes(1000, 1);

	action.requests_per_s = 1;
	ck_assert_int_eq(charge(&action, 1, 1, S), 0);
	ck_assert_int_eq(charge(&action, 1, 0, S), S);
	ck_assert_int_eq(charge(&action, 0, 2000, S), 2ll * S);
}
END_TEST

START_TEST(the_time_before_the_machine_was_up_counts_for_a_burst)
{
	struct lp_rule_action action = of_bytes(1, 1000);

	ck_assert_int_eq(charge(&action, 1, 1000, 5), 0);
	ck_assert_int_eq(charge(&action, 1, 1, 5), S);
}
END_TEST

START_TEST(no_debt_is_longer_than_its_limit)
{
	struct lp_rule_action action = of_bytes(1, 1);

	ck_assert_int_eq(
	    charge(&action, 1, UINT32_MAX, S), (int64_t)LP_BUCKETS_DEBT_S * S);
	/* Nor does the largest of all bursts overflow. */
	action = of_bytes(1, 1000ull * 1000 * 1000 * 1000);
	ck_assert_int_eq(charge(&action, 1, 1, 1000ll * S), 0);
	action = of_bytes(1000ull * 1000 * 1000 * 1000, 1);
	ck_assert_int_gt(charge(&action, 1, 100, 2000ll * S), 0);
}
END_TEST

/* What is owed stays as many bytes. */
START_TEST(another_rate_holds_from_then_on)
{
	const int64_t most = (int64_t)LP_BUCKETS_DEBT_S * S;
	struct lp_rule_action action = of_bytes(1000, 1000);

	ck_assert_int_eq(charge(&action, 1, 2000, S), S);
	action = of_bytes(4000, 1000);
	ck_assert_int_eq(charge(&action, 1, 4000, S), S / 4 + S);
	ck_assert_int_eq(charge(&action, 1, 0, 2ll * S), S / 4);
	/* Another burst is none of it. */
	action = of_bytes(4000, 500);
	ck_assert_int_eq(charge(&action, 1, 0, 2ll * S), S / 4);
	action = of_bytes(500, 500);
	ck_assert_int_eq(charge(&action, 1, 0, 2ll * S), 2ll * S);
	/* As long as any is. */
	action = of_bytes(1, 1);
	ck_assert_int_eq(charge(&action, 1, 0, 2ll * S), most);
	action = of_bytes(1000ull * 1000 * 1000 * 1000, 1);
	ck_assert_int_le(charge(&action, 1, 0, 2ll * S), 1);
	/* What may pass at once is as it was. */
	action = of_bytes(1000, 1000);
	ck_assert_int_eq(charge(&action, 1, 1000, 100ll * S), 0);
	action = of_bytes(1000ull * 1000 * 1000 * 1000, 1);
	charge(&action, 1, UINT32_MAX, 200ll * S);
	action = of_bytes(1, 1);
	ck_assert_int_eq(charge(&action, 1, 0, 200ll * S), most);
}
END_TEST

START_TEST(another_rate_of_requests_likewise)
{
	struct lp_rule_action action = of_requests(1), both;

	ck_assert_int_eq(charge(&action, 60, 0, S), 59ll * S);
	/* Who limits bytes as well owes none of them. */
	both = of_bytes(1000, 1000);
	both.requests_per_s = 100;
	ck_assert_int_eq(charge(&both, 0, 0, S), 590ll * MS);
	ck_assert_int_eq(charge(&both, 0, 2000, S), S);
	action = of_requests(50);
	ck_assert_int_eq(charge(&action, 0, 0, S), 1180ll * MS);
	action = of_requests(1000000000);
	ck_assert_int_eq(charge(&action, 0, 0, S), 59);
	action = of_requests(1);
	ck_assert_int_eq(charge(&action, 0, 0, S), 59ll * S);
	/* Of what was not limited for a while nothing is owed. */
	action = of_bytes(1000, 1000);
	ck_assert_int_eq(charge(&action, 0, 0, S), 0);
	action = of_requests(1);
	ck_assert_int_eq(charge(&action, 0, 0, S), 0);
}
END_TEST

/* Bytes that may pass at once; negative: a debt. */
START_TEST(it_lets_pass_what_a_model_does)
{
	for (uint64_t seed = 0; seed < 200; seed++) {
		uint64_t random = seed;
		uint64_t rate = random_between(&random, 1000, 2000000000);
		double burst = random_between(&random, 1, 100000000);
		struct lp_rule_action action = of_bytes(rate, (uint64_t)burst);
		double level = burst, shown, wanted;
		int64_t now = S;
		struct lp_bucket *bucket =
		    lp_buckets_take(&buckets, (uint32_t)seed, &action, 0, now);

		for (unsigned step = 0; step < 300; step++) {
			uint32_t bytes = random_between(&random, 0, 2000000);
			int64_t more =
			    random_between(&random, 0, 2 * bytes) + 1;

			now += more;
			level += (double)more * (double)rate / S;
			if (level > burst)
				level = burst;
			level -= bytes;
			lp_buckets_charge(&buckets, bucket, 1, bytes, now);
			shown = (double)lp_buckets_wait(bucket, now);
			if (level < -(double)rate * (LP_BUCKETS_DEBT_S - 1))
				break;
			wanted = level < 0 ? -level / (double)rate * S : 0;
			ensure(shown >= wanted - 2 - step &&
				shown <= wanted + 2 + step,
			    "seed %lu: step %u: %f, not %f", (long)seed, step,
			    shown, wanted);
		}
	}
}
END_TEST

/* ---- places -------------------------------------------------------------- */

static struct lp_bucket *
take(uint32_t rule, uint64_t who, int64_t now_ns)
{
	struct lp_rule_action action = of_bytes(1000, 1000);

	return lp_buckets_take(&buckets, rule, &action, who, now_ns);
}

START_TEST(each_has_its_own)
{
	struct lp_bucket *one = take(RULE, 1, S), *other = take(RULE, 2, S);

	ck_assert_ptr_ne(one, other);
	ck_assert_ptr_ne(one, take(RULE, 0, S));
	ck_assert_ptr_ne(one, take(RULE + 1, 1, S));
	ck_assert_ptr_eq(one, take(RULE, 1, 2 * (int64_t)S));
	ck_assert_uint_eq(lp_buckets_used(&buckets), 4);
}
END_TEST

static void
fill(int64_t now_ns)
{
	for (uint64_t who = 1; who <= LP_BUCKETS_OF_ASKERS; who++)
		take(RULE, who, now_ns);
	ck_assert_uint_eq(buckets.shared, 0);
}

START_TEST(who_finds_no_place_shares_that_of_the_rule)
{
	struct lp_bucket *all = take(RULE, 0, S);

	fill(S);
	ck_assert_ptr_eq(take(RULE, UINT64_MAX, S), all);
	ck_assert_ptr_eq(take(RULE, UINT64_MAX - 1, S), all);
	ck_assert_uint_eq(buckets.shared, 2);
	/* Those who have one keep it. */
	ck_assert_ptr_ne(take(RULE, 1, S), all);
	ck_assert_uint_eq(buckets.shared, 2);
}
END_TEST

START_TEST(a_place_that_rests_is_given_to_others)
{
	const int64_t later = S + (int64_t)LP_BUCKETS_IDLE_S * S;
	struct lp_bucket *second;
	struct lp_bucket_ref was;

	fill(S);
	second = take(RULE, 2, S);
	was = lp_buckets_ref(&buckets, second);
	ck_assert_ptr_eq(lp_buckets_get(&buckets, was), second);
	/* The first is used once more, and so the third is the oldest. */
	take(RULE, 1, later - 1);
	take(RULE, 2, later - 1);
	take(RULE, UINT64_MAX, later - 1);
	ck_assert_uint_eq(buckets.shared, 1);
	take(RULE, UINT64_MAX, later);
	ck_assert_uint_eq(buckets.shared, 1);
	ck_assert_ptr_eq(lp_buckets_get(&buckets, was), second);
	for (uint64_t who = 4; who <= LP_BUCKETS_OF_ASKERS; who++)
		take(RULE, UINT64_MAX - who, later);
	ck_assert_uint_eq(buckets.shared, 1);
	take(RULE, 3, later);
	ck_assert_uint_eq(buckets.shared, 2);
}
END_TEST

/* As by the answer to a Fetch that is charged a minute after it was asked. */
START_TEST(who_is_charged_keeps_its_place)
{
	const int64_t later = S + (int64_t)LP_BUCKETS_IDLE_S * S;
	struct lp_bucket *first = take(RULE, 1, S);
	struct lp_bucket_ref was = lp_buckets_ref(&buckets, first);

	fill(S);
	lp_buckets_charge(&buckets, first, 0, 5000, later);
	take(RULE, UINT64_MAX, later);
	ck_assert_ptr_eq(lp_buckets_get(&buckets, was), first);
	ck_assert_ptr_eq(take(RULE, 1, later), first);
	ck_assert_int_gt(lp_buckets_wait(first, later), 0);
}
END_TEST

START_TEST(a_reference_to_what_has_gone_is_none)
{
	const int64_t later = S + (int64_t)LP_BUCKETS_IDLE_S * S;
	struct lp_bucket *first = take(RULE, 1, S);
	struct lp_bucket_ref ref = lp_buckets_ref(&buckets, first);

	fill(S);
	ck_assert_ptr_eq(take(RULE, UINT64_MAX, later), first);
	ck_assert_ptr_null(lp_buckets_get(&buckets, ref));
	ck_assert_ptr_null(
	    lp_buckets_get(&buckets, (struct lp_bucket_ref){.index = 0}));
	ck_assert_ptr_null(lp_buckets_get(&buckets,
	    (struct lp_bucket_ref){.index = UINT32_MAX, .serial = 1}));
	/* Of another process. */
	lp_buckets_init(&buckets, 0);
	ref = lp_buckets_ref(&buckets, first);
	ref.serial += 1000;
	ck_assert_ptr_null(lp_buckets_get(&buckets, ref));
}
END_TEST

START_TEST(rules_always_have_a_place)
{
	struct lp_bucket *first = take(1, 0, S);

	for (uint32_t rule = 2; rule <= LP_BUCKETS_OF_RULES; rule++)
		take(rule, 0, S);
	take(1, 0, S);
	/* The one that was asked longest ago goes. */
	take(LP_BUCKETS_OF_RULES + 1, 0, S);
	ck_assert_ptr_eq(take(1, 0, S), first);
	ck_assert_uint_eq(buckets.shared, 0);
	ck_assert_uint_eq(lp_buckets_used(&buckets), LP_BUCKETS_OF_RULES);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("buckets");
	TCase *tcase = tcase_create("buckets");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_burst_passes_and_what_is_more_is_waited_for);
	tcase_add_test(
	    tcase, requests_have_a_burst_of_one_or_of_a_tenth_of_a_second);
	tcase_add_test(tcase, of_two_limits_the_longer_wait_holds);
	tcase_add_test(
	    tcase, the_time_before_the_machine_was_up_counts_for_a_burst);
	tcase_add_test(tcase, no_debt_is_longer_than_its_limit);
	tcase_add_test(tcase, another_rate_holds_from_then_on);
	tcase_add_test(tcase, another_rate_of_requests_likewise);
	tcase_add_test(tcase, it_lets_pass_what_a_model_does);
	tcase_add_test(tcase, each_has_its_own);
	tcase_add_test(tcase, who_finds_no_place_shares_that_of_the_rule);
	tcase_add_test(tcase, a_place_that_rests_is_given_to_others);
	tcase_add_test(tcase, who_is_charged_keeps_its_place);
	tcase_add_test(tcase, a_reference_to_what_has_gone_is_none);
	tcase_add_test(tcase, rules_always_have_a_place);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
