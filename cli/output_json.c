/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 * Keys are part of the interface: they are only ever added.  Every number of
 * the daemons is an integer, a time is given twice (RFC 3339 in UTC, and
 * nanoseconds), an endpoint is the text that commands take.
 *
 * A value that cannot be made is NULL, and json_pack() passes it upwards: no
 * document is written with a part of it missing.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>

#include "cli/clock.h"
#include "cli/output.h"
#include "proto/message.h"

static int write_document(const struct lp_print *print, json_t *document);
static json_t *append(json_t *list, json_t *value);
static json_t *join(json_t *to, json_t *from);
static json_t *integer(uint64_t value);
static json_t *number_or_null(bool known, int64_t value);
static json_t *string_or_null(const char *text);
static json_t *words_of(const char *text);
static json_t *time_text(uint64_t time_ns);
static json_t *hex(uint64_t value);
static json_t *endpoint(const struct lp_endpoint *value);
static json_t *endpoint_message(const Lp__Pb__Endpoint *message);
static json_t *link_of(const Lp__Pb__PortStats *port);
static json_t *list_of(const struct lp_view *view, enum lp_object_kind kind,
    uint32_t cluster_id,
    json_t *(*make)(
	const struct lp_view *view, const struct lp_object *object));

/* ---- configuration ------------------------------------------------------ */

static int
json_changed(
    const struct lp_print *print, const Lp__Pb__TransactionReply *reply)
{
	json_t *notes = json_array();

	for (size_t i = 0; i < reply->n_notes; i++)
		notes = append(notes, json_string(reply->notes[i]));
	return write_document(print,
	    json_pack("{s:o, s:o, s:o, s:o}", "generation",
		integer(reply->generation), "applied", integer(reply->applied),
		"connected", integer(reply->connected), "notes", notes));
}

static json_t *
ip_or_null(const struct lp_ip *ip)
{
	char buf[LP_IP_TEXT_SIZE];

	if (lp_ip_is_none(ip))
		return json_null();
	return json_string(lp_ip_format(buf, ip));
}

static json_t *
make_port(const struct lp_view *view, const struct lp_object *object)
{
	const struct lp_port_object *port = &object->port;
	json_t *addresses = json_array();
	char buf[LP_PREFIX_TEXT_SIZE];

	(void)view;
	for (unsigned i = 0; i < port->address_count; i++)
		(void)json_array_append_new(addresses,
		    json_string(lp_prefix_format(buf, &port->addresses[i])));
	return json_pack("{s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:b, s:o}",
	    "id", integer(object->id), "name", port->name, "device",
	    port->device, "backend", lp_backend_name(port->backend), "side",
	    lp_side_name(port->side), "addresses", addresses, "gateway_v4",
	    ip_or_null(&port->gateway_v4), "gateway_v6",
	    ip_or_null(&port->gateway_v6), "allow_default_route",
	    port->allow_default_route, "mtu",
	    number_or_null(port->mtu != 0, port->mtu));
}

static const char *
cluster_name(const struct lp_view *view, uint32_t id)
{
	const struct lp_object *cluster =
	    lp_config_find(&view->config, LP_OBJECT_CLUSTER, id);

	return cluster != NULL ? cluster->cluster.name : NULL;
}

static json_t *
make_broker(const struct lp_view *view, const struct lp_object *object)
{
	const struct lp_broker_object *broker = &object->broker;

	return json_pack("{s:o, s:s?, s:i, s:s, s:o}", "id",
	    integer(object->id), "cluster",
	    cluster_name(view, broker->cluster_id), "node_id", broker->node_id,
	    "host", broker->host, "endpoint", endpoint(&broker->real));
}

static json_t *
listener_endpoints(const struct lp_view *view, uint32_t listener_id)
{
	const struct lp_object *object;
	json_t *list = json_array();
	size_t index = 0;

	while ((object = lp_view_next_endpoint(view, listener_id, &index)) !=
	    NULL) {
		const struct lp_object *broker = lp_config_find(&view->config,
		    LP_OBJECT_BROKER, object->endpoint.broker_id);

		if (broker == NULL)
			continue;
		(void)json_array_append_new(list,
		    json_pack("{s:o, s:i, s:o}", "id", integer(object->id),
			"node_id", broker->broker.node_id, "vip",
			endpoint(&object->endpoint.vip)));
	}
	return list;
}

static json_t *
make_listener(const struct lp_view *view, const struct lp_object *object)
{
	const struct lp_listener_object *listener = &object->listener;

	return json_pack("{s:o, s:s?, s:s, s:s, s:o, s:i, s:s, s:o}", "id",
	    integer(object->id), "cluster",
	    cluster_name(view, listener->cluster_id), "name", listener->name,
	    "mode", lp_mode_name(listener->mode), "vip",
	    endpoint(&listener->vip), "broker_base", (int)listener->broker_base,
	    "source_address", lp_source_address_name(listener->source_address),
	    "endpoints", listener_endpoints(view, object->id));
}

