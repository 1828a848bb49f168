/* SPDX-License-Identifier: Apache-2.0 */
/* The part of lp_config_check() that is about addresses. */
#include "proto/config_check.h"

#include <assert.h>
#include <stdlib.h>

enum {
	/* Where clients connect to: one a listener, and the brokers'. */
	VIPS_MAX = LP_LISTENERS_MAX + LP_ENDPOINTS_MAX,
	CLAIMS_MAX = LP_PORTS_MAX * (LP_PORT_ADDRESSES_MAX + 2) + VIPS_MAX +
	    LP_BROKERS_MAX,
};

/* What an object does with an IP address, in the order that they sort. */
enum use {
	USE_ADDRESS,
	USE_GATEWAY,
	USE_VIP,
	USE_BROKER,
	USES,
};

struct claim {
	const struct lp_ip *ip;
	const struct lp_object *object;
	enum use use;
};

static lp_config_check_step check_networks;
static lp_config_check_step check_claims;
static lp_config_check_step check_vips;
static lp_config_check_step check_families;
static lp_config_check_step check_broker_reach;
static lp_config_check_step check_vip_reach;

int
lp_config_check_net(const struct lp_config_check *check)
{
	static lp_config_check_step *const steps[] = {
	    check_networks,
	    check_claims,
	    check_vips,
	    check_families,
	    check_broker_reach,
	    check_vip_reach,
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !rc; i++)
		rc = steps[i](check);
	return rc;
}

/* ---- addresses -------------------------------------------------------- */

/* Two networks overlap if one contains the other's address. */
static bool
overlap(const struct lp_prefix *a, const struct lp_prefix *b)
{
	return lp_prefix_contains(
	    a->len < b->len ? a : b, a->len < b->len ? &b->ip : &a->ip);
}

static int
check_two_ports(const struct lp_config_check *check,
    const struct lp_object *older, const struct lp_object *newer)
{
	char ours[LP_PREFIX_TEXT_SIZE], theirs[LP_PREFIX_TEXT_SIZE];
	const struct lp_port_object *a = &older->port, *b = &newer->port;

	for (unsigned i = 0; i < b->address_count; i++) {
		for (unsigned j = 0; j < a->address_count; j++) {
			const struct lp_prefix *x = &b->addresses[i];
			const struct lp_prefix *y = &a->addresses[j];

			if (overlap(x, y))
				return lp_config_check_refuse(check, newer,
				    "address", "%s overlaps %s of port %s",
				    lp_prefix_format(ours, x),
				    lp_prefix_format(theirs, y), a->name);
		}
	}
	return 0;
}

/* Overlapping networks would leave open which port a packet goes to. */
static int
check_networks(const struct lp_config_check *check)
{
	const struct lp_object *ports[LP_PORTS_MAX];
	size_t count = lp_config_check_list(check, LP_OBJECT_PORT, ports);
	int rc;

	for (size_t i = 1; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			rc = check_two_ports(check, ports[j], ports[i]);
			if (rc)
				return rc;
		}
	}
	return 0;
}

static bool
is_vip_listener(const struct lp_object *object)
{
	return object->kind == LP_OBJECT_LISTENER &&
	    object->listener.mode == LP_MODE_VIP;
}

static int
by_claim(const void *a, const void *b)
{
	const struct claim *left = a, *right = b;
	int rc = memcmp(left->ip, right->ip, sizeof(*left->ip));

	if (rc == 0)
		rc = lp_config_check_order(left->use, right->use);
	return rc ? rc
		  : lp_config_check_order(left->object->id, right->object->id);
}

