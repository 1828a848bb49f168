/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the rows of "lpctl top", which strangers choose. */
#include <check.h>
#include <stdlib.h>

#include "cli/top_name.h"

START_TEST(names_cannot_steer_a_terminal)
{
	static const struct {
		const char *text;
		const char *name;
	} texts[] = {
	    {"plain-1.x_y", "plain-1.x_y"},
	    {"a b", "a b"},
	    {"", ""},
	    {"\033[2J", "\\x1b[2J"},
	    {"caf\xc3\xa9", "caf\\xc3\\xa9"},
	    {"\x7f\xff\n\t", "\\x7f\\xff\\x0a\\x09"},
	    {"a\\x41", "a\\x41"},
	    {"(null)", "\\x28null)"},
	    {"a(b", "a(b"},
	};
	char *name = lp_top_name_escape(texts[_i].text);

	ck_assert_str_eq(name, texts[_i].name);
	free(name);
}
END_TEST

START_TEST(filter_is_a_part_or_a_start_of_the_name)
{
	static const struct {
		const char *filter;
		bool billing; /* whether that name passes */
		bool cafe;
		bool others;
	} filters[] = {
	    {"", true, true, true},
	    {"billing", true, false, false},
	    {"BILL", true, false, false},
	    {"ling-1", true, false, false},
	    {"^bill", true, false, false},
	    {"^BILL", true, false, false},
	    {"^ling", false, false, false},
	    {"^", true, true, true},
	    {"caf\xc3\xa9", false, true, false}, /* as typed */
	    {"\\xc3", false, true, false}, /* as shown */
	    {"(", false, false, true},
	    {"nobody", false, false, false},
	    {"billing-1 and more", false, false, false},
	};
	char *cafe = lp_top_name_escape("caf\xc3\xa9");

	ck_assert(lp_top_name_matches("billing-1", filters[_i].filter) ==
	    filters[_i].billing);
	ck_assert(
	    lp_top_name_matches(cafe, filters[_i].filter) == filters[_i].cafe);
	ck_assert(lp_top_name_matches("(others)", filters[_i].filter) ==
	    filters[_i].others);
	free(cafe);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("top_name");
	TCase *tcase = tcase_create("top_name");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, names_cannot_steer_a_terminal, 0, 9);
	tcase_add_loop_test(
	    tcase, filter_is_a_part_or_a_start_of_the_name, 0, 13);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
