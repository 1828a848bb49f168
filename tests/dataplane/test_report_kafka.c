/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the worker counts is what the report says: read from the region beside
 * it, in bounded frames.
 */
#include "dataplane/report.h"

#include <event2/buffer.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/clock.h"
#include "dataplane/kafka_read.h"
#include "dataplane/region.h"
#include "tests/dataplane/cold.h"
#include "tests/support/telemetry.h"

enum { COOKIE = 77, PRODUCE = 0, ENDPOINT = 3 };

static struct lp_dataplane dataplane;
static struct lp_telemetry *telemetry;

/* A whole answer. */
static struct answer {
	Lp__Pb__DataplaneMessage *messages[4096];
	unsigned count;
	size_t apis, topics, clients;
} answer;

static void
begin(void)
{
	cold_config(&dataplane.running.config);
	ck_assert_int_eq(lp_region_open(&dataplane.region, NULL, 64, 4096), 0);
	dataplane.region.endpoints[ENDPOINT].listener_id = PAYMENTS_PUBLIC;
	dataplane.region.endpoints[ENDPOINT].broker_id = PAYMENTS_1;
	telemetry = telemetry_open(
	    dataplane.region.kafka_stats, dataplane.region.endpoints);
}

static void
end(void)
{
	for (; answer.count > 0; answer.count--)
		lp__pb__dataplane_message__free_unpacked(
		    answer.messages[answer.count - 1], NULL);
	telemetry_close(telemetry);
	lp_region_close(&dataplane.region);
	lp_config_fini(&dataplane.running.config);
}

static void
take(struct evbuffer *out, bool more)
{
	size_t have = evbuffer_get_length(out);
	const uint8_t *payload;
	size_t len;
	Lp__Pb__DataplaneMessage *message;
	const Lp__Pb__KafkaStatsReply *reply;

	ck_assert_uint_le(have, LP_FRAME_SIZE_MAX);
	ck_assert_int_eq(
	    lp_frame_next(evbuffer_pullup(out, -1), have, &payload, &len),
	    LP_OK);
	ck_assert_uint_eq(len + LP_FRAME_HEADER_SIZE, have);
	message = lp_message_unpack_dataplane(payload, len);
	ck_assert_ptr_nonnull(message);
	evbuffer_drain(out, have);
	reply = message->kafka_stats_reply;
	ck_assert_uint_eq(reply->cookie, COOKIE);
	ck_assert_int_eq(reply->more, more);
	ck_assert_uint_ne(reply->stats->time_ns, 0);
	ck_assert_uint_lt(answer.count, 4096);
	/* The counters are in the first frame, and only there. */
	ck_assert_int_eq(reply->stats->n_counters > 0, answer.count == 0);
	answer.messages[answer.count++] = message;
	answer.apis += reply->stats->n_apis;
	answer.topics += reply->stats->n_topics;
	answer.clients += reply->stats->n_clients;
}

static void
ask(bool apis, bool topics, bool clients)
{
	Lp__Pb__KafkaStatsRequest request = LP__PB__KAFKA_STATS_REQUEST__INIT;
	struct evbuffer *out = evbuffer_new();
	struct lp_report_cursor cursor;
	bool more = true;

	for (; answer.count > 0; answer.count--)
		lp__pb__dataplane_message__free_unpacked(
		    answer.messages[answer.count - 1], NULL);
	answer.apis = answer.topics = answer.clients = 0;
	request.cookie = COOKIE;
	request.apis = apis;
	request.topics = topics;
	request.clients = clients;
	lp_report_kafka_begin(&cursor, &request);
	while (more) {
		ck_assert_int_eq(
		    lp_report_kafka(out, &dataplane, &cursor, &more), 0);
		take(out, more);
	}
	evbuffer_free(out);
}

static const Lp__Pb__KafkaStats *
first(void)
{
	return answer.messages[0]->kafka_stats_reply->stats;
}

static uint64_t
counter(const char *name)
{
	for (size_t i = 0; i < first()->n_counters; i++)
		if (strcmp(first()->counters[i]->name, name) == 0)
			return first()->counters[i]->value;
	ck_abort_msg("no counter %s", name);
}

