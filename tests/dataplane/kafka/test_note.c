/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Kafka stage says to a capture, and what it hides.  Tokens consist
 * of a byte that nothing else has: not one of them may be in a copy, nor in
 * those that rules send out of a port.
 */
#include "dataplane/kafka/note.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/pipeline/capture.h"
#include "tests/support/edited.h"
#include "tests/support/ensure.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"
#include "tests/support/tap.h"

enum { SNAP = 1600, RING = 64, SECRET = 0xee, TOKEN = 24, LONG_TOKEN = 3000 };

static struct lp_capture *capture;
/* Of what look() has seen last. */
static char notes[4096];
static unsigned secrets, shown, copies, copied;
static bool is_captured;

static void
begin(void)
{
	lp_pipeline_capture(plane.pipeline, capture);
	is_captured = true;
}

static void
setup(void)
{
	kafka_setup();
	tap_open();
	rule_put(100, 10, "", "mirror=tap", false);
	plane_publish();
	plane_run();
	capture = aligned_alloc(64, sizeof(*capture));
	ensure(capture != NULL, "no memory");
	memset(capture, 0, sizeof(*capture));
	capture->slots = UINT16_MAX;
	capture->sent = true;
	capture->snap = SNAP;
	capture->stride = lp_capture_stride(SNAP);
	capture->count = RING;
	capture->entries = aligned_alloc(64, (size_t)RING * capture->stride);
	ensure(capture->entries != NULL, "no memory");
	begin();
}

static void
teardown(void)
{
	lp_pipeline_capture(plane.pipeline, NULL);
	free(capture->entries);
	free(capture);
	plane_close();
}

/* Another connection, as if nothing had been. */
static void
again(void)
{
	plane_reset();
	plane_run();
	kafka_connect();
	begin();
	while (lp_capture_oldest(capture) != NULL)
		lp_capture_consumed(capture);
}

/* Takes all copies: their notes, and what is in their payloads. */
static void
look(void)
{
	const struct lp_capture_entry *entry;

	notes[0] = '\0';
	secrets = 0;
	shown = 0;
	copied = 0;
	while ((entry = lp_capture_oldest(capture)) != NULL) {
		size_t len = strlen(notes);

		for (unsigned i = entry->payload_off; i < entry->cut; i++) {
			secrets += entry->bytes[i] == SECRET;
			shown += entry->bytes[i] != 0;
		}
		if (!entry->sent && entry->note.len > 0)
			snprintf(notes + len, sizeof(notes) - len, "%.*s\n",
			    (int)entry->note.len, entry->note.text);
		lp_capture_consumed(capture);
	}
	ck_assert_uint_eq(lp_count_get(&capture->dropped), 0);
	copies = 0;
	while (tap_take()) {
		const uint8_t *tcp = plane.frame.bytes + 34;

		for (size_t i = 34 + 4u * (tcp[12] >> 4); i < plane.frame.len;
		     i++) {
			secrets += plane.frame.bytes[i] == SECRET;
			copied += plane.frame.bytes[i] != 0;
		}
		copies++;
	}
}

START_TEST(requests_and_responses_are_told)
{
	kafka_produce_request(7, -1, 1234);
	kafka_ask();
	look();
	ck_assert_str_eq(notes,
	    "request Produce v3 correlation 7 client web-1 acks all topics "
	    "orders records 1234\n");
	plane.now_ns += 5 * MS;
	kafka_produce_response(7, 6, 250);
	kafka_answer();
	look();
	ck_assert_msg(
	    strncmp(
		notes, "response Produce v3 correlation 7 latency 5.", 44) == 0,
	    "%s", notes);
	ck_assert_ptr_nonnull(strstr(notes,
	    " ms topics orders errors NOT_LEADER_OR_FOLLOWER throttle 250 "
	    "ms\n"));
	kafka_fetch_request(8, 500, -1);
	kafka_ask();
	look();
	ck_assert_str_eq(notes,
	    "request Fetch v4 correlation 8 client web-1 topics orders\n");
}
END_TEST

START_TEST(a_frame_that_goes_on_says_so)
{
	kafka_produce_request(7, 1, 700);
	kafka_send(LP_TO_BROKER, kafka_frame.bytes, 30);
	look();
	ck_assert_str_eq(
	    notes, "request Produce v3 correlation 7 client web-1 acks 1\n");
	kafka_send(LP_TO_BROKER, kafka_frame.bytes + 30, 40);
	look();
	ck_assert_str_eq(
	    notes, "request Produce v3 correlation 7 goes on: topics orders\n");
	kafka_send(LP_TO_BROKER, kafka_frame.bytes + 70, kafka_frame.len - 70);
	look();
	ck_assert_str_eq(notes,
	    "request Produce v3 correlation 7 goes on: topics orders records "
	    "700\n");
}
END_TEST

