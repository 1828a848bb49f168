/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile segments on a connection whose answers are edited: what must neither
 * show the client a broker's own address, nor tell the broker that the client
 * has what it has not, nor leave the two out of step.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/kafka/edit.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/spliced.h"

enum { BROKERS = 40, WINDOW = 60000, NARROW = 8 };

static uint32_t
half(void)
{
	return spliced.edits[0].start + spliced.edits[0].old_len / 2;
}

static void
ask_for_brokers(unsigned brokers)
{
	spliced_metadata(brokers);
	spliced_ask();
}

START_TEST(what_is_asked_is_answered_with_our_addresses)
{
	spliced_fetch(300);
	spliced_metadata(3);
	spliced_versions();
	spliced_metadata(BROKERS);
	spliced_fetch(2000);
	spliced_ask();
	spliced_finish();
	spliced_check_pools();
}
END_TEST

/* What was put together, and what goes on as it came, of one batch. */
START_TEST(a_turn_keeps_the_order)
{
	uint32_t at = 0;

	for (unsigned i = 0; i < 3; i++) {
		spliced_fetch(500);
		spliced_metadata(2);
	}
	spliced_ask();
	for (unsigned i = 0; i < spliced.frame_count; i++) {
		uint32_t end = spliced.ends[i][1];

		spliced_queue(LP_TO_CLIENT, at, spliced.asked_got, "PA", WINDOW,
		    spliced.bytes + at, end - at);
		at = spliced.sent = end;
	}
	spliced_run();
	ck_assert_uint_eq(spliced.got, spliced.told_len);
	ck_assert_uint_eq(spliced.segments, spliced.frame_count);
	ck_assert_uint_eq(spliced.ahead, 0);
}
END_TEST

/* Every border between two segments, and both sent again. */
START_TEST(a_border_may_be_at_every_byte)
{
	ask_for_brokers(2);
	for (uint32_t at = 1; at < spliced.len; at++) {
		if (at > 1) {
			spliced_close();
			spliced_open();
			ask_for_brokers(2);
		}
		spliced_answer(0, at);
		spliced_answer(at, spliced.len - at);
		ck_assert_uint_eq(spliced.got, spliced.told_len);
		spliced_answer(0, at);
		spliced_answer(at, spliced.len - at);
		spliced_acknowledge();
		ck_assert_uint_eq(spliced.broker_acked, spliced.len);
		spliced_answer(0, spliced.len);
		ck_assert_uint_ge(spliced.zeros, 1);
	}
}
END_TEST

/* In front of which something of the answer is missing; _i: with bytes. */
START_TEST(a_fin_behind_a_gap_waits)
{
	uint32_t at = _i == 0 ? spliced.len : 0;

	ask_for_brokers(BROKERS);
	at = spliced.len;
	spliced_answer(0, half());
	if (_i == 0)
		spliced_answer_flags(at, 0, "FA");
	else
		spliced_answer_flags(at - 10, 10, "FPA");
	ck_assert(!spliced.fin);
	spliced_answer(half(), at - half());
	spliced_answer_flags(at, 0, "FA");
	ck_assert_uint_eq(spliced.got, spliced.told_len);
	ck_assert(spliced.fin);
	ck_assert_uint_eq(spliced.fin_at, spliced.told_len);
	spliced_acknowledge();
}
END_TEST

/* Nothing is held yet: it would be where the answer is to grow or shrink. */
START_TEST(a_fin_before_its_answer_waits)
{
	ask_for_brokers(BROKERS);
	spliced_answer_flags(spliced.len, 0, "FA");
	ck_assert(!spliced.fin);
	spliced_answer(0, half());
	spliced_answer(half(), spliced.len - half());
	spliced_answer_flags(spliced.len, 0, "FA");
	ck_assert_uint_eq(spliced.got, spliced.told_len);
	ck_assert(spliced.fin);
	ck_assert_uint_eq(spliced.fin_at, spliced.told_len);
}
END_TEST

