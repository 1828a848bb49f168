/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history, from the command line to what is printed, against the files in
 * golden/ (see test_output.c).
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cli/support.h"

enum { GENERATIONS = 4, LONG = 200 };

static void
add_frame(struct support_bytes *bytes, Lp__Pb__StoredGeneration **rows,
    size_t count, bool more)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__HistoryReply history = LP__PB__HISTORY_REPLY__INIT;

	history.generations = rows;
	history.n_generations = count;
	reply.cookie = SUPPORT_COOKIE;
	reply.has_more = reply.more = more;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_HISTORY;
	reply.history = &history;
	support_bytes_add(bytes, &reply);
}

/* In two frames: a long one, one that was cut, no UTF-8, one that is empty. */
static void
make_reply(struct support_bytes *bytes)
{
	static char text[LONG + 1];
	static const char *const comments[GENERATIONS] = {
	    text, "add-rule a", "del-rule \xff\n", ""};
	Lp__Pb__StoredGeneration rows[GENERATIONS], *list[GENERATIONS];

	memset(text, 'x', LONG);
	memcpy(text, "add-cluster ", strlen("add-cluster "));
	/* The character where it ends is two bytes long. */
	memcpy(text + 159, "\xc3\xa4", 2);
	for (unsigned i = 0; i < GENERATIONS; i++) {
		list[i] = &rows[i];
		lp__pb__stored_generation__init(&rows[i]);
		rows[i].number = 12 - i;
		rows[i].time_ns = SUPPORT_NOW_NS - i * UINT64_C(1000000000);
		rows[i].digest = UINT64_C(0xfedcba9876543210) + i;
		rows[i].who =
		    (char *)(i == 3 ? "lp-controld" : "uid 0 (root), pid 77");
		rows[i].comment = (char *)comments[i];
		rows[i].has_cut = rows[i].cut = i == 1;
	}
	bytes->len = 0;
	add_frame(bytes, list, 3, true);
	add_frame(bytes, list + 3, 1, false);
}

static const struct {
	const char *name, *line;
} pages[] = {{"history", "history"}, {"history-all", "history -v --limit 0"}};
enum { PAGES = sizeof(pages) / sizeof(pages[0]) };

START_TEST(text_is_as_it_was)
{
	static struct support_bytes bytes;

	make_reply(&bytes);
	support_page(&bytes, pages[_i].name, pages[_i].line, "txt");
}
END_TEST

START_TEST(json_is_as_it_was)
{
	static struct support_bytes bytes;

	make_reply(&bytes);
	support_page(&bytes, "history", "history", "json");
}
END_TEST

static const char *const wrong[][2] = {
    {"history --limit -1", "--limit: \"-1\" is no number"},
    {"history --limit 5x", "--limit: \"5x\" is no number"},
    {"history --follow", "--follow"},
    {"history 7", "7"},
};
enum { WRONG = sizeof(wrong) / sizeof(wrong[0]) };

START_TEST(wrong_words_are_named)
{
	support_misuse(wrong[_i][0], wrong[_i][1]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("history");
	TCase *tests = tcase_create("history");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, text_is_as_it_was, 0, PAGES);
	tcase_add_test(tests, json_is_as_it_was);
	tcase_add_loop_test(tests, wrong_words_are_named, 0, WRONG);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
