/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/print.h"

#include <ctype.h>

static void print_port(
    FILE *out, const struct lp_config *config, const struct lp_object *object);
static void print_port_fields(FILE *out, const struct lp_object *object);
static void print_cluster(
    FILE *out, const struct lp_config *config, const struct lp_object *cluster);
static void print_broker(
    FILE *out, const struct lp_config *config, const struct lp_object *object);
static void print_listener(
    FILE *out, const struct lp_config *config, const struct lp_object *object);
static void print_choices(FILE *out, const struct lp_config *config,
    const struct lp_object *listener);
static void print_rule(FILE *out, const struct lp_object *object);
static void print_owner(FILE *out, const struct lp_object *object);
static void print_gateway(FILE *out, const struct lp_ip *gateway);
static void print_word(FILE *out, const char *word);
static const char *cluster_name(const struct lp_config *config, uint32_t id);

void
lp_print_config(FILE *out, const struct lp_config *config)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct lp_object *object = &config->objects[i];

		switch (object->kind) {
		case LP_OBJECT_PORT:
			print_port(out, config, object);
			break;
		case LP_OBJECT_CLUSTER:
			print_cluster(out, config, object);
			break;
		case LP_OBJECT_BROKER:
			print_broker(out, config, object);
			break;
		case LP_OBJECT_LISTENER:
			print_listener(out, config, object);
			print_choices(out, config, object);
			fputc('\n', out);
			break;
		case LP_OBJECT_RULE:
			print_rule(out, object);
			break;
		default:
			break; /* endpoints are with their listeners */
		}
	}
}

/* Two that are a pair come in one change, where the second of them is. */
static void
print_port(
    FILE *out, const struct lp_config *config, const struct lp_object *object)
{
	const struct lp_port_object *port = &object->port;
	const struct lp_object *peer = lp_object_has_peer(port)
	    ? lp_config_find_name(config, LP_OBJECT_PORT, 0, port->peer)
	    : NULL;

	if (peer != NULL && peer > object)
		return;
	fputs("lpctl", out);
	if (peer != NULL) {
		print_port_fields(out, peer);
		fputs(" --", out);
	}
	print_port_fields(out, object);
	fputc('\n', out);
}

static void
print_port_fields(FILE *out, const struct lp_object *object)
{
	const struct lp_port_object *port = &object->port;
	char text[LP_PREFIX_TEXT_SIZE];

	fputs(" add-port", out);
	print_word(out, port->name);
	fputs(" --device", out);
	print_word(out, port->device);
	for (unsigned i = 0; i < port->address_count; i++)
		fprintf(out, " --address %s",
		    lp_prefix_format(text, &port->addresses[i]));
	print_gateway(out, &port->gateway_v4);
	print_gateway(out, &port->gateway_v6);
	if (lp_object_has_peer(port)) {
		fputs(" --peer", out);
		print_word(out, port->peer);
		fprintf(out, " --on-loss %s", lp_on_loss_name(port->on_loss));
	} else {
		fprintf(out, " --side %s", lp_side_name(port->side));
	}
	fprintf(out, " --backend %s", lp_backend_name(port->backend));
	if (port->mtu != 0)
		fprintf(out, " --mtu %u", port->mtu);
	if (port->allow_default_route)
		fputs(" --allow-default-route", out);
	print_owner(out, object);
}

/* What one is the same as has to be there: else it is said then. */
static void
print_cluster(
    FILE *out, const struct lp_config *config, const struct lp_object *cluster)
{
	uint32_t same_as = cluster->cluster.same_as;
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_CLUSTER, &first);

	fputs("lpctl add-cluster", out);
	print_word(out, cluster->cluster.name);
	if (same_as != 0 && same_as < cluster->id) {
		fputs(" --same-as", out);
		print_word(out, cluster_name(config, same_as));
	}
	if (cluster->cluster.discover)
		fputs(" --discover on", out);
	print_owner(out, cluster);
	fputc('\n', out);
	for (size_t i = first; i < first + count; i++) {
		const struct lp_object *before = &config->objects[i];

		if (before->id > cluster->id ||
		    before->cluster.same_as != cluster->id)
			continue;
		fputs("lpctl set-cluster", out);
		print_word(out, before->cluster.name);
		fputs(" --same-as", out);
		print_word(out, cluster->cluster.name);
		fputc('\n', out);
	}
}

