/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From messages to Prometheus' text: whatever a dataplane says, the page can
 * be read, and says the same.
 */
#include "controld/export_text.h"

#include <check.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controld/export_kafka.h"
#include "controld/export_rows.h"
#include "dataplane/kafka/kafka_stats.h"
#include "proto/histogram.h"
#include "tests/support/exposition.h"

static struct lp_export_text text;
static char *page; /* of the last finish() */

static void
begin(void)
{
	lp_export_text_init(&text, 1 << 20);
}

/* What was added, as a page that can be read. */
static void
finish(void)
{
	struct lp_export_text *texts[] = {&text};
	struct evbuffer *out = evbuffer_new();
	char why[EXPOSITION_WHY_SIZE];
	size_t len;

	ck_assert(!text.no_memory);
	ck_assert_int_eq(lp_export_text_join(out, texts, 1), 0);
	len = evbuffer_get_length(out);
	free(page);
	page = malloc(len + 1);
	evbuffer_copyout(out, page, len);
	page[len] = '\0';
	evbuffer_free(out);
	ck_assert_msg(exposition_check(page, len, why), "%s", why);
	lp_export_text_fini(&text);
}

static uint64_t
value_of(const char *series)
{
	const char *found = exposition_find(page, series);

	ck_assert_msg(found != NULL, "no %s in\n%s", series, page);
	return strtoull(found, NULL, 10);
}

static void
ck_value(const char *series, const char *value)
{
	const char *found = exposition_find(page, series);

	ck_assert_msg(found != NULL, "no %s in\n%s", series, page);
	ck_assert_msg(strncmp(found, value, strlen(value)) == 0 &&
		found[strlen(value)] == '\n',
	    "%s: %.40s, not %s", series, found, value);
}

START_TEST(values_are_escaped)
{
	static const struct {
		const char *value, *escaped;
	} cases[] = {
	    {"", ""},
	    {"orders", "orders"},
	    {"say \"hi\"", "say \\\"hi\\\""},
	    {"a\\b", "a\\\\b"},
	    {"two\nlines", "two\\nlines"},
	    {"tab\there", "tab\\\\x09here"},
	    {"\x7f", "\\\\x7f"},
	    {"caf\xc3\xa9 \xf0\x9f\x90\xbc", "caf\xc3\xa9 \xf0\x9f\x90\xbc"},
	    {"latin1 \xe9", "latin1 \\\\xe9"},
	    {"\xc0\x80 overlong", "\\\\xc0\\\\x80 overlong"},
	    {"\xed\xa0\x80 surrogate", "\\\\xed\\\\xa0\\\\x80 surrogate"},
	    {"\xf4\x90\x80\x80 beyond", "\\\\xf4\\\\x90\\\\x80\\\\x80 beyond"},
	    {"\xc2\x9b"
	     "2J",
		"\\\\xc2\\\\x9b2J"}, /* a terminal's CSI */
	    {"cut \xe2\x82", "cut \\\\xe2\\\\x82"},
	};
	char out[5 * LP_EXPORT_TEXT_VALUE_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = lp_export_text_escape(out, cases[i].value);

		ck_assert_uint_eq(len, strlen(cases[i].escaped));
		ck_assert_mem_eq(out, cases[i].escaped, len);
	}
}
END_TEST

