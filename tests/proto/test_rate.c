/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rate.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

START_TEST(a_burst_is_let_through_and_then_the_rate)
{
	struct lp_rate rate = {.per_s = 50, .burst = 3};
	uint64_t now_ms = 1000000;

	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(lp_rate_take(&rate, now_ms), 0);
	ck_assert_uint_eq(lp_rate_take(&rate, now_ms), 20);
	ck_assert_uint_eq(lp_rate_take(&rate, now_ms + 19), 1);
	ck_assert_uint_eq(lp_rate_take(&rate, now_ms + 20), 0);
	ck_assert_uint_eq(lp_rate_take(&rate, now_ms + 20), 20);
	/* What was not used for long is a burst, and not more. */
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(lp_rate_take(&rate, now_ms + 10000), 0);
	ck_assert_uint_eq(lp_rate_take(&rate, now_ms + 10000), 20);
}
END_TEST

/* 3 a second are not 1 each 333 ms: who waits as told is let through. */
START_TEST(who_waits_as_told_is_let_through)
{
	struct lp_rate rate = {.per_s = 3, .burst = 1};
	uint64_t now_ms = 1000000;
	unsigned taken = 0;

	while (now_ms < 1000000 + 60000) {
		unsigned wait_ms = lp_rate_take(&rate, now_ms);

		taken += wait_ms == 0;
		now_ms += wait_ms;
		if (wait_ms != 0)
			ck_assert_uint_eq(lp_rate_take(&rate, now_ms), 0);
		taken += wait_ms != 0;
	}
	ck_assert_uint_ge(taken, 178);
	ck_assert_uint_le(taken, 181);
}
END_TEST

START_TEST(none_is_no_limit)
{
	struct lp_rate rate = {0};

	for (unsigned i = 0; i < 1000; i++)
		ck_assert_uint_eq(lp_rate_take(&rate, 1), 0);
}
END_TEST

START_TEST(lines_that_are_missing_are_told)
{
	struct lp_rate_log log = {.rate = {.per_s = 1, .burst = 2}};
	char text[4096];
	ssize_t len;
	int out[2];

	ck_assert_int_eq(pipe(out), 0);
	ck_assert_int_ge(dup2(out[1], STDERR_FILENO), 0);
	lp_rate_warn(&log, 5000, "%s", "a");
	lp_rate_warn(&log, 5000, "b");
	for (unsigned i = 0; i < 5; i++)
		lp_rate_warn(&log, 5000, "c");
	lp_rate_warn(&log, 6000, "d %d", 1);
	lp_rate_warn(&log, 7000, "e");
	len = read(out[0], text, sizeof(text) - 1);
	ck_assert_int_gt(len, 0);
	text[len] = '\0';
	ck_assert_str_eq(text,
	    "<4>a\n<4>b\n"
	    "<4>d 1 (and 5 lines before it were not logged)\n<4>e\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rate");
	TCase *tests = tcase_create("rate");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, a_burst_is_let_through_and_then_the_rate);
	tcase_add_test(tests, who_waits_as_told_is_let_through);
	tcase_add_test(tests, none_is_no_limit);
	tcase_add_test(tests, lines_that_are_missing_are_told);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
