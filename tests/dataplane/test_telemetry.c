/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/telemetry.h"

#include <check.h>
#include <stdlib.h>

#include "tests/support/telemetry.h"

enum { PRODUCE = 0, FETCH = 1, METADATA = 3 };

static struct lp_endpoint_stats endpoints[LP_ENDPOINTS_MAX];
static struct lp_telemetry *telemetry;

static void
setup(void)
{
	for (uint32_t i = 0; i < LP_ENDPOINTS_MAX; i++) {
		endpoints[i].listener_id = 1000 + i / 16;
		endpoints[i].broker_id = 2000 + i;
	}
	telemetry = telemetry_open(NULL, endpoints);
}

static void
teardown(void)
{
	telemetry_close(telemetry);
}

static uint32_t
row_of(uint16_t endpoint, int16_t api, enum lp_kafka_kind kind)
{
	return lp_telemetry_row(
	    telemetry, endpoint, api, LP_KAFKA_FROM_CLIENT, kind);
}

#define ck_assert_counter(counter, value)                                      \
	ck_assert_uint_eq(lp_count_get(&(counter)), (value))

START_TEST(a_row_is_found_again)
{
	uint32_t acks_1 = row_of(5, PRODUCE, LP_KAFKA_ACKS_1);
	uint32_t acks_all = row_of(5, PRODUCE, LP_KAFKA_ACKS_ALL);
	uint32_t fetch = row_of(5, FETCH, LP_KAFKA_KIND_NONE);
	uint32_t elsewhere = row_of(6, PRODUCE, LP_KAFKA_ACKS_1);
	uint32_t replica = lp_telemetry_row(
	    telemetry, 5, FETCH, LP_KAFKA_FROM_BROKER, LP_KAFKA_KIND_NONE);
	const struct lp_kafka_row *row = &telemetry->stats->rows[replica];
	uint32_t all[] = {acks_1, acks_all, fetch, elsewhere, replica};

	for (unsigned i = 0; i < 5; i++)
		for (unsigned j = 0; j <= i; j++)
			ck_assert_int_eq(all[i] == all[j], i == j);
	ck_assert_uint_eq(acks_1, row_of(5, PRODUCE, LP_KAFKA_ACKS_1));
	ck_assert_uint_eq(fetch, row_of(5, FETCH, LP_KAFKA_KIND_NONE));
	ck_assert_uint_eq(row->listener_id, 1000);
	ck_assert_uint_eq(row->broker_id, 2005);
	ck_assert_int_eq(row->api_key, FETCH);
	ck_assert_uint_eq(row->origin, LP_KAFKA_FROM_BROKER);
	ck_assert_counter(telemetry->stats->counters.rows, 5);
}
END_TEST

/* Control gives the place of an endpoint to another one. */
START_TEST(a_row_is_of_listener_and_broker)
{
	uint32_t before = row_of(5, PRODUCE, LP_KAFKA_ACKS_1);

	endpoints[5].broker_id = 7;
	ck_assert_uint_ne(before, row_of(5, PRODUCE, LP_KAFKA_ACKS_1));
	endpoints[5].broker_id = 2005;
	ck_assert_uint_eq(before, row_of(5, PRODUCE, LP_KAFKA_ACKS_1));
}
END_TEST

START_TEST(without_room_a_row_is_other)
{
	uint32_t first = row_of(0, 0, LP_KAFKA_KIND_NONE);

	for (int16_t i = 1; i < LP_KAFKA_ROWS_MAX; i++)
		ck_assert_uint_ne(
		    row_of((uint16_t)i, i % 80, LP_KAFKA_KIND_NONE),
		    LP_TELEMETRY_ROW_OTHER);
	ck_assert_counter(telemetry->stats->counters.rows_refused, 0);
	for (int16_t i = 0; i < 3; i++)
		ck_assert_uint_eq(row_of(1, 100 + i, LP_KAFKA_KIND_NONE),
		    LP_TELEMETRY_ROW_OTHER);
	ck_assert_counter(telemetry->stats->counters.rows_refused, 3);
	ck_assert_counter(telemetry->stats->counters.rows, LP_KAFKA_ROWS_MAX);
	ck_assert_uint_eq(first, row_of(0, 0, LP_KAFKA_KIND_NONE));
	telemetry_restart(telemetry);
	ck_assert_uint_eq(first, row_of(0, 0, LP_KAFKA_KIND_NONE));
	ck_assert_uint_eq(
	    row_of(1, 100, LP_KAFKA_KIND_NONE), LP_TELEMETRY_ROW_OTHER);
}
END_TEST

