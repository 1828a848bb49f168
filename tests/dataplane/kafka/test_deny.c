/* SPDX-License-Identifier: Apache-2.0 */
/* What rules refuse, in the bytes that leave; however segments cut them. */
#include "dataplane/kafka/deny.h"

#include <check.h>
#include <string.h>

#include "tests/support/edited.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	OTHER,
	DELETE_RECORDS = 21,
	REFUSED = 29,
	UNKNOWN = 100,
	NOT_THERE = 3,
	SESSION = 0x1234,
};

static const uint8_t secret_id[16] = {7, 7, 7};

static void
deny(const char *match)
{
	rule_put(RULE, 10, match, "deny", false);
}

/* Version 3: of three topics two partitions each, some with a null for
 * records. */
static void
make_produce(const char *const topics[3], const bool denied[3])
{
	kafka_request(&edited_sent, PRODUCE, 3, 7, "web-1", false);
	edited_wanted.len = 0;
	kafka_string(&edited_sent, NULL);
	kafka_int16(&edited_sent, 1);
	kafka_int32(&edited_sent, 1000);
	kafka_int32(&edited_sent, 3);
	for (unsigned i = 0; i < 3; i++) {
		kafka_string(&edited_sent, topics[i]);
		kafka_int32(&edited_sent, 2);
		for (int32_t n = 0; n < 2; n++) {
			edited_index(3 * n, denied[i]);
			kafka_int32(&edited_sent, 10 + 7 * n);
			kafka_fill(&edited_sent, 0x5a, (size_t)(10 + 7 * n));
		}
	}
	edited_same();
	edited_end();
}

static void
make_produce_answer(const char *const topics[3], const bool denied[3])
{
	kafka_response(&edited_sent, 7, false);
	edited_wanted.len = 0;
	kafka_int32(&edited_sent, 3);
	for (unsigned i = 0; i < 3; i++) {
		kafka_string(&edited_sent, topics[i]);
		kafka_int32(&edited_sent, 2);
		for (int32_t n = 0; n < 2; n++) {
			int32_t index = denied[i] ? 3 * n | 1 << 30 : 3 * n;

			edited_same();
			edited_int32(index, 3 * n);
			edited_same();
			edited_int16(
			    denied[i] ? NOT_THERE : 0, denied[i] ? REFUSED : 0);
			kafka_int64(&edited_sent, -1);
			kafka_int64(&edited_sent, -1);
		}
	}
	kafka_int32(&edited_sent, 0);
	edited_same();
	edited_end();
}

static const char *const three[3] = {"secret.a", "open", "secret.b"};
static const bool two_of_them[3] = {true, false, true};

START_TEST(two_topics_of_three_are_refused_wherever_a_segment_ends)
{
	size_t len;

	deny("api=Produce topic=secret*");
	edited_publish(LP_UNJUDGED_PASS);
	make_produce(three, two_of_them);
	len = edited_sent.len;
	for (size_t cut = 0; cut < len; cut++) {
		make_produce(three, two_of_them);
		edited_pass_cut(LP_TO_BROKER, cut);
		make_produce_answer(three, two_of_them);
		edited_pass_cut(LP_TO_CLIENT, cut % edited_sent.len);
	}
	ck_assert_uint_eq(KAFKA_COUNTER(partitions_denied), 4 * len);
	rule_counts(RULE, 0, len, len);
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
	/* What the client was told is what is counted. */
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
}
END_TEST

/* The answer alone is of so many bytes that the cuts above miss some. */
START_TEST(an_answer_is_put_back_wherever_a_segment_ends)
{
	size_t len;

	deny("api=Produce topic=secret*");
	edited_publish(LP_UNJUDGED_PASS);
	make_produce_answer(three, two_of_them);
	len = edited_sent.len;
	for (size_t cut = 0; cut < len; cut++) {
		make_produce(three, two_of_them);
		edited_pass(LP_TO_BROKER);
		make_produce_answer(three, two_of_them);
		edited_pass_cut(LP_TO_CLIENT, cut);
	}
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
}
END_TEST

