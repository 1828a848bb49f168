/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/wheel.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/pipeline/limits.h"

enum { COUNT = 200, START = 1000 };

static struct lp_wheel wheel;
static void *memory;

static void
begin(uint32_t now_s)
{
	struct lp_arena arena = {.base = NULL};

	free(memory);
	lp_wheel_carve(&wheel, &arena, COUNT);
	memory = aligned_alloc(64, (arena.used + 63) & ~63ul);
	ck_assert_ptr_nonnull(memory);
	arena = (struct lp_arena){.base = memory};
	lp_wheel_carve(&wheel, &arena, COUNT);
	lp_wheel_init(&wheel, now_s);
}

static void
setup(void)
{
	begin(START);
}

static void
teardown(void)
{
	free(memory);
	memory = NULL;
}

START_TEST(an_index_comes_out_once_its_second_is_over)
{
	lp_wheel_put(&wheel, 7, START + 30);
	ck_assert_uint_eq(lp_wheel_pop(&wheel, START + 30), LP_WHEEL_NONE);
	ck_assert_uint_eq(lp_wheel_pop(&wheel, START + 31), 7);
	ck_assert_uint_eq(lp_wheel_pop(&wheel, START + 100), LP_WHEEL_NONE);
}
END_TEST

START_TEST(a_time_in_the_past_is_due_at_once)
{
	lp_wheel_put(&wheel, 7, START - 500);
	ck_assert_uint_eq(lp_wheel_pop(&wheel, START + 1), 7);
}
END_TEST

START_TEST(an_index_is_moved_and_removed)
{
	lp_wheel_put(&wheel, 1, START + 10);
	lp_wheel_put(&wheel, 2, START + 10);
	lp_wheel_put(&wheel, 3, START + 10);
	lp_wheel_put(&wheel, 2, START + 20);
	lp_wheel_remove(&wheel, 1);
	lp_wheel_remove(&wheel, 1);
	lp_wheel_remove(&wheel, 99);
	ck_assert_uint_eq(lp_wheel_pop(&wheel, START + 11), 3);
	ck_assert_uint_eq(lp_wheel_pop(&wheel, START + 20), LP_WHEEL_NONE);
	ck_assert_uint_eq(lp_wheel_pop(&wheel, START + 21), 2);
}
END_TEST

START_TEST(beyond_one_turn_an_index_comes_early_and_not_late)
{
	lp_wheel_put(&wheel, 5, START + 3 * LP_WHEEL_SLOTS);
	ck_assert_uint_eq(
	    lp_wheel_pop(&wheel, START + LP_WHEEL_SLOTS - 1), LP_WHEEL_NONE);
	ck_assert_uint_eq(lp_wheel_pop(&wheel, START + LP_WHEEL_SLOTS), 5);
}
END_TEST

START_TEST(the_longest_timer_fits_one_turn)
{
	ck_assert_int_lt(LP_TIMEOUT_ESTABLISHED_S, LP_WHEEL_SLOTS);
}
END_TEST

START_TEST(it_knows_how_long_it_has_nothing_to_hand_out)
{
	begin(START);
	ck_assert_uint_eq(lp_wheel_wait(&wheel, START, 1000), 1000);
	lp_wheel_put(&wheel, 3, START + 20);
	ck_assert_uint_eq(lp_wheel_wait(&wheel, START, 1000), 21);
	ck_assert_uint_eq(lp_wheel_wait(&wheel, START, 10), 10);
	/* What has not been looked at may have some. */
	ck_assert_uint_eq(lp_wheel_wait(&wheel, START + 5, 1000), 0);
	ck_assert_uint_eq(lp_wheel_pop(&wheel, START + 5), LP_WHEEL_NONE);
	ck_assert_uint_eq(lp_wheel_wait(&wheel, START + 5, 1000), 16);
	ck_assert_uint_eq(lp_wheel_pop(&wheel, START + 21), 3);
	ck_assert_uint_eq(lp_wheel_pop(&wheel, START + 21), LP_WHEEL_NONE);
	ck_assert_uint_eq(lp_wheel_wait(&wheel, START + 21, 7), 7);
}
END_TEST

/* Against the plainest of all timers; also where seconds wrap. */
START_TEST(random_timers_all_come_in_their_second)
{
	uint32_t now = _i ? UINT32_MAX - 3000 : START;
	uint32_t due[COUNT], random = 1 + _i;
	unsigned late = 0;

	begin(now);
	memset(due, 0, sizeof(due));
	for (unsigned step = 0; step < 8000; step++) {
		uint32_t index;

		for (unsigned i = 0; i < 4; i++) {
			random = random * 1664525 + 1013904223;
			index = (random >> 8) % COUNT;
			if (random >> 30 == 0) {
				lp_wheel_remove(&wheel, index);
				due[index] = 0;
			} else if (due[index] == 0) {
				due[index] = now + (random >> 16) % 7000;
				due[index] += due[index] == 0;
				lp_wheel_put(&wheel, index, due[index]);
			}
		}
		now++;
		while ((index = lp_wheel_pop(&wheel, now)) != LP_WHEEL_NONE) {
			ck_assert_uint_eq(due[index], now - 1);
			due[index] = 0;
		}
		/* One assertion for all: each is written down by Check. */
		for (unsigned i = 0; i < COUNT; i++)
			late += due[i] != 0 && (int32_t)(due[i] - now) < 0;
		ck_assert_uint_eq(late, 0);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("wheel");
	TCase *tests = tcase_create("wheel");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, an_index_comes_out_once_its_second_is_over);
	tcase_add_test(tests, a_time_in_the_past_is_due_at_once);
	tcase_add_test(tests, an_index_is_moved_and_removed);
	tcase_add_test(
	    tests, beyond_one_turn_an_index_comes_early_and_not_late);
	tcase_add_test(tests, the_longest_timer_fits_one_turn);
	tcase_add_test(tests, it_knows_how_long_it_has_nothing_to_hand_out);
	tcase_add_loop_test(
	    tests, random_timers_all_come_in_their_second, 0, 2);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
