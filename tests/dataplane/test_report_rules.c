/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the region has of rules is what the report says of those that run, in
 * the order in which they are asked and in bounded frames.
 */
#include "dataplane/report.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/pipeline/rules.h"
#include "dataplane/region.h"
#include "tests/dataplane/cold.h"

enum { COOKIE = 77, ROWS_MAX = 1000, FIRST_ID = 5000 };

static struct lp_dataplane dataplane;
static struct lp_snapshot snapshot;
static struct lp_rules rules;
static struct lp_rules_row rows[ROWS_MAX];

/* A whole answer. */
static struct answer {
	Lp__Pb__DataplaneMessage *messages[ROWS_MAX];
	unsigned count;
	const Lp__Pb__RuleStats *rules[ROWS_MAX];
	unsigned rule_count;
} answer;

static void
forget(void)
{
	for (; answer.count > 0; answer.count--)
		lp__pb__dataplane_message__free_unpacked(
		    answer.messages[answer.count - 1], NULL);
	answer.rule_count = 0;
}

static void
begin(void)
{
	cold_config(&dataplane.running.config);
	ck_assert_int_eq(lp_region_open(&dataplane.region, NULL, 64, 4096), 0);
	memset(&snapshot, 0, sizeof(snapshot));
	memset(&rules, 0, sizeof(rules));
	rules.rows = rows;
	snapshot.rules = &rules;
	atomic_store(&dataplane.cell.current, &snapshot);
}

static void
end(void)
{
	forget();
	atomic_store(&dataplane.cell.current, NULL);
	lp_region_close(&dataplane.region);
	lp_config_fini(&dataplane.running.config);
}

/* Behind all others in the order; its slot is `slot`, which it owns. */
static struct lp_rule_stats *
add_rule(uint32_t id, uint16_t priority, uint32_t slot, const char *match)
{
	struct lp_object object;
	struct lp_rule_stats *stats = &dataplane.region.rules[slot];

	ck_assert_uint_lt(rules.row_count, ROWS_MAX);
	lp_object_init(&object, LP_OBJECT_RULE);
	object.id = id;
	object.rule.priority = priority;
	snprintf(object.rule.name, sizeof(object.rule.name), "rule-%u", id);
	snprintf(object.rule.match, sizeof(object.rule.match), "%s", match);
	snprintf(object.rule.action, sizeof(object.rule.action), "observe");
	ck_assert_int_eq(lp_config_put(&dataplane.running.config, &object), 0);
	rows[rules.row_count++] =
	    (struct lp_rules_row){.id = id, .slot = slot, .priority = priority};
	memset(stats, 0, sizeof(*stats));
	stats->rule_id = id;
	return stats;
}

static void
take(struct evbuffer *out, bool more)
{
	size_t have = evbuffer_get_length(out);
	const Lp__Pb__RuleStatsReply *reply;
	Lp__Pb__DataplaneMessage *message;
	const uint8_t *payload;
	size_t len;

	ck_assert_uint_le(have, LP_FRAME_SIZE_MAX);
	ck_assert_int_eq(
	    lp_frame_next(evbuffer_pullup(out, -1), have, &payload, &len),
	    LP_OK);
	ck_assert_uint_eq(len + LP_FRAME_HEADER_SIZE, have);
	message = lp_message_unpack_dataplane(payload, len);
	ck_assert_ptr_nonnull(message);
	evbuffer_drain(out, have);
	reply = message->rule_stats_reply;
	ck_assert_uint_eq(reply->cookie, COOKIE);
	ck_assert_int_eq(reply->more, more);
	ck_assert_uint_eq(reply->running, rules.row_count);
	ck_assert_uint_ne(reply->time_ns, 0);
	ck_assert_uint_le(reply->n_rules, LP_ROWS_MAX);
	ck_assert_uint_lt(answer.count, ROWS_MAX);
	answer.messages[answer.count++] = message;
	for (size_t i = 0; i < reply->n_rules; i++) {
		ck_assert_uint_lt(answer.rule_count, ROWS_MAX);
		answer.rules[answer.rule_count++] = reply->rules[i];
	}
}

static bool
next_frame(struct lp_report_cursor *cursor)
{
	struct evbuffer *out = evbuffer_new();
	bool more;

	ck_assert_int_eq(lp_report_next(out, &dataplane, cursor, &more), 0);
	take(out, more);
	evbuffer_free(out);
	return more;
}

static void
begin_answer(struct lp_report_cursor *cursor, Lp__Pb__RuleStatsRequest *request)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;

	forget();
	request->cookie = COOKIE;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_RULE_STATS_REQUEST;
	message.rule_stats_request = request;
	lp_report_begin(cursor, &message);
}

