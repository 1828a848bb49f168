/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/object.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "proto/devargs.h"
#include "proto/object_rule.h"
#include "proto/pattern.h"

enum { INTERFACE_NAME_SIZE = 16 }; /* IFNAMSIZ */

/* Where a check leaves what it found. */
struct report {
	const char **field;
	char *why;
};

static int check_owner(
    const struct lp_object *object, const struct report *report);
static int check_port(
    const struct lp_port_object *port, const struct report *report);
static int check_peer(
    const struct lp_port_object *port, const struct report *report);
static int check_broker(
    const struct lp_broker_object *broker, const struct report *report);
static int check_listener(
    const struct lp_listener_object *listener, const struct report *report);
static int check_inline(
    const struct lp_listener_object *listener, const struct report *report);
static int check_rule(
    const struct lp_rule_object *rule, const struct report *report);
static int check_advertise(const char *name, const struct report *report);
static int check_name(const char *name, const char *field, size_t size,
    const struct report *report);
static int check_device(
    const struct lp_port_object *port, const struct report *report);
static int check_mtu(
    const struct lp_port_object *port, const struct report *report);
static int check_addresses(
    const struct lp_port_object *port, const struct report *report);
static int check_address(
    const struct lp_prefix *address, const struct report *report);
static bool is_link_local(const struct lp_ip *ip);
static int check_gateway(const struct lp_port_object *port,
    const struct lp_ip *gateway, bool v4, const struct report *report);
static int check_endpoint(const struct lp_endpoint *endpoint, const char *field,
    const struct report *report);
static const char *edge_name(
    const struct lp_prefix *prefix, const struct lp_ip *ip);
