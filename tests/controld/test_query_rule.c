/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions about rules, and what they have denied, to a dataplane, which the
 * test plays itself.
 */
#include "controld/query.h"
#include "fake.h"
#include "transaction.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY(name) LP__PB__DATAPLANE_MESSAGE__BODY_##name
#define RESULT(name) LP__PB__FAILURE__RESULT__##name

static struct world world;
static struct fake fake;

/* Two rules run; the next frame that comes is the question. */
static void
start(bool rule_stats)
{
	struct pushed pushed;

	world_start(&world, &patient, 1);
	fake_start(&fake, &world, world.paths[0]);
	fake.rule_stats = fake.denials = rule_stats;
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world,
	    "add rule scan priority=900 match=src=10.66.0.0/16 action=reset;"
	    "add rule slow priority=400 match=topic=audit.* action=observe",
	    10000);
	pushed = fake_take_push(&fake);
	fake_applied(&fake, 2, pushed.digest);
	world_replies(&world, 1);
}

static void
stop(void)
{
	fake_stop(&fake);
	world_stop(&world);
}

/* Its body is there. */
static void
send_request(Lp__Pb__ControlRequest *request)
{
	uint8_t bytes[1024];
	size_t len;

	request->protocol = LP_CONTROL_PROTOCOL;
	request->cookie = 8;
	ck_assert_uint_le(
	    lp__pb__control_request__get_packed_size(request), sizeof(bytes));
	len = lp__pb__control_request__pack(request, bytes);
	lp_session_request(world.session, 3, &world_peer,
	    lp_message_unpack_request(bytes, len));
}

static void
ask(const Lp__Pb__RuleCountersRequest *rules)
{
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;

	request.body_case = LP__PB__CONTROL_REQUEST__BODY_RULES;
	request.rules = (Lp__Pb__RuleCountersRequest *)rules;
	send_request(&request);
}

static void
ask_names(const char *const *names, size_t count)
{
	Lp__Pb__RuleCountersRequest rules = LP__PB__RULE_COUNTERS_REQUEST__INIT;

	rules.rules = (char **)names;
	rules.n_rules = count;
	ask(&rules);
}

static const Lp__Pb__RuleStatsRequest *
question(void)
{
	return fake_take(&fake, BODY(RULE_STATS_REQUEST))->rule_stats_request;
}

static void
answer(uint64_t cookie, const char *name, bool more)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__RuleStatsReply reply = LP__PB__RULE_STATS_REPLY__INIT;
	Lp__Pb__RuleStats row = LP__PB__RULE_STATS__INIT;
	Lp__Pb__RuleStats *rows[] = {&row};

	row.name = (char *)name;
	row.has_requests = true;
	row.requests = 7;
	reply.rules = rows;
	reply.n_rules = 1;
	reply.has_running = true;
	reply.running = 2;
	reply.cookie = cookie;
	reply.has_more = reply.more = more;
	message.body_case = BODY(RULE_STATS_REPLY);
	message.rule_stats_reply = &reply;
	fake_send(&fake, &message);
}

START_TEST(counters_are_passed_on)
{
	Lp__Pb__RuleCountersRequest rules = LP__PB__RULE_COUNTERS_REQUEST__INIT;
	const Lp__Pb__RuleStatsRequest *asked;
	const Lp__Pb__RuleStatsReply *stats;
	uint64_t cookie;

	start(true);
	rules.dataplane = (char *)"host-a";
	rules.has_all = rules.all = true;
	rules.has_limit = true;
	rules.limit = 11;
	ask(&rules);
	asked = question();
	ck_assert(asked->all);
	ck_assert_uint_eq(asked->limit, 11);
	ck_assert_uint_eq(asked->n_ids, 0);
	cookie = asked->cookie;
	answer(cookie + 1, "nobody", false); /* nobody asked for it */
	answer(cookie, "scan", true);
	answer(cookie, "slow", false);
	world_replies(&world, 3);
	ck_assert(world.replies[1]->more);
	ck_assert(!world.replies[2]->more);
	ck_assert_str_eq(world.replies[1]->rules->dataplane, "host-a");
	stats = world.replies[1]->rules->stats;
	ck_assert_uint_eq(stats->running, 2);
	ck_assert_str_eq(stats->rules[0]->name, "scan");
	ck_assert_uint_eq(stats->rules[0]->requests, 7);
	ck_assert_str_eq(
	    world.replies[2]->rules->stats->rules[0]->name, "slow");
	stop();
}
END_TEST

