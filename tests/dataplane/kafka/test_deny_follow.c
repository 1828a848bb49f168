/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules that come to a connection which is open act on it at once, whatever it
 * has under way: there is no way to keep from being followed.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/edited.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	HEARTBEAT = 12,
	CUT = 20, /* of a request: in front of what rules ask for */
	NOT_THERE = 3,
	REFUSED = 29,
};

static const uint8_t unjudged[] = {LP_UNJUDGED_PASS, LP_UNJUDGED_RESET};

static void
make_produce(const char *topic, bool denied)
{
	kafka_request(&edited_sent, PRODUCE, 3, 7, "web-1", false);
	edited_wanted.len = 0;
	kafka_string(&edited_sent, NULL);
	kafka_int16(&edited_sent, 1);
	kafka_int32(&edited_sent, 1000);
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, topic);
	kafka_int32(&edited_sent, 1);
	edited_index(0, denied);
	kafka_int32(&edited_sent, 20);
	kafka_fill(&edited_sent, 0x5a, 20);
	edited_same();
	edited_end();
}

static void
make_answer(void)
{
	kafka_response(&edited_sent, 7, false);
	edited_wanted.len = 0;
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, "secret");
	kafka_int32(&edited_sent, 1);
	edited_same();
	edited_int32(1 << 30, 0);
	edited_int16(NOT_THERE, REFUSED);
	kafka_int64(&edited_sent, -1);
	kafka_int64(&edited_sent, -1);
	kafka_int32(&edited_sent, 0);
	edited_same();
	edited_end();
}

static void
rules_come(const char *match, uint8_t what)
{
	rule_put(RULE, 10, match, "deny", false);
	edited_publish(what);
	ck_assert(plane.region.connections[0].flags & LP_CONN_SPLICED);
	edited_left_len = 0;
}

static void
ensure_denied(void)
{
	make_produce("secret", true);
	edited_pass(LP_TO_BROKER);
	make_answer();
	edited_pass(LP_TO_CLIENT);
}

/* Bytes behind a gap, before there are rules. */
static void
send_ahead(size_t from)
{
	kafka_send_at(LP_TO_BROKER, (int32_t)from, edited_sent.bytes + from,
	    edited_sent.len - from);
	plane_forget();
}

static void
fill_gap(size_t upto)
{
	edited_send_part(LP_TO_BROKER, 0, upto);
}

START_TEST(who_has_a_gap_is_followed)
{
	make_produce("open", false);
	send_ahead(CUT);
	rules_come("api=Produce topic=secret", unjudged[_i]);
	fill_gap(CUT);
	ck_assert_uint_eq(edited_left_len, CUT);
	kafka_talk.next[LP_TO_BROKER] += (uint32_t)edited_sent.len;
	kafka_acknowledge(LP_TO_CLIENT);
	plane_forget();
	ensure_denied();
	rule_counts(RULE, 0, 1, 1);
}
END_TEST

/* Nor is what stands in the gap let by, or behind it. */
START_TEST(what_comes_then_is_refused)
{
	size_t open;

	make_produce("open", false);
	open = edited_sent.len;
	make_produce("secret", true);
	kafka_talk.next[LP_TO_BROKER] += (uint32_t)edited_sent.len;
	make_produce("open", false);
	send_ahead(0);
	make_produce("secret", true);
	kafka_talk.next[LP_TO_BROKER] -= (uint32_t)edited_sent.len;
	rules_come("api=Produce topic=secret", unjudged[_i]);
	fill_gap(edited_sent.len);
	edited_has_left();
	kafka_talk.next[LP_TO_BROKER] += (uint32_t)(edited_sent.len + open);
	kafka_acknowledge(LP_TO_CLIENT);
	plane_forget();
	make_answer();
	edited_pass(LP_TO_CLIENT);
	rule_counts(RULE, 0, 1, 1);
}
END_TEST

/* It was passed on before: it is not judged as it is sent. */
START_TEST(what_was_passed_on_cannot_be_refused)
{
	bool reset = unjudged[_i] == LP_UNJUDGED_RESET;

	make_produce("secret", true);
	send_ahead(CUT);
	rules_come("api=Produce topic=secret", unjudged[_i]);
	fill_gap(CUT);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_reset), reset);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_passed), !reset);
	ck_assert_uint_eq(plane_connections(), !reset);
	ck_assert_uint_eq(edited_left_len, reset ? 0 : CUT);
	ck_assert_uint_eq(KAFKA_COUNTER(partitions_denied), 0);
}
END_TEST

