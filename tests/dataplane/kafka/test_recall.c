/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that are judged by what their requests were; however they are cut. */
#include "dataplane/kafka/recall.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/edited.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	OTHER,
	OFFSET_FETCH = 9,
	FOR_EPOCH = 23,
	REFUSED = 29,
	NOT_THERE = 3,
	UNEXPECTED = -1,
	EPOCHS_FROM = 5, /* versions of OffsetFetch */
	GROUPS_FROM = 8,
	ALL = -1,
};

static const char *const three[3] = {"secret.a", "open", "secret.b"};
static const bool two_of_them[3] = {true, false, true};
static const bool none_of_them[3] = {false};

/* Of partitions of denied topics: bits that edits of requests use. */
static int32_t odd;

static void
deny(const char *match)
{
	rule_put(RULE, 10, match, "deny", false);
}

/* Names so many of the three, or means all. */
static void
make_asked(int16_t version, const char *client, const char *group, int topics)
{
	bool flexible = version >= 6;

	kafka_request(&edited_sent, OFFSET_FETCH, version, 7, client, flexible);
	if (version >= GROUPS_FROM) {
		kafka_int8(&edited_sent, 2);
		kafka_compact(&edited_sent, group);
		if (version >= 9) {
			kafka_int8(&edited_sent, 0);
			kafka_int32(&edited_sent, -1);
		}
		kafka_int8(&edited_sent, topics + 1);
	} else {
		kafka_string(&edited_sent, group);
		kafka_int32(&edited_sent, topics);
	}
	for (int i = 0; i < topics; i++) {
		if (flexible) {
			kafka_compact(&edited_sent, three[i]);
			kafka_int8(&edited_sent, 2);
			kafka_int32(&edited_sent, 0);
			kafka_int8(&edited_sent, 0);
		} else {
			kafka_string(&edited_sent, three[i]);
			kafka_int32(&edited_sent, 1);
			kafka_int32(&edited_sent, 0);
		}
	}
	if (version >= GROUPS_FROM) {
		kafka_int8(&edited_sent, 0);
		kafka_int8(&edited_sent, 0);
		kafka_int8(&edited_sent, 0);
	}
	edited_wanted = edited_sent;
	edited_end();
}

static void
make_partition(int16_t version, int32_t index, const char *meta, bool denied)
{
	kafka_int32(&edited_sent, denied ? index | odd : index);
	edited_same();
	edited_int32(1, denied ? -1 : 1);
	edited_int32(100 + index, denied ? -1 : 100 + index);
	if (version >= EPOCHS_FROM) {
		edited_same();
		edited_int32(3, denied ? -1 : 3);
	}
	if (version >= GROUPS_FROM)
		kafka_compact(&edited_sent, meta);
	else
		kafka_string(&edited_sent, meta);
	edited_same();
	edited_int16(index == 2 ? UNEXPECTED : 0,
	    denied           ? REFUSED
		: index == 2 ? UNEXPECTED
			     : 0);
	if (version >= GROUPS_FROM)
		kafka_int8(&edited_sent, 0);
}

static void
make_topics(int16_t version, const bool denied[3])
{
	bool flexible = version >= GROUPS_FROM;

	for (int i = 0; i < 3; i++) {
		if (flexible) {
			kafka_compact(&edited_sent, three[i]);
			kafka_int8(&edited_sent, 4);
		} else {
			kafka_string(&edited_sent, three[i]);
			kafka_int32(&edited_sent, 3);
		}
		for (int32_t n = 0; n < 3; n++)
			make_partition(
			    version, n, n == 1 ? "metadata" : "", denied[i]);
		if (flexible)
			kafka_int8(&edited_sent, 0);
	}
}

/* Of three topics three partitions each; behind them a code of all of it. */
static void
make_answer(int16_t version, const char *group, const bool denied[3])
{
	kafka_response(&edited_sent, 7, version >= GROUPS_FROM);
	edited_wanted.len = 0;
	if (version >= 3)
		kafka_int32(&edited_sent, 0);
	if (version >= GROUPS_FROM) {
		kafka_int8(&edited_sent, 2);
		kafka_compact(&edited_sent, group);
		kafka_int8(&edited_sent, 4);
	} else {
		kafka_int32(&edited_sent, 3);
	}
	make_topics(version, denied);
	if (version >= 2)
		kafka_int16(&edited_sent, 14);
	if (version >= GROUPS_FROM) {
		kafka_int8(&edited_sent, 0);
		kafka_int8(&edited_sent, 0);
	}
	edited_same();
	edited_end();
}

