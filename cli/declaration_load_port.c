/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/declaration_load.h"

static void set_addresses(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *to);
static void set_gateway(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *to);

static const struct lp_declaration_field fields[] = {
    {
	.key = "name",
	.type = LP_DECLARATION_TEXT,
	.why = "the name that the port is known by",
	LP_DECLARATION_AT(object.port.name),
    },
    {
	.key = "device",
	.type = LP_DECLARATION_TEXT,
	.why = "the interface that the port takes",
	LP_DECLARATION_AT(object.port.device),
    },
    {
	.key = "addresses",
	.type = LP_DECLARATION_OTHER,
	.kinds = 1 << LP_YAML_LIST,
	.needed = "a list of IP/LEN",
	.set = set_addresses,
    },
    {
	.key = "gateway",
	.type = LP_DECLARATION_OTHER,
	.kinds = 1 << LP_YAML_SCALAR | 1 << LP_YAML_LIST,
	.needed = "an address, or a list of two,",
	.set = set_gateway,
    },
    {
	.key = "side",
	LP_DECLARATION_WORDS(side),
	LP_DECLARATION_AT(object.port.side),
    },
    {
	.key = "backend",
	LP_DECLARATION_WORDS(backend),
	LP_DECLARATION_AT(object.port.backend),
    },
    {
	.key = "mtu",
	.type = LP_DECLARATION_NUMBER,
	.min = LP_PORT_MTU_MIN,
	.max = LP_PORT_MTU_MAX,
	LP_DECLARATION_AT(object.port.mtu),
    },
    {
	.key = "peer",
	.type = LP_DECLARATION_TEXT,
	LP_DECLARATION_AT(object.port.peer),
    },
    {
	.key = "on_loss",
	LP_DECLARATION_WORDS(on_loss),
	LP_DECLARATION_AT(object.port.on_loss),
    },
    {
	.key = "allow_default_route",
	.type = LP_DECLARATION_BOOL,
	LP_DECLARATION_AT(object.port.allow_default_route),
    },
    LP_DECLARATION_OWNER,
    {0},
};

void
lp_declaration_load_port(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *map, struct lp_declared *declared)
{
	lp_declaration_field_read(reading, map, "a port", fields, declared);
}

static void
set_addresses(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *to)
{
	struct lp_port_object *port = &((struct lp_declared *)to)->object.port;
	const struct lp_yaml_node *item;

	for (item = node->children; item != NULL; item = item->next) {
		struct lp_prefix *address =
		    &port->addresses[port->address_count];
		char why[LP_WHY_SIZE];

		if (port->address_count == LP_PORT_ADDRESSES_MAX) {
			lp_declaration_field_error(reading, &item->span,
			    "addresses", "a port has at most %d",
			    LP_PORT_ADDRESSES_MAX);
			return;
		}
		if (!lp_declaration_field_is(reading, item, "addresses",
			1 << LP_YAML_SCALAR, "IP/LEN"))
			continue;
		if (lp_prefix_parse(address, item->text, why) == 0)
			port->address_count++;
		else
			lp_declaration_field_error(
			    reading, &item->span, "addresses", "%s", why);
	}
}

static void
set_one_gateway(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, struct lp_port_object *port)
{
	char why[LP_WHY_SIZE];
	struct lp_ip ip, *place;

	if (lp_ip_parse(&ip, node->text, why) != 0) {
		lp_declaration_field_error(
		    reading, &node->span, "gateway", "%s", why);
		return;
	}
	place = lp_ip_is_v4(&ip) ? &port->gateway_v4 : &port->gateway_v6;
	if (lp_ip_is_none(place))
		*place = ip;
	else
		lp_declaration_field_error(reading, &node->span, "gateway",
		    "%s is a second %s gateway: a port has one of each family",
		    node->text, lp_ip_is_v4(&ip) ? "IPv4" : "IPv6");
}

static void
set_gateway(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *to)
{
	struct lp_port_object *port = &((struct lp_declared *)to)->object.port;
	const struct lp_yaml_node *item;

	if (node->kind == LP_YAML_SCALAR) {
		set_one_gateway(reading, node, port);
		return;
	}
	for (item = node->children; item != NULL; item = item->next)
		if (lp_declaration_field_is(reading, item, "gateway",
			1 << LP_YAML_SCALAR, "an address"))
			set_one_gateway(reading, item, port);
}
