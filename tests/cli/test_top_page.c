/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of "lpctl top" after some keys, against golden/top-*.txt (see
 * test_output.c), and keys one by one.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/line.h"
#include "cli/output.h"
#include "tests/cli/support_top.h"

static struct lp_top_model model;
static struct lp_top_rows rows;
static struct lp_top_page page;
static struct lp_top_state state;

static void
setup(void)
{
	model = (struct lp_top_model){0};
	rows = (struct lp_top_rows){0};
	page = (struct lp_top_page){0};
	state = (struct lp_top_state){.choice.sort = LP_TOP_REQUESTS};
}

static void
teardown(void)
{
	lp_top_page_fini(&page);
	lp_top_model_rows_fini(&rows);
	lp_top_model_fini(&model);
}

static void
feed(uint64_t round, unsigned extra)
{
	static struct support_bytes bytes;
	struct lp_replies replies;

	bytes.len = 0;
	support_top_kafka(&bytes, "edge-1", round, extra, false);
	support_replies(&replies, &bytes);
	ck_assert_int_eq(lp_top_model_feed(&model, &replies), 0);
}

static void
press(int key)
{
	(void)lp_top_state_key(&state, key, lp_top_page_lines(&page));
	lp_top_model_rows_fini(&rows);
	ck_assert_int_eq(lp_top_model_rows(&rows, &model, &state.choice), 0);
	lp_top_state_clamp(&state, rows.count, lp_top_page_lines(&page));
}

static void
press_all(const char *keys)
{
	/* Rows are there before the first key. */
	press(LP_TOP_KEY_NONE);
	for (; *keys != '\0'; keys++)
		press((unsigned char)*keys);
}

static void
draw(const char *trouble)
{
	const struct lp_top_head head = {
	    .known = true,
	    .generation = 7,
	    .uptime_ns = UINT64_C(200000000000),
	    .connections = 1500,
	};
	struct lp_top_totals totals;
	const struct lp_top_picture picture = {
	    .state = &state,
	    .rows = &rows,
	    .totals = &totals,
	    .head = &head,
	    .trouble = trouble,
	};

	lp_top_model_totals(&totals, &model, state.choice.since_start);
	lp_top_page_draw(&page, &picture);
}

/* The page as lines, without spaces at their ends. */
static void
write_page(FILE *file)
{
	for (unsigned y = 0; y < page.height; y++) {
		const char *line = page.text + (size_t)y * page.width;
		int len = (int)page.width;

		while (len > 0 && line[len - 1] == ' ')
			len--;
		(void)fprintf(file, "%.*s\n", len, line);
	}
}

static const struct look {
	const char *name;
	unsigned width;
	unsigned height;
	unsigned rounds;
	const char *keys;
	const char *trouble;
} looks[] = {
    {"top-clients", 80, 16, 2, "", ""},
    {"top-clients-wide", 120, 16, 2, "", ""},
    {"top-clients-narrow", 44, 12, 2, "", ""},
    {"top-first", 80, 16, 1, "", ""},
    {"top-nothing", 80, 10, 0, "", "trying again: nobody is there"},
    {"top-since-start", 80, 16, 2, "s", ""},
    {"top-fetch", 80, 16, 2, "mmzr", ""},
    {"top-topics", 80, 12, 2, "t", ""},
    {"top-brokers", 80, 12, 2, "b", ""},
    {"top-apis", 100, 16, 2, "a3", ""},
    {"top-listeners", 80, 12, 2, "l ", ""},
    {"top-filter", 80, 12, 2, "/bill\r", ""},
    {"top-prompt", 80, 12, 2, "/^caf\303\251", ""},
    {"top-help", 80, 24, 2, "h", ""},
    {"top-small", 39, 8, 2, "", ""},
};

START_TEST(page_is_as_it_was)
{
	const struct look *look = &looks[_i];
	struct support_output out;

	for (unsigned round = 1; round <= look->rounds; round++)
		feed(round, 0);
	ck_assert_int_eq(lp_top_page_init(&page, look->width, look->height), 0);
	press_all(look->keys);
	draw(look->trouble);
	support_output_open(&out);
	write_page(out.file);
	support_golden(look->name, "txt", support_output_text(&out));
	support_output_close(&out);
}
END_TEST