START_TEST(rules_are_asked_by_id)
{
	static const char *const both[] = {"slow", "scan"};
	const Lp__Pb__RuleStatsRequest *asked;
	uint32_t slow, scan;

	start(true);
	ask_names(both, 2);
	asked = question();
	ck_assert_uint_eq(asked->n_ids, 2);
	ck_assert(!asked->all);
	slow = asked->ids[0];
	scan = asked->ids[1];
	/* It was added first. */
	ck_assert_uint_lt(scan, slow);
	answer(asked->cookie, "slow", false);
	world_replies(&world, 2);
	ask_names(both, 1);
	asked = question();
	ck_assert_uint_eq(asked->n_ids, 1);
	ck_assert_uint_eq(asked->ids[0], slow);
	stop();
}
END_TEST

START_TEST(a_rule_that_is_not_there_is_refused)
{
	static const struct {
		const char *name;
		const char *text;
	} rows[] = {
	    {"scna", "there is no rule scna (did you mean scan?)"},
	    {"something", "there is no rule something"},
	    {"", "there is no rule "},
	};
	const Lp__Pb__Failure *failure;

	start(true);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const names[] = {"scan", rows[i].name};

		ask_names(names, 2);
		failure = world_failure(world_replies(&world, 2 + i));
		ck_assert_int_eq(failure->result, RESULT(REFUSED));
		ck_assert_str_eq(failure->text, rows[i].text);
	}
	stop();
}
END_TEST

START_TEST(too_many_names_are_refused)
{
	const char *names[LP_RULES_ASKED_MAX + 1];

	for (unsigned i = 0; i <= LP_RULES_ASKED_MAX; i++)
		names[i] = "scan";
	start(true);
	ask_names(names, LP_RULES_ASKED_MAX + 1);
	ck_assert_str_eq(world_failure(world_replies(&world, 2))->text,
	    "one question names 32 rules at most, not 33");
	ask_names(names, LP_RULES_ASKED_MAX);
	ck_assert_uint_eq(question()->n_ids, LP_RULES_ASKED_MAX);
	stop();
}
END_TEST

/* It would drop us for a message that it does not know. */
START_TEST(an_old_dataplane_is_not_asked)
{
	Lp__Pb__RuleCountersRequest rules = LP__PB__RULE_COUNTERS_REQUEST__INIT;
	const Lp__Pb__Failure *failure;

	start(false);
	ask(&rules);
	failure = world_failure(world_replies(&world, 2));
	ck_assert_int_eq(failure->result, RESULT(UNREACHABLE));
	ck_assert_str_eq(failure->dataplane, "host-a");
	ck_assert_ptr_nonnull(strstr(failure->text, "no counters of rules"));
	stop();
}
END_TEST

static void
ask_denials(const Lp__Pb__DenialListRequest *wanted)
{
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;

	request.body_case = LP__PB__CONTROL_REQUEST__BODY_DENIALS;
	request.denials = (Lp__Pb__DenialListRequest *)wanted;
	send_request(&request);
}

static void
answer_denials(uint64_t cookie, uint64_t number, bool more)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__DenialsReply reply = LP__PB__DENIALS_REPLY__INIT;
	Lp__Pb__Denial row = LP__PB__DENIAL__INIT;
	Lp__Pb__Denial *rows[] = {&row};

	row.number = number;
	row.action = (char *)"deny";
	reply.denials = rows;
	reply.n_denials = 1;
	reply.cookie = cookie;
	reply.log = 77;
	reply.last = number;
	reply.has_more = reply.more = more;
	message.body_case = BODY(DENIALS_REPLY);
	message.denials_reply = &reply;
	fake_send(&fake, &message);
}

