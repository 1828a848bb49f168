/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_text_live.h"

#include <inttypes.h>
#include <string.h>

#include "cli/clock.h"
#include "cli/output_text_part.h"
#include "cli/table.h"
#include "proto/message.h"
#include "proto/reasons.h"

#define COLUMNS(columns) (columns), sizeof(columns) / sizeof((columns)[0])

enum { PERCENT = 100 };

static const char *endpoint_text(
    char buf[LP_ENDPOINT_TEXT_SIZE], const Lp__Pb__Endpoint *message);

/* ---- stats -------------------------------------------------------------- */

/* How long a window of --watch was, in seconds; 0 without one. */
static double
window_s(const struct lp_stats_row *row)
{
	if (row->before == NULL || row->before->time_ns >= row->now->time_ns)
		return 0;
	return (double)(row->now->time_ns - row->before->time_ns) /
	    (double)LP_CLOCK_NS_PER_S;
}

/* A value, and in a window the change a second; "" in the first round. */
static void
add_value(struct lp_table *table, uint64_t now, uint64_t before, double seconds)
{
	lp_table_add(table, LP_STYLE_PLAIN, "%" PRIu64, now);
	if (seconds > 0 && now >= before)
		lp_table_add(table, LP_STYLE_PLAIN, "%.1f",
		    (double)(now - before) / seconds);
	else
		lp_table_add(table, LP_STYLE_PLAIN, "%s", "");
}

/* The list of the last round that stands at the same place; may be NULL. */
struct counters {
	Lp__Pb__Counter **now;
	size_t now_count;
	Lp__Pb__Counter **before;
	size_t before_count;
	double seconds;
};

static void
add_counters(struct lp_table *table, const struct counters *counters,
    const char *first, const char *(*text)(const char *name), bool all)
{
	for (size_t i = 0; i < counters->now_count; i++) {
		const Lp__Pb__Counter *counter = counters->now[i];
		const char *name = lp_table_or_dash(counter->name);

		if (counter->value == 0 && !all)
			continue;
		if (first != NULL)
			lp_table_add(table, LP_STYLE_PLAIN, "%s", first);
		lp_table_add(table, LP_STYLE_PLAIN, "%s", name);
		add_value(table, counter->value,
		    lp_view_counter(
			counters->before, counters->before_count, name),
		    counters->seconds);
		if (text != NULL)
			lp_table_add(table, LP_STYLE_PLAIN, "%s", text(name));
	}
}

static void
write_head(const struct lp_print *print, const struct lp_stats_row *row)
{
	char buf[LP_CLOCK_DURATION_SIZE];
	struct lp_view_time time;

	lp_view_worker_time(&time, row);
	(void)fprintf(print->out,
	    "%sdataplane %s%s: up %s, restarts %u, worker busy %.1f %%, idle "
	    "%.1f %%, asleep %.1f %%\n",
	    lp_table_style(LP_STYLE_TITLE, print->color),
	    lp_table_or_dash(row->dataplane),
	    lp_table_plain(LP_STYLE_TITLE, print->color),
	    lp_clock_duration(buf, row->now->uptime_ns), row->now->restarts,
	    time.busy * PERCENT, time.idle * PERCENT, time.sleep * PERCENT);
}

static int
write_ports(const struct lp_print *print, const struct lp_stats_row *row)
{
	static const struct lp_column columns[] = {{"PORT", false},
	    {"DEVICE", false}, {"STATE", false}, {"BACKEND", false},
	    {"DRIVER", false}, {"MODE", false}, {"MTU", true}, {"QUEUES", true},
	    {"MAC", false}, {"WHY", false}};
	struct lp_table table;

	lp_table_init(&table, COLUMNS(columns));
	for (size_t i = 0; i < row->now->n_ports; i++) {
		const Lp__Pb__PortStats *port = row->now->ports[i];
		char speed[LP_VIEW_SPEED_SIZE];

		lp_table_add(
		    &table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(port->name));
		lp_table_add(&table, LP_STYLE_PLAIN, "%s",
		    lp_table_or_dash(port->device));
		lp_table_add(&table, port->up ? LP_STYLE_GOOD : LP_STYLE_BAD,
		    "%s%s", lp_view_link(port), lp_view_speed(speed, port));
		lp_table_add(&table, LP_STYLE_PLAIN, "%s",
		    lp_table_or_dash(port->backend));
		lp_table_add(&table, LP_STYLE_PLAIN, "%s",
		    lp_table_or_dash(port->driver));
		lp_table_add(
		    &table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(port->mode));
		lp_table_add(&table, LP_STYLE_PLAIN, "%u", port->mtu);
		lp_table_add(&table, LP_STYLE_PLAIN, "%u", port->queues);
		lp_table_add(
		    &table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(port->mac));
		lp_table_add(&table, LP_STYLE_WARN, "%s",
		    port->why != NULL ? port->why : "");
	}
	return lp_table_write(&table, print->out, print->color);
}

