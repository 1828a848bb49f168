/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/view_kafka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/view.h"

/* A topic or a client with what it is sorted by. */
struct item {
	uint64_t key; /* the largest first */
	const char *name; /* NULL in front of all others */
	void *message;
};

/* What topics and clients have in common. */
struct list {
	void **messages;
	size_t count;
	bool (*other)(const void *message);
	bool (*evicted)(const void *message); /* which is an other, too */
	const char *(*name)(const void *message);
	uint64_t (*key)(const void *message, enum lp_kafka_sort sort);
};

static int
no_memory(struct lp_error *error)
{
	return lp_error_set(error, LP_EXIT_UNREACHABLE, "out of memory");
}

/* ---- merging ------------------------------------------------------------ */

static int
add_stats(struct lp_kafka_view *view, Lp__Pb__KafkaCountersReply *reply)
{
	const char *dataplane =
	    reply->dataplane != NULL ? reply->dataplane : "";
	Lp__Pb__KafkaStats *to;
	int err;

	for (size_t i = 0; i < view->count; i++) {
		if (strcmp(view->rows[i].dataplane, dataplane) != 0)
			continue;
		to = view->rows[i].stats;
		err = LP_VIEW_MOVE(to, reply->stats, apis);
		if (err == 0)
			err = LP_VIEW_MOVE(to, reply->stats, topics);
		if (err == 0)
			err = LP_VIEW_MOVE(to, reply->stats, clients);
		if (err == 0)
			err = LP_VIEW_MOVE(to, reply->stats, counters);
		return err;
	}
	view->rows[view->count++] = (struct lp_kafka_view_row){
	    .dataplane = dataplane, .stats = reply->stats};
	return 0;
}

int
lp_view_kafka_init(struct lp_kafka_view *view, struct lp_replies *replies,
    struct lp_error *error)
{
	view->count = 0;
	view->rows = calloc(replies->count, sizeof(*view->rows));
	if (view->rows == NULL)
		return no_memory(error);
	for (size_t i = 0; i < replies->count; i++)
		if (add_stats(view, replies->list[i]->kafka) != 0) {
			lp_view_kafka_fini(view);
			return no_memory(error);
		}
	return LP_EXIT_OK;
}

void
lp_view_kafka_fini(struct lp_kafka_view *view)
{
	free(view->rows);
	*view = (struct lp_kafka_view){0};
}

void
lp_view_kafka_add(
    struct lp_histogram_view *view, const Lp__Pb__Histogram *message)
{
	if (message == NULL)
		return;
	for (size_t i = 0; i < message->n_buckets && i < message->n_counts; i++)
		(void)lp_histogram_put(
		    view, message->buckets[i], message->counts[i]);
	view->sum_ns += message->sum_ns;
	if (view->max_ns < message->max_ns)
		view->max_ns = message->max_ns;
}

/* ---- sorting ------------------------------------------------------------ */

bool
lp_view_kafka_sort(enum lp_kafka_sort *sort, const char *word)
{
	const char *at = LP_VIEW_KAFKA_SORT_WORDS;

	for (unsigned i = 0; *at != '\0'; i++) {
		size_t len = strcspn(at, " ");

		if (strlen(word) == len && memcmp(at, word, len) == 0) {
			*sort = i;
			return true;
		}
		at += len + (at[len] == ' ');
	}
	return false;
}

static uint64_t
latency_key(const struct lp_histogram_view *view, enum lp_kafka_sort sort)
{
	switch (sort) {
	case LP_KAFKA_SORT_P50:
		return lp_histogram_quantile(view, 5000);
	case LP_KAFKA_SORT_P99:
		return lp_histogram_quantile(view, 9900);
	case LP_KAFKA_SORT_P99_9:
		return lp_histogram_quantile(view, 9990);
	case LP_KAFKA_SORT_P99_99:
		return lp_histogram_quantile(view, 9999);
	case LP_KAFKA_SORT_MAX:
		return view->max_ns;
	default:
		return 0; /* by name */
	}
}

static bool
topic_other(const void *message)
{
	return ((const Lp__Pb__KafkaTopicStats *)message)->other;
}

static bool
topic_evicted(const void *message)
{
	return ((const Lp__Pb__KafkaTopicStats *)message)->evicted;
}

static const char *
topic_name(const void *message)
{
	return ((const Lp__Pb__KafkaTopicStats *)message)->topic;
}

static uint64_t
topic_key(const void *message, enum lp_kafka_sort sort)
{
	const Lp__Pb__KafkaTopicStats *topic = message;
	struct lp_histogram_view view = {0};

	switch (sort) {
	case LP_KAFKA_SORT_REQUESTS:
		return topic->produce_requests + topic->fetch_responses;
	case LP_KAFKA_SORT_BYTES:
		return topic->produce_bytes + topic->fetch_bytes;
	case LP_KAFKA_SORT_ERRORS:
		return topic->errors;
	default:
		lp_view_kafka_add(&view, topic->produce);
		lp_view_kafka_add(&view, topic->fetch);
		return latency_key(&view, sort);
	}
}

static bool
client_other(const void *message)
{
	return ((const Lp__Pb__KafkaClientStats *)message)->other;
}

static bool
client_evicted(const void *message)
{
	return ((const Lp__Pb__KafkaClientStats *)message)->evicted;
}

