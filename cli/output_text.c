/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "cli/declaration.h"
#include "cli/output.h"
#include "cli/output_text_audit.h"
#include "cli/output_text_check.h"
#include "cli/output_text_db.h"
#include "cli/output_text_denials.h"
#include "cli/output_text_history.h"
#include "cli/output_text_kafka.h"
#include "cli/output_text_live.h"
#include "cli/output_text_part.h"
#include "cli/output_text_pki.h"
#include "cli/output_text_plan.h"
#include "cli/output_text_ports.h"
#include "cli/output_text_rules.h"
#include "cli/output_text_status.h"
#include "cli/output_text_trace.h"
#include "cli/output_top.h"
#include "cli/table.h"

#define COLUMNS(columns) (columns), sizeof(columns) / sizeof((columns)[0])

static const char *
plural(uint32_t count)
{
	return count == 1 ? "" : "s";
}

static int
text_changed(
    const struct lp_print *print, const Lp__Pb__TransactionReply *reply)
{
	if (!print->verbose)
		return 0;
	(void)fprintf(print->out, "generation %" PRIu64, reply->generation);
	if (reply->connected == 0)
		(void)fputs(" stored\n", print->out);
	else if (reply->applied == reply->connected)
		(void)fprintf(print->out, " applied by %u dataplane%s\n",
		    reply->applied, plural(reply->applied));
	else
		(void)fprintf(print->out,
		    " stored; applied by %u of %u dataplanes\n", reply->applied,
		    reply->connected);
	return 0;
}

static int
text_confirmed(const struct lp_print *print, const Lp__Pb__ConfirmReply *reply)
{
	if (print->verbose)
		(void)fprintf(print->out,
		    "generation %" PRIu64 " is confirmed\n", reply->generation);
	return 0;
}

/* ---- show ------------------------------------------------------------- */

static void
show_port(const struct lp_print *print, const struct lp_object *object)
{
	const struct lp_port_object *port = &object->port;
	char buf[LP_PREFIX_TEXT_SIZE];

	lp_output_text_part_title(print, "port", port->name);
	(void)fprintf(print->out, "    device %s, backend %s", port->device,
	    lp_backend_name(port->backend));
	if (lp_object_has_peer(port))
		(void)fprintf(print->out, ", inline, peer %s, on loss %s\n",
		    port->peer, lp_on_loss_name(port->on_loss));
	else
		(void)fprintf(
		    print->out, ", side %s\n", lp_side_name(port->side));
	for (unsigned i = 0; i < port->address_count; i++)
		(void)fprintf(print->out, "    address %s\n",
		    lp_prefix_format(buf, &port->addresses[i]));
	if (!lp_ip_is_none(&port->gateway_v4))
		(void)fprintf(print->out, "    gateway %s\n",
		    lp_ip_format(buf, &port->gateway_v4));
	if (!lp_ip_is_none(&port->gateway_v6))
		(void)fprintf(print->out, "    gateway %s\n",
		    lp_ip_format(buf, &port->gateway_v6));
	if (port->mtu != 0)
		(void)fprintf(print->out, "    MTU %u\n", port->mtu);
	if (port->allow_default_route)
		(void)fprintf(print->out,
		    "    may take the device of the host's default route\n");
	lp_output_text_part_owner(print, object, false);
}

/* The host as written, and its address if that is another text. */
static void
show_broker(const struct lp_print *print, const struct lp_object *object)
{
	const struct lp_broker_object *broker = &object->broker;
	char buf[LP_ENDPOINT_TEXT_SIZE];
	struct lp_ip ip;

	(void)fprintf(print->out, "    broker %" PRId32 ": %s", broker->node_id,
	    lp_endpoint_format(buf, &broker->real));
	if (lp_ip_parse(&ip, broker->host, NULL) != 0)
		(void)fprintf(print->out, " (%s)", broker->host);
	if (broker->discovered)
		(void)fputs(", discovered", print->out);
	lp_output_text_part_owner(print, object, true);
	(void)fputc('\n', print->out);
}

