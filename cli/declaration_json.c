/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/declaration_json.h"

#include <string.h>

static int put_port(json_t *to, const struct lp_port_object *port);
static int put_cluster(json_t *to, const struct lp_declared *declared);
static int put_broker(
    json_t *to, const struct lp_declared *declared, const char *cluster);
static int put_listener(
    json_t *to, const struct lp_declared *declared, const char *cluster);
static int put_vip(json_t *to, const struct lp_listener_object *listener);
static int put_rule(json_t *to, const struct lp_rule_object *rule);

json_t *
lp_declaration_json_object(
    const struct lp_declared *declared, const char *cluster, const char *owner)
{
	const struct lp_object *object = &declared->object;
	json_t *to = json_object();
	int err = 0;

	switch (object->kind) {
	case LP_OBJECT_PORT:
		err = put_port(to, &object->port);
		break;
	case LP_OBJECT_CLUSTER:
		err = put_cluster(to, declared);
		break;
	case LP_OBJECT_BROKER:
		err = put_broker(to, declared, cluster);
		break;
	case LP_OBJECT_LISTENER:
		err = put_listener(to, declared, cluster);
		break;
	default:
		err = put_rule(to, &object->rule);
		break;
	}
	if (!err && strcmp(object->owner, owner) != 0)
		err = json_object_set_new(
		    to, "owner", json_string(object->owner));
	if (!err)
		return to;
	json_decref(to);
	return NULL;
}

/* "": not said. */
static int
put_text(json_t *to, const char *key, const char *text)
{
	return text[0] == '\0'
	    ? 0
	    : json_object_set_new(to, key, json_string(text));
}

/* 0: not said. */
static int
put_number(json_t *to, const char *key, int64_t number)
{
	return number == 0 ? 0
			   : json_object_set_new(to, key, json_integer(number));
}

static int
put_flag(json_t *to, const char *key, bool flag)
{
	return flag ? json_object_set_new(to, key, json_true()) : 0;
}

/* A word that is not the one by default. */
static int
put_word(json_t *to, const char *key, uint8_t word, uint8_t usual,
    const char *(*name)(unsigned))
{
	return word == usual ? 0 : put_text(to, key, name(word));
}

/* One, or a list of both. */
static int
put_gateways(json_t *to, const struct lp_port_object *port)
{
	bool v4 = !lp_ip_is_none(&port->gateway_v4);
	bool v6 = !lp_ip_is_none(&port->gateway_v6);
	char text[LP_IP_TEXT_SIZE], other[LP_IP_TEXT_SIZE];

	lp_ip_format(text, v4 ? &port->gateway_v4 : &port->gateway_v6);
	lp_ip_format(other, &port->gateway_v6);
	if (v4 && v6)
		return json_object_set_new(
		    to, "gateway", json_pack("[s, s]", text, other));
	return v4 || v6 ? put_text(to, "gateway", text) : 0;
}

static int
put_port(json_t *to, const struct lp_port_object *port)
{
	json_t *addresses = json_array();
	char text[LP_PREFIX_TEXT_SIZE];

	for (unsigned i = 0; i < port->address_count; i++)
		addresses = lp_json_append(addresses,
		    json_string(lp_prefix_format(text, &port->addresses[i])));
	if (put_text(to, "name", port->name) ||
	    put_text(to, "device", port->device)) {
		json_decref(addresses);
		return -1;
	}
	if (port->address_count == 0)
		json_decref(addresses);
	else if (json_object_set_new(to, "addresses", addresses))
		return -1;
	return put_gateways(to, port) ||
	    put_word(to, "side", port->side, LP_SIDE_BOTH, lp_side_name) ||
	    put_word(to, "backend", port->backend, LP_BACKEND_AF_XDP,
		lp_backend_name) ||
	    put_number(to, "mtu", port->mtu) ||
	    put_text(to, "peer", port->peer) ||
	    put_word(to, "on_loss", port->on_loss, LP_ON_LOSS_DROP,
		lp_on_loss_name) ||
	    put_flag(to, "allow_default_route", port->allow_default_route);
}

static int
put_cluster(json_t *to, const struct lp_declared *declared)
{
	const struct lp_cluster_object *cluster = &declared->object.cluster;

	return put_text(to, "name", cluster->name) ||
	    put_text(to, "same_as", declared->same_as) ||
	    put_flag(to, "discover", cluster->discover);
}

static int
put_cluster_name(
    json_t *to, const struct lp_declared *declared, const char *cluster)
{
	return strcmp(declared->cluster, cluster) == 0
	    ? 0
	    : put_text(to, "cluster", declared->cluster);
}

static int
put_choices(json_t *to, const struct lp_declared *declared)
{
	json_t *map;
	char text[LP_ENDPOINT_TEXT_SIZE];

	if (declared->choice_count == 0)
		return 0;
	map = json_object();
	for (size_t i = 0; i < declared->choice_count; i++)
		if (json_object_set_new(map, declared->choices[i].listener,
			json_string(lp_endpoint_format(
			    text, &declared->choices[i].vip)))) {
			json_decref(map);
			return -1;
		}
	return json_object_set_new(to, "endpoints", map);
}

static int
put_broker(json_t *to, const struct lp_declared *declared, const char *cluster)
{
	const struct lp_broker_object *broker = &declared->object.broker;
	char text[LP_HOSTPORT_TEXT_SIZE];

	return json_object_set_new(to, "id", json_integer(broker->node_id)) ||
	    put_cluster_name(to, declared, cluster) ||
	    json_object_set_new(to, "endpoint",
		json_string(lp_hostport_format(
		    text, broker->host, broker->real.port))) ||
	    put_choices(to, declared);
}

static int
put_listener(
    json_t *to, const struct lp_declared *declared, const char *cluster)
{
	const struct lp_listener_object *listener = &declared->object.listener;
	bool has_vip = listener->mode == LP_MODE_VIP;

	return put_text(to, "name", listener->name) ||
	    put_cluster_name(to, declared, cluster) || put_vip(to, listener) ||
	    put_word(to, "mode", listener->mode, LP_MODE_VIP, lp_mode_name) ||
	    (has_vip && listener->broker_base != listener->vip.port + 1 &&
		put_number(to, "broker_base", listener->broker_base)) ||
	    put_word(to, "source_address", listener->source_address,
		has_vip ? LP_SOURCE_TRANSLATE : LP_SOURCE_PRESERVE,
		lp_source_address_name) ||
	    put_word(
		to, "kafka", listener->kafka, LP_LOOK_OBSERVE, lp_look_name) ||
	    put_word(to, "rewrite", listener->rewrite,
		lp_object_rewriting(listener), lp_rewriting_name) ||
	    put_text(to, "advertise", listener->advertise) ||
	    put_word(to, "unjudged", listener->unjudged, 0, lp_unjudged_name);
}

static int
put_vip(json_t *to, const struct lp_listener_object *listener)
{
	char text[LP_IP_TEXT_SIZE];

	if (listener->mode != LP_MODE_VIP)
		return 0;
	return put_text(to, "vip", lp_ip_format(text, &listener->vip.ip)) ||
	    put_number(to, "port", listener->vip.port);
}

static int
put_rule(json_t *to, const struct lp_rule_object *rule)
{
	return put_text(to, "name", rule->name) ||
	    json_object_set_new(to, "priority", json_integer(rule->priority)) ||
	    put_flag(to, "shadow", rule->shadow) ||
	    json_object_set_new(
		to, "match", lp_declaration_json_rule_match(rule->match)) ||
	    json_object_set_new(
		to, "action", lp_declaration_json_rule_action(rule->action));
}
