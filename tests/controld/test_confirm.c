/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes that are taken back by themselves unless somebody confirms them.
 */
#include "controld/clock.h"
#include "controld/commit.h"
#include "database.h"
#include "fake.h"
#include "transaction.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CODE(name) LP__PB__REJECTED__CODE__##name
#define RESULT(name) LP__PB__FAILURE__RESULT__##name
#define NS_PER_S UINT64_C(1000000000)

enum { LONG_MS = 3600000, SHORT_MS = 20 };

static struct world world;
static struct fake fake;

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

static void
send_waiting(const char *text, uint32_t confirm_ms, uint32_t timeout_ms)
{
	Lp__Pb__ControlRequest *request = make_transaction(text);

	request->transaction->has_timeout_ms = true;
	request->transaction->timeout_ms = timeout_ms;
	request->transaction->has_confirm_ms = true;
	request->transaction->confirm_ms = confirm_ms;
	lp_session_request(world.session, 1, &world_peer, request);
}

static const Lp__Pb__Failure *
refused(void)
{
	return world_failure(world_replies(&world, world.reply_count + 1));
}

static void
done(void)
{
	world_done(world_replies(&world, world.reply_count + 1));
}

struct wanted {
	uint64_t generation;
};

static bool
has_come(void *arg)
{
	const struct wanted *wanted = arg;

	return world_status_reply(&world)->generation == wanted->generation;
}

static void
wait_for(uint64_t generation)
{
	struct wanted wanted = {generation};

	world_run(&world, has_come, &wanted);
}

START_TEST(without_a_word_it_is_taken_back)
{
	uint64_t digest;

	start();
	digest = world_status_reply(&world)->digest;
	send_waiting("add cluster a", SHORT_MS, 0);
	done();
	wait_for(3);
	ck_assert_uint_eq(world_status_reply(&world)->digest, digest);
	ck_assert_ptr_null(world_status_reply(&world)->confirm);
	ck_assert_str_eq(world_newest(&world),
	    "lp-controld: rollback to generation 1: generation 2 was not "
	    "confirmed within 1 s");
	/* Nobody was told, and all goes on. */
	ck_assert_uint_eq(world.reply_count, 1);
	world_send(&world, "add cluster b", 0);
	done();
	stop();
}
END_TEST

START_TEST(what_is_confirmed_stays)
{
	const Lp__Pb__ControlReply *reply;

	start();
	send_waiting("add cluster a", LONG_MS, 0);
	done();
	world_confirm(&world, _i == 0 ? 0 : 2);
	reply = world_replies(&world, 2);
	ck_assert_int_eq(reply->body_case, LP__PB__CONTROL_REPLY__BODY_CONFIRM);
	ck_assert_uint_eq(reply->confirm->generation, 2);
	ck_assert_ptr_null(world_status_reply(&world)->confirm);
	/* For ever. */
	world_restart(&world, NULL);
	ck_assert_ptr_null(world_status_reply(&world)->confirm);
	ck_assert_uint_eq(world_status_reply(&world)->generation, 2);
	world_confirm(&world, 0);
	ck_assert_str_eq(refused()->text,
	    "no change waits to be confirmed; generation 2 is desired");
	stop();
}
END_TEST

START_TEST(another_one_is_not_confirmed)
{
	start();
	send_waiting("add cluster a", LONG_MS, 0);
	done();
	world_confirm(&world, 1);
	ck_assert_str_eq(
	    refused()->text, "generation 2 waits to be confirmed, not 1");
	ck_assert_ptr_nonnull(world_status_reply(&world)->confirm);
	stop();
}
END_TEST

START_TEST(status_says_what_waits)
{
	const Lp__Pb__ConfirmStatus *confirm;
	uint64_t now_ns = lp_clock_time_ns();

	start();
	send_waiting("add cluster a", LONG_MS, 0);
	done();
	confirm = world_status_reply(&world)->confirm;
	ck_assert_uint_eq(confirm->generation, 2);
	ck_assert_uint_eq(confirm->back_to, 1);
	ck_assert_str_eq(confirm->who, "tester");
	ck_assert_uint_ge(confirm->until_ns, now_ns + 3500 * NS_PER_S);
	stop();
}
END_TEST

