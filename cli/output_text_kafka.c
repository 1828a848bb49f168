/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_text_kafka.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/clock.h"
#include "cli/output_text_part.h"
#include "cli/table.h"
#include "cli/units.h"

#define COLUMNS(columns) (columns), sizeof(columns) / sizeof((columns)[0])

enum {
	NS_PER_MS = 1000000,
	NOTE_SIZE = 4096,
};

/* ---- what all three have ------------------------------------------------ */

static void
add_number(struct lp_table *table, uint64_t value)
{
	lp_table_add(table, LP_STYLE_PLAIN, "%" PRIu64, value);
}

static void
add_errors(struct lp_table *table, uint64_t count)
{
	lp_table_add(table, count > 0 ? LP_STYLE_BAD : LP_STYLE_PLAIN,
	    "%" PRIu64, count);
}

static void
add_bytes(struct lp_table *table, uint64_t bytes)
{
	char buf[LP_UNITS_SIZE];

	lp_table_add(table, LP_STYLE_PLAIN, "%s", lp_units_bytes(buf, bytes));
}

static void
add_time(struct lp_table *table, bool known, uint64_t ns)
{
	char buf[LP_UNITS_SIZE];

	lp_table_add(
	    table, LP_STYLE_PLAIN, "%s", known ? lp_units_time(buf, ns) : "-");
}

static void
add_quantiles(struct lp_table *table, const Lp__Pb__Histogram *histogram,
    const unsigned *per_myriad, size_t count)
{
	struct lp_histogram_view view = {0};

	lp_view_kafka_add(&view, histogram);
	for (size_t i = 0; i < count; i++)
		add_time(table, view.count > 0,
		    lp_histogram_quantile(&view, per_myriad[i]));
}

/* Each dataplane, one below the other. */
static int
write_rows(const struct lp_print *print, const struct lp_kafka_view *view,
    int (*write)(
	const struct lp_print *print, const struct lp_kafka_view_row *row))
{
	int err = 0;

	lp_output_text_part_round(print);
	for (size_t i = 0; i < view->count && err == 0; i++) {
		lp_output_text_part_title(
		    print, "dataplane", view->rows[i].dataplane);
		err = write(print, &view->rows[i]);
		lp_output_text_part_end(print, i + 1 == view->count);
	}
	return err;
}

static uint64_t
counter(const struct lp_kafka_view_row *row, const char *name)
{
	return lp_view_counter(
	    row->stats->counters, row->stats->n_counters, name);
}

/* How many have counters of their own, and why a list may be short. */
static void
write_places(const struct lp_print *print, const struct lp_kafka_view_row *row,
    const char *what, const char *used, const char *max, const char *evicted)
{
	if (row->cut > 0)
		(void)fprintf(print->out, "and %zu more\n", row->cut);
	(void)fprintf(print->out,
	    "%" PRIu64 " of at most %" PRIu64 " %s; %" PRIu64
	    " lost it to others\n",
	    counter(row, used), counter(row, max), what, counter(row, evicted));
}

/* ---- stats kafka -------------------------------------------------------- */

/* "errors: NOT_LEADER_OR_FOLLOWER 5, ..." */
static void
note_errors(struct lp_table *table, const Lp__Pb__KafkaApiStats *api)
{
	char text[NOTE_SIZE] = "";
	size_t len = 0;

	for (size_t i = 0; i < api->n_errors && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%s %" PRIu64, i > 0 ? ", " : "",
		    lp_table_or_dash(api->errors[i]->name),
		    api->errors[i]->value);
	if (len > 0)
		lp_table_note(table, LP_STYLE_BAD, "errors: %s", text);
}

static void
note_throttle(struct lp_table *table, const Lp__Pb__KafkaApiStats *api)
{
	struct lp_histogram_view view = {0};
	char sum[LP_UNITS_SIZE], p99[LP_UNITS_SIZE];

	if (api->throttled == 0)
		return;
	lp_view_kafka_add(&view, api->throttled_latency);
	lp_table_note(table, LP_STYLE_WARN,
	    "throttled: %" PRIu64 " responses, by %s together; their latency "
	    "p99 %s",
	    api->throttled, lp_units_time(sum, api->throttle_ms * NS_PER_MS),
	    view.count > 0
		? lp_units_time(p99, lp_histogram_quantile(&view, 9900))
		: "-");
}

