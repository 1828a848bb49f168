/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a change whose dataplanes reject it, are slow, or go away.
 */
#include "controld/session.h"
#include "fake.h"
#include "transaction.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY(name) LP__PB__DATAPLANE_MESSAGE__BODY_##name
#define CODE(name) LP__PB__REJECTED__CODE__##name
#define RESULT(name) LP__PB__FAILURE__RESULT__##name

static struct world world;
static struct fake fake;

static void
start(void)
{
	world_start(&world, &patient, 1);
	fake_start(&fake, &world, world.paths[0]);
}

static void
stop(void)
{
	fake_stop(&fake);
	world_stop(&world);
}

START_TEST(what_a_dataplane_rejects_is_rolled_back)
{
	const Lp__Pb__Failure *failure;
	struct pushed first, pushed;

	start();
	first = fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, basic, 10000);
	fake_take_push(&fake);
	fake_rejected(&fake, 2, CODE(RESOURCE), "port front", "device",
	    "eth1: there is no such device");
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 3);
	ck_assert_uint_eq(pushed.digest, first.digest);
	ck_assert(pushed.full);
	ck_assert_uint_eq(world.reply_count, 0); /* it is waited for */
	fake_applied(&fake, 3, pushed.digest);
	failure = world_failure(world_replies(&world, 1));
	ck_assert_int_eq(failure->result, RESULT(REJECTED));
	ck_assert_str_eq(failure->object, "port front");
	ck_assert_str_eq(failure->field, "device");
	ck_assert_str_eq(failure->dataplane, "host-a");
	ck_assert_str_eq(failure->text,
	    "eth1: there is no such device (rolled back by generation 3)");
	ck_assert_str_eq(world_status(&world, 0)->state, "applied");
	/* It is as before: the same transaction is judged anew. */
	world_send(&world, basic, 10000);
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 4);
	fake_applied(&fake, 4, pushed.digest);
	world_done(world_replies(&world, 2));
	stop();
}
END_TEST

START_TEST(one_that_rejects_rolls_all_back)
{
	struct fake other;
	struct pushed first, pushed;

	world_start(&world, &patient, 2);
	fake_start(&fake, &world, world.paths[0]);
	fake_start(&other, &world, world.paths[1]);
	first = fake_synchronise(&fake);
	fake_synchronise(&other);
	world_state(&world, 0, "applied");
	world_state(&world, 1, "applied");
	world_send(&world, basic, 10000);
	pushed = fake_take_push(&fake);
	fake_applied(&fake, 2, pushed.digest);
	fake_take_push(&other);
	fake_rejected(&other, 2, CODE(INVALID), "port front", "device", "no");
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.digest, first.digest);
	fake_applied(&fake, 3, pushed.digest);
	pushed = fake_take_push(&other);
	ck_assert_uint_eq(pushed.digest, first.digest);
	fake_applied(&other, 3, pushed.digest);
	ck_assert_int_eq(
	    world_failure(world_replies(&world, 1))->result, RESULT(REJECTED));
	fake_stop(&other);
	stop();
}
END_TEST

/* An old one would take the fields for nothing, and say "applied". */
START_TEST(what_a_dataplane_cannot_do_is_not_even_sent_to_it)
{
	static const char *const texts[] = {
	    "add cluster c; add listener c l vip=10.9.0.100:9092",
	    ("add cluster c; add listener c l vip=10.9.0.100:9092 "
	     "rewrite=shadow"),
	    "add cluster c; add listener c l mode=inline",
	};
	const Lp__Pb__Failure *failure;
	struct pushed pushed;

	start();
	fake.old = true;
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, texts[_i], 10000);
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 3);
	fake_applied(&fake, 3, pushed.digest);
	failure = world_failure(world_replies(&world, 1));
	ck_assert_int_eq(failure->result, RESULT(REJECTED));
	ck_assert_str_eq(failure->object, "listener c/l");
	ck_assert_str_eq(failure->field, _i == 2 ? "mode" : "rewrite");
	ck_assert_ptr_nonnull(strstr(failure->text, "this dataplane (0.1.0) "));
	world_send(&world,
	    "add cluster c; add listener c l vip=10.9.0.100:9092 rewrite=off",
	    10000);
	pushed = fake_take_push(&fake);
	fake_applied(&fake, pushed.generation, pushed.digest);
	world_replies(&world, 1);
	stop();
}
END_TEST

