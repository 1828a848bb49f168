/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/view.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/message.h"
#include "proto/object_rule.h"

enum { MBPS_PER_GBPS = 1000 };

static int add_objects(struct lp_view *view, const Lp__Pb__ShowReply *reply,
    struct lp_error *error);
static int add_stats(struct lp_stats_view *view, Lp__Pb__CountersReply *reply);
static const char *text_or_empty(const char *text);

static int
no_memory(struct lp_error *error)
{
	return lp_error_set(error, LP_EXIT_UNREACHABLE, "out of memory");
}

int
lp_view_init(struct lp_view *view, const struct lp_replies *replies,
    struct lp_error *error)
{
	assert(replies->count > 0);
	view->generation = replies->list[0]->show->generation;
	lp_config_init(&view->config);
	for (size_t i = 0; i < replies->count; i++)
		if (add_objects(view, replies->list[i]->show, error)) {
			lp_view_fini(view);
			return error->status;
		}
	return LP_EXIT_OK;
}

void
lp_view_fini(struct lp_view *view)
{
	lp_config_fini(&view->config);
}

static int
add_objects(struct lp_view *view, const Lp__Pb__ShowReply *reply,
    struct lp_error *error)
{
	for (size_t i = 0; i < reply->n_objects; i++) {
		struct lp_object object;
		const char *field = "";
		char why[LP_WHY_SIZE] = "";
		int err;

		if (lp_message_to_object(
			&object, reply->objects[i], &field, why) != 0)
			return lp_error_set(error, LP_EXIT_UNREACHABLE,
			    "lp-controld sent an object that cannot be: "
			    "%s: %s",
			    field, why);
		err = lp_config_put(&view->config, &object);
		if (err != 0)
			return lp_error_set(error, LP_EXIT_UNREACHABLE,
			    "cannot keep the configuration: %s",
			    strerror(-err));
	}
	return LP_EXIT_OK;
}

const struct lp_object *
lp_view_next(
    const struct lp_view *view, enum lp_object_kind kind, size_t *index)
{
	size_t first = 0;
	size_t count = lp_config_range(&view->config, kind, &first);

	if (*index >= count)
		return NULL;
	return &view->config.objects[first + (*index)++];
}

const struct lp_object *
lp_view_next_of(const struct lp_view *view, enum lp_object_kind kind,
    uint32_t cluster_id, size_t *index)
{
	const struct lp_object *object;

	while ((object = lp_view_next(view, kind, index)) != NULL) {
		uint32_t of = kind == LP_OBJECT_BROKER
		    ? object->broker.cluster_id
		    : object->listener.cluster_id;

		if (cluster_id == 0 || of == cluster_id)
			return object;
	}
	return NULL;
}

const struct lp_object *
lp_view_next_endpoint(
    const struct lp_view *view, uint32_t listener_id, size_t *index)
{
	const struct lp_object *object;

	while ((object = lp_view_next(view, LP_OBJECT_ENDPOINT, index)) != NULL)
		if (object->endpoint.listener_id == listener_id)
			return object;
	return NULL;
}

static int
by_turn(const void *a, const void *b)
{
	const struct lp_object *const *left = a, *const *right = b;

	return lp_object_rule_order(*left, *right);
}

int
lp_view_rules(
    const struct lp_object ***list, size_t *count, const struct lp_view *view)
{
	const struct lp_config *config = &view->config;
	size_t first;

	*count = lp_config_range(config, LP_OBJECT_RULE, &first);
	*list = calloc(*count + 1, sizeof(**list));
	if (*list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < *count; i++)
		(*list)[i] = &config->objects[first + i];
	qsort(*list, *count, sizeof(**list), by_turn);
	return 0;
}

