/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/declaration_operation.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/message.h"

/* One operation, in one piece: there may be a hundred thousand of rules. */
struct made {
	Lp__Pb__Operation operation;
	Lp__Pb__Object object;
	union {
		Lp__Pb__Port port;
		Lp__Pb__Cluster cluster;
		Lp__Pb__Broker broker;
		Lp__Pb__Listener listener;
		Lp__Pb__Rule rule;
	};
};

struct made_choice {
	Lp__Pb__EndpointChoice message;
	Lp__Pb__Endpoint vip;
};

/* What is beside it. */
struct made_port {
	struct made made;
	Lp__Pb__Prefix prefixes[LP_PORT_ADDRESSES_MAX];
	Lp__Pb__Prefix *prefix_list[LP_PORT_ADDRESSES_MAX];
};

struct made_endpoint {
	struct made made;
	Lp__Pb__Endpoint endpoint; /* of a listener */
};

struct made_broker {
	struct made made;
	Lp__Pb__Endpoint endpoint;
	struct made_choice choices[];
};

static struct made *new_made(
    const struct lp_declared *declared, size_t choice_count);
static int append(
    struct lp_declaration_operation *operations, struct made *made);
static void name_object(
    Lp__Pb__Operation *operation, const struct lp_declared *declared);
static void give_object(struct made *made, const struct lp_declared *declared);
static void give_port(struct made_port *to, const struct lp_port_object *port);
static void give_broker(
    struct made_broker *to, const struct lp_broker_object *broker);
static void give_listener(
    struct made_endpoint *to, const struct lp_listener_object *listener);
static void give_rule(struct made *made, const struct lp_rule_object *rule);
static void give_choices(struct made *made, const struct lp_declared *declared,
    const struct lp_declared *old);
static ProtobufCBinaryData give_ip(const struct lp_ip *ip);

int
lp_declaration_operation_add(struct lp_declaration_operation *operations,
    const struct lp_declared *declared)
{
	struct made *made = new_made(declared, declared->choice_count);

	if (made == NULL)
		return -ENOMEM;
	made->operation.verb = LP__PB__OPERATION__VERB__ADD;
	give_object(made, declared);
	give_choices(made, declared, NULL);
	return append(operations, made);
}

int
lp_declaration_operation_set(struct lp_declaration_operation *operations,
    const struct lp_declared *declared, const struct lp_declared *old)
{
	struct made *made =
	    new_made(declared, declared->choice_count + old->choice_count);

	if (made == NULL)
		return -ENOMEM;
	made->operation.verb = LP__PB__OPERATION__VERB__SET;
	made->operation.has_replace_addresses = true;
	made->operation.replace_addresses = true;
	made->operation.has_replace_gateway = true;
	made->operation.replace_gateway = true;
	give_object(made, declared);
	give_choices(made, declared, old);
	return append(operations, made);
}

int
lp_declaration_operation_del(struct lp_declaration_operation *operations,
    const struct lp_declared *declared)
{
	struct made *made = new_made(declared, 0);

	if (made == NULL)
		return -ENOMEM;
	made->operation.verb = LP__PB__OPERATION__VERB__DEL;
	return append(operations, made);
}

void
lp_declaration_operation_fini(struct lp_declaration_operation *operations)
{
	/* Each is the first in what was allocated for it. */
	for (size_t i = 0; i < operations->count; i++) {
		free(operations->list[i]->endpoints);
		free(operations->list[i]);
	}
	free(operations->list);
	*operations = (struct lp_declaration_operation){0};
}

static struct made *
new_made(const struct lp_declared *declared, size_t choice_count)
{
	size_t size = sizeof(struct made);
	struct made *made;

	if (declared->object.kind == LP_OBJECT_PORT)
		size = sizeof(struct made_port);
	else if (declared->object.kind == LP_OBJECT_LISTENER)
		size = sizeof(struct made_endpoint);
	else if (declared->object.kind == LP_OBJECT_BROKER)
		size = sizeof(struct made_broker) +
		    choice_count * sizeof(struct made_choice);
	made = calloc(1, size);
	if (made == NULL)
		return NULL;
	lp__pb__operation__init(&made->operation);
	name_object(&made->operation, declared);
	if (choice_count == 0)
		return made;
	made->operation.endpoints =
	    calloc(choice_count, sizeof(Lp__Pb__EndpointChoice *));
	if (made->operation.endpoints != NULL)
		return made;
	free(made);
	return NULL;
}

