/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/declaration.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void
lp_declaration_fini(struct lp_declaration *declaration)
{
	for (size_t i = 0; i < declaration->count; i++)
		free(declaration->list[i].choices);
	for (size_t i = 0; i < declaration->tree_count; i++)
		lp_yaml_free(declaration->trees[i]);
	free(declaration->list);
	free(declaration->owners);
	free(declaration->trees);
	*declaration = (struct lp_declaration){0};
}

struct lp_span
lp_declaration_place(const struct lp_declared *declared, const char *field)
{
	const struct lp_yaml_node *map = declared->node, *node;

	assert(map != NULL);
	node = lp_yaml_get(map, lp_declaration_key(declared, field));
	if (node == NULL)
		node = lp_yaml_get(map, lp_declaration_key(declared, "name"));
	return node != NULL ? node->span : map->span;
}

const char *
lp_declaration_key(const struct lp_declared *declared, const char *field)
{
	static const struct {
		uint8_t kind;
		const char *field, *key;
	} keys[] = {
	    {LP_OBJECT_PORT, "address", "addresses"},
	    {LP_OBJECT_BROKER, "name", "id"},
	    {LP_OBJECT_BROKER, "node_id", "id"},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].kind == declared->object.kind &&
		    strcmp(keys[i].field, field) == 0)
			return keys[i].key;
	/* No map of a list of clusters has a cluster. */
	if (declared->object.kind == LP_OBJECT_CLUSTER &&
	    strcmp(field, "name") == 0 && declared->node != NULL &&
	    lp_yaml_get(declared->node, "cluster") != NULL)
		return "cluster";
	return field;
}
