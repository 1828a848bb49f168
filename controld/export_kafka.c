/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/export_kafka.h"

#include <inttypes.h>
#include <stdio.h>

#include "controld/export_rows.h"

enum { LABEL_SIZE = LP_EXPORT_TEXT_VALUE_MAX + 2 };

/* Values that no real name has: see real_name(). */
#define OTHER "(other)" /* the sum of all that have no place of their own */
#define NONE "(null)" /* a client that names no id */

/* All others are events: they only ever grow. */
static const struct lp_export_place places[] = {
    {"request_frames", LP_EXPORT_KAFKA_FRAMES, "client"},
    {"response_frames", LP_EXPORT_KAFKA_FRAMES, "broker"},
    {"unseen_bytes", LP_EXPORT_KAFKA_NOT_READ, "unseen"},
    {"skipped_bytes", LP_EXPORT_KAFKA_NOT_READ, "skipped"},
    {"connections_kafka", LP_EXPORT_KAFKA_CONNECTIONS, "kafka"},
    {"connections_tls", LP_EXPORT_KAFKA_CONNECTIONS, "tls"},
    {"connections_other", LP_EXPORT_KAFKA_CONNECTIONS, "other"},
    {"connections_opaque", LP_EXPORT_KAFKA_OPAQUE, NULL},
    {"rows", LP_EXPORT_TABLE, "kafka_rows"},
    {"rows_max", LP_EXPORT_TABLE_LIMIT, "kafka_rows"},
    {"topics", LP_EXPORT_TABLE, "kafka_topics"},
    {"topics_max", LP_EXPORT_TABLE_LIMIT, "kafka_topics"},
    {"clients", LP_EXPORT_TABLE, "kafka_clients"},
    {"clients_max", LP_EXPORT_TABLE_LIMIT, "kafka_clients"},
    {"topic_ids", LP_EXPORT_TABLE, "kafka_topic_ids"},
    {"topic_ids_max", LP_EXPORT_TABLE_LIMIT, "kafka_topic_ids"},
    {"edits", LP_EXPORT_TABLE, "kafka_edits"},
    {"edits_max", LP_EXPORT_TABLE_LIMIT, "kafka_edits"},
    {"buckets", LP_EXPORT_TABLE, "kafka_buckets"},
    {"buckets_max", LP_EXPORT_TABLE_LIMIT, "kafka_buckets"},
    {"sightings", LP_EXPORT_TABLE, "kafka_sightings"},
    {"sightings_max", LP_EXPORT_TABLE_LIMIT, "kafka_sightings"},
    {NULL, 0, NULL},
};

static void add_api(struct lp_export_text *text, const char *path,
    const Lp__Pb__KafkaApiStats *api);
static void add_topic(struct lp_export_text *text, const char *path,
    const Lp__Pb__KafkaTopicStats *topic);
static void add_client(struct lp_export_text *text, const char *path,
    const Lp__Pb__KafkaClientStats *client);
static void add_evicted_topics(struct lp_export_text *text, const char *path,
    const Lp__Pb__KafkaTopicStats *topics);
static void add_evicted_clients(struct lp_export_text *text, const char *path,
    const Lp__Pb__KafkaClientStats *clients);
static const char *real_name(char buf[LABEL_SIZE], const char *name);

void
lp_export_kafka_add(struct lp_export_text *text, const char *path,
    const Lp__Pb__KafkaStats *stats)
{
	const char *const values[] = {path};
	struct lp_export_row row;

	for (size_t i = 0; i < stats->n_apis; i++)
		add_api(text, path, stats->apis[i]);
	for (size_t i = 0; i < stats->n_topics; i++)
		if (stats->topics[i]->evicted)
			add_evicted_topics(text, path, stats->topics[i]);
		else
			add_topic(text, path, stats->topics[i]);
	for (size_t i = 0; i < stats->n_clients; i++)
		if (stats->clients[i]->evicted)
			add_evicted_clients(text, path, stats->clients[i]);
		else
			add_client(text, path, stats->clients[i]);
	/* Only one of the frames has them. */
	if (stats->n_counters == 0 ||
	    !lp_export_text_row(&row, text, LP_EXPORT_SET_DATAPLANE, values))
		return;
	lp_export_rows_places(&row, places, stats->counters, stats->n_counters);
	for (size_t i = 0; i < stats->n_counters; i++) {
		const Lp__Pb__Counter *counter = stats->counters[i];

		if (counter->name != NULL &&
		    !lp_export_rows_has_place(places, counter->name))
			lp_export_text_add(&row, LP_EXPORT_KAFKA_EVENTS,
			    counter->name, counter->value);
	}
}