START_TEST(what_comes_byte_by_byte_is_refused)
{
	deny("api=Produce topic=secret*");
	edited_publish(LP_UNJUDGED_PASS);
	make_produce(three, two_of_them);
	edited_left_len = 0;
	for (size_t i = 0; i < edited_sent.len; i++)
		edited_send_part(LP_TO_BROKER, i, 1);
	edited_has_left();
	kafka_talk.next[LP_TO_BROKER] += (uint32_t)edited_sent.len;
	kafka_acknowledge(LP_TO_CLIENT);
	plane_forget();
	make_produce_answer(three, two_of_them);
	edited_left_len = 0;
	for (size_t i = 0; i < edited_sent.len; i++)
		edited_send_part(LP_TO_CLIENT, i, 1);
	edited_has_left();
}
END_TEST

START_TEST(what_comes_again_is_edited_in_the_same_way)
{
	deny("api=Produce topic=secret*");
	edited_publish(LP_UNJUDGED_PASS);
	make_produce(three, two_of_them);
	edited_send_part(LP_TO_BROKER, 0, edited_sent.len / 2);
	edited_send_part(LP_TO_BROKER, edited_sent.len / 2,
	    edited_sent.len - edited_sent.len / 2);
	edited_again(LP_TO_BROKER, 500);
}
END_TEST

START_TEST(a_successor_edits_in_the_same_way)
{
	size_t len;

	deny("api=Produce topic=secret*");
	edited_publish(LP_UNJUDGED_PASS);
	make_produce(three, two_of_them);
	len = edited_sent.len;
	for (size_t cut = 1; cut < len; cut += 3) {
		make_produce(three, two_of_them);
		edited_left_len = 0;
		edited_send_part(LP_TO_BROKER, 0, cut);
		plane_restart();
		memset(edited_left, 0xee, sizeof(edited_left));
		edited_send_part(LP_TO_BROKER, 0, cut);
		edited_send_part(LP_TO_BROKER, cut, len - cut);
		edited_has_left();
		kafka_talk.next[LP_TO_BROKER] += (uint32_t)len;
		kafka_acknowledge(LP_TO_CLIENT);
		make_produce_answer(three, two_of_them);
		edited_pass_cut(LP_TO_CLIENT, cut % edited_sent.len);
	}
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
}
END_TEST

START_TEST(the_rule_may_go_while_answers_are_on_their_way)
{
	deny("api=Produce topic=secret*");
	edited_publish(LP_UNJUDGED_PASS);
	make_produce(three, two_of_them);
	edited_pass(LP_TO_BROKER);
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
	plane_publish();
	make_produce_answer(three, two_of_them);
	edited_pass(LP_TO_CLIENT);
}
END_TEST

START_TEST(nothing_passes_before_what_is_before_it)
{
	size_t half;

	deny("api=Produce topic=secret*");
	edited_publish(LP_UNJUDGED_PASS);
	make_produce(three, two_of_them);
	half = edited_sent.len / 2;
	edited_left_len = 0;
	edited_send_part(LP_TO_BROKER, half, edited_sent.len - half);
	ck_assert_uint_eq(edited_left_len, 0);
	ck_assert_uint_eq(plane_reason(LP_REASON_HELD_GAP), 1);
	edited_send_part(LP_TO_BROKER, 0, half);
	edited_has_left();
}
END_TEST

/* Version 0 of DeleteRecords: of one topic so many partitions. */
static void
make_many(int32_t count)
{
	kafka_request(&edited_sent, DELETE_RECORDS, 0, 7, "web-1", false);
	edited_wanted.len = 0;
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, "secret");
	kafka_int32(&edited_sent, count);
	for (int32_t i = 0; i < count; i++) {
		edited_index(i, true);
		kafka_int64(&edited_sent, -1);
	}
	kafka_int32(&edited_sent, 1000);
	edited_same();
	edited_end();
}

