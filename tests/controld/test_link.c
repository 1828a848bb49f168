/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link is cut while changes flow: the dataplane, which keeps what is
 * whole and forgets halves as a real one does, ends equal.
 */
#include "dataplane/candidate.h"
#include "fake.h"
#include "transaction.h"

#include <signal.h>
#include <stdlib.h>

#define BODY(name) LP__PB__DATAPLANE_MESSAGE__BODY_##name

enum { WHOLE = 1000 }; /* more frames than any push here */

static struct world world;
static struct fake fake;
static struct lp_running running;
static struct lp_candidate candidate;
static unsigned connections; /* asked for so far */

static void
start(void)
{
	world_start(&world, &patient, 1);
	fake_start(&fake, &world, world.paths[0]);
	lp_config_init(&running.config);
	lp_candidate_init(&candidate);
}

static void
stop(void)
{
	fake_stop(&fake);
	world_stop(&world);
	lp_candidate_fini(&candidate);
	lp_config_fini(&running.config);
}

/* It hangs up, and what it has not read is gone, and the half with it. */
static void
cut(void)
{
	fake_hang_up(&fake);
	for (; fake.count > 0; fake.count--)
		lp__pb__dataplane_message__free_unpacked(
		    fake.frames[fake.first++], NULL);
	fake.first = 0;
	lp_candidate_fini(&candidate);
	lp_candidate_init(&candidate);
}

/* HELLO of what it runs; what lp-controld says to that. */
static Lp__Pb__Welcome__Sync
join(void)
{
	fake_wait_connection(&fake, ++connections);
	fake_hello(
	    &fake, running.epoch_seen, running.generation, running.digest);
	return fake_take(&fake, BODY(WELCOME))->welcome->sync;
}

static void
answer(uint64_t generation, int error, const struct lp_refusal *refusal)
{
	if (error != 0) {
		fake_rejected(
		    &fake, generation, refusal->code, NULL, NULL, NULL);
		return;
	}
	lp_config_fini(&running.config);
	running.config = candidate.config;
	lp_config_init(&candidate.config);
	running.epoch = running.epoch_seen = candidate.epoch;
	running.generation = candidate.generation;
	running.digest = candidate.digest;
	fake_applied(&fake, running.generation, running.digest);
}

/*
 * Takes so many frames of what is pushed, and what comes after it if that is
 * refused.  True: it was whole; else it is cut.
 */
static bool
take(unsigned frames, bool *full)
{
	while (frames-- > 0) {
		struct lp_refusal refusal;
		int error = 0;

		if (candidate.state == LP_CANDIDATE_NONE) {
			const Lp__Pb__Begin *begin =
			    fake_take(&fake, BODY(BEGIN))->begin;

			*full = begin->full;
			error = lp_candidate_begin(&candidate, begin,
			    begin->epoch, &running, &refusal);
		} else if (candidate.received < candidate.expected) {
			error = lp_candidate_object(&candidate,
			    fake_take(&fake, BODY(OBJECT))->object, &refusal);
		} else {
			const Lp__Pb__End *end =
			    fake_take(&fake, BODY(END))->end;

			error = lp_candidate_end(
			    &candidate, end, &running, &refusal);
			answer(end->generation, error, &refusal);
			if (error == 0)
				return true;
		}
		ck_assert_msg(error == 0, "%s", refusal.why);
	}
	cut();
	return false;
}

static void
is_equal(void)
{
	const Lp__Pb__StatusReply *status;

	world_state(&world, 0, "applied");
	status = world_status_reply(&world);
	ck_assert_uint_eq(running.generation, status->generation);
	ck_assert_uint_eq(running.digest, status->digest);
	ck_assert_uint_eq(lp_config_digest(&running.config), status->digest);
}

static void
first(void)
{
	bool full;

	start();
	world_change(&world, basic);
	ck_assert_int_eq(join(), LP__PB__WELCOME__SYNC__REPLACE);
	ck_assert(take(WHOLE, &full) && full);
	is_equal();
}