static void
add_api(struct lp_export_text *text, const char *path,
    const Lp__Pb__KafkaApiStats *api)
{
	char listener[LP_EXPORT_ROWS_NAME_SIZE];
	char broker[LP_EXPORT_ROWS_NAME_SIZE];
	char key[LP_EXPORT_ROWS_NAME_SIZE];
	const char *const own[] = {path, api->cluster,
	    lp_export_rows_name(listener, api->listener, api->listener_id),
	    lp_export_rows_broker(
		broker, api->has_node_id, api->node_id, api->broker_id),
	    lp_export_rows_name(key, api->api, (uint32_t)api->api_key),
	    api->origin, api->kind};
	const char *const rest[LP_EXPORT_TEXT_LABELS_MAX] = {
	    path, OTHER, OTHER, OTHER, OTHER};
	struct lp_export_row row;

	if (!lp_export_text_row(
		&row, text, LP_EXPORT_SET_API, api->other ? rest : own))
		return;
	lp_export_text_add(&row, LP_EXPORT_KAFKA_REQUESTS, NULL, api->requests);
	lp_export_text_add(
	    &row, LP_EXPORT_KAFKA_RESPONSES, NULL, api->responses);
	lp_export_text_add(
	    &row, LP_EXPORT_KAFKA_REQUEST_BYTES, NULL, api->request_bytes);
	lp_export_text_add(
	    &row, LP_EXPORT_KAFKA_RESPONSE_BYTES, NULL, api->response_bytes);
	lp_export_text_add(
	    &row, LP_EXPORT_KAFKA_IN_FLIGHT, NULL, api->in_flight);
	lp_export_text_add(
	    &row, LP_EXPORT_KAFKA_THROTTLED, NULL, api->throttled);
	lp_export_text_add(
	    &row, LP_EXPORT_KAFKA_THROTTLE, NULL, api->throttle_ms);
	for (size_t i = 0; i < api->n_errors; i++)
		if (api->errors[i]->name != NULL)
			lp_export_text_add(&row, LP_EXPORT_KAFKA_ERRORS,
			    api->errors[i]->name, api->errors[i]->value);
	lp_export_text_histogram(
	    &row, LP_EXPORT_KAFKA_LATENCY, NULL, api->latency);
	lp_export_text_histogram(&row, LP_EXPORT_KAFKA_THROTTLED_LATENCY, NULL,
	    api->throttled_latency);
	lp_export_text_histogram(
	    &row, LP_EXPORT_KAFKA_TRANSFER, NULL, api->transfer);
}

static void
add_topic(struct lp_export_text *text, const char *path,
    const Lp__Pb__KafkaTopicStats *topic)
{
	char cluster[LP_EXPORT_ROWS_NAME_SIZE];
	char name[LABEL_SIZE];
	const char *const values[] = {path,
	    topic->other ? OTHER
			 : lp_export_rows_name(
			       cluster, topic->cluster, topic->cluster_id),
	    topic->other ? OTHER : real_name(name, topic->topic)};
	struct lp_export_row row;

	if (!lp_export_text_row(&row, text, LP_EXPORT_SET_TOPIC, values))
		return;
	lp_export_text_add(&row, LP_EXPORT_TOPIC_OPERATIONS, "produce",
	    topic->produce_requests);
	lp_export_text_add(
	    &row, LP_EXPORT_TOPIC_OPERATIONS, "fetch", topic->fetch_responses);
	lp_export_text_add(
	    &row, LP_EXPORT_TOPIC_BYTES, "produce", topic->produce_bytes);
	lp_export_text_add(
	    &row, LP_EXPORT_TOPIC_BYTES, "fetch", topic->fetch_bytes);
	lp_export_text_add(&row, LP_EXPORT_TOPIC_ERRORS, NULL, topic->errors);
	lp_export_text_histogram(
	    &row, LP_EXPORT_TOPIC_LATENCY, "produce", topic->produce);
	lp_export_text_histogram(
	    &row, LP_EXPORT_TOPIC_LATENCY, "fetch", topic->fetch);
}

