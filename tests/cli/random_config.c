/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/cli/random_config.h"

#include <stdio.h>
#include <string.h>

#include "cli/declaration_operation.h"
#include "controld/model.h"
#include "tests/proto/rules.h"
#include "tests/support/ensure.h"
#include "tests/support/random.h"

enum { CHOICES_MAX = 2, DECLARED_MAX = 2 };

/* Names as YAML would misread them, and others. */
static const char *const names[] = {"a", "b", "ab", "yes", "1", "0x1f", "null",
    "_z", "2001-01-02", "7e3", "p0", "p1", "x", "y", "K.f-1"};
static const char *const owners[] = {"", "", "team-a", "team-b", "no"};
static const char *const hosts[] = {
    "k1.internal", "k2.internal", "true", "10.0.0.9", "fd00::9"};

#define PICK(random, list)                                                     \
	(list)[random_next(random) % (sizeof(list) / sizeof((list)[0]))]

/* One transaction: an object, or two ports of a pair. */
struct draft {
	const struct lp_config *config; /* before it */
	struct lp_declared list[DECLARED_MAX];
	struct lp_declared_choice choices[CHOICES_MAX];
	size_t count;
};

static void draw(struct draft *draft, uint64_t *random);
static void draw_port(struct lp_declared *to, uint64_t *random);
static void draw_cluster(struct draft *draft, uint64_t *random);
static void draw_broker(struct draft *draft, uint64_t *random);
static void draw_listener(struct draft *draft, uint64_t *random);
static void draw_rule(struct lp_declared *to, uint64_t *random);

void
random_config(struct lp_config *config, uint64_t *random, unsigned tries)
{
	uint32_t next_id = 1;

	lp_config_init(config);
	for (unsigned i = 0; i < tries; i++) {
		struct lp_declaration_operation operations = {0};
		struct lp_model_change change;
		struct draft draft;

		memset(&draft, 0, sizeof(draft));
		draft.config = config;
		draw(&draft, random);
		for (size_t j = 0; j < draft.count; j++)
			ensure(lp_declaration_operation_add(
				   &operations, &draft.list[j]) == 0,
			    "no memory");
		if (lp_model_apply(&change, config, next_id, operations.list,
			operations.count) == 0) {
			lp_config_fini(config);
			*config = change.config;
			lp_config_init(&change.config);
			next_id = change.next_id;
		}
		lp_model_change_fini(&change);
		lp_declaration_operation_fini(&operations);
	}
}

int
random_config_resolve(struct lp_ip *ip, const char *host, char *why)
{
	char text[LP_IP_TEXT_SIZE];

	snprintf(text, sizeof(text), "10.0.7.%zu", strlen(host));
	return lp_ip_parse(
	    ip, strcmp(host, "k2.internal") == 0 ? "10.0.7.200" : text, why);
}

static void
draw(struct draft *draft, uint64_t *random)
{
	static const uint8_t kinds[] = {LP_OBJECT_PORT, LP_OBJECT_CLUSTER,
	    LP_OBJECT_BROKER, LP_OBJECT_BROKER, LP_OBJECT_LISTENER,
	    LP_OBJECT_LISTENER, LP_OBJECT_RULE, LP_OBJECT_RULE, LP_OBJECT_RULE};
	struct lp_declared *first = &draft->list[0], *second = &draft->list[1];
	uint8_t kind = PICK(random, kinds);

	draft->count = 1;
	lp_object_init(&first->object, kind);
	strcpy(first->object.owner, PICK(random, owners));
	if (kind == LP_OBJECT_PORT)
		draw_port(first, random);
	else if (kind == LP_OBJECT_CLUSTER)
		draw_cluster(draft, random);
	else if (kind == LP_OBJECT_BROKER)
		draw_broker(draft, random);
	else if (kind == LP_OBJECT_LISTENER)
		draw_listener(draft, random);
	else
		draw_rule(first, random);
	if (kind != LP_OBJECT_PORT || !random_percent(random, 30))
		return;
	/* A pair. */
	draft->count = 2;
	*second = *first;
	for (int i = 0; i < 2; i++) {
		struct lp_port_object *port = &draft->list[i].object.port;

		memset(port->addresses, 0, sizeof(port->addresses));
		port->address_count = 0;
		port->side = LP_SIDE_BOTH;
		memset(&port->gateway_v4, 0, sizeof(port->gateway_v4));
		memset(&port->gateway_v6, 0, sizeof(port->gateway_v6));
		port->on_loss = port->backend == LP_BACKEND_AF_XDP &&
			random_percent(random, 50)
		    ? LP_ON_LOSS_WIRE
		    : LP_ON_LOSS_DROP;
	}
	second->object.port.on_loss = first->object.port.on_loss;
	second->object.port.device[0] = 'f';
	strcpy(second->object.port.name, "other");
	strcpy(second->object.port.peer, first->object.port.name);
	strcpy(first->object.port.peer, "other");
}

static void
parse_prefix(
    struct lp_prefix *prefix, const char *format, unsigned a, unsigned b)
{
	char text[LP_PREFIX_TEXT_SIZE];

	snprintf(text, sizeof(text), format, a, b);
	ensure(lp_prefix_parse(prefix, text, NULL) == 0, "%s", text);
}