/* There and back; the one adds, the other deletes. */
static const char *const changes[] = {
    "del broker payments 2; set broker payments 1 to=10.9.0.99:9092; "
    "add cluster orders; add broker orders 1 to=10.9.0.31:9092",
    "add broker payments 2 to=10.9.0.22:9092; "
    "set broker payments 1 to=10.9.0.21:9092; del broker orders 1; "
    "del cluster orders",
};

START_TEST(a_delta_is_cut_at_each_frame)
{
	unsigned frames = 0;
	bool full, whole;

	first();
	do {
		world_change(&world, changes[frames % 2]);
		whole = take(frames, &full);
		if (!whole)
			ck_assert_int_eq(
			    join(), LP__PB__WELCOME__SYNC__REPLACE);
		/* It has missed the change: the whole is what helps. */
		ck_assert(whole || (take(WHOLE, &full) && full));
		is_equal();
		frames++;
	} while (!whole);
	ck_assert(!full);
	ck_assert_uint_ge(frames, 6);
	stop();
}
END_TEST

START_TEST(a_whole_generation_is_cut_at_each_frame)
{
	unsigned frames = 0;
	bool full;

	start();
	world_change(&world, basic);
	do
		ck_assert_int_eq(join(), LP__PB__WELCOME__SYNC__REPLACE);
	while (!take(frames++, &full));
	ck_assert(full);
	ck_assert_uint_ge(frames, 8);
	is_equal();
	stop();
}
END_TEST

/* It was applied, and nobody heard so: there is nothing to do. */
START_TEST(an_answer_that_is_cut_off_is_found_in_hello)
{
	bool full;

	first();
	world_change(&world, changes[0]);
	fake_wait_connection(&fake, connections);
	ck_assert(take(WHOLE, &full));
	cut();
	ck_assert_int_eq(join(), LP__PB__WELCOME__SYNC__RESUME);
	is_equal();
	stop();
}
END_TEST

/* Several changes go by, deletions among them, while there is no link. */
START_TEST(what_was_missed_is_made_up_for)
{
	bool full;

	first();
	cut();
	for (unsigned i = 0; i < 5; i++)
		world_change(&world, changes[i % 2]);
	ck_assert_int_eq(join(), LP__PB__WELCOME__SYNC__REPLACE);
	ck_assert(take(WHOLE, &full) && full);
	is_equal();
	ck_assert_ptr_null(
	    lp_config_find(&running.config, LP_OBJECT_BROKER, 4));
	stop();
}
END_TEST

/* Changes come while it is being pushed to: it is brought to the last. */
START_TEST(changes_during_a_push_are_not_lost)
{
	bool full;

	first();
	for (unsigned cut_one = 0; cut_one < 2; cut_one++) {
		world_change(&world, changes[0]);
		world_change(&world, changes[1]);
		world_change(&world, changes[0]);
		if (cut_one == 1) {
			ck_assert(!take(3, &full));
			join();
		}
		do
			ck_assert(take(WHOLE, &full));
		while (running.digest != world_status_reply(&world)->digest);
		is_equal();
		world_change(&world, changes[1]);
		ck_assert(take(WHOLE, &full));
		is_equal();
	}
	stop();
}
END_TEST

/* Its memory is damaged, and its BEAT, which is computed anew, tells. */
START_TEST(another_digest_is_healed_without_a_cut)
{
	bool full;

	first();
	fake_beat(&fake, running.generation, running.digest ^ 1);
	ck_assert(take(WHOLE, &full) && full);
	is_equal();
	stop();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("link");
	TCase *tcase = tcase_create("link");
	SRunner *runner;
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_delta_is_cut_at_each_frame);
	tcase_add_test(tcase, a_whole_generation_is_cut_at_each_frame);
	tcase_add_test(tcase, an_answer_that_is_cut_off_is_found_in_hello);
	tcase_add_test(tcase, what_was_missed_is_made_up_for);
	tcase_add_test(tcase, changes_during_a_push_are_not_lost);
	tcase_add_test(tcase, another_digest_is_healed_without_a_cut);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
