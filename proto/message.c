/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/message.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { IP_SIZE = sizeof(struct lp_ip) };

/* Where a conversion leaves what it found. */
struct report {
	const char **field;
	char *why;
};

static ProtobufCMessage *unpack(const ProtobufCMessageDescriptor *descriptor,
    const uint8_t *payload, size_t len);
static bool is_sane(const ProtobufCMessage *message);
static bool is_sane_field(
    const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
static bool is_sane_value(
    const ProtobufCFieldDescriptor *field, const void *value);
static int take_ids(struct lp_object *object, const Lp__Pb__Object *message,
    const struct report *report);
static void give_port(
    struct lp_message_object *holder, const struct lp_port_object *port);
static void give_broker(
    struct lp_message_object *holder, const struct lp_broker_object *broker);
static void give_listener(struct lp_message_object *holder,
    const struct lp_listener_object *listener);
static void give_endpoint(struct lp_message_object *holder,
    const struct lp_endpoint_object *endpoint);
static void give_rule(
    struct lp_message_object *holder, const struct lp_rule_object *rule);
static ProtobufCBinaryData give_ip(const struct lp_ip *ip);
static int refuse(const struct report *report, const char *field,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

int
lp_message_frame(
    uint8_t **frame, size_t *frame_len, const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes;

	if (len > LP_FRAME_SIZE_MAX - LP_FRAME_HEADER_SIZE)
		return -EMSGSIZE;
	bytes = malloc(LP_FRAME_HEADER_SIZE + len);
	if (!bytes)
		return -ENOMEM;
	lp_frame_header(bytes, len);
	protobuf_c_message_pack(message, bytes + LP_FRAME_HEADER_SIZE);
	*frame = bytes;
	*frame_len = LP_FRAME_HEADER_SIZE + len;
	return 0;
}

Lp__Pb__DataplaneMessage *
lp_message_unpack_dataplane(const uint8_t *payload, size_t len)
{
	return (Lp__Pb__DataplaneMessage *)unpack(
	    &lp__pb__dataplane_message__descriptor, payload, len);
}

Lp__Pb__ControlRequest *
lp_message_unpack_request(const uint8_t *payload, size_t len)
{
	return (Lp__Pb__ControlRequest *)unpack(
	    &lp__pb__control_request__descriptor, payload, len);
}

Lp__Pb__ControlReply *
lp_message_unpack_reply(const uint8_t *payload, size_t len)
{
	return (Lp__Pb__ControlReply *)unpack(
	    &lp__pb__control_reply__descriptor, payload, len);
}

unsigned
lp_message_object_kind(const Lp__Pb__Object *message)
{
	switch (message->body_case) {
	case LP__PB__OBJECT__BODY_PORT:
		return LP_OBJECT_PORT;
	case LP__PB__OBJECT__BODY_CLUSTER:
		return LP_OBJECT_CLUSTER;
	case LP__PB__OBJECT__BODY_BROKER:
		return LP_OBJECT_BROKER;
	case LP__PB__OBJECT__BODY_LISTENER:
		return LP_OBJECT_LISTENER;
	case LP__PB__OBJECT__BODY_ENDPOINT:
		return LP_OBJECT_ENDPOINT;
	case LP__PB__OBJECT__BODY_RULE:
		return LP_OBJECT_RULE;
	default:
		return 0;
	}
}

int
lp_message_to_object(struct lp_object *object, const Lp__Pb__Object *message,
    const char **field, char why[LP_WHY_SIZE])
{
	const struct report report = {.field = field, .why = why};
	struct lp_object made;
	int rc;

	if (lp_message_object_kind(message) == 0)
		return refuse(&report, "kind", "an object of no kind we know");
	lp_object_init(&made, lp_message_object_kind(message));
	rc = take_ids(&made, message, &report);
	if (rc)
		return rc;
	rc = lp_message_merge_object(&made, message, true, true, field, why);
	if (rc)
		return rc;
	if (made.kind == LP_OBJECT_LISTENER && !message->listener->has_rewrite)
		made.listener.rewrite = lp_object_rewriting(&made.listener);
	rc = lp_object_check(&made, field, why);
	if (rc)
		return rc;
	memcpy(object, &made, sizeof(made));
	return 0;
}

Lp__Pb__Object *
lp_message_from_object(
    struct lp_message_object *holder, const struct lp_object *object)
{
	Lp__Pb__Object *message = &holder->message;

	lp__pb__object__init(message);
	message->has_id = true;
	message->id = object->id;
	/* Absent if none: objects that are older keep their digest. */
	if (object->owner[0] != '\0')
		message->owner = (char *)object->owner;
	switch (object->kind) {
	case LP_OBJECT_PORT:
		give_port(holder, &object->port);
		break;
	case LP_OBJECT_CLUSTER:
		message->body_case = LP__PB__OBJECT__BODY_CLUSTER;
		message->cluster = &holder->cluster;
		lp__pb__cluster__init(&holder->cluster);
		holder->cluster.name = (char *)object->cluster.name;
		/* Absent if 0: clusters that are older keep their digest. */
		holder->cluster.has_same_as = object->cluster.same_as != 0;
		holder->cluster.same_as = object->cluster.same_as;
		holder->cluster.has_discover = holder->cluster.discover =
		    object->cluster.discover;
		break;
	case LP_OBJECT_BROKER:
		give_broker(holder, &object->broker);
		break;
	case LP_OBJECT_LISTENER:
		give_listener(holder, &object->listener);
		break;
	case LP_OBJECT_ENDPOINT:
		give_endpoint(holder, &object->endpoint);
		break;
	case LP_OBJECT_RULE:
		give_rule(holder, &object->rule);
		break;
	}
	assert(message->body_case != LP__PB__OBJECT__BODY__NOT_SET);
	return message;
}

size_t
lp_message_object_size(const struct lp_object *object)
{
	struct lp_message_object holder;

	return lp__pb__object__get_packed_size(
	    lp_message_from_object(&holder, object));
}

size_t
lp_message_pack_object(uint8_t *buf, size_t max, const struct lp_object *object)
{
	struct lp_message_object holder;
	Lp__Pb__Object *message = lp_message_from_object(&holder, object);
	size_t len = lp__pb__object__get_packed_size(message);

	assert(len <= max);
	lp__pb__object__pack(message, buf);
	return len;
}

Lp__Pb__Endpoint *
lp_message_from_endpoint(
    Lp__Pb__Endpoint *holder, const struct lp_endpoint *endpoint)
{
	lp__pb__endpoint__init(holder);
	holder->ip = give_ip(&endpoint->ip);
	holder->port = endpoint->port;
	return holder;
}

int
lp_message_to_endpoint(
    struct lp_endpoint *endpoint, const Lp__Pb__Endpoint *message)
{
	if (!message || message->ip.len != IP_SIZE)
		return -EINVAL;
	if (message->port < 1 || message->port > UINT16_MAX)
		return -EINVAL;
	memcpy(endpoint->ip.bytes, message->ip.data, IP_SIZE);
	endpoint->port = (uint16_t)message->port;
	return 0;
}

/*
 * What protobuf-c allocates is bounded by the size of the frame: messages do
 * not nest without end, and the smallest element takes two bytes of it.
 */
static ProtobufCMessage *
unpack(const ProtobufCMessageDescriptor *descriptor, const uint8_t *payload,
    size_t len)
{
	ProtobufCMessage *message;

	if (len > LP_FRAME_SIZE_MAX - LP_FRAME_HEADER_SIZE)
		return NULL;
	message = protobuf_c_message_unpack(descriptor, NULL, len, payload);
	if (message && !is_sane(message)) {
		protobuf_c_message_free_unpacked(message, NULL);
		return NULL;
	}
	return message;
}

/*
 * What the format allows and the schema does not: enums without a name, and
 * addresses of another length.  All of our bytes are addresses, but those of
 * packets, whose fields are called data.
 */
static bool
is_sane(const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;

	for (unsigned i = 0; i < descriptor->n_fields; i++)
		if (!is_sane_field(message, &descriptor->fields[i]))
			return false;
	return true;
}

static bool
is_sane_field(
    const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)message;
	const void *member = base + field->offset;
	const void *quantifier = base + field->quantifier_offset;
	size_t count = 0;

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		uint32_t which;

		memcpy(&which, quantifier, sizeof(which));
		return which != field->id || is_sane_value(field, member);
	}
	if (field->label != PROTOBUF_C_LABEL_REPEATED) {
		if (field->quantifier_offset &&
		    !*(const protobuf_c_boolean *)quantifier)
			return true;
		return is_sane_value(field, member);
	}
	if (field->type != PROTOBUF_C_TYPE_MESSAGE)
		return true; /* strings */
	memcpy(&count, quantifier, sizeof(count));
	for (size_t i = 0; i < count; i++)
		if (!is_sane((*(ProtobufCMessage ***)member)[i]))
			return false;
	return true;
}