static void
api_row(struct lp_table *table, const Lp__Pb__KafkaApiStats *api)
{
	static const unsigned quantiles[] = {5000, 9900, 9990, 9999};
	uint64_t errors = 0;

	for (size_t i = 0; i < api->n_errors; i++)
		errors += api->errors[i]->value;
	if (api->other)
		lp_table_add(table, LP_STYLE_PLAIN, "(others)");
	else if (api->listener == NULL)
		lp_table_add(table, LP_STYLE_PLAIN, "-");
	else
		lp_table_add(table, LP_STYLE_PLAIN, "%s/%s",
		    lp_table_or_dash(api->cluster),
		    lp_table_or_dash(api->listener));
	if (api->has_node_id)
		lp_table_add(table, LP_STYLE_PLAIN, "%" PRId32, api->node_id);
	else
		lp_table_add(table, LP_STYLE_PLAIN, "-");
	lp_table_add(table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(api->api));
	lp_table_add(table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(api->kind));
	add_number(table, api->requests);
	add_number(table, api->responses);
	add_errors(table, errors);
	add_number(table, api->in_flight);
	add_quantiles(table, api->latency, quantiles, 4);
	add_time(table, api->latency != NULL,
	    api->latency != NULL ? api->latency->max_ns : 0);
	add_bytes(table, api->request_bytes);
	add_bytes(table, api->response_bytes);
	note_errors(table, api);
	note_throttle(table, api);
}

static int
write_apis(const struct lp_print *print, const struct lp_kafka_view_row *row,
    bool replication)
{
	static const struct lp_column columns[] = {{"LISTENER", false},
	    {"BROKER", true}, {"API", false}, {"KIND", false},
	    {"REQUESTS", true}, {"RESPONSES", true}, {"ERRORS", true},
	    {"IN FLIGHT", true}, {"P50", true}, {"P99", true}, {"P99.9", true},
	    {"P99.99", true}, {"MAX", true}, {"REQUEST BYTES", true},
	    {"RESPONSE BYTES", true}};
	struct lp_table table;
	bool any = false;

	lp_table_init(&table, COLUMNS(columns));
	for (size_t i = 0; i < row->stats->n_apis; i++) {
		const Lp__Pb__KafkaApiStats *api = row->stats->apis[i];
		bool broker =
		    api->origin != NULL && strcmp(api->origin, "broker") == 0;

		if (broker != replication)
			continue;
		api_row(&table, api);
		any = true;
	}
	if (replication && !any) {
		lp_table_fini(&table);
		return 0;
	}
	if (replication)
		(void)fputs("\nreplication, between brokers:\n", print->out);
	return lp_table_write(&table, print->out, print->color);
}

static int
write_counters(
    const struct lp_print *print, const struct lp_kafka_view_row *row)
{
	static const struct lp_column columns[] = {
	    {"COUNTER", false}, {"VALUE", true}};
	struct lp_table table;

	lp_table_init(&table, COLUMNS(columns));
	for (size_t i = 0; i < row->stats->n_counters; i++) {
		const Lp__Pb__Counter *one = row->stats->counters[i];

		if (one->value == 0 && !print->all)
			continue;
		lp_table_add(
		    &table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(one->name));
		add_number(&table, one->value);
	}
	(void)fputc('\n', print->out);
	return lp_table_write(&table, print->out, print->color);
}

static int
write_stats(const struct lp_print *print, const struct lp_kafka_view_row *row)
{
	int err = write_apis(print, row, false);

	if (err == 0)
		err = write_apis(print, row, true);
	if (err == 0)
		err = write_counters(print, row);
	return err;
}

int
lp_output_text_kafka_stats(
    const struct lp_print *print, const struct lp_kafka_view *view)
{
	return write_rows(print, view, write_stats);
}

/* ---- clients ------------------------------------------------------------ */

/* p50 and p99 of each kind. */
static const unsigned pair[] = {5000, 9900};

static void
client_row(struct lp_table *table, const Lp__Pb__KafkaClientStats *client)
{
	struct lp_histogram_view all = {0};

	lp_view_kafka_add(&all, client->produce);
	lp_view_kafka_add(&all, client->fetch);
	lp_view_kafka_add(&all, client->rest);
	if (client->evicted)
		lp_table_add(table, LP_STYLE_PLAIN, "(evicted)");
	else if (client->other)
		lp_table_add(table, LP_STYLE_PLAIN, "(others)");
	else if (client->client_id == NULL)
		lp_table_add(table, LP_STYLE_PLAIN, "(null)");
	else if (client->client_id[0] == '\0')
		lp_table_add(table, LP_STYLE_PLAIN, "\"\"");
	else
		lp_table_add(table, LP_STYLE_PLAIN, "%s", client->client_id);
	add_number(table, client->requests);
	add_errors(table, client->errors);
	add_number(table, client->throttled);
	add_number(table, client->in_flight);
	add_bytes(table, client->request_bytes);
	add_bytes(table, client->response_bytes);
	add_quantiles(table, client->produce, pair, 2);
	add_quantiles(table, client->fetch, pair, 2);
	add_quantiles(table, client->rest, pair, 2);
	add_time(table, all.count > 0, all.max_ns);
	add_time(table, client->has_idle_ms, client->idle_ms * NS_PER_MS);
}

