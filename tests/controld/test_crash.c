/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill -9 of lp-controld in place of each of its durable steps, in turn, and
 * at random in long sequences of commands: started again it has all of the
 * change, or nothing; all of it, if it has said so; and both dataplanes come
 * to what it has.
 *
 * test_crash LP_CONTROLD LP_DATAPLANE CRASH_POINTS_SO
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crash_daemon.h"
#include "crash_model.h"
#include "random.h"
#include "transaction.h"

enum {
	/* No command takes so many steps, nor does a start. */
	STEPS_MAX = 400,
	COMMANDS = 60,
	NAMES_MAX = 64,
	PAST = 8,
	/* Longer than a restart takes; and longer than the test. */
	TRIAL_MS = 100,
	LONG_MS = 600000,
};

static char **programs;
static struct daemon crashed;

/* Where it has died so far, for the eyes. */
static struct {
	char name[64];
	unsigned times;
} deaths[NAMES_MAX];

static void
note_death(void)
{
	const char *name = crashed.points->name;

	for (unsigned i = 0; i < NAMES_MAX; i++) {
		if (deaths[i].times > 0 && strcmp(deaths[i].name, name) != 0)
			continue;
		snprintf(deaths[i].name, sizeof(deaths[i].name), "%s", name);
		deaths[i].times++;
		return;
	}
}

static void
tell_deaths(void)
{
	for (unsigned i = 0; i < NAMES_MAX && deaths[i].times > 0; i++)
		printf("died %3u times in place of: %s\n", deaths[i].times,
		    deaths[i].name);
	fflush(stdout);
}

static void
setup(void)
{
	daemon_init(&crashed, programs);
}

static void
teardown(void)
{
	tell_deaths();
	daemon_fini(&crashed);
}

static void
forget_database(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -f %s/db*", crashed.dir);
	ck_assert_int_eq(system(command), 0);
}

/* Takes the request. */
static enum outcome
change(Lp__Pb__ControlRequest *request, uint64_t *generation)
{
	struct lp_replies replies;
	char why[LP_ERROR_SIZE];
	enum outcome outcome = daemon_ask(&crashed, &replies, request,
	    LP__PB__CONTROL_REPLY__BODY_TRANSACTION, why);

	if (outcome != ANSWERED)
		return outcome;
	*generation = replies.list[0]->transaction->generation;
	lp_client_replies_free(&replies);
	return ANSWERED;
}

static enum outcome
transact(const char *text, uint64_t *generation)
{
	return change(make_transaction(text), generation);
}

/* A change that is taken back after so long, unless it is confirmed. */
static Lp__Pb__ControlRequest *
make_trial(const char *text, uint32_t confirm_ms)
{
	Lp__Pb__ControlRequest *request = make_transaction(text);

	request->transaction->has_confirm_ms = true;
	request->transaction->confirm_ms = confirm_ms;
	return request;
}

/* What is before the newest generation, whatever the text. */
static Lp__Pb__ControlRequest *
make_rollback(const char *text)
{
	(void)text;
	return make_request(LP__PB__CONTROL_REQUEST__BODY_ROLLBACK);
}

static enum outcome
confirm(void)
{
	struct lp_replies replies;
	char why[LP_ERROR_SIZE];
	enum outcome outcome = daemon_ask(&crashed, &replies,
	    make_request(LP__PB__CONTROL_REQUEST__BODY_CONFIRM),
	    LP__PB__CONTROL_REPLY__BODY_CONFIRM, why);

	if (outcome == ANSWERED)
		lp_client_replies_free(&replies);
	return outcome;
}

/* What it has is that of the model. */
static bool
has(const struct model *model, uint64_t *number, uint32_t *max_id)
{
	char *wanted = model_show(model);
	char *found = daemon_show(&crashed, number, max_id);
	bool same = strcmp(wanted, found) == 0;

	free(wanted);
	free(found);
	return same;
}

static void
must_have(const struct model *model, const char *after)
{
	char *wanted = model_show(model);
	uint64_t number;
	uint32_t max_id;
	char *found = daemon_show(&crashed, &number, &max_id);

	ck_assert_msg(strcmp(wanted, found) == 0,
	    "after: %s (died in place of: %s)\nwanted:\n%sfound:\n%s", after,
	    crashed.points->name, wanted, found);
	free(wanted);
	free(found);
}

