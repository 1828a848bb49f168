/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit, from the command line to what is printed, against the files in
 * golden/ (see test_output.c).
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cli/support.h"

enum { LONG = 200 };

static char long_text[LONG + 1];

static const struct {
	const char *who, *from, *role, *request, *result, *text;
	uint64_t generation; /* 0: none */
	bool cut;
} rows[] = {
    {"alice", "192.0.2.7:51234", "admin", "transaction", "done", long_text, 9,
	false},
    {"olga", "[2001:db8::8]:50000", "observer", "transaction", "forbidden", "",
	0, false},
    {"uid 0 (root), pid 77", "unix", "admin", "rollback", "rejected",
	"rollback to generation 6: port front: no such device", 8, true},
    {"mallory\x1b[31m", "192.0.2.9:1", "", "backup", "forbidden",
	"\"\xff\" is no role", 0, false},
    {"discovery", "", "", "transaction", "timeout", NULL, 7, false},
    {"olga", "", "", "", "refused", "and 280 more", 0, false},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void
add_frame(struct support_bytes *bytes, Lp__Pb__AuditRow **list, size_t count,
    bool more)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__AuditReply audit = LP__PB__AUDIT_REPLY__INIT;

	audit.rows = list;
	audit.n_rows = count;
	reply.cookie = SUPPORT_COOKIE;
	reply.has_more = reply.more = more;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_AUDIT;
	reply.audit = &audit;
	support_bytes_add(bytes, &reply);
}

/* In two frames. */
static void
make_reply(struct support_bytes *bytes)
{
	Lp__Pb__AuditRow messages[ROWS], *list[ROWS];

	memset(long_text, 'x', LONG);
	memcpy(long_text, "add-cluster ", strlen("add-cluster "));
	for (unsigned i = 0; i < ROWS; i++) {
		Lp__Pb__AuditRow *row = list[i] = &messages[i];

		lp__pb__audit_row__init(row);
		row->number = 200 - i;
		row->time_ns = SUPPORT_NOW_NS - i * UINT64_C(1000000000);
		row->who = (char *)rows[i].who;
		row->from = (char *)rows[i].from;
		row->role = (char *)rows[i].role;
		row->request = (char *)rows[i].request;
		row->result = (char *)rows[i].result;
		row->text = (char *)rows[i].text;
		row->has_generation = rows[i].generation != 0;
		row->generation = rows[i].generation;
		row->has_cut = row->cut = rows[i].cut;
	}
	bytes->len = 0;
	add_frame(bytes, list, 4, true);
	add_frame(bytes, list + 4, ROWS - 4, false);
}

static const struct {
	const char *name, *line;
} pages[] = {{"audit", "audit"}, {"audit-all", "audit -v --limit 0"}};
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
	support_page(&bytes, "audit", "audit", "json");
}
END_TEST

static const char *const wrong[][2] = {
    {"audit --limit -1", "--limit: \"-1\" is no number"},
    {"audit --limit 5x", "--limit: \"5x\" is no number"},
    {"audit --follow", "--follow"},
    {"audit alice", "alice"},
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
	Suite *suite = suite_create("audit");
	TCase *tests = tcase_create("audit");
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