static void
make_many_answered(int32_t count)
{
	kafka_response(&edited_sent, 7, false);
	edited_wanted.len = 0;
	kafka_int32(&edited_sent, 0);
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, "secret");
	kafka_int32(&edited_sent, count);
	for (int32_t i = 0; i < count; i++) {
		edited_same();
		edited_int32(i | 1 << 30, i);
		kafka_int64(&edited_sent, -1);
		edited_same();
		edited_int16(NOT_THERE, REFUSED);
	}
	edited_same();
	edited_end();
}

/* Segment by segment; edits that are not acknowledged are few. */
static void
pass_many(enum lp_direction dir)
{
	enum { SEGMENT = 1000 };

	edited_left_len = 0;
	for (size_t at = 0; at < edited_sent.len; at += SEGMENT)
		edited_send_part(dir, at,
		    edited_sent.len - at < SEGMENT ? edited_sent.len - at
						   : SEGMENT);
	edited_has_left();
	ck_assert_uint_ge(KAFKA_COUNTER(edits), 1);
	ck_assert_uint_le(KAFKA_COUNTER(edits), 3);
	kafka_talk.next[dir] += (uint32_t)edited_sent.len;
	kafka_acknowledge(!dir);
	plane_forget();
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
}

START_TEST(thousands_of_partitions_are_few_edits)
{
	deny("api=DeleteRecords topic=secret");
	edited_publish(LP_UNJUDGED_PASS);
	make_many(3000);
	pass_many(LP_TO_BROKER);
	make_many_answered(3000);
	pass_many(LP_TO_CLIENT);
}
END_TEST

START_TEST(frames_of_one_shape_are_not_one_edit)
{
	deny("api=DeleteRecords topic=secret");
	edited_publish(LP_UNJUDGED_PASS);
	for (unsigned i = 0; i < 20; i++) {
		make_many(1);
		edited_left_len = 0;
		edited_send_part(LP_TO_BROKER, 0, edited_sent.len);
		edited_has_left();
		kafka_talk.next[LP_TO_BROKER] += (uint32_t)edited_sent.len;
	}
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 20);
}
END_TEST

/*
 * Version 7, of a session, with one topic that it wants, and one that it does
 * not any more; by `as` of its epoch.
 */
static void
make_fetch(int32_t id, int32_t epoch, int32_t as, bool denied)
{
	kafka_request(&edited_sent, FETCH, 7, 7, "web-1", false);
	edited_wanted.len = 0;
	kafka_int32(&edited_sent, -1);
	kafka_int32(&edited_sent, 500);
	kafka_int32(&edited_sent, 1);
	kafka_int32(&edited_sent, 1 << 20);
	kafka_int8(&edited_sent, 0);
	kafka_int32(&edited_sent, id);
	edited_same();
	edited_int32(epoch, as);
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, "secret");
	kafka_int32(&edited_sent, 1);
	edited_index(0, denied);
	kafka_int64(&edited_sent, 0);
	kafka_int64(&edited_sent, -1);
	kafka_int32(&edited_sent, 1 << 20);
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, "secret");
	kafka_int32(&edited_sent, 2);
	edited_index(1, denied);
	edited_index(2, denied);
	edited_same();
	edited_end();
}

static void
make_fetch_answer(int32_t id)
{
	kafka_response(&edited_sent, 7, false);
	edited_wanted.len = 0;
	kafka_int32(&edited_sent, 0);
	kafka_int16(&edited_sent, 0);
	kafka_int32(&edited_sent, id);
	kafka_int32(&edited_sent, 0);
	edited_same();
	edited_end();
}

static void
fetch(int32_t id, int32_t epoch, int32_t as, bool denied)
{
	make_fetch(id, epoch, as, denied);
	edited_pass(LP_TO_BROKER);
	make_fetch_answer(id != 0 ? id : SESSION);
	edited_pass(LP_TO_CLIENT);
}

