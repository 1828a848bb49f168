/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 * Keys are part of the interface: they are only ever added.  Every number of
 * the daemons is an integer, a time is given twice (RFC 3339 in UTC, and
 * nanoseconds), an endpoint is the text that commands take.
 */
#include <errno.h>
#include <stdlib.h>

#include "cli/declaration.h"
#include "cli/json.h"
#include "cli/output_json_audit.h"
#include "cli/output_json_check.h"
#include "cli/output_json_db.h"
#include "cli/output_json_denials.h"
#include "cli/output_json_history.h"
#include "cli/output_json_kafka.h"
#include "cli/output_json_pki.h"
#include "cli/output_json_plan.h"
#include "cli/output_json_rules.h"
#include "cli/output_json_status.h"
#include "cli/output_json_trace.h"
#include "cli/output_top.h"
#include "proto/message.h"

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
		notes = lp_json_append(notes, json_string(reply->notes[i]));
	return lp_json_write(print,
	    json_pack("{s:o, s:o, s:o, s:o}", "generation",
		lp_json_integer(reply->generation), "applied",
		lp_json_integer(reply->applied), "connected",
		lp_json_integer(reply->connected), "notes", notes));
}

static int
json_confirmed(const struct lp_print *print, const Lp__Pb__ConfirmReply *reply)
{
	return lp_json_write(print,
	    json_pack(
		"{s:o}", "confirmed", lp_json_integer(reply->generation)));
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
	bool has_peer = lp_object_has_peer(port);
	char buf[LP_PREFIX_TEXT_SIZE];

	(void)view;
	for (unsigned i = 0; i < port->address_count; i++)
		(void)json_array_append_new(addresses,
		    json_string(lp_prefix_format(buf, &port->addresses[i])));
	return json_pack("{s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:b, s:o, "
			 "s:s?, s:s?, s:o}",
	    "id", lp_json_integer(object->id), "name", port->name, "device",
	    port->device, "backend", lp_backend_name(port->backend), "side",
	    lp_side_name(port->side), "addresses", addresses, "gateway_v4",
	    ip_or_null(&port->gateway_v4), "gateway_v6",
	    ip_or_null(&port->gateway_v6), "allow_default_route",
	    port->allow_default_route, "mtu",
	    lp_json_number_or_null(port->mtu != 0, port->mtu), "peer",
	    has_peer ? port->peer : NULL, "on_loss",
	    has_peer ? lp_on_loss_name(port->on_loss) : NULL, "owner",
	    lp_json_text_or_null(object->owner));
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

	return json_pack("{s:o, s:s?, s:i, s:s, s:o, s:s, s:o}", "id",
	    lp_json_integer(object->id), "cluster",
	    cluster_name(view, broker->cluster_id), "node_id", broker->node_id,
	    "host", broker->host, "endpoint", endpoint(&broker->real), "source",
	    broker->discovered ? "discovered" : "manual", "owner",
	    lp_json_text_or_null(object->owner));
}

static json_t *
listener_endpoints(const struct lp_view *view, const struct lp_object *listener)
{
	const struct lp_object *object, *missing;
	json_t *list = json_array();
	size_t index = 0;

	while ((object = lp_view_next_endpoint(view, listener->id, &index)) !=
	    NULL) {
		const struct lp_object *broker = lp_config_find(&view->config,
		    LP_OBJECT_BROKER, object->endpoint.broker_id);

		if (broker == NULL)
			continue;
		(void)json_array_append_new(list,
		    json_pack("{s:o, s:i, s:o, s:b}", "id",
			lp_json_integer(object->id), "node_id",
			broker->broker.node_id, "vip",
			endpoint(&object->endpoint.vip), "chosen",
			object->endpoint.chosen));
	}
	index = 0;
	while ((missing = lp_config_next_missing(
		    &view->config, listener, &index)) != NULL)
		(void)json_array_append_new(list,
		    json_pack("{s:n, s:i, s:n, s:b}", "id", "node_id",
			missing->broker.node_id, "vip", "chosen", false));
	return list;
}

static json_t *
make_listener(const struct lp_view *view, const struct lp_object *object)
{
	const struct lp_listener_object *listener = &object->listener;
	bool has_vip = listener->mode != LP_MODE_INLINE;

	return json_pack("{s:o, s:s?, s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:s?, "
			 "s:s?, s:o, s:o}",
	    "id", lp_json_integer(object->id), "cluster",
	    cluster_name(view, listener->cluster_id), "name", listener->name,
	    "mode", lp_mode_name(listener->mode), "vip",
	    has_vip ? endpoint(&listener->vip) : json_null(), "broker_base",
	    lp_json_number_or_null(has_vip, listener->broker_base),
	    "source_address", lp_source_address_name(listener->source_address),
	    "kafka", lp_look_name(listener->kafka), "rewrite",
	    lp_rewriting_name(listener->rewrite), "advertise",
	    listener->advertise[0] != '\0' ? listener->advertise : NULL,
	    "unjudged", lp_unjudged_name(listener->unjudged), "owner",
	    lp_json_text_or_null(object->owner), "endpoints",
	    listener_endpoints(view, object));
}