/*
 * A client takes no window from what begins before what it has seen, and what
 * is lost before us may become less.
 */
START_TEST(an_acknowledgement_is_not_ahead_of_what_has_left)
{
	ask_for_brokers(BROKERS);
	spliced_answer_flags(spliced.len, 0, "A");
	ck_assert_uint_eq(spliced.bare, 1);
	ck_assert_uint_eq(spliced.bare_at, 0);
	spliced_finish();
	spliced_fetch(2000);
	spliced_ask();
	spliced_answer_flags(spliced.len, 0, "A");
	ck_assert_uint_eq(spliced.bare, 2);
	ck_assert_uint_eq(spliced.bare_at, spliced.end);
	spliced_finish();
}
END_TEST

/* Of bytes that have not left: those that wait behind a gap, or are held. */
START_TEST(an_acknowledgement_of_what_has_not_left_tells_nothing)
{
	uint32_t at;

	ask_for_brokers(BROKERS);
	spliced_answer(0, half());
	at = spliced.broker_acked;
	for (uint32_t ahead = 1; ahead < 2 * spliced.len; ahead += 7) {
		spliced_acknowledge_at(spliced.end + ahead, WINDOW);
		ck_assert_uint_eq(spliced.broker_acked, at);
	}
	spliced_finish();
	spliced_check_pools();
}
END_TEST

START_TEST(an_acknowledgement_of_what_waits_tells_nothing)
{
	uint32_t first;

	spliced_fetch(1000);
	spliced_ask();
	first = spliced.len;
	spliced_finish();
	spliced_fetch(1000);
	spliced_ask();
	/* The head of the answer is lost. */
	spliced_answer(first + 100, 500);
	ck_assert_uint_eq(spliced.got, first);
	spliced_acknowledge_at(first + 600, WINDOW);
	ck_assert_uint_eq(spliced.broker_acked, first);
	spliced_finish();
	spliced_check_pools();
}
END_TEST

/* After an answer that shrank: the client's numbers are below the broker's. */
START_TEST(an_acknowledgement_beyond_a_shrunk_answer_tells_nothing)
{
	uint32_t at;

	ask_for_brokers(BROKERS);
	spliced_answer(0, SPLICED_MSS);
	spliced_answer(SPLICED_MSS, spliced.len - SPLICED_MSS);
	spliced_acknowledge_at(spliced.got - 50, WINDOW);
	at = spliced.broker_acked;
	ck_assert_uint_lt(spliced.told_len, spliced.len);
	for (uint32_t ack = spliced.end + 1; ack <= spliced.len; ack++) {
		spliced_acknowledge_at(ack, WINDOW);
		ck_assert_uint_eq(spliced.broker_acked, at);
	}
	spliced_finish();
	spliced_check_pools();
}
END_TEST

/* Far outside the window, by who knows the ports alone. */
START_TEST(segments_out_of_window_change_nothing)
{
	static const char *const flags[] = {"A", "FA", "PA", "FPA", "PU"};
	const struct lp_splice was = *spliced_state();
	struct lp_splice is;

	ask_for_brokers(BROKERS);
	spliced.lenient = true;
	for (unsigned i = 0; i < 5; i++) {
		for (uint32_t far = 1u << 24; far != 0; far <<= 1)
			spliced_queue(LP_TO_CLIENT, far, spliced.asked_got,
			    flags[i], WINDOW, "secret-0", i < 2 ? 0 : 8);
		spliced_run();
	}
	spliced.lenient = false;
	is = *spliced_state();
	ck_assert_uint_eq(is.out_next, was.out_next);
	ck_assert_uint_eq(is.client_ack, was.client_ack);
	spliced.fin = false;
	spliced_finish();
	spliced_check_pools();
}
END_TEST

