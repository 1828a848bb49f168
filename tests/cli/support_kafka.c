/* SPDX-License-Identifier: Apache-2.0 */
/* The fixed answer of Kafka statistics. */
#include "tests/cli/support.h"

#include "proto/histogram.h"

enum { APIS = 6, CLIENTS = 7, TOPICS = 5, TIMES_MAX = 8 };

/* A histogram message with its buckets. */
struct times {
	Lp__Pb__Histogram message;
	uint32_t buckets[TIMES_MAX];
	uint64_t counts[TIMES_MAX];
};

/* Of so many times, each twice as long as the one before it, from ns on. */
static Lp__Pb__Histogram *
times_of(struct times *times, uint64_t ns, unsigned count)
{
	Lp__Pb__Histogram *message = &times->message;

	lp__pb__histogram__init(message);
	message->has_sum_ns = message->has_max_ns = true;
	message->buckets = times->buckets;
	message->counts = times->counts;
	for (unsigned i = 0; i < count; i++, ns *= 2) {
		times->buckets[i] = lp_histogram_index(ns);
		times->counts[i] = 1000 >> 2 * i;
		message->sum_ns += ns * times->counts[i];
		message->max_ns = ns;
	}
	message->n_buckets = message->n_counts = count;
	return message;
}

static void
make_api(Lp__Pb__KafkaApiStats *api, int32_t node, const char *origin,
    int32_t key, const char *name, const char *kind)
{
	lp__pb__kafka_api_stats__init(api);
	api->cluster = "payments";
	api->listener = "public";
	api->has_node_id = api->has_api_key = true;
	api->node_id = node;
	api->api_key = key;
	api->api = (char *)name;
	api->origin = (char *)origin;
	api->kind = (char *)kind;
	api->has_requests = api->has_responses = true;
	api->requests = 1000000 + (uint64_t)node;
	api->responses = 1000000;
	api->has_request_bytes = api->has_response_bytes = true;
	api->request_bytes = 123456789012;
	api->response_bytes = 4567;
	api->has_in_flight = true;
	api->in_flight = (uint64_t)node;
}

/* Not in the order in which they are shown. */
static void
make_apis(Lp__Pb__KafkaApiStats apis[APIS])
{
	static struct times times[4];
	static Lp__Pb__Counter errors[2];
	static Lp__Pb__Counter *error_list[] = {&errors[0], &errors[1]};

	make_api(&apis[0], 2, "broker", 1, "Fetch", "data");
	make_api(&apis[1], 2, "client", 1, "Fetch", "max_wait");
	make_api(&apis[2], 1, "client", 0, "Produce", "acks=all");
	make_api(&apis[3], 1, "client", 0, "Produce", "acks=1");
	make_api(&apis[4], 1, "client", 18, "ApiVersions", NULL);
	lp__pb__kafka_api_stats__init(&apis[5]);
	apis[5].has_other = apis[5].other = true;
	apis[5].has_requests = true;
	apis[5].requests = 7;
	apis[0].latency = times_of(&times[0], 90000, 5);
	apis[1].latency = times_of(&times[1], 500000000, 2);
	apis[2].latency = times_of(&times[2], 2000000, 5);
	apis[2].throttled_latency = times_of(&times[3], 3000000, 1);
	apis[2].has_throttled = apis[2].has_throttle_ms = true;
	apis[2].throttled = 1000;
	apis[2].throttle_ms = 20500;
	for (int i = 0; i < 2; i++) {
		lp__pb__counter__init(&errors[i]);
		errors[i].has_value = true;
		errors[i].value = 5 + (uint64_t)i;
	}
	errors[0].name = "NOT_LEADER_OR_FOLLOWER";
	errors[1].name = "140";
	apis[2].n_errors = 2;
	apis[2].errors = error_list;
	/* Of a listener that is gone. */
	apis[4].cluster = apis[4].listener = NULL;
	apis[4].has_node_id = false;
}

static void
make_clients(Lp__Pb__KafkaClientStats clients[CLIENTS])
{
	static char *const names[CLIENTS] = {
	    NULL, "", "app-a", "app-b", NULL, "svc\\x00\\xff", NULL};
	static struct times times[CLIENTS][3];

	for (uint64_t i = 0; i < CLIENTS; i++) {
		Lp__Pb__KafkaClientStats *client = &clients[i];

		lp__pb__kafka_client_stats__init(client);
		client->client_id = names[i];
		client->has_requests = client->has_responses = true;
		client->has_request_bytes = client->has_response_bytes = true;
		client->requests = 1000 + 7 * (i * 5 % 7);
		client->responses = client->requests;
		client->request_bytes = 1000000 * (1 + i * 2 % 7);
		client->response_bytes = 1;
		client->has_errors = client->has_throttled = true;
		client->errors = i * 3 % 7;
		client->throttled = i * 4 % 7;
		client->has_in_flight = client->has_idle_ms = true;
		client->in_flight = i * 6 % 7;
		client->idle_ms = 1000 * (i * 3 % 7);
		client->produce =
		    times_of(&times[i][0], 1000000 << i * 4 % 7, 5);
		if (i > 0)
			client->fetch = times_of(&times[i][1], 9000000 >> i, 1);
		client->rest =
		    i == 5 ? times_of(&times[i][2], 6000000000000, 1) : NULL;
	}
	clients[0].has_other = clients[0].other = true;
	clients[6].has_other = clients[6].other = true;
	clients[6].has_evicted = clients[6].evicted = true;
	clients[6].has_idle_ms = false;
	clients[6].in_flight = 0;
	clients[0].has_idle_ms = false;
}

