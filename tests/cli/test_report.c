/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cli/support.h"

static struct lp_report *report;
static struct support_output out;

static void
setup(void)
{
	ck_assert_int_eq(lp_report_new(&report), 0);
	support_output_open(&out);
}

static void
teardown(void)
{
	support_output_close(&out);
	lp_report_free(report);
}

static unsigned
add_file(const char *name, const char *text)
{
	int file = lp_report_add_file(report, name, strdup(text), strlen(text));

	ck_assert_int_ge(file, 0);
	return (unsigned)file;
}

static struct lp_span
span_in(unsigned file, uint32_t from, uint32_t to)
{
	return (struct lp_span){from, to, (uint16_t)file};
}

/* What is printed of the bytes between the first two "|", which go. */
static const char *
show(const char *marked)
{
	char text[16384] = "";
	const char *first = strchr(marked, '|');
	const char *second = first + 1 + strcspn(first + 1, "|");
	struct lp_span span;

	strncat(text, marked, (size_t)(first - marked));
	strncat(text, first + 1, (size_t)(second - first - 1));
	if (*second != '\0')
		strcat(text, second + 1);
	span = span_in(add_file("f", text), (uint32_t)(first - marked),
	    (uint32_t)(second - marked - 1));
	lp_report_add(report, LP_SEVERITY_ERROR, &span, "wrong");
	lp_report_print(report, out.file, false);
	return support_output_text(&out);
}

/* With U+FFFD for what is not to reach a terminal. */
#define NOT_SHOWN "\xef\xbf\xbd"

static const struct {
	const char *marked, *shown;
} shown[] = {
    {"a: |bcd|\n", "f:1:4: error: wrong\na: bcd\n   ^~~\n"},
    {"a\n\nb: ||", "f:3:4: error: wrong\nb: \n   ^\n"},
    {"a|\nb|\nc", "f:1:2: error: wrong\na\n ^\n"},
    {"a: |b|\r\nc", "f:1:4: error: wrong\na: b\n   ^\n"},
    {"||", "f: error: wrong\n"},
    {"\n||", "f:2:1: error: wrong\n\n^\n"},
    /* Tabs, wide characters, and such as take no column. */
    {"a:\t|b|\n", "f:1:4: error: wrong\na:      b\n        ^\n"},
    {"\t|\t|b\n", "f:1:2: error: wrong\n                b\n        ^~~~~~~~\n"},
    {"\xe6\xa8\xaa: |\xe6\xb5\x9c|\n",
	"f:1:4: error: wrong\n\xe6\xa8\xaa: \xe6\xb5\x9c\n    ^~\n"},
    {"e\xcc\x81: |b|\n", "f:1:5: error: wrong\ne\xcc\x81: b\n   ^\n"},
    {"\xf0\x9f\x90\x87 |b|\n",
	"f:1:3: error: wrong\n\xf0\x9f\x90\x87 b\n   ^\n"},
    /* What a terminal would obey, and what is no UTF-8. */
    {"\x1b[31m |b|\n", "f:1:7: error: wrong\n" NOT_SHOWN "[31m b\n      ^\n"},
    {"\xc2\x9b |b|\n", "f:1:3: error: wrong\n" NOT_SHOWN " b\n  ^\n"},
    {"\xe2\x80\xae |b|\n", "f:1:3: error: wrong\n" NOT_SHOWN " b\n  ^\n"},
    {"\xff |b|\n", "f:1:3: error: wrong\n" NOT_SHOWN " b\n  ^\n"},
    {"\x7f|\xf0\x9f|\n",
	"f:1:2: error: wrong\n" NOT_SHOWN NOT_SHOWN NOT_SHOWN "\n ^~\n"},
};

START_TEST(a_place_is_underlined)
{
	ck_assert_str_eq(show(shown[_i].marked), shown[_i].shown);
}
END_TEST

/* So many of one text, then a place, and so many of another. */
static const char *
long_line(const char *left, size_t before, const char *place, const char *right,
    size_t behind)
{
	static char text[16384];

	text[0] = '\0';
	for (size_t i = 0; i < before; i++)
		strcat(text, left);
	strcat(text, place);
	for (size_t i = 0; i < behind; i++)
		strcat(text, right);
	return text;
}

START_TEST(a_line_of_a_hundred_columns_is_shown_whole)
{
	const char *text = show(long_line("a", 99, "|b|", "", 0));

	ck_assert_ptr_null(strstr(text, "..."));
	ck_assert_int_eq(strncmp(text, "f:1:100: ", 9), 0);
}
END_TEST

#define A40 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define C59 "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define BLANKS40 "                                        "