/* A new database, with all its migrations. */
START_TEST(a_first_start_is_cut_anywhere)
{
	const struct model empty = {0};
	uint32_t left = 0;

	while (!daemon_start(&crashed, ++left) || !daemon_spare(&crashed)) {
		ck_assert_uint_lt(left, STEPS_MAX);
		note_death();
		forget_database();
	}
	ck_assert_uint_gt(left, 20);
	must_have(&empty, "a first start");
	/* Each goes on where the one before was cut. */
	daemon_stop(&crashed);
	forget_database();
	for (left = 1; left <= 40; left++)
		if (daemon_start(&crashed, left) && daemon_spare(&crashed))
			daemon_stop(&crashed);
	ck_assert(daemon_start(&crashed, 0));
	must_have(&empty, "starts that were cut");
}
END_TEST

/* What is cut, and its undoing. */
struct cut {
	const char *what;
	Lp__Pb__ControlRequest *(*request)(const char *text);
	const char *text, *undo;
	struct model before, after;
};

/*
 * One change, cut at each of its steps: it is whole, or was never there, and
 * ids are not used again.
 */
static void
cut_everywhere(const struct cut *cut)
{
	uint32_t left = 0, max_id = 0, last_id = 0;
	uint64_t generation = 0, number = 0, last_number;
	enum outcome outcome;
	bool lives;

	do {
		last_number = number;
		daemon_arm(&crashed, ++left);
		ck_assert_uint_lt(left, STEPS_MAX);
		outcome = change(cut->request(cut->text), &generation);
		ck_assert_msg(outcome != REFUSED, "%s", cut->what);
		lives = outcome == ANSWERED && daemon_spare(&crashed);
		if (!lives) {
			note_death();
			ck_assert(daemon_start(&crashed, 0));
		}
		if (outcome == DIED && has(&cut->before, &number, &max_id))
			continue;
		must_have(&cut->after, cut->what);
		ck_assert(has(&cut->after, &number, &max_id));
		ck_assert_uint_gt(number, last_number);
		ck_assert_uint_ge(max_id, last_id);
		last_id = max_id;
		daemon_wait_applied(&crashed);
		ck_assert_int_eq(transact(cut->undo, &generation), ANSWERED);
		must_have(&cut->before, cut->undo);
	} while (!lives);
	ck_assert_uint_gt(left, 5);
}

static const char first_rule[] =
    "add rule r0 priority=50 match=api=Fetch action=observe";

/* A port, a cluster with a broker, and a rule; in a daemon that runs. */
static struct model
start_with_something(void)
{
	struct model model = {.port = true};
	uint64_t generation;

	model.clusters[0] = true;
	model.brokers[0][0] = 7;
	model.rules[0] = 50;
	ck_assert(daemon_start(&crashed, 0));
	ck_assert_int_eq(transact("add port front device=x backend=memory "
				  "address=10.9.0.1/16;add cluster c0;"
				  "add broker c0 1 to=10.9.10.7:9092",
			     &generation),
	    ANSWERED);
	ck_assert_int_eq(transact(first_rule, &generation), ANSWERED);
	daemon_wait_applied(&crashed);
	return model;
}

START_TEST(a_change_is_cut_anywhere)
{
	struct cut cut = {.what = "an add", .request = make_transaction};

	cut.before = cut.after = start_with_something();
	cut.after.listeners[0] = 5;
	cut.after.brokers[0][1] = 8;
	cut.text = "add listener c0 l vip=10.9.100.5:9092;"
		   "add broker c0 2 to=10.9.11.8:9092";
	cut.undo = "del listener c0 l;del broker c0 2";
	cut_everywhere(&cut);
	cut.what = "a del";
	cut.after = cut.before;
	cut.after.rules[0] = 0;
	cut.text = "del rule r0";
	cut.undo = first_rule;
	cut_everywhere(&cut);
}
END_TEST