static void
add_client(struct lp_export_text *text, const char *path,
    const Lp__Pb__KafkaClientStats *client)
{
	char name[LABEL_SIZE];
	const char *const values[] = {path,
	    client->other                   ? OTHER
		: client->client_id != NULL ? real_name(name, client->client_id)
					    : NONE};
	struct lp_export_row row;

	if (!lp_export_text_row(&row, text, LP_EXPORT_SET_CLIENT, values))
		return;
	lp_export_text_add(
	    &row, LP_EXPORT_CLIENT_REQUESTS, NULL, client->requests);
	lp_export_text_add(
	    &row, LP_EXPORT_CLIENT_RESPONSES, NULL, client->responses);
	lp_export_text_add(
	    &row, LP_EXPORT_CLIENT_REQUEST_BYTES, NULL, client->request_bytes);
	lp_export_text_add(&row, LP_EXPORT_CLIENT_RESPONSE_BYTES, NULL,
	    client->response_bytes);
	lp_export_text_add(
	    &row, LP_EXPORT_CLIENT_IN_FLIGHT, NULL, client->in_flight);
	lp_export_text_add(&row, LP_EXPORT_CLIENT_ERRORS, NULL, client->errors);
	lp_export_text_add(
	    &row, LP_EXPORT_CLIENT_THROTTLED, NULL, client->throttled);
	if (client->has_idle_ms)
		lp_export_text_add(
		    &row, LP_EXPORT_CLIENT_IDLE, NULL, client->idle_ms);
	lp_export_text_histogram(
	    &row, LP_EXPORT_CLIENT_LATENCY, "produce", client->produce);
	lp_export_text_histogram(
	    &row, LP_EXPORT_CLIENT_LATENCY, "fetch", client->fetch);
	lp_export_text_histogram(
	    &row, LP_EXPORT_CLIENT_LATENCY, "rest", client->rest);
}

/*
 * Those that lost their rows, summed: it grows by a whole history at once, so
 * it is no row among those that have rates.  Its latencies are of no use.
 */
static void
add_evicted_topics(struct lp_export_text *text, const char *path,
    const Lp__Pb__KafkaTopicStats *topics)
{
	const char *const values[] = {path};
	struct lp_export_row row;

	if (!lp_export_text_row(
		&row, text, LP_EXPORT_SET_EVICTED_TOPICS, values))
		return;
	lp_export_text_add(&row, LP_EXPORT_EVICTED_TOPIC_OPERATIONS, "produce",
	    topics->produce_requests);
	lp_export_text_add(&row, LP_EXPORT_EVICTED_TOPIC_OPERATIONS, "fetch",
	    topics->fetch_responses);
	lp_export_text_add(&row, LP_EXPORT_EVICTED_TOPIC_BYTES, "produce",
	    topics->produce_bytes);
	lp_export_text_add(
	    &row, LP_EXPORT_EVICTED_TOPIC_BYTES, "fetch", topics->fetch_bytes);
	lp_export_text_add(
	    &row, LP_EXPORT_EVICTED_TOPIC_ERRORS, NULL, topics->errors);
}

static void
add_evicted_clients(struct lp_export_text *text, const char *path,
    const Lp__Pb__KafkaClientStats *clients)
{
	const char *const values[] = {path};
	struct lp_export_row row;

	if (!lp_export_text_row(
		&row, text, LP_EXPORT_SET_EVICTED_CLIENTS, values))
		return;
	lp_export_text_add(
	    &row, LP_EXPORT_EVICTED_CLIENT_REQUESTS, NULL, clients->requests);
	lp_export_text_add(
	    &row, LP_EXPORT_EVICTED_CLIENT_RESPONSES, NULL, clients->responses);
	lp_export_text_add(&row, LP_EXPORT_EVICTED_CLIENT_REQUEST_BYTES, NULL,
	    clients->request_bytes);
	lp_export_text_add(&row, LP_EXPORT_EVICTED_CLIENT_RESPONSE_BYTES, NULL,
	    clients->response_bytes);
	lp_export_text_add(
	    &row, LP_EXPORT_EVICTED_CLIENT_ERRORS, NULL, clients->errors);
	lp_export_text_add(
	    &row, LP_EXPORT_EVICTED_CLIENT_THROTTLED, NULL, clients->throttled);
}

/*
 * A client may call itself "(other)": a real name that begins with a
 * parenthesis, or with what hides one, gets a backslash before it.
 */
static const char *
real_name(char buf[LABEL_SIZE], const char *name)
{
	if (name == NULL)
		return "";
	if (name[0] != '(' && name[0] != '\\')
		return name;
	snprintf(buf, LABEL_SIZE, "\\%s", name);
	return buf;
}
