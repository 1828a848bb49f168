/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/clock.h"
#include "dataplane/reply.h"
#include "dataplane/report.h"

enum {
	MAC_TEXT_SIZE = sizeof("00:00:00:00:00:00"),
	COUNTERS_MAX = LP_STATS_REASONS,
};
static_assert(
    (int)LP_PORT_COUNTERS_MAX + 4 <= (int)COUNTERS_MAX, "a list holds them");

/* Named counters with the list that a message refers to. */
struct counters {
	Lp__Pb__Counter *list[COUNTERS_MAX];
	Lp__Pb__Counter counters[COUNTERS_MAX];
	size_t count;
};

struct port {
	Lp__Pb__PortStats message;
	struct lp_port_link link;
	char mac[MAC_TEXT_SIZE];
	struct counters counters;
};

struct endpoints {
	Lp__Pb__EndpointStats *list[LP_ROWS_MAX];
	Lp__Pb__EndpointStats messages[LP_ROWS_MAX];
	size_t count;
};

/* Everything that one frame refers to. */
struct frame {
	Lp__Pb__Stats stats;
	Lp__Pb__PortStats *port_list[LP_PORTS_MAX];
	struct port ports[LP_PORTS_MAX];
	struct counters verdicts, reasons, worker, tables;
	struct endpoints endpoints;
};

static void fill_process(
    struct frame *frame, const struct lp_dataplane *dataplane);
static void fill_ports(
    struct frame *frame, const struct lp_dataplane *dataplane);
static void fill_link(struct port *port);
static void fill_port(struct port *port, const struct lp_ports *ports,
    const struct lp_port_slot *slot, const struct lp_queue_stats *queues);
static void fill_counters(
    struct frame *frame, const struct lp_dataplane *dataplane);
static unsigned fill_endpoints(
    struct frame *frame, const struct lp_dataplane *dataplane, unsigned from);
static bool fill_endpoint(Lp__Pb__EndpointStats *message,
    const struct lp_endpoint_stats *stats, const struct lp_config *config);
static void add(struct counters *counters, const char *name, uint64_t value);
static int send_frame(
    struct evbuffer *out, struct frame *frame, uint64_t cookie, bool more);

int
lp_report_stats(
    struct evbuffer *out, const struct lp_dataplane *dataplane, uint64_t cookie)
{
	struct frame *frame = calloc(1, sizeof(*frame));
	unsigned next;
	int error;

	if (!frame)
		return -ENOMEM;
	lp__pb__stats__init(&frame->stats);
	fill_process(frame, dataplane);
	fill_ports(frame, dataplane);
	fill_counters(frame, dataplane);
	next = fill_endpoints(frame, dataplane, 0);
	error = send_frame(out, frame, cookie, next < LP_ENDPOINTS_MAX);
	while (!error && next < LP_ENDPOINTS_MAX) {
		lp__pb__stats__init(&frame->stats);
		next = fill_endpoints(frame, dataplane, next);
		error = send_frame(out, frame, cookie, next < LP_ENDPOINTS_MAX);
	}
	free(frame);
	return error;
}

static void
fill_process(struct frame *frame, const struct lp_dataplane *dataplane)
{
	Lp__Pb__Stats *stats = &frame->stats;

	stats->has_time_ns = true;
	stats->time_ns = lp_clock_real_ns();
	stats->has_uptime_ns = true;
	stats->uptime_ns = lp_clock_ns() - dataplane->started_ns;
	stats->has_restarts = true;
	stats->restarts = dataplane->region.header->restarts;
}

static void
fill_ports(struct frame *frame, const struct lp_dataplane *dataplane)
{
	const struct lp_ports *ports = &dataplane->ports;
	size_t count = 0;

	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		if (ports->slots[i].id == 0)
			continue;
		fill_port(&frame->ports[count], ports, &ports->slots[i],
		    &dataplane->region.stats->queues[i]);
		frame->port_list[count] = &frame->ports[count].message;
		count++;
	}
	frame->stats.n_ports = count;
	frame->stats.ports = frame->port_list;
}