int
lp_view_move(void ***to, size_t *to_count, void ***from, size_t *from_count)
{
	void **list;

	if (*from_count == 0)
		return 0;
	list = realloc(*to, (*to_count + *from_count) * sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	memcpy(list + *to_count, *from, *from_count * sizeof(*list));
	*to = list;
	*to_count += *from_count;
	*from_count = 0;
	return 0;
}

static int
merge_stats(Lp__Pb__Stats *to, Lp__Pb__Stats *from)
{
	int err = LP_VIEW_MOVE(to, from, ports);

	if (err == 0)
		err = LP_VIEW_MOVE(to, from, endpoints);
	if (err == 0)
		err = LP_VIEW_MOVE(to, from, verdicts);
	if (err == 0)
		err = LP_VIEW_MOVE(to, from, reasons);
	if (err == 0)
		err = LP_VIEW_MOVE(to, from, worker);
	if (err == 0)
		err = LP_VIEW_MOVE(to, from, tables);
	return err;
}

static const struct lp_stats_row *
find_row(const struct lp_stats_view *view, const char *dataplane)
{
	for (size_t i = 0; i < view->count; i++)
		if (strcmp(view->rows[i].dataplane, dataplane) == 0)
			return &view->rows[i];
	return NULL;
}

static int
add_stats(struct lp_stats_view *view, Lp__Pb__CountersReply *reply)
{
	const char *dataplane = text_or_empty(reply->dataplane);
	const struct lp_stats_row *row = find_row(view, dataplane);

	/* The stats of a row lie in the replies, which are ours to change. */
	if (row != NULL)
		return merge_stats((Lp__Pb__Stats *)row->now, reply->stats);
	view->rows[view->count++] = (struct lp_stats_row){
	    .dataplane = dataplane,
	    .now = reply->stats,
	};
	return 0;
}

int
lp_view_stats_init(struct lp_stats_view *view, struct lp_replies *replies,
    const struct lp_stats_view *before, struct lp_error *error)
{
	view->count = 0;
	view->rows = calloc(replies->count, sizeof(*view->rows));
	if (view->rows == NULL)
		return no_memory(error);
	for (size_t i = 0; i < replies->count; i++)
		if (add_stats(view, replies->list[i]->counters) != 0) {
			lp_view_stats_fini(view);
			return no_memory(error);
		}
	for (size_t i = 0; before != NULL && i < view->count; i++) {
		struct lp_stats_row *row = &view->rows[i];
		const struct lp_stats_row *old =
		    find_row(before, row->dataplane);

		/* A packet process that began anew counts from zero. */
		if (old != NULL && old->now->uptime_ns <= row->now->uptime_ns)
			row->before = old->now;
	}
	return LP_EXIT_OK;
}

void
lp_view_stats_fini(struct lp_stats_view *view)
{
	free(view->rows);
	*view = (struct lp_stats_view){0};
}

int
lp_view_connections_init(struct lp_connections_view *view,
    const struct lp_replies *replies, struct lp_error *error)
{
	size_t count = 0;

	for (size_t i = 0; i < replies->count; i++)
		count += replies->list[i]->connections->n_connections;
	view->count = 0;
	view->rows = calloc(count + 1, sizeof(*view->rows));
	if (view->rows == NULL)
		return no_memory(error);
	for (size_t i = 0; i < replies->count; i++) {
		const Lp__Pb__ConnectionListReply *reply =
		    replies->list[i]->connections;

		for (size_t j = 0; j < reply->n_connections; j++)
			view->rows[view->count++] = (struct lp_connection_row){
			    .dataplane = text_or_empty(reply->dataplane),
			    .connection = reply->connections[j],
			};
	}
	return LP_EXIT_OK;
}

void
lp_view_connections_fini(struct lp_connections_view *view)
{
	free(view->rows);
	*view = (struct lp_connections_view){0};
}

uint64_t
lp_view_counter(
    Lp__Pb__Counter *const *counters, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(text_or_empty(counters[i]->name), name) == 0)
			return counters[i]->value;
	return 0;
}

const Lp__Pb__PortStats *
lp_view_port(const struct lp_stats_row *row, uint32_t id)
{
	for (size_t i = 0; i < row->now->n_ports; i++)
		if (row->now->ports[i]->id == id)
			return row->now->ports[i];
	return NULL;
}

const char *
lp_view_link(const Lp__Pb__PortStats *port)
{
	if (port == NULL)
		return "unknown";
	if (!port->has_mtu)
		return "not open";
	return port->up ? "up" : "down";
}

const char *
lp_view_speed(char buf[LP_VIEW_SPEED_SIZE], const Lp__Pb__PortStats *port)
{
	uint32_t mbps = port != NULL && port->up ? port->speed_mbps : 0;

	buf[0] = '\0';
	if (mbps >= MBPS_PER_GBPS && mbps % MBPS_PER_GBPS == 0)
		(void)snprintf(
		    buf, LP_VIEW_SPEED_SIZE, " %uG", mbps / MBPS_PER_GBPS);
	else if (mbps >= MBPS_PER_GBPS)
		(void)snprintf(buf, LP_VIEW_SPEED_SIZE, " %.1fG",
		    (double)mbps / MBPS_PER_GBPS);
	else if (mbps > 0)
		(void)snprintf(buf, LP_VIEW_SPEED_SIZE, " %uM", mbps);
	return buf;
}

static double
worker_ns(const struct lp_stats_row *row, const char *name)
{
	const Lp__Pb__Stats *now = row->now;
	const Lp__Pb__Stats *before = row->before;
	uint64_t ns = lp_view_counter(now->worker, now->n_worker, name);

	if (before != NULL)
		ns -= lp_view_counter(before->worker, before->n_worker, name);
	return (double)ns;
}

void
lp_view_worker_time(struct lp_view_time *time, const struct lp_stats_row *row)
{
	double busy = worker_ns(row, "busy_ns");
	double idle = worker_ns(row, "idle_ns");
	double sleep = worker_ns(row, "sleep_ns");
	double all = busy + idle + sleep;

	if (all <= 0)
		all = 1;
	*time = (struct lp_view_time){
	    .busy = busy / all, .idle = idle / all, .sleep = sleep / all};
}

static const char *
text_or_empty(const char *text)
{
	return text != NULL ? text : "";
}