static json_t *
make_cluster(const struct lp_view *view, const struct lp_object *object)
{
	uint32_t same_as = object->cluster.same_as;

	return json_pack("{s:o, s:s, s:s?, s:s, s:o, s:o, s:o}", "id",
	    lp_json_integer(object->id), "name", object->cluster.name,
	    "same_as", same_as != 0 ? cluster_name(view, same_as) : NULL,
	    "discover", object->cluster.discover ? "on" : "off", "owner",
	    lp_json_text_or_null(object->owner), "brokers",
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
		list = lp_json_append(list, make(view, object));
	return list;
}

static int
json_declared(const struct lp_print *print,
    const struct lp_declaration *declaration, const char *owner)
{
	return lp_declaration_print_json(print->out, declaration, owner);
}

static int
json_show(const struct lp_print *print, const struct lp_view *view)
{
	return lp_json_write(print,
	    json_pack("{s:o, s:o, s:o, s:o}", "generation",
		lp_json_integer(view->generation), "ports",
		list_of(view, LP_OBJECT_PORT, 0, make_port), "clusters",
		list_of(view, LP_OBJECT_CLUSTER, 0, make_cluster), "rules",
		lp_output_json_rules_list(view)));
}

/* {"generation": 7, "KEY": [...]} */
static int
write_list(const struct lp_print *print, const struct lp_view *view,
    const char *key, json_t *list)
{
	return lp_json_write(print,
	    json_pack("{s:o, s:o}", "generation",
		lp_json_integer(view->generation), key, list));
}

static json_t *
live_port(const struct lp_stats_row *row, uint32_t id)
{
	static const Lp__Pb__PortStats none = LP__PB__PORT_STATS__INIT;
	const Lp__Pb__PortStats *known = lp_view_port(row, id);
	const Lp__Pb__PortStats *port = known != NULL ? known : &none;

	return lp_json_join(
	    json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "dataplane",
		row->dataplane, "link", lp_view_link(known), "mode",
		lp_json_string_or_null(port->mode), "mtu",
		lp_json_number_or_null(port->has_mtu, port->mtu), "queues",
		lp_json_number_or_null(port->has_queues, port->queues), "mac",
		lp_json_string_or_null(port->mac), "why",
		lp_json_string_or_null(
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
			live = lp_json_append(
			    live, live_port(&view->live.rows[j], (uint32_t)id));
		if (json_object_set_new(port, "live", live) != 0) {
			json_decref(ports);
			return -EINVAL;
		}
	}
	return lp_json_write(print,
	    json_pack("{s:o, s:o, s:o}", "generation",
		lp_json_integer(view->config.generation), "ports", ports, "why",
		lp_json_string_or_null(view->why)));
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

static int
json_rules(const struct lp_print *print, const struct lp_view *view)
{
	return write_list(
	    print, view, "rules", lp_output_json_rules_list(view));
}

/* ---- what runs ---------------------------------------------------------- */

/* What the device is, apart from the port that it serves. */
static json_t *
link_of(const Lp__Pb__PortStats *port)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "driver",
	    lp_json_string_or_null(port->driver), "speed_mbps",
	    lp_json_number_or_null(port->has_speed_mbps, port->speed_mbps),
	    "numa_node",
	    lp_json_number_or_null(port->has_numa_node, port->numa_node),
	    "offloads", lp_json_words(port->offloads));
}

static json_t *
port_stats(const Lp__Pb__PortStats *port)
{
	json_t *made =
	    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o}",
		"id", lp_json_integer(port->id), "name",
		lp_json_string_or_null(port->name), "device",
		lp_json_string_or_null(port->device), "backend",
		lp_json_string_or_null(port->backend), "mode",
		lp_json_string_or_null(port->mode), "why",
		lp_json_string_or_null(port->why), "up", port->up, "mtu",
		lp_json_integer(port->mtu), "mac",
		lp_json_string_or_null(port->mac), "queues",
		lp_json_integer(port->queues), "counters",
		lp_json_counters(port->counters, port->n_counters));

	return lp_json_join(made, link_of(port));
}

static json_t *
endpoint_stats(const Lp__Pb__EndpointStats *stats)
{
	return json_pack("{s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "cluster", lp_json_string_or_null(stats->cluster), "listener",
	    lp_json_string_or_null(stats->listener), "node_id", stats->node_id,
	    "connections_opened", lp_json_integer(stats->connections_opened),
	    "connections_open", lp_json_integer(stats->connections_open),
	    "client_packets", lp_json_integer(stats->client_packets),
	    "client_bytes", lp_json_integer(stats->client_bytes),
	    "broker_packets", lp_json_integer(stats->broker_packets),
	    "broker_bytes", lp_json_integer(stats->broker_bytes), "refused",
	    lp_json_integer(stats->refused));
}