static void
ask(int16_t version, const char *client, const char *group, int topics)
{
	make_asked(version, client, group, topics);
	edited_pass(LP_TO_BROKER);
}

static void
answer(int16_t version, const char *group, const bool denied[3])
{
	make_answer(version, group, denied);
	edited_pass(LP_TO_CLIENT);
}

static const int16_t versions[] = {1, 2, 5, 8, 9};
static const int32_t odds[] = {0, 1 << 29, 1 << 30};
enum { OF_VERSIONS = 5, OF_ODDS = 3 };

START_TEST(offsets_are_refused_wherever_a_segment_ends)
{
	int16_t version = versions[_i % OF_VERSIONS];
	size_t len;

	odd = odds[_i / OF_VERSIONS];
	deny("api=OffsetFetch topic=secret*");
	edited_publish(LP_UNJUDGED_RESET);
	make_answer(version, "g", two_of_them);
	len = edited_sent.len;
	for (size_t cut = 0; cut < len; cut++) {
		ask(version, "web-1", "g", 3);
		make_answer(version, "g", two_of_them);
		edited_pass_cut(LP_TO_CLIENT, cut);
	}
	ck_assert_uint_eq(KAFKA_COUNTER(partitions_denied), 6 * len);
	rule_counts(RULE, 0, len, len);
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
	kafka_ensure_at_rest();
}
END_TEST

START_TEST(what_comes_byte_by_byte_and_again_is_refused)
{
	deny("api=OffsetFetch topic=secret*");
	edited_publish(LP_UNJUDGED_PASS);
	ask(5, "web-1", "g", 3);
	make_answer(5, "g", two_of_them);
	edited_left_len = 0;
	for (size_t i = 0; i < edited_sent.len; i++)
		edited_send_part(LP_TO_CLIENT, i, 1);
	edited_has_left();
	edited_again(LP_TO_CLIENT, 500);
}
END_TEST

START_TEST(a_successor_judges_the_answer)
{
	size_t len;

	deny("api=OffsetFetch topic=secret* client_id=web-* group=g");
	edited_publish(LP_UNJUDGED_PASS);
	make_answer(5, "g", two_of_them);
	len = edited_sent.len;
	for (size_t cut = 1; cut < len; cut += 3) {
		ask(5, "web-1", "g", 3);
		plane_restart();
		make_answer(5, "g", two_of_them);
		edited_left_len = 0;
		edited_send_part(LP_TO_CLIENT, 0, cut);
		plane_restart();
		memset(edited_left, 0xee, sizeof(edited_left));
		edited_send_part(LP_TO_CLIENT, 0, cut);
		edited_send_part(LP_TO_CLIENT, cut, len - cut);
		edited_has_left();
		kafka_talk.next[LP_TO_CLIENT] += (uint32_t)len;
		kafka_acknowledge(LP_TO_BROKER);
		plane_forget();
	}
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
	kafka_ensure_at_rest();
}
END_TEST

START_TEST(who_asks_for_all_is_refused_the_same)
{
	deny("api=OffsetFetch topic=secret*");
	rule_put(OTHER, 20, "api=OffsetFetch", "observe", false);
	edited_publish(LP_UNJUDGED_PASS);
	ask(5, "web-1", "g", ALL);
	answer(5, "g", two_of_them);
	ask(8, "web-1", "g", ALL);
	answer(8, "g", two_of_them);
	/* Once for each of the requests, whoever is named. */
	rule_counts(RULE, 0, 2, 2);
	rule_counts(OTHER, 0, 0, 2);
}
END_TEST

START_TEST(what_a_request_was_decides_of_its_answer)
{
	deny("api=OffsetFetch topic=secret* client_id=web-1,db-* group=g");
	edited_publish(LP_UNJUDGED_PASS);
	/* In flight at once, answered in that order. */
	ask(5, "web-1", "g", 3);
	ask(5, "web-2", "g", 3);
	ask(5, "web-1", "h", 3);
	ask(5, "db-7", "g", ALL);
	ask(8, "web-1", "h", ALL);
	answer(5, "g", two_of_them);
	answer(5, "g", none_of_them);
	answer(5, "h", none_of_them);
	answer(5, "g", two_of_them);
	answer(8, "h", none_of_them);
	ask(8, "web-1", "g", ALL);
	answer(8, "g", two_of_them);
	kafka_ensure_at_rest();
}
END_TEST

