/* SPDX-License-Identifier: Apache-2.0 */
/* The Kafka stage: segments in, statistics out, and every segment forwarded. */
#include "dataplane/kafka/kafka.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/proto/objects.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"

START_TEST(a_request_and_its_response_are_paired_and_timed)
{
	const struct lp_kafka_row *found;

	kafka_versions_request(1);
	kafka_ask();
	found = kafka_row(VERSIONS, LP_KAFKA_KIND_NONE);
	ck_assert_ptr_nonnull(found);
	ck_assert_uint_eq(lp_count_get(&found->in_flight), 1);
	plane.now_ns += 5 * MS;
	kafka_versions_response(1);
	kafka_answer();
	ck_assert_uint_eq(lp_count_get(&found->in_flight), 0);
	ck_assert_uint_eq(lp_count_get(&found->requests), 1);
	ck_assert_uint_eq(lp_count_get(&found->responses), 1);
	ck_assert_uint_eq(
	    lp_count_get(&found->response_bytes), kafka_frame.len);
	ck_assert_uint_eq(kafka_samples(&found->latency), 1);
	/* The plane's clock goes on a little while it turns. */
	ck_assert_uint_ge(lp_count_get(&found->latency.sum_ns), 5 * MS);
	ck_assert_uint_lt(lp_count_get(&found->latency.sum_ns), 6 * MS);
	ck_assert_ptr_nonnull(kafka_talker(&kafka_stats()->clients, "web-1"));
	ck_assert_uint_eq(KAFKA_COUNTER(connections_kafka), 1);
	kafka_ensure_at_rest();
}
END_TEST