static size_t
list_claims(const struct lp_config_check *check, struct claim *claims)
{
	size_t count = lp_config_count_plain(check->config);
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		const struct lp_object *o = &check->config->objects[i];
		const struct lp_port_object *port = &o->port;

		if (is_vip_listener(o))
			claims[n++] =
			    (struct claim){&o->listener.vip.ip, o, USE_VIP};
		/* Others have the address of their listener. */
		if (o->kind == LP_OBJECT_ENDPOINT && o->endpoint.chosen)
			claims[n++] =
			    (struct claim){&o->endpoint.vip.ip, o, USE_VIP};
		if (o->kind == LP_OBJECT_BROKER)
			claims[n++] =
			    (struct claim){&o->broker.real.ip, o, USE_BROKER};
		if (o->kind != LP_OBJECT_PORT)
			continue;
		for (unsigned j = 0; j < port->address_count; j++)
			claims[n++] = (struct claim){
			    &port->addresses[j].ip, o, USE_ADDRESS};
		if (!lp_ip_is_none(&port->gateway_v4))
			claims[n++] =
			    (struct claim){&port->gateway_v4, o, USE_GATEWAY};
		if (!lp_ip_is_none(&port->gateway_v6))
			claims[n++] =
			    (struct claim){&port->gateway_v6, o, USE_GATEWAY};
	}
	assert(n <= CLAIMS_MAX);
	return n;
}

static int
refuse_claim(const struct lp_config_check *check, const struct claim *a,
    const struct claim *b)
{
	static const char *const fields[USES] = {
	    [USE_ADDRESS] = "address",
	    [USE_GATEWAY] = "gateway",
	    [USE_VIP] = "vip",
	    [USE_BROKER] = "endpoint",
	};
	static const char *const words[USES] = {
	    [USE_ADDRESS] = "an address of",
	    [USE_GATEWAY] = "the gateway of",
	    [USE_VIP] = "the VIP of",
	    [USE_BROKER] = "the address of",
	};
	const struct claim *newer = a->object->id > b->object->id ? a : b;
	const struct claim *older = newer == a ? b : a;
	char text[LP_IP_TEXT_SIZE], label[LP_OBJECT_LABEL_SIZE];

	return lp_config_check_refuse(check, newer->object, fields[newer->use],
	    "%s is already %s %s", lp_ip_format(text, newer->ip),
	    words[older->use],
	    lp_config_label(check->config, older->object, label));
}

/*
 * A VIP is nobody else's address.  A broker at an address of ours would be a
 * loop; that it is a port's gateway, too, is its own affair.
 */
static int
check_claims(const struct lp_config_check *check)
{
	static const bool collide[USES][USES] = {
	    [USE_VIP] = {[USE_ADDRESS] = true, [USE_GATEWAY] = true},
	    [USE_BROKER] = {[USE_ADDRESS] = true, [USE_VIP] = true},
	};
	const struct claim *first[USES] = {NULL};
	struct claim claims[CLAIMS_MAX];
	size_t count = list_claims(check, claims);

	qsort(claims, count, sizeof(claims[0]), by_claim);
	for (size_t i = 0; i < count; i++) {
		const struct claim *claim = &claims[i];

		/* The first of each use, among those of this address. */
		if (i > 0 && !lp_ip_equal(claim->ip, claims[i - 1].ip))
			memset(first, 0, sizeof(first));
		for (unsigned use = 0; use < USES; use++)
			if (first[use] && collide[claim->use][use])
				return refuse_claim(check, claim, first[use]);
		if (!first[claim->use])
			first[claim->use] = claim;
	}
	return 0;
}

/* ---- endpoints -------------------------------------------------------- */

static const struct lp_endpoint *
vip_of(const struct lp_object *object)
{
	return object->kind == LP_OBJECT_LISTENER ? &object->listener.vip
						  : &object->endpoint.vip;
}

static int
by_vip(const void *a, const void *b)
{
	const struct lp_object *const *left = a, *const *right = b;
	const struct lp_endpoint *l = vip_of(*left), *r = vip_of(*right);
	int rc = memcmp(&l->ip, &r->ip, sizeof(l->ip));

	return rc ? rc : lp_config_check_order(l->port, r->port);
}

/* Those that have a VIP. */
static size_t
list_vip_listeners(
    const struct lp_config_check *check, const struct lp_object **list)
{
	size_t all = lp_config_check_list(check, LP_OBJECT_LISTENER, list);
	size_t count = 0;

	for (size_t i = 0; i < all; i++)
		if (is_vip_listener(list[i]))
			list[count++] = list[i];
	return count;
}