START_TEST(two_frames_of_a_segment_are_both_told)
{
	struct kafka_frame both;

	kafka_produce_request(7, 0, 10);
	both = kafka_frame;
	kafka_produce_request(8, 1, 20);
	kafka_bytes(&both, kafka_frame.bytes, kafka_frame.len);
	kafka_send_frame(LP_TO_BROKER, &both);
	look();
	ck_assert_str_eq(notes,
	    "request Produce v3 correlation 7 client web-1 acks 0 topics "
	    "orders records 10; request Produce v3 correlation 8 client web-1 "
	    "acks 1 topics orders records 20\n");
}
END_TEST

START_TEST(a_note_that_is_full_ends_so)
{
	kafka_request(&kafka_frame, METADATA, 1, 9, "w\neb;\x01", false);
	kafka_int32(&kafka_frame, 100);
	for (int i = 0; i < 100; i++)
		kafka_string(&kafka_frame, "a-topic");
	kafka_end(&kafka_frame);
	kafka_ask();
	look();
	ck_assert_uint_le(strlen(notes), LP_CAPTURE_NOTE_SIZE + 1);
	ck_assert_uint_gt(strlen(notes), LP_CAPTURE_NOTE_SIZE - 16);
	ck_assert_ptr_nonnull(strstr(notes, "…\n"));
	ck_assert_ptr_nonnull(strstr(notes, "client w?eb;? topics a-topic,a-"));
}
END_TEST

/* ---- what is hidden ------------------------------------------------------ */

enum way { IN_ORDER, SWAPPED, TWICE, DAMAGED_FIRST, DROPPED_FIRST, WAYS };

/* A segment that has no way on: nothing looks into it. */
static void
send_dropped(enum lp_direction dir, const uint8_t *bytes, size_t len)
{
	char text[PACKET_TEXT_SIZE];
	struct packet packet;

	snprintf(text, sizeof(text), "%sPA seq=%u ack=%u len=%zu ttl=1",
	    dir == LP_TO_BROKER ? "tcp 10.9.0.50:40000 > 10.9.0.100:9100 "
				: "tcp 10.8.0.20:9092 > 10.8.0.10:$ ",
	    kafka_talk.next[dir], kafka_talk.next[!dir], len);
	plane_build(
	    &packet, dir == LP_TO_BROKER ? FRONT_SLOT : BACK_SLOT, text);
	memcpy(packet.bytes + packet.len - len, bytes, len);
	ensure(plane_inject(dir == LP_TO_BROKER ? FRONT_SLOT : BACK_SLOT,
		   packet.bytes, packet.len),
	    "no room");
	plane_run();
	plane_forget();
}

/* The frame at hand, in two segments. */
static void
deliver(enum lp_direction dir, size_t cut, enum way way)
{
	const uint8_t *bytes = kafka_frame.bytes;
	size_t len = kafka_frame.len;

	if (cut == 0 || cut >= len) {
		kafka_send_frame(dir, &kafka_frame);
		return;
	}
	if (way == DAMAGED_FIRST)
		kafka_send_damaged(dir, bytes, len);
	if (way == DROPPED_FIRST)
		send_dropped(dir, bytes, len);
	if (way == SWAPPED)
		kafka_send_at(dir, (int32_t)cut, bytes + cut, len - cut);
	kafka_send(dir, bytes, cut);
	if (way == TWICE)
		kafka_send_at(dir, -(int32_t)cut, bytes, cut);
	kafka_send(dir, bytes + cut, len - cut);
	kafka_send_at(dir, -(int32_t)len, bytes, len);
}

static void
handshake(int16_t version, int32_t id)
{
	kafka_request(&kafka_frame, HANDSHAKE, version, id, "web-1", false);
	kafka_string(&kafka_frame, "PLAIN");
	kafka_end(&kafka_frame);
	kafka_ask();
	kafka_response(&kafka_frame, id, false);
	kafka_int16(&kafka_frame, 0);
	kafka_int32(&kafka_frame, 1);
	kafka_string(&kafka_frame, "PLAIN");
	kafka_end(&kafka_frame);
	kafka_answer();
	look();
	if (!is_captured)
		return;
	ck_assert_ptr_nonnull(strstr(notes, "SaslHandshake v"));
	ck_assert_ptr_nonnull(strstr(notes, " mechanism PLAIN"));
}