static int
append(struct lp_declaration_operation *operations, struct made *made)
{
	Lp__Pb__Operation *operation = &made->operation;

	if (operations->count == operations->size) {
		size_t size = operations->size == 0 ? 64 : 2 * operations->size;
		Lp__Pb__Operation **list =
		    reallocarray(operations->list, size, sizeof(*list));

		if (list == NULL) {
			free(operation->endpoints);
			free(made);
			return -ENOMEM;
		}
		operations->list = list;
		operations->size = size;
	}
	operations->list[operations->count++] = operation;
	operation->has_place = true;
	operation->place = (uint32_t)operations->count;
	return 0;
}

static void
name_object(Lp__Pb__Operation *operation, const struct lp_declared *declared)
{
	const struct lp_object *object = &declared->object;

	operation->kind = object->kind;
	/* Never written to: protobuf-c just does not know const. */
	switch (object->kind) {
	case LP_OBJECT_PORT:
		operation->name = (char *)object->port.name;
		return;
	case LP_OBJECT_CLUSTER:
		operation->name = (char *)object->cluster.name;
		return;
	case LP_OBJECT_BROKER:
		operation->cluster = (char *)declared->cluster;
		operation->has_node_id = true;
		operation->node_id = object->broker.node_id;
		return;
	case LP_OBJECT_LISTENER:
		operation->cluster = (char *)declared->cluster;
		operation->name = (char *)object->listener.name;
		return;
	case LP_OBJECT_RULE:
		operation->name = (char *)object->rule.name;
		return;
	default:
		assert(false);
	}
}

static void
give_object(struct made *made, const struct lp_declared *declared)
{
	const struct lp_object *object = &declared->object;
	Lp__Pb__Object *message = &made->object;

	lp__pb__object__init(message);
	made->operation.object = message;
	message->owner = (char *)object->owner;
	switch (object->kind) {
	case LP_OBJECT_PORT:
		give_port((struct made_port *)made, &object->port);
		break;
	case LP_OBJECT_CLUSTER:
		made->operation.same_as = (char *)declared->same_as;
		message->body_case = LP__PB__OBJECT__BODY_CLUSTER;
		message->cluster = &made->cluster;
		lp__pb__cluster__init(&made->cluster);
		made->cluster.name = (char *)object->cluster.name;
		made->cluster.has_discover = true;
		made->cluster.discover = object->cluster.discover;
		break;
	case LP_OBJECT_BROKER:
		give_broker((struct made_broker *)made, &object->broker);
		break;
	case LP_OBJECT_LISTENER:
		give_listener((struct made_endpoint *)made, &object->listener);
		break;
	default:
		give_rule(made, &object->rule);
		break;
	}
}

static void
give_port(struct made_port *to, const struct lp_port_object *port)
{
	Lp__Pb__Port *message = &to->made.port;

	lp__pb__port__init(message);
	to->made.object.body_case = LP__PB__OBJECT__BODY_PORT;
	to->made.object.port = message;
	message->name = (char *)port->name;
	message->device = (char *)port->device;
	message->has_backend = message->has_side = message->has_mtu =
	    message->has_on_loss = message->has_allow_default_route = true;
	message->backend = port->backend;
	message->side = port->side;
	message->mtu = port->mtu;
	message->on_loss = port->on_loss;
	message->allow_default_route = port->allow_default_route;
	message->peer = (char *)port->peer;
	message->n_addresses = port->address_count;
	message->addresses = to->prefix_list;
	for (unsigned i = 0; i < port->address_count; i++) {
		to->prefix_list[i] = &to->prefixes[i];
		lp__pb__prefix__init(&to->prefixes[i]);
		to->prefixes[i].ip = give_ip(&port->addresses[i].ip);
		to->prefixes[i].len = port->addresses[i].len;
	}
	message->has_gateway_v4 = !lp_ip_is_none(&port->gateway_v4);
	message->gateway_v4 = give_ip(&port->gateway_v4);
	message->has_gateway_v6 = !lp_ip_is_none(&port->gateway_v6);
	message->gateway_v6 = give_ip(&port->gateway_v6);
}

