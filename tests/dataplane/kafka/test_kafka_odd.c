/* SPDX-License-Identifier: Apache-2.0 */
/* The Kafka stage and TCP that is right, but seldom seen. */
#include "dataplane/kafka/kafka.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/kafka_check.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"

#define CLIENT "tcp 10.9.0.50:40000 > 10.9.0.100:9100 "
#define BROKER "tcp 10.8.0.20:9092 > 10.8.0.10:$ "

enum { WINDOW = 60000 };

static void
ensure_paired(uint64_t pairs)
{
	ck_assert_uint_eq(KAFKA_COUNTER(requests), pairs);
	ck_assert_uint_eq(KAFKA_COUNTER(responses), pairs);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LIVE);
	kafka_ensure_at_rest();
	kafka_check_pools();
	kafka_check_counters();
}

/* A handshake whose client begins there; so many SYNs of each. */
static void
connect_at(uint32_t isn, unsigned times)
{
	char text[PACKET_TEXT_SIZE];

	plane_close();
	plane_open(CONNECTIONS);
	plane_run();
	for (unsigned i = 0; i < times; i++) {
		snprintf(text, sizeof(text), CLIENT "S seq=%u ws=7", isn);
		plane_in(FRONT_SLOT, text);
		plane_expect(BACK_SLOT, "tcp 10.8.0.10:$* > * S");
	}
	for (unsigned i = 0; i < times; i++) {
		snprintf(text, sizeof(text), BROKER "SA seq=%u ack=%u ws=8",
		    isn - 7, isn + 1);
		plane_in(BACK_SLOT, text);
	}
	plane_forget();
	kafka_talk.next[LP_TO_BROKER] = isn + 1;
	kafka_talk.next[LP_TO_CLIENT] = isn - 6;
	kafka_talk.source = 10;
	kafka_talk.nat = plane.nat;
	kafka_acknowledge(LP_TO_BROKER);
}

START_TEST(syns_that_are_sent_again_change_nothing)
{
	connect_at(1000, 3);
	kafka_greet(1);
	/* An old one of each end, late. */
	plane_in(FRONT_SLOT, CLIENT "S seq=1000 ws=7");
	plane_in(BACK_SLOT, BROKER "SA seq=993 ack=1001 ws=8");
	plane_forget();
	kafka_greet(2);
	ensure_paired(2);
}
END_TEST

START_TEST(numbers_wrap_around_at_any_byte_of_a_frame)
{
	kafka_produce_request(1, 1, 20);
	for (uint32_t at = 1; at < kafka_frame.len + 9; at++) {
		connect_at(UINT32_MAX - at, 1);
		kafka_produce_request(1, 1, 20);
		kafka_send_at(LP_TO_BROKER, 30, kafka_frame.bytes + 30,
		    kafka_frame.len - 30);
		kafka_send(LP_TO_BROKER, kafka_frame.bytes, 30);
		kafka_talk.next[LP_TO_BROKER] += (uint32_t)kafka_frame.len - 30;
		kafka_produce_response(1, 0, 0);
		kafka_answer();
		kafka_acknowledge(LP_TO_BROKER);
		kafka_greet(2);
		kafka_check_forget();
		ensure_paired(2);
	}
}
END_TEST

/* RFC 7413: what comes with the SYN is the first of the stream. */
static void
open_with_data(bool taken)
{
	char text[PACKET_TEXT_SIZE];
	struct packet packet;

	plane_close();
	plane_open(CONNECTIONS);
	plane_run();
	kafka_versions_request(1);
	snprintf(text, sizeof(text), CLIENT "S seq=1000 ws=7 len=%zu",
	    kafka_frame.len);
	plane_build(&packet, FRONT_SLOT, text);
	memcpy(packet.bytes + packet.len - kafka_frame.len, kafka_frame.bytes,
	    kafka_frame.len);
	kafka_fix_sum(&packet);
	ck_assert(plane_inject(FRONT_SLOT, packet.bytes, packet.len));
	plane_run();
	plane_expect(BACK_SLOT, "tcp 10.8.0.10:$* > * S");
	kafka_talk.source = 10;
	kafka_talk.nat = plane.nat;
	snprintf(text, sizeof(text), BROKER "SA seq=5000 ack=%zu ws=8",
	    1001 + (taken ? kafka_frame.len : 0));
	plane_in(BACK_SLOT, text);
	plane_forget();
	kafka_talk.next[LP_TO_BROKER] =
	    1001 + (taken ? (uint32_t)kafka_frame.len : 0);
	kafka_talk.next[LP_TO_CLIENT] = 5001;
	kafka_acknowledge(LP_TO_BROKER);
	if (!taken)
		kafka_ask();
	kafka_versions_response(1);
	kafka_answer();
	kafka_acknowledge(LP_TO_BROKER);
	kafka_greet(2);
}

