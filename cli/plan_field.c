/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plan_field.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Writes a value to text[LP_PLAN_FIELD_SIZE], which is "" before. */
typedef void field_writer(char *text, const struct lp_declared *declared);

struct row {
	const char *name;
	field_writer *write;
};

struct difference {
	void (*found)(void *arg, const struct lp_plan_field *field);
	void *arg;
	bool any;
};

static const struct row *rows_of(unsigned kind);
static void make_default(
    struct lp_declared *made, const struct lp_declared *of);
static void compare_choices(struct difference *difference,
    const struct lp_declared *from, const struct lp_declared *to);
static void tell(struct difference *difference, struct lp_plan_field *field);

bool
lp_plan_field_each(const struct lp_declared *from, const struct lp_declared *to,
    void (*found)(void *arg, const struct lp_plan_field *field), void *arg)
{
	struct difference difference = {.found = found, .arg = arg};
	struct lp_declared made;

	if (from == NULL) {
		make_default(&made, to);
		from = &made;
	}
	assert(from->object.kind == to->object.kind);
	/* Of many rules most are the very same. */
	if (to->object.kind == LP_OBJECT_RULE &&
	    memcmp(&from->object.rule, &to->object.rule,
		sizeof(to->object.rule)) == 0 &&
	    strcmp(from->object.owner, to->object.owner) == 0)
		return false;
	for (const struct row *row = rows_of(to->object.kind);
	     row->name != NULL; row++) {
		struct lp_plan_field field = {.name = ""};

		row->write(field.old_text, from);
		row->write(field.new_text, to);
		if (strcmp(field.old_text, field.new_text) == 0)
			continue;
		(void)snprintf(field.name, sizeof(field.name), "%s", row->name);
		tell(&difference, &field);
	}
	if (to->object.kind == LP_OBJECT_BROKER)
		compare_choices(&difference, from, to);
	return difference.any;
}

/* Also of a name that is longer than any: it is not for a terminal. */
static void
put(char *text, const char *value)
{
	if (value != NULL)
		(void)snprintf(text, LP_PLAN_FIELD_SIZE, "%s", value);
}

static void
put_bool(char *text, bool value)
{
	put(text, value ? "true" : "false");
}

/* 0 is nothing. */
static void
put_number(char *text, unsigned value)
{
	if (value != 0)
		(void)snprintf(text, LP_PLAN_FIELD_SIZE, "%u", value);
}

static void
owner(char *text, const struct lp_declared *declared)
{
	put(text, declared->object.owner);
}

/* ---- ports -------------------------------------------------------------- */

static void
port_device(char *text, const struct lp_declared *declared)
{
	put(text, declared->object.port.device);
}

static void
port_addresses(char *text, const struct lp_declared *declared)
{
	const struct lp_port_object *port = &declared->object.port;

	for (unsigned i = 0; i < port->address_count; i++) {
		if (i > 0)
			text = stpcpy(text, ", ");
		lp_prefix_format(text, &port->addresses[i]);
		text += strlen(text);
	}
}

static void
port_gateway(char *text, const struct lp_declared *declared)
{
	const struct lp_port_object *port = &declared->object.port;
	bool has_v4 = !lp_ip_is_none(&port->gateway_v4);

	if (has_v4) {
		lp_ip_format(text, &port->gateway_v4);
		text += strlen(text);
	}
	if (lp_ip_is_none(&port->gateway_v6))
		return;
	if (has_v4)
		text = stpcpy(text, ", ");
	lp_ip_format(text, &port->gateway_v6);
}

static void
port_side(char *text, const struct lp_declared *declared)
{
	put(text, lp_side_name(declared->object.port.side));
}

static void
port_backend(char *text, const struct lp_declared *declared)
{
	put(text, lp_backend_name(declared->object.port.backend));
}

static void
port_mtu(char *text, const struct lp_declared *declared)
{
	put_number(text, declared->object.port.mtu);
}