START_TEST(acks_tell_produces_apart)
{
	const struct lp_talker *topic;

	kafka_produce_request(1, 1, RECORDS);
	kafka_ask();
	kafka_produce_response(1, 0, 0);
	kafka_answer();
	kafka_produce_request(2, -1, RECORDS);
	kafka_ask();
	kafka_produce_response(2, 0, 0);
	kafka_answer();
	/* Without a response: what comes next is the answer to the next. */
	kafka_produce_request(3, 0, RECORDS);
	kafka_ask();
	kafka_produce_request(4, 1, RECORDS);
	kafka_ask();
	kafka_produce_response(4, 0, 0);
	kafka_answer();
	ck_assert_uint_eq(
	    lp_count_get(&kafka_row(PRODUCE, LP_KAFKA_ACKS_1)->responses), 2);
	ck_assert_uint_eq(
	    lp_count_get(&kafka_row(PRODUCE, LP_KAFKA_ACKS_ALL)->responses), 1);
	ck_assert_uint_eq(
	    lp_count_get(&kafka_row(PRODUCE, LP_KAFKA_ACKS_0)->requests), 1);
	ck_assert_uint_eq(
	    lp_count_get(&kafka_row(PRODUCE, LP_KAFKA_ACKS_0)->in_flight), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	topic = kafka_talker(&kafka_stats()->topics, "orders");
	ck_assert_ptr_nonnull(topic);
	ck_assert_uint_eq(
	    lp_count_get(&topic->counts[LP_KAFKA_TOPIC_produce_bytes]),
	    4 * RECORDS);
	ck_assert_uint_eq(
	    kafka_samples(&topic->histograms[LP_KAFKA_TOPIC_PRODUCE]), 3);
	kafka_ensure_at_rest();
}
END_TEST

START_TEST(errors_and_throttles_are_counted_by_name_and_topic)
{
	const struct lp_kafka_row *found;
	const struct lp_talker *topic;

	kafka_produce_request(1, 1, 10);
	kafka_ask();
	kafka_produce_response(1, 6, 250); /* NOT_LEADER_OR_FOLLOWER */
	kafka_answer();
	found = kafka_row(PRODUCE, LP_KAFKA_ACKS_1);
	ck_assert_uint_eq(
	    lp_count_get(&found->errors[lp_kafka_error_place(6)]), 1);
	ck_assert_uint_eq(lp_count_get(&found->throttled), 1);
	ck_assert_uint_eq(lp_count_get(&found->throttle_ms), 250);
	ck_assert_uint_eq(kafka_samples(&found->latency), 0);
	ck_assert_uint_eq(kafka_samples(&found->throttled_latency), 1);
	topic = kafka_talker(&kafka_stats()->topics, "orders");
	ck_assert_uint_eq(
	    lp_count_get(&topic->counts[LP_KAFKA_TOPIC_errors]), 1);
	ck_assert_uint_eq(
	    lp_count_get(&kafka_talker(&kafka_stats()->clients, "web-1")
			      ->counts[LP_KAFKA_CLIENT_errors]),
	    1);
}
END_TEST

START_TEST(a_fetch_is_answered_by_data_or_by_its_wait)
{
	kafka_fetch_request(1, 500, -1);
	kafka_ask();
	plane.now_ns += 3 * MS;
	kafka_fetch_response(1, 4000);
	kafka_answer();
	kafka_fetch_request(2, 500, -1);
	kafka_ask();
	plane.now_ns += 501 * MS;
	kafka_fetch_response(2, 0);
	kafka_answer();
	ck_assert_uint_eq(
	    lp_count_get(&kafka_row(FETCH, LP_KAFKA_KIND_NONE)->requests), 2);
	ck_assert_uint_eq(
	    lp_count_get(&kafka_row(FETCH, LP_KAFKA_KIND_NONE)->in_flight), 0);
	ck_assert_uint_eq(
	    kafka_samples(&kafka_row(FETCH, LP_KAFKA_FETCH_DATA)->latency), 1);
	ck_assert_uint_eq(
	    kafka_samples(&kafka_row(FETCH, LP_KAFKA_FETCH_MAX_WAIT)->latency),
	    1);
	ck_assert_uint_eq(
	    lp_count_get(&kafka_talker(&kafka_stats()->topics, "orders")
			      ->counts[LP_KAFKA_TOPIC_fetch_bytes]),
	    4000);
	kafka_ensure_at_rest();
}
END_TEST

START_TEST(replication_is_counted_apart)
{
	kafka_fetch_request(1, 500, 3);
	kafka_ask();
	kafka_fetch_response(1, 100);
	kafka_answer();
	ck_assert_uint_eq(
	    kafka_row(FETCH, LP_KAFKA_KIND_NONE)->origin, LP_KAFKA_FROM_BROKER);
	ck_assert_uint_eq(kafka_row(FETCH, LP_KAFKA_FETCH_DATA)->origin,
	    LP_KAFKA_FROM_BROKER);
}
END_TEST

/* A border of segments at every byte of request and response. */
START_TEST(any_split_gives_the_same_facts)
{
	struct kafka_frame question;
	unsigned turns = 0;

	kafka_produce_request(0, 1, 40);
	question = kafka_frame;
	for (size_t at = 1; at < question.len; at++, turns++) {
		kafka_send(LP_TO_BROKER, question.bytes, at);
		kafka_send(
		    LP_TO_BROKER, question.bytes + at, question.len - at);
		kafka_produce_response(0, 6, 0);
		if (at < kafka_frame.len) {
			kafka_send(LP_TO_CLIENT, kafka_frame.bytes, at);
			kafka_send(LP_TO_CLIENT, kafka_frame.bytes + at,
			    kafka_frame.len - at);
		} else {
			kafka_answer();
		}
	}
	ck_assert_uint_eq(
	    lp_count_get(&kafka_row(PRODUCE, LP_KAFKA_ACKS_1)->responses),
	    turns);
	ck_assert_uint_eq(lp_count_get(&kafka_row(PRODUCE, LP_KAFKA_ACKS_1)
					    ->errors[lp_kafka_error_place(6)]),
	    turns);
	ck_assert_uint_eq(
	    lp_count_get(&kafka_talker(&kafka_stats()->topics, "orders")
			      ->counts[LP_KAFKA_TOPIC_produce_bytes]),
	    turns * 40);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
	kafka_ensure_at_rest();
}
END_TEST

START_TEST(segments_out_of_order_are_put_in_order)
{
	static const size_t cut = 200;
	static const size_t middle = 300;

	kafka_greet(1);
	kafka_produce_request(2, 1, RECORDS);
	/* Last, middle, first; and the first again. */
	kafka_send_at(LP_TO_BROKER, (int32_t)(cut + middle),
	    kafka_frame.bytes + cut + middle, kafka_frame.len - cut - middle);
	kafka_send_at(
	    LP_TO_BROKER, (int32_t)cut, kafka_frame.bytes + cut, middle);
	ck_assert_uint_eq(KAFKA_COUNTER(held_segments), 2);
	kafka_send_at(LP_TO_BROKER, 0, kafka_frame.bytes, cut);
	kafka_send_at(LP_TO_BROKER, 0, kafka_frame.bytes, cut);
	kafka_talk.next[LP_TO_BROKER] += (uint32_t)kafka_frame.len;
	kafka_produce_response(2, 0, 0);
	kafka_answer();
	ck_assert_uint_eq(
	    lp_count_get(&kafka_row(PRODUCE, LP_KAFKA_ACKS_1)->responses), 1);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	kafka_ensure_at_rest();
}
END_TEST

START_TEST(unknown_keys_and_versions_are_passed_over_and_paired)
{
	kafka_request(&kafka_frame, 1000, 0, 1, "web-1", true);
	kafka_fill(&kafka_frame, 0xee, 500);
	kafka_end(&kafka_frame);
	kafka_ask();
	kafka_response(&kafka_frame, 1, true);
	kafka_fill(&kafka_frame, 0xdd, 3000);
	kafka_end(&kafka_frame);
	kafka_answer();
	kafka_request(&kafka_frame, PRODUCE, 99, 2, "web-1", true);
	kafka_fill(&kafka_frame, 0xee, 20);
	kafka_end(&kafka_frame);
	kafka_ask();
	kafka_response(&kafka_frame, 2, true);
	kafka_end(&kafka_frame);
	kafka_answer();
	ck_assert_uint_eq(KAFKA_COUNTER(frames_unparsed), 2);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	ck_assert_uint_eq(
	    lp_count_get(&kafka_row(LP_KAFKA_API_UNKNOWN, LP_KAFKA_KIND_NONE)
			      ->responses),
	    1);
	kafka_greet(3);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LIVE);
	kafka_ensure_at_rest();
}
END_TEST