static const Lp__Pb__PortStats *
port_before(const struct lp_stats_row *row, const Lp__Pb__PortStats *now)
{
	for (size_t i = 0; row->before != NULL && i < row->before->n_ports; i++)
		if (row->before->ports[i]->id == now->id)
			return row->before->ports[i];
	return NULL;
}

static int
write_port_counters(
    const struct lp_print *print, const struct lp_stats_row *row)
{
	static const struct lp_column columns[] = {{"PORT", false},
	    {"COUNTER", false}, {"VALUE", true}, {"PER SECOND", true}};
	struct lp_table table;

	lp_table_init(&table, COLUMNS(columns));
	if (!print->stream)
		lp_table_hide(&table, 3);
	for (size_t i = 0; i < row->now->n_ports; i++) {
		const Lp__Pb__PortStats *port = row->now->ports[i];
		const Lp__Pb__PortStats *before = port_before(row, port);
		const struct counters counters = {
		    .now = port->counters,
		    .now_count = port->n_counters,
		    .before = before != NULL ? before->counters : NULL,
		    .before_count = before != NULL ? before->n_counters : 0,
		    .seconds = before != NULL ? window_s(row) : 0,
		};

		add_counters(&table, &counters, lp_table_or_dash(port->name),
		    NULL, print->all);
	}
	return lp_table_write(&table, print->out, print->color);
}

static const Lp__Pb__EndpointStats *
endpoint_before(
    const struct lp_stats_row *row, const Lp__Pb__EndpointStats *now)
{
	for (size_t i = 0; row->before != NULL && i < row->before->n_endpoints;
	     i++) {
		const Lp__Pb__EndpointStats *old = row->before->endpoints[i];

		if (old->listener_id == now->listener_id &&
		    old->broker_id == now->broker_id)
			return old;
	}
	return NULL;
}

static void
endpoint_row(struct lp_table *table, const struct lp_stats_row *row,
    const Lp__Pb__EndpointStats *now)
{
	static const Lp__Pb__EndpointStats none = LP__PB__ENDPOINT_STATS__INIT;
	const Lp__Pb__EndpointStats *before = endpoint_before(row, now);
	double seconds = before != NULL ? window_s(row) : 0;

	if (before == NULL)
		before = &none;
	lp_table_add(table, LP_STYLE_PLAIN, "%s/%s",
	    lp_table_or_dash(now->cluster), lp_table_or_dash(now->listener));
	lp_table_add(table, LP_STYLE_PLAIN, "%" PRId32, now->node_id);
	lp_table_add(table, LP_STYLE_PLAIN, "%" PRIu64, now->connections_open);
	add_value(table, now->connections_opened, before->connections_opened,
	    seconds);
	lp_table_add(table, LP_STYLE_PLAIN, "%" PRIu64, now->refused);
	add_value(table, now->client_packets, before->client_packets, seconds);
	add_value(table, now->client_bytes, before->client_bytes, seconds);
	add_value(table, now->broker_packets, before->broker_packets, seconds);
	add_value(table, now->broker_bytes, before->broker_bytes, seconds);
}

static int
write_endpoints(const struct lp_print *print, const struct lp_stats_row *row)
{
	static const struct lp_column columns[] = {{"LISTENER", false},
	    {"BROKER", true}, {"OPEN", true}, {"OPENED", true}, {"/S", true},
	    {"REFUSED", true}, {"CLIENT PACKETS", true}, {"/S", true},
	    {"CLIENT BYTES", true}, {"/S", true}, {"BROKER PACKETS", true},
	    {"/S", true}, {"BROKER BYTES", true}, {"/S", true}};
	struct lp_table table;

	lp_table_init(&table, COLUMNS(columns));
	for (size_t i = 0;
	     !print->stream && i < sizeof(columns) / sizeof(columns[0]); i++)
		if (strcmp(columns[i].title, "/S") == 0)
			lp_table_hide(&table, i);
	for (size_t i = 0; i < row->now->n_endpoints; i++)
		endpoint_row(&table, row, row->now->endpoints[i]);
	return lp_table_write(&table, print->out, print->color);
}

