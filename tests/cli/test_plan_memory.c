/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of a plan fails once: it says so, and nothing is lost.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/cli/support_plan.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);

static unsigned fail_in; /* this allocation from now; 0: none */

static bool
fails(void)
{
	return fail_in > 0 && --fail_in == 0;
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fails() ? NULL : __real_reallocarray(old, count, size);
}

static const char *const before =
    "add port front device=eth1 address=10.9.0.10/24;"
    "add cluster payments; add cluster b; add cluster c same=b;"
    "add broker payments 1 to=10.9.0.21:9092;"
    "add listener payments public vip=10.9.0.100:9092;"
    "set broker payments 1 at=public@10.9.0.111:9092;"
    "add rule r priority=1 match=src=10.0.0.0/8 action=reset";
static const char *const wanted =
    "add port front device=eth1 address=10.9.0.10/24;"
    "add cluster payments; add cluster a; add cluster b same=a;"
    "add broker payments 1 to=10.9.0.21:9092;"
    "add broker payments 2 to=10.9.0.22:9092;"
    "add listener payments public vip=10.9.0.100:9092;"
    "set broker payments 2 at=public@10.9.0.112:9092;"
    "add rule s priority=1 match=src=10.0.0.0/8 action=reset";

START_TEST(a_plan_without_memory_says_so)
{
	const struct lp_plan_options options = {.prune = true};
	struct lp_config config;
	bool reached = true;
	unsigned failed = 0;

	support_plan_config(&config, before);
	for (unsigned n = 1; reached; n++) {
		struct lp_declaration declaration;
		struct lp_plan plan;
		int err;

		support_plan_declaration(&declaration, wanted, NULL);
		fail_in = n;
		err = lp_plan_make(&plan, support_plan_report, &declaration,
		    &config, &options);
		if (err == 0)
			err = lp_plan_check(
			    &plan, support_plan_report, &declaration, &config);
		reached = fail_in == 0;
		fail_in = 0;
		failed += err != 0;
		ck_assert(err == 0 || (err == -ENOMEM && reached));
		lp_plan_fini(&plan);
		lp_declaration_fini(&declaration);
		ck_assert_uint_eq(
		    lp_report_count(support_plan_report, LP_SEVERITY_ERROR), 0);
	}
	ck_assert_uint_gt(failed, 30);
	lp_config_fini(&config);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("plan_memory");
	TCase *tests = tcase_create("plan_memory");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(
	    tests, support_plan_setup, support_plan_teardown);
	tcase_add_test(tests, a_plan_without_memory_says_so);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
