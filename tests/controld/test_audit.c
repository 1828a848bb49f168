/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has changed what, or was not let: each request has its row, with the
 * change or not at all, and a flood of them is counted.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controld/audit.h"
#include "controld/audit_limit.h"
#include "database.h"
#include "fake.h"
#include "transaction.h"

#define CODE(name) LP__PB__REJECTED__CODE__##name
#define BODY(name) LP__PB__CONTROL_REQUEST__BODY_##name

enum { FLOOD = 300, DAY_MS = 86400000 };

static struct world world;
static struct fake fake;
static const struct lp_serve_peer alice = {
    .who = "alice", .from = "192.0.2.7:51234", .role = "admin"};
static const struct lp_serve_peer olga = {
    .who = "olga", .from = "192.0.2.8:50000", .role = "observer"};

static void
start(void)
{
	world_start(&world, &patient, 0);
}

static void
stop(void)
{
	world_stop(&world);
}

static int
print_row(void *arg, const struct lp_store_audit *row)
{
	char generation[32] = "-";

	if (row->generation != 0)
		(void)snprintf(generation, sizeof(generation), "%" PRIu64,
		    row->generation);
	ck_assert_uint_gt(row->time_ns, 0);
	(void)fprintf(arg, "%" PRIu64 "|%s|%s|%s|%s|%s|%s|%s%s\n", row->number,
	    row->who, row->from, row->role, row->request, row->result,
	    generation, row->text, row->cut ? " ..." : "");
	return 0;
}