static void
make_topics(Lp__Pb__KafkaTopicStats topics[TOPICS])
{
	static char *const names[TOPICS] = {
	    NULL, "orders", "orders.dead", "payments", "audit"};
	static struct times times[TOPICS];

	for (uint64_t i = 0; i < TOPICS; i++) {
		Lp__Pb__KafkaTopicStats *topic = &topics[i];

		lp__pb__kafka_topic_stats__init(topic);
		topic->topic = names[i];
		topic->cluster = i > 0 ? "payments" : NULL;
		topic->has_produce_requests = topic->has_produce_bytes = true;
		topic->produce_requests = 100 * (i * 2 % 5);
		topic->produce_bytes = 1500 * (i * 3 % 5);
		topic->has_fetch_responses = topic->has_fetch_bytes = true;
		topic->fetch_responses = 10;
		topic->fetch_bytes = 1000000000000 >> i;
		topic->has_errors = true;
		topic->errors = i * 4 % 5;
		topic->produce = times_of(&times[i], 100000 << i * 2 % 5, 4);
	}
	topics[0].has_other = topics[0].other = true;
}

static void
make_counters(Lp__Pb__Counter counters[7])
{
	static const struct {
		const char *name;
		uint64_t value;
	} rows[7] = {{"requests", 3000000}, {"streams_lost", 0}, {"topics", 4},
	    {"topics_max", 512}, {"clients", 512}, {"clients_max", 512},
	    {"clients_evicted", 37}};

	for (int i = 0; i < 7; i++) {
		lp__pb__counter__init(&counters[i]);
		counters[i].name = (char *)rows[i].name;
		counters[i].has_value = true;
		counters[i].value = rows[i].value;
	}
}

static void
add(struct support_bytes *bytes, const char *dataplane,
    Lp__Pb__KafkaStats *stats, bool more)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__KafkaCountersReply body = LP__PB__KAFKA_COUNTERS_REPLY__INIT;

	stats->has_time_ns = true;
	stats->time_ns = SUPPORT_NOW_NS;
	body.dataplane = (char *)dataplane;
	body.stats = stats;
	reply.cookie = SUPPORT_COOKIE;
	reply.has_more = reply.more = more;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_KAFKA;
	reply.kafka = &body;
	support_bytes_add(bytes, &reply);
}

static void
add_all(struct support_bytes *bytes, bool more)
{
	Lp__Pb__KafkaApiStats apis[APIS], *api_list[APIS];
	Lp__Pb__KafkaClientStats clients[CLIENTS], *client_list[CLIENTS];
	Lp__Pb__KafkaTopicStats topics[TOPICS], *topic_list[TOPICS];
	Lp__Pb__Counter counters[7], *counter_list[7];
	Lp__Pb__KafkaStats stats = LP__PB__KAFKA_STATS__INIT;

	make_apis(apis);
	make_clients(clients);
	make_topics(topics);
	make_counters(counters);
	for (int i = 0; i < APIS; i++)
		api_list[i] = &apis[i];
	for (int i = 0; i < CLIENTS; i++)
		client_list[i] = &clients[i];
	for (int i = 0; i < TOPICS; i++)
		topic_list[i] = &topics[i];
	for (int i = 0; i < 7; i++)
		counter_list[i] = &counters[i];
	stats.n_counters = 7;
	stats.counters = counter_list;
	stats.n_apis = 2;
	stats.apis = api_list;
	stats.n_clients = 2;
	stats.clients = client_list;
	add(bytes, "edge-1", &stats, true);
	stats.n_counters = 0;
	stats.n_apis = APIS - 2;
	stats.apis = api_list + 2;
	stats.n_clients = CLIENTS - 2;
	stats.clients = client_list + 2;
	stats.n_topics = TOPICS;
	stats.topics = topic_list;
	add(bytes, "edge-1", &stats, true);
	/* Another one, where nothing has been yet. */
	lp__pb__kafka_stats__init(&stats);
	add(bytes, "edge-2", &stats, more);
}

void
support_reply_kafka(struct support_bytes *bytes)
{
	add_all(bytes, false);
}

void
support_reply_kafka_part(struct support_bytes *bytes)
{
	add_all(bytes, true);
}