/* While one waits, nothing else changes: neither people nor discovery. */
START_TEST(others_are_told_to_wait)
{
	const Lp__Pb__Failure *failure;

	start();
	send_waiting("add cluster a", LONG_MS, 0);
	done();
	world_send(&world, "add cluster b", 0);
	failure = refused();
	ck_assert_int_eq(failure->result, RESULT(CONFLICT));
	ck_assert_str_eq(failure->text,
	    "generation 2 by tester waits to be confirmed for another 3600 s: "
	    "\"lpctl confirm\" keeps it, \"lpctl rollback\" takes it back");
	world_roll_back(&world, 2, 0);
	ck_assert_int_eq(refused()->result, RESULT(CONFLICT));
	world_roll_back(&world, 0, LONG_MS);
	ck_assert_int_eq(refused()->result, RESULT(CONFLICT));
	ck_assert_uint_eq(world_status_reply(&world)->generation, 2);
	stop();
}
END_TEST

START_TEST(a_rollback_ends_the_wait)
{
	start();
	send_waiting("add cluster a", LONG_MS, 0);
	done();
	world_roll_back(&world, (uint64_t)_i, 0);
	done();
	ck_assert_str_eq(
	    world_newest(&world), "tester: rollback to generation 1");
	ck_assert_ptr_null(world_status_reply(&world)->confirm);
	world_restart(&world, NULL);
	ck_assert_ptr_null(world_status_reply(&world)->confirm);
	stop();
}
END_TEST

START_TEST(a_rollback_may_wait_as_well)
{
	start();
	world_send(&world, "add cluster a", 0);
	done();
	world_roll_back(&world, 1, SHORT_MS);
	done();
	wait_for(4);
	ck_assert_str_eq(world_newest(&world),
	    "lp-controld: rollback to generation 2: generation 3 was not "
	    "confirmed within 1 s");
	stop();
}
END_TEST

START_TEST(nothing_changed_is_nothing_to_confirm)
{
	start();
	world_send(&world, "add cluster a", 0);
	done();
	send_waiting("add cluster a may=1", LONG_MS, 0);
	done();
	ck_assert_ptr_null(world_status_reply(&world)->confirm);
	stop();
}
END_TEST

START_TEST(a_wait_without_end_is_refused)
{
	start();
	send_waiting("add cluster a", LP_CONFIRM_MAX_S * 1000 + 1, 0);
	ck_assert_str_eq(
	    refused()->text, "a change waits at most 3600 s to be confirmed");
	ck_assert_uint_eq(world_status_reply(&world)->generation, 1);
	stop();
}
END_TEST

struct busy {
	struct lp_confirm *confirm;
	uint64_t started_ms, over_ms;
};

static void
on_over(void *arg)
{
	struct busy *busy = arg;

	busy->over_ms = lp_clock_now_ms();
}

static bool
is_over(void *arg)
{
	const struct busy *busy = arg;

	return busy->over_ms != 0;
}

/* A turn of the loop that takes longer than the wait that begins in it. */
static void
on_busy(evutil_socket_t fd, short what, void *arg)
{
	struct busy *busy = arg;
	struct lp_store_waiting waiting = {
	    .generation = 2, .back_to = 1, .wait_ms = SHORT_MS};

	(void)fd;
	(void)what;
	busy->started_ms = lp_clock_now_ms();
	while (lp_clock_now_ms() < busy->started_ms + 2 * SHORT_MS)
		;
	busy->started_ms = lp_clock_now_ms();
	waiting.until_ns = lp_clock_time_ns() + SHORT_MS * UINT64_C(1000000);
	lp_confirm_start(busy->confirm, &waiting);
}

START_TEST(a_busy_daemon_shortens_no_wait)
{
	const struct timeval soon = {.tv_usec = 1000};
	struct busy busy = {0};

	start();
	ck_assert_int_eq(
	    lp_confirm_new(&busy.confirm, world.base, on_over, &busy), 0);
	event_base_once(world.base, -1, EV_TIMEOUT, on_busy, &busy, &soon);
	world_run(&world, is_over, &busy);
	/* Of the clock of the machine a millisecond may be cut off. */
	ck_assert_uint_ge(busy.over_ms + 1, busy.started_ms + SHORT_MS);
	lp_confirm_free(busy.confirm);
	stop();
}
END_TEST

/* --- lp-controld ends in between -------------------------------------- */

