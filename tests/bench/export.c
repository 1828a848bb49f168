/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The largest page of metrics that the limits allow: how large it is, how much
 * time of the CPU it takes from frames to text, and how much the longest single
 * frame does, for so long lp-controld does nothing else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "controld/export_kafka.h"
#include "controld/export_rows.h"
#include "dataplane/pipeline/limits.h"
#include "proto/histogram.h"
#include "proto/limits.h"

enum {
	BUCKETS = 200, /* of a histogram that are not empty */
	FRAME_ROWS = 16, /* with such histograms in 64 KiB */
	BROKERS = 100,
};

struct bench {
	struct lp_export_text text;
	Lp__Pb__Histogram histogram;
	uint32_t buckets[BUCKETS];
	uint64_t counts[BUCKETS];
	double worst_ms, all_ms;
	size_t wire_bytes;
};

static double
cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void
took(struct bench *bench, double since)
{
	double ms = cpu_ms() - since;

	bench->all_ms += ms;
	if (bench->worst_ms < ms)
		bench->worst_ms = ms;
}

/* As it comes from a dataplane: unpacked, and written. */
static void
take(struct bench *bench, Lp__Pb__KafkaStats *stats)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__KafkaStatsReply reply = LP__PB__KAFKA_STATS_REPLY__INIT;
	Lp__Pb__DataplaneMessage *taken;
	uint8_t bytes[LP_FRAME_SIZE_MAX];
	size_t len;
	double began;

	reply.stats = stats;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_KAFKA_STATS_REPLY;
	message.kafka_stats_reply = &reply;
	len = lp__pb__dataplane_message__get_packed_size(&message);
	if (len > sizeof(bytes)) {
		fprintf(stderr, "%zu bytes are no frame\n", len);
		exit(1);
	}
	lp__pb__dataplane_message__pack(&message, bytes);
	bench->wire_bytes += len;
	began = cpu_ms();
	taken = lp_message_unpack_dataplane(bytes, len);
	lp_export_kafka_add(&bench->text, "/run/lightpath/dataplane.sock",
	    taken->kafka_stats_reply->stats);
	lp__pb__dataplane_message__free_unpacked(taken, NULL);
	took(bench, began);
}

static void
add_endpoints(struct bench *bench)
{
	for (unsigned first = 0; first < LP_ENDPOINTS_MAX;
	     first += LP_ROWS_MAX) {
		Lp__Pb__Stats stats = LP__PB__STATS__INIT;
		Lp__Pb__EndpointStats rows[LP_ROWS_MAX], *list[LP_ROWS_MAX];
		char names[LP_ROWS_MAX][32];
		double began = cpu_ms();

		for (unsigned i = 0; i < LP_ROWS_MAX; i++) {
			lp__pb__endpoint_stats__init(&rows[i]);
			snprintf(names[i], sizeof(names[i]), "listener-%u",
			    (first + i) / BROKERS);
			rows[i].cluster = (char *)"payments";
			rows[i].listener = names[i];
			rows[i].has_node_id = true;
			rows[i].node_id = (int32_t)((first + i) % BROKERS);
			rows[i].client_bytes = 123456789012 + i;
			list[i] = &rows[i];
		}
		stats.n_endpoints = LP_ROWS_MAX;
		stats.endpoints = list;
		lp_export_rows_stats(
		    &bench->text, "/run/lightpath/dataplane.sock", &stats);
		took(bench, began);
	}
}

static void
add_apis(struct bench *bench)
{
	for (unsigned first = 0; first < LP_KAFKA_ROWS_MAX;
	     first += FRAME_ROWS) {
		Lp__Pb__KafkaStats stats = LP__PB__KAFKA_STATS__INIT;
		Lp__Pb__KafkaApiStats rows[FRAME_ROWS], *list[FRAME_ROWS];
		char names[FRAME_ROWS][32];

		for (unsigned i = 0; i < FRAME_ROWS; i++) {
			lp__pb__kafka_api_stats__init(&rows[i]);
			snprintf(names[i], sizeof(names[i]), "listener-%u",
			    (first + i) / BROKERS);
			rows[i].cluster = (char *)"payments";
			rows[i].listener = names[i];
			rows[i].has_node_id = true;
			rows[i].node_id = (int32_t)((first + i) % BROKERS);
			rows[i].api = (char *)"Produce";
			rows[i].origin = (char *)"client";
			rows[i].kind = (char *)"acks=all";
			rows[i].request_bytes = 123456789012 + i;
			rows[i].latency = rows[i].throttled_latency =
			    rows[i].transfer = &bench->histogram;
			list[i] = &rows[i];
		}
		stats.n_apis = FRAME_ROWS;
		stats.apis = list;
		take(bench, &stats);
	}
}

static void
add_talkers(struct bench *bench)
{
	for (unsigned i = 0; i < LP_KAFKA_TALKERS_MAX; i++) {
		Lp__Pb__KafkaStats stats = LP__PB__KAFKA_STATS__INIT;
		Lp__Pb__KafkaTopicStats topic = LP__PB__KAFKA_TOPIC_STATS__INIT;
		Lp__Pb__KafkaTopicStats *topics[] = {&topic};
		Lp__Pb__KafkaClientStats client =
		    LP__PB__KAFKA_CLIENT_STATS__INIT;
		Lp__Pb__KafkaClientStats *clients[] = {&client};
		char name[32];

		snprintf(name, sizeof(name), "name-of-something-%u", i);
		topic.cluster = (char *)"payments";
		topic.topic = client.client_id = name;
		topic.produce = topic.fetch = client.produce = client.fetch =
		    client.rest = &bench->histogram;
		stats.n_topics = stats.n_clients = 1;
		stats.topics = topics;
		stats.clients = clients;
		take(bench, &stats);
	}
}

int
main(int argc, char **argv)
{
	static struct bench bench;
	struct lp_export_text *texts[] = {&bench.text};
	struct evbuffer *page = evbuffer_new();
	double written, joined;
	FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;

	lp__pb__histogram__init(&bench.histogram);
	for (uint32_t i = 0; i < BUCKETS; i++) {
		bench.buckets[i] = 5 * i;
		bench.counts[i] = 1000 + i;
	}
	bench.histogram.n_buckets = bench.histogram.n_counts = BUCKETS;
	bench.histogram.buckets = bench.buckets;
	bench.histogram.counts = bench.counts;
	lp_export_text_init(&bench.text, SIZE_MAX);
	add_endpoints(&bench);
	add_apis(&bench);
	add_talkers(&bench);
	written = cpu_ms();
	lp_export_text_join(page, texts, 1);
	joined = cpu_ms();
	printf("%zu bytes of Kafka, %zu bytes of text: %.1f ms, the longest "
	       "frame %.2f ms, joined in %.2f ms\n",
	    bench.wire_bytes, evbuffer_get_length(page), bench.all_ms,
	    bench.worst_ms, joined - written);
	if (out != NULL) {
		evbuffer_write(page, fileno(out));
		while (evbuffer_get_length(page) > 0 &&
		    evbuffer_write(page, fileno(out)) > 0)
			;
		fclose(out);
	}
	evbuffer_free(page);
	lp_export_text_fini(&bench.text);
	return 0;
}