static json_t *
port_list(const Lp__Pb__Stats *stats)
{
	json_t *list = json_array();

	for (size_t i = 0; i < stats->n_ports; i++)
		list = lp_json_append(list, port_stats(stats->ports[i]));
	return list;
}

static json_t *
endpoint_list(const Lp__Pb__Stats *stats)
{
	json_t *list = json_array();

	for (size_t i = 0; i < stats->n_endpoints; i++)
		list =
		    lp_json_append(list, endpoint_stats(stats->endpoints[i]));
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
	    "dataplane", row->dataplane, "time", lp_json_time(now->time_ns),
	    "time_ns", lp_json_integer(now->time_ns), "uptime_ns",
	    lp_json_integer(now->uptime_ns), "restarts",
	    lp_json_integer(now->restarts), "busy_share", time.busy,
	    "idle_share", time.idle, "sleep_share", time.sleep, "ports",
	    port_list(now), "listeners", endpoint_list(now), "verdicts",
	    lp_json_counters(now->verdicts, now->n_verdicts), "reasons",
	    lp_json_counters(now->reasons, now->n_reasons), "worker",
	    lp_json_counters(now->worker, now->n_worker), "tables",
	    lp_json_counters(now->tables, now->n_tables));
}

static int
json_stats(const struct lp_print *print, const struct lp_stats_view *view)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->count; i++)
		list = lp_json_append(list, stats_row(&view->rows[i]));
	return lp_json_write(print, json_pack("{s:o}", "dataplanes", list));
}

static json_t *
connection(const struct lp_connection_row *row)
{
	const Lp__Pb__Connection *c = row->connection;

	return json_pack("{s:s, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "dataplane", row->dataplane, "cluster",
	    lp_json_string_or_null(c->cluster), "listener",
	    lp_json_string_or_null(c->listener), "node_id", c->node_id, "state",
	    lp_json_string_or_null(c->state), "client",
	    endpoint_message(c->client), "vip", endpoint_message(c->vip),
	    "source", endpoint_message(c->source), "broker",
	    endpoint_message(c->broker), "content",
	    lp_json_string_or_null(c->content), "client_id",
	    lp_json_string_or_null(c->client_id), "principal",
	    lp_json_string_or_null(c->principal), "server_name",
	    lp_json_string_or_null(c->server_name), "in_flight",
	    c->has_in_flight ? lp_json_integer(c->in_flight) : json_null(),
	    "age_ms", lp_json_integer(c->age_ms), "idle_ms",
	    lp_json_integer(c->idle_ms), "client_packets",
	    lp_json_integer(c->client_packets), "client_bytes",
	    lp_json_integer(c->client_bytes), "broker_packets",
	    lp_json_integer(c->broker_packets), "broker_bytes",
	    lp_json_integer(c->broker_bytes));
}

static int
json_connections(
    const struct lp_print *print, const struct lp_connections_view *view)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->count; i++)
		list = lp_json_append(list, connection(&view->rows[i]));
	return lp_json_write(print, json_pack("{s:o}", "connections", list));
}

static int
json_version(const struct lp_print *print, const Lp__Pb__VersionReply *reply)
{
	json_t *controld = reply == NULL
	    ? json_null()
	    : json_pack("{s:s, s:o, s:o}", "version", reply->version,
		  "protocol", lp_json_integer(reply->protocol), "schema",
		  lp_json_integer(reply->schema));

	return lp_json_write(print,
	    json_pack("{s:{s:s}, s:o}", "lpctl", "version", LP_VERSION,
		"lp_controld", controld));
}

/* ---- values ------------------------------------------------------------- */

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
    .confirmed = json_confirmed,
    .show = json_show,
    .declared = json_declared,
    .ports = json_ports,
    .clusters = json_clusters,
    .brokers = json_brokers,
    .listeners = json_listeners,
    .rules = json_rules,
    .status = lp_output_json_status,
    .stats = json_stats,
    .connections = json_connections,
    .kafka_stats = lp_output_json_kafka_stats,
    .rule_stats = lp_output_json_rules_stats,
    .plan = lp_output_json_plan,
    .denials = lp_output_json_denials,
    .audit = lp_output_json_audit,
    .history = lp_output_json_history,
    .db = lp_output_json_db,
    .pki = lp_output_json_pki,
    .checked = lp_output_json_check,
    .kafka_clients = lp_output_json_kafka_clients,
    .kafka_topics = lp_output_json_kafka_topics,
    .top = lp_output_json_top,
    .trace = lp_output_json_trace,
    .captured = lp_output_json_trace_captured,
    .version = json_version,
};