static json_t *
make_cluster(const struct lp_view *view, const struct lp_object *object)
{
	return json_pack("{s:o, s:s, s:o, s:o}", "id", integer(object->id),
	    "name", object->cluster.name, "brokers",
	    list_of(view, LP_OBJECT_BROKER, object->id, make_broker),
	    "listeners",
	    list_of(view, LP_OBJECT_LISTENER, object->id, make_listener));
}

static json_t *
list_of(const struct lp_view *view, enum lp_object_kind kind,
    uint32_t cluster_id,
    json_t *(*make)(const struct lp_view *view, const struct lp_object *object))
{
	const struct lp_object *object;
	json_t *list = json_array();
	size_t index = 0;

	while ((object = cluster_id != 0
		       ? lp_view_next_of(view, kind, cluster_id, &index)
		       : lp_view_next(view, kind, &index)) != NULL)
		list = append(list, make(view, object));
	return list;
}

static int
json_show(const struct lp_print *print, const struct lp_view *view)
{
	return write_document(print,
	    json_pack("{s:o, s:o, s:o}", "generation",
		integer(view->generation), "ports",
		list_of(view, LP_OBJECT_PORT, 0, make_port), "clusters",
		list_of(view, LP_OBJECT_CLUSTER, 0, make_cluster)));
}

/* {"generation": 7, "KEY": [...]} */
static int
write_list(const struct lp_print *print, const struct lp_view *view,
    const char *key, json_t *list)
{
	return write_document(print,
	    json_pack("{s:o, s:o}", "generation", integer(view->generation),
		key, list));
}

static json_t *
live_port(const struct lp_stats_row *row, uint32_t id)
{
	static const Lp__Pb__PortStats none = LP__PB__PORT_STATS__INIT;
	const Lp__Pb__PortStats *known = lp_view_port(row, id);
	const Lp__Pb__PortStats *port = known != NULL ? known : &none;

	return join(
	    json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "dataplane",
		row->dataplane, "link", lp_view_link(known), "mode",
		string_or_null(port->mode), "mtu",
		number_or_null(port->has_mtu, port->mtu), "queues",
		number_or_null(port->has_queues, port->queues), "mac",
		string_or_null(port->mac), "why",
		string_or_null(
		    known != NULL ? port->why : "it does not run this port")),
	    link_of(port));
}

/* Adds to each port what each dataplane says of it. */
static int
json_ports(const struct lp_print *print, const struct lp_ports_view *view)
{
	json_t *ports = list_of(&view->config, LP_OBJECT_PORT, 0, make_port);

	for (size_t i = 0; i < json_array_size(ports); i++) {
		json_t *port = json_array_get(ports, i);
		json_t *live = json_array();
		json_int_t id = json_integer_value(json_object_get(port, "id"));

		for (size_t j = 0; j < view->live.count; j++)
			live = append(
			    live, live_port(&view->live.rows[j], (uint32_t)id));
		if (json_object_set_new(port, "live", live) != 0) {
			json_decref(ports);
			return -EINVAL;
		}
	}
	return write_document(print,
	    json_pack("{s:o, s:o, s:o}", "generation",
		integer(view->config.generation), "ports", ports, "why",
		string_or_null(view->why)));
}

static int
json_clusters(const struct lp_print *print, const struct lp_view *view)
{
	return write_list(print, view, "clusters",
	    list_of(view, LP_OBJECT_CLUSTER, 0, make_cluster));
}

static int
json_brokers(const struct lp_print *print, const struct lp_view *view,
    const struct lp_object *of)
{
	return write_list(print, view, "brokers",
	    list_of(
		view, LP_OBJECT_BROKER, of != NULL ? of->id : 0, make_broker));
}

static int
json_listeners(const struct lp_print *print, const struct lp_view *view,
    const struct lp_object *of)
{
	return write_list(print, view, "listeners",
	    list_of(view, LP_OBJECT_LISTENER, of != NULL ? of->id : 0,
		make_listener));
}

/* ---- what runs ---------------------------------------------------------- */

static json_t *
strings(char *const *list, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(array, string_or_null(list[i]));
	return array;
}

