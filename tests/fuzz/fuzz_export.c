/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a dataplane says of its counters and of Kafka, as it comes from its
 * socket: the page made of it can be read, whatever it is.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "controld/export_kafka.h"
#include "controld/export_rows.h"
#include "controld/export_rule.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/ensure.h"
#include "tests/support/exposition.h"

#define BODY(name) LP__PB__DATAPLANE_MESSAGE__BODY_##name

static void
check_page(struct lp_export_text *text)
{
	struct lp_export_text *texts[] = {text};
	struct evbuffer *page = evbuffer_new();
	char why[EXPOSITION_WHY_SIZE];
	const char *bytes;
	size_t len;

	assert(!text->no_memory);
	assert(lp_export_text_join(page, texts, 1) == 0);
	len = evbuffer_get_length(page);
	bytes = (const char *)evbuffer_pullup(page, -1);
	if (len > 0)
		ensure(exposition_check(bytes, len, why), "%s", why);
	evbuffer_free(page);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Lp__Pb__DataplaneMessage *message =
	    lp_message_unpack_dataplane(data, size);
	struct lp_export_text text;

	if (message == NULL)
		return 0;
	lp_export_text_init(&text, 1 << 20);
	/* Twice: the second time all of it is known. */
	for (unsigned i = 0; i < 2; i++) {
		if (message->body_case == BODY(STATS_REPLY))
			lp_export_rows_stats(
			    &text, "dp", message->stats_reply->stats);
		else if (message->body_case == BODY(KAFKA_STATS_REPLY))
			lp_export_kafka_add(
			    &text, "dp", message->kafka_stats_reply->stats);
		else if (message->body_case == BODY(RULE_STATS_REPLY))
			lp_export_rule_add(
			    &text, "dp", message->rule_stats_reply, true);
	}
	check_page(&text);
	lp_export_text_fini(&text);
	lp__pb__dataplane_message__free_unpacked(message, NULL);
	return 0;
}

static size_t
seed_stats(Lp__Pb__DataplaneMessage *message, uint8_t *data, size_t max)
{
	Lp__Pb__StatsReply reply = LP__PB__STATS_REPLY__INIT;
	Lp__Pb__Stats stats = LP__PB__STATS__INIT;
	Lp__Pb__Counter counter = LP__PB__COUNTER__INIT;
	Lp__Pb__Counter *counters[] = {&counter, &counter};
	Lp__Pb__PortStats port = LP__PB__PORT_STATS__INIT;
	Lp__Pb__PortStats *ports[] = {&port};
	Lp__Pb__EndpointStats endpoint = LP__PB__ENDPOINT_STATS__INIT;
	Lp__Pb__EndpointStats *endpoints[] = {&endpoint, &endpoint};

	counter.name = (char *)"busy_ns";
	counter.has_value = true;
	counter.value = 1234567;
	port.name = (char *)"front";
	port.device = (char *)"eth\"1\\";
	port.has_speed_mbps = port.has_mtu = true;
	port.speed_mbps = port.mtu = 1500;
	port.n_counters = 2;
	port.counters = counters;
	endpoint.cluster = (char *)"payments";
	endpoint.has_node_id = true;
	endpoint.node_id = -1;
	stats.has_uptime_ns = true;
	stats.uptime_ns = UINT64_MAX;
	stats.n_worker = stats.n_tables = stats.n_reasons = 2;
	stats.worker = stats.tables = stats.reasons = counters;
	stats.n_ports = 1;
	stats.ports = ports;
	stats.n_endpoints = 2;
	stats.endpoints = endpoints;
	reply.cookie = 1;
	reply.stats = &stats;
	message->body_case = BODY(STATS_REPLY);
	message->stats_reply = &reply;
	assert(lp__pb__dataplane_message__get_packed_size(message) <= max);
	return lp__pb__dataplane_message__pack(message, data);
}

static size_t
seed_kafka(Lp__Pb__DataplaneMessage *message, uint8_t *data, size_t max)
{
	uint32_t buckets[] = {3, 700, 701, 2000, 2111};
	uint64_t counts[] = {1, UINT64_MAX, 3, 4, 5};
	Lp__Pb__Histogram histogram = LP__PB__HISTOGRAM__INIT;
	Lp__Pb__KafkaStatsReply reply = LP__PB__KAFKA_STATS_REPLY__INIT;
	Lp__Pb__KafkaStats stats = LP__PB__KAFKA_STATS__INIT;
	Lp__Pb__Counter counter = LP__PB__COUNTER__INIT;
	Lp__Pb__Counter *counters[] = {&counter, &counter};
	Lp__Pb__KafkaApiStats api = LP__PB__KAFKA_API_STATS__INIT;
	Lp__Pb__KafkaApiStats *apis[] = {&api, &api};
	Lp__Pb__KafkaTopicStats topic = LP__PB__KAFKA_TOPIC_STATS__INIT;
	Lp__Pb__KafkaTopicStats gone = LP__PB__KAFKA_TOPIC_STATS__INIT;
	Lp__Pb__KafkaTopicStats *topics[] = {&topic, &gone, &gone};
	Lp__Pb__KafkaClientStats client = LP__PB__KAFKA_CLIENT_STATS__INIT;
	Lp__Pb__KafkaClientStats *clients[] = {&client};

	histogram.n_buckets = histogram.n_counts = 5;
	histogram.buckets = buckets;
	histogram.counts = counts;
	counter.name = (char *)"rows_max";
	api.api = (char *)"Fetch";
	api.kind = (char *)"max_wait";
	api.n_errors = 2;
	api.errors = counters;
	api.latency = api.transfer = &histogram;
	topic.topic = (char *)"(other)";
	topic.produce = &histogram;
	client.client_id = (char *)"\\(caf\xc3\xa9\n";
	client.rest = &histogram;
	stats.n_apis = 2;
	stats.apis = apis;
	gone.has_evicted = gone.evicted = true;
	stats.n_topics = 3;
	stats.n_clients = 1;
	stats.topics = topics;
	stats.clients = clients;
	stats.n_counters = 2;
	stats.counters = counters;
	reply.cookie = 1;
	reply.stats = &stats;
	message->body_case = BODY(KAFKA_STATS_REPLY);
	message->kafka_stats_reply = &reply;
	assert(lp__pb__dataplane_message__get_packed_size(message) <= max);
	return lp__pb__dataplane_message__pack(message, data);
}

size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;

	switch (index) {
	case 0:
		return seed_stats(&message, data, max);
	case 1:
		return seed_kafka(&message, data, max);
	default:
		return 0;
	}
}