static int
check_vips(const struct lp_config_check *check)
{
	const struct lp_object *list[VIPS_MAX];
	const struct lp_object *object, *other;
	char text[LP_ENDPOINT_TEXT_SIZE], label[LP_OBJECT_LABEL_SIZE];
	size_t count = list_vip_listeners(check, list);

	count += lp_config_check_list(check, LP_OBJECT_ENDPOINT, list + count);
	object = lp_config_check_double(list, count, by_vip, &other);
	if (!object)
		return 0;
	return lp_config_check_refuse(check, object, "vip",
	    "%s is already %s%s", lp_endpoint_format(text, vip_of(object)),
	    other->kind == LP_OBJECT_LISTENER ? "the endpoint of " : "",
	    lp_config_label(check->config, other, label));
}

/* The same of an endpoint that the operator has chosen. */
static int
check_chosen_family(const struct lp_config_check *check,
    const struct lp_object *object, const struct lp_object *broker)
{
	const struct lp_endpoint *vip = &object->endpoint.vip;
	const struct lp_endpoint *real = &broker->broker.real;
	char ours[LP_ENDPOINT_TEXT_SIZE], theirs[LP_ENDPOINT_TEXT_SIZE];
	char label[LP_OBJECT_LABEL_SIZE];

	if (!object->endpoint.chosen ||
	    lp_ip_is_v4(&vip->ip) == lp_ip_is_v4(&real->ip))
		return 0;
	return lp_config_check_refuse(check, object, "vip",
	    "%s is IPv%d, but %s of %s is IPv%d: one family only",
	    lp_endpoint_format(ours, vip), lp_ip_is_v4(&vip->ip) ? 4 : 6,
	    lp_endpoint_format(theirs, real),
	    lp_config_label(check->config, broker, label),
	    lp_ip_is_v4(&real->ip) ? 4 : 6);
}

/* One family from end to end: addresses are translated, not packets. */
static int
check_family(const struct lp_config_check *check,
    const struct lp_object *listener, const struct lp_object *broker)
{
	const struct lp_endpoint *vip = &listener->listener.vip;
	const struct lp_endpoint *real = &broker->broker.real;
	bool newer = broker->id > listener->id;
	char ours[LP_ENDPOINT_TEXT_SIZE], theirs[LP_ENDPOINT_TEXT_SIZE];
	char label[LP_OBJECT_LABEL_SIZE];

	if (!is_vip_listener(listener) ||
	    lp_ip_is_v4(&vip->ip) == lp_ip_is_v4(&real->ip))
		return 0;
	return lp_config_check_refuse(check, newer ? broker : listener,
	    newer ? "endpoint" : "vip",
	    "%s is IPv%d, but %s of %s is IPv%d: one family only",
	    lp_endpoint_format(ours, newer ? real : vip),
	    lp_ip_is_v4(newer ? &real->ip : &vip->ip) ? 4 : 6,
	    lp_endpoint_format(theirs, newer ? vip : real),
	    lp_config_label(check->config, newer ? listener : broker, label),
	    lp_ip_is_v4(newer ? &vip->ip : &real->ip) ? 4 : 6);
}

static int
check_families(const struct lp_config_check *check)
{
	const struct lp_object *endpoints[LP_ENDPOINTS_MAX];
	size_t count =
	    lp_config_check_list(check, LP_OBJECT_ENDPOINT, endpoints);
	int rc = 0;

	/* There is one for each listener and broker that belong together. */
	for (size_t i = 0; i < count && !rc; i++) {
		const struct lp_endpoint_object *pair = &endpoints[i]->endpoint;
		const struct lp_object *broker = lp_config_find(
		    check->config, LP_OBJECT_BROKER, pair->broker_id);

		rc = check_family(check,
		    lp_config_find(
			check->config, LP_OBJECT_LISTENER, pair->listener_id),
		    broker);
		if (!rc)
			rc = check_chosen_family(check, endpoints[i], broker);
	}
	return rc;
}

