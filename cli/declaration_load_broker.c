/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/declaration_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/resolve.h"

static void set_endpoint(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *to);
static void set_endpoints(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *to);

static const struct lp_declaration_field fields[] = {
    {
	.key = "id",
	.type = LP_DECLARATION_NUMBER,
	.max = INT32_MAX,
	.why = "the node id that Kafka knows the broker by",
	LP_DECLARATION_AT(object.broker.node_id),
    },
    {
	.key = "endpoint",
	.type = LP_DECLARATION_OTHER,
	.kinds = 1 << LP_YAML_SCALAR,
	.needed = "HOST:PORT",
	.why = "HOST:PORT, where the broker really is",
	.set = set_endpoint,
    },
    {
	.key = "cluster",
	.type = LP_DECLARATION_TEXT,
	LP_DECLARATION_AT(cluster),
    },
    {
	.key = "endpoints",
	.type = LP_DECLARATION_OTHER,
	.kinds = 1 << LP_YAML_MAP,
	.needed = "a map of LISTENER: IP:PORT",
	.set = set_endpoints,
    },
    LP_DECLARATION_OWNER,
    {0},
};

void
lp_declaration_load_broker(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *map, struct lp_declared *declared)
{
	lp_declaration_field_read(reading, map, "a broker", fields, declared);
}

/* The host as it was written; a name has no address yet. */
static void
set_endpoint(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *to)
{
	struct lp_broker_object *broker =
	    &((struct lp_declared *)to)->object.broker;
	char name[LP_HOST_SIZE] = "", why[LP_WHY_SIZE];

	if (lp_hostport_split(name, &broker->real.port, node->text, why) != 0) {
		lp_declaration_field_error(
		    reading, &node->span, "endpoint", "%s", why);
		return;
	}
	memcpy(broker->host, name, strlen(name));
	if (lp_ip_parse(&broker->real.ip, name, why) != 0 &&
	    lp_resolve_is_number(name))
		lp_declaration_field_error(
		    reading, &node->span, "endpoint", "%s", why);
}

static void
set_endpoints(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *to)
{
	struct lp_declared *declared = to;
	const struct lp_yaml_node *item;

	if (node->count == 0)
		return;
	declared->choices = calloc(node->count, sizeof(*declared->choices));
	if (declared->choices == NULL) {
		reading->err = -ENOMEM;
		return;
	}
	for (item = node->children; item != NULL; item = item->next) {
		struct lp_declared_choice *choice =
		    &declared->choices[declared->choice_count];
		char why[LP_WHY_SIZE];

		if (!lp_declaration_field_is(reading, item, "endpoints",
			1 << LP_YAML_SCALAR, "IP:PORT"))
			continue;
		if (item->key[0] == '\0' ||
		    strlen(item->key) >= sizeof(choice->listener))
			lp_declaration_field_error(reading, &item->key_span,
			    "endpoints", "the name of a listener is needed");
		else if (lp_endpoint_parse(&choice->vip, item->text, why) != 0)
			lp_declaration_field_error(
			    reading, &item->span, "endpoints", "%s", why);
		else
			strcpy(declared->choices[declared->choice_count++]
				   .listener,
			    item->key);
	}
}