/* The newest rows, a line each; valid until the next call. */
static const char *
rows(uint32_t limit)
{
	static char text[65536];
	char why[LP_STORE_WHY_SIZE];
	FILE *file = fmemopen(text, sizeof(text), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(
	    lp_store_audit_each(world.store, limit, print_row, file, why), 0);
	ck_assert_int_eq(fclose(file), 0);
	return text;
}

static unsigned
count_rows(const char *part)
{
	const char *at = rows(0);
	unsigned count = 0;

	for (; (at = strstr(at, part)) != NULL; at++)
		count++;
	return count;
}

static const Lp__Pb__ControlReply *
ask(const struct lp_serve_peer *peer, Lp__Pb__ControlRequest *request)
{
	unsigned before = world.reply_count;

	lp_session_request(world.session, 1, peer, request);
	return world_replies(&world, before + 1);
}

static Lp__Pb__ControlRequest *
typed(const char *text, const char *comment)
{
	Lp__Pb__ControlRequest *request = make_transaction(text);

	free(request->transaction->comment);
	request->transaction->comment = strdup(comment);
	return request;
}

static void
sql(const char *text)
{
	struct database database = {.path = (char *)path_in(world.dir, "db")};

	database_sql(&database, text);
}

START_TEST(a_change_has_its_row)
{
	world_done(ask(&alice, typed("add cluster a", "add-cluster a")));
	ck_assert_str_eq(rows(0),
	    "1|alice|192.0.2.7:51234|admin|transaction|done|2|"
	    "add-cluster a\n");
	world_done(ask(&world_peer, typed("del cluster a", "")));
	ck_assert_str_eq(rows(1), "2|tester|unix|admin|transaction|done|3|\n");
}
END_TEST

START_TEST(what_was_refused_has_one_with_the_reason)
{
	world_failure(ask(&alice, typed("del cluster a", "del-cluster a --x")));
	ck_assert_ptr_nonnull(strstr(
	    rows(0), "1|alice|192.0.2.7:51234|admin|transaction|refused|-|"));
	ck_assert_ptr_nonnull(strstr(rows(0), ": del-cluster a --x\n"));
}
END_TEST

START_TEST(nothing_new_leads_to_no_generation)
{
	world_done(ask(&alice, typed("add cluster a", "one")));
	world_done(ask(&alice, typed("add cluster a may=1", "two")));
	ck_assert_str_eq(
	    rows(1), "2|alice|192.0.2.7:51234|admin|transaction|done|-|two\n");
}
END_TEST

START_TEST(a_conflict_and_a_rollback_are_told_as_such)
{
	Lp__Pb__ControlRequest *request = typed("add cluster a", "late");

	request->transaction->has_base_generation = true;
	request->transaction->base_generation = 77;
	world_failure(ask(&alice, request));
	ck_assert_ptr_nonnull(strstr(rows(1), "|transaction|conflict|-|"));
	world_done(ask(&alice, typed("add cluster a", "")));
	world_done(ask(&alice, make_request(BODY(ROLLBACK))));
	ck_assert_ptr_nonnull(
	    strstr(rows(1), "|alice|192.0.2.7:51234|admin|rollback|done|3|"));
}
END_TEST

START_TEST(who_confirms_is_written_down)
{
	Lp__Pb__ControlRequest *request = typed("add cluster a", "");

	request->transaction->has_confirm_ms = true;
	request->transaction->confirm_ms = 3600000;
	world_done(ask(&alice, request));
	ck_assert_int_eq(
	    ask(&world_peer, make_request(BODY(CONFIRM)))->body_case,
	    LP__PB__CONTROL_REPLY__BODY_CONFIRM);
	ck_assert_str_eq(rows(1), "2|tester|unix|admin|confirm|done|2|\n");
}
END_TEST

START_TEST(what_a_dataplane_rejects_is_told_in_its_row)
{
	struct pushed pushed;

	world_stop(&world);
	world_start(&world, &patient, 1);
	fake_start(&fake, &world, world.paths[0]);
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	lp_session_request(
	    world.session, 1, &alice, typed("add cluster a", "as typed"));
	fake_take_push(&fake);
	/* It is stored, and it is not known what becomes of it. */
	ck_assert_ptr_nonnull(strstr(rows(0), "|done|2|as typed\n"));
	fake_rejected(&fake, 2, CODE(RESOURCE), "port a", "device", "no");
	pushed = fake_take_push(&fake);
	fake_applied(&fake, 3, pushed.digest);
	world_failure(world_replies(&world, 1));
	ck_assert_ptr_nonnull(strstr(rows(0),
	    "1|alice|192.0.2.7:51234|admin|transaction|rejected|2|as typed: "
	    "port a: no (rolled back by generation 3)\n"));
	fake_stop(&fake);
}
END_TEST

static void
take_half_a_copy(void)
{
	Lp__Pb__ControlRequest *request = typed("add cluster x", "");
	Lp__Pb__BackupRequest *backup = malloc(sizeof(*backup));

	lp__pb__transaction__free_unpacked(request->transaction, NULL);
	lp__pb__backup_request__init(backup);
	request->body_case = BODY(BACKUP);
	request->backup = backup;
	lp_session_request(world.session, 1, &alice, request);
	ck_assert_str_eq(rows(0), "");
}

/* All but the last bytes of it would be as good as all. */
START_TEST(who_goes_with_half_a_copy_has_a_row)
{
	take_half_a_copy();
	lp_session_gone(world.session, 1);
	ck_assert_str_eq(rows(0),
	    "1|alice|192.0.2.7:51234|admin|backup|refused|-|"
	    "the client went before the copy was whole\n");
	lp_session_gone(world.session, 1);
	ck_assert_uint_eq(count_rows("|backup|"), 1);
}
END_TEST

START_TEST(half_a_copy_at_the_end_has_a_row)
{
	take_half_a_copy();
	world_restart(&world, NULL);
	ck_assert_str_eq(rows(0),
	    "1|alice|192.0.2.7:51234|admin|backup|refused|-|"
	    "lp-controld was stopped before the copy was whole\n");
}
END_TEST

START_TEST(who_is_not_let_has_a_row)
{
	const struct lp_serve_peer nobody = {
	    .who = "mallory", .from = "192.0.2.9:1", .role = "root"};

	world_failure(ask(&olga, typed("add cluster a", "add-cluster a")));
	ck_assert_str_eq(rows(1),
	    "1|olga|192.0.2.8:50000|observer|transaction|"
	    "forbidden|-|\n");
	world_failure(ask(&nobody, typed("add cluster a", "")));
	ck_assert_str_eq(rows(1),
	    "2|mallory|192.0.2.9:1||transaction|forbidden|-|\"root\" is no "
	    "role\n");
}
END_TEST

START_TEST(a_flood_is_counted_and_does_not_hide_others)
{
	for (int i = 0; i < FLOOD; i++)
		world_failure(ask(&olga, typed("add cluster a", "")));
	/* A machine may be slow, but not that slow. */
	ck_assert_uint_le(count_rows("|olga|"), LP_AUDIT_LIMIT_BURST + 20);
	ck_assert_uint_ge(count_rows("|olga|"), LP_AUDIT_LIMIT_BURST);
	world_failure(ask(&alice, typed("del cluster a", "")));
	ck_assert_uint_eq(count_rows("|alice|"), 1);
	world_restart(&world, NULL);
	ck_assert_uint_eq(count_rows("more\n"), 1);
	ck_assert_ptr_nonnull(strstr(rows(1), "|olga||||refused|-|and 2"));
}
END_TEST

START_TEST(what_cannot_be_written_down_is_not_done)
{
	const Lp__Pb__Failure *failure;

	sql("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN "
	    "SELECT RAISE(ABORT, 'no room'); END");
	failure = world_failure(ask(&alice, typed("add cluster a", "")));
	ck_assert_msg(strstr(failure->text, "not stored: ") != NULL &&
		strstr(failure->text, "no room") != NULL,
	    "%s", failure->text);
	ck_assert_uint_eq(world_status_reply(&world)->generation, 1);
	/* Who is refused is told so all the same. */
	ck_assert_ptr_nonnull(
	    strstr(world_failure(ask(&olga, typed("add cluster a", "")))->text,
		"may not"));
	sql("DROP TRIGGER full");
	world_done(ask(&alice, typed("add cluster a", "")));
	ck_assert_uint_eq(count_rows("\n"), 1);
}
END_TEST

START_TEST(the_table_has_a_limit)
{
	struct database database = {.path = (char *)path_in(world.dir, "db")};
	char text[256];

	(void)snprintf(text, sizeof(text),
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < %d) INSERT INTO audit SELECT i, 1, '', '', '', '', '', "
	    "'', 0, NULL FROM n",
	    LP_STORE_AUDIT_ROWS);
	sql(text);
	world_done(ask(&alice, typed("add cluster a", "")));
	world_done(ask(&alice, typed("add cluster b", "")));
	ck_assert_int_eq(atoi(rows(1)), LP_STORE_AUDIT_ROWS + 2);
	ck_assert_int_eq(database_int(&database, "SELECT count(*) FROM audit"),
	    LP_STORE_AUDIT_ROWS);
	ck_assert_int_eq(
	    database_int(&database, "SELECT min(number) FROM audit"), 3);
}
END_TEST

