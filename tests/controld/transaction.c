/* SPDX-License-Identifier: Apache-2.0 */
#include "transaction.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const basic =
    "add port front device=eth1 address=10.9.0.10/24 gateway=10.9.0.1;"
    "add cluster payments;"
    "add broker payments 1 to=10.9.0.21:9092;"
    "add broker payments 2 to=10.9.0.22:9092;"
    "add listener payments public vip=10.9.0.100:9092 base=9100";

static void
take_ip(ProtobufCBinaryData *out, const struct lp_ip *ip)
{
	out->len = sizeof(ip->bytes);
	out->data = malloc(sizeof(ip->bytes));
	memcpy(out->data, ip->bytes, sizeof(ip->bytes));
}

static Lp__Pb__Endpoint *
make_endpoint(const char *text)
{
	Lp__Pb__Endpoint *message = malloc(sizeof(*message));
	struct lp_endpoint endpoint;
	char why[LP_WHY_SIZE] = "";

	ck_assert_msg(
	    lp_endpoint_parse(&endpoint, text, why) == 0, "%s: %s", text, why);
	lp__pb__endpoint__init(message);
	take_ip(&message->ip, &endpoint.ip);
	message->port = endpoint.port;
	return message;
}

static void
make_addresses(Lp__Pb__Port *port, char *text)
{
	char *rest = NULL;

	port->addresses = calloc(32, sizeof(*port->addresses));
	for (char *word = strtok_r(text, ",", &rest); word != NULL;
	     word = strtok_r(NULL, ",", &rest)) {
		Lp__Pb__Prefix *message = malloc(sizeof(*message));
		struct lp_prefix prefix;
		char why[LP_WHY_SIZE] = "";

		ck_assert_msg(
		    lp_prefix_parse(&prefix, word, why) == 0, "%s", why);
		lp__pb__prefix__init(message);
		take_ip(&message->ip, &prefix.ip);
		message->len = prefix.len;
		port->addresses[port->n_addresses++] = message;
	}
}

static void
set_port(Lp__Pb__Operation *op, const char *key, char *value)
{
	Lp__Pb__Port *port = op->object->port;
	struct lp_ip ip;
	uint8_t word = 0;

	if (strcmp(key, "device") == 0)
		port->device = strdup(value);
	if (strcmp(key, "name") == 0)
		port->name = strdup(value);
	if (strcmp(key, "address") == 0) {
		make_addresses(port, value);
		op->has_replace_addresses = op->replace_addresses = true;
	}
	if (strcmp(key, "side") == 0) {
		ck_assert_int_eq(lp_side_parse(&word, value), 0);
		port->has_side = true;
		port->side = word;
	}
	if (strcmp(key, "route") == 0)
		port->has_allow_default_route = port->allow_default_route =
		    true;
	if (strcmp(key, "backend") == 0) {
		ck_assert_int_eq(lp_backend_parse(&word, value), 0);
		port->has_backend = true;
		port->backend = word;
	}
	if (strcmp(key, "peer") == 0)
		port->peer = strdup(value);
	if (strcmp(key, "loss") == 0) {
		ck_assert_int_eq(lp_on_loss_parse(&word, value), 0);
		port->has_on_loss = true;
		port->on_loss = word;
	}
	if (strcmp(key, "mtu") == 0) {
		port->has_mtu = true;
		port->mtu = (uint32_t)atoi(value);
	}
	if (strcmp(key, "gateway") == 0) {
		op->has_replace_gateway = op->replace_gateway = true;
		if (strcmp(value, "none") == 0)
			return;
		ck_assert_int_eq(lp_ip_parse(&ip, value, NULL), 0);
		if (lp_ip_is_v4(&ip)) {
			port->has_gateway_v4 = true;
			take_ip(&port->gateway_v4, &ip);
		} else {
			port->has_gateway_v6 = true;
			take_ip(&port->gateway_v6, &ip);
		}
	}
}

/* "public@10.9.0.100:9092", or "public@". */
static void
add_choice(Lp__Pb__Operation *op, char *value)
{
	Lp__Pb__EndpointChoice *choice = malloc(sizeof(*choice));
	char *at = strchr(value, '@');

	ck_assert_ptr_nonnull(at);
	*at++ = '\0';
	lp__pb__endpoint_choice__init(choice);
	choice->listener = strdup(value);
	if (*at != '\0')
		choice->vip = make_endpoint(at);
	op->endpoints = reallocarray(
	    op->endpoints, op->n_endpoints + 1, sizeof(*op->endpoints));
	op->endpoints[op->n_endpoints++] = choice;
}