/* KIP-511: the broker answers a version that it lacks as version 0. */
START_TEST(an_old_broker_answers_new_versions_requests_as_version_0)
{
	kafka_versions_request(1);
	kafka_ask();
	kafka_response(&kafka_frame, 1, false);
	kafka_int16(&kafka_frame, 35);
	kafka_int32(&kafka_frame, 1);
	kafka_int16(&kafka_frame, VERSIONS);
	kafka_int16(&kafka_frame, 0);
	kafka_int16(&kafka_frame, 2);
	kafka_end(&kafka_frame);
	kafka_answer();
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
	ck_assert_uint_eq(lp_count_get(&kafka_row(VERSIONS, LP_KAFKA_KIND_NONE)
					    ->errors[lp_kafka_error_place(35)]),
	    1);
}
END_TEST

START_TEST(tokens_without_headers_pass)
{
	static const char token[] = "\0\0\0\x0d\0alice\0secret";
	static const char done[4];

	kafka_request(&kafka_frame, HANDSHAKE, 0, 1, "web-1", false);
	kafka_string(&kafka_frame, "PLAIN");
	kafka_end(&kafka_frame);
	kafka_ask();
	kafka_response(&kafka_frame, 1, false);
	kafka_int16(&kafka_frame, 0);
	kafka_int32(&kafka_frame, 1);
	kafka_string(&kafka_frame, "PLAIN");
	kafka_end(&kafka_frame);
	kafka_answer();
	kafka_send(LP_TO_BROKER, token, sizeof(token) - 1);
	kafka_send(LP_TO_CLIENT, done, sizeof(done));
	kafka_greet(2);
	ck_assert_uint_eq(KAFKA_COUNTER(sasl_raw_tokens), 1);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LIVE);
	kafka_ensure_at_rest();
}
END_TEST

/* Another process takes the region over in the middle of two frames. */
START_TEST(frames_outlive_the_process)
{
	struct kafka_frame question;

	kafka_greet(1);
	kafka_fetch_request(2, 500, -1);
	kafka_ask();
	kafka_produce_request(3, 1, RECORDS);
	question = kafka_frame;
	kafka_send(LP_TO_BROKER, question.bytes, 60);
	plane_restart();
	ck_assert_uint_eq(
	    lp_count_get(&kafka_row(FETCH, LP_KAFKA_KIND_NONE)->in_flight), 1);
	kafka_send(LP_TO_BROKER, question.bytes + 60, question.len - 60);
	kafka_fetch_response(2, 2000);
	kafka_send(LP_TO_CLIENT, kafka_frame.bytes, 50);
	plane_restart();
	kafka_send(
	    LP_TO_CLIENT, kafka_frame.bytes + 50, kafka_frame.len - 50 - 900);
	kafka_send(
	    LP_TO_CLIENT, kafka_frame.bytes + kafka_frame.len - 900, 900);
	kafka_produce_response(3, 0, 0);
	kafka_answer();
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	ck_assert_uint_eq(
	    lp_count_get(&kafka_row(FETCH, LP_KAFKA_FETCH_DATA)->responses), 1);
	ck_assert_uint_eq(
	    lp_count_get(&kafka_row(PRODUCE, LP_KAFKA_ACKS_1)->responses), 1);
	ck_assert_uint_eq(
	    lp_count_get(&kafka_row(PRODUCE, LP_KAFKA_ACKS_1)->in_flight), 0);
	kafka_ensure_at_rest();
}
END_TEST