static void
give_broker(struct made_broker *to, const struct lp_broker_object *broker)
{
	Lp__Pb__Broker *message = &to->made.broker;

	lp__pb__broker__init(message);
	to->made.object.body_case = LP__PB__OBJECT__BODY_BROKER;
	to->made.object.broker = message;
	message->has_node_id = true;
	message->node_id = broker->node_id;
	message->host = (char *)broker->host;
	message->real = lp_message_from_endpoint(&to->endpoint, &broker->real);
	message->has_discovered = true;
	message->discovered = broker->discovered;
}

static void
give_listener(
    struct made_endpoint *to, const struct lp_listener_object *listener)
{
	Lp__Pb__Listener *message = &to->made.listener;

	lp__pb__listener__init(message);
	to->made.object.body_case = LP__PB__OBJECT__BODY_LISTENER;
	to->made.object.listener = message;
	message->name = (char *)listener->name;
	if (listener->mode != LP_MODE_INLINE) {
		message->vip =
		    lp_message_from_endpoint(&to->endpoint, &listener->vip);
		message->has_broker_base = true;
		message->broker_base = listener->broker_base;
	}
	message->has_mode = message->has_source_address = message->has_kafka =
	    message->has_rewrite = message->has_unjudged = true;
	message->mode = listener->mode;
	message->source_address = listener->source_address;
	message->kafka = listener->kafka;
	message->rewrite = listener->rewrite;
	message->unjudged = listener->unjudged;
	message->advertise = (char *)listener->advertise;
}

static void
give_rule(struct made *made, const struct lp_rule_object *rule)
{
	Lp__Pb__Rule *message = &made->rule;

	lp__pb__rule__init(message);
	made->object.body_case = LP__PB__OBJECT__BODY_RULE;
	made->object.rule = message;
	message->name = (char *)rule->name;
	message->has_priority = message->has_shadow = true;
	message->priority = rule->priority;
	message->shadow = rule->shadow;
	message->match = (char *)rule->match;
	message->action = (char *)rule->action;
}

static bool
has_choice(const struct lp_declared *declared, const char *listener)
{
	for (size_t i = 0; i < declared->choice_count; i++)
		if (strcmp(declared->choices[i].listener, listener) == 0)
			return true;
	return false;
}

static void
give_choice(struct made_broker *to, const struct lp_declared_choice *choice,
    const struct lp_endpoint *vip)
{
	Lp__Pb__Operation *operation = &to->made.operation;
	struct made_choice *made = &to->choices[operation->n_endpoints];

	lp__pb__endpoint_choice__init(&made->message);
	made->message.listener = (char *)choice->listener;
	if (vip != NULL)
		made->message.vip = lp_message_from_endpoint(&made->vip, vip);
	operation->endpoints[operation->n_endpoints++] = &made->message;
}

/* Those that only the old one has are as by default from now on. */
static void
give_choices(struct made *made, const struct lp_declared *declared,
    const struct lp_declared *old)
{
	struct made_broker *to = (struct made_broker *)made;

	for (size_t i = 0; i < declared->choice_count; i++)
		give_choice(
		    to, &declared->choices[i], &declared->choices[i].vip);
	for (size_t i = 0; old != NULL && i < old->choice_count; i++)
		if (!has_choice(declared, old->choices[i].listener))
			give_choice(to, &old->choices[i], NULL);
}

static ProtobufCBinaryData
give_ip(const struct lp_ip *ip)
{
	return (ProtobufCBinaryData){
	    .len = sizeof(ip->bytes), .data = (uint8_t *)ip->bytes};
}