static void
port_peer(char *text, const struct lp_declared *declared)
{
	put(text, declared->object.port.peer);
}

static void
port_on_loss(char *text, const struct lp_declared *declared)
{
	put(text, lp_on_loss_name(declared->object.port.on_loss));
}

static void
port_route(char *text, const struct lp_declared *declared)
{
	put_bool(text, declared->object.port.allow_default_route);
}

/* ---- clusters and brokers ----------------------------------------------- */

static void
cluster_same_as(char *text, const struct lp_declared *declared)
{
	put(text, declared->same_as);
}

static void
cluster_discover(char *text, const struct lp_declared *declared)
{
	put_bool(text, declared->object.cluster.discover);
}

static void
broker_endpoint(char *text, const struct lp_declared *declared)
{
	const struct lp_broker_object *broker = &declared->object.broker;

	static_assert((int)LP_HOSTPORT_TEXT_SIZE <= (int)LP_PLAN_FIELD_SIZE,
	    "it has room");
	if (broker->host[0] != '\0')
		lp_hostport_format(text, broker->host, broker->real.port);
}

/* No key of files: what a file has is the operator's. */
static void
broker_source(char *text, const struct lp_declared *declared)
{
	put(text, declared->object.broker.discovered ? "discovered" : "manual");
}

/* ---- listeners ---------------------------------------------------------- */

static void
listener_vip(char *text, const struct lp_declared *declared)
{
	const struct lp_endpoint *vip = &declared->object.listener.vip;

	if (!lp_ip_is_none(&vip->ip))
		lp_ip_format(text, &vip->ip);
}

static void
listener_port(char *text, const struct lp_declared *declared)
{
	put_number(text, declared->object.listener.vip.port);
}

static void
listener_mode(char *text, const struct lp_declared *declared)
{
	put(text, lp_mode_name(declared->object.listener.mode));
}

static void
listener_base(char *text, const struct lp_declared *declared)
{
	put_number(text, declared->object.listener.broker_base);
}

static void
listener_source(char *text, const struct lp_declared *declared)
{
	put(text,
	    lp_source_address_name(declared->object.listener.source_address));
}

static void
listener_kafka(char *text, const struct lp_declared *declared)
{
	put(text, lp_look_name(declared->object.listener.kafka));
}

static void
listener_rewrite(char *text, const struct lp_declared *declared)
{
	put(text, lp_rewriting_name(declared->object.listener.rewrite));
}

static void
listener_advertise(char *text, const struct lp_declared *declared)
{
	put(text, declared->object.listener.advertise);
}

static void
listener_unjudged(char *text, const struct lp_declared *declared)
{
	put(text, lp_unjudged_name(declared->object.listener.unjudged));
}

/* ---- rules -------------------------------------------------------------- */

/* 0 is a priority. */
static void
rule_priority(char *text, const struct lp_declared *declared)
{
	(void)snprintf(text, LP_PLAN_FIELD_SIZE, "%u",
	    (unsigned)declared->object.rule.priority);
}

static void
rule_shadow(char *text, const struct lp_declared *declared)
{
	put_bool(text, declared->object.rule.shadow);
}

/* An empty text would look as if something were missing. */
static void
rule_match(char *text, const struct lp_declared *declared)
{
	const char *match = declared->object.rule.match;

	put(text, match[0] != '\0' ? match : "(everything)");
}

static void
rule_action(char *text, const struct lp_declared *declared)
{
	put(text, declared->object.rule.action);
}

/* ---- all ---------------------------------------------------------------- */

