/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/top_sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/view.h"

enum { API_PRODUCE = 0, API_FETCH = 1 };

static int make_room(struct lp_top_sample *sample);
static void add_reply(
    struct lp_top_sample *sample, const Lp__Pb__KafkaCountersReply *reply);

static const char *
text_or_empty(const char *text)
{
	return text != NULL ? text : "";
}

int
lp_top_sample_init(struct lp_top_sample *sample, struct lp_replies *replies)
{
	*sample = (struct lp_top_sample){.replies = *replies};
	*replies = (struct lp_replies){0};
	if (make_room(sample) != 0) {
		lp_top_sample_fini(sample);
		return -ENOMEM;
	}
	for (size_t i = 0; i < sample->replies.count; i++)
		add_reply(sample, sample->replies.list[i]->kafka);
	qsort(sample->apis, sample->api_count, sizeof(*sample->apis),
	    lp_top_sample_compare);
	qsort(sample->topics, sample->topic_count, sizeof(*sample->topics),
	    lp_top_sample_compare);
	qsort(sample->clients, sample->client_count, sizeof(*sample->clients),
	    lp_top_sample_compare);
	return 0;
}

void
lp_top_sample_fini(struct lp_top_sample *sample)
{
	free(sample->planes);
	free(sample->apis);
	free(sample->topics);
	free(sample->clients);
	lp_client_replies_free(&sample->replies);
	*sample = (struct lp_top_sample){0};
}

static int
make_room(struct lp_top_sample *sample)
{
	size_t apis = 0, topics = 0, clients = 0;

	for (size_t i = 0; i < sample->replies.count; i++) {
		const Lp__Pb__KafkaStats *stats =
		    sample->replies.list[i]->kafka->stats;

		apis += stats->n_apis;
		topics += stats->n_topics;
		clients += stats->n_clients;
	}
	/* One more of each: calloc() may return NULL for none. */
	sample->planes =
	    calloc(sample->replies.count + 1, sizeof(*sample->planes));
	sample->apis = calloc(apis + 1, sizeof(*sample->apis));
	sample->topics = calloc(topics + 1, sizeof(*sample->topics));
	sample->clients = calloc(clients + 1, sizeof(*sample->clients));
	return sample->planes != NULL && sample->apis != NULL &&
		sample->topics != NULL && sample->clients != NULL
	    ? 0
	    : -ENOMEM;
}

static uint64_t
counter(const Lp__Pb__KafkaStats *stats, const char *name)
{
	return lp_view_counter(stats->counters, stats->n_counters, name);
}

/* Of several frames of one dataplane the first that has counters tells. */
static const char *
add_plane(struct lp_top_sample *sample, const Lp__Pb__KafkaCountersReply *reply)
{
	const char *id = text_or_empty(reply->dataplane);
	struct lp_top_plane *plane =
	    (struct lp_top_plane *)lp_top_sample_plane(sample, id);

	if (plane == NULL) {
		plane = &sample->planes[sample->plane_count++];
		plane->id = id;
		plane->time_ns = reply->stats->time_ns;
	}
	if (plane->streams_lost == 0)
		plane->streams_lost = counter(reply->stats, "streams_lost");
	if (plane->unseen_bytes == 0)
		plane->unseen_bytes = counter(reply->stats, "unseen_bytes");
	return plane->id;
}

/* Most dataplanes never have others: there is no row of them then. */
static bool
is_empty_other(const struct lp_top_entry *entry)
{
	struct lp_top_figures figures;

	if (!lp_top_sample_is_other(entry))
		return false;
	lp_top_sample_figures(&figures, entry);
	for (int i = 0; i < LP_TOP_COUNTS; i++)
		if (figures.counts[i] != 0)
			return false;
	return figures.in_flight == 0;
}

static void
add_entry(
    struct lp_top_entry *list, size_t *count, const struct lp_top_entry *entry)
{
	if (!is_empty_other(entry))
		list[(*count)++] = *entry;
}

static void
add_reply(struct lp_top_sample *sample, const Lp__Pb__KafkaCountersReply *reply)
{
	const Lp__Pb__KafkaStats *stats = reply->stats;
	const char *id = add_plane(sample, reply);

	for (size_t i = 0; i < stats->n_apis; i++)
		add_entry(sample->apis, &sample->api_count,
		    &(struct lp_top_entry){
			.dataplane = id, .api = stats->apis[i]});
	for (size_t i = 0; i < stats->n_topics; i++)
		add_entry(sample->topics, &sample->topic_count,
		    &(struct lp_top_entry){
			.dataplane = id, .topic = stats->topics[i]});
	for (size_t i = 0; i < stats->n_clients; i++)
		add_entry(sample->clients, &sample->client_count,
		    &(struct lp_top_entry){
			.dataplane = id, .client = stats->clients[i]});
}

const struct lp_top_entry *
lp_top_sample_entries(
    const struct lp_top_sample *sample, enum lp_top_view view, size_t *count)
{
	switch (view) {
	case LP_TOP_CLIENTS:
		*count = sample->client_count;
		return sample->clients;
	case LP_TOP_TOPICS:
		*count = sample->topic_count;
		return sample->topics;
	default:
		*count = sample->api_count;
		return sample->apis;
	}
}