static void
ask(bool all, uint32_t *ids, size_t id_count, uint32_t limit)
{
	Lp__Pb__RuleStatsRequest request = LP__PB__RULE_STATS_REQUEST__INIT;
	struct lp_report_cursor cursor;

	request.has_all = true;
	request.all = all;
	request.ids = ids;
	request.n_ids = id_count;
	request.has_limit = true;
	request.limit = limit;
	begin_answer(&cursor, &request);
	while (next_frame(&cursor))
		;
}

START_TEST(without_rules_there_is_one_empty_frame)
{
	begin();
	ask(true, NULL, 0, 0);
	ck_assert_uint_eq(answer.count, 1);
	ck_assert_uint_eq(answer.rule_count, 0);
	snapshot.rules = NULL;
	ask(true, NULL, 0, 0);
	ck_assert_uint_eq(answer.count, 1);
	/* Not even a generation. */
	atomic_store(&dataplane.cell.current, NULL);
	ask(false, NULL, 0, 0);
	ck_assert_uint_eq(answer.count, 1);
	ck_assert_uint_eq(answer.rule_count, 0);
	end();
}
END_TEST

START_TEST(a_row_says_all_that_was_counted)
{
	const Lp__Pb__RuleStats *rule;
	struct lp_rule_stats *stats;

	begin();
	stats = add_rule(FIRST_ID, 900, 17, "src=10.66.0.0/16");
	rows[0].flags = LP_RULES_SHADOW;
	lp_count_add(&stats->connections, 1);
	lp_count_add(&stats->requests, 22);
	lp_count_add(&stats->request_bytes, UINT64_C(1) << 40);
	lp_count_add(&stats->refused, 4);
	lp_count_add(&stats->delayed, 3);
	lp_count_add(&stats->delayed_ns, UINT64_C(1) << 41);
	ask(false, NULL, 0, 0);
	ck_assert_uint_eq(answer.rule_count, 1);
	rule = answer.rules[0];
	ck_assert_uint_eq(rule->id, FIRST_ID);
	ck_assert_str_eq(rule->name, "rule-5000");
	ck_assert_uint_eq(rule->priority, 900);
	ck_assert(rule->shadow);
	ck_assert_str_eq(rule->match, "src=10.66.0.0/16");
	ck_assert_str_eq(rule->action, "observe");
	ck_assert_uint_eq(rule->connections, 1);
	ck_assert_uint_eq(rule->requests, 22);
	ck_assert_uint_eq(rule->request_bytes, UINT64_C(1) << 40);
	ck_assert_uint_eq(rule->refused, 4);
	ck_assert_uint_eq(rule->delayed, 3);
	ck_assert_uint_eq(rule->delayed_ns, UINT64_C(1) << 41);
	end();
}
END_TEST

START_TEST(what_has_not_matched_is_there_if_all_is_asked_for)
{
	begin();
	add_rule(FIRST_ID, 900, 0, "");
	lp_count_add(&add_rule(FIRST_ID + 1, 800, 1, "")->connections, 1);
	lp_count_add(&add_rule(FIRST_ID + 2, 800, 2, "")->requests, 1);
	add_rule(FIRST_ID + 3, 0, 3, "");
	ask(false, NULL, 0, 0);
	ck_assert_uint_eq(answer.rule_count, 2);
	ck_assert_uint_eq(answer.rules[0]->id, FIRST_ID + 1);
	ck_assert_uint_eq(answer.rules[1]->id, FIRST_ID + 2);
	ask(true, NULL, 0, 0);
	ck_assert_uint_eq(answer.rule_count, 4);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(answer.rules[i]->id, FIRST_ID + i);
	ck_assert(answer.rules[0]->has_requests);
	ck_assert_uint_eq(answer.rules[0]->requests, 0);
	end();
}
END_TEST

/* What another rule has counted at the place is not its own. */
START_TEST(a_slot_that_is_anothers_counts_nothing)
{
	struct lp_rule_stats *stats;

	begin();
	stats = add_rule(FIRST_ID, 900, 5, "");
	lp_count_add(&stats->requests, 9);
	stats->rule_id = FIRST_ID + 100;
	ask(false, NULL, 0, 0);
	ck_assert_uint_eq(answer.rule_count, 0);
	ask(true, NULL, 0, 0);
	ck_assert_uint_eq(answer.rule_count, 1);
	ck_assert_uint_eq(answer.rules[0]->requests, 0);
	end();
}
END_TEST

/* Its snapshot is published before its names are known, or after. */
START_TEST(a_rule_without_a_name_has_an_id)
{
	begin();
	lp_count_add(&add_rule(FIRST_ID, 900, 0, "")->requests, 1);
	ck_assert_int_eq(lp_config_remove(&dataplane.running.config,
			     LP_OBJECT_RULE, FIRST_ID),
	    0);
	ask(false, NULL, 0, 0);
	ck_assert_uint_eq(answer.rule_count, 1);
	ck_assert_uint_eq(answer.rules[0]->id, FIRST_ID);
	ck_assert_ptr_null(answer.rules[0]->name);
	end();
}
END_TEST

