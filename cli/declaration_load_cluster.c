/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/declaration_load.h"

#include <stdio.h>
#include <string.h>

static const struct lp_declaration_field fields[] = {
    {
	.key = "name",
	.type = LP_DECLARATION_TEXT,
	.why = "the name that the cluster is known by",
	LP_DECLARATION_AT(object.cluster.name),
    },
    {
	.key = "same_as",
	.type = LP_DECLARATION_TEXT,
	LP_DECLARATION_AT(same_as),
    },
    {
	.key = "discover",
	.type = LP_DECLARATION_BOOL,
	LP_DECLARATION_AT(object.cluster.discover),
    },
    LP_DECLARATION_OWNER,
    {0},
};

void
lp_declaration_load_cluster(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *map, struct lp_declared *declared)
{
	lp_declaration_field_read(reading, map, "a cluster", fields, declared);
}

void
lp_declaration_load_cluster_same(struct lp_declaration_reading *reading,
    const struct lp_declaration_names *names, struct lp_declared *declared)
{
	char label[LP_OBJECT_LABEL_SIZE];
	const struct lp_declared *other;
	struct lp_span span;

	if (declared->same_as[0] == '\0')
		return;
	(void)snprintf(label, sizeof(label), "cluster %s", declared->same_as);
	other = lp_declaration_names_find(names, label);
	span = lp_declaration_place(declared, "same_as");
	reading->failed = false;
	if (strcmp(declared->same_as, declared->object.cluster.name) == 0)
		lp_declaration_field_error(
		    reading, &span, "same_as", "that is the cluster itself");
	else if (other != NULL && other->same_as[0] != '\0')
		lp_declaration_field_error(reading, &span, "same_as",
		    "%s is itself the same as %s: name that one",
		    declared->same_as, other->same_as);
	declared->is_broken = declared->is_broken || reading->failed;
}