/* A number of which only the first byte is new. */
START_TEST(nor_can_half_a_number)
{
	bool reset = unjudged[_i] == LP_UNJUDGED_RESET;
	size_t number;

	kafka_request(&edited_sent, HEARTBEAT, 0, 7, "web-1", false);
	kafka_string(&edited_sent, "secret");
	number = edited_sent.len;
	kafka_int32(&edited_sent, 5);
	kafka_string(&edited_sent, "a member");
	kafka_end(&edited_sent);
	send_ahead(number + 1);
	rules_come("api=Heartbeat group=secret", unjudged[_i]);
	fill_gap(number + 1);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_reset), reset);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_passed), !reset);
	ck_assert_uint_eq(plane_connections(), !reset);
	ck_assert_uint_eq(KAFKA_COUNTER(requests_denied), 0);
}
END_TEST

/* What was held is what was judged, also if it did not get to the broker. */
START_TEST(another_thing_is_not_heard)
{
	uint8_t was[KAFKA_FRAME_MAX];
	size_t topic;

	make_produce("open", false);
	memcpy(was, edited_sent.bytes, edited_sent.len);
	topic =
	    (size_t)((uint8_t *)memmem(was, edited_sent.len, "open", 4) - was);
	send_ahead(CUT);
	rules_come("api=Produce topic=hide", unjudged[_i]);
	fill_gap(CUT);
	memcpy(edited_sent.bytes + topic, "hide", 4);
	edited_send_part(LP_TO_BROKER, CUT, edited_sent.len - CUT);
	ck_assert_mem_eq(edited_left + CUT, was + CUT, edited_sent.len - CUT);
	ck_assert_uint_eq(KAFKA_COUNTER(judged_replaced), 1);
}
END_TEST

/* Nor what was read before, and has not got to the broker. */
START_TEST(what_was_said_before_cannot_be_said_anew)
{
	bool reset = unjudged[_i] == LP_UNJUDGED_RESET;
	size_t len;

	make_produce("open", false);
	len = edited_sent.len;
	kafka_send(LP_TO_BROKER, edited_sent.bytes, len);
	plane_forget();
	rules_come("api=Produce topic=secret", unjudged[_i]);
	/* What is new is judged all the same. */
	make_produce("secret", true);
	edited_send_part(LP_TO_BROKER, 0, edited_sent.len);
	edited_has_left();
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_passed), 0);
	make_produce("wide", false);
	kafka_talk.next[LP_TO_BROKER] -= (uint32_t)len;
	edited_left_len = 0;
	edited_send_part(LP_TO_BROKER, 0, len);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_reset), reset);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_passed), !reset);
	ck_assert_uint_eq(plane_connections(), !reset);
	ck_assert_uint_eq(edited_left_len, reset ? 0 : len);
}
END_TEST

/* Once the broker has it nobody hears it any more. */
START_TEST(what_has_been_acknowledged_is_over)
{
	size_t len;

	make_produce("open", false);
	len = edited_sent.len;
	kafka_send(LP_TO_BROKER, edited_sent.bytes, len);
	rules_come("api=Produce topic=secret", unjudged[_i]);
	kafka_acknowledge(LP_TO_CLIENT);
	plane_forget();
	kafka_talk.next[LP_TO_BROKER] -= (uint32_t)len;
	edited_send_part(LP_TO_BROKER, 0, len);
	for (size_t i = 0; i < len; i++)
		ck_assert_uint_eq(edited_left[i], 0);
	kafka_talk.next[LP_TO_BROKER] += (uint32_t)len;
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_reset), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_passed), 0);
	ensure_denied();
}
END_TEST

/* The end of its stream has passed, and not what is in front of that. */
START_TEST(who_has_said_that_it_ends_is_followed)
{
	char text[PACKET_TEXT_SIZE];

	make_produce("secret", true);
	snprintf(text, sizeof(text),
	    "tcp 10.9.0.50:40000 > 10.9.0.100:9100 FA seq=%u ack=%u win=60000",
	    kafka_talk.next[LP_TO_BROKER] + (uint32_t)edited_sent.len,
	    kafka_talk.next[LP_TO_CLIENT]);
	plane_in(FRONT_SLOT, text);
	plane_forget();
	rules_come("api=Produce topic=secret", unjudged[_i]);
	fill_gap(edited_sent.len);
	edited_has_left();
	kafka_talk.next[LP_TO_BROKER] += (uint32_t)edited_sent.len;
	kafka_acknowledge(LP_TO_CLIENT);
	plane_forget();
	make_answer();
	edited_pass(LP_TO_CLIENT);
}
END_TEST