START_TEST(a_session_is_made_anew_when_rules_change)
{
	/* Of the listener's own rules none acts yet. */
	rule_put(OTHER, 5, "topic=nothing api=Produce", "deny", false);
	edited_publish(LP_UNJUDGED_PASS);
	fetch(0, 0, 0, false);
	for (int32_t epoch = 1; epoch < 100; epoch++)
		fetch(SESSION, epoch, epoch, false);
	ck_assert_uint_eq(KAFKA_COUNTER(sessions_renewed), 0);
	/* None of a session's business. */
	rule_put(OTHER + 1, 5, "api=DeleteTopics", "reset", false);
	rule_put(OTHER + 2, 5, "topic=secret", "observe", false);
	edited_publish(LP_UNJUDGED_PASS);
	fetch(SESSION, 100, 100, false);
	ck_assert_uint_eq(KAFKA_COUNTER(sessions_renewed), 0);
	deny("api=Fetch topic=secret");
	edited_publish(LP_UNJUDGED_PASS);
	fetch(SESSION, 100, 100 ^ 0x80, true);
	fetch(SESSION, 0x80, 0x40, true);
	ck_assert_uint_eq(KAFKA_COUNTER(sessions_renewed), 2);
	fetch(0, 0, 0, true);
	fetch(SESSION, 1, 1, true);
	/* One that another connection has made. */
	fetch(SESSION + 1, 1, 1 ^ 0x80, true);
	fetch(0, -1, -1, true);
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
	edited_publish(LP_UNJUDGED_PASS);
	fetch(SESSION, 2, 2 ^ 0x80, false);
	ck_assert_uint_eq(KAFKA_COUNTER(sessions_renewed), 4);
	/* All of them. */
	lp_config_remove(&plane.config, LP_OBJECT_RULE, OTHER);
	edited_publish(LP_UNJUDGED_PASS);
	fetch(SESSION, 3, 3 ^ 0x80, false);
	fetch(0, 0, 0, false);
	fetch(SESSION, 1, 1, false);
	fetch(SESSION + 1, 1, 1, false);
	ck_assert_uint_eq(KAFKA_COUNTER(sessions_renewed), 5);
}
END_TEST

START_TEST(what_is_in_shadow_changes_nothing)
{
	static const bool none[3] = {false};

	rule_put(RULE, 10, "api=Produce topic=secret*", "deny", true);
	edited_publish(LP_UNJUDGED_PASS);
	make_produce(three, none);
	edited_pass(LP_TO_BROKER);
	rule_counts(RULE, 0, 0, 1);
}
END_TEST

START_TEST(what_is_allowed_before_is_not_refused)
{
	static const bool last[3] = {false, false, true};

	deny("api=Produce topic=secret*");
	rule_put(OTHER, 20, "topic=secret.a", "allow", false);
	edited_publish(LP_UNJUDGED_PASS);
	make_produce(three, last);
	edited_pass(LP_TO_BROKER);
	rule_counts(RULE, 0, 1, 1);
	rule_counts(OTHER, 0, 0, 1);
}
END_TEST

/* Version 13: one topic, whose id nobody has told of. */
static void
make_fetch_by_id(int32_t bit)
{
	kafka_request(&edited_sent, FETCH, 13, 7, "web-1", true);
	edited_wanted.len = 0;
	kafka_int32(&edited_sent, -1);
	kafka_int32(&edited_sent, 500);
	kafka_int32(&edited_sent, 1);
	kafka_int32(&edited_sent, 1 << 20);
	kafka_int8(&edited_sent, 0);
	kafka_int32(&edited_sent, 0);
	kafka_int32(&edited_sent, -1);
	kafka_int8(&edited_sent, 2);
	kafka_bytes(&edited_sent, secret_id, sizeof(secret_id));
	kafka_int8(&edited_sent, 2);
	edited_same();
	edited_int32(5, 5 | bit);
	kafka_int32(&edited_sent, -1);
	kafka_int64(&edited_sent, 0);
	kafka_int32(&edited_sent, -1);
	kafka_int64(&edited_sent, -1);
	kafka_int32(&edited_sent, 1 << 20);
	kafka_int8(&edited_sent, 0);
	kafka_int8(&edited_sent, 0);
	kafka_int8(&edited_sent, 1);
	kafka_compact(&edited_sent, "");
	kafka_int8(&edited_sent, 0);
	edited_same();
	edited_end();
}