START_TEST(a_reset_gives_all_back)
{
	kafka_greet(1);
	kafka_versions_request(2);
	kafka_ask();
	kafka_produce_request(3, 1, RECORDS);
	kafka_send(LP_TO_BROKER, kafka_frame.bytes, 40);
	kafka_send_at(LP_TO_BROKER, 100, kafka_frame.bytes, 40);
	kafka_acknowledge(LP_TO_CLIENT);
	kafka_reset(LP_TO_BROKER);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_OFF);
	ck_assert_uint_eq(
	    lp_count_get(&kafka_row(VERSIONS, LP_KAFKA_KIND_NONE)->in_flight),
	    0);
	kafka_ensure_at_rest();
}
END_TEST

static void
look(enum lp_look look)
{
	struct lp_object listener =
	    *lp_config_find(&plane.config, LP_OBJECT_LISTENER, PAYMENTS_PUBLIC);

	listener.listener.kafka = (uint8_t)look;
	listener.listener.rewrite = lp_object_rewriting(&listener.listener);
	put(&plane.config, listener);
	plane_publish();
}

/* Every segment leaves as it came, which kafka_send() sees to. */
START_TEST(a_listener_that_is_off_is_not_read)
{
	kafka_greet(1);
	look(LP_LOOK_OFF);
	/* What is open goes on as it was. */
	kafka_greet(2);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LIVE);
	ck_assert_uint_eq(KAFKA_COUNTER(requests), 2);
	kafka_reset(LP_TO_BROKER);

	kafka_connect();
	kafka_greet(3);
	kafka_produce_request(4, 1, RECORDS);
	kafka_ask();
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_OFF);
	plane_restart();
	kafka_produce_response(4, 0, 0);
	kafka_answer();
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_OFF);
	ck_assert_uint_eq(KAFKA_COUNTER(requests), 2);
	ck_assert_uint_eq(KAFKA_COUNTER(connections_kafka), 1);
	ck_assert_uint_eq(KAFKA_COUNTER(unseen_bytes), 0);
	ck_assert_ptr_null(kafka_row(PRODUCE, LP_KAFKA_ACKS_1));
	kafka_ensure_at_rest();

	look(LP_LOOK_OBSERVE);
	kafka_greet(5);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_OFF);
	ck_assert_uint_eq(KAFKA_COUNTER(requests), 2);
	kafka_reset(LP_TO_BROKER);
	kafka_connect();
	kafka_greet(6);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LIVE);
	ck_assert_uint_eq(KAFKA_COUNTER(requests), 3);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_add_test(tests, a_request_and_its_response_are_paired_and_timed);
	tcase_add_test(tests, acks_tell_produces_apart);
	tcase_add_test(
	    tests, errors_and_throttles_are_counted_by_name_and_topic);
	tcase_add_test(tests, a_fetch_is_answered_by_data_or_by_its_wait);
	tcase_add_test(tests, replication_is_counted_apart);
	tcase_add_test(tests, any_split_gives_the_same_facts);
	tcase_add_test(tests, segments_out_of_order_are_put_in_order);
	tcase_add_test(
	    tests, unknown_keys_and_versions_are_passed_over_and_paired);
	tcase_add_test(
	    tests, an_old_broker_answers_new_versions_requests_as_version_0);
	tcase_add_test(tests, tokens_without_headers_pass);
	tcase_add_test(tests, frames_outlive_the_process);
	tcase_add_test(tests, a_reset_gives_all_back);
	tcase_add_test(tests, a_listener_that_is_off_is_not_read);
}

int
main(void)
{
	return plane_main("kafka", add);
}