static bool
is_printable(void)
{
	for (unsigned i = 0; i < page.width * page.height; i++)
		if (page.text[i] < ' ' || page.text[i] > '~' ||
		    page.styles[i] >= LP_TOP_STYLES)
			return false;
	return !page.cursor ||
	    (page.cursor_x < page.width && page.cursor_y < page.height);
}

/* No size may write beyond the grid, nor anything a terminal would obey. */
START_TEST(page_of_any_size_is_printable)
{
	feed(1, 3);
	feed(2, 3);
	for (unsigned width = 1; width <= 130; width++)
		for (unsigned height = 1; height <= 30; height += 7) {
			ck_assert_int_eq(
			    lp_top_page_init(&page, width, height), 0);
			for (const char *keys = "tbalshhmc/x";; keys++) {
				draw("a reason");
				ck_assert(is_printable());
				if (*keys == '\0')
					break;
				press(*keys);
			}
			press('\033');
			lp_top_page_fini(&page);
		}
}
END_TEST

START_TEST(errors_and_the_sorted_column_stand_out)
{
	size_t counts[LP_TOP_STYLES] = {0};

	feed(1, 0);
	feed(2, 0);
	ck_assert_int_eq(lp_top_page_init(&page, 120, 16), 0);
	press_all("aE");
	draw("");
	for (unsigned i = 0; i < page.width * page.height; i++)
		counts[page.styles[i]]++;
	/* "4" of one row; "20" throttled, "2 streams lost, 1.46kB unseen". */
	ck_assert_uint_eq(counts[LP_TOP_STYLE_BAD], strlen("4"));
	ck_assert_uint_gt(counts[LP_TOP_STYLE_WARN], strlen("20"));
	/* "[APIs]", and the title with the space before it. */
	ck_assert_uint_eq(
	    counts[LP_TOP_STYLE_CHOSEN], strlen("[APIs]") + 1 + 6);
}
END_TEST

/* ---- numbers --------------------------------------------------------------
 */

START_TEST(numbers_have_three_digits_and_a_unit)
{
	static const struct {
		double value;
		const char *number;
		const char *time;
	} values[] = {
	    {-1, "-", "-"},
	    {0, "0", "0ns"},
	    {0.25, "0.25", "0.25ns"},
	    {0.001, "0.00", "0.00ns"},
	    {7, "7", "7ns"},
	    {9.994, "9.99", "9.99ns"},
	    {9.996, "10.0", "10.0ns"},
	    {99.96, "100", "100ns"},
	    {999, "999", "999ns"},
	    {999.6, "1.00k", "1.00us"},
	    {1000, "1.00k", "1.00us"},
	    {12345, "12.3k", "12.3us"},
	    {999600, "1.00M", "1.00ms"},
	    {1234567, "1.23M", "1.23ms"},
	    {2.5e9, "2.50G", "2.50s"},
	    {1.8e11, "180G", "180s"},
	    {1.2e13, "12.0T", "12000s"},
	    {1.8e19, "18.0E", "18000000000s"},
	};
	char buf[LP_TOP_CELL_SIZE];

	ck_assert_str_eq(
	    lp_top_page_number(buf, values[_i].value), values[_i].number);
	ck_assert_str_eq(
	    lp_top_page_time(buf, values[_i].value), values[_i].time);
}
END_TEST

/* ---- keys -----------------------------------------------------------------
 */

START_TEST(every_key_leaves_a_state_that_can_be)
{
	unsigned seed = (unsigned)_i;

	feed(1, 40);
	feed(2, 40);
	ck_assert_int_eq(lp_top_page_init(&page, 80, 24), 0);
	for (int i = 0; i < 2000; i++) {
		seed = seed * 1103515245 + 12345;
		press((int)(seed >> 16) % (LP_TOP_KEY_REPAINT + 2) - 1);
		ck_assert_uint_lt(state.choice.view, LP_TOP_VIEWS);
		ck_assert_uint_lt(state.choice.latency, LP_TOP_LATENCIES);
		ck_assert(
		    lp_top_model_has(state.choice.view, state.choice.sort));
		ck_assert_uint_lt(
		    strlen(state.choice.filter), LP_TOP_FILTER_SIZE);
		ck_assert_uint_le(state.offset, rows.count);
		draw("");
	}
}
END_TEST