static void
print_broker(
    FILE *out, const struct lp_config *config, const struct lp_object *object)
{
	const struct lp_broker_object *broker = &object->broker;
	char endpoint[LP_HOSTPORT_TEXT_SIZE];

	fputs("lpctl add-broker", out);
	print_word(out, cluster_name(config, broker->cluster_id));
	fprintf(out, " %d", broker->node_id);
	print_word(
	    out, lp_hostport_format(endpoint, broker->host, broker->real.port));
	if (broker->discovered)
		fputs(" --source discovered", out);
	print_owner(out, object);
	fputc('\n', out);
}

static void
print_listener(
    FILE *out, const struct lp_config *config, const struct lp_object *object)
{
	const struct lp_listener_object *listener = &object->listener;
	char vip[LP_ENDPOINT_TEXT_SIZE];

	fputs("lpctl add-listener", out);
	print_word(out, cluster_name(config, listener->cluster_id));
	print_word(out, listener->name);
	if (listener->mode == LP_MODE_INLINE) {
		fputs(" --mode inline", out);
	} else {
		print_word(out, lp_endpoint_format(vip, &listener->vip));
		fprintf(out, " --mode %s --broker-base %u --source-address %s",
		    lp_mode_name(listener->mode), listener->broker_base,
		    lp_source_address_name(listener->source_address));
	}
	fprintf(out, " --kafka %s", lp_look_name(listener->kafka));
	if (listener->mode != LP_MODE_INLINE)
		fprintf(
		    out, " --rewrite %s", lp_rewriting_name(listener->rewrite));
	if (listener->advertise[0] != '\0') {
		fputs(" --advertise", out);
		print_word(out, listener->advertise);
	}
	if (listener->unjudged != 0)
		fprintf(out, " --unjudged %s",
		    lp_unjudged_name(listener->unjudged));
	print_owner(out, object);
}

/*
 * What does not follow from listener and broker.  In one change with the
 * listener: by default an endpoint may be where another one is.
 */
static void
print_choices(
    FILE *out, const struct lp_config *config, const struct lp_object *listener)
{
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_ENDPOINT, &first);

	for (size_t i = first; i < first + count; i++) {
		const struct lp_endpoint_object *endpoint =
		    &config->objects[i].endpoint;
		const struct lp_object *broker = lp_config_find(
		    config, LP_OBJECT_BROKER, endpoint->broker_id);
		char text[LP_NAME_SIZE + LP_ENDPOINT_TEXT_SIZE];
		char vip[LP_ENDPOINT_TEXT_SIZE];

		if (endpoint->listener_id != listener->id || !endpoint->chosen)
			continue;
		fputs(" -- set-broker", out);
		print_word(
		    out, cluster_name(config, broker->broker.cluster_id));
		fprintf(out, " %d --endpoint", broker->broker.node_id);
		snprintf(text, sizeof(text), "%s=%s", listener->listener.name,
		    lp_endpoint_format(vip, &endpoint->vip));
		print_word(out, text);
	}
}

static void
print_rule(FILE *out, const struct lp_object *object)
{
	const struct lp_rule_object *rule = &object->rule;

	fputs("lpctl add-rule", out);
	print_word(out, rule->name);
	fprintf(out, " --priority %u --match", rule->priority);
	print_word(out, rule->match);
	fputs(" --action", out);
	print_word(out, rule->action);
	if (rule->shadow)
		fputs(" --shadow", out);
	print_owner(out, object);
	fputc('\n', out);
}

static void
print_owner(FILE *out, const struct lp_object *object)
{
	if (object->owner[0] == '\0')
		return;
	fputs(" --owner", out);
	print_word(out, object->owner);
}

static void
print_gateway(FILE *out, const struct lp_ip *gateway)
{
	char text[LP_IP_TEXT_SIZE];

	if (!lp_ip_is_none(gateway))
		fprintf(out, " --gateway %s", lp_ip_format(text, gateway));
}

/* With a blank before it; in quotes if a shell would see more than a word. */
static void
print_word(FILE *out, const char *word)
{
	bool plain = *word != '\0';

	for (const char *c = word; *c != '\0'; c++)
		plain = plain &&
		    (isalnum((unsigned char)*c) ||
			strchr("._-:/@,=+", *c) != NULL);
	fputc(' ', out);
	if (plain) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (const char *c = word; *c != '\0'; c++) {
		if (*c == '\'')
			fputs("'\\''", out);
		else
			fputc(*c, out);
	}
	fputc('\'', out);
}

static const char *
cluster_name(const struct lp_config *config, uint32_t id)
{
	const struct lp_object *cluster =
	    lp_config_find(config, LP_OBJECT_CLUSTER, id);

	return cluster != NULL ? cluster->cluster.name : "?";
}