static void
show_missing(const struct lp_print *print, const struct lp_view *view,
    const struct lp_object *listener)
{
	const struct lp_object *broker;
	size_t index = 0;

	while ((broker = lp_config_next_missing(
		    &view->config, listener, &index)) != NULL)
		(void)fprintf(print->out,
		    "        broker %" PRId32 " has no endpoint: %u + %" PRId32
		    " is no TCP port\n",
		    broker->broker.node_id, listener->listener.broker_base,
		    broker->broker.node_id);
}

static void
show_listener(const struct lp_print *print, const struct lp_view *view,
    const struct lp_object *object)
{
	const struct lp_listener_object *listener = &object->listener;
	const struct lp_object *endpoint;
	char buf[LP_ENDPOINT_TEXT_SIZE];
	size_t index = 0;

	if (listener->mode == LP_MODE_INLINE)
		(void)fprintf(
		    print->out, "    listener %s: mode inline", listener->name);
	else
		(void)fprintf(print->out,
		    "    listener %s: %s, mode %s, source address %s",
		    listener->name, lp_endpoint_format(buf, &listener->vip),
		    lp_mode_name(listener->mode),
		    lp_source_address_name(listener->source_address));
	if (listener->kafka == LP_LOOK_OFF)
		(void)fputs(", kafka off", print->out);
	if (listener->mode != LP_MODE_INLINE &&
	    listener->rewrite != LP_REWRITING_ON)
		(void)fprintf(print->out, ", rewrite %s",
		    lp_rewriting_name(listener->rewrite));
	if (listener->advertise[0] != '\0')
		(void)fprintf(
		    print->out, ", advertised as %s", listener->advertise);
	if (listener->unjudged != 0)
		(void)fprintf(print->out, ", unjudged %s",
		    lp_unjudged_name(listener->unjudged));
	lp_output_text_part_owner(print, object, true);
	(void)fputc('\n', print->out);
	while ((endpoint = lp_view_next_endpoint(view, object->id, &index)) !=
	    NULL) {
		const struct lp_object *broker = lp_config_find(&view->config,
		    LP_OBJECT_BROKER, endpoint->endpoint.broker_id);

		if (broker != NULL)
			(void)fprintf(print->out,
			    "        broker %" PRId32 " at %s%s\n",
			    broker->broker.node_id,
			    lp_endpoint_format(buf, &endpoint->endpoint.vip),
			    endpoint->endpoint.chosen ? ", chosen" : "");
	}
	show_missing(print, view, object);
}

static const char *
cluster_name(const struct lp_view *view, uint32_t id)
{
	const struct lp_object *cluster =
	    lp_config_find(&view->config, LP_OBJECT_CLUSTER, id);

	return cluster != NULL ? cluster->cluster.name : "?";
}

static void
show_cluster(const struct lp_print *print, const struct lp_view *view,
    const struct lp_object *cluster)
{
	const struct lp_object *object;
	size_t index = 0;

	lp_output_text_part_title(print, "cluster", cluster->cluster.name);
	if (cluster->cluster.same_as != 0)
		(void)fprintf(print->out, "    the same as %s\n",
		    cluster_name(view, cluster->cluster.same_as));
	if (cluster->cluster.discover)
		(void)fputs("    discover on\n", print->out);
	lp_output_text_part_owner(print, cluster, false);
	while ((object = lp_view_next_of(
		    view, LP_OBJECT_BROKER, cluster->id, &index)) != NULL)
		show_broker(print, object);
	index = 0;
	while ((object = lp_view_next_of(
		    view, LP_OBJECT_LISTENER, cluster->id, &index)) != NULL)
		show_listener(print, view, object);
}

static int
text_declared(const struct lp_print *print,
    const struct lp_declaration *declaration, const char *owner)
{
	return lp_declaration_print(print->out, declaration, owner);
}

static int
text_show(const struct lp_print *print, const struct lp_view *view)
{
	const struct lp_object *object;
	size_t index = 0;

	(void)fprintf(print->out, "generation %" PRIu64 "%s\n",
	    view->generation, view->config.count == 0 ? " (empty)" : "");
	while ((object = lp_view_next(view, LP_OBJECT_PORT, &index)) != NULL)
		show_port(print, object);
	index = 0;
	while ((object = lp_view_next(view, LP_OBJECT_CLUSTER, &index)) != NULL)
		show_cluster(print, view, object);
	return lp_output_text_rules_show(print, view);
}

/* ---- lists ------------------------------------------------------------ */

