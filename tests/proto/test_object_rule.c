/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/object_rule.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "objects.h"

static void
is_refused(struct lp_object rule, const char *in_field, const char *because)
{
	const char *field = "";
	char why[LP_WHY_SIZE] = "";

	ck_assert_int_eq(lp_object_check(&rule, &field, why), -EINVAL);
	ck_assert_str_eq(field, in_field);
	ck_assert_str_eq(why, because);
}

START_TEST(good_rules_pass)
{
	static const char *const rows[][2] = {
	    {"", "observe"},
	    {"api=Produce,Fetch topic=pay*", "deny"},
	    {"src=10.0.0.0/8", "reset"},
	    {"client_id=\"batch 7\"", "limit bytes=50MB/s per=client_id"},
	};
	const char *field = "";
	char why[LP_WHY_SIZE] = "";
	struct lp_object rule =
	    make_rule(1, "r", 65535, rows[_i][0], rows[_i][1]);

	ck_assert_msg(
	    lp_object_check(&rule, &field, why) == 0, "%s: %s", field, why);
}
END_TEST

START_TEST(bad_rules_are_refused_with_their_place)
{
	is_refused(
	    make_rule(1, "", 1, "", "observe"), "name", "is missing or empty");
	is_refused(make_rule(1, "r", 65536, "", "observe"), "priority",
	    "65536 is not 0..65535");
	is_refused(make_rule(1, "r", 1, "topic=a fooo=1", "observe"), "match",
	    "column 9: \"fooo\" is no field: did you mean from?");
	is_refused(make_rule(1, "r", 1, "", "obserf"), "action",
	    "column 1: \"obserf\" is no verdict: did you mean observe?");
	is_refused(make_rule(1, "r", 1, "", ""), "action",
	    "column 1: a verdict is missing: there are allow, deny, reset, "
	    "limit, "
	    "observe, no_create, route");
}
END_TEST

/* One text for one meaning, wherever it is stored or sent. */
START_TEST(texts_that_are_not_canonical_are_refused)
{
	is_refused(make_rule(1, "r", 1, "topic=a api=fetch", "observe"),
	    "match", "is not in its canonical form: api=Fetch topic=a");
	is_refused(make_rule(1, "r", 1, "", "allow  dscp=8"), "action",
	    "is not in its canonical form: allow dscp=8");
}
END_TEST

START_TEST(texts_become_canonical)
{
	struct lp_object rule =
	    make_rule(1, "r", 1, "topic=a   api=fetch", "  observe");
	struct lp_object same =
	    make_rule(1, "r", 1, "api=Fetch topic=a", "observe");
	const char *field;
	char why[LP_WHY_SIZE];

	ck_assert_int_eq(lp_object_rule_normalise(&rule.rule, &field, why), 0);
	ck_assert_str_eq(rule.rule.match, same.rule.match);
	/* Nothing is left behind the shorter text. */
	ck_assert_mem_eq(&rule.rule, &same.rule, sizeof(same.rule));
	strcpy(rule.rule.action, "allo");
	ck_assert_int_eq(
	    lp_object_rule_normalise(&rule.rule, &field, why), -EINVAL);
	ck_assert_str_eq(field, "action");
	ck_assert_str_eq(rule.rule.match, same.rule.match);
}
END_TEST

START_TEST(the_highest_priority_is_first_and_of_equals_the_oldest)
{
	struct lp_object old = make_rule(1, "a", 5, "", "observe");
	struct lp_object high = make_rule(2, "b", 6, "", "observe");
	struct lp_object equal = make_rule(3, "c", 5, "", "observe");

	ck_assert_int_lt(lp_object_rule_order(&high, &old), 0);
	ck_assert_int_gt(lp_object_rule_order(&old, &high), 0);
	ck_assert_int_lt(lp_object_rule_order(&old, &equal), 0);
	ck_assert_int_gt(lp_object_rule_order(&equal, &old), 0);
	ck_assert_int_eq(lp_object_rule_order(&old, &old), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("object_rule");
	TCase *tests = tcase_create("object_rule");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, good_rules_pass, 0, 4);
	tcase_add_test(tests, bad_rules_are_refused_with_their_place);
	tcase_add_test(tests, texts_that_are_not_canonical_are_refused);
	tcase_add_test(tests, texts_become_canonical);
	tcase_add_test(
	    tests, the_highest_priority_is_first_and_of_equals_the_oldest);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