START_TEST(a_row_counts)
{
	uint32_t index = row_of(1, PRODUCE, LP_KAFKA_ACKS_ALL);
	const struct lp_kafka_row *row = &telemetry->stats->rows[index];

	lp_telemetry_request(telemetry, index, 100);
	lp_telemetry_request(telemetry, index, 50);
	lp_telemetry_request(telemetry, index, 7);
	ck_assert_counter(row->in_flight, 3);
	lp_telemetry_response(telemetry, index, index, 30, 5000, 0);
	lp_telemetry_response(telemetry, index, index, 31, 7000, 20);
	ck_assert_counter(row->in_flight, 1);
	lp_telemetry_abandon(telemetry, index);
	ck_assert_counter(row->in_flight, 0);
	ck_assert_counter(row->requests, 3);
	ck_assert_counter(row->request_bytes, 157);
	ck_assert_counter(row->responses, 2);
	ck_assert_counter(row->response_bytes, 61);
	ck_assert_counter(row->throttled, 1);
	ck_assert_counter(row->throttle_ms, 20);
	ck_assert_counter(row->latency.counts[lp_histogram_index(5000)], 1);
	ck_assert_counter(row->latency.sum_ns, 5000);
	ck_assert_counter(row->latency.max_ns, 5000);
	ck_assert_counter(row->throttled_latency.sum_ns, 7000);
	lp_telemetry_transfer(telemetry, index, 900);
	ck_assert_counter(row->transfer.counts[lp_histogram_index(900)], 1);
	ck_assert_counter(telemetry->stats->counters.requests, 3);
	ck_assert_counter(telemetry->stats->counters.responses, 2);
}
END_TEST

/* Its kind is known when it is answered. */
START_TEST(a_fetch_is_answered_in_another_row)
{
	uint32_t asked = row_of(1, FETCH, LP_KAFKA_KIND_NONE);
	uint32_t data = row_of(1, FETCH, LP_KAFKA_FETCH_DATA);
	const struct lp_kafka_row *rows = telemetry->stats->rows;

	lp_telemetry_request(telemetry, asked, 80);
	lp_telemetry_response(
	    telemetry, asked, data, 4000, LP_TELEMETRY_NO_LATENCY, 0);
	ck_assert_counter(rows[asked].in_flight, 0);
	ck_assert_counter(rows[data].in_flight, 0);
	ck_assert_counter(rows[asked].responses, 0);
	ck_assert_counter(rows[data].responses, 1);
	ck_assert_counter(rows[data].latency.octaves, 0);
}
END_TEST

START_TEST(errors_have_places)
{
	uint32_t index = row_of(1, METADATA, LP_KAFKA_KIND_NONE);
	const lp_counter *errors = telemetry->stats->rows[index].errors;
	uint64_t sum = 0;

	for (int32_t code = INT16_MIN; code <= INT16_MAX; code++)
		lp_telemetry_error(telemetry, index, (int16_t)code);
	for (int16_t code = LP_KAFKA_ERROR_MIN; code <= LP_KAFKA_ERROR_MAX;
	     code++)
		ck_assert_counter(
		    errors[lp_kafka_error_place(code)], code != 0);
	for (unsigned i = 0; i < LP_KAFKA_ERRORS; i++)
		sum += lp_count_get(&errors[i]);
	ck_assert_uint_eq(sum, UINT16_MAX);
	ck_assert_counter(errors[LP_KAFKA_ERROR_OTHER],
	    UINT16_MAX - (LP_KAFKA_ERROR_MAX - LP_KAFKA_ERROR_MIN));
}
END_TEST

START_TEST(null_and_empty_clients_are_two)
{
	const uint8_t name[] = "";
	lp_talker_handle null =
	    lp_telemetry_client(telemetry, NULL, 0, true, 0);
	lp_talker_handle empty =
	    lp_telemetry_client(telemetry, name, 0, false, 0);

	ck_assert_uint_ne(null, LP_TALKER_OTHER);
	ck_assert_uint_ne(empty, LP_TALKER_OTHER);
	ck_assert_uint_ne(null, empty);
	ck_assert_uint_eq(
	    null, lp_telemetry_client(telemetry, name, 0, true, 0));
	ck_assert_uint_eq(
	    empty, lp_telemetry_client(telemetry, NULL, 0, false, 0));
}
END_TEST

START_TEST(a_name_too_long_is_cut)
{
	uint8_t name[LP_TALKER_NAME_MAX + 40];
	lp_talker_handle whole, cut;

	memset(name, 'n', sizeof(name));
	whole =
	    lp_telemetry_client(telemetry, name, LP_TALKER_NAME_MAX, false, 0);
	cut = lp_telemetry_client(telemetry, name, sizeof(name), false, 0);
	ck_assert_uint_eq(whole, cut);
	ck_assert_uint_ne(whole,
	    lp_telemetry_client(
		telemetry, name, LP_TALKER_NAME_MAX - 1, false, 0));
}
END_TEST