START_TEST(a_long_line_is_cut_on_both_sides)
{
	ck_assert_str_eq(show(long_line("a", 200, "|b|", "c", 200)),
	    "f:1:201: error: wrong\n..." A40 "b" C59 "...\n"
	    "   " BLANKS40 "^\n");
}
END_TEST

START_TEST(a_longer_line_is_cut_on_both_sides)
{
	ck_assert_str_eq(show(long_line("a", 6000, "|b|", "c", 6000)),
	    "f:1:6001: error: wrong\n..." A40 "b" C59 "...\n"
	    "   " BLANKS40 "^\n");
}
END_TEST

START_TEST(a_long_line_is_cut_at_a_place_near_its_beginning)
{
	ck_assert_str_eq(show(long_line("a", 3, "|b|", "cccc", 50)),
	    "f:1:4: error: wrong\naaab" C59
	    "ccccccccccccccccccccccccccccccccccc"
	    "cc...\n   ^\n");
}
END_TEST

START_TEST(a_long_place_is_underlined_as_far_as_it_is_shown)
{
	const char *text = show(long_line("a", 1, "|", "b", 500));
	const char *caret = strrchr(text, '^');

	ck_assert_uint_eq(strspn(caret + 1, "~"), 98);
	ck_assert_str_eq(caret + 1 + 98, "\n");
}
END_TEST

START_TEST(wide_characters_are_cut_whole)
{
	const char *text =
	    show(long_line("\xe6\xa8\xaa", 300, "|b|", "\xe6\xa8\xaa", 300));

	ck_assert_ptr_null(strstr(text, NOT_SHOWN));
	ck_assert_int_eq(strncmp(text, "f:1:301: ", 9), 0);
	ck_assert_str_eq(strrchr(text, ' ') + 1, "^\n");
}
END_TEST

START_TEST(problems_are_ordered_by_file_and_place)
{
	unsigned a = add_file("a", "0123456789"), b = add_file("b", "01234");
	const struct lp_problem *list;
	size_t count;

	for (unsigned i = 0; i < 5; i++) {
		struct lp_span span = span_in(i % 2 ? a : b, 4 - i, 5);

		lp_report_add(
		    report, LP_SEVERITY_WARNING, &span, "problem %u", i);
	}
	list = lp_report_problems(report, &count);
	ck_assert_uint_eq(count, 5);
	for (size_t i = 1; i < count; i++)
		ck_assert(list[i - 1].span.file < list[i].span.file ||
		    (list[i - 1].span.file == list[i].span.file &&
			list[i - 1].span.from < list[i].span.from));
	ck_assert_str_eq(list[0].text, "problem 3");
}
END_TEST

START_TEST(two_problems_of_a_place_stay_in_their_order)
{
	struct lp_span span = span_in(add_file("a", "0123456789"), 2, 5);
	const struct lp_problem *list;
	size_t count;

	lp_report_add(report, LP_SEVERITY_ERROR, &span, "first");
	lp_report_add(report, LP_SEVERITY_ERROR, &span, "second");
	lp_report_add(report, LP_SEVERITY_ERROR, &span, "first");
	list = lp_report_problems(report, &count);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(list[0].text, "first");
	ck_assert_str_eq(list[1].text, "second");
}
END_TEST

START_TEST(nothing_is_said_of_a_place_that_is_settled)
{
	unsigned file = add_file("a", "0123456789");
	struct lp_span span = span_in(file, 2, 5);

	lp_report_settle(report, &span);
	lp_report_add(report, LP_SEVERITY_ERROR, &span, "first");
	ck_assert_uint_eq(lp_report_count(report, LP_SEVERITY_ERROR), 0);
	span.to++;
	lp_report_add(report, LP_SEVERITY_ERROR, &span, "second");
	ck_assert_uint_eq(lp_report_count(report, LP_SEVERITY_ERROR), 1);
}
END_TEST

/* Warnings, however many, leave room for errors. */
START_TEST(what_is_too_much_is_counted)
{
	struct lp_span span = span_in(add_file("a", "b"), 0, 1);
	const struct lp_problem *list;
	const char *text;
	size_t count;

	for (int i = 0; i < LP_REPORT_PROBLEMS_MAX + 23; i++)
		lp_report_add(report, LP_SEVERITY_WARNING, &span, "w%d", i);
	for (int i = 0; i < LP_REPORT_PROBLEMS_MAX + 1; i++)
		lp_report_add(report, LP_SEVERITY_ERROR, &span, "e%d", i);
	ck_assert_uint_eq(lp_report_count(report, LP_SEVERITY_ERROR),
	    LP_REPORT_PROBLEMS_MAX + 1);
	list = lp_report_problems(report, &count);
	ck_assert_uint_eq(count, 2 * LP_REPORT_PROBLEMS_MAX);
	ck_assert_str_eq(list[count - 1].text, "e99");
	lp_report_print(report, out.file, false);
	text = support_output_text(&out);
	ck_assert_ptr_nonnull(
	    strstr(text, "\nand 1 more error\nand 23 more warnings\n"));
	ck_assert_ptr_null(strstr(text, "e100"));
}
END_TEST

