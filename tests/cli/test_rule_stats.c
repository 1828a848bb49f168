/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule-stats, from the command line to what is printed, against the files in
 * golden/ where that is long (see test_output.c).
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cli/line.h"
#include "cli/view_rule_stats.h"
#include "tests/cli/support.h"

static void
add_frame(struct support_bytes *bytes, const char *dataplane,
    Lp__Pb__RuleStats **rules, size_t count, bool more)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__RuleCountersReply body = LP__PB__RULE_COUNTERS_REPLY__INIT;
	Lp__Pb__RuleStatsReply stats = LP__PB__RULE_STATS_REPLY__INIT;

	stats.has_time_ns = stats.has_running = true;
	stats.time_ns = SUPPORT_NOW_NS;
	stats.running = 120;
	stats.rules = rules;
	stats.n_rules = count;
	body.dataplane = (char *)dataplane;
	body.stats = &stats;
	reply.cookie = SUPPORT_COOKIE;
	reply.has_more = reply.more = more;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_RULES;
	reply.rules = &body;
	support_bytes_add(bytes, &reply);
}

enum { RULES = 4 };

static void
make_rules(Lp__Pb__RuleStats rules[RULES], Lp__Pb__RuleStats *list[RULES])
{
	static const struct {
		const char *name, *match, *action;
		uint32_t priority;
		bool shadow;
		uint64_t connections, requests, bytes, refused, delayed, ns;
	} rows[RULES] = {
	    {"scan", "src=10.66.0.0/16", "reset", 900, false, 12, 0, 0, 12, 0,
		0},
	    {"slow", "api=Produce topic=audit.*",
		"limit bytes=50MB/s per=client_id", 400, false, 0, 1234567,
		98765432100, 0, 54321, 6543210987654},
	    /* Its configuration knows it no more. */
	    {NULL, NULL, NULL, 400, false, 3, 1, 60, 0, 0, 0},
	    {"rest", "", "observe", 5, false, 18000000000, 1, 999, 0, 0, 0},
	};

	for (unsigned i = 0; i < RULES; i++) {
		Lp__Pb__RuleStats *rule = &rules[i];

		lp__pb__rule_stats__init(rule);
		rule->has_id = rule->has_priority = rule->has_shadow = true;
		rule->has_connections = rule->has_requests = true;
		rule->has_request_bytes = rule->has_refused = true;
		rule->has_delayed = rule->has_delayed_ns = true;
		rule->id = i + 7;
		rule->name = (char *)rows[i].name;
		rule->match = (char *)rows[i].match;
		rule->action = (char *)rows[i].action;
		rule->priority = rows[i].priority;
		rule->shadow = rows[i].shadow;
		rule->connections = rows[i].connections;
		rule->requests = rows[i].requests;
		rule->request_bytes = rows[i].bytes;
		rule->refused = rows[i].refused;
		rule->delayed = rows[i].delayed;
		rule->delayed_ns = rows[i].ns;
		list[i] = rule;
	}
}

/* Two dataplanes, whose frames come mixed; nothing has matched at one. */
static void
make_reply(struct support_bytes *bytes, bool more)
{
	Lp__Pb__RuleStats rules[RULES], *list[RULES];

	bytes->len = 0;
	make_rules(rules, list);
	add_frame(bytes, "edge-1", list, 3, true);
	add_frame(bytes, "edge-2", NULL, 0, true);
	add_frame(bytes, "edge-1", list + 3, 1, more);
}

static const struct {
	const char *name;
	const char *line;
} pages[] = {
    {"rule-stats", "rule-stats"},
    {"rule-stats-all", "rule-stats --all"},
    {"rule-stats-named", "rule-stats scan slow lost rest gone scan"},
};
enum { PAGES = sizeof(pages) / sizeof(pages[0]) };

static void
check_page(size_t page, const char *ending)
{
	static struct support_bytes bytes;

	make_reply(&bytes, false);
	support_page(&bytes, pages[page].name, pages[page].line, ending);
}

START_TEST(text_is_as_it_was)
{
	check_page((size_t)_i, "txt");
}
END_TEST

START_TEST(json_is_as_it_was)
{
	check_page((size_t)_i, "json");
}
END_TEST

