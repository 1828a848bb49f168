/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions in many frames: what is done when, and of half a one nothing.
 */
#include "controld/gather.h"
#include "transaction.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALICE = 1, BOB = 3 };

static struct world world;
static char text[LP_COMMANDS_MAX * 64];

static void
start(void)
{
	world_start(&world, &patient, 0);
}

static void
start_small(size_t client_bytes, size_t all_bytes, unsigned wait_ms)
{
	world_gather = (struct lp_gather_limits){
	    .client_bytes = client_bytes,
	    .all_bytes = all_bytes,
	    .wait_ms = wait_ms,
	};
	start();
}

static void
stop(void)
{
	world_stop(&world);
}

static void
send_part(uint64_t client, const char *commands, bool more)
{
	Lp__Pb__ControlRequest *request = make_transaction(commands);

	request->cookie = client;
	request->transaction->has_more = request->transaction->more = more;
	request->transaction->has_timeout_ms = true;
	request->transaction->timeout_ms = 0;
	lp_session_request(world.session, client, &world_peer, request);
}

static void
send_rules(uint64_t client, unsigned from, unsigned count, bool more)
{
	size_t len = 0;

	for (unsigned i = from; i < from + count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%sadd rule r%u priority=%u match= action=observe",
		    i > from ? ";" : "", i, i);
	send_part(client, text, more);
}

static uint64_t
generation(void)
{
	return world_status_reply(&world)->generation;
}

START_TEST(frames_become_one_transaction)
{
	start();
	send_part(ALICE, "add cluster a", true);
	send_part(ALICE, "add cluster b;add cluster c", true);
	ck_assert_uint_eq(generation(), 1);
	ck_assert_uint_eq(world.reply_count, 0);
	send_part(ALICE, "add broker c 1 to=10.0.0.1:9092", false);
	ck_assert_uint_eq(world_done(world_replies(&world, 1))->generation, 2);
	ck_assert_uint_eq(world.replies[0]->cookie, ALICE);
	/* And the next is one of its own. */
	send_part(ALICE, "add cluster d", false);
	ck_assert_uint_eq(world_done(world_replies(&world, 2))->generation, 3);
	stop();
}
END_TEST

/* Nothing that one sends ends up with another. */
START_TEST(each_client_has_its_own)
{
	start();
	send_part(ALICE, "add cluster a", true);
	send_part(BOB, "add cluster b", true);
	send_part(BOB, "add broker a 1 to=10.0.0.1:9092", false);
	ck_assert_str_eq(
	    world_failure(world_replies(&world, 1))->object, "broker a/1");
	ck_assert_uint_eq(world.clients[0], BOB);
	send_part(ALICE, "add broker a 1 to=10.0.0.1:9092", false);
	world_done(world_replies(&world, 2));
	ck_assert_uint_eq(world.clients[1], ALICE);
	ck_assert_uint_eq(generation(), 2);
	stop();
}
END_TEST

static void
send_as(uint64_t cookie, const char *commands, bool more)
{
	Lp__Pb__ControlRequest *request = make_transaction(commands);

	request->cookie = cookie;
	request->transaction->has_more = request->transaction->more = more;
	lp_session_request(world.session, ALICE, &world_peer, request);
}

/* Two transactions of a client do not become one, nor is one swallowed. */
START_TEST(another_cookie_is_another_transaction)
{
	start_small(4000, 0, 0);
	send_as(5, "add cluster a", true);
	send_as(6, "add cluster b", false);
	ck_assert_str_eq(world_failure(world_replies(&world, 1))->text,
	    "another transaction came before the rest of it; nothing was "
	    "stored");
	ck_assert_uint_eq(world.replies[0]->cookie, 5);
	world_done(world_replies(&world, 2));
	ck_assert_uint_eq(world.replies[1]->cookie, 6);
	/* One that was refused is over, too. */
	send_rules(ALICE, 1, 64, true);
	world_failure(world_replies(&world, 3));
	send_as(7, "add cluster c", false);
	world_done(world_replies(&world, 4));
	ck_assert_uint_eq(world.replies[3]->cookie, 7);
	world_send(&world, "add broker a 1 to=10.0.0.1:9092", 0);
	world_failure(world_replies(&world, 5));
	stop();
	world_gather = (struct lp_gather_limits){0};
}
END_TEST

/* The daemon counts on from frame to frame where lpctl does not. */
START_TEST(a_mistake_is_placed_in_the_whole)
{
	start();
	send_part(ALICE, "add cluster a;add cluster b", true);
	send_part(ALICE, "add cluster c;add cluster a", false);
	ck_assert_uint_eq(world_failure(world_replies(&world, 1))->place, 4);
	stop();
}
END_TEST