static void
set_broker(Lp__Pb__Operation *op, const char *key, char *value)
{
	Lp__Pb__Broker *broker = op->object->broker;

	if (strcmp(key, "at") == 0)
		add_choice(op, value);
	if (strcmp(key, "found") == 0) {
		broker->has_discovered = true;
		broker->discovered = atoi(value) != 0;
	}
	if (strcmp(key, "to") != 0)
		return;
	broker->real = make_endpoint(value);
	broker->host = strdup(value);
	*strrchr(broker->host, ':') = '\0';
	if (broker->host[0] == '[') {
		memmove(broker->host, broker->host + 1, strlen(broker->host));
		broker->host[strlen(broker->host) - 1] = '\0';
	}
}

static void
set_listener(Lp__Pb__Operation *op, const char *key, char *value)
{
	Lp__Pb__Listener *listener = op->object->listener;
	uint8_t word = 0;

	if (strcmp(key, "vip") == 0)
		listener->vip = make_endpoint(value);
	if (strcmp(key, "name") == 0)
		listener->name = strdup(value);
	if (strcmp(key, "base") == 0) {
		listener->has_broker_base = true;
		listener->broker_base = (uint32_t)atoi(value);
	}
	if (strcmp(key, "source") == 0) {
		ck_assert_int_eq(lp_source_address_parse(&word, value), 0);
		listener->has_source_address = true;
		listener->source_address = word;
	}
	if (strcmp(key, "kafka") == 0) {
		ck_assert_int_eq(lp_look_parse(&word, value), 0);
		listener->has_kafka = true;
		listener->kafka = word;
	}
	if (strcmp(key, "rewrite") == 0) {
		ck_assert_int_eq(lp_rewriting_parse(&word, value), 0);
		listener->has_rewrite = true;
		listener->rewrite = word;
	}
	if (strcmp(key, "unjudged") == 0) {
		ck_assert_int_eq(lp_unjudged_parse(&word, value), 0);
		listener->has_unjudged = true;
		listener->unjudged = word;
	}
	if (strcmp(key, "advertise") == 0)
		listener->advertise = strdup(value);
	if (strcmp(key, "mode") == 0) {
		ck_assert_int_eq(lp_mode_parse(&word, value), 0);
		listener->has_mode = true;
		listener->mode = word;
	}
}

/* '+' is a blank: words of a command are parted by these. */
static void
set_rule(Lp__Pb__Rule *rule, const char *key, char *value)
{
	for (char *c = value; *c != '\0'; c++)
		*c = *c == '+' ? ' ' : *c;
	if (strcmp(key, "name") == 0)
		rule->name = strdup(value);
	if (strcmp(key, "match") == 0)
		rule->match = strdup(value);
	if (strcmp(key, "action") == 0)
		rule->action = strdup(value);
	if (strcmp(key, "priority") == 0) {
		rule->has_priority = true;
		rule->priority = (uint32_t)atoi(value);
	}
	if (strcmp(key, "shadow") == 0) {
		rule->has_shadow = true;
		rule->shadow = atoi(value) != 0;
	}
}

static void
set_discover(Lp__Pb__Cluster *cluster, const char *value)
{
	cluster->has_discover = true;
	cluster->discover = atoi(value) != 0;
}

static void
set_key(Lp__Pb__Operation *op, char *key)
{
	char *value = strchr(key, '=');

	ck_assert_msg(value != NULL, "%s: no '='", key);
	*value++ = '\0';
	if (strcmp(key, "may") == 0)
		op->has_may_exist = op->may_exist = true;
	else if (strcmp(key, "if") == 0)
		op->has_if_exists = op->if_exists = true;
	else if (strcmp(key, "same") == 0)
		op->same_as = strdup(value);
	else if (strcmp(key, "owner") == 0)
		op->object->owner = strdup(value);
	else if (op->kind == LP_OBJECT_PORT)
		set_port(op, key, value);
	else if (op->kind == LP_OBJECT_BROKER)
		set_broker(op, key, value);
	else if (op->kind == LP_OBJECT_LISTENER)
		set_listener(op, key, value);
	else if (op->kind == LP_OBJECT_RULE)
		set_rule(op->object->rule, key, value);
	else if (strcmp(key, "name") == 0)
		op->object->cluster->name = strdup(value);
	else if (strcmp(key, "discover") == 0)
		set_discover(op->object->cluster, value);
}

static void
make_body(Lp__Pb__Operation *op)
{
	Lp__Pb__Object *object = malloc(sizeof(*object));

	lp__pb__object__init(object);
	op->object = object;
	object->port = calloc(1, sizeof(struct lp_message_object));
	switch (op->kind) {
	case LP_OBJECT_PORT:
		object->body_case = LP__PB__OBJECT__BODY_PORT;
		lp__pb__port__init(object->port);
		break;
	case LP_OBJECT_CLUSTER:
		object->body_case = LP__PB__OBJECT__BODY_CLUSTER;
		lp__pb__cluster__init(object->cluster);
		break;
	case LP_OBJECT_BROKER:
		object->body_case = LP__PB__OBJECT__BODY_BROKER;
		lp__pb__broker__init(object->broker);
		break;
	case LP_OBJECT_RULE:
		object->body_case = LP__PB__OBJECT__BODY_RULE;
		lp__pb__rule__init(object->rule);
		break;
	default:
		object->body_case = LP__PB__OBJECT__BODY_LISTENER;
		lp__pb__listener__init(object->listener);
	}
}