/* Blind: the broker is to refuse what a stranger made up (RFC 5961, 5). */
START_TEST(a_stale_acknowledgement_is_not_made_a_good_one)
{
	uint64_t before;

	ask_for_brokers(BROKERS);
	spliced_finish();
	before = plane_reason(LP_REASON_OUT_OF_WINDOW);
	spliced_queue(LP_TO_BROKER, spliced.asked_sent,
	    spliced.acked - (1u << 30), "PA", WINDOW, "xxxx", 4);
	spliced_run();
	ck_assert_uint_eq(plane_reason(LP_REASON_OUT_OF_WINDOW), before + 1);
	ck_assert_uint_eq(spliced_connection()->tcp.peer[LP_TO_BROKER].end,
	    spliced.asked_sent + 1001);
}
END_TEST

/* What was held leaves late, is lost, and the broker has it off its mind. */
START_TEST(what_was_held_for_nothing_is_sent_again)
{
	uint32_t end;

	/* A Produce that cannot be read: perhaps nobody answers it. */
	kafka_produce_request(7, 1, 40);
	kafka_frame.bytes[20] = 0x7f; /* of its transactional id */
	memcpy(spliced.asked, kafka_frame.bytes, kafka_frame.len);
	spliced.asked_len = (uint32_t)kafka_frame.len;
	spliced_ask();
	kafka_produce_response(7, 0, 0);
	spliced_append(kafka_frame.bytes, kafka_frame.bytes, kafka_frame.len);
	/* All of it may be held. */
	spliced.edits[spliced.edit_count++] = (struct spliced_edit){
	    .old_len = spliced.len, .new_len = spliced.len};
	spliced_answer(0, 6);
	ck_assert_uint_eq(spliced.got, 0);
	ck_assert_uint_eq(spliced.broker_acked, 6);
	end = spliced.len;
	spliced.lost = 1;
	spliced_answer(6, end - 6);
	spliced_acknowledge_at(0, WINDOW);
	spliced.lost = 0;
	spliced.broker_acked = 6;
	spliced_finish();
	spliced_check_pools();
}
END_TEST

/* Text in a RST, and data with a SYN, are for nobody. */
START_TEST(a_reset_brings_no_bytes)
{
	ask_for_brokers(BROKERS);
	spliced_answer(0, half());
	spliced.lenient = true;
	spliced_queue(
	    LP_TO_CLIENT, half(), spliced.asked_got, "RA", 0, "secret-1", 8);
	spliced_run();
	ck_assert(spliced.reset);
}
END_TEST

/* An API with hints of where brokers are, in a version that nobody knows. */
START_TEST(an_answer_that_cannot_be_read_ends_the_connection)
{
	static const int16_t keys[] = {PRODUCE, FETCH, METADATA, 78, 79, 32};

	kafka_request(&kafka_frame, keys[_i], 99, 5, "web-1", false);
	kafka_int32(&kafka_frame, 0);
	kafka_end(&kafka_frame);
	memcpy(spliced.asked, kafka_frame.bytes, kafka_frame.len);
	spliced.asked_len = (uint32_t)kafka_frame.len;
	spliced_ask();
	kafka_response(&kafka_frame, 5, false);
	kafka_string(&kafka_frame, "secret-2");
	kafka_end(&kafka_frame);
	spliced_append(kafka_frame.bytes, kafka_frame.bytes, kafka_frame.len);
	spliced.edits[spliced.edit_count++] = (struct spliced_edit){
	    .old_len = spliced.len, .new_len = spliced.len};
	spliced_answer(0, 4);
	spliced_answer(4, spliced.len - 4);
	ck_assert_uint_eq(KAFKA_COUNTER(rewrite_unreadable), 1);
	ck_assert(spliced.reset);
}
END_TEST