static void
check_histogram(const Lp__Pb__Histogram *histogram, uint64_t ns)
{
	ck_assert_ptr_nonnull(histogram);
	ck_assert_uint_eq(histogram->n_buckets, 1);
	ck_assert_uint_eq(histogram->n_counts, 1);
	ck_assert_uint_eq(histogram->buckets[0], lp_histogram_index(ns));
	ck_assert_uint_eq(histogram->counts[0], 1);
	ck_assert_uint_eq(histogram->sum_ns, ns);
	ck_assert_uint_eq(histogram->max_ns, ns);
}

START_TEST(nothing_is_one_frame_of_counters)
{
	begin();
	ask(true, true, true);
	ck_assert_uint_eq(answer.count, 1);
	ck_assert_uint_eq(answer.apis, 0);
	/* `other` is there, so that sums are complete. */
	ck_assert_uint_eq(answer.topics, 1);
	ck_assert_uint_eq(answer.clients, 1);
	ck_assert(first()->topics[0]->other);
	ck_assert_uint_eq(counter("rows_max"), LP_KAFKA_ROWS_MAX);
	ask(false, false, false);
	ck_assert_uint_eq(answer.count, 1);
	ck_assert_uint_eq(answer.topics + answer.clients, 0);
	end();
}
END_TEST

START_TEST(a_row_says_all_that_was_counted)
{
	const Lp__Pb__KafkaApiStats *api;
	uint32_t row;

	begin();
	row = lp_telemetry_row(telemetry, ENDPOINT, PRODUCE,
	    LP_KAFKA_FROM_CLIENT, LP_KAFKA_ACKS_ALL);
	for (int i = 0; i < 3; i++)
		lp_telemetry_request(telemetry, row, 100);
	lp_telemetry_response(telemetry, row, row, 50, 5000, 0);
	lp_telemetry_response(telemetry, row, row, 60, 7000, 25);
	lp_telemetry_transfer(telemetry, row, 900);
	lp_telemetry_error(telemetry, row, 6);
	lp_telemetry_error(telemetry, row, -1);
	lp_telemetry_error(telemetry, row, 9999);
	ask(true, false, false);
	ck_assert_uint_eq(answer.apis, 1);
	api = first()->apis[0];
	ck_assert_str_eq(api->cluster, "payments");
	ck_assert_str_eq(api->listener, "public");
	ck_assert_int_eq(api->node_id, 1);
	ck_assert_uint_eq(api->listener_id, PAYMENTS_PUBLIC);
	ck_assert_uint_eq(api->broker_id, PAYMENTS_1);
	ck_assert_int_eq(api->api_key, PRODUCE);
	ck_assert_ptr_nonnull(api->api);
	ck_assert_str_eq(api->origin, "client");
	ck_assert_str_eq(api->kind, "acks=all");
	ck_assert_uint_eq(api->requests, 3);
	ck_assert_uint_eq(api->responses, 2);
	ck_assert_uint_eq(api->request_bytes, 300);
	ck_assert_uint_eq(api->response_bytes, 110);
	ck_assert_uint_eq(api->in_flight, 1);
	ck_assert_uint_eq(api->throttled, 1);
	ck_assert_uint_eq(api->throttle_ms, 25);
	ck_assert(!api->other);
	check_histogram(api->latency, 5000);
	check_histogram(api->throttled_latency, 7000);
	check_histogram(api->transfer, 900);
	ck_assert_uint_eq(api->n_errors, 3);
	ck_assert_str_eq(api->errors[2]->name, "other");
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(api->errors[i]->value, 1);
	ck_assert_uint_eq(counter("requests"), 3);
	end();
}
END_TEST