START_TEST(the_wait_survives_a_restart)
{
	start();
	send_waiting("add cluster a", LONG_MS, 0);
	done();
	world_restart(&world, NULL);
	ck_assert_uint_eq(world_status_reply(&world)->confirm->generation, 2);
	world_send(&world, "add cluster b", 0);
	ck_assert_int_eq(refused()->result, RESULT(CONFLICT));
	world_roll_back(&world, 0, 0);
	done();
	ck_assert_str_eq(
	    world_newest(&world), "tester: rollback to generation 1");
	stop();
}
END_TEST

static void
run_out(const char *path)
{
	struct database database = {.path = (char *)path};

	database_sql(&database, "UPDATE confirm SET until_ns = 1");
}

START_TEST(what_ran_out_meanwhile_is_taken_back_at_once)
{
	start();
	send_waiting("add cluster a", LONG_MS, 0);
	done();
	world_restart(&world, run_out);
	wait_for(3);
	ck_assert_ptr_null(world_status_reply(&world)->confirm);
	stop();
}
END_TEST

/* The clock was set back by years: the wait is not longer for it. */
static void
set_clock_back(const char *path)
{
	struct database database = {.path = (char *)path};

	database_sql(&database,
	    "UPDATE confirm SET until_ns = until_ns + 100000000000000000");
}

START_TEST(no_clock_makes_a_wait_longer)
{
	uint64_t until_ns;

	start();
	send_waiting("add cluster a", LONG_MS, 0);
	done();
	world_restart(&world, set_clock_back);
	until_ns = world_status_reply(&world)->confirm->until_ns;
	ck_assert_uint_le(until_ns, lp_clock_time_ns() + 3600 * NS_PER_S);
	stop();
}
END_TEST

static void
change_tables(const char *path)
{
	struct database database = {.path = (char *)path};

	database_sql(&database,
	    "INSERT INTO cluster (id, name) VALUES (0 + 77, 'x'); "
	    "UPDATE meta SET next_id = 78");
}

/* Of a generation that is not the newest any more nothing comes back. */
START_TEST(a_change_by_hand_ends_the_wait)
{
	start();
	send_waiting("add cluster a", LONG_MS, 0);
	done();
	world_restart(&world, change_tables);
	ck_assert_uint_eq(world_status_reply(&world)->generation, 3);
	ck_assert_ptr_null(world_status_reply(&world)->confirm);
	stop();
}
END_TEST

/* Nothing is stored, and the wait goes on; then all goes on. */
START_TEST(a_full_disk_ends_no_wait)
{
	struct rlimit limit;

	start();
	send_waiting("add cluster a", LONG_MS, 0);
	done();
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = 4096;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	world_roll_back(&world, 0, 0);
	ck_assert_ptr_nonnull(strstr(refused()->text, "not stored: /tmp/"));
	world_confirm(&world, 0);
	ck_assert_ptr_nonnull(strstr(refused()->text, "not stored: /tmp/"));
	ck_assert_uint_eq(world_status_reply(&world)->generation, 2);
	ck_assert_uint_eq(world_status_reply(&world)->confirm->generation, 2);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	world_roll_back(&world, 0, 0);
	done();
	ck_assert_ptr_null(world_status_reply(&world)->confirm);
	world_restart(&world, NULL);
	ck_assert_uint_eq(world_status_reply(&world)->generation, 3);
	stop();
}
END_TEST

/* --- and the dataplanes ------------------------------------------------ */

static void
start_fake(void)
{
	world_start(&world, &patient, 1);
	fake_start(&fake, &world, world.paths[0]);
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
}

START_TEST(what_is_rejected_does_not_wait)
{
	struct pushed pushed;

	start_fake();
	send_waiting("add cluster a", LONG_MS, 60000);
	fake_take_push(&fake);
	fake_rejected(&fake, 2, CODE(RESOURCE), "port x", "device", "no");
	pushed = fake_take_push(&fake);
	fake_applied(&fake, 3, pushed.digest);
	ck_assert_int_eq(
	    world_failure(world_replies(&world, 1))->result, RESULT(REJECTED));
	ck_assert_ptr_null(world_status_reply(&world)->confirm);
	fake_stop(&fake);
	stop();
}
END_TEST