START_TEST(wrong_words_are_named)
{
	static const struct {
		const char *line;
		const char *text;
	} rows[] = {
	    {"rule-stats --watch=0", "--watch: \"0\" is no number"},
	    {"rule-stats a --watch=1x", "--watch: \"1x\" is no number"},
	    {"rule-stats --limit 1", "--limit"},
	    {"rule-stats 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 "
	     "18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33",
		"more than 32 words"},
	    {"list-rules a", "unexpected word \"a\""},
	    {"stats kafka kafka", "unexpected word \"kafka\""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		support_misuse(rows[i].line, rows[i].text);
}
END_TEST

/* As many as one question takes; options may stand between them. */
START_TEST(as_many_rules_as_there_is_room_for_are_taken)
{
	struct support_output out;
	struct support_argv words;
	struct lp_lpctl lpctl;
	struct lp_line line;
	struct lp_error error;

	support_output_open(&out);
	support_lpctl(&lpctl, "/none", &out, NULL);
	support_argv(&words,
	    "rule-stats 1 2 3 --all 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 "
	    "19 20 21 22 23 24 25 26 27 28 29 30 31 32");
	ck_assert_int_eq(
	    lp_line_parse(&line, &lpctl, words.argc, words.argv, &error),
	    LP_EXIT_OK);
	ck_assert_str_eq(line.commands[0].operands[0], "1");
	ck_assert_str_eq(line.commands[0].operands[31], "32");
	ck_assert(lp_command_given(&line.commands[0], LP_OPTION_ALL));
	lp_line_fini(&line);
	support_output_close(&out);
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
	static struct support_bytes bytes;
	struct support_output out;
	struct lp_error error;

	bytes.len = 0;
	support_reply_failure(&bytes, LP__PB__FAILURE__RESULT__REFUSED, 0, NULL,
	    NULL, "there is no rule scna (did you mean scan?)");
	support_output_open(&out);
	ck_assert_int_eq(
	    support_run("rule-stats scna", &bytes, 1, &out, NULL, &error),
	    LP_EXIT_REFUSED);
	ck_assert_ptr_nonnull(strstr(error.text, "did you mean scan?"));
	ck_assert_str_eq(support_output_text(&out), "");
	support_output_close(&out);
}
END_TEST

/* One dataplane is too old: what the others say is worth having. */
START_TEST(a_part_of_the_answer_is_shown)
{
	static struct support_bytes bytes;
	struct support_output out;
	struct lp_error error;

	make_reply(&bytes, true);
	support_reply_failure(&bytes, LP__PB__FAILURE__RESULT__UNREACHABLE, 0,
	    NULL, NULL, "edge-3 is too old");
	support_output_open(&out);
	ck_assert_int_eq(
	    support_run("rule-stats", &bytes, 1, &out, NULL, &error),
	    LP_EXIT_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(error.text, "edge-3 is too old"));
	ck_assert_ptr_nonnull(
	    strstr(support_output_text(&out), "dataplane edge-2"));
	support_output_close(&out);
}
END_TEST

START_TEST(watching_goes_on_when_a_round_fails)
{
	static struct support_bytes rounds[4];
	struct support_output out, err;
	struct lp_error error;
	const char *text;

	make_reply(&rounds[0], false);
	support_reply_failure(&rounds[1], LP__PB__FAILURE__RESULT__TIMEOUT, 0,
	    NULL, NULL, "no answer");
	make_reply(&rounds[2], false);
	support_reply_failure(&rounds[3], LP__PB__FAILURE__RESULT__REFUSED, 0,
	    NULL, NULL, "refused");
	support_output_open(&out);
	support_output_open(&err);
	ck_assert_int_eq(
	    support_run("rule-stats --watch", rounds, 4, &out, &err, &error),
	    LP_EXIT_REFUSED);
	ck_assert_str_eq(support_output_text(&err),
	    "lpctl: no answer; trying again every 1 s\n");
	text = strstr(support_output_text(&out), "dataplane edge-1");
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_nonnull(strstr(text + 1, "dataplane edge-1"));
	support_output_close(&out);
	support_output_close(&err);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rule-stats");
	TCase *tcase = tcase_create("rule-stats");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, text_is_as_it_was, 0, PAGES);
	tcase_add_loop_test(tcase, json_is_as_it_was, 0, PAGES);
	tcase_add_test(tcase, wrong_words_are_named);
	tcase_add_test(tcase, as_many_rules_as_there_is_room_for_are_taken);
	tcase_add_test(tcase, what_is_wrong_is_said);
	tcase_add_test(tcase, a_part_of_the_answer_is_shown);
	tcase_add_test(tcase, watching_goes_on_when_a_round_fails);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