START_TEST(what_has_no_row_is_other)
{
	begin();
	lp_telemetry_request(telemetry, LP_TELEMETRY_ROW_OTHER, 8);
	lp_telemetry_row(telemetry, 9, PRODUCE, LP_KAFKA_FROM_BROKER,
	    LP_KAFKA_KIND_NONE); /* of a listener that is not configured */
	ask(true, false, false);
	ck_assert_uint_eq(answer.apis, 2);
	ck_assert(first()->apis[0]->other);
	ck_assert_uint_eq(first()->apis[0]->requests, 1);
	ck_assert_ptr_null(first()->apis[0]->api);
	ck_assert(!first()->apis[1]->other);
	ck_assert_ptr_null(first()->apis[1]->listener);
	ck_assert_str_eq(first()->apis[1]->origin, "broker");
	ck_assert_ptr_null(first()->apis[1]->kind);
	end();
}
END_TEST

static lp_talker_handle
client(const char *name, size_t len)
{
	return lp_telemetry_client(telemetry, (const uint8_t *)name,
	    (uint32_t)len, false, lp_clock_ns() / 1000000);
}

START_TEST(names_are_made_printable)
{
	static const struct {
		const char *name;
		size_t len;
		const char *text;
	} rows[] = {
	    {"app-1", 5, "app-1"}, {"", 0, ""}, {"a\0b", 3, "a\\x00b"},
	    {"\033[2J\x7f", 5, "\\x1b[2J\\x7f"},
	    {"gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f"},
	    {"\xe2\x82\xac\xf0\x9f\x98\x80", 7, "\xe2\x82\xac\xf0\x9f\x98\x80"},
	    {"\xc3", 1, "\\xc3"}, /* cut */
	    {"\xc0\xaf", 2, "\\xc0\\xaf"}, /* overlong */
	    {"\xe0\x80\xaf", 3, "\\xe0\\x80\\xaf"},
	    {"\xed\xa0\x80", 3, "\\xed\\xa0\\x80"}, /* a surrogate */
	    {"\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80"},
	    {"\xc2\x85", 2, "\\xc2\\x85"}, /* a C1 control */
	};
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	uint8_t longest[LP_TALKER_NAME_MAX];

	begin();
	memset(longest, 0xff, sizeof(longest));
	for (size_t i = 0; i < ROWS; i++)
		client(rows[i].name, rows[i].len);
	client((const char *)longest, sizeof(longest));
	lp_telemetry_client(telemetry, NULL, 0, true, 0);
	ask(false, false, true);
	ck_assert_uint_eq(answer.clients, ROWS + 3);
	for (size_t i = 0; i < ROWS; i++)
		ck_assert_str_eq(
		    first()->clients[i + 1]->client_id, rows[i].text);
	ck_assert_uint_eq(
	    strlen(first()->clients[ROWS + 1]->client_id), 4 * sizeof(longest));
	ck_assert_ptr_null(first()->clients[ROWS + 2]->client_id);
	ck_assert(!first()->clients[ROWS + 2]->other);
	end();
}
END_TEST