static const char *
reason_text(const char *name)
{
	for (unsigned i = 0; i < LP_REASON_COUNT; i++)
		if (strcmp(lp_reason_name(i), name) == 0)
			return lp_reason_text(i);
	return "";
}

/* A list of counters as a table: its name, value, and what it means. */
static int
write_counters(const struct lp_print *print, const char *title,
    const char *unit, const struct counters *counters,
    const char *(*text)(const char *name), bool all)
{
	const struct lp_column columns[] = {{title, false}, {unit, true},
	    {"/S", true}, {text != NULL ? "MEANING" : "", false}};
	struct lp_table table;

	lp_table_init(&table, columns, text != NULL ? 4 : 3);
	if (!print->stream)
		lp_table_hide(&table, 2);
	add_counters(&table, counters, NULL, text, all);
	(void)fputc('\n', print->out);
	return lp_table_write(&table, print->out, print->color);
}

#define COUNTERS(row, name)                                                    \
	((const struct counters){                                              \
	    .now = (row)->now->name,                                           \
	    .now_count = (row)->now->n_##name,                                 \
	    .before = (row)->before != NULL ? (row)->before->name : NULL,      \
	    .before_count =                                                    \
		(row)->before != NULL ? (row)->before->n_##name : 0,           \
	    .seconds = window_s(row),                                          \
	})

/* "X_max" beside an "X": shown in its row. */
static bool
is_maximum(const Lp__Pb__Stats *stats, const char *name)
{
	size_t len = strlen(name);

	if (len <= 4 || strcmp(name + len - 4, "_max") != 0)
		return false;
	for (size_t i = 0; i < stats->n_tables; i++) {
		const char *other = lp_table_or_dash(stats->tables[i]->name);

		if (strlen(other) == len - 4 &&
		    memcmp(other, name, len - 4) == 0)
			return true;
	}
	return false;
}

static uint64_t
maximum_of(const Lp__Pb__Stats *stats, const char *name)
{
	char max_name[LP_NAME_SIZE];

	(void)snprintf(max_name, sizeof(max_name), "%.*s_max", 48, name);
	return lp_view_counter(stats->tables, stats->n_tables, max_name);
}

/* "connections" of "connections_max", and how full that is. */
static int
write_tables(const struct lp_print *print, const struct lp_stats_row *row)
{
	static const struct lp_column columns[] = {
	    {"TABLE", false}, {"USED", true}, {"MAX", true}, {"FULL %", true}};
	const Lp__Pb__Stats *now = row->now;
	struct lp_table table;

	lp_table_init(&table, COLUMNS(columns));
	for (size_t i = 0; i < now->n_tables; i++) {
		const char *name = lp_table_or_dash(now->tables[i]->name);
		uint64_t used = now->tables[i]->value;
		uint64_t max = maximum_of(now, name);

		if (max == 0)
			continue;
		lp_table_add(&table, LP_STYLE_PLAIN, "%s", name);
		lp_table_add(&table, LP_STYLE_PLAIN, "%" PRIu64, used);
		lp_table_add(&table, LP_STYLE_PLAIN, "%" PRIu64, max);
		lp_table_add(&table, LP_STYLE_PLAIN, "%.1f",
		    (double)used * PERCENT / (double)max);
	}
	(void)fputc('\n', print->out);
	return lp_table_write(&table, print->out, print->color);
}

/* What has no maximum is no table: how often it happened to one. */
static int
write_events(const struct lp_print *print, const struct lp_stats_row *row)
{
	static const struct lp_column columns[] = {
	    {"EVENT", false}, {"COUNT", true}};
	const Lp__Pb__Stats *now = row->now;
	struct lp_table table;

	lp_table_init(&table, COLUMNS(columns));
	for (size_t i = 0; i < now->n_tables; i++) {
		const char *name = lp_table_or_dash(now->tables[i]->name);

		if (is_maximum(now, name) || maximum_of(now, name) != 0)
			continue;
		lp_table_add(&table, LP_STYLE_PLAIN, "%s", name);
		lp_table_add(
		    &table, LP_STYLE_PLAIN, "%" PRIu64, now->tables[i]->value);
	}
	(void)fputc('\n', print->out);
	return lp_table_write(&table, print->out, print->color);
}