static void
token(int32_t id, size_t len)
{
	kafka_request(&kafka_frame, AUTHENTICATE, 0, id, "web-1", false);
	kafka_int32(&kafka_frame, (int64_t)len);
	kafka_fill(&kafka_frame, SECRET, len);
	kafka_end(&kafka_frame);
}

static void
token_answer(int32_t id)
{
	kafka_response(&kafka_frame, id, false);
	kafka_int16(&kafka_frame, 0);
	kafka_string(&kafka_frame, NULL);
	kafka_int32(&kafka_frame, TOKEN);
	kafka_fill(&kafka_frame, SECRET, TOKEN);
	kafka_end(&kafka_frame);
}

static void
raw_token(void)
{
	kafka_frame.len = 4;
	kafka_fill(&kafka_frame, SECRET, TOKEN);
	kafka_end(&kafka_frame);
}

static void
hidden(void)
{
	look();
	ck_assert_uint_eq(secrets, 0);
	ck_assert_uint_gt(copies, 0);
}

/* All that follows is shown again. */
static void
shown_again(int32_t id)
{
	kafka_produce_request(id, 1, 100);
	kafka_ask();
	look();
	ck_assert_uint_ge(copied, 100);
	if (!is_captured)
		return;
	/* Twice: as it came and as it leaves. */
	ck_assert_uint_ge(shown, 200);
	ck_assert_ptr_nonnull(strstr(notes, "request Produce"));
}

START_TEST(tokens_are_hidden_however_they_come)
{
	size_t len;

	token(3, TOKEN);
	len = kafka_frame.len;
	for (int way = 0; way < WAYS; way++) {
		for (size_t cut = 1; cut < len; cut++) {
			again();
			handshake(1, 2);
			token(3, TOKEN);
			deliver(LP_TO_BROKER, cut, (enum way)way);
			hidden();
			token_answer(3);
			deliver(LP_TO_CLIENT, cut, (enum way)way);
			hidden();
			shown_again(4);
		}
	}
}
END_TEST

START_TEST(where_nobody_captures_they_are_hidden_in_copies)
{
	for (int way = 0; way < WAYS; way++) {
		again();
		lp_pipeline_capture(plane.pipeline, NULL);
		is_captured = false;
		handshake(1, 2);
		token(3, TOKEN);
		deliver(LP_TO_BROKER, 20, (enum way)way);
		hidden();
		token_answer(3);
		deliver(LP_TO_CLIENT, 20, (enum way)way);
		hidden();
		shown_again(4);
	}
}
END_TEST

START_TEST(tokens_without_headers_are_hidden_however_they_come)
{
	for (int way = 0; way < WAYS; way++) {
		for (size_t cut = 1; cut < TOKEN + 4; cut++) {
			again();
			handshake(0, 2);
			raw_token();
			deliver(LP_TO_BROKER, cut, (enum way)way);
			hidden();
			raw_token();
			deliver(LP_TO_CLIENT, cut, (enum way)way);
			hidden();
			shown_again(4);
		}
	}
}
END_TEST

/* Its tail is skipped, and part of it sent again. */
START_TEST(a_token_of_many_segments_is_hidden)
{
	handshake(1, 2);
	token(3, LONG_TOKEN);
	kafka_ask();
	hidden();
	ck_assert_ptr_nonnull(strstr(notes, "request SaslAuthenticate v0"));
	kafka_send_at(LP_TO_BROKER, -1000, kafka_frame.bytes + 1000, 1000);
	hidden();
	token_answer(3);
	kafka_answer();
	hidden();
	ck_assert_ptr_nonnull(strstr(notes, "response SaslAuthenticate v0"));
	shown_again(4);
	/* And again much later. */
	kafka_send_at(LP_TO_BROKER,
	    -(int32_t)(kafka_frame.len + LONG_TOKEN / 2),
	    (const uint8_t[]){SECRET, SECRET, SECRET, SECRET}, 4);
	hidden();
}
END_TEST

/* Of a version that the tables do not know. */
START_TEST(a_token_of_a_later_version_is_hidden)
{
	handshake(1, 2);
	kafka_request(&kafka_frame, AUTHENTICATE, 99, 3, "web-1", true);
	kafka_fill(&kafka_frame, SECRET, TOKEN);
	kafka_end(&kafka_frame);
	kafka_ask();
	hidden();
	token_answer(3);
	kafka_answer();
	hidden();
}
END_TEST