/* ---- ways in and out --------------------------------------------------- */

static bool
has_family(const struct lp_port_object *port, bool v4)
{
	for (unsigned i = 0; i < port->address_count; i++)
		if (lp_ip_is_v4(&port->addresses[i].ip) == v4)
			return true;
	return false;
}

static bool
reaches(const struct lp_port_object *port, const struct lp_ip *ip)
{
	bool v4 = lp_ip_is_v4(ip);

	if (!lp_ip_is_none(v4 ? &port->gateway_v4 : &port->gateway_v6))
		return true;
	for (unsigned i = 0; i < port->address_count; i++)
		if (lp_prefix_contains(&port->addresses[i], ip))
			return true;
	return false;
}

/* The ports that face one side: before the first of them nothing is asked. */
static size_t
list_side(const struct lp_config_check *check, enum lp_side side,
    const struct lp_object **ports)
{
	size_t count = lp_config_check_list(check, LP_OBJECT_PORT, ports),
	       n = 0;

	for (size_t i = 0; i < count; i++)
		if ((ports[i]->port.side & side) &&
		    !lp_object_has_peer(&ports[i]->port))
			ports[n++] = ports[i];
	return n;
}

/* We send nothing to the brokers of such a cluster. */
static bool
is_inline_only(const struct lp_config_check *check, uint32_t cluster_id)
{
	const struct lp_object *list[LP_LISTENERS_MAX];
	size_t count = lp_config_check_list(check, LP_OBJECT_LISTENER, list);
	bool is_inline = false;

	for (size_t i = 0; i < count; i++) {
		if (list[i]->listener.cluster_id != cluster_id)
			continue;
		if (is_vip_listener(list[i]))
			return false;
		is_inline = true;
	}
	return is_inline;
}

static int
check_broker_reach(const struct lp_config_check *check)
{
	const struct lp_object *ports[LP_PORTS_MAX];
	const struct lp_object *brokers[LP_BROKERS_MAX];
	size_t port_count = list_side(check, LP_SIDE_BROKER, ports);
	size_t count = lp_config_check_list(check, LP_OBJECT_BROKER, brokers);
	char text[LP_IP_TEXT_SIZE];

	for (size_t i = 0; i < count && port_count > 0; i++) {
		const struct lp_ip *ip = &brokers[i]->broker.real.ip;
		bool reached =
		    is_inline_only(check, brokers[i]->broker.cluster_id);

		for (size_t j = 0; j < port_count && !reached; j++)
			reached = reaches(&ports[j]->port, ip);
		if (!reached)
			return lp_config_check_lacks(check,
			    lp_config_check_refuse(check, brokers[i],
				"endpoint",
				"no port on the broker side leads to %s: it "
				"has neither a network with it nor an IPv%d "
				"gateway",
				lp_ip_format(text, ip),
				lp_ip_is_v4(ip) ? 4 : 6),
			    LP_OBJECT_PORT, "");
	}
	return 0;
}

static int
check_vip_reach(const struct lp_config_check *check)
{
	const struct lp_object *ports[LP_PORTS_MAX];
	const struct lp_object *listeners[LP_LISTENERS_MAX];
	size_t port_count = list_side(check, LP_SIDE_CLIENT, ports);
	size_t count = list_vip_listeners(check, listeners);
	char text[LP_IP_TEXT_SIZE];

	for (size_t i = 0; i < count && port_count > 0; i++) {
		const struct lp_ip *ip = &listeners[i]->listener.vip.ip;
		bool v4 = lp_ip_is_v4(ip), reached = false;

		for (size_t j = 0; j < port_count && !reached; j++)
			reached = has_family(&ports[j]->port, v4);
		if (!reached)
			return lp_config_check_lacks(check,
			    lp_config_check_refuse(check, listeners[i], "vip",
				"no port on the client side has an IPv%d "
				"address for clients of %s",
				v4 ? 4 : 6, lp_ip_format(text, ip)),
			    LP_OBJECT_PORT, "");
	}
	return 0;
}
