/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/cli/support_top.h"

#include <check.h>

#include "proto/histogram.h"

#define S UINT64_C(1000000000)

enum {
	STARTED = 1000, /* requests before round 0 */
	RARE_OF = 200,
	CLIENTS_MAX = 1100,
	LIST_MAX = 16,
	CLIENTS_IN_FRAME = 100,
};

/* A histogram of two or three buckets, and where it lies. */
struct times {
	Lp__Pb__Histogram histogram;
	uint32_t buckets[3];
	uint64_t counts[3];
};

/* each: requests a round; 1 of 200 of them was slower. */
static Lp__Pb__Histogram *
make_times(struct times *times, uint64_t each, uint64_t round, uint32_t factor)
{
	uint64_t count = each * round;

	lp__pb__histogram__init(&times->histogram);
	times->buckets[0] = lp_histogram_index(SUPPORT_TOP_FAST_NS * factor);
	times->counts[0] = count - count / RARE_OF;
	times->buckets[1] = lp_histogram_index(SUPPORT_TOP_RARE_NS * factor);
	times->counts[1] = count / RARE_OF;
	times->buckets[2] = lp_histogram_index(SUPPORT_TOP_SLOW_NS * factor);
	times->counts[2] = STARTED;
	times->histogram.n_buckets = times->histogram.n_counts = 3;
	times->histogram.buckets = times->buckets;
	times->histogram.counts = times->counts;
	times->histogram.has_max_ns = true;
	times->histogram.max_ns = (uint64_t)SUPPORT_TOP_SLOW_NS * factor;
	return &times->histogram;
}

static void
add(struct support_bytes *bytes, const char *dataplane,
    Lp__Pb__KafkaStats *stats, uint64_t round, bool more)
{
	Lp__Pb__KafkaCountersReply body = LP__PB__KAFKA_COUNTERS_REPLY__INIT;
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;

	stats->has_time_ns = true;
	stats->time_ns = SUPPORT_NOW_NS + round * S;
	body.dataplane = (char *)dataplane;
	body.stats = stats;
	reply.cookie = SUPPORT_COOKIE;
	reply.has_more = reply.more = more;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_KAFKA;
	reply.kafka = &body;
	support_bytes_add(bytes, &reply);
}

/* ---- APIs -----------------------------------------------------------------
 */

static const struct api {
	uint32_t broker_id;
	int32_t node_id;
	int32_t api_key;
	const char *api;
	const char *origin;
	const char *kind;
	uint64_t each; /* requests a round */
	uint64_t request_size; /* 0: there are answers only */
	uint64_t response_size; /* 0: there are requests only */
	uint64_t in_flight;
	uint64_t errors; /* a round */
	uint64_t throttled; /* likewise */
	uint32_t factor; /* how much slower than support_top.h says */
	/* A Fetch is counted without a kind, its answer by what it was. */
} apis[] = {
    {1, 1, 0, "Produce", "client", "acks=all", 1000, 16000, 100, 3, 4, 20, 3},
    {1, 1, 0, "Produce", "client", "acks=1", 200, 16000, 100, 0, 0, 0, 1},
    {1, 1, 1, "Fetch", "client", NULL, 800, 120, 0, 14, 0, 0, 0},
    {1, 1, 1, "Fetch", "client", "data", 600, 0, 64000, 0, 0, 0, 2},
    {1, 1, 1, "Fetch", "client", "max_wait", 200, 0, 80, 0, 0, 0, 25},
    {2, 2, 1, "Fetch", "client", NULL, 400, 120, 0, 2, 0, 0, 0},
    {2, 2, 1, "Fetch", "client", "data", 400, 0, 32000, 0, 0, 0, 1},
    {2, 2, 1, "Fetch", "broker", NULL, 200, 120, 0, 1, 0, 0, 0},
    {2, 2, 1, "Fetch", "broker", "data", 200, 0, 8000, 0, 0, 0, 1},
    {2, 2, 3, "Metadata", "client", NULL, 200, 60, 900, 0, 0, 0, 1},
    {2, 2, 99, NULL, "client", NULL, 0, 60, 0, 0, 0, 0, 1},
};

static void
add_apis(struct support_bytes *bytes, const char *dataplane, uint64_t round)
{
	static Lp__Pb__KafkaApiStats rows[LIST_MAX];
	static Lp__Pb__Counter errors[LIST_MAX], counters[2];
	static struct times times[LIST_MAX];
	Lp__Pb__KafkaApiStats *list[LIST_MAX];
	Lp__Pb__Counter *error_list[LIST_MAX], *counter_list[2];
	Lp__Pb__KafkaStats stats = LP__PB__KAFKA_STATS__INIT;

	for (size_t i = 0; i < sizeof(apis) / sizeof(apis[0]); i++) {
		const struct api *api = &apis[i];
		Lp__Pb__KafkaApiStats *row = &rows[i];

		lp__pb__kafka_api_stats__init(row);
		row->has_listener_id = row->has_broker_id = true;
		row->has_node_id = row->has_api_key = true;
		row->has_requests = row->has_responses = true;
		row->has_request_bytes = row->has_response_bytes = true;
		row->has_in_flight = row->has_throttled = true;
		row->listener_id = 10;
		row->broker_id = api->broker_id;
		row->cluster = "payments";
		row->listener = "public";
		row->node_id = api->node_id;
		row->api_key = api->api_key;
		row->api = (char *)api->api;
		row->origin = (char *)api->origin;
		row->kind = (char *)api->kind;
		if (api->request_size > 0)
			row->requests = STARTED + api->each * round;
		if (api->response_size > 0)
			row->responses =
			    STARTED + api->each * round - api->in_flight;
		row->request_bytes = row->requests * api->request_size;
		row->response_bytes = row->responses * api->response_size;
		row->in_flight = api->in_flight;
		row->throttled = api->throttled * round;
		if (api->factor > 0)
			row->latency = make_times(
			    &times[i], api->each, round, api->factor);
		lp__pb__counter__init(&errors[i]);
		errors[i].name = "NOT_LEADER_OR_FOLLOWER";
		errors[i].has_value = true;
		errors[i].value = api->errors * round;
		error_list[i] = &errors[i];
		row->n_errors = 1;
		row->errors = &error_list[i];
		list[i] = row;
		stats.n_apis++;
	}
	stats.apis = list;
	for (size_t i = 0; i < 2; i++) {
		lp__pb__counter__init(&counters[i]);
		counters[i].has_value = true;
		counter_list[i] = &counters[i];
	}
	counters[0].name = "streams_lost";
	counters[0].value = 2;
	counters[1].name = "unseen_bytes";
	counters[1].value = 1460 + round;
	stats.n_counters = 2;
	stats.counters = counter_list;
	add(bytes, dataplane, &stats, round, true);
}