START_TEST(rules_are_those_of_the_answer)
{
	deny("api=OffsetFetch topic=secret*");
	edited_publish(LP_UNJUDGED_PASS);
	ask(5, "web-1", "g", 3);
	ask(5, "web-1", "g", 3);
	rule_put(OTHER, 20, "topic=secret.a", "allow", false);
	edited_publish(LP_UNJUDGED_PASS);
	{
		static const bool last[3] = {false, false, true};

		answer(5, "g", last);
	}
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
	lp_config_remove(&plane.config, LP_OBJECT_RULE, OTHER);
	edited_publish(LP_UNJUDGED_PASS);
	answer(5, "g", none_of_them);
	/* One that nobody has denied when it was sent. */
	ask(5, "web-1", "g", 3);
	deny("api=OffsetFetch topic=secret*");
	edited_publish(LP_UNJUDGED_PASS);
	answer(5, "g", none_of_them);
	kafka_ensure_at_rest();
}
END_TEST

START_TEST(what_is_in_shadow_refuses_nothing)
{
	rule_put(RULE, 10, "api=OffsetFetch topic=secret*", "deny", true);
	rule_put(OTHER, 20, "api=DeleteRecords topic=none", "deny", false);
	edited_publish(LP_UNJUDGED_PASS);
	ask(5, "web-1", "g", 3);
	answer(5, "g", none_of_them);
	rule_counts(RULE, 0, 0, 1);
}
END_TEST

/* More than are kept of one connection: the others are not judged. */
START_TEST(what_cannot_be_kept_is_as_the_listener_says)
{
	unsigned kept = 0, asked = 0;

	/* So many connections that pieces are scarcer than requests. */
	plane_close();
	plane_open(LP_KAFKA_HELD_MIN);
	plane_run();
	kafka_connect();
	deny("api=OffsetFetch topic=secret*");
	edited_publish(LP_UNJUDGED_PASS);
	while (KAFKA_COUNTER(unjudged_passed) == 0) {
		ask(5, "web-1", "g", 3);
		asked++;
		ck_assert_uint_le(asked, LP_KAFKA_INFLIGHT_MAX);
	}
	kept = asked - 1;
	ck_assert_uint_ge(kept, LP_KAFKA_HELD_MIN / 4 - 1);
	ck_assert_uint_le(kept, LP_KAFKA_HELD_MIN / 4 + 1);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_passed), 1);
	for (unsigned i = 0; i < kept; i++)
		answer(5, "g", two_of_them);
	answer(5, "g", none_of_them);
	kafka_ensure_at_rest();
}
END_TEST

/* A client of its own, that asks so often. */
static void
next_client(unsigned times)
{
	kafka_talk.more++;
	kafka_connect();
	plane_forget();
	while (times-- > 0)
		ask(5, "web-1", "g", 3);
}

/* Who is not answered, or does not read it, while others find no room. */
START_TEST(who_stalls_is_reset_for_others)
{
	enum {
		PIECES = 64,
		MANY = 12
	}; /* a half and a quarter of it is free */
	struct kafka_talk first;

	plane.region.kafka.held_count = PIECES;
	plane_restart();
	deny("api=OffsetFetch topic=secret*");
	edited_publish(LP_UNJUDGED_PASS);
	next_client(MANY);
	first = kafka_talk;
	next_client(MANY);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_passed), 0);
	next_client(1);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_passed), 1);
	plane_wait_ms(LP_STALLED_S * 500u);
	if (_i == 1) {
		struct kafka_talk last = kafka_talk;

		kafka_talk = first;
		answer(5, "g", two_of_them);
		first = kafka_talk;
		kafka_talk = last;
		/* The place that this has left, and none. */
		ask(5, "web-1", "g", 3);
		ask(5, "web-1", "g", 3);
	}
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_passed), _i == 1 ? 2 : 1);
	plane_wait_ms(LP_STALLED_S * 500u);
	ck_assert_uint_eq(KAFKA_COUNTER(rewrite_stalled), 0);
	plane_wait_ms(1000);
	plane_forget();
	ck_assert_uint_eq(KAFKA_COUNTER(rewrite_stalled), 1);
	ck_assert_uint_eq(plane_connections(), 3);
	ask(5, "web-1", "g", 3);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_passed), _i == 1 ? 2 : 1);
	kafka_talk = first;
	if (_i == 1)
		answer(5, "g", two_of_them);
}
END_TEST

