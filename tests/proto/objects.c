/* SPDX-License-Identifier: Apache-2.0 */
#include "objects.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/ensure.h"

enum { BROKER_BASE = 9100 };

static void
parse_ip(struct lp_ip *ip, const char *text)
{
	char why[LP_WHY_SIZE] = "";

	if (text)
		ensure(lp_ip_parse(ip, text, why) == 0, "%s", why);
}

static void
parse_endpoint(struct lp_endpoint *endpoint, const char *text)
{
	char why[LP_WHY_SIZE] = "";

	ensure(lp_endpoint_parse(endpoint, text, why) == 0, "%s", why);
}

struct lp_object
make_port(uint32_t id, const char *name, unsigned side, const char *addresses,
    const char *gateway_v4, const char *gateway_v6)
{
	struct lp_object object;
	char text[1024], why[LP_WHY_SIZE] = "", *rest = NULL;

	lp_object_init(&object, LP_OBJECT_PORT);
	object.id = id;
	object.port.side = (uint8_t)side;
	strcpy(object.port.name, name);
	snprintf(object.port.device, LP_DEVICE_SIZE, "eth-%.10s", name);
	ensure(strlen(addresses) < sizeof(text), "too long: %s", addresses);
	strcpy(text, addresses);
	for (char *word = strtok_r(text, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest)) {
		unsigned i = object.port.address_count++;

		ensure(i < LP_PORT_ADDRESSES_MAX, "too many: %s", addresses);
		ensure(
		    lp_prefix_parse(&object.port.addresses[i], word, why) == 0,
		    "%s", why);
	}
	parse_ip(&object.port.gateway_v4, gateway_v4);
	parse_ip(&object.port.gateway_v6, gateway_v6);
	return object;
}

struct lp_object
make_cluster(uint32_t id, const char *name)
{
	struct lp_object object;

	lp_object_init(&object, LP_OBJECT_CLUSTER);
	object.id = id;
	strcpy(object.cluster.name, name);
	return object;
}

struct lp_object
make_broker(
    uint32_t id, uint32_t cluster_id, int32_t node_id, const char *endpoint)
{
	struct lp_object object;

	lp_object_init(&object, LP_OBJECT_BROKER);
	object.id = id;
	object.broker.cluster_id = cluster_id;
	object.broker.node_id = node_id;
	parse_endpoint(&object.broker.real, endpoint);
	lp_ip_format(object.broker.host, &object.broker.real.ip);
	return object;
}

struct lp_object
make_listener(
    uint32_t id, uint32_t cluster_id, const char *name, const char *vip)
{
	struct lp_object object;

	lp_object_init(&object, LP_OBJECT_LISTENER);
	object.id = id;
	object.listener.cluster_id = cluster_id;
	object.listener.broker_base = BROKER_BASE;
	strcpy(object.listener.name, name);
	parse_endpoint(&object.listener.vip, vip);
	return object;
}

struct lp_object
make_inline(uint32_t id, uint32_t cluster_id, const char *name)
{
	struct lp_object object;

	lp_object_init(&object, LP_OBJECT_LISTENER);
	object.id = id;
	object.listener.cluster_id = cluster_id;
	object.listener.mode = LP_MODE_INLINE;
	object.listener.source_address = LP_SOURCE_PRESERVE;
	object.listener.rewrite = LP_REWRITING_OFF;
	strcpy(object.listener.name, name);
	return object;
}

struct lp_object
make_peer(uint32_t id, const char *name, const char *peer)
{
	struct lp_object object =
	    make_port(id, name, LP_SIDE_BOTH, "", NULL, NULL);

	strcpy(object.port.peer, peer);
	return object;
}

struct lp_object
make_endpoint(
    uint32_t id, uint32_t listener_id, uint32_t broker_id, const char *vip)
{
	struct lp_object object;

	lp_object_init(&object, LP_OBJECT_ENDPOINT);
	object.id = id;
	object.endpoint.listener_id = listener_id;
	object.endpoint.broker_id = broker_id;
	parse_endpoint(&object.endpoint.vip, vip);
	return object;
}

struct lp_object
make_rule(uint32_t id, const char *name, uint32_t priority, const char *match,
    const char *action)
{
	struct lp_object object;

	lp_object_init(&object, LP_OBJECT_RULE);
	object.id = id;
	object.rule.priority = priority;
	strcpy(object.rule.name, name);
	strcpy(object.rule.match, match);
	strcpy(object.rule.action, action);
	return object;
}

void
put(struct lp_config *config, struct lp_object object)
{
	ensure(lp_config_put(config, &object) == 0, "no room for an object");
}

void
make_config(struct lp_config *config)
{
	lp_config_init(config);
	put(config,
	    make_port(FRONT, "front", LP_SIDE_CLIENT,
		"10.9.0.10/24 2001:db8:9::10/64", NULL, NULL));
	put(config,
	    make_port(BACK, "back", LP_SIDE_BROKER,
		"10.8.0.10/24 10.8.0.11/24 2001:db8:8::10/64", "10.8.0.1",
		NULL));
	put(config, make_cluster(PAYMENTS, "payments"));
	put(config, make_cluster(ORDERS, "orders"));
	put(config, make_broker(PAYMENTS_0, PAYMENTS, 0, "10.8.0.20:9092"));
	put(config, make_broker(PAYMENTS_1, PAYMENTS, 1, "10.7.0.21:9092"));
	put(config, make_broker(ORDERS_1, ORDERS, 1, "[2001:db8:8::21]:9092"));
	put(config,
	    make_listener(
		PAYMENTS_PUBLIC, PAYMENTS, "public", "10.9.0.100:9092"));
	put(config,
	    make_listener(
		ORDERS_PUBLIC, ORDERS, "public", "[2001:db8:9::100]:9092"));
	put(config,
	    make_endpoint(PAYMENTS_PUBLIC_0, PAYMENTS_PUBLIC, PAYMENTS_0,
		"10.9.0.100:9100"));
	put(config,
	    make_endpoint(PAYMENTS_PUBLIC_1, PAYMENTS_PUBLIC, PAYMENTS_1,
		"10.9.0.100:9101"));
	put(config,
	    make_endpoint(ORDERS_PUBLIC_1, ORDERS_PUBLIC, ORDERS_1,
		"[2001:db8:9::100]:9101"));
}

void
config_is_right(const struct lp_config *config)
{
	struct lp_config_error error;

	ensure(lp_config_check(config, &error) == 0, "%s: %s: %s", error.object,
	    error.field, error.why);
}

void
config_is_wrong(
    const struct lp_config *config, uint32_t id, const char *message)
{
	char text[LP_OBJECT_LABEL_SIZE + LP_WHY_SIZE + 32];
	struct lp_config_error error;

	ensure(lp_config_check(config, &error) == -EINVAL,
	    "nothing is wrong, not even: %s", message);
	snprintf(text, sizeof(text), "%s: %s: %s", error.object, error.field,
	    error.why);
	ensure(strcmp(text, message) == 0, "\"%s\", and not \"%s\"", text,
	    message);
	ensure(
	    error.object_id == id, "%s: of object %u", text, error.object_id);
}
