/* SPDX-License-Identifier: Apache-2.0 */
/* The Kafka stage and what is missing, wrong, or no Kafka at all. */
#include "dataplane/kafka/kafka.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/kafka_check.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"

START_TEST(a_damaged_segment_is_not_read)
{
	kafka_greet(1);
	kafka_produce_request(2, 1, 100);
	kafka_frame.bytes[30] ^= 1;
	kafka_send_damaged(LP_TO_BROKER, kafka_frame.bytes, kafka_frame.len);
	ck_assert_uint_eq(KAFKA_COUNTER(checksums_bad), 1);
	ck_assert_ptr_null(kafka_row(PRODUCE, LP_KAFKA_ACKS_1));
	kafka_frame.bytes[30] ^= 1;
	kafka_ask();
	ck_assert_ptr_nonnull(kafka_row(PRODUCE, LP_KAFKA_ACKS_1));
}
END_TEST

/* Bytes that never came by are acknowledged: nobody can tell frames apart. */
START_TEST(missed_bytes_lose_the_streams_and_proof_finds_them_again)
{
	kafka_greet(1);
	kafka_produce_request(2, 1, RECORDS);
	kafka_talk.next[LP_TO_BROKER] += 100;
	kafka_send(
	    LP_TO_BROKER, kafka_frame.bytes + 100, kafka_frame.len - 100);
	kafka_acknowledge(LP_TO_CLIENT);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LOST);
	ck_assert_uint_eq(KAFKA_COUNTER(bytes_missed), 1);
	kafka_ensure_at_rest();
	kafka_produce_response(2, 0, 0);
	kafka_answer();
	kafka_acknowledge(LP_TO_BROKER);
	/* Three answers in a row are the proof. */
	kafka_greet(3);
	kafka_greet(4);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LOST);
	kafka_greet(5);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LIVE);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_recovered), 1);
	kafka_produce_request(6, 1, RECORDS);
	kafka_ask();
	kafka_produce_response(6, 0, 0);
	kafka_answer();
	ck_assert_uint_eq(
	    lp_count_get(&kafka_row(PRODUCE, LP_KAFKA_ACKS_1)->responses), 1);
	kafka_ensure_at_rest();
}
END_TEST

START_TEST(pipelined_requests_prove_nothing)
{
	kafka_greet(1);
	kafka_versions_response(9);
	kafka_answer();
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LOST);
	kafka_acknowledge(LP_TO_BROKER);
	for (int32_t id = 2; id < 12; id += 2) {
		kafka_versions_request(id);
		kafka_ask();
		kafka_versions_request(id + 1);
		kafka_ask();
		kafka_versions_response(id);
		kafka_answer();
		kafka_versions_response(id + 1);
		kafka_answer();
		kafka_acknowledge(LP_TO_BROKER);
	}
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LOST);
}
END_TEST

START_TEST(a_wrong_correlation_id_loses_the_streams)
{
	kafka_greet(1);
	kafka_versions_request(2);
	kafka_ask();
	kafka_versions_response(3);
	kafka_answer();
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LOST);
	ck_assert_uint_eq(KAFKA_COUNTER(correlation_mismatch), 1);
	ck_assert_uint_eq(
	    lp_count_get(&kafka_row(VERSIONS, LP_KAFKA_KIND_NONE)->in_flight),
	    0);
	kafka_ensure_at_rest();
}
END_TEST

START_TEST(a_response_that_nobody_asked_for_loses_the_streams)
{
	kafka_versions_response(1);
	kafka_answer();
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LOST);
	ck_assert_uint_eq(KAFKA_COUNTER(responses_unasked), 1);
}
END_TEST

START_TEST(a_message_that_lies_is_passed_over_by_its_length)
{
	kafka_produce_request(1, 1, RECORDS);
	/* The array of topics has more than the kafka_frame holds. */
	memset(kafka_frame.bytes + 4 + 8 + 7 + 2 + 2 + 4, 0x7f, 4);
	kafka_ask();
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 1);
	kafka_produce_response(1, 0, 0);
	kafka_answer();
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LIVE);
	kafka_greet(2);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	kafka_ensure_at_rest();
}
END_TEST