/* A token of SASL without a header is none that asks for brokers. */
START_TEST(a_request_is_not_taken_for_a_token)
{
	kafka_request(&kafka_frame, HANDSHAKE, 0, 1, "web-1", false);
	kafka_string(&kafka_frame, "PLAIN");
	kafka_end(&kafka_frame);
	memcpy(spliced.asked, kafka_frame.bytes, kafka_frame.len);
	spliced.asked_len = (uint32_t)kafka_frame.len;
	spliced_ask();
	kafka_response(&kafka_frame, 1, false);
	kafka_int16(&kafka_frame, 0);
	kafka_int32(&kafka_frame, 0);
	kafka_end(&kafka_frame);
	spliced_append(kafka_frame.bytes, kafka_frame.bytes, kafka_frame.len);
	spliced_finish();
	kafka_request(&kafka_frame, METADATA, 99, 2, "web-1", false);
	kafka_int32(&kafka_frame, -1);
	kafka_end(&kafka_frame);
	memcpy(spliced.asked + spliced.asked_len, kafka_frame.bytes,
	    kafka_frame.len);
	spliced.asked_len += (uint32_t)kafka_frame.len;
	spliced_ask();
	kafka_response(&kafka_frame, 2, false);
	kafka_string(&kafka_frame, "secret-3");
	kafka_end(&kafka_frame);
	spliced_append(kafka_frame.bytes, kafka_frame.bytes, kafka_frame.len);
	spliced.lenient = true;
	spliced_answer(spliced.sent, spliced.len - spliced.sent);
	ck_assert(spliced.reset);
}
END_TEST

/*
 * Behind a gap a broker takes what covers more: it would read another question
 * than we have.
 */
START_TEST(a_question_is_not_asked_in_two_ways)
{
	uint64_t before = plane_reason(LP_REASON_UNREADABLE);
	uint8_t other[14];

	spliced_metadata(BROKERS);
	spliced_queue(LP_TO_BROKER, 12, 0, "PA", WINDOW, spliced.asked + 12, 6);
	spliced_run();
	memcpy(other, spliced.asked + 8, sizeof(other));
	other[5] ^= 1;
	spliced_queue(LP_TO_BROKER, 8, 0, "PA", WINDOW, other, sizeof(other));
	spliced_run();
	ck_assert_uint_eq(plane_reason(LP_REASON_UNREADABLE), before + 1);
	spliced_queue(
	    LP_TO_BROKER, 8, 0, "PA", WINDOW, spliced.asked + 8, sizeof(other));
	spliced_run();
	ck_assert_uint_eq(plane_reason(LP_REASON_UNREADABLE), before + 1);
	spliced_ask();
	spliced_finish();
}
END_TEST

/* Bytes that wait for the client's window. */
static uint32_t
kept(void)
{
	const struct lp_kafka_state *state = &plane.region.kafka;
	uint32_t len = 0;

	for (uint32_t i = 0; i < state->edit_count; i++)
		if (state->edits[i].kind == LP_EDIT_KEEP)
			len += state->edits[i].new_len;
	return len;
}

/* What is copied for want of room is not made right by that. */
START_TEST(a_wrong_checksum_stays_wrong_behind_a_full_window)
{
	uint32_t end;
	char text[PACKET_TEXT_SIZE];

	ask_for_brokers(BROKERS);
	spliced_fetch(2000);
	spliced_ask();
	end = spliced.edits[0].start + spliced.edits[0].old_len;
	spliced_acknowledge_at(spliced.got, NARROW);
	for (uint32_t at = 0; at < end; at += SPLICED_MSS)
		spliced_answer(
		    at, end - at < SPLICED_MSS ? end - at : SPLICED_MSS);
	snprintf(text, sizeof(text),
	    "tcp 10.8.0.20:9092 > 10.8.0.%u:%u PA seq=%u ack=%u len=900 "
	    "win=60000 badsum=1",
	    kafka_talk.source, kafka_talk.nat, 5001 + end + 900,
	    1001 + spliced.asked_got);
	spliced_answer(end, 900);
	ck_assert_uint_eq(kept(), 900);
	/* Nobody reads it. */
	plane_in(1, text);
	plane_quiet();
	ck_assert_uint_eq(plane_reason(LP_REASON_TCP_CHECKSUM), 1);
	ck_assert_uint_eq(kept(), 900);
	spliced_answer(end + 900, 900);
	ck_assert_uint_eq(kept(), 1800);
	spliced_finish();
}
END_TEST

