/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/declaration.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *find_key(uint8_t kind, const char *field);

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
	uint8_t kind = declared->object.kind;
	const struct lp_yaml_node *map = declared->node, *node;

	assert(map != NULL);
	node = lp_yaml_get(map, find_key(kind, field));
	if (node == NULL)
		node = lp_yaml_get(map, find_key(kind, "name"));
	/* Of a cluster that a file names at its top: no map is its. */
	return node != NULL ? node->span : map->span;
}

/* Messages call some fields otherwise than files do. */
static const char *
find_key(uint8_t kind, const char *field)
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
		if (keys[i].kind == kind && strcmp(keys[i].field, field) == 0)
			return keys[i].key;
	return field;
}