static const char *
client_name(const void *message)
{
	return ((const Lp__Pb__KafkaClientStats *)message)->client_id;
}

static uint64_t
client_key(const void *message, enum lp_kafka_sort sort)
{
	const Lp__Pb__KafkaClientStats *client = message;
	struct lp_histogram_view view = {0};

	switch (sort) {
	case LP_KAFKA_SORT_REQUESTS:
		return client->requests;
	case LP_KAFKA_SORT_BYTES:
		return client->request_bytes + client->response_bytes;
	case LP_KAFKA_SORT_ERRORS:
		return client->errors;
	case LP_KAFKA_SORT_IN_FLIGHT:
		return client->in_flight;
	case LP_KAFKA_SORT_THROTTLED:
		return client->throttled;
	case LP_KAFKA_SORT_IDLE:
		return UINT64_MAX - client->idle_ms; /* the latest first */
	default:
		lp_view_kafka_add(&view, client->produce);
		lp_view_kafka_add(&view, client->fetch);
		lp_view_kafka_add(&view, client->rest);
		return latency_key(&view, sort);
	}
}

/* NULL is less than any text. */
static int
compare_texts(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int
compare_items(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	if (a->key != b->key)
		return a->key < b->key ? 1 : -1;
	return compare_texts(a->name, b->name);
}

/* All do with no prefix; null does with no other. */
static bool
begins(const char *name, const char *prefix)
{
	if (prefix == NULL)
		return true;
	return name != NULL && strncmp(name, prefix, strlen(prefix)) == 0;
}

/* The wanted ones first, in order; none is lost: all are to be freed. */
static int
choose(struct lp_kafka_view_row *row, const struct list *list,
    const struct lp_kafka_choice *choice)
{
	struct item *items = calloc(list->count + 1, sizeof(*items));
	size_t wanted = 0, rest = list->count;

	if (items == NULL)
		return -ENOMEM;
	row->other = row->evicted = NULL;
	for (size_t i = 0; i < list->count; i++) {
		void *message = list->messages[i];
		const char *name = list->name(message);

		if (list->evicted(message) && choice->prefix == NULL)
			row->evicted = message;
		else if (list->other(message) && choice->prefix == NULL)
			row->other = message;
		if (list->other(message) || !begins(name, choice->prefix))
			items[--rest].message = message;
		else
			items[wanted++] = (struct item){
			    list->key(message, choice->sort), name, message};
	}
	qsort(items, wanted, sizeof(*items), compare_items);
	for (size_t i = 0; i < list->count; i++)
		list->messages[i] = items[i].message;
	free(items);
	row->shown = wanted;
	if (choice->limit != 0 && choice->limit < wanted)
		row->shown = choice->limit;
	row->cut = wanted - row->shown;
	return 0;
}

int
lp_view_kafka_choose_topics(struct lp_kafka_view *view,
    const struct lp_kafka_choice *choice, struct lp_error *error)
{
	for (size_t i = 0; i < view->count; i++) {
		struct lp_kafka_view_row *row = &view->rows[i];
		const struct list list = {
		    .messages = (void **)row->stats->topics,
		    .count = row->stats->n_topics,
		    .other = topic_other,
		    .evicted = topic_evicted,
		    .name = topic_name,
		    .key = topic_key,
		};

		if (choose(row, &list, choice) != 0)
			return no_memory(error);
	}
	return LP_EXIT_OK;
}

int
lp_view_kafka_choose_clients(struct lp_kafka_view *view,
    const struct lp_kafka_choice *choice, struct lp_error *error)
{
	for (size_t i = 0; i < view->count; i++) {
		struct lp_kafka_view_row *row = &view->rows[i];
		const struct list list = {
		    .messages = (void **)row->stats->clients,
		    .count = row->stats->n_clients,
		    .other = client_other,
		    .evicted = client_evicted,
		    .name = client_name,
		    .key = client_key,
		};

		if (choose(row, &list, choice) != 0)
			return no_memory(error);
	}
	return LP_EXIT_OK;
}

static int
compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int
compare_apis(const void *left, const void *right)
{
	const Lp__Pb__KafkaApiStats *a =
	    *(const Lp__Pb__KafkaApiStats *const *)left;
	const Lp__Pb__KafkaApiStats *b =
	    *(const Lp__Pb__KafkaApiStats *const *)right;
	int order = compare_numbers(a->other, b->other);

	/* "client" is after "broker", and shall come first. */
	if (order == 0)
		order = compare_texts(b->origin, a->origin);
	if (order == 0)
		order = compare_texts(a->cluster, b->cluster);
	if (order == 0)
		order = compare_texts(a->listener, b->listener);
	if (order == 0)
		order = compare_numbers(a->node_id, b->node_id);
	if (order == 0)
		order = compare_numbers(a->api_key, b->api_key);
	if (order == 0)
		order = compare_texts(a->kind, b->kind);
	return order;
}

void
lp_view_kafka_order_apis(struct lp_kafka_view *view)
{
	for (size_t i = 0; i < view->count; i++)
		if (view->rows[i].stats->n_apis > 0)
			qsort(view->rows[i].stats->apis,
			    view->rows[i].stats->n_apis,
			    sizeof(*view->rows[i].stats->apis), compare_apis);
}