static unsigned
count_of(
    const struct lp_view *view, enum lp_object_kind kind, uint32_t cluster_id)
{
	unsigned count = 0;
	size_t index = 0;

	while (lp_view_next_of(view, kind, cluster_id, &index) != NULL)
		count++;
	return count;
}

static int
text_clusters(const struct lp_print *print, const struct lp_view *view)
{
	static const struct lp_column columns[] = {{"CLUSTER", false},
	    {"BROKERS", true}, {"LISTENERS", true}, {"DISCOVER", false},
	    {"SAME AS", false}};
	const struct lp_object *object;
	struct lp_table table;
	size_t index = 0;

	lp_table_init(&table, COLUMNS(columns));
	while (
	    (object = lp_view_next(view, LP_OBJECT_CLUSTER, &index)) != NULL) {
		lp_table_add(
		    &table, LP_STYLE_PLAIN, "%s", object->cluster.name);
		lp_table_add(&table, LP_STYLE_PLAIN, "%u",
		    count_of(view, LP_OBJECT_BROKER, object->id));
		lp_table_add(&table, LP_STYLE_PLAIN, "%u",
		    count_of(view, LP_OBJECT_LISTENER, object->id));
		lp_table_add(&table, LP_STYLE_PLAIN, "%s",
		    object->cluster.discover ? "on" : "off");
		lp_table_add(&table, LP_STYLE_PLAIN, "%s",
		    object->cluster.same_as != 0
			? cluster_name(view, object->cluster.same_as)
			: "-");
	}
	return lp_table_write(&table, print->out, print->color);
}

static int
text_brokers(const struct lp_print *print, const struct lp_view *view,
    const struct lp_object *cluster)
{
	static const struct lp_column columns[] = {{"CLUSTER", false},
	    {"BROKER", true}, {"ENDPOINT", false}, {"HOST", false},
	    {"SOURCE", false}};
	const struct lp_object *object;
	struct lp_table table;
	size_t index = 0;

	lp_table_init(&table, COLUMNS(columns));
	while ((object = lp_view_next_of(view, LP_OBJECT_BROKER,
		    cluster != NULL ? cluster->id : 0, &index)) != NULL) {
		const struct lp_broker_object *broker = &object->broker;
		char buf[LP_ENDPOINT_TEXT_SIZE];

		lp_table_add(&table, LP_STYLE_PLAIN, "%s",
		    cluster_name(view, broker->cluster_id));
		lp_table_add(
		    &table, LP_STYLE_PLAIN, "%" PRId32, broker->node_id);
		lp_table_add(&table, LP_STYLE_PLAIN, "%s",
		    lp_endpoint_format(buf, &broker->real));
		lp_table_add(&table, LP_STYLE_PLAIN, "%s", broker->host);
		lp_table_add(&table, LP_STYLE_PLAIN, "%s",
		    broker->discovered ? "discovered" : "manual");
	}
	return lp_table_write(&table, print->out, print->color);
}

/* One row: broker is "bootstrap", or a node id; vip NULL: it has none. */
static void
listener_row(struct lp_table *table, const struct lp_view *view,
    const struct lp_listener_object *listener, const char *broker,
    const struct lp_endpoint *vip)
{
	char buf[LP_ENDPOINT_TEXT_SIZE] = "-";
	const char *name = listener->advertise;

	lp_table_add(table, LP_STYLE_PLAIN, "%s",
	    cluster_name(view, listener->cluster_id));
	lp_table_add(table, LP_STYLE_PLAIN, "%s", listener->name);
	lp_table_add(table, LP_STYLE_PLAIN, "%s", lp_mode_name(listener->mode));
	lp_table_add(table, LP_STYLE_PLAIN, "%s",
	    lp_source_address_name(listener->source_address));
	lp_table_add(
	    table, LP_STYLE_PLAIN, "%s", lp_look_name(listener->kafka));
	lp_table_add(
	    table, LP_STYLE_PLAIN, "%s", lp_rewriting_name(listener->rewrite));
	lp_table_add(table, LP_STYLE_PLAIN, "%s",
	    listener->unjudged != 0 ? lp_unjudged_name(listener->unjudged)
				    : "-");
	if (listener->mode == LP_MODE_INLINE)
		lp_table_add(table, LP_STYLE_PLAIN, "-");
	else
		lp_table_add(
		    table, LP_STYLE_PLAIN, "%u", listener->broker_base);
	lp_table_add(table, LP_STYLE_PLAIN, "%s", broker);
	if (vip != NULL)
		lp_endpoint_format(buf, vip);
	lp_table_add(table, LP_STYLE_PLAIN, "%s", buf);
	/* A name leads to the VIP only. */
	if (name[0] == '\0' || vip == NULL ||
	    !lp_ip_equal(&vip->ip, &listener->vip.ip))
		name = "-";
	lp_table_add(table, LP_STYLE_PLAIN, "%s", name);
}