/* A dataplane that is slow keeps nothing from being taken back. */
START_TEST(it_is_taken_back_from_a_dataplane_that_is_late)
{
	struct pushed pushed;

	start_fake();
	send_waiting("add cluster a", SHORT_MS, 60000);
	pushed = fake_take_push(&fake);
	ck_assert_str_eq(world_failure(world_replies(&world, 1))->text,
	    "generation 2 is stored, but was not applied within 20 ms; it "
	    "will be as soon as the dataplane can; it is rolled back unless "
	    "you confirm it");
	wait_for(3);
	fake_applied(&fake, 2, pushed.digest);
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 3);
	fake_applied(&fake, 3, pushed.digest);
	world_state(&world, 0, "applied");
	fake_stop(&fake);
	stop();
}
END_TEST

/*
 * The time of the first is over while its confirmation stands in the queue,
 * with another change behind it: that one has its own time.
 */
START_TEST(the_time_of_one_takes_back_no_other)
{
	struct pushed pushed;

	start_fake();
	send_waiting("add cluster a", SHORT_MS, 60000);
	pushed = fake_take_push(&fake);
	world_confirm(&world, 0);
	send_waiting("add cluster b", LONG_MS, 0);
	world_replies(&world, 3);
	ck_assert_int_eq(
	    world_failure(world.replies[0])->result, RESULT(TIMEOUT));
	ck_assert_int_eq(
	    world.replies[1]->body_case, LP__PB__CONTROL_REPLY__BODY_CONFIRM);
	world_done(world.replies[2]);
	/* Behind what came of the time that was over. */
	world_send(&world, "add cluster c", 0);
	ck_assert_int_eq(refused()->result, RESULT(CONFLICT));
	ck_assert_uint_eq(world_status_reply(&world)->generation, 3);
	ck_assert_uint_eq(world_status_reply(&world)->confirm->generation, 3);
	fake_applied(&fake, 2, pushed.digest);
	fake_stop(&fake);
	stop();
}
END_TEST

/* Nobody wanted what was there before: it does not come back for that. */
START_TEST(a_dataplane_does_not_bring_back_what_was_not_confirmed)
{
	struct pushed pushed;

	start_fake();
	send_waiting("add cluster a", LONG_MS, 60000);
	pushed = fake_take_push(&fake);
	fake_applied(&fake, 2, pushed.digest);
	done();
	world_roll_back(&world, 0, 0);
	fake_take_push(&fake);
	fake_rejected(&fake, 3, CODE(RESOURCE), "port x", "device", "no");
	ck_assert_str_eq(world_failure(world_replies(&world, 2))->text,
	    "no (it stays stored: what it takes back was not confirmed)");
	ck_assert_uint_eq(world_status_reply(&world)->generation, 3);
	fake_stop(&fake);
	stop();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("confirm");
	TCase *tcase = tcase_create("confirm");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, without_a_word_it_is_taken_back);
	tcase_add_loop_test(tcase, what_is_confirmed_stays, 0, 2);
	tcase_add_test(tcase, another_one_is_not_confirmed);
	tcase_add_test(tcase, status_says_what_waits);
	tcase_add_test(tcase, others_are_told_to_wait);
	tcase_add_loop_test(tcase, a_rollback_ends_the_wait, 0, 2);
	tcase_add_test(tcase, a_rollback_may_wait_as_well);
	tcase_add_test(tcase, nothing_changed_is_nothing_to_confirm);
	tcase_add_test(tcase, a_wait_without_end_is_refused);
	tcase_add_test(tcase, a_busy_daemon_shortens_no_wait);
	tcase_add_test(tcase, the_wait_survives_a_restart);
	tcase_add_test(tcase, what_ran_out_meanwhile_is_taken_back_at_once);
	tcase_add_test(tcase, no_clock_makes_a_wait_longer);
	tcase_add_test(tcase, a_change_by_hand_ends_the_wait);
	tcase_add_test(tcase, a_full_disk_ends_no_wait);
	tcase_add_test(tcase, what_is_rejected_does_not_wait);
	tcase_add_test(tcase, it_is_taken_back_from_a_dataplane_that_is_late);
	tcase_add_test(tcase, the_time_of_one_takes_back_no_other);
	tcase_add_test(
	    tcase, a_dataplane_does_not_bring_back_what_was_not_confirmed);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