/* In any order, whether they have matched or not; who is gone has no row. */
START_TEST(only_those_that_are_asked_for_come)
{
	uint32_t ids[LP_RULES_ASKED_MAX + 8] = {
	    FIRST_ID + 2, FIRST_ID + 999, FIRST_ID};

	begin();
	for (uint32_t i = 0; i < 60; i++)
		lp_count_add(
		    &add_rule(FIRST_ID + i, 9, i, "")->requests, i % 2);
	ask(false, ids, 3, 0);
	ck_assert_uint_eq(answer.rule_count, 2);
	ck_assert_uint_eq(answer.rules[0]->id, FIRST_ID);
	ck_assert_uint_eq(answer.rules[1]->id, FIRST_ID + 2);
	/* More than there is room for: the first ones. */
	for (uint32_t i = 0; i < LP_RULES_ASKED_MAX + 8; i++)
		ids[i] = FIRST_ID + i;
	ask(false, ids, LP_RULES_ASKED_MAX + 8, 0);
	ck_assert_uint_eq(answer.rule_count, LP_RULES_ASKED_MAX);
	end();
}
END_TEST

START_TEST(a_limit_is_kept)
{
	begin();
	for (uint32_t i = 0; i < 300; i++)
		add_rule(FIRST_ID + i, 9, i, "");
	ask(true, NULL, 0, 200);
	ck_assert_uint_eq(answer.rule_count, 200);
	ck_assert_uint_eq(answer.rules[199]->id, FIRST_ID + 199);
	ask(true, NULL, 0, 300);
	ck_assert_uint_eq(answer.rule_count, 300);
	end();
}
END_TEST

/* By rows, and where texts are long by bytes; each rule once, in order. */
START_TEST(many_rules_come_in_bounded_frames)
{
	char match[LP_RULE_MATCH_SIZE];

	begin();
	memset(match, 'x', sizeof(match) - 1);
	match[sizeof(match) - 1] = '\0';
	for (uint32_t i = 0; i < ROWS_MAX - 1; i++)
		add_rule(FIRST_ID + (i + 500) % 1000, (uint16_t)(9 - i / 500),
		    i, _i == 0 ? "" : match);
	ask(true, NULL, 0, 0);
	ck_assert_uint_eq(answer.rule_count, ROWS_MAX - 1);
	for (uint32_t i = 0; i < ROWS_MAX - 1; i++)
		ck_assert_uint_eq(
		    answer.rules[i]->id, FIRST_ID + (i + 500) % 1000);
	if (_i == 0)
		ck_assert_uint_eq(answer.count, 8);
	else
		ck_assert_uint_gt(answer.count, 8);
	end();
}
END_TEST

/* An answer goes on behind the last rule, wherever that was. */
START_TEST(another_generation_between_frames_loses_none_that_stay)
{
	Lp__Pb__RuleStatsRequest request = LP__PB__RULE_STATS_REQUEST__INIT;
	struct lp_report_cursor cursor;

	begin();
	for (uint32_t i = 0; i < 300; i++)
		add_rule(FIRST_ID + i, 9, i, "");
	request.has_all = request.all = true;
	begin_answer(&cursor, &request);
	ck_assert(next_frame(&cursor));
	ck_assert_uint_eq(answer.rule_count, LP_ROWS_MAX);
	/* The first 100 go, and the last that was told with them. */
	memmove(rows, rows + 100, 200 * sizeof(rows[0]));
	memmove(rows + LP_ROWS_MAX - 101, rows + LP_ROWS_MAX - 100,
	    (300 - LP_ROWS_MAX) * sizeof(rows[0]));
	rules.row_count = 199;
	while (next_frame(&cursor))
		;
	ck_assert_uint_eq(answer.rule_count, 300);
	for (uint32_t i = 0; i < 300; i++)
		ck_assert_uint_eq(answer.rules[i]->id, FIRST_ID + i);
	/* And none are left for one that has all behind it. */
	rules.row_count = 0;
	ck_assert(!next_frame(&cursor));
	ck_assert_uint_eq(answer.rule_count, 300);
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("report_rules");
	TCase *tcase = tcase_create("report_rules");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, without_rules_there_is_one_empty_frame);
	tcase_add_test(tcase, a_row_says_all_that_was_counted);
	tcase_add_test(
	    tcase, what_has_not_matched_is_there_if_all_is_asked_for);
	tcase_add_test(tcase, a_slot_that_is_anothers_counts_nothing);
	tcase_add_test(tcase, a_rule_without_a_name_has_an_id);
	tcase_add_test(tcase, only_those_that_are_asked_for_come);
	tcase_add_test(tcase, a_limit_is_kept);
	tcase_add_loop_test(tcase, many_rules_come_in_bounded_frames, 0, 2);
	tcase_add_test(
	    tcase, another_generation_between_frames_loses_none_that_stay);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