/* Where each was left is told to that one alone. */
START_TEST(denials_are_passed_on)
{
	Lp__Pb__DenialListRequest wanted = LP__PB__DENIAL_LIST_REQUEST__INIT;
	Lp__Pb__DenialsRead read[2] = {
	    LP__PB__DENIALS_READ__INIT, LP__PB__DENIALS_READ__INIT};
	Lp__Pb__DenialsRead *reads[] = {&read[0], &read[1]};
	char *names[] = {(char *)"slow"};
	const Lp__Pb__DenialsRequest *asked;
	const Lp__Pb__DenialListReply *list;
	uint64_t cookie;

	start(true);
	wanted.has_limit = true;
	wanted.limit = 11;
	ask_denials(&wanted);
	asked = fake_take(&fake, BODY(DENIALS_REQUEST))->denials_request;
	ck_assert(asked->has_limit);
	ck_assert_uint_eq(asked->limit, 11);
	ck_assert(!asked->has_log && !asked->has_after);
	ck_assert_uint_eq(asked->n_ids, 0);
	cookie = asked->cookie;
	answer_denials(cookie + 1, 1, false); /* nobody asked for it */
	answer_denials(cookie, 5, true);
	answer_denials(cookie, 6, false);
	world_replies(&world, 3);
	ck_assert(world.replies[1]->more);
	ck_assert(!world.replies[2]->more);
	list = world.replies[2]->denials;
	ck_assert_str_eq(list->dataplane, "host-a");
	ck_assert_uint_eq(list->denials->log, 77);
	ck_assert_uint_eq(list->denials->last, 6);
	ck_assert_uint_eq(list->denials->denials[0]->number, 6);
	read[0].dataplane = (char *)"host-a";
	read[0].log = 77;
	read[0].last = 6;
	read[1].dataplane = (char *)"host-b";
	read[1].log = 78;
	read[1].last = 9;
	wanted.n_read = 2;
	wanted.read = reads;
	wanted.n_rules = 1;
	wanted.rules = names;
	ask_denials(&wanted);
	asked = fake_take(&fake, BODY(DENIALS_REQUEST))->denials_request;
	ck_assert_uint_eq(asked->log, 77);
	ck_assert_uint_eq(asked->after, 6);
	ck_assert_uint_eq(asked->n_ids, 1);
	answer_denials(asked->cookie, 7, false);
	world_replies(&world, 4);
	names[0] = (char *)"slwo";
	ask_denials(&wanted);
	ck_assert_str_eq(world_failure(world_replies(&world, 5))->text,
	    "there is no rule slwo (did you mean slow?)");
	stop();
}
END_TEST

START_TEST(an_old_dataplane_is_not_asked_for_denials)
{
	Lp__Pb__DenialListRequest wanted = LP__PB__DENIAL_LIST_REQUEST__INIT;
	const Lp__Pb__Failure *failure;

	start(false);
	ask_denials(&wanted);
	failure = world_failure(world_replies(&world, 2));
	ck_assert_int_eq(failure->result, RESULT(UNREACHABLE));
	ck_assert_ptr_nonnull(strstr(failure->text, "no log of denials"));
	stop();
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)

int
main(void)
{
	Suite *suite = suite_create("query_rule");
	TCase *tcase = tcase_create("query_rule");
	SRunner *runner;
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	tcase_set_timeout(tcase, 60);
	TEST(counters_are_passed_on);
	TEST(rules_are_asked_by_id);
	TEST(a_rule_that_is_not_there_is_refused);
	TEST(too_many_names_are_refused);
	TEST(an_old_dataplane_is_not_asked);
	TEST(denials_are_passed_on);
	TEST(an_old_dataplane_is_not_asked_for_denials);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