START_TEST(sizes_that_no_frame_has_lose_the_streams)
{
	static const int32_t sizes[] = {-1, 0, 7, INT32_MIN};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		plane_close();
		kafka_setup();
		kafka_greet(1);
		kafka_versions_request(2);
		kafka_frame.bytes[0] = (uint8_t)((uint32_t)sizes[i] >> 24);
		kafka_frame.bytes[1] = (uint8_t)(sizes[i] >> 16);
		kafka_frame.bytes[2] = (uint8_t)(sizes[i] >> 8);
		kafka_frame.bytes[3] = (uint8_t)sizes[i];
		kafka_ask();
		ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LOST);
		ck_assert_uint_eq(KAFKA_COUNTER(frames_impossible), 1);
	}
}
END_TEST

START_TEST(what_is_not_kafka_is_left_alone)
{
	static const char http[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

	kafka_send(LP_TO_BROKER, http, strlen(http));
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_OPAQUE);
	ck_assert_uint_eq(KAFKA_COUNTER(connections_other), 1);
	kafka_send(LP_TO_CLIENT, http, strlen(http));
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
}
END_TEST

START_TEST(a_tls_alert_to_a_plain_client_is_recognised)
{
	static const uint8_t alert[] = {0x15, 3, 3, 0, 2, 2, 70};

	kafka_versions_request(1);
	kafka_ask();
	kafka_send(LP_TO_CLIENT, alert, sizeof(alert));
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_OPAQUE);
	ck_assert_uint_eq(KAFKA_COUNTER(tls_alerts), 1);
	kafka_ensure_at_rest();
}
END_TEST

/* A hello with a session id, three ciphers, ALPN and then the name. */
static size_t
hello(uint8_t *bytes, const char *name)
{
	struct kafka_frame f = {.len = 0};
	size_t len = strlen(name);

	kafka_int8(&f, 0x16);
	kafka_int16(&f, 0x0301);
	kafka_int16(&f, 0); /* length of the record */
	kafka_int32(&f, 0x01000000);
	kafka_int16(&f, 0x0303);
	kafka_fill(&f, 0xaa, 32);
	kafka_int8(&f, 8);
	kafka_fill(&f, 0xbb, 8);
	kafka_int16(&f, 6);
	kafka_fill(&f, 0x13, 6);
	kafka_int8(&f, 1);
	kafka_int8(&f, 0);
	kafka_int16(&f, (int64_t)(4 + 5 + 4 + 5 + len));
	kafka_int16(&f, 16);
	kafka_int16(&f, 5);
	kafka_fill(&f, 0xcc, 5);
	kafka_int16(&f, 0);
	kafka_int16(&f, (int64_t)(5 + len));
	kafka_int16(&f, (int64_t)(3 + len));
	kafka_int8(&f, 0);
	kafka_int16(&f, (int64_t)len);
	kafka_bytes(&f, name, len);
	memcpy(bytes, f.bytes, f.len);
	return f.len;
}

START_TEST(the_server_name_of_tls_is_read_at_any_split)
{
	static const char name[] = "kafka-1.example.com";
	uint8_t bytes[512];
	size_t len = hello(bytes, name);

	for (size_t at = 1; at < len; at++) {
		const struct lp_kafka_conn *conn;

		plane_close();
		kafka_setup();
		kafka_send(LP_TO_BROKER, bytes, at);
		kafka_send(LP_TO_BROKER, bytes + at, len - at);
		conn = &plane.region.kafka.conns[0];
		ck_assert_uint_eq(conn->mode, LP_KAFKA_OPAQUE);
		ck_assert(conn->flags & LP_KAFKA_SNI);
		ck_assert_uint_eq(conn->name_len, strlen(name));
		ck_assert(memcmp(conn->name, name, strlen(name)) == 0);
		ck_assert_uint_eq(KAFKA_COUNTER(connections_tls), 1);
	}
}
END_TEST