START_TEST(keys_do_what_the_help_says)
{
	ck_assert_int_eq(lp_top_state_key(&state, 'q', 10), LP_TOP_ACT_QUIT);
	ck_assert_int_eq(lp_top_state_key(&state, 'x', 10), LP_TOP_ACT_NOTHING);
	ck_assert_int_eq(lp_top_state_key(&state, '\t', 10), LP_TOP_ACT_ROWS);
	ck_assert_uint_eq(state.choice.view, LP_TOP_TOPICS);
	(void)lp_top_state_key(&state, LP_TOP_KEY_BACKTAB, 10);
	(void)lp_top_state_key(&state, LP_TOP_KEY_BACKTAB, 10);
	ck_assert_uint_eq(state.choice.view, LP_TOP_LISTENERS);
	(void)lp_top_state_key(&state, 'F', 10);
	ck_assert_uint_eq(state.choice.sort, LP_TOP_IN_FLIGHT);
	/* Topics have no such column, and none to step on between. */
	(void)lp_top_state_key(&state, 't', 10);
	ck_assert_uint_eq(state.choice.sort, LP_TOP_REQUESTS);
	(void)lp_top_state_key(&state, 'E', 10);
	(void)lp_top_state_key(&state, '>', 10);
	ck_assert_uint_eq(state.choice.sort, LP_TOP_P50);
	(void)lp_top_state_key(&state, '<', 10);
	ck_assert_uint_eq(state.choice.sort, LP_TOP_ERRORS);
	(void)lp_top_state_key(&state, ' ', 10);
	ck_assert(state.paused);
}
END_TEST

START_TEST(filter_is_typed_kept_and_taken_back)
{
	press_all("/ab\r");
	ck_assert_str_eq(state.choice.filter, "ab");
	/* Letters are no keys while it is typed. */
	press_all("/q");
	ck_assert(state.prompt);
	ck_assert_str_eq(state.choice.filter, "abq");
	press(LP_TOP_KEY_BACKSPACE);
	press(LP_TOP_KEY_BACKSPACE);
	ck_assert_str_eq(state.choice.filter, "a");
	press('\033');
	ck_assert(!state.prompt);
	ck_assert_str_eq(state.choice.filter, "ab");
	press_all("/\025c\n");
	ck_assert_str_eq(state.choice.filter, "c");
	press('/');
	for (int i = 0; i < 2 * LP_TOP_FILTER_SIZE; i++)
		press('y');
	ck_assert_uint_eq(strlen(state.choice.filter), LP_TOP_FILTER_SIZE - 1);
	press_all("\025");
	press(LP_TOP_KEY_BACKSPACE);
	ck_assert(!state.prompt);
	ck_assert_str_eq(state.choice.filter, "");
}
END_TEST

START_TEST(scrolling_ends_at_the_ends)
{
	size_t lines, last;

	feed(1, 92); /* and 8 others */
	ck_assert_int_eq(lp_top_page_init(&page, 80, 24), 0);
	lines = lp_top_page_lines(&page);
	press_all("");
	last = rows.count - lines;
	press(LP_TOP_KEY_UP);
	ck_assert_uint_eq(state.offset, 0);
	press(LP_TOP_KEY_DOWN);
	ck_assert_uint_eq(state.offset, 1);
	press(LP_TOP_KEY_PAGE_DOWN);
	ck_assert_uint_eq(state.offset, lines);
	press(LP_TOP_KEY_END);
	ck_assert_uint_eq(state.offset, last);
	press(LP_TOP_KEY_DOWN);
	press(LP_TOP_KEY_PAGE_DOWN);
	ck_assert_uint_eq(state.offset, last);
	press(LP_TOP_KEY_PAGE_UP);
	ck_assert_uint_eq(state.offset, last - lines + 1);
	press(LP_TOP_KEY_HOME);
	press(LP_TOP_KEY_PAGE_UP);
	ck_assert_uint_eq(state.offset, 0);
	/* Fewer rows pass the filter than lie above. */
	press(LP_TOP_KEY_END);
	press_all("/bill\r");
	ck_assert_uint_eq(state.offset, 0);
}
END_TEST

/* ---- without a screen -----------------------------------------------------
 */

