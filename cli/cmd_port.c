/* SPDX-License-Identifier: Apache-2.0 */
/* add-port, set-port, del-port */
#include <string.h>

#include "cli/cmd.h"

static int port_fields(struct lp_change *change, const struct lp_words *words,
    struct lp_error *error);
static int one_field(struct lp_change *change, enum lp_option_id id,
    const char *value, struct lp_error *error);

int
lp_cmd_port_add(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	(void)lpctl;
	if (lp_change_begin(change, LP__PB__OPERATION__VERB__ADD,
		LP_OBJECT_PORT, NULL, words->operands[0], error))
		return error->status;
	change->port.name = change->operation.name;
	lp_change_existence(change, words);
	if (port_fields(change, words, error))
		return error->status;
	if (change->port.device == NULL)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "needs --device DEV, the interface that the port takes");
	if (change->port.n_addresses == 0 && change->port.peer == NULL)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "needs --address IP/LEN, an address for the port itself, "
		    "or --peer PORT");
	return LP_EXIT_OK;
}

int
lp_cmd_port_set(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	(void)lpctl;
	if (lp_change_begin(change, LP__PB__OPERATION__VERB__SET,
		LP_OBJECT_PORT, NULL, words->operands[0], error))
		return error->status;
	if (words->option_count == 0)
		return lp_change_nothing(error);
	return port_fields(change, words, error);
}

int
lp_cmd_port_del(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	(void)lpctl;
	lp_change_existence(change, words);
	return lp_change_begin(change, LP__PB__OPERATION__VERB__DEL,
	    LP_OBJECT_PORT, NULL, words->operands[0], error);
}

static int
port_fields(struct lp_change *change, const struct lp_words *words,
    struct lp_error *error)
{
	for (unsigned i = 0; i < words->option_count; i++)
		if (one_field(change, words->options[i].id,
			words->options[i].value, error))
			return error->status;
	return LP_EXIT_OK;
}

static int
add_address(struct lp_change *change, const char *text, struct lp_error *error)
{
	size_t i = change->port.n_addresses;
	struct lp_prefix *address = &change->addresses[i];
	Lp__Pb__Prefix *prefix = &change->prefixes[i];
	char why[LP_WHY_SIZE];

	if (i == LP_PORT_ADDRESSES_MAX)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "address: more than the %d addresses that a port can have",
		    LP_PORT_ADDRESSES_MAX);
	if (lp_prefix_parse(address, text, why) != 0)
		return lp_change_refuse(error, "address", why);
	lp__pb__prefix__init(prefix);
	prefix->ip.data = address->ip.bytes;
	prefix->ip.len = sizeof(address->ip.bytes);
	prefix->len = address->len;
	change->prefix_list[i] = prefix;
	change->port.addresses = change->prefix_list;
	change->port.n_addresses++;
	change->operation.has_replace_addresses = true;
	change->operation.replace_addresses = true;
	return LP_EXIT_OK;
}

static void
put_gateway(ProtobufCBinaryData *field, protobuf_c_boolean *has,
    struct lp_ip *place, const struct lp_ip *ip)
{
	*place = *ip;
	*field = (ProtobufCBinaryData){
	    .len = sizeof(place->bytes), .data = place->bytes};
	*has = true;
}

/* One of each family; "none" takes away what was there. */
static int
add_gateway(struct lp_change *change, const char *text, struct lp_error *error)
{
	Lp__Pb__Port *port = &change->port;
	char why[LP_WHY_SIZE];
	struct lp_ip ip;

	change->operation.has_replace_gateway = true;
	change->operation.replace_gateway = true;
	if (strcmp(text, "none") == 0)
		return LP_EXIT_OK;
	if (lp_ip_parse(&ip, text, why) != 0)
		return lp_change_refuse(error, "gateway", why);
	if (lp_ip_is_v4(&ip) ? port->has_gateway_v4 : port->has_gateway_v6)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "gateway: %s is a second %s gateway; a port has one of "
		    "each family",
		    text, lp_ip_is_v4(&ip) ? "IPv4" : "IPv6");
	if (lp_ip_is_v4(&ip))
		put_gateway(&port->gateway_v4, &port->has_gateway_v4,
		    &change->gateway_v4, &ip);
	else
		put_gateway(&port->gateway_v6, &port->has_gateway_v6,
		    &change->gateway_v6, &ip);
	return LP_EXIT_OK;
}

/* "none" leaves the device its own. */
static int
set_mtu(struct lp_change *change, const char *text, struct lp_error *error)
{
	change->port.has_mtu = true;
	change->port.mtu = 0;
	if (strcmp(text, "none") == 0 ||
	    lp_command_number(
		&change->port.mtu, text, LP_PORT_MTU_MIN, LP_PORT_MTU_MAX) == 0)
		return LP_EXIT_OK;
	return lp_error_set(error, LP_EXIT_REFUSED,
	    "mtu: \"%s\" is no MTU, which is a number from %d to %d, or "
	    "\"none\" for the device's own",
	    text, LP_PORT_MTU_MIN, LP_PORT_MTU_MAX);
}

/* line.c has seen to it that words of a list are in the list. */
static int
one_field(struct lp_change *change, enum lp_option_id id, const char *value,
    struct lp_error *error)
{
	Lp__Pb__Port *port = &change->port;
	uint8_t word = 0;

	switch (id) {
	case LP_OPTION_DEVICE:
		port->device = (char *)value;
		return lp_change_check_size(
		    error, "device", value, LP_DEVICE_SIZE);
	case LP_OPTION_NAME:
		port->name = (char *)value;
		return lp_change_check_size(error, "name", value, LP_NAME_SIZE);
	case LP_OPTION_ADDRESS:
		return add_address(change, value, error);
	case LP_OPTION_GATEWAY:
		return add_gateway(change, value, error);
	case LP_OPTION_SIDE:
		(void)lp_side_parse(&word, value);
		port->has_side = true;
		port->side = word;
		break;
	case LP_OPTION_BACKEND:
		(void)lp_backend_parse(&word, value);
		port->has_backend = true;
		port->backend = word;
		break;
	case LP_OPTION_MTU:
		return set_mtu(change, value, error);
	case LP_OPTION_PEER:
		port->peer = (char *)value;
		return lp_change_check_size(error, "peer", value, LP_NAME_SIZE);
	case LP_OPTION_ON_LOSS:
		(void)lp_on_loss_parse(&word, value);
		port->has_on_loss = true;
		port->on_loss = word;
		break;
	case LP_OPTION_DEFAULT_ROUTE:
		port->has_allow_default_route = true;
		port->allow_default_route =
		    value == NULL || strcmp(value, "yes") == 0;
		break;
	default:
		break;
	}
	return LP_EXIT_OK;
}