START_TEST(talkers_say_all_that_was_counted)
{
	const Lp__Pb__KafkaClientStats *row;
	const Lp__Pb__KafkaTopicStats *topic;
	lp_talker_handle app, orders;

	begin();
	app = client("app", 3);
	orders = lp_telemetry_topic(
	    telemetry, PAYMENTS, (const uint8_t *)"orders", 6, 1);
	lp_telemetry_client_request(telemetry, app, 40);
	lp_telemetry_client_request(telemetry, app, 2);
	lp_telemetry_client_response(
	    telemetry, app, LP_KAFKA_CLIENT_PRODUCE, 10, 5000, 3);
	lp_telemetry_client_add(telemetry, app, LP_KAFKA_CLIENT_errors, 4);
	lp_telemetry_topic_produce(telemetry, orders, 1000);
	lp_telemetry_topic_fetch(telemetry, orders, 2000);
	lp_telemetry_topic_error(telemetry, orders, 5);
	lp_telemetry_topic_latency(
	    telemetry, orders, LP_KAFKA_TOPIC_FETCH, 6000);
	/* More answers than requests: never shown as 18 quintillion. */
	lp_telemetry_client_abandon(telemetry, LP_TALKER_OTHER);
	ask(false, true, true);
	ck_assert_uint_eq(first()->clients[0]->in_flight, 0);
	row = first()->clients[1];
	ck_assert_str_eq(row->client_id, "app");
	ck_assert_uint_eq(row->requests, 2);
	ck_assert_uint_eq(row->responses, 1);
	ck_assert_uint_eq(row->request_bytes, 42);
	ck_assert_uint_eq(row->response_bytes, 10);
	ck_assert_uint_eq(row->errors, 4);
	ck_assert_uint_eq(row->throttled, 1);
	ck_assert_uint_eq(row->in_flight, 1);
	check_histogram(row->produce, 5000);
	ck_assert_ptr_null(row->fetch);
	ck_assert_ptr_null(row->rest);
	ck_assert(row->has_idle_ms && !first()->clients[0]->has_idle_ms);
	topic = first()->topics[1];
	ck_assert_str_eq(topic->topic, "orders");
	ck_assert_str_eq(topic->cluster, "payments");
	ck_assert_uint_eq(topic->produce_requests, 1);
	ck_assert_uint_eq(topic->produce_bytes, 1000);
	ck_assert_uint_eq(topic->fetch_responses, 1);
	ck_assert_uint_eq(topic->fetch_bytes, 2000);
	ck_assert_uint_eq(topic->errors, 5);
	ck_assert_ptr_null(topic->produce);
	check_histogram(topic->fetch, 6000);
	end();
}
END_TEST

static void
fill_histogram(struct lp_kafka_histogram *histogram, uint64_t count)
{
	lp_count_set(&histogram->octaves, UINT64_MAX);
	lp_count_set(&histogram->sum_ns, count);
	lp_count_set(&histogram->max_ns, count);
	for (unsigned i = 0; i < LP_HISTOGRAM_BUCKETS; i++)
		lp_count_set(&histogram->counts[i], count);
}

/* All places of all lists, and rows as large as traffic can make them. */
START_TEST(everything_comes_in_bounded_frames)
{
	enum { LARGE = 40 };
	struct lp_kafka_stats *stats;
	uint64_t sum = 0;
	char name[16];

	begin();
	stats = dataplane.region.kafka_stats;
	for (unsigned i = 0; i < LP_KAFKA_TALKERS_MAX; i++) {
		snprintf(name, sizeof(name), "%015u", i);
		lp_telemetry_client_request(telemetry, client(name, 15), i);
		lp_telemetry_topic(telemetry, 1, (uint8_t *)name, 15, 0);
	}
	for (unsigned i = 0; i < LP_KAFKA_ROWS_MAX; i++)
		lp_telemetry_request(telemetry,
		    lp_telemetry_row(telemetry, ENDPOINT, (int16_t)i,
			LP_KAFKA_FROM_CLIENT, LP_KAFKA_KIND_NONE),
		    1);
	for (unsigned i = 1; i <= LARGE; i++) {
		fill_histogram(&stats->rows[i].latency, 1ull << i);
		fill_histogram(&stats->rows[i].transfer, 1ull << i);
		fill_histogram(&stats->rows[i].throttled_latency, 1ull << i);
		for (unsigned j = 0; j < LP_KAFKA_ERRORS; j++)
			lp_count_set(&stats->rows[i].errors[j], 1ull << i);
	}
	ask(true, true, true);
	ck_assert_uint_eq(answer.apis, LP_KAFKA_ROWS_MAX);
	ck_assert_uint_eq(answer.topics, LP_KAFKA_TALKERS_MAX + 1);
	ck_assert_uint_eq(answer.clients, LP_KAFKA_TALKERS_MAX + 1);
	for (unsigned i = 0; i < answer.count; i++) {
		const Lp__Pb__KafkaStats *frame =
		    answer.messages[i]->kafka_stats_reply->stats;

		for (size_t j = 0; j < frame->n_apis; j++)
			if (frame->apis[j]->latency)
				sum += frame->apis[j]->latency->n_counts;
	}
	ck_assert_uint_eq(sum, LARGE * LP_HISTOGRAM_BUCKETS);
	end();
}
END_TEST