static int
write_row(const struct lp_print *print, const struct lp_stats_row *row)
{
	const struct counters verdicts = COUNTERS(row, verdicts);
	const struct counters reasons = COUNTERS(row, reasons);
	const struct counters worker = COUNTERS(row, worker);
	int err;

	write_head(print, row);
	err = write_ports(print, row);
	(void)fputc('\n', print->out);
	if (err == 0)
		err = write_port_counters(print, row);
	(void)fputc('\n', print->out);
	if (err == 0)
		err = write_endpoints(print, row);
	if (err == 0)
		err = write_counters(
		    print, "VERDICT", "PACKETS", &verdicts, NULL, true);
	if (err == 0)
		err = write_counters(print, "REASON", "PACKETS", &reasons,
		    reason_text, print->all);
	if (err == 0)
		err = write_counters(
		    print, "WORKER", "VALUE", &worker, NULL, true);
	if (err == 0)
		err = write_tables(print, row);
	if (err == 0)
		err = write_events(print, row);
	return err;
}

int
lp_output_text_live_stats(
    const struct lp_print *print, const struct lp_stats_view *view)
{
	int err = 0;

	lp_output_text_part_round(print);
	for (size_t i = 0; i < view->count && err == 0; i++) {
		err = write_row(print, &view->rows[i]);
		lp_output_text_part_end(print, i + 1 == view->count);
	}
	if (view->count == 0)
		(void)fputs("no dataplane is connected\n", print->out);
	return err;
}

/* ---- connections -------------------------------------------------------- */

static void
connection_row(struct lp_table *table, const struct lp_connection_row *row)
{
	const Lp__Pb__Connection *connection = row->connection;
	char buf[LP_ENDPOINT_TEXT_SIZE];

	lp_table_add(
	    table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(row->dataplane));
	lp_table_add(
	    table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(connection->state));
	lp_table_add(table, LP_STYLE_PLAIN, "%s",
	    endpoint_text(buf, connection->client));
	lp_table_add(
	    table, LP_STYLE_PLAIN, "%s", endpoint_text(buf, connection->vip));
	lp_table_add(table, LP_STYLE_PLAIN, "%s",
	    endpoint_text(buf, connection->source));
	lp_table_add(table, LP_STYLE_PLAIN, "%s",
	    endpoint_text(buf, connection->broker));
	lp_table_add(table, LP_STYLE_PLAIN, "%s/%s",
	    lp_table_or_dash(connection->cluster),
	    lp_table_or_dash(connection->listener));
	lp_table_add(table, LP_STYLE_PLAIN, "%" PRId32, connection->node_id);
	lp_table_add(
	    table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(connection->content));
	lp_table_add(table, LP_STYLE_PLAIN, "%s",
	    lp_table_or_dash(connection->client_id));
	lp_table_add(table, LP_STYLE_PLAIN, "%s",
	    lp_table_or_dash(connection->principal != NULL
		    ? connection->principal
		    : connection->server_name));
	lp_table_add(table, LP_STYLE_PLAIN, "%" PRIu64, connection->age_ms);
	lp_table_add(table, LP_STYLE_PLAIN, "%" PRIu64, connection->idle_ms);
	lp_table_add(
	    table, LP_STYLE_PLAIN, "%" PRIu64, connection->client_bytes);
	lp_table_add(
	    table, LP_STYLE_PLAIN, "%" PRIu64, connection->broker_bytes);
}

int
lp_output_text_live_connections(
    const struct lp_print *print, const struct lp_connections_view *view)
{
	static const struct lp_column columns[] = {{"DATAPLANE", false},
	    {"STATE", false}, {"CLIENT", false}, {"VIP", false},
	    {"SOURCE", false}, {"BROKER", false}, {"LISTENER", false},
	    {"NODE", true}, {"CONTENT", false}, {"CLIENT ID", false},
	    {"PRINCIPAL", false}, {"AGE MS", true}, {"IDLE MS", true},
	    {"CLIENT BYTES", true}, {"BROKER BYTES", true}};
	struct lp_table table;

	lp_table_init(&table, COLUMNS(columns));
	for (size_t i = 0; i < view->count; i++)
		connection_row(&table, &view->rows[i]);
	return lp_table_write(&table, print->out, print->color);
}

static const char *
endpoint_text(char buf[LP_ENDPOINT_TEXT_SIZE], const Lp__Pb__Endpoint *message)
{
	struct lp_endpoint endpoint;

	if (lp_message_to_endpoint(&endpoint, message) != 0)
		return "-";
	return lp_endpoint_format(buf, &endpoint);
}
