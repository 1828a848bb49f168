/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions about rules to a dataplane, which the test plays itself.
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
	fake.rule_stats = rule_stats;
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

static void
ask(const Lp__Pb__RuleCountersRequest *rules)
{
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	uint8_t bytes[1024];
	size_t len;

	request.protocol = LP_CONTROL_PROTOCOL;
	request.cookie = 8;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_RULES;
	request.rules = (Lp__Pb__RuleCountersRequest *)rules;
	ck_assert_uint_le(
	    lp__pb__control_request__get_packed_size(&request), sizeof(bytes));
	len = lp__pb__control_request__pack(&request, bytes);
	lp_session_request(
	    world.session, 3, "tester", lp_message_unpack_request(bytes, len));
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
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