START_TEST(half_of_one_is_forgotten_with_its_client)
{
	start();
	send_part(ALICE, "add cluster a", true);
	lp_session_gone(world.session, ALICE);
	send_part(ALICE, "add cluster b", false);
	world_done(world_replies(&world, 1));
	send_part(ALICE, "del cluster a", false);
	ck_assert_str_eq(world_failure(world_replies(&world, 2))->text,
	    "there is no cluster a");
	stop();
}
END_TEST

/* Whole, or not: what follows a refusal is no transaction of its own. */
START_TEST(what_does_not_come_in_time_is_refused_whole)
{
	start_small(0, 0, 1);
	send_part(ALICE, "add cluster a", true);
	ck_assert_str_eq(world_failure(world_replies(&world, 1))->text,
	    "the rest of the transaction has not come within 1 ms; nothing "
	    "was stored");
	send_part(ALICE, "add cluster b", true);
	send_part(ALICE, "add cluster c", false);
	ck_assert_uint_eq(generation(), 1);
	ck_assert_uint_eq(world.reply_count, 1);
	send_part(ALICE, "add cluster d", false);
	ck_assert_uint_eq(world_done(world_replies(&world, 2))->generation, 2);
	stop();
}
END_TEST

START_TEST(one_that_takes_too_much_memory_is_refused)
{
	start_small(1 << 20, 64 << 20, 0);
	for (unsigned i = 0; world.reply_count == 0; i++)
		send_rules(ALICE, 100 * i, 100, true);
	ck_assert_str_eq(world_failure(world.replies[0])->text,
	    "the transaction takes more than the 1 MB of memory that there "
	    "are for one; make several of it");
	send_part(ALICE, "add cluster c", false);
	ck_assert_uint_eq(generation(), 1);
	/* What it held is free again. */
	send_rules(ALICE, 0, 100, true);
	send_rules(ALICE, 100, 100, false);
	world_done(world_replies(&world, 2));
	stop();
}
END_TEST

START_TEST(all_of_them_share_the_memory_there_is)
{
	start_small(2 << 20, 3 << 20, 0);
	for (unsigned i = 0; i < 10; i++)
		send_rules(ALICE, 100 * i, 100, true);
	for (uint64_t client = BOB; world.reply_count == 0; client++)
		for (unsigned i = 0; i < 10 && world.reply_count == 0; i++)
			send_rules(client, 100 * i, 100, true);
	ck_assert_str_eq(world_failure(world.replies[0])->text,
	    "transactions that are being sent take up the 3 MB of memory that "
	    "there are for all of them; try again later");
	ck_assert_uint_ne(world.clients[0], ALICE);
	/* Who was there before is not hindered. */
	send_part(ALICE, "add cluster c", false);
	world_done(world_replies(&world, 2));
	stop();
}
END_TEST

START_TEST(more_operations_than_there_may_be_are_refused)
{
	start();
	for (unsigned i = 0; i <= LP_OPERATIONS_MAX / 4000; i++)
		send_rules(ALICE, 4000 * i, 4000, true);
	snprintf(text, sizeof(text), "more than %d commands in one transaction",
	    LP_OPERATIONS_MAX);
	ck_assert_str_eq(world_failure(world_replies(&world, 1))->text, text);
	send_part(ALICE, "add cluster c", false);
	ck_assert_uint_eq(generation(), 1);
	stop();
}
END_TEST

/* With half a transaction of each: all of it is given back. */
START_TEST(it_ends_with_halves)
{
	start();
	for (uint64_t client = 10; client < 70; client++)
		send_part(client, "add cluster a;add cluster b", true);
	stop();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("gather");
	TCase *tcase = tcase_create("gather");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, frames_become_one_transaction);
	tcase_add_test(tcase, each_client_has_its_own);
	tcase_add_test(tcase, another_cookie_is_another_transaction);
	tcase_add_test(tcase, a_mistake_is_placed_in_the_whole);
	tcase_add_test(tcase, half_of_one_is_forgotten_with_its_client);
	tcase_add_test(tcase, what_does_not_come_in_time_is_refused_whole);
	tcase_add_test(tcase, one_that_takes_too_much_memory_is_refused);
	tcase_add_test(tcase, all_of_them_share_the_memory_there_is);
	tcase_add_test(tcase, more_operations_than_there_may_be_are_refused);
	tcase_add_test(tcase, it_ends_with_halves);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