/* The stage has lost the streams of one that authenticates, or had. */
START_TEST(nothing_is_shown_while_streams_are_lost)
{
	static const uint8_t bytes[] = {SECRET, SECRET, SECRET};

	handshake(1, 2);
	/* Bytes have gone another way, and are acknowledged. */
	kafka_talk.next[LP_TO_BROKER] += 100;
	kafka_send(LP_TO_BROKER, bytes, sizeof(bytes));
	hidden();
	kafka_acknowledge(LP_TO_CLIENT);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LOST);
	token(3, TOKEN);
	kafka_ask();
	hidden();
	ck_assert_ptr_nonnull(strstr(notes, "payload hidden"));
	token_answer(3);
	kafka_answer();
	hidden();
}
END_TEST

/* The mark of a change in it was left: its streams are lost. */
START_TEST(nothing_is_shown_of_what_a_killed_process_left)
{
	handshake(1, 2);
	token(3, TOKEN);
	kafka_send(LP_TO_BROKER, kafka_frame.bytes, 20);
	plane.region.kafka.conns[0].mode = LP_KAFKA_LOST;
	memset(plane.region.kafka.conns[0].sides, 0,
	    sizeof(plane.region.kafka.conns[0].sides));
	plane_restart();
	begin();
	kafka_send(LP_TO_BROKER, kafka_frame.bytes + 20, kafka_frame.len - 20);
	hidden();
}
END_TEST

/* A connection that does not begin with SASL has no tokens: all is shown. */
START_TEST(without_sasl_nothing_is_hidden)
{
	kafka_greet(1);
	kafka_produce_request(2, 1, 100);
	kafka_ask();
	kafka_produce_response(2, 0, 0);
	kafka_answer();
	look();
	kafka_produce_request(3, 1, 100);
	kafka_send_at(LP_TO_BROKER, 500, kafka_frame.bytes, 100);
	look();
	ck_assert_uint_gt(shown, 0);
	kafka_send_damaged(LP_TO_BROKER, kafka_frame.bytes, kafka_frame.len);
	look();
	ck_assert_uint_gt(shown, 0);
	send_dropped(LP_TO_BROKER, kafka_frame.bytes, kafka_frame.len);
	look();
	ck_assert_uint_gt(shown, 0);
}
END_TEST

/* Of one turn: the second request resets the connection of both. */
START_TEST(what_leaves_before_a_reset_is_copied)
{
	size_t len;

	rule_put(101, 20, "api=DeleteRecords", "reset", false);
	edited_publish(LP_UNJUDGED_PASS);
	again();
	kafka_produce_request(7, -1, 1234);
	len = kafka_frame.len;
	kafka_queue(LP_TO_BROKER, 0, kafka_frame.bytes, len);
	kafka_request(&kafka_frame, 21, 0, 8, "web-1", false);
	kafka_int32(&kafka_frame, 0);
	kafka_int32(&kafka_frame, 1000);
	kafka_end(&kafka_frame);
	kafka_queue(
	    LP_TO_BROKER, (int32_t)len, kafka_frame.bytes, kafka_frame.len);
	plane_run();
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_RULE), 1);
	ck_assert_uint_eq(plane_connections(), 0);
	/* In, out, and in. */
	ck_assert_uint_eq(lp_count_get(&capture->captured), 3);
	look();
	ck_assert_ptr_nonnull(strstr(notes, "request Produce v3"));
	plane_forget();
}
END_TEST

START_TEST(what_is_no_kafka_is_shown)
{
	kafka_send(LP_TO_BROKER, "GET / HTTP/1.1\r\n\r\n", 18);
	look();
	ck_assert_uint_eq(shown, 36);
	kafka_send_at(LP_TO_BROKER, 100, "again", 5);
	look();
	ck_assert_uint_eq(shown, 10);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, requests_and_responses_are_told);
	tcase_add_test(tests, a_frame_that_goes_on_says_so);
	tcase_add_test(tests, two_frames_of_a_segment_are_both_told);
	tcase_add_test(tests, a_note_that_is_full_ends_so);
	tcase_add_test(tests, tokens_are_hidden_however_they_come);
	tcase_add_test(tests, where_nobody_captures_they_are_hidden_in_copies);
	tcase_add_test(
	    tests, tokens_without_headers_are_hidden_however_they_come);
	tcase_add_test(tests, a_token_of_many_segments_is_hidden);
	tcase_add_test(tests, a_token_of_a_later_version_is_hidden);
	tcase_add_test(tests, nothing_is_shown_while_streams_are_lost);
	tcase_add_test(tests, nothing_is_shown_of_what_a_killed_process_left);
	tcase_add_test(tests, without_sasl_nothing_is_hidden);
	tcase_add_test(tests, what_leaves_before_a_reset_is_copied);
	tcase_add_test(tests, what_is_no_kafka_is_shown);
}

int
main(void)
{
	return plane_main("kafka_note", add);
}
