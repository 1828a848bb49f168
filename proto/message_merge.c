/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { IP_SIZE = sizeof(struct lp_ip) };

/* Where a conversion leaves what it found. */
struct report {
	const char **field;
	char *why;
};

static int merge_port(struct lp_port_object *port, const Lp__Pb__Port *message,
    bool replace_addresses, bool replace_gateway, const struct report *report);
static int merge_broker(struct lp_broker_object *broker,
    const Lp__Pb__Broker *message, const struct report *report);
static int merge_listener(struct lp_listener_object *listener,
    const Lp__Pb__Listener *message, const struct report *report);
static int merge_rule(struct lp_rule_object *rule, const Lp__Pb__Rule *message,
    const struct report *report);
static int take_text(char *out, size_t size, const char *text,
    const char *field, const struct report *report);
static int take_word(uint8_t *out, bool present, uint32_t value,
    const char *field, const struct report *report);
static int take_ip(struct lp_ip *out, const ProtobufCBinaryData *bytes,
    const char *field, const struct report *report);
static int take_addresses(struct lp_port_object *port,
    const Lp__Pb__Port *message, const struct report *report);
static int take_gateways(struct lp_port_object *port,
    const Lp__Pb__Port *message, const struct report *report);
static int take_mtu(
    struct lp_port_object *port, uint32_t mtu, const struct report *report);
static int take_endpoint(struct lp_endpoint *out,
    const Lp__Pb__Endpoint *message, const char *field,
    const struct report *report);