const struct lp_top_plane *
lp_top_sample_plane(const struct lp_top_sample *sample, const char *id)
{
	for (size_t i = 0; i < sample->plane_count; i++)
		if (strcmp(sample->planes[i].id, id) == 0)
			return &sample->planes[i];
	return NULL;
}

static int
compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* NULL is not the empty text: it comes before. */
static int
compare_texts(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int
compare_apis(const Lp__Pb__KafkaApiStats *a, const Lp__Pb__KafkaApiStats *b)
{
	int order = compare_numbers(a->listener_id, b->listener_id);

	if (order == 0)
		order = compare_numbers(a->broker_id, b->broker_id);
	if (order == 0)
		order = compare_numbers(a->api_key, b->api_key);
	if (order == 0)
		order = compare_texts(a->origin, b->origin);
	if (order == 0)
		order = compare_texts(a->kind, b->kind);
	return order;
}

static int
compare_topics(
    const Lp__Pb__KafkaTopicStats *a, const Lp__Pb__KafkaTopicStats *b)
{
	int order = compare_numbers(a->cluster_id, b->cluster_id);

	if (order == 0)
		order = compare_numbers(a->other, b->other);
	if (order == 0)
		order = compare_numbers(a->evicted, b->evicted);
	if (order == 0)
		order = compare_texts(a->topic, b->topic);
	return order;
}

static int
compare_clients(
    const Lp__Pb__KafkaClientStats *a, const Lp__Pb__KafkaClientStats *b)
{
	int order = compare_numbers(a->other, b->other);

	if (order == 0)
		order = compare_numbers(a->evicted, b->evicted);
	return order != 0 ? order : compare_texts(a->client_id, b->client_id);
}

int
lp_top_sample_compare(const void *a, const void *b)
{
	const struct lp_top_entry *x = a;
	const struct lp_top_entry *y = b;
	int order = strcmp(x->dataplane, y->dataplane);

	if (order != 0)
		return order;
	if (x->api != NULL)
		return compare_apis(x->api, y->api);
	if (x->topic != NULL)
		return compare_topics(x->topic, y->topic);
	return compare_clients(x->client, y->client);
}

static void
api_figures(struct lp_top_figures *figures, const Lp__Pb__KafkaApiStats *api)
{
	enum lp_top_latency of = LP_TOP_REST;

	figures->counts[LP_TOP_COUNT_REQUESTS] = api->requests;
	figures->responses = api->responses;
	figures->counts[LP_TOP_COUNT_IN] = api->request_bytes;
	figures->counts[LP_TOP_COUNT_OUT] = api->response_bytes;
	for (size_t i = 0; i < api->n_errors; i++)
		figures->counts[LP_TOP_COUNT_ERRORS] += api->errors[i]->value;
	figures->counts[LP_TOP_COUNT_THROTTLED] = api->throttled;
	figures->in_flight = api->in_flight;
	if (api->has_api_key && api->api_key == API_PRODUCE)
		of = LP_TOP_PRODUCE;
	else if (api->has_api_key && api->api_key == API_FETCH)
		of = LP_TOP_FETCH;
	figures->latency[of] = api->latency;
	figures->max_wait = strcmp(text_or_empty(api->kind), "max_wait") == 0;
}

static void
topic_figures(
    struct lp_top_figures *figures, const Lp__Pb__KafkaTopicStats *topic)
{
	figures->counts[LP_TOP_COUNT_REQUESTS] =
	    topic->produce_requests + topic->fetch_responses;
	figures->counts[LP_TOP_COUNT_IN] = topic->produce_bytes;
	figures->counts[LP_TOP_COUNT_OUT] = topic->fetch_bytes;
	figures->counts[LP_TOP_COUNT_ERRORS] = topic->errors;
	figures->latency[LP_TOP_PRODUCE] = topic->produce;
	figures->latency[LP_TOP_FETCH] = topic->fetch;
}

static void
client_figures(
    struct lp_top_figures *figures, const Lp__Pb__KafkaClientStats *client)
{
	figures->counts[LP_TOP_COUNT_REQUESTS] = client->requests;
	figures->counts[LP_TOP_COUNT_IN] = client->request_bytes;
	figures->counts[LP_TOP_COUNT_OUT] = client->response_bytes;
	figures->counts[LP_TOP_COUNT_ERRORS] = client->errors;
	figures->counts[LP_TOP_COUNT_THROTTLED] = client->throttled;
	figures->in_flight = client->in_flight;
	figures->latency[LP_TOP_PRODUCE] = client->produce;
	figures->latency[LP_TOP_FETCH] = client->fetch;
	figures->latency[LP_TOP_REST] = client->rest;
}

bool
lp_top_sample_is_other(const struct lp_top_entry *entry)
{
	return (entry->api != NULL && entry->api->other) ||
	    (entry->topic != NULL && entry->topic->other) ||
	    (entry->client != NULL && entry->client->other);
}

bool
lp_top_sample_is_evicted(const struct lp_top_entry *entry)
{
	return (entry->topic != NULL && entry->topic->evicted) ||
	    (entry->client != NULL && entry->client->evicted);
}

void
lp_top_sample_figures(
    struct lp_top_figures *figures, const struct lp_top_entry *entry)
{
	*figures = (struct lp_top_figures){0};
	if (entry->api != NULL)
		api_figures(figures, entry->api);
	else if (entry->topic != NULL)
		topic_figures(figures, entry->topic);
	else
		client_figures(figures, entry->client);
}