START_TEST(a_topic_is_of_its_cluster)
{
	const uint8_t name[] = "payments";
	lp_talker_handle one = lp_telemetry_topic(telemetry, 1, name, 8, 0);
	lp_talker_handle two = lp_telemetry_topic(telemetry, 2, name, 8, 0);

	ck_assert_uint_ne(one, two);
	ck_assert_uint_eq(one, lp_telemetry_topic(telemetry, 1, name, 8, 0));
	lp_telemetry_topic_produce(telemetry, one, 100);
	lp_telemetry_topic_fetch(telemetry, two, 200);
	lp_telemetry_topic_error(telemetry, two, 3);
	lp_telemetry_topic_latency(telemetry, two, LP_KAFKA_TOPIC_FETCH, 4000);
	ck_assert_counter(lp_talkers_get(&telemetry->topics, one)
			      ->counts[LP_KAFKA_TOPIC_produce_bytes],
	    100);
	ck_assert_counter(lp_talkers_get(&telemetry->topics, two)
			      ->counts[LP_KAFKA_TOPIC_fetch_bytes],
	    200);
	ck_assert_counter(lp_talkers_get(&telemetry->topics, two)
			      ->counts[LP_KAFKA_TOPIC_errors],
	    3);
	ck_assert_counter(lp_talkers_get(&telemetry->topics, two)
			      ->histograms[LP_KAFKA_TOPIC_FETCH]
			      .sum_ns,
	    4000);
}
END_TEST

START_TEST(a_client_counts)
{
	const uint8_t name[] = "app";
	lp_talker_handle client =
	    lp_telemetry_client(telemetry, name, 3, false, 77);
	const struct lp_talker *talker =
	    lp_talkers_get(&telemetry->clients, client);
	const lp_counter *counts = talker->counts;

	lp_telemetry_client_request(telemetry, client, 100);
	lp_telemetry_client_request(telemetry, client, 1);
	lp_telemetry_client_response(
	    telemetry, client, LP_KAFKA_CLIENT_REST, 50, 3000, 9);
	ck_assert_counter(counts[LP_KAFKA_CLIENT_in_flight], 1);
	lp_telemetry_client_abandon(telemetry, client);
	lp_telemetry_client_add(telemetry, client, LP_KAFKA_CLIENT_errors, 2);
	ck_assert_counter(counts[LP_KAFKA_CLIENT_in_flight], 0);
	ck_assert_counter(counts[LP_KAFKA_CLIENT_requests], 2);
	ck_assert_counter(counts[LP_KAFKA_CLIENT_request_bytes], 101);
	ck_assert_counter(counts[LP_KAFKA_CLIENT_responses], 1);
	ck_assert_counter(counts[LP_KAFKA_CLIENT_response_bytes], 50);
	ck_assert_counter(counts[LP_KAFKA_CLIENT_throttled], 1);
	ck_assert_counter(counts[LP_KAFKA_CLIENT_errors], 2);
	ck_assert_counter(
	    talker->histograms[LP_KAFKA_CLIENT_REST].max_ns, 3000);
	ck_assert_counter(talker->last_ms, 77);
}
END_TEST

START_TEST(after_a_restart_nothing_is_in_flight)
{
	const uint8_t name[] = "app";
	uint32_t row = row_of(1, METADATA, LP_KAFKA_KIND_NONE);
	lp_talker_handle client =
	    lp_telemetry_client(telemetry, name, 3, false, 0);

	lp_telemetry_request(telemetry, row, 10);
	lp_telemetry_request(telemetry, LP_TELEMETRY_ROW_OTHER, 10);
	lp_telemetry_client_request(telemetry, client, 10);
	lp_telemetry_client_request(telemetry, LP_TALKER_OTHER, 10);
	telemetry_restart(telemetry);
	ck_assert_counter(telemetry->stats->rows[row].in_flight, 0);
	ck_assert_counter(telemetry->stats->rows[row].requests, 1);
	ck_assert_counter(telemetry->stats->rows[0].in_flight, 0);
	for (unsigned i = 0; i < LP_TALKER_PLACES; i++)
		ck_assert_counter(telemetry->stats->clients.places[i]
				      .counts[LP_KAFKA_CLIENT_in_flight],
		    0);
	ck_assert_uint_eq(
	    client, lp_telemetry_client(telemetry, name, 3, false, 0));
	ck_assert_uint_eq(row, row_of(1, METADATA, LP_KAFKA_KIND_NONE));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("telemetry");
	TCase *tcase = tcase_create("telemetry");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_row_is_found_again);
	tcase_add_test(tcase, a_row_is_of_listener_and_broker);
	tcase_add_test(tcase, without_room_a_row_is_other);
	tcase_add_test(tcase, a_row_counts);
	tcase_add_test(tcase, a_fetch_is_answered_in_another_row);
	tcase_add_test(tcase, errors_have_places);
	tcase_add_test(tcase, null_and_empty_clients_are_two);
	tcase_add_test(tcase, a_name_too_long_is_cut);
	tcase_add_test(tcase, a_topic_is_of_its_cluster);
	tcase_add_test(tcase, a_client_counts);
	tcase_add_test(tcase, after_a_restart_nothing_is_in_flight);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
