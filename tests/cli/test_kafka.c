/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats kafka, clients and topics, from the command line to what is printed,
 * against the files in golden/ where that is long (see test_output.c).
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cli/units.h"
#include "cli/view_kafka.h"
#include "tests/cli/support.h"

static const struct {
	const char *name;
	const char *line;
} pages[] = {
    {"kafka-stats", "stats kafka"},
    {"kafka-stats-all", "stats kafka --all"},
    {"kafka-clients", "clients"},
    {"kafka-clients-limit", "clients --sort bytes --limit 2"},
    {"kafka-clients-prefix", "clients app- --sort=name"},
    {"kafka-topics", "topics"},
    {"kafka-topics-prefix", "topics orders --sort bytes --limit 1"},
};
enum { PAGES = sizeof(pages) / sizeof(pages[0]) };

static void
check_page(size_t page, const char *ending)
{
	static struct support_bytes bytes;

	bytes.len = 0;
	support_reply_kafka(&bytes);
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
	    {"stats kaffka", "stats: there are none of \"kaffka\""},
	    {"stats kafka --watch=0", "--watch: \"0\" is no number"},
	    {"clients --sort size", "--sort: \"size\" is none of: requests"},
	    {"clients --sort p9", "--sort: \"p9\" is none of"},
	    {"clients --limit 0", "--limit: \"0\" is no number from 1"},
	    {"topics --sort idle", "--sort: \"idle\" is known of clients"},
	    {"topics --sort in-flight", "--sort: \"in-flight\" is known"},
	    {"topics --limit -1", "--limit: \"-1\" is no number from 1"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		support_misuse(rows[i].line, rows[i].text);
}
END_TEST

/* The first word of each row but the titles and the line below the table. */
static void
first_words(char *words, size_t size, const char *text)
{
	size_t len = 0;

	words[0] = '\0';
	for (text = strchr(text, '\n') + 1; (text = strchr(text, '\n') + 1);) {
		size_t word = strcspn(text, " ");

		if (strncmp(text, "512 of", 6) == 0 ||
		    strncmp(text, "4 of", 4) == 0)
			break;
		len += (size_t)snprintf(words + len, size - len, "%s%.*s",
		    len > 0 ? " " : "", (int)word, text);
	}
}

START_TEST(each_key_has_its_order)
{
	static const struct {
		const char *line;
		const char *order;
	} rows[] = {
	    {"clients --sort requests",
		"(null) \"\" svc\\x00\\xff app-a app-b"},
	    {"clients --sort bytes", "app-b app-a svc\\x00\\xff \"\" (null)"},
	    {"clients --sort errors", "app-a (null) \"\" app-b svc\\x00\\xff"},
	    {"clients --sort in-flight",
		"\"\" app-a app-b (null) svc\\x00\\xff"},
	    {"clients --sort throttled",
		"svc\\x00\\xff app-b \"\" (null) app-a"},
	    {"clients --sort idle", "svc\\x00\\xff app-b \"\" (null) app-a"},
	    {"clients --sort max", "svc\\x00\\xff app-b \"\" (null) app-a"},
	    {"clients --sort name", "(null) \"\" app-a app-b svc\\x00\\xff"},
	    {"topics --sort requests", "orders.dead audit orders payments"},
	    {"topics --sort bytes", "orders orders.dead payments audit"},
	    {"topics --sort errors", "orders orders.dead payments audit"},
	    {"topics --sort p50", "orders.dead audit orders payments"},
	    {"topics --sort p99.99", "orders.dead audit orders payments"},
	    {"topics --sort name", "audit orders orders.dead payments"},
	};
	static struct support_bytes bytes;
	struct support_output out;
	struct lp_error error;
	char words[256], want[256];

	bytes.len = 0;
	support_reply_kafka(&bytes);
	support_output_open(&out);
	ck_assert_int_eq(
	    support_run(rows[_i].line, &bytes, 1, &out, NULL, &error),
	    LP_EXIT_OK);
	first_words(words, sizeof(words), support_output_text(&out));
	(void)snprintf(want, sizeof(want), "%s (others)%s", rows[_i].order,
	    strncmp(rows[_i].line, "clients", 7) == 0 ? " (evicted)" : "");
	ck_assert_str_eq(words, want);
	support_output_close(&out);
}
END_TEST
enum { ORDERS = 14 };

/* Of an answer that ends with a failure, the reason. */
START_TEST(what_is_wrong_is_said)
{
	static struct support_bytes bytes;
	struct support_output out;
	struct lp_error error;

	bytes.len = 0;
	support_reply_failure(&bytes, LP__PB__FAILURE__RESULT__UNREACHABLE, 0,
	    NULL, NULL, "no dataplane is connected");
	support_output_open(&out);
	ck_assert_int_eq(support_run("topics", &bytes, 1, &out, NULL, &error),
	    LP_EXIT_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(error.text, "no dataplane is connected"));
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

	bytes.len = 0;
	support_reply_kafka_part(&bytes);
	support_reply_failure(&bytes, LP__PB__FAILURE__RESULT__UNREACHABLE, 0,
	    NULL, NULL, "edge-3 is too old");
	support_output_open(&out);
	ck_assert_int_eq(support_run("clients", &bytes, 1, &out, NULL, &error),
	    LP_EXIT_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(error.text, "edge-3 is too old"));
	ck_assert_ptr_nonnull(
	    strstr(support_output_text(&out), "dataplane edge-2"));
	support_output_close(&out);
}
END_TEST

/* Daemons are started again; only what is wrong in itself ends it. */
START_TEST(watching_goes_on_when_a_round_fails)
{
	static struct support_bytes rounds[4];
	struct support_output out, err;
	struct lp_error error;
	const char *text;

	support_reply_kafka(&rounds[0]);
	support_reply_failure(&rounds[1], LP__PB__FAILURE__RESULT__TIMEOUT, 0,
	    NULL, NULL, "no answer");
	support_reply_kafka(&rounds[2]);
	support_reply_failure(&rounds[3], LP__PB__FAILURE__RESULT__REFUSED, 0,
	    NULL, NULL, "refused");
	support_output_open(&out);
	support_output_open(&err);
	ck_assert_int_eq(
	    support_run("clients --watch", rounds, 4, &out, &err, &error),
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

/* What a daemon sends need not make sense. */
START_TEST(a_histogram_that_cannot_be_is_harmless)
{
	uint32_t buckets[] = {5, LP_HISTOGRAM_BUCKETS, UINT32_MAX, 7};
	uint64_t counts[] = {1, 2, 4};
	Lp__Pb__Histogram message = LP__PB__HISTOGRAM__INIT;
	struct lp_histogram_view view = {0};

	message.buckets = buckets;
	message.n_buckets = 4;
	message.counts = counts;
	message.n_counts = 3;
	message.max_ns = 9;
	lp_view_kafka_add(&view, &message);
	lp_view_kafka_add(&view, NULL);
	ck_assert_uint_eq(view.count, 1);
	ck_assert_uint_eq(view.counts[5], 1);
	ck_assert_uint_eq(view.counts[7], 0);
	ck_assert_uint_eq(view.max_ns, 9);
}
END_TEST

START_TEST(numbers_have_three_digits_and_a_unit)
{
	static const struct {
		uint64_t value;
		const char *time;
		const char *bytes;
	} rows[] = {
	    {0, "0ns", "0B"},
	    {999, "999ns", "999B"},
	    {1000, "1.00us", "1.00kB"},
	    {1239, "1.23us", "1.23kB"},
	    {9999, "9.99us", "9.99kB"},
	    {12345, "12.3us", "12.3kB"},
	    {123456, "123us", "123kB"},
	    {999999, "999us", "999kB"},
	    {4560000, "4.56ms", "4.56MB"},
	    {1005000000, "1.00s", "1.00GB"},
	    {999999999999, "999s", "999GB"},
	    {1023000000000, "17min3s", "1.02TB"},
	    {UINT64_MAX, "307445734min33s", "18.4EB"},
	};
	char buf[LP_UNITS_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_str_eq(
		    lp_units_time(buf, rows[i].value), rows[i].time);
		ck_assert_str_eq(
		    lp_units_bytes(buf, rows[i].value), rows[i].bytes);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("kafka");
	TCase *tcase = tcase_create("kafka");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, text_is_as_it_was, 0, PAGES);
	tcase_add_loop_test(tcase, json_is_as_it_was, 0, PAGES);
	tcase_add_test(tcase, wrong_words_are_named);
	tcase_add_loop_test(tcase, each_key_has_its_order, 0, ORDERS);
	tcase_add_test(tcase, what_is_wrong_is_said);
	tcase_add_test(tcase, a_part_of_the_answer_is_shown);
	tcase_add_test(tcase, watching_goes_on_when_a_round_fails);
	tcase_add_test(tcase, a_histogram_that_cannot_be_is_harmless);
	tcase_add_test(tcase, numbers_have_three_digits_and_a_unit);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