START_TEST(a_row_larger_than_a_frame_loses_its_histograms)
{
	struct lp_kafka_row *row;

	begin();
	lp_telemetry_request(telemetry,
	    lp_telemetry_row(telemetry, ENDPOINT, 1, LP_KAFKA_FROM_CLIENT,
		LP_KAFKA_KIND_NONE),
	    1);
	row = &dataplane.region.kafka_stats->rows[1];
	fill_histogram(&row->latency, UINT64_MAX / 16);
	fill_histogram(&row->transfer, UINT64_MAX / 16);
	fill_histogram(&row->throttled_latency, UINT64_MAX / 16);
	ask(true, false, false);
	ck_assert_uint_eq(answer.apis, 1);
	ck_assert_uint_eq(answer.count, 2);
	ck_assert_uint_eq(
	    answer.messages[1]->kafka_stats_reply->stats->apis[0]->requests, 1);
	end();
}
END_TEST

struct writer {
	_Atomic bool stop;
	_Atomic uint64_t rounds;
};

/* Clients whose bytes say who they are; most are evicted by and by. */
static void *
write_clients(void *arg)
{
	struct writer *writer = arg;
	uint64_t now_ms = 1;

	for (uint32_t i = 0; !atomic_load(&writer->stop); i++) {
		uint32_t number = i / 20;
		char name[16];
		int len = snprintf(name, sizeof(name), "%u", number);
		lp_talker_handle handle = lp_telemetry_client(
		    telemetry, (uint8_t *)name, (uint32_t)len, false, now_ms);
		uint32_t row = lp_telemetry_row(telemetry, ENDPOINT,
		    (int16_t)(number % 50), LP_KAFKA_FROM_CLIENT,
		    LP_KAFKA_KIND_NONE);

		lp_telemetry_client_request(telemetry, handle, number);
		lp_telemetry_client_response(telemetry, handle,
		    LP_KAFKA_CLIENT_REST, number, 1000ull << number % 20, 0);
		lp_telemetry_request(telemetry, row, 10);
		lp_telemetry_response(telemetry, row, row, 10, number, 0);
		if (i % 4 == 0)
			now_ms += LP_TALKERS_HALF_MS / 16;
		atomic_store(&writer->rounds, i);
	}
	return NULL;
}

static void
check_clients(void)
{
	uint32_t count =
	    lp_kafka_read_talkers(&dataplane.region.kafka_stats->clients);
	struct lp_kafka_read_talker *talker = malloc(sizeof(*talker));

	ck_assert_ptr_nonnull(talker);
	for (uint32_t i = LP_TALKER_FIRST; i < count; i++) {
		uint64_t number, bytes;

		if (!lp_kafka_read_talker(
			&dataplane.region.kafka_stats->clients, i, talker))
			continue;
		talker->name[talker->name_len] = '\0';
		number = strtoull((char *)talker->name, NULL, 10);
		bytes = talker->counts[LP_KAFKA_CLIENT_request_bytes];
		if (number != 0)
			ck_assert_uint_eq(bytes % number, 0);
		ck_assert_uint_le(bytes, 20 * number);
	}
	free(talker);
}

/* Requests of the client rows of that kind in the answer; and how many. */
static uint64_t
sum_clients(bool other, bool evicted, unsigned *rows)
{
	uint64_t sum = 0;

	*rows = 0;
	for (unsigned i = 0; i < answer.count; i++) {
		const Lp__Pb__KafkaStats *stats =
		    answer.messages[i]->kafka_stats_reply->stats;

		for (size_t j = 0; j < stats->n_clients; j++) {
			const Lp__Pb__KafkaClientStats *row = stats->clients[j];

			if (row->other != other || row->evicted != evicted)
				continue;
			ck_assert(!other || row->client_id == NULL);
			sum += row->requests;
			++*rows;
		}
	}
	return sum;
}