static json_t *
dataplane_status(const Lp__Pb__DataplaneStatus *status)
{
	json_t *texts = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "dataplane",
	    string_or_null(status->id), "path", string_or_null(status->path),
	    "state", string_or_null(status->state), "why",
	    string_or_null(status->why), "version",
	    string_or_null(status->version), "backends",
	    strings(status->backends, status->n_backends));
	json_t *numbers = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "generation",
	    status->has_generation ? integer(status->generation) : json_null(),
	    "digest", status->has_digest ? hex(status->digest) : json_null(),
	    "boot_id", status->has_boot_id ? hex(status->boot_id) : json_null(),
	    "since", time_text(status->since_ns), "since_ns",
	    integer(status->since_ns), "build_ns", integer(status->build_ns),
	    "swap_ns", integer(status->swap_ns));

	return join(texts, numbers);
}

static int
json_status(const struct lp_print *print, const Lp__Pb__StatusReply *reply)
{
	json_t *dataplanes = json_array();

	for (size_t i = 0; i < reply->n_dataplanes; i++)
		dataplanes =
		    append(dataplanes, dataplane_status(reply->dataplanes[i]));
	return write_document(print,
	    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"generation", integer(reply->generation), "digest",
		hex(reply->digest), "epoch", integer(reply->epoch), "since",
		time_text(reply->since_ns), "since_ns",
		integer(reply->since_ns), "version",
		string_or_null(reply->version), "database",
		string_or_null(reply->database), "started",
		time_text(reply->started_ns), "started_ns",
		integer(reply->started_ns), "pid", integer(reply->pid),
		"dataplanes", dataplanes));
}

/* {"rx_packets": 1, ...}; in JSON, zeros are always there. */
static json_t *
counters(Lp__Pb__Counter *const *list, size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++)
		if (list[i]->name == NULL ||
		    json_object_set_new(
			object, list[i]->name, integer(list[i]->value)) != 0) {
			json_decref(object);
			return NULL;
		}
	return object;
}

/* What the device is, apart from the port that it serves. */
static json_t *
link_of(const Lp__Pb__PortStats *port)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "driver",
	    string_or_null(port->driver), "speed_mbps",
	    number_or_null(port->has_speed_mbps, port->speed_mbps), "numa_node",
	    number_or_null(port->has_numa_node, port->numa_node), "offloads",
	    words_of(port->offloads));
}

static json_t *
port_stats(const Lp__Pb__PortStats *port)
{
	json_t *made =
	    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o}",
		"id", integer(port->id), "name", string_or_null(port->name),
		"device", string_or_null(port->device), "backend",
		string_or_null(port->backend), "mode",
		string_or_null(port->mode), "why", string_or_null(port->why),
		"up", port->up, "mtu", integer(port->mtu), "mac",
		string_or_null(port->mac), "queues", integer(port->queues),
		"counters", counters(port->counters, port->n_counters));

	return join(made, link_of(port));
}

static json_t *
endpoint_stats(const Lp__Pb__EndpointStats *stats)
{
	return json_pack("{s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "cluster", string_or_null(stats->cluster), "listener",
	    string_or_null(stats->listener), "node_id", stats->node_id,
	    "connections_opened", integer(stats->connections_opened),
	    "connections_open", integer(stats->connections_open),
	    "client_packets", integer(stats->client_packets), "client_bytes",
	    integer(stats->client_bytes), "broker_packets",
	    integer(stats->broker_packets), "broker_bytes",
	    integer(stats->broker_bytes), "refused", integer(stats->refused));
}

static json_t *
port_list(const Lp__Pb__Stats *stats)
{
	json_t *list = json_array();

	for (size_t i = 0; i < stats->n_ports; i++)
		list = append(list, port_stats(stats->ports[i]));
	return list;
}

static json_t *
endpoint_list(const Lp__Pb__Stats *stats)
{
	json_t *list = json_array();

	for (size_t i = 0; i < stats->n_endpoints; i++)
		list = append(list, endpoint_stats(stats->endpoints[i]));
	return list;
}

static json_t *
stats_row(const struct lp_stats_row *row)
{
	const Lp__Pb__Stats *now = row->now;
	struct lp_view_time time;

	lp_view_worker_time(&time, row);
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:f, s:f, s:f, s:o, s:o, "
			 "s:o, s:o, s:o, s:o}",
	    "dataplane", row->dataplane, "time", time_text(now->time_ns),
	    "time_ns", integer(now->time_ns), "uptime_ns",
	    integer(now->uptime_ns), "restarts", integer(now->restarts),
	    "busy_share", time.busy, "idle_share", time.idle, "sleep_share",
	    time.sleep, "ports", port_list(now), "listeners",
	    endpoint_list(now), "verdicts",
	    counters(now->verdicts, now->n_verdicts), "reasons",
	    counters(now->reasons, now->n_reasons), "worker",
	    counters(now->worker, now->n_worker), "tables",
	    counters(now->tables, now->n_tables));
}

static int
json_stats(const struct lp_print *print, const struct lp_stats_view *view)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->count; i++)
		list = append(list, stats_row(&view->rows[i]));
	return write_document(print, json_pack("{s:o}", "dataplanes", list));
}