static const struct row *
rows_of(unsigned kind)
{
	static const struct row ports[] = {
	    {"device", port_device},
	    {"addresses", port_addresses},
	    {"gateway", port_gateway},
	    {"side", port_side},
	    {"backend", port_backend},
	    {"mtu", port_mtu},
	    {"peer", port_peer},
	    {"on_loss", port_on_loss},
	    {"allow_default_route", port_route},
	    {"owner", owner},
	    {NULL, NULL},
	};
	static const struct row clusters[] = {
	    {"same_as", cluster_same_as},
	    {"discover", cluster_discover},
	    {"owner", owner},
	    {NULL, NULL},
	};
	static const struct row brokers[] = {
	    {"endpoint", broker_endpoint},
	    {"source", broker_source},
	    {"owner", owner},
	    {NULL, NULL},
	};
	static const struct row listeners[] = {
	    {"vip", listener_vip},
	    {"port", listener_port},
	    {"mode", listener_mode},
	    {"broker_base", listener_base},
	    {"source_address", listener_source},
	    {"kafka", listener_kafka},
	    {"rewrite", listener_rewrite},
	    {"advertise", listener_advertise},
	    {"unjudged", listener_unjudged},
	    {"owner", owner},
	    {NULL, NULL},
	};
	static const struct row rules[] = {
	    {"priority", rule_priority},
	    {"shadow", rule_shadow},
	    {"match", rule_match},
	    {"action", rule_action},
	    {"owner", owner},
	    {NULL, NULL},
	};
	static const struct row *const kinds[LP_OBJECT_KINDS] = {
	    [LP_OBJECT_PORT] = ports,
	    [LP_OBJECT_CLUSTER] = clusters,
	    [LP_OBJECT_BROKER] = brokers,
	    [LP_OBJECT_LISTENER] = listeners,
	    [LP_OBJECT_RULE] = rules,
	};

	assert(kind < LP_OBJECT_KINDS && kinds[kind] != NULL);
	return kinds[kind];
}

/* Where the default hangs on other fields it is what these make it. */
static void
make_default(struct lp_declared *made, const struct lp_declared *of)
{
	struct lp_listener_object *listener = &made->object.listener;

	*made = (struct lp_declared){.choices = NULL};
	lp_object_init(&made->object, of->object.kind);
	/* A rule has a priority, and a match, even if they are as these. */
	if (of->object.kind == LP_OBJECT_RULE) {
		made->object.rule.priority = UINT32_MAX;
		strcpy(made->object.rule.match, "?");
	}
	if (of->object.kind != LP_OBJECT_LISTENER)
		return;
	listener->rewrite = lp_object_rewriting(&of->object.listener);
	if (of->object.listener.mode == LP_MODE_INLINE)
		listener->source_address = LP_SOURCE_PRESERVE;
	else
		listener->broker_base =
		    (uint16_t)(of->object.listener.vip.port + 1);
}

static const struct lp_endpoint *
choice_of(const struct lp_declared *declared, const char *listener)
{
	for (size_t i = 0; i < declared->choice_count; i++)
		if (strcmp(declared->choices[i].listener, listener) == 0)
			return &declared->choices[i].vip;
	return NULL;
}

static void
compare_choice(struct difference *difference, const char *listener,
    const struct lp_endpoint *from, const struct lp_endpoint *to)
{
	struct lp_plan_field field = {.name = ""};

	if (from != NULL)
		lp_endpoint_format(field.old_text, from);
	if (to != NULL)
		lp_endpoint_format(field.new_text, to);
	if (strcmp(field.old_text, field.new_text) == 0)
		return;
	(void)snprintf(
	    field.name, sizeof(field.name), "endpoints.%s", listener);
	tell(difference, &field);
}

static void
compare_choices(struct difference *difference, const struct lp_declared *from,
    const struct lp_declared *to)
{
	for (size_t i = 0; i < to->choice_count; i++)
		compare_choice(difference, to->choices[i].listener,
		    choice_of(from, to->choices[i].listener),
		    &to->choices[i].vip);
	for (size_t i = 0; i < from->choice_count; i++)
		if (choice_of(to, from->choices[i].listener) == NULL)
			compare_choice(difference, from->choices[i].listener,
			    &from->choices[i].vip, NULL);
}

static void
tell(struct difference *difference, struct lp_plan_field *field)
{
	difference->any = true;
	if (difference->found != NULL)
		difference->found(difference->arg, field);
}