static void
fill_port(struct port *port, const struct lp_ports *ports,
    const struct lp_port_slot *slot, const struct lp_queue_stats *queues)
{
	struct lp_port_counter counters[LP_PORT_COUNTERS_MAX];
	Lp__Pb__PortStats *message = &port->message;
	unsigned count;

	lp__pb__port_stats__init(message);
	message->has_id = true;
	message->id = slot->id;
	message->name = (char *)slot->object.name;
	message->device = (char *)slot->object.device;
	message->backend = (char *)lp_backend_name(slot->object.backend);
	message->has_up = true;
	if (!slot->port) {
		message->why = (char *)slot->why;
		return;
	}
	ports->ops->link(slot->port, &port->link);
	fill_link(port);
	if (message->up && slot->why[0] != '\0')
		message->why = (char *)slot->why;
	count =
	    ports->ops->counters(slot->port, counters, LP_PORT_COUNTERS_MAX);
	for (unsigned i = 0; i < count; i++)
		add(&port->counters, counters[i].name, counters[i].value);
	/* Those are the back end's; these are in front of it. */
	add(&port->counters, "tx_queued", lp_count_get(&queues->queued));
	add(&port->counters, "tx_waited", lp_count_get(&queues->waited));
	add(&port->counters, "tx_queue_full", lp_count_get(&queues->full));
	add(&port->counters, "tx_queue_dropped",
	    lp_count_get(&queues->dropped));
	message->n_counters = port->counters.count;
	message->counters = port->counters.list;
}

/* What is not known is left out. */
static void
fill_link(struct port *port)
{
	Lp__Pb__PortStats *message = &port->message;
	struct lp_port_link *link = &port->link;

	message->up = link->present && link->up;
	message->mode = link->mode;
	if (link->driver[0] != '\0')
		message->driver = link->driver;
	message->has_speed_mbps = link->speed_mbps != 0;
	message->speed_mbps = link->speed_mbps;
	message->has_numa_node = link->numa_node >= 0;
	message->numa_node = link->numa_node;
	message->offloads = link->offloads;
	if (link->why[0] != '\0')
		message->why = link->why;
	message->has_mtu = true;
	message->mtu = link->mtu;
	message->has_queues = true;
	message->queues = link->queues;
	snprintf(port->mac, sizeof(port->mac), "%02x:%02x:%02x:%02x:%02x:%02x",
	    link->mac[0], link->mac[1], link->mac[2], link->mac[3],
	    link->mac[4], link->mac[5]);
	message->mac = port->mac;
}