START_TEST(no_talker_has_what_is_anothers)
{
	struct writer writer = {0};
	const lp_counter *evicted;
	pthread_t thread;
	uint64_t before = 0, others = 0, gone = 0, sum;
	unsigned rows;

	begin();
	evicted = &dataplane.region.kafka_stats->counters.clients_evicted;
	ck_assert_int_eq(
	    pthread_create(&thread, NULL, write_clients, &writer), 0);
	/* Both must have had their turns, however they are scheduled. */
	while (atomic_load(&writer.rounds) < 200000 ||
	    lp_count_get(evicted) < 1000) {
		ask(true, true, true);
		check_clients();
		ck_assert_uint_ge(counter("requests"), before);
		before = counter("requests");
		sum = sum_clients(true, false, &rows);
		ck_assert_uint_eq(rows, 1);
		ck_assert_uint_ge(sum, others);
		others = sum;
		sum = sum_clients(true, true, &rows);
		ck_assert_uint_ge(sum, gone);
		gone = sum;
	}
	atomic_store(&writer.stop, true);
	pthread_join(thread, NULL);
	/* At rest the books balance. */
	ask(true, true, true);
	gone = sum_clients(true, true, &rows);
	ck_assert_uint_eq(rows, 1);
	ck_assert_uint_gt(gone, 0);
	others = sum_clients(true, false, &rows);
	ck_assert_uint_eq(gone + others + sum_clients(false, false, &rows),
	    counter("requests"));
	end();
}
END_TEST

/* One place that changes hands all the time, sometimes slowly. */
static void *
write_owners(void *arg)
{
	struct writer *writer = arg;
	struct lp_talker *talker =
	    &dataplane.region.kafka_stats->clients.places[LP_TALKER_FIRST];

	for (uint64_t i = 1; !atomic_load(&writer->stop); i++) {
		uint32_t serial = talker->serial;

		atomic_store_explicit(
		    &talker->serial, serial + 1, memory_order_release);
		atomic_store_explicit(
		    &talker->name[0], i, memory_order_release);
		if (i % 4001 == 0)
			usleep(100);
		for (unsigned j = 0; j < LP_TALKER_COUNTS; j++)
			atomic_store_explicit(
			    &talker->counts[j], i, memory_order_release);
		atomic_store_explicit(
		    &talker->serial, serial + 2, memory_order_release);
		atomic_store(&writer->rounds, i);
	}
	return NULL;
}

START_TEST(no_talker_is_torn)
{
	struct lp_kafka_read_talker *talker = malloc(sizeof(*talker));
	struct writer writer = {0};
	pthread_t thread;
	unsigned seen = 0;

	ck_assert_ptr_nonnull(talker);
	begin();
	client("12345678", 8);
	ck_assert_int_eq(
	    pthread_create(&thread, NULL, write_owners, &writer), 0);
	/* Both must have had their turns, however they are scheduled. */
	while (atomic_load(&writer.rounds) < 1000000 || seen < 1000) {
		if (!lp_kafka_read_talker(
			&dataplane.region.kafka_stats->clients, LP_TALKER_FIRST,
			talker))
			continue;
		for (unsigned i = 0; seen > 0 && i < LP_TALKER_COUNTS; i++)
			ck_assert_uint_eq(
			    talker->counts[i], talker->name_words[0]);
		seen += atomic_load(&writer.rounds) > 0;
	}
	atomic_store(&writer.stop, true);
	pthread_join(thread, NULL);
	/* And one that a killed process left half written is not shown. */
	dataplane.region.kafka_stats->clients.places[LP_TALKER_FIRST].serial++;
	ck_assert(!lp_kafka_read_talker(
	    &dataplane.region.kafka_stats->clients, LP_TALKER_FIRST, talker));
	free(talker);
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    nothing_is_one_frame_of_counters,
	    a_row_says_all_that_was_counted,
	    what_has_no_row_is_other,
	    names_are_made_printable,
	    talkers_say_all_that_was_counted,
	    everything_comes_in_bounded_frames,
	    a_row_larger_than_a_frame_loses_its_histograms,
	    no_talker_has_what_is_anothers,
	    no_talker_is_torn,
	    NULL,
	};

	return cold_run("report_kafka", tests);
}
