/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/log.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/reasons.h"

enum { TEXT_SIZE = 4096 };

static int out[2];

static void
setup(void)
{
	ck_assert_int_eq(pipe(out), 0);
	ck_assert_int_ge(dup2(out[1], STDERR_FILENO), 0);
}

/* What was written to stderr since. */
static const char *
written(char text[TEXT_SIZE])
{
	ssize_t len = read(out[0], text, TEXT_SIZE - 1);

	ck_assert_int_ge(len, 0);
	text[len] = '\0';
	return text;
}

START_TEST(lines_start_with_their_priority)
{
	char text[TEXT_SIZE];

	lp_log_init("test", true);
	lp_log_error("a %d", 1);
	ck_assert_str_eq(written(text), "<3>a 1\n");
	lp_log_warn("b");
	ck_assert_str_eq(written(text), "<4>b\n");
	lp_log_info("c");
	ck_assert_str_eq(written(text), "<6>c\n");
	lp_log_debug("d");
	ck_assert_str_eq(written(text), "<7>d\n");
}
END_TEST

START_TEST(debug_needs_verbose)
{
	char text[TEXT_SIZE];

	lp_log_init("test", false);
	lp_log_debug("hidden");
	lp_log_info("shown");
	ck_assert_str_eq(written(text), "<6>shown\n");
}
END_TEST

START_TEST(a_text_cannot_start_a_line_of_its_own)
{
	char text[TEXT_SIZE];

	lp_log_init("test", false);
	lp_log_info("%s", "a\n<3>b\x1b[2J\x7f\t\xc3\xa4");
	ck_assert_str_eq(written(text), "<6>a <3>b [2J  \xc3\xa4\n");
}
END_TEST

START_TEST(a_long_text_is_still_one_line)
{
	char text[TEXT_SIZE], *longer = malloc(5001);

	memset(longer, 'x', 5000);
	longer[5000] = '\0';
	lp_log_init("test", false);
	lp_log_info("%s", longer);
	ck_assert_uint_eq(strlen(written(text)), 1024);
	ck_assert_ptr_eq(strchr(text, '\n'), text + 1023);
	free(longer);
}
END_TEST

START_TEST(every_reason_has_a_name_of_its_own)
{
	for (unsigned i = 0; i < LP_REASON_COUNT; i++) {
		ck_assert_uint_gt(strlen(lp_reason_name(i)), 0);
		ck_assert_uint_gt(strlen(lp_reason_text(i)), 0);
		for (unsigned j = 0; j < i; j++)
			ck_assert_str_ne(lp_reason_name(i), lp_reason_name(j));
	}
	ck_assert_str_eq(lp_reason_name(LP_REASON_TTL), "ttl");
	for (unsigned i = 0; i < LP_VERDICTS; i++)
		ck_assert_uint_gt(strlen(lp_verdict_name(i)), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("log");
	TCase *tests = tcase_create("log");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, lines_start_with_their_priority);
	tcase_add_test(tests, debug_needs_verbose);
	tcase_add_test(tests, a_text_cannot_start_a_line_of_its_own);
	tcase_add_test(tests, a_long_text_is_still_one_line);
	tcase_add_test(tests, every_reason_has_a_name_of_its_own);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