START_TEST(rounds_are_printed)
{
	static const struct {
		const char *name;
		const char *keys;
		const struct lp_output *output;
		const char *ending;
	} prints[] = {
	    {"top-batch", "", &lp_output_text, "txt"},
	    {"top-batch-topics", "ts", &lp_output_text, "txt"},
	    {"top-batch", "", &lp_output_json, "json"},
	    {"top-batch-topics", "ts", &lp_output_json, "json"},
	    {"top-batch-brokers", "b", &lp_output_json, "json"},
	    {"top-batch-apis", "a", &lp_output_json, "json"},
	    {"top-batch-listeners", "l", &lp_output_json, "json"},
	};
	const struct lp_top_head head = {.known = false};
	struct lp_top_totals totals;
	const struct lp_top_picture picture = {
	    .state = &state,
	    .rows = &rows,
	    .totals = &totals,
	    .head = &head,
	    .trouble = "",
	};
	struct support_output out;
	struct lp_lpctl lpctl;

	feed(1, 0);
	feed(2, 0);
	press_all(prints[_i].keys);
	lp_top_model_totals(&totals, &model, state.choice.since_start);
	support_output_open(&out);
	support_lpctl(&lpctl, "/nowhere", &out, NULL);
	lpctl.print.stream = true;
	ck_assert_int_eq(prints[_i].output->top(&lpctl.print, &picture), 0);
	support_golden(
	    prints[_i].name, prints[_i].ending, support_output_text(&out));
	support_output_close(&out);
}
END_TEST

START_TEST(every_column_can_be_sorted_by)
{
	const char *at = LP_TOP_STATE_SORT_WORDS;

	for (int i = 0; i < LP_TOP_COLUMNS; i++) {
		size_t len = strcspn(at, " ");

		ck_assert_uint_eq(len, strlen(lp_top_state_columns[i]));
		ck_assert(strncmp(at, lp_top_state_columns[i], len) == 0);
		at += len + (at[len] == ' ');
	}
	ck_assert_str_eq(at, "");
}
END_TEST

START_TEST(wrong_options_are_refused)
{
	static const char *const lines[] = {
	    "top --delay 0",
	    "top --delay 0.05",
	    "top -d 1.",
	    "top -d .5",
	    "top -d 1.2345",
	    "top -d 3601",
	    "top -d 10000000000",
	    "top -d 1s",
	    "top -d -1",
	    "top --rounds 0",
	    "top -n x",
	    "top --sort in-flight --view topics",
	    "top --sort nonsense",
	    "top --sort idle",
	    "top --sort bytes",
	    "top --view nonsense",
	};
	struct support_argv words;
	struct lp_error error = {0};
	struct lp_line line = {0};
	struct lp_lpctl lpctl;
	int status;

	support_lpctl(
	    &lpctl, "/nonexistent", &(struct support_output){0}, NULL);
	support_argv(&words, lines[_i]);
	status = lp_line_parse(&line, &lpctl, words.argc, words.argv, &error);
	if (status == LP_EXIT_OK)
		status = lp_cmd_top(&lpctl, &line.commands[0], &error);
	ck_assert_int_eq(status, LP_EXIT_USAGE);
	ck_assert_str_ne(error.text, "");
	lp_line_fini(&line);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("top_page");
	TCase *tcase = tcase_create("top_page");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(
	    tcase, page_is_as_it_was, 0, sizeof(looks) / sizeof(looks[0]));
	tcase_add_test(tcase, page_of_any_size_is_printable);
	tcase_add_test(tcase, errors_and_the_sorted_column_stand_out);
	tcase_add_loop_test(tcase, numbers_have_three_digits_and_a_unit, 0, 18);
	tcase_add_loop_test(tcase, every_key_leaves_a_state_that_can_be, 0, 8);
	tcase_add_test(tcase, keys_do_what_the_help_says);
	tcase_add_test(tcase, filter_is_typed_kept_and_taken_back);
	tcase_add_test(tcase, scrolling_ends_at_the_ends);
	tcase_add_loop_test(tcase, rounds_are_printed, 0, 7);
	tcase_add_test(tcase, every_column_can_be_sorted_by);
	tcase_add_loop_test(tcase, wrong_options_are_refused, 0, 16);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