START_TEST(what_is_not_applied_in_time_stays_stored)
{
	const Lp__Pb__Failure *failure;
	struct pushed pushed;

	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, basic, 20);
	failure = world_failure(world_replies(&world, 1));
	ck_assert_int_eq(failure->result, RESULT(TIMEOUT));
	ck_assert_str_eq(failure->dataplane, "host-a");
	ck_assert_str_eq(failure->text,
	    "generation 2 is stored, but was not applied within 20 ms; it "
	    "will be as soon as the dataplane can");
	pushed = fake_take_push(&fake);
	fake_applied(&fake, 2, pushed.digest);
	world_state(&world, 0, "applied");
	stop();
}
END_TEST

START_TEST(a_dataplane_that_goes_away_is_waited_for)
{
	const Lp__Pb__TransactionReply *done;
	struct pushed pushed;

	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, "add cluster a", 10000);
	fake_take_push(&fake);
	fake_hang_up(&fake);
	world_state(&world, 0, "connecting");
	ck_assert_uint_eq(world.reply_count, 0);
	fake_wait_connection(&fake, 2);
	fake_hello(&fake, 1, 0, 0);
	fake_take(&fake, BODY(WELCOME));
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(world.reply_count, 0);
	fake_applied(&fake, 2, pushed.digest);
	done = world_done(world_replies(&world, 1));
	ck_assert_uint_eq(done->applied, 1);
	ck_assert_uint_eq(done->connected, 1);
	ck_assert_uint_eq(done->n_notes, 0);
	stop();
}
END_TEST

/* Also one that has come only after the change was stored. */
START_TEST(a_dataplane_that_stays_away_has_not_applied_in_time)
{
	const Lp__Pb__Failure *failure;

	start();
	if (_i == 0) {
		fake_synchronise(&fake);
		world_state(&world, 0, "applied");
	} else {
		fake_wait_connection(&fake, 1);
	}
	world_send(&world, "add cluster a", 500);
	if (_i == 1) {
		fake_hello(&fake, 0, 0, 0);
		fake_take(&fake, BODY(WELCOME));
	}
	fake_take_push(&fake);
	evconnlistener_disable(fake.listener); /* connected, but mute */
	fake_hang_up(&fake);
	failure = world_failure(world_replies(&world, 1));
	ck_assert_int_eq(failure->result, RESULT(TIMEOUT));
	ck_assert_str_eq(failure->dataplane, "host-a");
	ck_assert_str_eq(failure->text,
	    "generation 2 is stored, but the dataplane is away and has not "
	    "applied it within 500 ms: it closed the connection; it will when "
	    "it is back");
	stop();
}
END_TEST

START_TEST(a_dataplane_that_crashes_is_not_taken_for_one_that_applied)
{
	struct fake other;
	struct pushed pushed;

	world_start(&world, &patient, 2);
	fake_start(&fake, &world, world.paths[0]);
	fake_start(&other, &world, world.paths[1]);
	fake_synchronise(&fake);
	fake_synchronise(&other);
	world_state(&world, 0, "applied");
	world_state(&world, 1, "applied");
	world_send(&world, "add cluster a", 100);
	pushed = fake_take_push(&fake);
	fake_applied(&fake, 2, pushed.digest);
	fake_take_push(&other);
	fake_stop(&other);
	remove(world.paths[1]);
	ck_assert_int_eq(
	    world_failure(world_replies(&world, 1))->result, RESULT(TIMEOUT));
	stop();
}
END_TEST

/* The generation that is current is rejected, and stays so. */
static void
start_rejected(void)
{
	start();
	fake_wait_connection(&fake, 1);
	world_send(&world, basic, 0);
	world_replies(&world, 1);
	fake_hello(&fake, 0, 0, 0);
	fake_take(&fake, BODY(WELCOME));
	fake_take_push(&fake);
}