/* Where so many pieces are free, and all else; of the connections as they are.
 */
static bool
has_room(struct lp_kafka *kafka, uint32_t index, uint32_t free_count)
{
	kafka->region = &plane.region;
	kafka->state = &plane.region.kafka;
	kafka->messages.count = kafka->state->message_count;
	kafka->messages.free_count = kafka->messages.count;
	kafka->edits.count = kafka->state->edit_count;
	kafka->edits.free_count = kafka->edits.count;
	kafka->held.count = kafka->state->held_count;
	kafka->held.free_count = free_count;
	return lp_edit_room(kafka, index, LP_TO_CLIENT, 100, false);
}

START_TEST(who_acknowledges_nothing_leaves_room_for_others)
{
	static struct lp_kafka kafka;
	uint32_t count = plane.region.kafka.held_count;

	for (unsigned i = 0; i < 12; i++)
		spliced_metadata(2);
	spliced_ask();
	spliced_answer(0, spliced.len);
	ck_assert_uint_eq(spliced_state()->maps[LP_TO_CLIENT].count, 12);
	ck_assert(has_room(&kafka, 0, count - 12));
	ck_assert(!has_room(&kafka, 0, count / 2 + 1));
	ck_assert(has_room(&kafka, 1, count / 2 + 1));
	spliced_finish();
	ck_assert(has_room(&kafka, 0, count / 2 + 1));
}
END_TEST

START_TEST(one_answer_that_is_held_may_have_the_rest)
{
	static struct lp_kafka kafka;

	ask_for_brokers(BROKERS);
	ck_assert(!has_room(&kafka, 0, 100));
	spliced_answer(0, half());
	ck_assert(has_room(&kafka, 0, 100));
	ck_assert(!has_room(&kafka, 1, 100));
	spliced_finish();
	ck_assert(!has_room(&kafka, 0, 100));
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, spliced_open, spliced_close);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, what_is_asked_is_answered_with_our_addresses);
	tcase_add_test(tests, a_turn_keeps_the_order);
	tcase_add_test(tests, a_border_may_be_at_every_byte);
	tcase_add_loop_test(tests, a_fin_behind_a_gap_waits, 0, 2);
	tcase_add_test(tests, a_fin_before_its_answer_waits);
	tcase_add_test(tests, an_acknowledgement_is_not_ahead_of_what_has_left);
	tcase_add_test(
	    tests, an_acknowledgement_of_what_has_not_left_tells_nothing);
	tcase_add_test(tests, an_acknowledgement_of_what_waits_tells_nothing);
	tcase_add_test(
	    tests, an_acknowledgement_beyond_a_shrunk_answer_tells_nothing);
	tcase_add_test(tests, segments_out_of_window_change_nothing);
	tcase_add_test(tests, a_stale_acknowledgement_is_not_made_a_good_one);
	tcase_add_test(tests, what_was_held_for_nothing_is_sent_again);
	tcase_add_test(tests, a_reset_brings_no_bytes);
	tcase_add_loop_test(
	    tests, an_answer_that_cannot_be_read_ends_the_connection, 0, 6);
	tcase_add_test(tests, a_request_is_not_taken_for_a_token);
	tcase_add_test(tests, a_question_is_not_asked_in_two_ways);
	tcase_add_test(
	    tests, a_wrong_checksum_stays_wrong_behind_a_full_window);
	tcase_add_test(tests, who_acknowledges_nothing_leaves_room_for_others);
	tcase_add_test(tests, one_answer_that_is_held_may_have_the_rest);
}

int
main(void)
{
	return plane_main("splice", add);
}