static bool
is_sane_value(const ProtobufCFieldDescriptor *field, const void *value)
{
	const ProtobufCMessage *const *message = value;
	const ProtobufCBinaryData *bytes = value;

	switch (field->type) {
	case PROTOBUF_C_TYPE_ENUM:
		return protobuf_c_enum_descriptor_get_value(
		    field->descriptor, *(const int *)value);
	case PROTOBUF_C_TYPE_BYTES:
		return bytes->len == IP_SIZE ||
		    strcmp(field->name, "data") == 0;
	case PROTOBUF_C_TYPE_MESSAGE:
		return !*message || is_sane(*message);
	default:
		return true;
	}
}

/* Its own id and those that it refers to: all of them are needed. */
static int
take_ids(struct lp_object *object, const Lp__Pb__Object *message,
    const struct report *report)
{
	if (message->id == 0)
		return refuse(report, "id", "is missing");
	object->id = message->id;
	switch (object->kind) {
	case LP_OBJECT_CLUSTER:
		object->cluster.same_as = message->cluster->same_as;
		break;
	case LP_OBJECT_BROKER:
		object->broker.cluster_id = message->broker->cluster_id;
		if (object->broker.cluster_id == 0)
			return refuse(report, "cluster", "is missing");
		if (!message->broker->has_node_id)
			return refuse(report, "node_id", "is missing");
		break;
	case LP_OBJECT_LISTENER:
		object->listener.cluster_id = message->listener->cluster_id;
		if (object->listener.cluster_id == 0)
			return refuse(report, "cluster", "is missing");
		break;
	case LP_OBJECT_ENDPOINT:
		object->endpoint.listener_id = message->endpoint->listener_id;
		if (object->endpoint.listener_id == 0)
			return refuse(report, "listener", "is missing");
		object->endpoint.broker_id = message->endpoint->broker_id;
		if (object->endpoint.broker_id == 0)
			return refuse(report, "broker", "is missing");
		break;
	case LP_OBJECT_RULE:
		if (!message->rule->has_priority)
			return refuse(report, "priority", "is missing");
		if (!message->rule->match)
			return refuse(report, "match", "is missing");
		break;
	}
	return 0;
}

