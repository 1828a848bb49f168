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
	    {"\"\"", "\\x22\""},
	    {"a\"b", "a\"b"},
	};
	char *name = lp_top_name_escape(texts[_i].text);

	ck_assert_str_eq(name, texts[_i].name);
	free(name);
}
END_TEST

static void
expect_name(enum lp_top_view view, const struct lp_top_entry *entry,
    const char *expected)
{
	char *name = lp_top_name_of(view, entry);

	ck_assert_str_eq(name, expected);
	free(name);
}

START_TEST(names_of_us_are_not_those_of_strangers)
{
	Lp__Pb__KafkaClientStats client = LP__PB__KAFKA_CLIENT_STATS__INIT;
	Lp__Pb__KafkaApiStats api = LP__PB__KAFKA_API_STATS__INIT;
	const struct lp_top_entry of_client = {.client = &client};
	const struct lp_top_entry of_api = {.api = &api};

	expect_name(LP_TOP_CLIENTS, &of_client, "(null)");
	client.client_id = "";
	expect_name(LP_TOP_CLIENTS, &of_client, "\"\"");
	client.client_id = "\"\"";
	expect_name(LP_TOP_CLIENTS, &of_client, "\\x22\"");
	client.client_id = NULL;
	client.has_other = client.other = true;
	expect_name(LP_TOP_CLIENTS, &of_client, "(others)");
	client.has_evicted = client.evicted = true;
	expect_name(LP_TOP_CLIENTS, &of_client, "(evicted)");
	api.has_api_key = api.has_other = api.other = true;
	for (int view = LP_TOP_BROKERS; view < LP_TOP_VIEWS; view++)
		expect_name(view, &of_api, "(others)");
	api.has_other = api.other = false;
	expect_name(LP_TOP_APIS, &of_api, "key 0");
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
	tcase_add_loop_test(tcase, names_cannot_steer_a_terminal, 0, 11);
	tcase_add_test(tcase, names_of_us_are_not_those_of_strangers);
	tcase_add_loop_test(
	    tcase, filter_is_a_part_or_a_start_of_the_name, 0, 13);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