START_TEST(colors_come_when_asked_for)
{
	struct lp_span span = span_in(add_file("f", "a: b"), 3, 4);

	lp_report_add(report, LP_SEVERITY_WARNING, &span, "odd");
	lp_report_print(report, out.file, true);
	ck_assert_str_eq(support_output_text(&out),
	    "\033[1mf:1:4:\033[0m \033[1;35mwarning:\033[0m odd\n"
	    "a: b\n   \033[1;35m^\033[0m\n");
}
END_TEST

START_TEST(a_message_is_cut_between_characters)
{
	struct lp_span span = span_in(add_file("f", "a"), 0, 1);
	const struct lp_problem *list;
	char text[3 * LP_WHY_SIZE];
	size_t count;

	text[0] = '\0';
	for (size_t i = 0; i < LP_WHY_SIZE - 1; i++)
		strcat(text, "\xe6\xa8");
	strcat(text, "a\xc3\xa9");
	lp_report_add(report, LP_SEVERITY_ERROR, &span, "%s", text);
	list = lp_report_problems(report, &count);
	ck_assert_uint_eq(strlen(list->text), sizeof(list->text) - 1);
	ck_assert_int_eq(list->text[sizeof(list->text) - 2], 'a');
}
END_TEST

/* Names and messages as well; and lines whose numbers are counted in steps. */
START_TEST(a_place_is_counted_far_behind_the_beginning)
{
	enum { LINES = 100000 };
	char *text = malloc(LINES * 4 + 1);
	uint32_t line, column;
	struct lp_span span;

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < LINES; i++)
		memcpy(text + 4 * i,
		    "\xc3\xa9"
		    "a\n",
		    4);
	text[4 * LINES] = '\0';
	ck_assert_int_eq(
	    lp_report_add_file(report, "f\n\x1b[", text, 4 * LINES), 0);
	for (uint32_t i = 0; i < LINES; i += 999) {
		span = span_in(0, 4 * i + 2, 4 * i + 2);
		lp_report_locate(report, &span, &line, &column);
		ck_assert_uint_eq(line, i + 1);
		ck_assert_uint_eq(column, 2);
	}
	span = span_in(0, 4 * LINES, 4 * LINES);
	lp_report_locate(report, &span, &line, &column);
	ck_assert_uint_eq(line, LINES + 1);
	ck_assert_uint_eq(column, 1);
	lp_report_add(report, LP_SEVERITY_ERROR, &span, "a\nb\x1b[31m");
	lp_report_print(report, out.file, false);
	ck_assert_str_eq(support_output_text(&out),
	    "f" NOT_SHOWN NOT_SHOWN "[:100001:1: error: a" NOT_SHOWN
	    "b" NOT_SHOWN "[31m\n\n^\n");
}
END_TEST

START_TEST(files_have_a_limit)
{
	for (int i = 0; i < LP_REPORT_FILES_MAX; i++)
		ck_assert_uint_eq(add_file("f", "a"), i);
	ck_assert_int_eq(
	    lp_report_add_file(report, "f", strdup("a"), 1), -ENOSPC);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cli_report");
	TCase *tcase = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(
	    tcase, a_place_is_underlined, 0, sizeof(shown) / sizeof(shown[0]));
	tcase_add_test(tcase, a_line_of_a_hundred_columns_is_shown_whole);
	tcase_add_test(tcase, a_long_line_is_cut_on_both_sides);
	tcase_add_test(tcase, a_longer_line_is_cut_on_both_sides);
	tcase_add_test(tcase, a_long_line_is_cut_at_a_place_near_its_beginning);
	tcase_add_test(tcase, a_long_place_is_underlined_as_far_as_it_is_shown);
	tcase_add_test(tcase, wide_characters_are_cut_whole);
	tcase_add_test(tcase, problems_are_ordered_by_file_and_place);
	tcase_add_test(tcase, two_problems_of_a_place_stay_in_their_order);
	tcase_add_test(tcase, nothing_is_said_of_a_place_that_is_settled);
	tcase_add_test(tcase, what_is_too_much_is_counted);
	tcase_add_test(tcase, colors_come_when_asked_for);
	tcase_add_test(tcase, a_message_is_cut_between_characters);
	tcase_add_test(tcase, a_place_is_counted_far_behind_the_beginning);
	tcase_add_test(tcase, files_have_a_limit);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