START_TEST(data_in_a_syn_is_read_once_taken_or_not)
{
	open_with_data(_i);
	ensure_paired(2);
}
END_TEST

/* RFC 9293, 3.8.4: one byte of garbage, or none, in front of what is next. */
START_TEST(keep_alives_are_no_bytes_of_a_stream)
{
	static const uint8_t garbage[1] = {0x99};

	kafka_greet(1);
	for (unsigned i = 0; i < 5; i++) {
		kafka_send_at(LP_TO_BROKER, -1, garbage, i & 1);
		kafka_acknowledge(LP_TO_CLIENT);
		kafka_send_at(LP_TO_CLIENT, -1, garbage, i & 1);
		kafka_acknowledge(LP_TO_BROKER);
		plane_wait_ms(60000);
		plane_forget();
	}
	/* In a frame that waits for more, too. */
	kafka_produce_request(2, 1, 300);
	kafka_send(LP_TO_BROKER, kafka_frame.bytes, 40);
	kafka_send_at(LP_TO_BROKER, -1, garbage, 1);
	kafka_send(LP_TO_BROKER, kafka_frame.bytes + 40, kafka_frame.len - 40);
	kafka_send_at(LP_TO_BROKER, -1, garbage, 1);
	kafka_produce_response(2, 0, 0);
	kafka_answer();
	ensure_paired(2);
}
END_TEST

/* The byte that probes a closed window is of the stream, and comes again. */
START_TEST(probes_of_a_closed_window_are_read_once)
{
	kafka_greet(1);
	kafka_send_flags(LP_TO_CLIENT, "A", 0, NULL, 0);
	kafka_produce_request(2, 1, 300);
	for (unsigned i = 0; i < 5; i++)
		kafka_send_at(LP_TO_BROKER, 0, kafka_frame.bytes, 1);
	kafka_send_flags(LP_TO_CLIENT, "A", WINDOW, NULL, 0);
	kafka_ask();
	kafka_produce_response(2, 0, 0);
	kafka_answer();
	ensure_paired(2);
}
END_TEST

START_TEST(responses_flow_on_behind_the_clients_fin)
{
	kafka_greet(1);
	kafka_fetch_request(2, 500, -1);
	kafka_ask();
	kafka_versions_request(3);
	kafka_send_flags(
	    LP_TO_BROKER, "FPA", WINDOW, kafka_frame.bytes, kafka_frame.len);
	kafka_acknowledge(LP_TO_CLIENT);
	kafka_fetch_response(2, 5000);
	kafka_answer();
	kafka_acknowledge(LP_TO_BROKER);
	kafka_versions_response(3);
	kafka_answer();
	ensure_paired(3);
	kafka_send_flags(LP_TO_CLIENT, "FA", WINDOW, NULL, 0);
	kafka_acknowledge(LP_TO_BROKER);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_OFF);
	kafka_ensure_at_rest();
}
END_TEST

START_TEST(a_reset_in_the_middle_of_a_request_gives_all_back)
{
	kafka_greet(1);
	kafka_produce_request(2, 1, 300);
	kafka_send(LP_TO_BROKER, kafka_frame.bytes, 40);
	kafka_send_at(LP_TO_BROKER, 10, kafka_frame.bytes + 50, 100);
	ck_assert_uint_eq(kafka_check_pools().held, 1);
	kafka_acknowledge(LP_TO_CLIENT);
	kafka_reset(LP_TO_BROKER);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_OFF);
	kafka_ensure_at_rest();
	ck_assert_uint_eq(kafka_check_pools().held, 0);
	ck_assert_uint_eq(KAFKA_COUNTER(requests), 1);
}
END_TEST

static void
setup(void)
{
	kafka_check_forget();
	kafka_setup();
}

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, syns_that_are_sent_again_change_nothing);
	tcase_add_test(tests, numbers_wrap_around_at_any_byte_of_a_frame);
	tcase_add_loop_test(
	    tests, data_in_a_syn_is_read_once_taken_or_not, 0, 2);
	tcase_add_test(tests, keep_alives_are_no_bytes_of_a_stream);
	tcase_add_test(tests, probes_of_a_closed_window_are_read_once);
	tcase_add_test(tests, responses_flow_on_behind_the_clients_fin);
	tcase_add_test(
	    tests, a_reset_in_the_middle_of_a_request_gives_all_back);
}

int
main(void)
{
	return plane_main("kafka_odd", add);
}