static void
give_port(struct lp_message_object *holder, const struct lp_port_object *port)
{
	Lp__Pb__Port *message = &holder->port;

	assert(port->address_count <= LP_PORT_ADDRESSES_MAX);
	holder->message.body_case = LP__PB__OBJECT__BODY_PORT;
	holder->message.port = message;
	lp__pb__port__init(message);
	message->name = (char *)port->name;
	message->device = (char *)port->device;
	message->has_backend = message->has_side = true;
	message->backend = port->backend;
	message->side = port->side;
	message->has_allow_default_route = true;
	message->allow_default_route = port->allow_default_route;
	message->n_addresses = port->address_count;
	message->addresses = holder->prefix_list;
	for (unsigned i = 0; i < port->address_count; i++) {
		holder->prefix_list[i] = &holder->prefixes[i];
		lp__pb__prefix__init(&holder->prefixes[i]);
		holder->prefixes[i].ip = give_ip(&port->addresses[i].ip);
		holder->prefixes[i].len = port->addresses[i].len;
	}
	message->has_gateway_v4 = !lp_ip_is_none(&port->gateway_v4);
	message->gateway_v4 = give_ip(&port->gateway_v4);
	message->has_gateway_v6 = !lp_ip_is_none(&port->gateway_v6);
	message->gateway_v6 = give_ip(&port->gateway_v6);
	/* Absent if 0: ports that are older than it keep their digest. */
	message->has_mtu = port->mtu != 0;
	message->mtu = port->mtu;
	/* And so with those of inline ports. */
	if (lp_object_has_peer(port)) {
		message->peer = (char *)port->peer;
		message->has_on_loss = true;
		message->on_loss = port->on_loss;
	}
}