/* ---- topics and clients ---------------------------------------------------
 */

static void
make_topic(Lp__Pb__KafkaTopicStats *row, const char *topic, uint64_t each,
    uint64_t round, struct times times[2])
{
	uint64_t count = STARTED + each * round;

	lp__pb__kafka_topic_stats__init(row);
	row->has_other = row->other = topic == NULL;
	if (topic != NULL) {
		row->has_cluster_id = true;
		row->cluster_id = 5;
		row->cluster = "payments";
		row->topic = (char *)topic;
	}
	row->has_produce_requests = row->has_produce_bytes = true;
	row->has_fetch_responses = row->has_fetch_bytes = true;
	row->produce_requests = count;
	row->produce_bytes = 1000 * count;
	row->fetch_responses = 2 * count;
	row->fetch_bytes = 9000 * count;
	row->produce = make_times(&times[0], each, round, 2);
	row->fetch = make_times(&times[1], 2 * each, round, 1);
}

static void
make_client(Lp__Pb__KafkaClientStats *row, const char *client_id, bool other,
    uint64_t each, uint64_t round, struct times times[3])
{
	uint64_t count = STARTED + each * round;

	lp__pb__kafka_client_stats__init(row);
	row->client_id = (char *)client_id;
	row->has_other = row->other = other;
	row->has_requests = row->has_responses = true;
	row->has_request_bytes = row->has_response_bytes = true;
	row->has_in_flight = true;
	row->requests = row->responses = count;
	row->request_bytes = 700 * count;
	row->response_bytes = 5000 * count;
	row->in_flight = each > 0;
	if (each == 0)
		return;
	row->produce = make_times(&times[0], each, round, 4);
	row->fetch = make_times(&times[1], each, round, 2);
	row->rest = make_times(&times[2], each, round, 1);
}

static void
add_clients(struct support_bytes *bytes, const char *dataplane,
    Lp__Pb__KafkaStats *stats, uint64_t round, unsigned extra, bool more)
{
	static const struct {
		const char *client_id;
		bool other;
		uint64_t each;
	} fixed[] = {
	    {"billing-1", false, 1200},
	    {"Billing-2", false, 600},
	    {"caf\xc3\xa9 \033[2J\\", false, 400},
	    {"(others)", false, 200},
	    {NULL, false, 100},
	    {"", false, 80},
	    {"asleep", false, 0},
	    {NULL, true, 40},
	};
	const size_t fixed_count = sizeof(fixed) / sizeof(fixed[0]);
	static Lp__Pb__KafkaClientStats rows[CLIENTS_MAX];
	static Lp__Pb__KafkaClientStats *list[CLIENTS_MAX];
	static struct times times[CLIENTS_MAX][3];
	static char names[CLIENTS_MAX][16];

	ck_assert_uint_le(fixed_count + extra, CLIENTS_MAX);
	for (size_t i = 0; i < fixed_count; i++)
		make_client(&rows[i], fixed[i].client_id, fixed[i].other,
		    fixed[i].each, round, times[i]);
	for (size_t i = fixed_count; i < fixed_count + extra; i++) {
		(void)snprintf(
		    names[i], sizeof(names[i]), "extra-%03zu", i - fixed_count);
		make_client(&rows[i], names[i], false, 1, round, times[i]);
	}
	for (size_t i = 0; i < fixed_count + extra; i++) {
		list[stats->n_clients++] = &rows[i];
		stats->clients = list;
		if (stats->n_clients < CLIENTS_IN_FRAME)
			continue;
		add(bytes, dataplane, stats, round, true);
		lp__pb__kafka_stats__init(stats);
	}
	add(bytes, dataplane, stats, round, more);
}

void
support_top_kafka(struct support_bytes *bytes, const char *dataplane,
    uint64_t round, unsigned extra, bool more)
{
	static Lp__Pb__KafkaTopicStats topics[3];
	static struct times times[3][2];
	Lp__Pb__KafkaTopicStats *list[3];
	Lp__Pb__KafkaStats stats = LP__PB__KAFKA_STATS__INIT;

	add_apis(bytes, dataplane, round);
	make_topic(&topics[0], "orders", 400, round, times[0]);
	make_topic(&topics[1], "orders.dead-letters", 0, round, times[1]);
	make_topic(&topics[2], NULL, 200, round, times[2]);
	for (size_t i = 0; i < 3; i++)
		list[i] = &topics[i];
	stats.n_topics = 3;
	stats.topics = list;
	add_clients(bytes, dataplane, &stats, round, extra, more);
}