START_TEST(a_long_text_is_cut_between_two_characters)
{
	char comment[LP_STORE_AUDIT_TEXT + 8];

	memset(comment, 'x', sizeof(comment));
	/* Two bytes, the second of them beyond what is kept. */
	memcpy(comment + LP_STORE_AUDIT_TEXT - 1, "\xc3\xa4", 3);
	world_done(ask(&alice, typed("add cluster a", comment)));
	ck_assert_ptr_nonnull(strstr(rows(1), "xxx ...\n"));
	ck_assert_ptr_null(strstr(rows(1), "\xc3"));
}
END_TEST

START_TEST(the_answer_has_them_all_the_newest_first)
{
	unsigned first = world.reply_count, seen = 0;
	uint64_t last = UINT64_MAX;

	sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < 100) INSERT INTO audit SELECT i, 1, 'w', '', '', '', "
	    "'', '', 0, NULL FROM n");
	lp_session_request(
	    world.session, 1, &world_peer, make_request(BODY(AUDIT)));
	for (unsigned i = first; i < world.reply_count; i++) {
		const Lp__Pb__ControlReply *reply = world.replies[i];

		ck_assert_int_eq(
		    reply->body_case, LP__PB__CONTROL_REPLY__BODY_AUDIT);
		ck_assert_int_eq(reply->more, i + 1 < world.reply_count);
		for (size_t j = 0; j < reply->audit->n_rows; j++, seen++) {
			ck_assert_uint_lt(reply->audit->rows[j]->number, last);
			last = reply->audit->rows[j]->number;
		}
	}
	ck_assert_uint_gt(world.reply_count - first, 1);
	ck_assert_uint_eq(seen, 100);
	/* To look at it is not written down. */
	ck_assert_uint_eq(count_rows("\n"), 100);
}
END_TEST