/* To the generation before the newest, which is what its undoing brings. */
START_TEST(a_rollback_is_cut_anywhere)
{
	struct cut cut = {
	    .what = "a rollback",
	    .request = make_rollback,
	    .undo = first_rule,
	};

	cut.before = cut.after = start_with_something();
	cut.after.rules[0] = 0;
	cut_everywhere(&cut);
}
END_TEST

static bool
waits(void)
{
	uint64_t generation;

	return daemon_waits(&crashed, &generation);
}

/*
 * Whatever is cut, a change that nobody confirms goes, and one that was
 * confirmed stays.
 */
START_TEST(a_trial_is_cut_anywhere)
{
	const struct model before = start_with_something();
	uint64_t generation;
	uint32_t left = 0;
	enum outcome outcome;
	bool lives;

	do {
		daemon_arm(&crashed, ++left);
		ck_assert_uint_lt(left, STEPS_MAX);
		outcome =
		    change(make_trial("del rule r0", TRIAL_MS), &generation);
		lives = outcome == ANSWERED && daemon_spare(&crashed);
		if (!lives) {
			note_death();
			ck_assert(daemon_start(&crashed, 0));
		}
		daemon_wait_over(&crashed);
		must_have(&before, "a trial that was not confirmed");
	} while (!lives);
	ck_assert_uint_gt(left, 5);
	/* Taking it back is cut, too. */
	for (left = 1; left <= 12; left++) {
		outcome = change(make_trial("del rule r0", 1), &generation);
		daemon_arm(&crashed, left);
		if (!daemon_wait_over(&crashed) || !daemon_spare(&crashed)) {
			note_death();
			ck_assert(daemon_start(&crashed, 0));
			ck_assert(daemon_wait_over(&crashed));
		}
		must_have(&before, "a trial that was being taken back");
	}
	daemon_wait_applied(&crashed);
}
END_TEST

START_TEST(a_confirmation_is_cut_anywhere)
{
	const struct model before = start_with_something();
	struct model after = before;
	uint64_t generation;
	uint32_t left = 0;
	enum outcome outcome;
	bool lives;

	after.rules[0] = 0;
	do {
		ck_assert_int_eq(
		    change(make_trial("del rule r0", LONG_MS), &generation),
		    ANSWERED);
		daemon_arm(&crashed, ++left);
		ck_assert_uint_lt(left, STEPS_MAX);
		outcome = confirm();
		lives = outcome == ANSWERED && daemon_spare(&crashed);
		if (!lives) {
			note_death();
			ck_assert(daemon_start(&crashed, 0));
		}
		must_have(&after, "a confirmation");
		if (outcome == ANSWERED)
			ck_assert(!waits());
		else if (waits())
			/* And nothing else can be done until it is. */
			ck_assert_int_eq(
			    transact("add cluster c1", &generation), REFUSED);
		if (waits())
			ck_assert_int_eq(confirm(), ANSWERED);
		ck_assert_int_eq(transact(first_rule, &generation), ANSWERED);
	} while (!lives);
	ck_assert_uint_gt(left, 2);
	must_have(&before, "a confirmation, and the rule again");
}
END_TEST

/* --- at random -------------------------------------------------------- */

struct run {
	uint64_t random, number;
	struct model model;
	/* Some that were: a rollback brings them back. */
	struct {
		uint64_t number;
		struct model model;
	} past[PAST];
	unsigned past_count;
};

/* Half of them die of it. */
static void
arm(struct run *run)
{
	bool dies = random_percent(&run->random, 50);

	daemon_arm(&crashed, dies ? random_between(&run->random, 1, 16) : 0);
}

/* After an answer, or none: it runs, and dies no more. */
static void
survive(enum outcome outcome)
{
	if (outcome != DIED && daemon_spare(&crashed))
		return;
	note_death();
	ck_assert(daemon_start(&crashed, 0));
}

static Lp__Pb__ControlRequest *
make_rollback_to(uint64_t generation)
{
	Lp__Pb__ControlRequest *request = make_rollback(NULL);

	request->rollback->has_generation = true;
	request->rollback->generation = generation;
	return request;
}