static int
write_clients(const struct lp_print *print, const struct lp_kafka_view_row *row)
{
	static const struct lp_column columns[] = {{"CLIENT ID", false},
	    {"REQUESTS", true}, {"ERRORS", true}, {"THROTTLED", true},
	    {"IN FLIGHT", true}, {"REQUEST BYTES", true},
	    {"RESPONSE BYTES", true}, {"PRODUCE P50", true}, {"P99", true},
	    {"FETCH P50", true}, {"P99", true}, {"REST P50", true},
	    {"P99", true}, {"MAX", true}, {"IDLE", true}};
	struct lp_table table;
	int err;

	lp_table_init(&table, COLUMNS(columns));
	for (size_t i = 0; i < row->shown; i++)
		client_row(&table, row->stats->clients[i]);
	if (row->other != NULL)
		client_row(&table, row->other);
	if (row->evicted != NULL)
		client_row(&table, row->evicted);
	err = lp_table_write(&table, print->out, print->color);
	write_places(print, row, "client ids have a row of their own",
	    "clients", "clients_max", "clients_evicted");
	return err;
}

int
lp_output_text_kafka_clients(
    const struct lp_print *print, const struct lp_kafka_view *view)
{
	return write_rows(print, view, write_clients);
}

/* ---- topics ------------------------------------------------------------- */

static void
topic_row(struct lp_table *table, const Lp__Pb__KafkaTopicStats *topic)
{
	struct lp_histogram_view all = {0};

	lp_view_kafka_add(&all, topic->produce);
	lp_view_kafka_add(&all, topic->fetch);
	lp_table_add(table, LP_STYLE_PLAIN, "%s",
	    topic->evicted     ? "(evicted)"
		: topic->other ? "(others)"
			       : lp_table_or_dash(topic->topic));
	lp_table_add(
	    table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(topic->cluster));
	add_number(table, topic->produce_requests);
	add_bytes(table, topic->produce_bytes);
	add_number(table, topic->fetch_responses);
	add_bytes(table, topic->fetch_bytes);
	add_errors(table, topic->errors);
	add_quantiles(table, topic->produce, pair, 2);
	add_quantiles(table, topic->fetch, pair, 2);
	add_time(table, all.count > 0, all.max_ns);
}

static int
write_topics(const struct lp_print *print, const struct lp_kafka_view_row *row)
{
	static const struct lp_column columns[] = {{"TOPIC", false},
	    {"CLUSTER", false}, {"PRODUCES", true}, {"PRODUCE BYTES", true},
	    {"FETCHES", true}, {"FETCH BYTES", true}, {"ERRORS", true},
	    {"PRODUCE P50", true}, {"P99", true}, {"FETCH P50", true},
	    {"P99", true}, {"MAX", true}};
	struct lp_table table;
	int err;

	lp_table_init(&table, COLUMNS(columns));
	for (size_t i = 0; i < row->shown; i++)
		topic_row(&table, row->stats->topics[i]);
	if (row->other != NULL)
		topic_row(&table, row->other);
	if (row->evicted != NULL)
		topic_row(&table, row->evicted);
	err = lp_table_write(&table, print->out, print->color);
	write_places(print, row, "topics have a row of their own", "topics",
	    "topics_max", "topics_evicted");
	return err;
}

int
lp_output_text_kafka_topics(
    const struct lp_print *print, const struct lp_kafka_view *view)
{
	return write_rows(print, view, write_topics);
}

/* ---- topic ids ---------------------------------------------------------- */

int
lp_output_text_kafka_ids(
    const struct lp_print *print, const Lp__Pb__StatusReply *reply)
{
	static const struct lp_column columns[] = {{"CLUSTER", false},
	    {"TOPIC IDS", true}, {"SEEDED", true}, {"LEARNT", true},
	    {"SHARED", true}, {"REFUSED", true}, {"RENAMED", true},
	    {"ASKED", true}, {"FAILED", true}, {"ANSWERED", false}};
	struct lp_table table;

	if (reply->n_topic_ids == 0)
		return 0;
	(void)fputc('\n', print->out);
	lp_table_init(&table, COLUMNS(columns));
	for (size_t i = 0; i < reply->n_topic_ids; i++) {
		const Lp__Pb__TopicIdsStatus *row = reply->topic_ids[i];
		char time[LP_CLOCK_RFC3339_SIZE] = "-";

		if (row->since_ns != 0)
			(void)lp_clock_rfc3339(time, row->since_ns);
		lp_table_add(&table, LP_STYLE_PLAIN, "%s",
		    lp_table_or_dash(row->cluster));
		add_number(&table, row->known);
		add_number(&table, row->seeded);
		add_number(&table, row->learnt);
		add_number(&table, row->shared);
		add_errors(&table, row->refused);
		add_errors(&table, row->renamed);
		add_number(&table, row->asked);
		add_number(&table, row->failed);
		lp_table_add(&table, LP_STYLE_PLAIN, "%s", time);
		if (row->why != NULL)
			lp_table_note(&table, LP_STYLE_WARN, "  %s", row->why);
	}
	return lp_table_write(&table, print->out, print->color);
}
