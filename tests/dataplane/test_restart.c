/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/restart.h"

#include "tests/dataplane/cold.h"

START_TEST(first_deaths_cost_no_time)
{
	struct lp_restart restart = {0};
	unsigned delay_ms = 1;

	for (uint64_t i = 0; i < LP_RESTART_AT_ONCE; i++) {
		ck_assert(lp_restart_allow(&restart, 1000 + i, &delay_ms));
		ck_assert_uint_eq(delay_ms, 0);
	}
	ck_assert(lp_restart_allow(&restart, 2000, &delay_ms));
	ck_assert_uint_eq(delay_ms, LP_RESTART_DELAY_MS);
	ck_assert(lp_restart_allow(&restart, 2001, &delay_ms));
	ck_assert_uint_eq(delay_ms, 2 * LP_RESTART_DELAY_MS);
}
END_TEST

START_TEST(budget_of_a_window_is_limited)
{
	struct lp_restart restart = {0};
	unsigned delay_ms;

	for (uint64_t i = 0; i < LP_RESTART_MAX; i++)
		ck_assert(lp_restart_allow(&restart, 1000 + i, &delay_ms));
	ck_assert_uint_le(delay_ms, LP_RESTART_DELAY_MAX_MS);
	ck_assert(!lp_restart_allow(&restart, 1100, &delay_ms));
}
END_TEST

START_TEST(old_deaths_are_forgotten)
{
	struct lp_restart restart = {0};
	unsigned delay_ms;

	for (uint64_t i = 0; i < 100; i++) {
		uint64_t now_ms = 1000 + i * LP_RESTART_WINDOW_MS;

		ck_assert(lp_restart_allow(&restart, now_ms, &delay_ms));
		ck_assert_uint_eq(delay_ms, 0);
	}
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    first_deaths_cost_no_time,
	    budget_of_a_window_is_limited,
	    old_deaths_are_forgotten,
	    NULL,
	};

	return cold_run("restart", tests);
}