static json_t *
connection(const struct lp_connection_row *row)
{
	const Lp__Pb__Connection *c = row->connection;

	return json_pack("{s:s, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "dataplane", row->dataplane, "cluster", string_or_null(c->cluster),
	    "listener", string_or_null(c->listener), "node_id", c->node_id,
	    "state", string_or_null(c->state), "client",
	    endpoint_message(c->client), "vip", endpoint_message(c->vip),
	    "source", endpoint_message(c->source), "broker",
	    endpoint_message(c->broker), "content", string_or_null(c->content),
	    "client_id", string_or_null(c->client_id), "principal",
	    string_or_null(c->principal), "server_name",
	    string_or_null(c->server_name), "in_flight",
	    c->has_in_flight ? integer(c->in_flight) : json_null(), "age_ms",
	    integer(c->age_ms), "idle_ms", integer(c->idle_ms),
	    "client_packets", integer(c->client_packets), "client_bytes",
	    integer(c->client_bytes), "broker_packets",
	    integer(c->broker_packets), "broker_bytes",
	    integer(c->broker_bytes));
}

static int
json_connections(
    const struct lp_print *print, const struct lp_connections_view *view)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->count; i++)
		list = append(list, connection(&view->rows[i]));
	return write_document(print, json_pack("{s:o}", "connections", list));
}

static int
json_version(const struct lp_print *print, const Lp__Pb__VersionReply *reply)
{
	json_t *controld = reply == NULL
	    ? json_null()
	    : json_pack("{s:s, s:o, s:o}", "version", reply->version,
		  "protocol", integer(reply->protocol), "schema",
		  integer(reply->schema));

	return write_document(print,
	    json_pack("{s:{s:s}, s:o}", "lpctl", "version", LP_VERSION,
		"lp_controld", controld));
}

/* ---- values ------------------------------------------------------------- */

/* Takes the document over; NULL is one that could not be made. */
static int
write_document(const struct lp_print *print, json_t *document)
{
	size_t flags = JSON_REAL_PRECISION(6) |
	    (print->stream ? JSON_COMPACT : JSON_INDENT(2));
	int err = 0;

	if (document == NULL)
		return -EINVAL;
	if (json_dumpf(document, print->out, flags) != 0)
		err = -EIO;
	(void)fputc('\n', print->out);
	json_decref(document);
	return err;
}

/* Takes both over; without the value there is no list either. */
static json_t *
append(json_t *list, json_t *value)
{
	if (json_array_append_new(list, value) == 0)
		return list;
	json_decref(list);
	return NULL;
}

/* One object of two; takes both over. */
static json_t *
join(json_t *to, json_t *from)
{
	if (json_object_update(to, from) != 0) {
		json_decref(to);
		to = NULL;
	}
	json_decref(from);
	return to;
}

static json_t *
integer(uint64_t value)
{
	/* JSON of jansson is signed; no counter of ours gets there. */
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *
number_or_null(bool known, int64_t value)
{
	return known ? json_integer(value) : json_null();
}

static json_t *
string_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

/* "a b" is ["a", "b"]. */
static json_t *
words_of(const char *text)
{
	json_t *list = text != NULL ? json_array() : json_null();
	size_t len;

	for (; text != NULL && *text != '\0'; text += len) {
		len = strcspn(text, " ");
		if (len > 0)
			list = append(list, json_stringn(text, len));
		len += strspn(text + len, " ");
	}
	return list;
}

static json_t *
time_text(uint64_t time_ns)
{
	char buf[LP_CLOCK_RFC3339_SIZE];

	if (time_ns == 0)
		return json_null();
	return json_string(lp_clock_rfc3339(buf, time_ns));
}

/* Digests and ids of 64 bits: no number that a reader could keep exactly. */
static json_t *
hex(uint64_t value)
{
	return json_sprintf("%016" PRIx64, value);
}

static json_t *
endpoint(const struct lp_endpoint *value)
{
	char buf[LP_ENDPOINT_TEXT_SIZE];

	return json_string(lp_endpoint_format(buf, value));
}

static json_t *
endpoint_message(const Lp__Pb__Endpoint *message)
{
	struct lp_endpoint value;

	if (lp_message_to_endpoint(&value, message) != 0)
		return json_null();
	return endpoint(&value);
}

const struct lp_output lp_output_json = {
    .name = "json",
    .changed = json_changed,
    .show = json_show,
    .ports = json_ports,
    .clusters = json_clusters,
    .brokers = json_brokers,
    .listeners = json_listeners,
    .status = json_status,
    .stats = json_stats,
    .connections = json_connections,
    .version = json_version,
};