static void
fill_counters(struct frame *frame, const struct lp_dataplane *dataplane)
{
	const struct lp_stats *stats = dataplane->region.stats;

	for (unsigned i = LP_UNDECIDED + 1; i < LP_VERDICTS; i++)
		add(&frame->verdicts, lp_verdict_name(i),
		    lp_count_get(&stats->verdicts[i]));
	for (unsigned i = LP_REASON_NONE + 1; i < LP_REASON_COUNT; i++)
		add(&frame->reasons, lp_reason_name(i),
		    lp_count_get(&stats->reasons[i]));
#define X(member, text)                                                        \
	add(&frame->worker, #member, lp_count_get(&stats->member));
	LP_STATS_WORKER(X)
#undef X
#define X(member, text)                                                        \
	add(&frame->tables, #member, lp_count_get(&stats->member));
	LP_STATS_TABLES(X)
#undef X
	/* 1: what runs is not on the disk; a restart would not know it. */
	add(&frame->tables, "snapshot_unsaved", dataplane->unsaved);
	/* Of other machines: who had a certificate, and who had not. */
	add(&frame->tables, "remote_accepted", dataplane->remote.accepted);
	add(&frame->tables, "remote_refused", dataplane->remote.refused);
	frame->stats.n_verdicts = frame->verdicts.count;
	frame->stats.verdicts = frame->verdicts.list;
	frame->stats.n_reasons = frame->reasons.count;
	frame->stats.reasons = frame->reasons.list;
	frame->stats.n_worker = frame->worker.count;
	frame->stats.worker = frame->worker.list;
	frame->stats.n_tables = frame->tables.count;
	frame->stats.tables = frame->tables.list;
}

/* As many as one frame holds; returns where the next frame begins. */
static unsigned
fill_endpoints(
    struct frame *frame, const struct lp_dataplane *dataplane, unsigned from)
{
	struct endpoints *rows = &frame->endpoints;
	unsigned i;

	rows->count = 0;
	for (i = from; i < LP_ENDPOINTS_MAX && rows->count < LP_ROWS_MAX; i++) {
		Lp__Pb__EndpointStats *message = &rows->messages[rows->count];

		if (fill_endpoint(message, &dataplane->region.endpoints[i],
			&dataplane->running.config))
			rows->list[rows->count++] = message;
	}
	frame->stats.n_endpoints = rows->count;
	frame->stats.endpoints = rows->list;
	return i;
}

/* False if the place is free, or its listener or broker is configured no more
 */
static bool
fill_endpoint(Lp__Pb__EndpointStats *message,
    const struct lp_endpoint_stats *stats, const struct lp_config *config)
{
	const struct lp_object *listener =
	    lp_config_find(config, LP_OBJECT_LISTENER, stats->listener_id);
	const struct lp_object *broker =
	    lp_config_find(config, LP_OBJECT_BROKER, stats->broker_id);
	const struct lp_object *cluster;

	if (stats->listener_id == 0 || !listener || !broker)
		return false;
	cluster = lp_config_find(
	    config, LP_OBJECT_CLUSTER, listener->listener.cluster_id);
	lp__pb__endpoint_stats__init(message);
	message->has_listener_id = true;
	message->listener_id = stats->listener_id;
	message->has_broker_id = true;
	message->broker_id = stats->broker_id;
	message->has_connections_opened = true;
	message->connections_opened = lp_count_get(&stats->opened);
	message->has_connections_open = true;
	message->connections_open = lp_count_get(&stats->open);
	message->has_client_packets = true;
	message->client_packets = lp_count_get(&stats->packets[LP_TO_BROKER]);
	message->has_client_bytes = true;
	message->client_bytes = lp_count_get(&stats->bytes[LP_TO_BROKER]);
	message->has_broker_packets = true;
	message->broker_packets = lp_count_get(&stats->packets[LP_TO_CLIENT]);
	message->has_broker_bytes = true;
	message->broker_bytes = lp_count_get(&stats->bytes[LP_TO_CLIENT]);
	message->has_refused = true;
	message->refused = lp_count_get(&stats->refused);
	message->cluster = cluster ? (char *)cluster->cluster.name : NULL;
	message->listener = (char *)listener->listener.name;
	message->has_node_id = true;
	message->node_id = broker->broker.node_id;
	return true;
}

static void
add(struct counters *counters, const char *name, uint64_t value)
{
	Lp__Pb__Counter *counter = &counters->counters[counters->count];

	assert(counters->count < COUNTERS_MAX);
	lp__pb__counter__init(counter);
	counter->name = (char *)name;
	counter->has_value = true;
	counter->value = value;
	counters->list[counters->count++] = counter;
}

static int
send_frame(
    struct evbuffer *out, struct frame *frame, uint64_t cookie, bool more)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__StatsReply reply = LP__PB__STATS_REPLY__INIT;

	reply.cookie = cookie;
	reply.stats = &frame->stats;
	reply.has_more = more;
	reply.more = more;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_STATS_REPLY;
	message.stats_reply = &reply;
	return lp_reply_send(out, &message);
}