static void
make_answer_by_id(int32_t bit, int16_t code)
{
	kafka_response(&edited_sent, 7, true);
	edited_wanted.len = 0;
	kafka_int32(&edited_sent, 0);
	kafka_int16(&edited_sent, 0);
	kafka_int32(&edited_sent, 0);
	kafka_int8(&edited_sent, 2);
	kafka_bytes(&edited_sent, secret_id, sizeof(secret_id));
	kafka_int8(&edited_sent, 2);
	edited_same();
	edited_int32(5 | bit, 5);
	edited_same();
	edited_int16(code == 0 ? 0 : NOT_THERE, code);
	for (unsigned i = 0; i < 3; i++)
		kafka_int64(&edited_sent, -1);
	kafka_int8(&edited_sent, 0);
	kafka_int32(&edited_sent, -1);
	kafka_int8(&edited_sent, 0);
	kafka_int8(&edited_sent, 0);
	kafka_int8(&edited_sent, 0);
	edited_same();
	edited_end();
}

START_TEST(a_topic_of_an_unknown_id_is_refused_for_now)
{
	deny("api=Fetch topic=secret");
	edited_publish(LP_UNJUDGED_PASS);
	make_fetch_by_id(1 << 29);
	edited_pass(LP_TO_BROKER);
	make_answer_by_id(1 << 29, UNKNOWN);
	edited_pass(LP_TO_CLIENT);
	ck_assert_uint_eq(KAFKA_COUNTER(partitions_unknown), 1);
	/* A rule that asks for no topic needs none. */
	deny("api=Fetch");
	edited_publish(LP_UNJUDGED_PASS);
	make_fetch_by_id(1 << 30);
	edited_pass(LP_TO_BROKER);
	make_answer_by_id(1 << 30, REFUSED);
	edited_pass(LP_TO_CLIENT);
	/* Nor does one of other requests. */
	deny("api=Produce");
	edited_publish(LP_UNJUDGED_PASS);
	make_fetch_by_id(0);
	edited_pass(LP_TO_BROKER);
	make_answer_by_id(0, 0);
	edited_pass(LP_TO_CLIENT);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(
	    tests, two_topics_of_three_are_refused_wherever_a_segment_ends);
	tcase_add_test(tests, an_answer_is_put_back_wherever_a_segment_ends);
	tcase_add_test(tests, what_comes_byte_by_byte_is_refused);
	tcase_add_test(tests, what_comes_again_is_edited_in_the_same_way);
	tcase_add_test(tests, a_successor_edits_in_the_same_way);
	tcase_add_test(tests, the_rule_may_go_while_answers_are_on_their_way);
	tcase_add_test(tests, nothing_passes_before_what_is_before_it);
	tcase_add_test(tests, thousands_of_partitions_are_few_edits);
	tcase_add_test(tests, frames_of_one_shape_are_not_one_edit);
	tcase_add_test(tests, a_session_is_made_anew_when_rules_change);
	tcase_add_test(tests, what_is_in_shadow_changes_nothing);
	tcase_add_test(tests, what_is_allowed_before_is_not_refused);
	tcase_add_test(tests, a_topic_of_an_unknown_id_is_refused_for_now);
}

int
main(void)
{
	return plane_main("deny", add);
}