static int refuse(const struct report *report, const char *field,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

void
lp_object_init(struct lp_object *object, enum lp_object_kind kind)
{
	memset(object, 0, sizeof(*object));
	object->kind = (uint8_t)kind;
	if (kind == LP_OBJECT_PORT) {
		object->port.backend = LP_BACKEND_AF_XDP;
		object->port.side = LP_SIDE_BOTH;
		object->port.on_loss = LP_ON_LOSS_DROP;
	} else if (kind == LP_OBJECT_LISTENER) {
		object->listener.mode = LP_MODE_VIP;
		object->listener.source_address = LP_SOURCE_TRANSLATE;
		object->listener.kafka = LP_LOOK_OBSERVE;
		object->listener.rewrite = LP_REWRITING_ON;
	}
}

int
lp_object_check(const struct lp_object *object, const char **field, char *why)
{
	const struct report report = {.field = field, .why = why};
	int rc = check_owner(object, &report);

	if (rc)
		return rc;
	switch (object->kind) {
	case LP_OBJECT_PORT:
		return check_port(&object->port, &report);
	case LP_OBJECT_CLUSTER:
		return check_name(
		    object->cluster.name, "name", LP_NAME_SIZE, &report);
	case LP_OBJECT_BROKER:
		return check_broker(&object->broker, &report);
	case LP_OBJECT_LISTENER:
		return check_listener(&object->listener, &report);
	case LP_OBJECT_ENDPOINT:
		return check_endpoint(&object->endpoint.vip, "vip", &report);
	case LP_OBJECT_RULE:
		return check_rule(&object->rule, &report);
	}
	return refuse(&report, "kind", "%u is no kind of object", object->kind);
}

int
lp_object_check_name(const char *name, const char **field, char *why)
{
	const struct report report = {.field = field, .why = why};

	return check_name(name, "name", LP_NAME_SIZE, &report);
}

int
lp_object_check_owner(const char *owner, const char **field, char *why)
{
	const struct report report = {.field = field, .why = why};

	if (strcmp(owner, "none") == 0)
		return refuse(&report, "owner",
		    "\"none\" is the word for no owner: choose another label");
	return check_name(owner, "owner", LP_OWNER_SIZE, &report);
}

uint8_t
lp_object_rewriting(const struct lp_listener_object *listener)
{
	return listener->mode == LP_MODE_VIP &&
		listener->kafka == LP_LOOK_OBSERVE
	    ? LP_REWRITING_ON
	    : LP_REWRITING_OFF;
}

static int
check_owner(const struct lp_object *object, const struct report *report)
{
	if (object->owner[0] == '\0')
		return 0;
	if (object->kind == LP_OBJECT_ENDPOINT)
		return refuse(report, "owner", "an endpoint has none");
	return lp_object_check_owner(object->owner, report->field, report->why);
}

static int
check_port(const struct lp_port_object *port, const struct report *report)
{
	int rc = check_name(port->name, "name", LP_NAME_SIZE, report);

	if (rc)
		return rc;
	if (!lp_backend_name(port->backend))
		return refuse(report, "backend", "is not af_xdp or dpdk");
	if (!lp_side_name(port->side))
		return refuse(report, "side", "is not client, broker or both");
	rc = check_device(port, report);
	if (rc)
		return rc;
	rc = check_mtu(port, report);
	if (rc)
		return rc;
	if (!lp_on_loss_name(port->on_loss))
		return refuse(report, "on_loss", "is not drop or wire");
	if (lp_object_has_peer(port))
		return check_peer(port, report);
	if (port->on_loss != LP_ON_LOSS_DROP)
		return refuse(
		    report, "on_loss", "is for ports with a peer only");
	rc = check_addresses(port, report);
	if (rc)
		return rc;
	rc = check_gateway(port, &port->gateway_v4, true, report);
	if (rc)
		return rc;
	return check_gateway(port, &port->gateway_v6, false, report);
}

/* What it is besides is its device's: it answers to nobody. */
static int
check_peer(const struct lp_port_object *port, const struct report *report)
{
	int rc = check_name(port->peer, "peer", LP_NAME_SIZE, report);

	if (rc)
		return rc;
	if (strcmp(port->peer, port->name) == 0)
		return refuse(report, "peer", "a port is not its own peer");
	if (port->address_count != 0)
		return refuse(report, "address",
		    "a port with a peer has none: it is a bump in the wire");
	if (!lp_ip_is_none(&port->gateway_v4) ||
	    !lp_ip_is_none(&port->gateway_v6))
		return refuse(report, "gateway",
		    "a port with a peer has none: it is a bump in the wire");
	if (port->side != LP_SIDE_BOTH)
		return refuse(report, "side",
		    "a port with a peer has none: clients and brokers may be "
		    "at either");
	if (port->on_loss == LP_ON_LOSS_WIRE &&
	    port->backend != LP_BACKEND_AF_XDP)
		return refuse(report, "on_loss",
		    "wire is for ports of af_xdp only: no kernel is behind "
		    "others to go on forwarding");
	return 0;
}

static int
check_broker(const struct lp_broker_object *broker, const struct report *report)
{
	size_t len = strnlen(broker->host, LP_HOST_SIZE);

	if (broker->node_id < 0)
		return refuse(
		    report, "node_id", "%d is not 0 or more", broker->node_id);
	if (len == 0 || len == LP_HOST_SIZE)
		return refuse(report, "endpoint",
		    "a host has 1 to %d characters", LP_HOST_SIZE - 1);
	for (const char *c = broker->host; *c != '\0'; c++)
		if (!isascii(*c) || !isgraph(*c))
			return refuse(report, "endpoint",
			    "a host has no spaces and only ASCII characters");
	return check_endpoint(&broker->real, "endpoint", report);
}

static int
check_listener(
    const struct lp_listener_object *listener, const struct report *report)
{
	int rc = check_name(listener->name, "name", LP_NAME_SIZE, report);

	if (rc)
		return rc;
	if (!lp_mode_name(listener->mode))
		return refuse(report, "mode", "is not vip or inline");
	if (!lp_source_address_name(listener->source_address))
		return refuse(
		    report, "source_address", "is not translate or preserve");
	if (!lp_look_name(listener->kafka))
		return refuse(report, "kafka", "is not observe or off");
	if (!lp_rewriting_name(listener->rewrite))
		return refuse(report, "rewrite", "is not on, off or shadow");
	if (listener->unjudged != 0 && !lp_unjudged_name(listener->unjudged))
		return refuse(report, "unjudged", "is not pass or reset");
	if (listener->mode == LP_MODE_INLINE)
		return check_inline(listener, report);
	if (listener->rewrite != LP_REWRITING_OFF &&
	    listener->kafka == LP_LOOK_OFF)
		return refuse(report, "rewrite",
		    "%s needs kafka observe: where nothing is read no address "
		    "is found; kafka off goes with rewrite off",
		    lp_rewriting_name(listener->rewrite));
	rc = check_advertise(listener->advertise, report);
	if (rc)
		return rc;
	if (listener->broker_base == 0)
		return refuse(report, "broker_base", "0 is not 1..65535");
	return check_endpoint(&listener->vip, "vip", report);
}

static int
check_inline(
    const struct lp_listener_object *listener, const struct report *report)
{
	if (!lp_ip_is_none(&listener->vip.ip) || listener->vip.port != 0)
		return refuse(report, "vip",
		    "an inline listener has none: clients connect to the "
		    "brokers themselves");
	if (listener->broker_base != 0)
		return refuse(report, "broker_base",
		    "an inline listener has none: clients connect to the "
		    "brokers themselves");
	if (listener->source_address != LP_SOURCE_PRESERVE)
		return refuse(report, "source_address",
		    "an inline listener changes no address: preserve");
	if (listener->rewrite != LP_REWRITING_OFF)
		return refuse(report, "rewrite",
		    "an inline listener changes nothing: off");
	if (listener->advertise[0] != '\0')
		return refuse(report, "advertise",
		    "an inline listener tells its clients nothing: they know "
		    "the brokers' own addresses");
	return 0;
}

static int
check_rule(const struct lp_rule_object *rule, const struct report *report)
{
	struct lp_object_rule parsed;
	int rc = check_name(rule->name, "name", LP_NAME_SIZE, report);

	return rc
	    ? rc
	    : lp_object_rule_read(&parsed, rule, report->field, report->why);
}

/* Clients resolve it, or dial it: it is told them as it is. */
static int
check_advertise(const char *name, const struct report *report)
{
	struct lp_ip ip;

	if (name[0] == '\0')
		return 0;
	*report->field = "advertise";
	if (lp_pattern_is(name))
		return lp_pattern_check(name, report->why);
	if (lp_ip_parse(&ip, name, NULL) != 0)
		return lp_hostname_check(name, report->why);
	if (!lp_ip_is_host(&ip))
		return refuse(report, "advertise",
		    "%s is not the address of a host", name);
	return 0;
}

/* The text is not repeated: it may hold anything. */
static int
check_name(const char *name, const char *field, size_t size,
    const struct report *report)
{
	size_t len = strnlen(name, size);

	if (len == 0)
		return refuse(report, field, "is missing or empty");
	if (len == size)
		return refuse(
		    report, field, "is longer than %zu characters", size - 1);
	if (name[0] == '-' || name[0] == '.')
		return refuse(
		    report, field, "must not start with '%c'", name[0]);
	for (const char *c = name; *c != '\0'; c++)
		if (!isascii(*c) || (!isalnum(*c) && !strchr("._-", *c)))
			return refuse(report, field,
			    "may have letters, digits, '.', '_' and '-' only");
	return 0;
}

/* Names of interfaces: what dev_valid_name() of the kernel takes. */
static int
check_device(const struct lp_port_object *port, const struct report *report)
{
	const char *device = port->device;
	size_t len = strnlen(device, LP_DEVICE_SIZE);
	bool interface = port->backend == LP_BACKEND_AF_XDP;

	if (len == 0)
		return refuse(report, "device", "is missing or empty");
	if (len >= (interface ? INTERFACE_NAME_SIZE : LP_DEVICE_SIZE))
		return refuse(report, "device", "is longer than %d characters",
		    (interface ? INTERFACE_NAME_SIZE : LP_DEVICE_SIZE) - 1);
	for (const char *c = device; *c != '\0'; c++)
		if (!isascii(*c) || !isgraph(*c))
			return refuse(report, "device",
			    "has no spaces and only ASCII characters");
	if (interface &&
	    (strpbrk(device, "/:") || strcmp(device, ".") == 0 ||
		strcmp(device, "..") == 0))
		return refuse(
		    report, "device", "%s cannot name an interface", device);
	if (port->backend != LP_BACKEND_DPDK)
		return 0;
	*report->field = "device";
	return lp_devargs_check(device, report->why);
}

/* The kernel's devices have theirs from the kernel. */
static int
check_mtu(const struct lp_port_object *port, const struct report *report)
{
	if (port->mtu == 0)
		return 0;
	if (port->mtu < LP_PORT_MTU_MIN || port->mtu > LP_PORT_MTU_MAX)
		return refuse(report, "mtu", "%u is not %d..%d", port->mtu,
		    LP_PORT_MTU_MIN, LP_PORT_MTU_MAX);
	if (port->backend == LP_BACKEND_AF_XDP)
		return refuse(report, "mtu",
		    "a port of af_xdp has the MTU of its device: ip link set "
		    "%s mtu %u sets it, without one it stays as it is",
		    port->device, port->mtu);
	if (port->backend != LP_BACKEND_DPDK)
		return refuse(report, "mtu", "is for ports of dpdk only");
	return 0;
}

static int
check_addresses(const struct lp_port_object *port, const struct report *report)
{
	char text[LP_IP_TEXT_SIZE];
	int rc;

	if (port->address_count == 0)
		return refuse(report, "address", "a port needs at least one");
	if (port->address_count > LP_PORT_ADDRESSES_MAX)
		return refuse(report, "address", "a port has at most %d",
		    LP_PORT_ADDRESSES_MAX);
	for (unsigned i = 0; i < port->address_count; i++) {
		const struct lp_prefix *address = &port->addresses[i];

		rc = check_address(address, report);
		if (rc)
			return rc;
		for (unsigned j = 0; j < i; j++)
			if (lp_ip_equal(&address->ip, &port->addresses[j].ip))
				return refuse(report, "address",
				    "%s is given twice",
				    lp_ip_format(text, &address->ip));
	}
	return 0;
}

static int
check_address(const struct lp_prefix *address, const struct report *report)
{
	char text[LP_PREFIX_TEXT_SIZE];
	const char *edge;

	if (address->len > (lp_ip_is_v4(&address->ip) ? 32 : 128))
		return refuse(report, "address", "prefix length %u is too long",
		    address->len);
	if (!lp_ip_is_host(&address->ip))
		return refuse(report, "address",
		    "%s is not the address of a host",
		    lp_prefix_format(text, address));
	edge = edge_name(address, &address->ip);
	if (edge)
		return refuse(report, "address", "%s is the %s of its network",
		    lp_prefix_format(text, address), edge);
	return 0;
}

/* fe80::/10, RFC 4291, 2.5.6. */
static bool
is_link_local(const struct lp_ip *ip)
{
	return ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

static int
check_gateway(const struct lp_port_object *port, const struct lp_ip *gateway,
    bool v4, const struct report *report)
{
	bool reached = false;
	char text[LP_IP_TEXT_SIZE];

	if (lp_ip_is_none(gateway))
		return 0;
	lp_ip_format(text, gateway);
	if (lp_ip_is_v4(gateway) != v4)
		return refuse(
		    report, "gateway", "%s is not IPv%d", text, v4 ? 4 : 6);
	if (!lp_ip_is_host(gateway))
		return refuse(
		    report, "gateway", "%s is not the address of a host", text);
	for (unsigned i = 0; i < port->address_count; i++) {
		const struct lp_prefix *address = &port->addresses[i];

		if (lp_ip_equal(&address->ip, gateway))
			return refuse(report, "gateway",
			    "%s is an address of the port itself", text);
		/* RFC 4861: routers are known by their link-local address. */
		if (!v4 && !lp_ip_is_v4(&address->ip) && is_link_local(gateway))
			reached = true;
		if (!lp_prefix_contains(address, gateway))
			continue;
		if (edge_name(address, gateway))
			return refuse(report, "gateway",
			    "%s is the %s of its network", text,
			    edge_name(address, gateway));
		reached = true;
	}
	if (!reached)
		return refuse(report, "gateway",
		    "%s is in no network of the port's addresses", text);
	return 0;
}

static int
check_endpoint(const struct lp_endpoint *endpoint, const char *field,
    const struct report *report)
{
	char text[LP_IP_TEXT_SIZE];

	if (lp_ip_is_none(&endpoint->ip))
		return refuse(report, field, "has no address");
	if (!lp_ip_is_host(&endpoint->ip))
		return refuse(report, field, "%s is not the address of a host",
		    lp_ip_format(text, &endpoint->ip));
	if (endpoint->port == 0)
		return refuse(report, field, "port 0 is not 1..65535");
	return 0;
}

/*
 * The first and last address of an IPv4 network belong to no host, except
 * where it has only two addresses or one (RFC 3021).
 */
static const char *
edge_name(const struct lp_prefix *prefix, const struct lp_ip *ip)
{
	const uint8_t *v4 = lp_ip_v4(ip);
	uint32_t host, mask;

	if (!lp_ip_is_v4(ip) || prefix->len >= 31)
		return NULL;
	mask = UINT32_MAX >> prefix->len;
	host = ((uint32_t)v4[0] << 24 | (uint32_t)v4[1] << 16 |
		   (uint32_t)v4[2] << 8 | v4[3]) &
	    mask;
	if (host == 0)
		return "network address";
	return host == mask ? "broadcast address" : NULL;
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