static void
give_broker(
    struct lp_message_object *holder, const struct lp_broker_object *broker)
{
	Lp__Pb__Broker *message = &holder->broker;

	holder->message.body_case = LP__PB__OBJECT__BODY_BROKER;
	holder->message.broker = message;
	lp__pb__broker__init(message);
	message->has_cluster_id = message->has_node_id = true;
	message->cluster_id = broker->cluster_id;
	message->node_id = broker->node_id;
	message->host = (char *)broker->host;
	message->real =
	    lp_message_from_endpoint(&holder->ip_port, &broker->real);
	/* Absent if not: those that are older keep their digest. */
	message->has_discovered = message->discovered = broker->discovered;
}

static void
give_listener(
    struct lp_message_object *holder, const struct lp_listener_object *listener)
{
	Lp__Pb__Listener *message = &holder->listener;

	holder->message.body_case = LP__PB__OBJECT__BODY_LISTENER;
	holder->message.listener = message;
	lp__pb__listener__init(message);
	message->has_cluster_id = true;
	message->cluster_id = listener->cluster_id;
	message->name = (char *)listener->name;
	if (listener->mode != LP_MODE_INLINE) {
		message->vip =
		    lp_message_from_endpoint(&holder->ip_port, &listener->vip);
		message->has_broker_base = true;
		message->broker_base = listener->broker_base;
	}
	message->has_mode = message->has_source_address = true;
	message->mode = listener->mode;
	message->source_address = listener->source_address;
	/* Absent if observe: listeners that are older keep their digest. */
	message->has_kafka = listener->kafka != LP_LOOK_OBSERVE;
	message->kafka = listener->kafka;
	/* And so with these. */
	message->has_rewrite =
	    listener->rewrite != lp_object_rewriting(listener);
	message->rewrite = listener->rewrite;
	if (listener->advertise[0] != '\0')
		message->advertise = (char *)listener->advertise;
	message->has_unjudged = listener->unjudged != 0;
	message->unjudged = listener->unjudged;
}

static void
give_endpoint(
    struct lp_message_object *holder, const struct lp_endpoint_object *endpoint)
{
	Lp__Pb__ListenerEndpoint *message = &holder->endpoint;

	holder->message.body_case = LP__PB__OBJECT__BODY_ENDPOINT;
	holder->message.endpoint = message;
	lp__pb__listener_endpoint__init(message);
	message->has_listener_id = message->has_broker_id = true;
	message->listener_id = endpoint->listener_id;
	message->broker_id = endpoint->broker_id;
	message->vip =
	    lp_message_from_endpoint(&holder->ip_port, &endpoint->vip);
	/* Absent if not: those that are older keep their digest. */
	message->has_chosen = message->chosen = endpoint->chosen;
}

static void
give_rule(struct lp_message_object *holder, const struct lp_rule_object *rule)
{
	Lp__Pb__Rule *message = &holder->rule;

	holder->message.body_case = LP__PB__OBJECT__BODY_RULE;
	holder->message.rule = message;
	lp__pb__rule__init(message);
	message->name = (char *)rule->name;
	message->has_priority = true;
	message->priority = rule->priority;
	message->has_shadow = message->shadow = rule->shadow;
	message->match = (char *)rule->match;
	message->action = (char *)rule->action;
}

static ProtobufCBinaryData
give_ip(const struct lp_ip *ip)
{
	return (ProtobufCBinaryData){
	    .len = IP_SIZE, .data = (uint8_t *)ip->bytes};
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
