/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams that are lost while something is refused: no answer passes as if it
 * were what the client had asked for.
 */
#include <check.h>
#include <string.h>

#include "tests/support/edited.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	OTHER,
	OFFSET_FETCH = 9,
	HEARTBEAT = 12,
	DELETE_TOPICS = 20,
	NOT_THERE = 3,
};

/* How a request is refused; the last is not. */
enum asked { BY_INDEX, BY_NAME, WHOLE, BY_ANSWER, NOT_REFUSED, ASKED };

/* How streams are lost. */
enum lost { BY_ANOTHER, BY_ALERT, BY_TABLES, BY_TABLES_ASKING, LOST };

static void
make_request(enum asked what)
{
	static const int16_t keys[] = {
	    PRODUCE, DELETE_TOPICS, HEARTBEAT, OFFSET_FETCH, PRODUCE};
	static const int16_t versions[] = {3, 1, 0, 1, 3};

	kafka_request(
	    &edited_sent, keys[what], versions[what], 7, "web-1", false);
	edited_wanted.len = 0;
	switch (what) {
	case BY_NAME:
		kafka_int32(&edited_sent, 1);
		kafka_string(&edited_sent, "secret");
		edited_same();
		edited_wanted.bytes[edited_wanted.len - 1] = edited_fake('t');
		kafka_int32(&edited_sent, 1000);
		break;
	case WHOLE:
		kafka_string(&edited_sent, "secret");
		edited_same();
		edited_int32(5, -2);
		kafka_string(&edited_sent, "a member");
		break;
	case BY_ANSWER:
		kafka_string(&edited_sent, "group");
		kafka_int32(&edited_sent, 1);
		kafka_string(&edited_sent, "secret");
		kafka_int32(&edited_sent, 1);
		kafka_int32(&edited_sent, 0);
		break;
	default:
		kafka_string(&edited_sent, NULL);
		kafka_int16(&edited_sent, 1);
		kafka_int32(&edited_sent, 1000);
		kafka_int32(&edited_sent, 1);
		kafka_string(
		    &edited_sent, what == BY_INDEX ? "secret" : "open");
		kafka_int32(&edited_sent, 1);
		edited_index(0, what == BY_INDEX);
		kafka_int32(&edited_sent, 20);
		kafka_fill(&edited_sent, 0x5a, 20);
		break;
	}
	edited_same();
	edited_end();
}

/* As a broker gives it; that it is put back is not asked here. */
static void
make_answer(int32_t id)
{
	kafka_response(&edited_sent, id, false);
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, "secret");
	kafka_int32(&edited_sent, 1);
	kafka_int32(&edited_sent, 1 << 30);
	kafka_int16(&edited_sent, NOT_THERE);
	kafka_int64(&edited_sent, 0);
	kafka_int64(&edited_sent, 0);
	kafka_int32(&edited_sent, 0);
	kafka_end(&edited_sent);
}

static void
take_over(void)
{
	plane.region.header->kafka_tables++;
	plane_restart();
}

/* What of the answer is sent behind that; and where it begins. */
static size_t
lose(enum lost how)
{
	size_t cut = 0;

	edited_left_len = 0;
	make_answer(how == BY_ANOTHER ? 8 : 7);
	switch (how) {
	case BY_ALERT:
		/* A record of TLS, as its size. */
		edited_sent.bytes[0] = 0x15;
		edited_sent.bytes[1] = 3;
		edited_sent.bytes[2] = 3;
		break;
	case BY_TABLES:
		cut = 10;
		edited_send_part(LP_TO_CLIENT, 0, cut);
		edited_left_len = 0;
		take_over();
		break;
	case BY_TABLES_ASKING:
		make_request(NOT_REFUSED);
		kafka_send(LP_TO_BROKER, edited_sent.bytes, 30);
		plane_forget();
		take_over();
		make_answer(7);
		break;
	default:
		break;
	}
	return cut;
}

static void
setup(void)
{
	kafka_setup();
	rule_put(RULE, 10, "api=Produce,DeleteTopics,OffsetFetch topic=secret*",
	    "deny", false);
	rule_put(OTHER, 20, "api=Heartbeat group=secret", "deny", false);
	edited_publish(LP_UNJUDGED_PASS);
}

START_TEST(nothing_is_answered_unread)
{
	enum asked what = (enum asked)(_i / LOST);
	enum lost how = (enum lost)(_i % LOST);
	bool refused = what != NOT_REFUSED;
	size_t cut;

	make_request(what);
	edited_pass(LP_TO_BROKER);
	cut = lose(how);
	edited_left_len = 0;
	edited_send_part(LP_TO_CLIENT, cut, edited_sent.len - cut);
	ck_assert_uint_eq(edited_left_len, refused ? 0 : edited_sent.len);
	ck_assert_uint_eq(KAFKA_COUNTER(rewrite_unreadable), refused);
	ck_assert_uint_eq(plane_reason(LP_REASON_UNREADABLE) > 0, refused);
	ck_assert_uint_eq(plane_connections(), !refused);
}
END_TEST

/* A session answers on, also when nothing is in flight. */
START_TEST(nor_later)
{
	make_request(BY_INDEX);
	edited_pass(LP_TO_BROKER);
	make_answer(7);
	edited_send_part(LP_TO_CLIENT, 0, edited_sent.len);
	kafka_talk.next[LP_TO_CLIENT] += (uint32_t)edited_sent.len;
	kafka_acknowledge(LP_TO_BROKER);
	plane_forget();
	ck_assert_uint_eq(KAFKA_COUNTER(rewrite_unreadable), 0);
	make_answer(8);
	edited_left_len = 0;
	edited_send_part(LP_TO_CLIENT, 0, edited_sent.len);
	ck_assert_uint_eq(edited_left_len, 0);
	ck_assert_uint_eq(KAFKA_COUNTER(rewrite_unreadable), 1);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(
	    tests, nothing_is_answered_unread, 0, (int)ASKED * (int)LOST);
	tcase_add_test(tests, nor_later);
}

int
main(void)
{
	return plane_main("deny_lost", add);
}