static void
draw_rollback(struct run *run)
{
	unsigned i = random_between(&run->random, 0, run->past_count - 1);
	uint64_t number;
	uint32_t max_id;
	enum outcome outcome;

	arm(run);
	outcome = change(make_rollback_to(run->past[i].number), &number);
	ck_assert_int_ne(outcome, REFUSED);
	survive(outcome);
	if (outcome == ANSWERED || has(&run->past[i].model, &number, &max_id))
		run->model = run->past[i].model;
	must_have(&run->model, "a rollback to any generation");
}

/* What waits now is confirmed, taken back, or left to its time. */
static void
end_trial(struct run *run, const struct model *next)
{
	bool confirms = random_percent(&run->random, 50);
	uint64_t number;
	enum outcome outcome;

	do {
		arm(run);
		outcome =
		    confirms ? confirm() : change(make_rollback(NULL), &number);
		ck_assert_int_ne(outcome, REFUSED);
		survive(outcome);
		ck_assert(outcome == DIED || !waits());
	} while (waits());
	if (confirms)
		run->model = *next;
	must_have(&run->model, confirms ? "confirmed" : "taken back");
}

static void
draw_trial(struct run *run)
{
	bool long_one = random_percent(&run->random, 70), right;
	struct model next;
	char text[1024];
	uint64_t number;
	enum outcome outcome;

	right = model_draw(&next, &run->model, &run->random, text);
	arm(run);
	outcome =
	    change(make_trial(text, long_one ? LONG_MS : TRIAL_MS), &number);
	ck_assert_msg(
	    outcome != (right ? REFUSED : ANSWERED), "a trial: %s", text);
	survive(outcome);
	if (long_one && waits()) {
		must_have(&next, text);
		end_trial(run, &next);
	} else {
		daemon_wait_over(&crashed);
		must_have(&run->model, text);
	}
}

static void
draw_change(struct run *run)
{
	struct model next;
	char text[1024];
	bool right = model_draw(&next, &run->model, &run->random, text);
	uint64_t number, generation;
	uint32_t max_id;
	enum outcome outcome;

	arm(run);
	outcome = transact(text, &generation);
	ck_assert_msg(outcome != (right ? REFUSED : ANSWERED), "%s", text);
	survive(outcome);
	if (outcome == ANSWERED ||
	    (outcome == DIED && has(&next, &number, &max_id)))
		run->model = next;
	must_have(&run->model, text);
	ck_assert(has(&run->model, &number, &max_id));
	if (outcome == ANSWERED)
		ck_assert_uint_eq(number, generation);
}

static void
note_past(struct run *run)
{
	uint64_t before = run->number;
	uint32_t max_id;
	unsigned place = run->past_count % PAST;

	ck_assert(has(&run->model, &run->number, &max_id));
	ck_assert_uint_ge(run->number, before);
	if (run->past_count == PAST)
		place = random_between(&run->random, 0, PAST - 1);
	else
		run->past_count++;
	run->past[place].number = run->number;
	run->past[place].model = run->model;
}

/* Commands as they come, right and wrong ones, and deaths in half of them. */
START_TEST(sequences_are_those_of_the_model)
{
	uint64_t seed = (uint64_t)_i;
	struct run run = {0};

	(void)random_seed_given(&seed);
	printf("seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	run.random = seed;
	ck_assert(daemon_start(&crashed, 0));
	for (unsigned i = 0; i < COMMANDS; i++) {
		uint32_t what = random_between(&run.random, 1, 10);

		note_past(&run);
		if (what == 1)
			draw_rollback(&run);
		else if (what <= 3)
			draw_trial(&run);
		else
			draw_change(&run);
	}
	daemon_wait_applied(&crashed);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("crash");
	TCase *tcase = tcase_create("crash");
	SRunner *runner;
	int failed;

	if (argc != 4) {
		fprintf(stderr, "test_crash LP_CONTROLD LP_DATAPLANE SO\n");
		return 2;
	}
	programs = argv + 1;
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_first_start_is_cut_anywhere);
	tcase_add_test(tcase, a_change_is_cut_anywhere);
	tcase_add_test(tcase, a_rollback_is_cut_anywhere);
	tcase_add_test(tcase, a_trial_is_cut_anywhere);
	tcase_add_test(tcase, a_confirmation_is_cut_anywhere);
	tcase_add_loop_test(
	    tcase, sequences_are_those_of_the_model, 0, (int)random_seeds(4));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