static Lp__Pb__Operation *
make_operation(char *text)
{
	Lp__Pb__Operation *op = malloc(sizeof(*op));
	char *rest = NULL;
	const char *verb = strtok_r(text, " ", &rest);
	const char *kind = strtok_r(NULL, " ", &rest);
	char *word;

	lp__pb__operation__init(op);
	op->verb = strcmp(verb, "add") == 0 ? LP__PB__OPERATION__VERB__ADD
	    : strcmp(verb, "set") == 0      ? LP__PB__OPERATION__VERB__SET
					    : LP__PB__OPERATION__VERB__DEL;
	for (unsigned i = LP_OBJECT_PORT; i <= LP_OBJECT_RULE; i++)
		if (strcmp(kind, lp_object_kind_name(i)) == 0)
			op->kind = i;
	if (op->kind >= LP_OBJECT_BROKER && op->kind != LP_OBJECT_RULE &&
	    (word = strtok_r(NULL, " ", &rest)))
		op->cluster = strdup(word);
	word = strtok_r(NULL, " ", &rest);
	if (word != NULL && op->kind == LP_OBJECT_BROKER) {
		op->has_node_id = true;
		op->node_id = atoi(word);
	} else if (word != NULL) {
		op->name = strdup(word);
	}
	make_body(op);
	while ((word = strtok_r(NULL, " ", &rest)) != NULL)
		set_key(op, word);
	return op;
}

Lp__Pb__ControlRequest *
make_request(Lp__Pb__ControlRequest__BodyCase body)
{
	const ProtobufCFieldDescriptor *field =
	    protobuf_c_message_descriptor_get_field(
		&lp__pb__control_request__descriptor, body);
	Lp__Pb__ControlRequest *request = malloc(sizeof(*request));

	lp__pb__control_request__init(request);
	request->protocol = LP_CONTROL_PROTOCOL;
	if (field != NULL) {
		const ProtobufCMessageDescriptor *kind = field->descriptor;

		request->body_case = body;
		/* Whatever it is: they are a union. */
		request->status = malloc(kind->sizeof_message);
		protobuf_c_message_init(kind, request->status);
	}
	return request;
}

Lp__Pb__ControlRequest *
make_transaction(const char *text)
{
	Lp__Pb__ControlRequest *request =
	    make_request(LP__PB__CONTROL_REQUEST__BODY_TRANSACTION);
	Lp__Pb__Transaction *transaction = request->transaction;
	char *copy = strdup(text), *rest = NULL;
	size_t count = 1;

	for (const char *c = text; *c != '\0'; c++)
		count += *c == ';';
	transaction->operations =
	    calloc(count, sizeof(*transaction->operations));
	transaction->comment = strdup(text);
	for (char *line = strtok_r(copy, ";", &rest); line != NULL;
	     line = strtok_r(NULL, ";", &rest))
		transaction->operations[transaction->n_operations++] =
		    make_operation(line);
	free(copy);
	return request;
}

void
apply(struct lp_config *config, uint32_t *next_id, const char *text)
{
	Lp__Pb__ControlRequest *request = make_transaction(text);
	struct lp_model_change change;
	int err = lp_model_apply(&change, config, *next_id,
	    request->transaction->operations,
	    request->transaction->n_operations);

	ck_assert_msg(err == 0, "%s: %s: %s", change.error.object,
	    change.error.field, change.error.why);
	lp_config_fini(config);
	*config = change.config;
	*next_id = change.next_id;
	lp_config_init(&change.config);
	lp_model_change_fini(&change);
	lp__pb__control_request__free_unpacked(request, NULL);
}

char *
dump(const struct lp_config *config)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < config->count; i++) {
		const struct lp_object *object = &config->objects[i];
		char label[LP_OBJECT_LABEL_SIZE];
		char ip[LP_ENDPOINT_TEXT_SIZE] = "";

		if (object->kind == LP_OBJECT_BROKER)
			lp_endpoint_format(ip, &object->broker.real);
		if (object->kind == LP_OBJECT_LISTENER)
			lp_endpoint_format(ip, &object->listener.vip);
		if (object->kind == LP_OBJECT_ENDPOINT)
			lp_endpoint_format(ip, &object->endpoint.vip);
		fprintf(out, "%u %s %s%s\n", object->id,
		    lp_config_label(config, object, label), ip,
		    object->kind == LP_OBJECT_ENDPOINT &&
			    object->endpoint.chosen
			? " chosen"
			: "");
	}
	fclose(out);
	return text;
}