static void
say(uint8_t slot, const char *what)
{
	char text[PACKET_TEXT_SIZE];

	if (slot == FRONT_SLOT)
		snprintf(text, sizeof(text),
		    "tcp 10.9.0.50:40000 > 10.9.0.100:9100 %s", what);
	else
		snprintf(text, sizeof(text),
		    "tcp 10.8.0.20:9092 > 10.8.0.%u:%u %s", kafka_talk.source,
		    kafka_talk.nat, what);
	plane_in(slot, text);
}

/* Rules come in front of its second segment, or its third. */
START_TEST(who_is_half_open_is_followed)
{
	plane_reset();
	say(FRONT_SLOT, "S seq=1000 mss=1460 ws=7 win=60000");
	ck_assert(plane_take(BACK_SLOT));
	ck_assert_int_eq(
	    sscanf(plane.text, "tcp 10.8.0.%hhu:%hu > 10.8.0.20:9092 S",
		&kafka_talk.source, &kafka_talk.nat),
	    2);
	if (_i == 0)
		rules_come("api=Produce topic=secret", LP_UNJUDGED_RESET);
	say(BACK_SLOT, "SA seq=5000 ack=1001 mss=1460 ws=8 win=60000");
	if (_i == 1)
		rules_come("api=Produce topic=secret", LP_UNJUDGED_RESET);
	kafka_talk.next[LP_TO_BROKER] = 1001;
	kafka_talk.next[LP_TO_CLIENT] = 5001;
	if (_i == 2) {
		say(FRONT_SLOT, "A seq=1001 ack=5001 win=60000");
		rules_come("api=Produce topic=secret", LP_UNJUDGED_RESET);
	}
	plane_forget();
	ensure_denied();
	ensure_denied();
}
END_TEST

static void
look(enum lp_look look)
{
	size_t first,
	    count = lp_config_range(&plane.config, LP_OBJECT_LISTENER, &first);

	for (size_t i = first; i < first + count; i++) {
		struct lp_object *object = &plane.config.objects[i];

		object->listener.kafka = (uint8_t)look;
		object->listener.rewrite =
		    lp_object_rewriting(&object->listener);
	}
	plane_publish();
}

/* Opened while its listener was one that nobody looks into. */
START_TEST(who_was_not_looked_into_is_as_lost)
{
	kafka_reset(LP_TO_BROKER);
	look(LP_LOOK_OFF);
	kafka_connect();
	kafka_greet(1);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_OFF);
	look(LP_LOOK_OBSERVE);
	rule_put(RULE, 10, "api=Produce topic=secret", "deny", false);
	edited_publish(unjudged[_i]);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LOST);
	make_produce("secret", false);
	edited_left_len = 0;
	edited_send_part(LP_TO_BROKER, 0, edited_sent.len);
	if (unjudged[_i] == LP_UNJUDGED_PASS) {
		edited_has_left();
		return;
	}
	ck_assert_uint_eq(edited_left_len, 0);
	ck_assert_uint_eq(plane_connections(), 0);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, who_has_a_gap_is_followed, 0, 2);
	tcase_add_loop_test(tests, what_comes_then_is_refused, 0, 2);
	tcase_add_loop_test(tests, what_was_passed_on_cannot_be_refused, 0, 2);
	tcase_add_loop_test(tests, nor_can_half_a_number, 0, 2);
	tcase_add_loop_test(tests, another_thing_is_not_heard, 0, 2);
	tcase_add_loop_test(tests, who_has_said_that_it_ends_is_followed, 0, 2);
	tcase_add_loop_test(
	    tests, what_was_said_before_cannot_be_said_anew, 0, 2);
	tcase_add_loop_test(tests, what_has_been_acknowledged_is_over, 0, 2);
	tcase_add_loop_test(tests, who_is_half_open_is_followed, 0, 3);
	tcase_add_loop_test(tests, who_was_not_looked_into_is_as_lost, 0, 2);
}

int
main(void)
{
	return plane_main("deny_follow", add);
}