static int refuse(const struct report *report, const char *field,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

int
lp_message_merge_object(struct lp_object *object, const Lp__Pb__Object *message,
    bool replace_addresses, bool replace_gateway, const char **field,
    char why[LP_WHY_SIZE])
{
	const struct report report = {.field = field, .why = why};
	struct lp_object merged;
	int rc = 0;

	if (lp_message_object_kind(message) != object->kind)
		return refuse(&report, "kind", "is not that of the object");
	/* A copy: what is refused half way must have changed nothing. */
	memcpy(&merged, object, sizeof(merged));
	switch (object->kind) {
	case LP_OBJECT_PORT:
		rc = merge_port(&merged.port, message->port, replace_addresses,
		    replace_gateway, &report);
		break;
	case LP_OBJECT_CLUSTER:
		rc = take_text(merged.cluster.name, LP_NAME_SIZE,
		    message->cluster->name, "name", &report);
		if (message->cluster->has_discover)
			merged.cluster.discover = message->cluster->discover;
		break;
	case LP_OBJECT_BROKER:
		rc = merge_broker(&merged.broker, message->broker, &report);
		break;
	case LP_OBJECT_LISTENER:
		rc = merge_listener(
		    &merged.listener, message->listener, &report);
		break;
	case LP_OBJECT_ENDPOINT:
		rc = take_endpoint(&merged.endpoint.vip, message->endpoint->vip,
		    "vip", &report);
		if (message->endpoint->has_chosen)
			merged.endpoint.chosen = message->endpoint->chosen;
		break;
	case LP_OBJECT_RULE:
		rc = merge_rule(&merged.rule, message->rule, &report);
		break;
	}
	if (!rc)
		rc = take_text(merged.owner, sizeof(merged.owner),
		    message->owner, "owner", &report);
	if (rc)
		return rc;
	memcpy(object, &merged, sizeof(merged));
	return 0;
}

static int
merge_port(struct lp_port_object *port, const Lp__Pb__Port *message,
    bool replace_addresses, bool replace_gateway, const struct report *report)
{
	int rc = take_text(
	    port->name, sizeof(port->name), message->name, "name", report);

	if (!rc)
		rc = take_text(port->device, sizeof(port->device),
		    message->device, "device", report);
	if (!rc)
		rc = take_word(&port->backend, message->has_backend,
		    message->backend, "backend", report);
	if (!rc)
		rc = take_word(&port->side, message->has_side, message->side,
		    "side", report);
	if (!rc && message->has_allow_default_route)
		port->allow_default_route = message->allow_default_route;
	if (!rc)
		rc = take_text(port->peer, sizeof(port->peer), message->peer,
		    "peer", report);
	if (!rc)
		rc = take_word(&port->on_loss, message->has_on_loss,
		    message->on_loss, "on_loss", report);
	if (!rc && message->has_mtu)
		rc = take_mtu(port, message->mtu, report);
	if (!rc && replace_addresses)
		rc = take_addresses(port, message, report);
	if (!rc && replace_gateway)
		rc = take_gateways(port, message, report);
	return rc;
}

static int
merge_broker(struct lp_broker_object *broker, const Lp__Pb__Broker *message,
    const struct report *report)
{
	int rc = take_text(broker->host, sizeof(broker->host), message->host,
	    "endpoint", report);

	if (rc)
		return rc;
	if (message->has_node_id)
		broker->node_id = message->node_id;
	/* An address that nobody calls discovered is the operator's. */
	if (message->has_discovered || message->real)
		broker->discovered =
		    message->has_discovered && message->discovered;
	return take_endpoint(&broker->real, message->real, "endpoint", report);
}

static int
merge_listener(struct lp_listener_object *listener,
    const Lp__Pb__Listener *message, const struct report *report)
{
	int rc = take_text(listener->name, sizeof(listener->name),
	    message->name, "name", report);

	if (!rc)
		rc = take_word(&listener->mode, message->has_mode,
		    message->mode, "mode", report);
	if (!rc)
		rc = take_word(&listener->source_address,
		    message->has_source_address, message->source_address,
		    "source_address", report);
	if (!rc)
		rc = take_word(&listener->kafka, message->has_kafka,
		    message->kafka, "kafka", report);
	if (!rc)
		rc = take_word(&listener->rewrite, message->has_rewrite,
		    message->rewrite, "rewrite", report);
	if (!rc)
		rc = take_text(listener->advertise, sizeof(listener->advertise),
		    message->advertise, "advertise", report);
	if (!rc)
		rc = take_word(&listener->unjudged, message->has_unjudged,
		    message->unjudged, "unjudged", report);
	if (rc)
		return rc;
	if (message->has_broker_base) {
		if (message->broker_base < 1 ||
		    message->broker_base > UINT16_MAX)
			return refuse(report, "broker_base",
			    "%u is not 1..65535", message->broker_base);
		listener->broker_base = (uint16_t)message->broker_base;
	}
	return take_endpoint(&listener->vip, message->vip, "vip", report);
}

/* Whether its texts are of the language is lp_object_check()'s to say. */
static int
merge_rule(struct lp_rule_object *rule, const Lp__Pb__Rule *message,
    const struct report *report)
{
	int rc = take_text(
	    rule->name, sizeof(rule->name), message->name, "name", report);

	if (!rc)
		rc = take_text(rule->match, sizeof(rule->match), message->match,
		    "match", report);
	if (!rc)
		rc = take_text(rule->action, sizeof(rule->action),
		    message->action, "action", report);
	if (!rc && message->has_priority)
		rule->priority = message->priority;
	if (!rc && message->has_shadow)
		rule->shadow = message->shadow;
	return rc;
}

/* Pads with zeros: equal objects are equal in memory. */
static int
take_text(char *out, size_t size, const char *text, const char *field,
    const struct report *report)
{
	size_t len;

	if (!text)
		return 0;
	len = strlen(text);
	if (len >= size)
		return refuse(
		    report, field, "is longer than %zu characters", size - 1);
	memset(out, 0, size);
	memcpy(out, text, len);
	return 0;
}

/* Which words there are is lp_object_check()'s to say. */
static int
take_word(uint8_t *out, bool present, uint32_t value, const char *field,
    const struct report *report)
{
	if (!present)
		return 0;
	if (value > UINT8_MAX)
		return refuse(report, field, "%u is no such value", value);
	*out = (uint8_t)value;
	return 0;
}

static int
take_ip(struct lp_ip *out, const ProtobufCBinaryData *bytes, const char *field,
    const struct report *report)
{
	if (bytes->len != IP_SIZE)
		return refuse(report, field, "an IP of %zu bytes, not %d",
		    bytes->len, IP_SIZE);
	memcpy(out->bytes, bytes->data, IP_SIZE);
	return 0;
}

static int
take_addresses(struct lp_port_object *port, const Lp__Pb__Port *message,
    const struct report *report)
{
	int rc;

	if (message->n_addresses > LP_PORT_ADDRESSES_MAX)
		return refuse(report, "address", "a port has at most %d",
		    LP_PORT_ADDRESSES_MAX);
	memset(port->addresses, 0, sizeof(port->addresses));
	for (size_t i = 0; i < message->n_addresses; i++) {
		const Lp__Pb__Prefix *from = message->addresses[i];
		struct lp_prefix *address = &port->addresses[i];

		rc = take_ip(&address->ip, &from->ip, "address", report);
		if (rc)
			return rc;
		rc = take_word(
		    &address->len, true, from->len, "address", report);
		if (rc)
			return rc;
	}
	port->address_count = (uint8_t)message->n_addresses;
	return 0;
}

static int
take_gateways(struct lp_port_object *port, const Lp__Pb__Port *message,
    const struct report *report)
{
	int rc = 0;

	port->gateway_v4 = port->gateway_v6 = (struct lp_ip){0};
	if (message->has_gateway_v4)
		rc = take_ip(
		    &port->gateway_v4, &message->gateway_v4, "gateway", report);
	if (!rc && message->has_gateway_v6)
		rc = take_ip(
		    &port->gateway_v6, &message->gateway_v6, "gateway", report);
	return rc;
}

/* 0 takes away what was there. */
static int
take_mtu(struct lp_port_object *port, uint32_t mtu, const struct report *report)
{
	if (mtu > UINT16_MAX)
		return refuse(report, "mtu", "%u is not %d..%d", mtu,
		    LP_PORT_MTU_MIN, LP_PORT_MTU_MAX);
	port->mtu = (uint16_t)mtu;
	return 0;
}

static int
take_endpoint(struct lp_endpoint *out, const Lp__Pb__Endpoint *message,
    const char *field, const struct report *report)
{
	if (!message)
		return 0;
	if (lp_message_to_endpoint(out, message))
		return refuse(report, field, "is not an IP and a port");
	return 0;
}

static int
refuse(const struct report *report, const char *field, const char *format, ...)
{
	va_list args;

	*report->field = field;
	va_start(args, format);
	vsnprintf(report->why, LP_WHY_SIZE, format, args);
	va_end(args);
	return -EINVAL;
}