START_TEST(what_rejects_already_is_told_apart_from_the_change)
{
	const Lp__Pb__Failure *failure;
	struct pushed pushed;

	start_rejected();
	if (_i == 0) {
		fake_rejected(
		    &fake, 2, CODE(RESOURCE), "port front", "device", "gone");
		world_state(&world, 0, "rejected");
		world_send(&world, "add cluster b", 10000);
	} else {
		/* It says so only when the change is stored already. */
		world_send(&world, "add cluster b", 10000);
		event_base_loop(world.base, EVLOOP_NONBLOCK);
		fake_rejected(
		    &fake, 2, CODE(RESOURCE), "port front", "device", "gone");
	}
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 3);
	fake_rejected(&fake, 3, CODE(RESOURCE), "port front", "device", "gone");
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 4);
	fake_rejected(&fake, 4, CODE(RESOURCE), "port front", "device", "gone");
	failure = world_failure(world_replies(&world, 2));
	ck_assert_int_eq(failure->result, RESULT(REJECTED));
	ck_assert_str_eq(failure->dataplane, "host-a");
	ck_assert_str_eq(failure->text,
	    "gone (rolled back by generation 4; it rejected generation 2 "
	    "already; correct that first)");
	stop();
}
END_TEST

START_TEST(what_was_rejected_once_and_applied_then_is_not_held_against_it)
{
	struct pushed pushed;

	start_rejected();
	fake_rejected(&fake, 2, CODE(RESOURCE), "port front", "device", "gone");
	world_state(&world, 0, "rejected");
	/* patient.slow has passed, or will have: it is sent once more. */
	do {
		fake_beat(&fake, 0, 0);
		event_base_loop(world.base, EVLOOP_ONCE);
	} while (fake.count == 0);
	pushed = fake_take_push(&fake);
	fake_applied(&fake, 2, pushed.digest);
	world_state(&world, 0, "applied");
	world_send(&world, "add cluster b", 10000);
	fake_take_push(&fake);
	fake_rejected(&fake, 3, CODE(INVALID), "cluster b", "name", "no");
	pushed = fake_take_push(&fake);
	fake_applied(&fake, 4, pushed.digest);
	ck_assert_str_eq(world_failure(world_replies(&world, 2))->text,
	    "no (rolled back by generation 4)");
	stop();
}
END_TEST

START_TEST(a_dataplane_that_is_just_coming_is_waited_for)
{
	struct pushed pushed;

	start();
	fake_wait_connection(&fake, 1);
	world_send(&world, basic, 10000);
	fake_hello(&fake, 0, 0, 0);
	fake_take(&fake, BODY(WELCOME));
	ck_assert_uint_eq(world.reply_count, 0);
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 2);
	fake_applied(&fake, 2, pushed.digest);
	ck_assert_uint_eq(world_done(world_replies(&world, 1))->applied, 1);
	stop();
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)
#define LOOP(name, count) tcase_add_loop_test(tcase, name, 0, count)

int
main(void)
{
	Suite *suite = suite_create("commit");
	TCase *tcase = tcase_create("commit");
	SRunner *runner;
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	tcase_set_timeout(tcase, 60);
	TEST(what_a_dataplane_rejects_is_rolled_back);
	TEST(one_that_rejects_rolls_all_back);
	tcase_add_loop_test(
	    tcase, what_a_dataplane_cannot_do_is_not_even_sent_to_it, 0, 3);
	TEST(what_is_not_applied_in_time_stays_stored);
	TEST(a_dataplane_that_goes_away_is_waited_for);
	LOOP(a_dataplane_that_stays_away_has_not_applied_in_time, 2);
	TEST(a_dataplane_that_crashes_is_not_taken_for_one_that_applied);
	LOOP(what_rejects_already_is_told_apart_from_the_change, 2);
	TEST(what_was_rejected_once_and_applied_then_is_not_held_against_it);
	TEST(a_dataplane_that_is_just_coming_is_waited_for);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
