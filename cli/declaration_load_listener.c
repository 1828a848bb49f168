/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/declaration_load.h"

static void set_vip(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *to);
static void complete(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *map, struct lp_listener_object *listener);

static const struct lp_declaration_field fields[] = {
    {
	.key = "name",
	.type = LP_DECLARATION_TEXT,
	.why = "the name that the listener is known by in its cluster",
	LP_DECLARATION_AT(object.listener.name),
    },
    {
	.key = "cluster",
	.type = LP_DECLARATION_TEXT,
	LP_DECLARATION_AT(cluster),
    },
    {
	.key = "vip",
	.type = LP_DECLARATION_OTHER,
	.kinds = 1 << LP_YAML_SCALAR,
	.needed = "an address",
	.set = set_vip,
    },
    {
	.key = "port",
	.type = LP_DECLARATION_NUMBER,
	.min = 1,
	.max = UINT16_MAX,
	LP_DECLARATION_AT(object.listener.vip.port),
    },
    {
	.key = "mode",
	LP_DECLARATION_WORDS(mode),
	LP_DECLARATION_AT(object.listener.mode),
    },
    {
	.key = "broker_base",
	.type = LP_DECLARATION_NUMBER,
	.min = 1,
	.max = UINT16_MAX,
	LP_DECLARATION_AT(object.listener.broker_base),
    },
    {
	.key = "source_address",
	LP_DECLARATION_WORDS(source_address),
	LP_DECLARATION_AT(object.listener.source_address),
    },
    {
	.key = "kafka",
	LP_DECLARATION_WORDS(look),
	LP_DECLARATION_AT(object.listener.kafka),
    },
    {
	.key = "rewrite",
	LP_DECLARATION_WORDS(rewriting),
	LP_DECLARATION_AT(object.listener.rewrite),
    },
    {
	.key = "advertise",
	.type = LP_DECLARATION_TEXT,
	LP_DECLARATION_AT(object.listener.advertise),
    },
    {
	.key = "unjudged",
	LP_DECLARATION_WORDS(unjudged),
	LP_DECLARATION_AT(object.listener.unjudged),
    },
    LP_DECLARATION_OWNER,
    {0},
};

void
lp_declaration_load_listener(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *map, struct lp_declared *declared)
{
	lp_declaration_field_read(reading, map, "a listener", fields, declared);
	complete(reading, map, &declared->object.listener);
}

static void
set_vip(struct lp_declaration_reading *reading, const struct lp_yaml_node *node,
    void *to)
{
	struct lp_declared *declared = to;
	char why[LP_WHY_SIZE];

	if (lp_ip_parse(&declared->object.listener.vip.ip, node->text, why) !=
	    0)
		lp_declaration_field_error(
		    reading, &node->span, "vip", "%s", why);
}

static void
need(struct lp_declaration_reading *reading, const struct lp_yaml_node *map,
    const char *key, const char *why)
{
	struct lp_span span = map->span;

	span.to = span.from;
	if (lp_yaml_get(map, key) == NULL)
		lp_declaration_field_error(reading, &span, key, "%s", why);
}

/* Defaults that depend on its mode; and what that one needs. */
static void
complete(struct lp_declaration_reading *reading, const struct lp_yaml_node *map,
    struct lp_listener_object *listener)
{
	if (lp_yaml_get(map, "rewrite") == NULL)
		listener->rewrite = lp_object_rewriting(listener);
	if (listener->mode == LP_MODE_INLINE) {
		if (lp_yaml_get(map, "source_address") == NULL)
			listener->source_address = LP_SOURCE_PRESERVE;
		return;
	}
	/* Of another mode that was refused nothing is known. */
	if (lp_yaml_get(map, "mode") != NULL && reading->failed)
		return;
	need(reading, map, "vip",
	    "missing: the address that clients connect to (or mode: inline)");
	need(reading, map, "port",
	    "missing: the TCP port that clients connect to (or mode: inline)");
	if (lp_yaml_get(map, "broker_base") != NULL)
		return;
	if (listener->vip.port == UINT16_MAX)
		lp_declaration_field_error(reading,
		    &lp_yaml_get(map, "port")->span, "port",
		    "there is none after 65535 for the brokers: broker_base "
		    "is needed");
	else if (listener->vip.port != 0)
		listener->broker_base = (uint16_t)(listener->vip.port + 1);
}