START_TEST(everybody_has_some_and_then_one_in_ten_seconds)
{
	static struct lp_audit_limit limit;
	uint64_t now = DAY_MS, missed, rows_taken = 0;
	const char *who;

	for (int i = 0; i < 100; i++)
		rows_taken += lp_audit_limit_take(&limit, "a", now, &missed);
	ck_assert_uint_eq(rows_taken, LP_AUDIT_LIMIT_BURST);
	ck_assert(lp_audit_limit_waits(&limit));
	ck_assert_uint_eq(lp_audit_limit_due(&limit, now, false, &who), 0);
	ck_assert(lp_audit_limit_take(&limit, "b", now, &missed));
	ck_assert_uint_eq(missed, 0);
	now += LP_AUDIT_LIMIT_EVERY_MS - 1;
	ck_assert(!lp_audit_limit_take(&limit, "a", now, &missed));
	now++;
	ck_assert(lp_audit_limit_take(&limit, "a", now, &missed));
	ck_assert_uint_eq(missed, 81);
	ck_assert(!lp_audit_limit_take(&limit, "a", now, &missed));
	now += LP_AUDIT_LIMIT_EVERY_MS;
	ck_assert_uint_eq(lp_audit_limit_due(&limit, now, false, &who), 1);
	ck_assert_str_eq(who, "a");
	ck_assert(!lp_audit_limit_waits(&limit));
	/* A day gives no more than a burst. */
	now += DAY_MS;
	for (rows_taken = 0; lp_audit_limit_take(&limit, "a", now, &missed);)
		rows_taken++;
	ck_assert_uint_eq(rows_taken, LP_AUDIT_LIMIT_BURST);
}
END_TEST

START_TEST(processes_of_a_user_are_one)
{
	static struct lp_audit_limit limit;
	char who[64];
	uint64_t missed;
	int taken = 0;

	for (int i = 0; i < 100; i++) {
		(void)snprintf(who, sizeof(who), "uid 7 (joe), pid %d", i);
		taken += lp_audit_limit_take(&limit, who, DAY_MS, &missed);
	}
	ck_assert_int_eq(taken, LP_AUDIT_LIMIT_BURST);
}
END_TEST

START_TEST(very_many_names_share_a_place)
{
	static struct lp_audit_limit limit;
	char who[64];
	uint64_t missed, sum = 0;
	const char *name;
	int taken = 0;

	/* Each uses up one of its rows, so that no place is given away. */
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(who, sizeof(who), "name-%d", i);
		taken += lp_audit_limit_take(&limit, who, DAY_MS, &missed);
	}
	ck_assert_int_eq(
	    taken, LP_AUDIT_LIMIT_NAMES - 1 + LP_AUDIT_LIMIT_BURST);
	while ((missed = lp_audit_limit_due(&limit, DAY_MS, true, &name)) > 0)
		sum += missed;
	ck_assert_str_eq(name, "others");
	ck_assert_uint_eq(sum, 1000 - taken);
	/* Later those places are free again. */
	ck_assert(lp_audit_limit_take(
	    &limit, "name-999", (uint64_t)2 * DAY_MS, &missed));
	ck_assert_str_eq(limit.names[0].name, "name-999");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("audit");
	TCase *tests = tcase_create("audit");
	TCase *limits = tcase_create("limits");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, start, stop);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_change_has_its_row);
	tcase_add_test(tests, what_was_refused_has_one_with_the_reason);
	tcase_add_test(tests, nothing_new_leads_to_no_generation);
	tcase_add_test(tests, a_conflict_and_a_rollback_are_told_as_such);
	tcase_add_test(tests, who_confirms_is_written_down);
	tcase_add_test(tests, what_a_dataplane_rejects_is_told_in_its_row);
	tcase_add_test(tests, who_goes_with_half_a_copy_has_a_row);
	tcase_add_test(tests, half_a_copy_at_the_end_has_a_row);
	tcase_add_test(tests, who_is_not_let_has_a_row);
	tcase_add_test(tests, a_flood_is_counted_and_does_not_hide_others);
	tcase_add_test(tests, what_cannot_be_written_down_is_not_done);
	tcase_add_test(tests, the_table_has_a_limit);
	tcase_add_test(tests, a_long_text_is_cut_between_two_characters);
	tcase_add_test(tests, the_answer_has_them_all_the_newest_first);
	suite_add_tcase(suite, tests);
	tcase_add_test(limits, everybody_has_some_and_then_one_in_ten_seconds);
	tcase_add_test(limits, processes_of_a_user_are_one);
	tcase_add_test(limits, very_many_names_share_a_place);
	suite_add_tcase(suite, limits);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