/* Of both topics two partitions. */
static void
make_epochs(int16_t version, bool request)
{
	static const char *const topics[2] = {"secret", "open"};
	bool flexible = version >= 4;

	if (request)
		kafka_request(
		    &edited_sent, FOR_EPOCH, version, 7, "web-1", flexible);
	else
		kafka_response(&edited_sent, 7, flexible);
	edited_wanted.len = 0;
	if (request && version >= 3)
		kafka_int32(&edited_sent, -1);
	if (!request && version >= 2)
		kafka_int32(&edited_sent, 0);
	if (flexible)
		kafka_int8(&edited_sent, 3);
	else
		kafka_int32(&edited_sent, 2);
	for (unsigned i = 0; i < 2; i++) {
		bool denied = i == 0 && !request;

		if (flexible)
			kafka_compact(&edited_sent, topics[i]);
		else
			kafka_string(&edited_sent, topics[i]);
		if (flexible)
			kafka_int8(&edited_sent, 3);
		else
			kafka_int32(&edited_sent, 2);
		for (int32_t n = 0; n < 2; n++) {
			int16_t code = n == 0 ? 0 : UNEXPECTED;

			edited_same();
			if (!request)
				edited_int16(code, denied ? REFUSED : code);
			kafka_int32(&edited_sent, i == 0 ? n | odd : n);
			if (request && version >= 2)
				kafka_int32(&edited_sent, 4);
			if (request)
				kafka_int32(&edited_sent, 4);
			edited_same();
			if (!request && version >= 1)
				edited_int32(4, denied ? -1 : 4);
			if (!request) {
				edited_int32(1, denied ? -1 : 1);
				edited_int32(n, denied ? -1 : n);
			}
			if (flexible)
				kafka_int8(&edited_sent, 0);
		}
		if (flexible)
			kafka_int8(&edited_sent, 0);
	}
	if (flexible)
		kafka_int8(&edited_sent, 0);
	edited_same();
	edited_end();
}

START_TEST(ends_of_epochs_are_refused_wherever_a_segment_ends)
{
	int16_t version = (int16_t)(_i % OF_VERSIONS);
	size_t len;

	odd = odds[_i / OF_VERSIONS];
	deny("api=OffsetForLeaderEpoch topic=secret");
	edited_publish(LP_UNJUDGED_RESET);
	make_epochs(version, false);
	len = edited_sent.len;
	for (size_t cut = 0; cut < len; cut++) {
		make_epochs(version, true);
		edited_pass(LP_TO_BROKER);
		make_epochs(version, false);
		edited_pass_cut(LP_TO_CLIENT, cut);
	}
	ck_assert_uint_eq(KAFKA_COUNTER(partitions_denied), 2 * len);
	rule_counts(RULE, 0, len, len);
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
	kafka_ensure_at_rest();
}
END_TEST

/* Of one topic, in segments that the client does not acknowledge. */
START_TEST(thousands_of_partitions_are_few_edits)
{
	enum { PARTITIONS = 2000, SEGMENT = 1000 };

	deny("api=OffsetFetch topic=secret.a");
	edited_publish(LP_UNJUDGED_PASS);
	ask(5, "web-1", "g", 1);
	kafka_response(&edited_sent, 7, false);
	edited_wanted.len = 0;
	kafka_int32(&edited_sent, 0);
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, three[0]);
	kafka_int32(&edited_sent, PARTITIONS);
	for (int32_t n = 0; n < PARTITIONS; n++)
		make_partition(5, n + 3, "", true);
	kafka_int16(&edited_sent, 0);
	edited_same();
	edited_end();
	edited_left_len = 0;
	for (size_t at = 0; at < edited_sent.len; at += SEGMENT)
		edited_send_part(LP_TO_CLIENT, at,
		    edited_sent.len - at < SEGMENT ? edited_sent.len - at
						   : SEGMENT);
	edited_has_left();
	ck_assert_uint_le(KAFKA_COUNTER(edits), 3);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, offsets_are_refused_wherever_a_segment_ends,
	    0, OF_ODDS * OF_VERSIONS);
	tcase_add_test(tests, what_comes_byte_by_byte_and_again_is_refused);
	tcase_add_test(tests, a_successor_judges_the_answer);
	tcase_add_test(tests, who_asks_for_all_is_refused_the_same);
	tcase_add_test(tests, what_a_request_was_decides_of_its_answer);
	tcase_add_test(tests, rules_are_those_of_the_answer);
	tcase_add_test(tests, what_is_in_shadow_refuses_nothing);
	tcase_add_test(tests, what_cannot_be_kept_is_as_the_listener_says);
	tcase_add_loop_test(tests, who_stalls_is_reset_for_others, 0, 2);
	tcase_add_loop_test(tests,
	    ends_of_epochs_are_refused_wherever_a_segment_ends, 0,
	    OF_ODDS * OF_VERSIONS);
	tcase_add_test(tests, thousands_of_partitions_are_few_edits);
}

int
main(void)
{
	return plane_main("recall", add);
}