static void
ensure_server_name(const char *name)
{
	const struct lp_kafka_conn *conn = &plane.region.kafka.conns[0];

	ck_assert_uint_eq(conn->mode, LP_KAFKA_OPAQUE);
	ck_assert(conn->flags & LP_KAFKA_SNI);
	ck_assert_uint_eq(conn->name_len, strlen(name));
	ck_assert(memcmp(conn->name, name, strlen(name)) == 0);
}

START_TEST(a_hello_is_read_once_and_in_order)
{
	static const char name[] = "kafka-1.example.com";
	uint8_t bytes[512];
	size_t len = hello(bytes, name);

	kafka_send(LP_TO_BROKER, bytes, 20);
	kafka_send_at(LP_TO_BROKER, -20, bytes, 20);
	kafka_send_at(LP_TO_BROKER, 30, bytes + 50, len - 50);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_TLS);
	/* Another process goes on with it. */
	plane_restart();
	ck_assert_uint_eq(kafka_check_pools().held, 1);
	kafka_send_at(LP_TO_BROKER, -10, bytes + 10, 40);
	ensure_server_name(name);
	ck_assert_uint_eq(kafka_check_pools().held, 0);
}
END_TEST

/* What was held before anybody knew that it is TLS. */
START_TEST(a_hello_gives_back_what_was_held)
{
	uint8_t bytes[512];
	size_t len = hello(bytes, "a.example");

	kafka_send_at(LP_TO_CLIENT, 90, bytes, 10);
	kafka_send_at(LP_TO_BROKER, 60, bytes + 60, len - 60);
	ck_assert_uint_eq(kafka_check_pools().held, 2);
	kafka_send(LP_TO_BROKER, bytes, 60);
	ensure_server_name("a.example");
	ck_assert_uint_eq(kafka_check_pools().held, 0);
	plane_restart();
	kafka_talk.next[LP_TO_BROKER] += (uint32_t)len - 60;
	kafka_reset(LP_TO_BROKER);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_OFF);
}
END_TEST

/* Its bytes were acknowledged, and we have not seen them: nobody waits. */
START_TEST(a_hello_that_is_missed_is_not_waited_for)
{
	uint8_t bytes[512];
	size_t len = hello(bytes, "a.example");

	kafka_send(LP_TO_BROKER, bytes, 20);
	kafka_talk.next[LP_TO_BROKER] += 20;
	kafka_send(LP_TO_BROKER, bytes + 40, len - 40);
	kafka_acknowledge(LP_TO_CLIENT);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_OPAQUE);
	ck_assert_uint_eq(kafka_check_pools().held, 0);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
}
END_TEST

START_TEST(too_many_in_flight_lose_the_streams)
{
	kafka_versions_request(0);
	for (unsigned i = 0; i <= CONNECTIONS * 2; i++)
		kafka_ask();
	ck_assert_uint_eq(KAFKA_COUNTER(inflight_full), 1);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LOST);
	kafka_ensure_at_rest();
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_damaged_segment_is_not_read);
	tcase_add_test(
	    tests, missed_bytes_lose_the_streams_and_proof_finds_them_again);
	tcase_add_test(tests, pipelined_requests_prove_nothing);
	tcase_add_test(tests, a_wrong_correlation_id_loses_the_streams);
	tcase_add_test(
	    tests, a_response_that_nobody_asked_for_loses_the_streams);
	tcase_add_test(tests, a_message_that_lies_is_passed_over_by_its_length);
	tcase_add_test(tests, sizes_that_no_frame_has_lose_the_streams);
	tcase_add_test(tests, what_is_not_kafka_is_left_alone);
	tcase_add_test(tests, a_tls_alert_to_a_plain_client_is_recognised);
	tcase_add_test(tests, the_server_name_of_tls_is_read_at_any_split);
	tcase_add_test(tests, a_hello_is_read_once_and_in_order);
	tcase_add_test(tests, a_hello_gives_back_what_was_held);
	tcase_add_test(tests, a_hello_that_is_missed_is_not_waited_for);
	tcase_add_test(tests, too_many_in_flight_lose_the_streams);
}

int
main(void)
{
	return plane_main("kafka_hostile", add);
}