static void
listener_rows(struct lp_table *table, const struct lp_view *view,
    const struct lp_object *listener)
{
	const struct lp_object *endpoint, *broker;
	size_t index = 0;

	if (listener->listener.mode != LP_MODE_INLINE)
		listener_row(table, view, &listener->listener, "bootstrap",
		    &listener->listener.vip);
	while ((endpoint = lp_view_next_endpoint(view, listener->id, &index)) !=
	    NULL) {
		char node[16] = "?";

		broker = lp_config_find(&view->config, LP_OBJECT_BROKER,
		    endpoint->endpoint.broker_id);
		if (broker != NULL)
			(void)snprintf(node, sizeof(node), "%" PRId32,
			    broker->broker.node_id);
		listener_row(table, view, &listener->listener, node,
		    &endpoint->endpoint.vip);
	}
	index = 0;
	while ((broker = lp_config_next_missing(
		    &view->config, listener, &index)) != NULL) {
		char node[16];

		(void)snprintf(
		    node, sizeof(node), "%" PRId32, broker->broker.node_id);
		listener_row(table, view, &listener->listener, node, NULL);
	}
}

static int
text_listeners(const struct lp_print *print, const struct lp_view *view,
    const struct lp_object *cluster)
{
	static const struct lp_column columns[] = {{"CLUSTER", false},
	    {"LISTENER", false}, {"MODE", false}, {"SOURCE", false},
	    {"KAFKA", false}, {"REWRITE", false}, {"UNJUDGED", false},
	    {"BASE", true}, {"BROKER", false}, {"ENDPOINT", false},
	    {"ADVERTISED", false}};
	const struct lp_object *object;
	struct lp_table table;
	size_t index = 0;

	lp_table_init(&table, COLUMNS(columns));
	while ((object = lp_view_next_of(view, LP_OBJECT_LISTENER,
		    cluster != NULL ? cluster->id : 0, &index)) != NULL)
		listener_rows(&table, view, object);
	return lp_table_write(&table, print->out, print->color);
}

/* ---- the rest ---------------------------------------------------------- */

static int
text_version(const struct lp_print *print, const Lp__Pb__VersionReply *reply)
{
	(void)fprintf(print->out, "lpctl %s\n", LP_VERSION);
	if (reply != NULL)
		(void)fprintf(print->out,
		    "lp-controld %s, control protocol %u, schema %u\n",
		    reply->version, reply->protocol, reply->schema);
	return 0;
}

const struct lp_output lp_output_text = {
    .name = "text",
    .changed = text_changed,
    .confirmed = text_confirmed,
    .show = text_show,
    .declared = text_declared,
    .ports = lp_output_text_ports,
    .clusters = text_clusters,
    .brokers = text_brokers,
    .listeners = text_listeners,
    .rules = lp_output_text_rules_list,
    .status = lp_output_text_status,
    .stats = lp_output_text_live_stats,
    .connections = lp_output_text_live_connections,
    .kafka_stats = lp_output_text_kafka_stats,
    .rule_stats = lp_output_text_rules_stats,
    .plan = lp_output_text_plan,
    .denials = lp_output_text_denials,
    .audit = lp_output_text_audit,
    .history = lp_output_text_history,
    .db = lp_output_text_db,
    .pki = lp_output_text_pki,
    .checked = lp_output_text_check,
    .kafka_clients = lp_output_text_kafka_clients,
    .kafka_topics = lp_output_text_kafka_topics,
    .top = lp_output_text_top,
    .trace = lp_output_text_trace,
    .captured = lp_output_text_trace_captured,
    .version = text_version,
};