static void
draw_port(struct lp_declared *to, uint64_t *random)
{
	struct lp_port_object *port = &to->object.port;
	unsigned network = random_between(random, 8, 12);

	strcpy(port->name, PICK(random, names));
	snprintf(port->device, sizeof(port->device), "eth%u",
	    random_between(random, 0, 40));
	port->side = (uint8_t)random_between(random, 1, 3);
	if (random_percent(random, 30)) {
		port->backend = LP_BACKEND_DPDK;
		snprintf(port->device, sizeof(port->device),
		    "net_af_packet%u,iface=e%u", random_between(random, 0, 3),
		    network);
		if (random_percent(random, 50))
			port->mtu =
			    (uint16_t)random_between(random, 1280, 9600);
	}
	port->allow_default_route = random_percent(random, 20);
	parse_prefix(&port->addresses[port->address_count++], "10.%u.0.%u/24",
	    network, random_between(random, 2, 20));
	for (unsigned i = random_between(random, 0, 4); i > 0; i--)
		parse_prefix(&port->addresses[port->address_count++],
		    "fd%02u::%u/64", network, 30 + i);
	if (random_percent(random, 40)) {
		port->gateway_v4 = port->addresses[0].ip;
		port->gateway_v4.bytes[15] = 1;
	}
	if (port->address_count > 1 && random_percent(random, 40)) {
		port->gateway_v6 = port->addresses[1].ip;
		port->gateway_v6.bytes[15] = 1;
	}
}

/* The name of one that is there, of any cluster; or any. */
static const char *
pick_name(const struct draft *draft, uint64_t *random, enum lp_object_kind kind)
{
	size_t first, count = lp_config_range(draft->config, kind, &first);
	const struct lp_object *object;

	if (count == 0 || random_percent(random, 5))
		return PICK(random, names);
	object = &draft->config->objects[first +
	    random_between(random, 0, (uint32_t)count - 1)];
	return kind == LP_OBJECT_CLUSTER ? object->cluster.name
					 : object->listener.name;
}

static void
draw_cluster(struct draft *draft, uint64_t *random)
{
	struct lp_declared *to = &draft->list[0];

	strcpy(to->object.cluster.name, PICK(random, names));
	to->object.cluster.discover = random_percent(random, 20);
	if (random_percent(random, 30))
		strcpy(
		    to->same_as, pick_name(draft, random, LP_OBJECT_CLUSTER));
}

static void
draw_vip(struct lp_endpoint *vip, uint64_t *random)
{
	struct lp_prefix prefix = {0};
	bool v4 = random_percent(random, 85);

	parse_prefix(&prefix, v4 ? "10.%u.0.%u/24" : "fd%02u::%u/64",
	    random_between(random, 8, 12), random_between(random, 100, 250));
	vip->ip = prefix.ip;
	vip->port = (uint16_t)random_between(random, 9092, 9100);
	if (random_percent(random, 5))
		vip->port = UINT16_MAX;
}

static void
draw_broker(struct draft *draft, uint64_t *random)
{
	struct lp_declared *to = &draft->list[0];
	struct lp_broker_object *broker = &to->object.broker;

	strcpy(to->cluster, pick_name(draft, random, LP_OBJECT_CLUSTER));
	broker->node_id = (int32_t)random_between(random, 0, 9);
	if (random_percent(random, 20))
		broker->node_id += 70000;
	strcpy(broker->host, PICK(random, hosts));
	if (lp_ip_parse(&broker->real.ip, broker->host, NULL) != 0)
		ensure(random_config_resolve(
			   &broker->real.ip, broker->host, NULL) == 0,
		    "%s", broker->host);
	broker->real.port = (uint16_t)random_between(random, 9000, 9999);
	to->choices = draft->choices;
	to->choice_count = random_percent(random, 60)
	    ? 0
	    : random_between(random, 1, CHOICES_MAX);
	for (size_t i = 0; i < to->choice_count; i++) {
		strcpy(to->choices[i].listener,
		    pick_name(draft, random, LP_OBJECT_LISTENER));
		draw_vip(&to->choices[i].vip, random);
	}
}

static void
draw_listener(struct draft *draft, uint64_t *random)
{
	struct lp_declared *to = &draft->list[0];
	struct lp_listener_object *listener = &to->object.listener;

	strcpy(to->cluster, pick_name(draft, random, LP_OBJECT_CLUSTER));
	strcpy(listener->name, PICK(random, names));
	listener->unjudged = (uint8_t)random_between(random, 0, 2);
	listener->kafka =
	    random_percent(random, 80) ? LP_LOOK_OBSERVE : LP_LOOK_OFF;
	if (random_percent(random, 20)) {
		listener->mode = LP_MODE_INLINE;
		listener->source_address = LP_SOURCE_PRESERVE;
		listener->rewrite = LP_REWRITING_OFF;
		return;
	}
	draw_vip(&listener->vip, random);
	listener->broker_base = (uint16_t)(listener->vip.port + 1);
	if (listener->vip.port == UINT16_MAX || random_percent(random, 50))
		listener->broker_base =
		    (uint16_t)random_between(random, 9200, 9300);
	listener->source_address = (uint8_t)random_between(random, 1, 2);
	listener->rewrite = listener->kafka == LP_LOOK_OFF
	    ? LP_REWRITING_OFF
	    : (uint8_t)random_between(random, 1, 3);
	if (random_percent(random, 30))
		strcpy(listener->advertise,
		    random_percent(random, 50) ? "*.k.example.com" : "on");
}

static void
draw_rule(struct lp_declared *to, uint64_t *random)
{
	struct lp_rule_object *rule = &to->object.rule;
	struct lp_rule_match match;

	snprintf(rule->name, sizeof(rule->name), "%s%u", PICK(random, names),
	    random_between(random, 0, 20));
	rule->priority = random_between(random, 0, 5);
	rule->shadow = random_percent(random, 30);
	rules_action(rule->action, random);
	if (random_percent(random, 10))
		return;
	rules_match(&match, random, 3);
	lp_rule_match_print(rule->match, &match);
}
