/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_json_kafka.h"

#include "cli/json.h"

static json_t *
quantile(const struct lp_histogram_view *view, unsigned per_myriad)
{
	return lp_json_integer(lp_histogram_quantile(view, per_myriad));
}

/* null: nothing was measured. */
static json_t *
latency(const Lp__Pb__Histogram *histogram)
{
	struct lp_histogram_view view = {0};

	lp_view_kafka_add(&view, histogram);
	if (view.count == 0)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "count", lp_json_integer(view.count), "sum_ns",
	    lp_json_integer(view.sum_ns), "mean_ns",
	    lp_json_integer(lp_histogram_mean(&view)), "p50_ns",
	    quantile(&view, 5000), "p90_ns", quantile(&view, 9000), "p99_ns",
	    quantile(&view, 9900), "p99_9_ns", quantile(&view, 9990),
	    "p99_99_ns", quantile(&view, 9999), "max_ns",
	    lp_json_integer(view.max_ns));
}

static json_t *
api_stats(const Lp__Pb__KafkaApiStats *api)
{
	json_t *what = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}",
	    "cluster", lp_json_string_or_null(api->cluster), "listener",
	    lp_json_string_or_null(api->listener), "node_id",
	    lp_json_number_or_null(api->has_node_id, api->node_id), "api_key",
	    lp_json_number_or_null(api->has_api_key, api->api_key), "api",
	    lp_json_string_or_null(api->api), "origin",
	    lp_json_string_or_null(api->origin), "kind",
	    lp_json_string_or_null(api->kind), "other", api->other);
	json_t *numbers = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "requests", lp_json_integer(api->requests), "responses",
	    lp_json_integer(api->responses), "request_bytes",
	    lp_json_integer(api->request_bytes), "response_bytes",
	    lp_json_integer(api->response_bytes), "in_flight",
	    lp_json_integer(api->in_flight), "throttled",
	    lp_json_integer(api->throttled), "throttle_ms",
	    lp_json_integer(api->throttle_ms), "errors",
	    lp_json_counters(api->errors, api->n_errors));

	return lp_json_join(lp_json_join(what, numbers),
	    json_pack("{s:o, s:o, s:o}", "latency", latency(api->latency),
		"throttled_latency", latency(api->throttled_latency),
		"transfer", latency(api->transfer)));
}

static json_t *
client_stats(const Lp__Pb__KafkaClientStats *client)
{
	json_t *numbers =
	    json_pack("{s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"client_id", lp_json_string_or_null(client->client_id), "other",
		client->other, "evicted", client->evicted, "requests",
		lp_json_integer(client->requests), "responses",
		lp_json_integer(client->responses), "request_bytes",
		lp_json_integer(client->request_bytes), "response_bytes",
		lp_json_integer(client->response_bytes), "errors",
		lp_json_integer(client->errors), "throttled",
		lp_json_integer(client->throttled), "in_flight",
		lp_json_integer(client->in_flight), "idle_ms",
		lp_json_number_or_null(
		    client->has_idle_ms, (int64_t)client->idle_ms));

	return lp_json_join(numbers,
	    json_pack("{s:o, s:o, s:o}", "produce", latency(client->produce),
		"fetch", latency(client->fetch), "rest",
		latency(client->rest)));
}

static json_t *
topic_stats(const Lp__Pb__KafkaTopicStats *topic)
{
	return json_pack(
	    "{s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "cluster", lp_json_string_or_null(topic->cluster), "topic",
	    lp_json_string_or_null(topic->topic), "other", topic->other,
	    "evicted", topic->evicted, "produce_requests",
	    lp_json_integer(topic->produce_requests), "produce_bytes",
	    lp_json_integer(topic->produce_bytes), "fetch_responses",
	    lp_json_integer(topic->fetch_responses), "fetch_bytes",
	    lp_json_integer(topic->fetch_bytes), "errors",
	    lp_json_integer(topic->errors), "produce", latency(topic->produce),
	    "fetch", latency(topic->fetch));
}

/* "other" is the last element of its list, or has "evicted" behind it. */
static json_t *
clients(const struct lp_kafka_view_row *row)
{
	json_t *list = json_array();

	for (size_t i = 0; i < row->shown; i++)
		list =
		    lp_json_append(list, client_stats(row->stats->clients[i]));
	if (row->other != NULL)
		list = lp_json_append(list, client_stats(row->other));
	if (row->evicted != NULL)
		list = lp_json_append(list, client_stats(row->evicted));
	return list;
}

static json_t *
topics(const struct lp_kafka_view_row *row)
{
	json_t *list = json_array();

	for (size_t i = 0; i < row->shown; i++)
		list = lp_json_append(list, topic_stats(row->stats->topics[i]));
	if (row->other != NULL)
		list = lp_json_append(list, topic_stats(row->other));
	if (row->evicted != NULL)
		list = lp_json_append(list, topic_stats(row->evicted));
	return list;
}

static json_t *
apis(const struct lp_kafka_view_row *row)
{
	json_t *list = json_array();

	for (size_t i = 0; i < row->stats->n_apis; i++)
		list = lp_json_append(list, api_stats(row->stats->apis[i]));
	return list;
}

/* {"dataplanes": [{..., "counters": {...}, "KEY": [...]}]} */
static int
write_list(const struct lp_print *print, const struct lp_kafka_view *view,
    const char *key, json_t *(*list)(const struct lp_kafka_view_row *row))
{
	json_t *rows = json_array();

	for (size_t i = 0; i < view->count; i++) {
		const struct lp_kafka_view_row *row = &view->rows[i];
		const Lp__Pb__KafkaStats *stats = row->stats;

		rows = lp_json_append(rows,
		    json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "dataplane",
			row->dataplane, "time", lp_json_time(stats->time_ns),
			"time_ns", lp_json_integer(stats->time_ns), "counters",
			lp_json_counters(stats->counters, stats->n_counters),
			key, list(row), "cut", lp_json_integer(row->cut)));
	}
	return lp_json_write(print, json_pack("{s:o}", "dataplanes", rows));
}

int
lp_output_json_kafka_stats(
    const struct lp_print *print, const struct lp_kafka_view *view)
{
	return write_list(print, view, "apis", apis);
}

int
lp_output_json_kafka_clients(
    const struct lp_print *print, const struct lp_kafka_view *view)
{
	return write_list(print, view, "clients", clients);
}

int
lp_output_json_kafka_topics(
    const struct lp_print *print, const struct lp_kafka_view *view)
{
	return write_list(print, view, "topics", topics);
}

json_t *
lp_output_json_kafka_ids(const Lp__Pb__StatusReply *reply)
{
	json_t *list = json_array();

	for (size_t i = 0; i < reply->n_topic_ids; i++) {
		const Lp__Pb__TopicIdsStatus *row = reply->topic_ids[i];

		list = lp_json_append(list,
		    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			      "s:o, s:o, s:o}",
			"cluster", lp_json_string_or_null(row->cluster),
			"known", lp_json_integer(row->known), "seeded",
			lp_json_integer(row->seeded), "learnt",
			lp_json_integer(row->learnt), "shared",
			lp_json_integer(row->shared), "refused",
			lp_json_integer(row->refused), "renamed",
			lp_json_integer(row->renamed), "asked",
			lp_json_integer(row->asked), "failed",
			lp_json_integer(row->failed), "since",
			lp_json_time(row->since_ns), "since_ns",
			lp_json_integer(row->since_ns), "why",
			lp_json_string_or_null(row->why)));
	}
	return list;
}