START_TEST(long_values_are_cut_between_characters)
{
	char value[2 * LP_EXPORT_TEXT_VALUE_MAX];
	char out[5 * LP_EXPORT_TEXT_VALUE_MAX];

	for (size_t i = 0; i + 3 < sizeof(value); i += 3)
		memcpy(value + i, "\xe2\x82\xac", 4);
	ck_assert_uint_eq(lp_export_text_escape(out, value),
	    LP_EXPORT_TEXT_VALUE_MAX / 3 * 3);
	memset(value, 1, sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	ck_assert_uint_eq(lp_export_text_escape(out, value), sizeof(out));
}
END_TEST

/* Random bytes, and a reader that knows nothing of the writer. */
START_TEST(any_bytes_make_a_page)
{
	unsigned seed = 1;

	for (unsigned round = 0; round < 2000; round++) {
		char id[LP_EXPORT_TEXT_VALUE_MAX + 8];
		const char *const values[] = {"dp", id};
		struct lp_export_row row;
		size_t len = (size_t)rand_r(&seed) % sizeof(id);

		for (size_t i = 0; i < len; i++)
			id[i] = (char)(rand_r(&seed) % 255 + 1);
		if (len == sizeof(id))
			len--;
		id[len] = '\0';
		begin();
		ck_assert(lp_export_text_row(
		    &row, &text, LP_EXPORT_SET_CLIENT, values));
		lp_export_text_add(&row, LP_EXPORT_CLIENT_REQUESTS, NULL, 1);
		finish();
	}
}
END_TEST

START_TEST(numbers_are_exact)
{
	static const struct {
		uint64_t ns;
		const char *seconds;
	} cases[] = {
	    {0, "0"},
	    {1, "0.000000001"},
	    {1500000000, "1.5"},
	    {1000000000, "1"},
	    {100, "0.0000001"},
	    {UINT64_MAX, "18446744073.709551615"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const values[] = {"dp"};
		struct lp_export_row row;

		begin();
		lp_export_text_row(
		    &row, &text, LP_EXPORT_SET_DATAPLANE, values);
		lp_export_text_add(&row, LP_EXPORT_UPTIME, NULL, cases[i].ns);
		finish();
		ck_value("lightpath_uptime_seconds{dataplane=\"dp\"}",
		    cases[i].seconds);
	}
}
END_TEST

START_TEST(what_is_told_twice_is_told_once)
{
	const char *const values[] = {"dp"};
	struct lp_export_row row;

	begin();
	ck_assert(
	    lp_export_text_row(&row, &text, LP_EXPORT_SET_DATAPLANE, values));
	lp_export_text_add(&row, LP_EXPORT_REASONS, "ttl", 1);
	lp_export_text_add(&row, LP_EXPORT_REASONS, "ttl", 2);
	ck_assert(
	    !lp_export_text_row(&row, &text, LP_EXPORT_SET_DATAPLANE, values));
	ck_assert_uint_eq(text.skipped, 2);
	finish();
	ck_value("lightpath_packet_reasons_total{dataplane=\"dp\","
		 "reason=\"ttl\"}",
	    "1");
}
END_TEST

START_TEST(a_full_text_leaves_rows_out)
{
	struct lp_export_row row;
	unsigned taken = 0;

	lp_export_text_init(&text, 4096);
	for (unsigned i = 0; i < 1000; i++) {
		char id[16];
		const char *const values[] = {"dp", id};

		snprintf(id, sizeof(id), "%u", i);
		if (!lp_export_text_row(
			&row, &text, LP_EXPORT_SET_CLIENT, values))
			continue;
		lp_export_text_add(&row, LP_EXPORT_CLIENT_REQUESTS, NULL, i);
		taken++;
	}
	ck_assert_uint_eq(taken + text.skipped, 1000);
	ck_assert_uint_gt(taken, 0);
	ck_assert_uint_gt(text.skipped, 0);
	ck_assert_uint_lt(text.size, 4096 + 200);
	finish();
}
END_TEST

/* The same times counted here, one by one, against the edges shown. */
START_TEST(buckets_are_cumulative_and_true)
{
	static const struct {
		double seconds;
		const char *le;
	} edges[] = {
	    {0.0001, "0.0001"}, {0.005, "0.005"}, {1, "1"}, {60, "60"}};
	static struct lp_histogram_view view;
	Lp__Pb__KafkaStats stats = LP__PB__KAFKA_STATS__INIT;
	Lp__Pb__KafkaClientStats client = LP__PB__KAFKA_CLIENT_STATS__INIT;
	Lp__Pb__KafkaClientStats *clients[] = {&client};
	Lp__Pb__Histogram histogram = LP__PB__HISTOGRAM__INIT;
	uint32_t buckets[LP_HISTOGRAM_BUCKETS];
	uint64_t counts[LP_HISTOGRAM_BUCKETS];
	uint64_t low[4] = {0}, high[4] = {0};
	unsigned seed = 7;

	memset(&view, 0, sizeof(view));
	for (unsigned i = 0; i < 100000; i++) {
		/* From a nanosecond to hours, alike in each octave. */
		uint64_t ns =
		    ((uint64_t)rand_r(&seed) << 31 | (uint64_t)rand_r(&seed)) >>
		    (rand_r(&seed) % 60);

		lp_histogram_add(&view, ns);
		for (unsigned j = 0; j < 4; j++) {
			low[j] += (double)ns <= edges[j].seconds * 0.99e9;
			high[j] += (double)ns <= edges[j].seconds * 1.01e9;
		}
	}
	for (uint32_t i = 0; i < LP_HISTOGRAM_BUCKETS; i++)
		if (view.counts[i] > 0) {
			buckets[histogram.n_buckets] = i;
			counts[histogram.n_buckets++] = view.counts[i];
		}
	histogram.n_counts = histogram.n_buckets;
	histogram.buckets = buckets;
	histogram.counts = counts;
	client.client_id = (char *)"c";
	client.fetch = &histogram;
	stats.n_clients = 1;
	stats.clients = clients;
	begin();
	lp_export_kafka_add(&text, "dp", &stats);
	finish();
	for (unsigned j = 0; j < 4; j++) {
		char series[128];
		uint64_t found;

		snprintf(series, sizeof(series),
		    "lightpath_kafka_client_duration_seconds_bucket{dataplane="
		    "\"dp\",client_id=\"c\",operation=\"fetch\",le=\"%s\"}",
		    edges[j].le);
		found = value_of(series);
		ck_assert_uint_ge(found, low[j]);
		ck_assert_uint_le(found, high[j]);
	}
	ck_assert_uint_eq(
	    value_of("lightpath_kafka_client_duration_seconds_count{dataplane="
		     "\"dp\",client_id=\"c\",operation=\"fetch\"}"),
	    100000);
}
END_TEST

START_TEST(histograms_of_nonsense_are_histograms)
{
	Lp__Pb__KafkaStats stats = LP__PB__KAFKA_STATS__INIT;
	Lp__Pb__KafkaClientStats client = LP__PB__KAFKA_CLIENT_STATS__INIT;
	Lp__Pb__KafkaClientStats *clients[] = {&client};
	Lp__Pb__Histogram histogram = LP__PB__HISTOGRAM__INIT;
	uint32_t buckets[] = {2000, 3, LP_HISTOGRAM_BUCKETS, UINT32_MAX, 3, 4};
	uint64_t counts[] = {UINT64_MAX, UINT64_MAX, 1, 1, 7};

	histogram.n_buckets = 6;
	histogram.buckets = buckets;
	histogram.n_counts = 5;
	histogram.counts = counts;
	client.produce = &histogram;
	stats.n_clients = 1;
	stats.clients = clients;
	begin();
	lp_export_kafka_add(&text, "dp", &stats);
	finish();
	ck_assert_uint_eq(
	    value_of("lightpath_kafka_client_duration_seconds_count{dataplane="
		     "\"dp\",client_id=\"(null)\",operation=\"produce\"}"),
	    UINT64_MAX);
}
END_TEST

START_TEST(nobody_can_call_himself_other)
{
	Lp__Pb__KafkaStats stats = LP__PB__KAFKA_STATS__INIT;
	Lp__Pb__KafkaClientStats clients[4];
	Lp__Pb__KafkaClientStats *list[4];

	for (unsigned i = 0; i < 4; i++) {
		lp__pb__kafka_client_stats__init(&clients[i]);
		clients[i].requests = i + 1;
		list[i] = &clients[i];
	}
	clients[0].client_id = (char *)"(other)";
	clients[1].other = true;
	clients[2].client_id = (char *)"(null)";
	stats.n_clients = 4;
	stats.clients = list;
	begin();
	lp_export_kafka_add(&text, "dp", &stats);
	ck_assert_uint_eq(text.skipped, 0);
	finish();
#define CLIENT(name)                                                           \
	"lightpath_kafka_client_requests_total{dataplane=\"dp\",client_id="    \
	"\"" name "\"}"
	ck_assert_uint_eq(value_of(CLIENT("\\\\(other)")), 1);
	ck_assert_uint_eq(value_of(CLIENT("(other)")), 2);
	ck_assert_uint_eq(value_of(CLIENT("\\\\(null)")), 3);
	ck_assert_uint_eq(value_of(CLIENT("(null)")), 4);
}
END_TEST

/* The sum of those that lost their rows is no row of (other). */
START_TEST(who_lost_a_row_is_apart)
{
	Lp__Pb__KafkaStats stats = LP__PB__KAFKA_STATS__INIT;
	Lp__Pb__KafkaClientStats clients[2];
	Lp__Pb__KafkaTopicStats topics[2];
	Lp__Pb__KafkaClientStats *client_list[] = {&clients[0], &clients[1]};
	Lp__Pb__KafkaTopicStats *topic_list[] = {&topics[0], &topics[1]};

	for (unsigned i = 0; i < 2; i++) {
		lp__pb__kafka_client_stats__init(&clients[i]);
		lp__pb__kafka_topic_stats__init(&topics[i]);
		clients[i].other = topics[i].other = true;
		clients[i].evicted = topics[i].evicted = i == 1;
		clients[i].requests = 1 + 1000 * i;
		clients[i].throttled = 2 + 1000 * i;
		topics[i].produce_requests = 3 + 1000 * i;
		topics[i].fetch_bytes = 4 + 1000 * i;
		topics[i].errors = 5 + 1000 * i;
	}
	stats.n_clients = stats.n_topics = 2;
	stats.clients = client_list;
	stats.topics = topic_list;
	begin();
	lp_export_kafka_add(&text, "dp", &stats);
	ck_assert_uint_eq(text.skipped, 0);
	finish();
	ck_assert_uint_eq(value_of(CLIENT("(other)")), 1);
	ck_assert_ptr_null(strstr(page, "(evicted)"));
#define EVICTED(name, labels)                                                  \
	value_of("lightpath_kafka_evicted_" name "{dataplane=\"dp\"" labels "}")
	ck_assert_uint_eq(EVICTED("client_requests_total", ""), 1001);
	ck_assert_uint_eq(EVICTED("client_throttled_total", ""), 1002);
	ck_assert_uint_eq(
	    EVICTED("topic_operations_total", ",operation=\"produce\""), 1003);
	ck_assert_uint_eq(
	    EVICTED("topic_bytes_total", ",operation=\"fetch\""), 1004);
	ck_assert_uint_eq(EVICTED("topic_errors_total", ""), 1005);
}
END_TEST

/* All of them, by the lists that the dataplane itself uses. */
START_TEST(every_counter_of_the_dataplane_is_shown)
{
	static const char *const names[] = {
#define X(member, what) #member,
	    LP_STATS_WORKER(X) LP_STATS_TABLES(X)
#undef X
		"snapshot_unsaved",
	    "remote_accepted", "remote_refused"};
	enum { COUNT = sizeof(names) / sizeof(names[0]) };
	Lp__Pb__Stats stats = LP__PB__STATS__INIT;
	Lp__Pb__Counter counters[COUNT];
	Lp__Pb__Counter *list[COUNT];
	unsigned workers = 0;

#define X(member, what) workers++;
	LP_STATS_WORKER(X)
#undef X
	for (unsigned i = 0; i < COUNT; i++) {
		lp__pb__counter__init(&counters[i]);
		counters[i].name = (char *)names[i];
		/* Times are divided by this: the digits stay. */
		counters[i].value = (7000 + i) * 1000000000ull;
		if (strstr(names[i], "_ns") == NULL)
			counters[i].value = 7000 + i;
		list[i] = &counters[i];
	}
	stats.has_uptime_ns = true;
	stats.n_worker = workers;
	stats.worker = list;
	stats.n_tables = COUNT - workers;
	stats.tables = list + workers;
	begin();
	lp_export_rows_stats(&text, "dp", &stats);
	finish();
	for (unsigned i = 0; i < COUNT; i++) {
		char value[32];

		snprintf(value, sizeof(value), "} %u\n", 7000 + i);
		ck_assert_msg(
		    strstr(page, value) != NULL, "%s is not shown", names[i]);
	}
}
END_TEST

START_TEST(every_counter_of_kafka_is_shown)
{
	static const char *const names[] = {
#define X(member, what) #member,
	    LP_KAFKA_COUNTERS(X)
#undef X
	};
	enum { COUNT = sizeof(names) / sizeof(names[0]) };
	Lp__Pb__KafkaStats stats = LP__PB__KAFKA_STATS__INIT;
	Lp__Pb__Counter counters[COUNT];
	Lp__Pb__Counter *list[COUNT];

	for (unsigned i = 0; i < COUNT; i++) {
		lp__pb__counter__init(&counters[i]);
		counters[i].name = (char *)names[i];
		counters[i].value = 7000 + i;
		list[i] = &counters[i];
	}
	stats.n_counters = COUNT;
	stats.counters = list;
	begin();
	lp_export_kafka_add(&text, "dp", &stats);
	finish();
	for (unsigned i = 0; i < COUNT; i++) {
		bool is_limit = strstr(names[i], "_max") != NULL;
		char value[32];

		snprintf(value, sizeof(value), "} %u\n", 7000 + i);
		ck_assert_msg(
		    strstr(page, value) != NULL, "%s is not shown", names[i]);
		/* What may fall is no counter. */
		snprintf(value, sizeof(value), "event=\"%s\"", names[i]);
		ck_assert_msg(!is_limit || strstr(page, value) == NULL,
		    "%s is no event", names[i]);
	}
}
END_TEST

START_TEST(other_rows_and_names_of_ours_differ)
{
	Lp__Pb__KafkaStats stats = LP__PB__KAFKA_STATS__INIT;
	Lp__Pb__KafkaApiStats named = LP__PB__KAFKA_API_STATS__INIT;
	Lp__Pb__KafkaApiStats other = LP__PB__KAFKA_API_STATS__INIT;
	Lp__Pb__KafkaApiStats *apis[] = {&named, &other};
	Lp__Pb__KafkaTopicStats topic = LP__PB__KAFKA_TOPIC_STATS__INIT;
	Lp__Pb__KafkaTopicStats *topics[] = {&topic};
	Lp__Pb__Counter error = LP__PB__COUNTER__INIT;
	Lp__Pb__Counter *errors[] = {&error};

	error.name = (char *)"NOT_LEADER_OR_FOLLOWER";
	error.value = 4;
	named.cluster = (char *)"payments";
	named.listener = (char *)"public";
	named.has_node_id = true;
	named.node_id = 1;
	named.api = (char *)"Produce";
	named.origin = (char *)"client";
	named.kind = (char *)"acks=all";
	named.throttle_ms = 1250;
	named.n_errors = 1;
	named.errors = errors;
	other.other = topic.other = true;
	other.requests = 5;
	topic.fetch_bytes = 6;
	stats.n_apis = 2;
	stats.apis = apis;
	stats.n_topics = 1;
	stats.topics = topics;
	begin();
	lp_export_kafka_add(&text, "dp", &stats);
	finish();
#define NAMED                                                                  \
	"{dataplane=\"dp\",cluster=\"payments\",listener=\"public\","          \
	"broker=\"1\",api=\"Produce\",origin=\"client\",kind=\"acks=all\""
	ck_value("lightpath_kafka_throttle_seconds_total" NAMED "}", "1.25");
	ck_value("lightpath_kafka_errors_total" NAMED
		 ",error=\"NOT_LEADER_OR_FOLLOWER\"}",
	    "4");
	ck_value("lightpath_kafka_requests_total{dataplane=\"dp\",cluster="
		 "\"(other)\",listener=\"(other)\",broker=\"(other)\",api="
		 "\"(other)\",origin=\"\",kind=\"\"}",
	    "5");
	ck_value("lightpath_kafka_topic_bytes_total{dataplane=\"dp\",cluster="
		 "\"(other)\",topic=\"(other)\",operation=\"fetch\"}",
	    "6");
}
END_TEST

START_TEST(ports_and_endpoints_are_shown)
{
	Lp__Pb__Stats stats = LP__PB__STATS__INIT;
	Lp__Pb__PortStats port = LP__PB__PORT_STATS__INIT;
	Lp__Pb__PortStats *ports[] = {&port};
	Lp__Pb__EndpointStats named = LP__PB__ENDPOINT_STATS__INIT;
	Lp__Pb__EndpointStats lost = LP__PB__ENDPOINT_STATS__INIT;
	Lp__Pb__EndpointStats *endpoints[] = {&named, &lost};
	Lp__Pb__Counter rx = LP__PB__COUNTER__INIT;
	Lp__Pb__Counter full = LP__PB__COUNTER__INIT;
	Lp__Pb__Counter *counters[] = {&rx, &full};

	rx.name = (char *)"rx_bytes";
	rx.value = 9;
	full.name = (char *)"rx_ring_full";
	full.value = 8;
	port.name = (char *)"front";
	port.device = (char *)"net_tap0,iface=\"x\\y\"";
	port.up = port.has_speed_mbps = true;
	port.speed_mbps = 10000;
	port.n_counters = 2;
	port.counters = counters;
	named.cluster = (char *)"payments";
	named.listener = (char *)"public";
	named.has_node_id = true;
	named.node_id = 3;
	named.broker_bytes = 77;
	lost.listener_id = 5;
	lost.broker_id = 6;
	stats.n_ports = 1;
	stats.ports = ports;
	stats.n_endpoints = 2;
	stats.endpoints = endpoints;
	begin();
	lp_export_rows_stats(&text, "dp", &stats);
	finish();
#define PORT "{dataplane=\"dp\",port=\"front\""
	ck_value("lightpath_port_receive_bytes_total" PORT "}", "9");
	ck_value(
	    "lightpath_port_events_total" PORT ",event=\"rx_ring_full\"}", "8");
	ck_value("lightpath_port_speed_bytes" PORT "}", "1250000000");
	ck_value("lightpath_port_up" PORT "}", "1");
	ck_value("lightpath_port_info" PORT
		 ",device=\"net_tap0,iface=\\\"x\\\\y\\\"\",backend=\"\","
		 "driver=\"\",mode=\"\"}",
	    "1");
	ck_value("lightpath_endpoint_bytes_total{dataplane=\"dp\",cluster="
		 "\"payments\",listener=\"public\",broker=\"3\",sender="
		 "\"broker\"}",
	    "77");
	ck_value("lightpath_endpoint_connections{dataplane=\"dp\",cluster="
		 "\"\",listener=\"#5\",broker=\"#6\"}",
	    "0");
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)

int
main(void)
{
	Suite *suite = suite_create("export_text");
	TCase *tcase = tcase_create("export_text");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	TEST(values_are_escaped);
	TEST(long_values_are_cut_between_characters);
	TEST(any_bytes_make_a_page);
	TEST(numbers_are_exact);
	TEST(what_is_told_twice_is_told_once);
	TEST(a_full_text_leaves_rows_out);
	TEST(buckets_are_cumulative_and_true);
	TEST(histograms_of_nonsense_are_histograms);
	TEST(nobody_can_call_himself_other);
	TEST(who_lost_a_row_is_apart);
	TEST(every_counter_of_the_dataplane_is_shown);
	TEST(every_counter_of_kafka_is_shown);
	TEST(other_rows_and_names_of_ours_differ);
	TEST(ports_and_endpoints_are_shown);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
