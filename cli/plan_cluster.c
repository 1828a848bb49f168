/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plan_cluster.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool find_root(char root[LP_NAME_SIZE],
    const struct lp_declared *cluster, const struct lp_declaration_names *files,
    const struct lp_declaration_names *current);
static const struct lp_declared *find(const char *name,
    const struct lp_declaration_names *files,
    const struct lp_declaration_names *current);

int
lp_plan_cluster_resolve(struct lp_declaration *declaration,
    const struct lp_declaration_names *current)
{
	struct lp_declaration_names files;
	char root[LP_NAME_SIZE];
	int err = 0;

	lp_declaration_names_init(&files, declaration);
	for (size_t i = 0; err == 0 && i < declaration->count; i++)
		if (declaration->list[i].object.kind == LP_OBJECT_CLUSTER)
			err = lp_declaration_names_add(&files, i);
	for (size_t i = 0; err == 0 && i < declaration->count; i++) {
		struct lp_declared *declared = &declaration->list[i];

		if (declared->object.kind == LP_OBJECT_CLUSTER &&
		    find_root(root, declared, &files, current))
			memcpy(declared->same_as, root, sizeof(root));
	}
	lp_declaration_names_fini(&files);
	return err;
}

/* The node of such a cluster is the top of the file. */
bool
lp_plan_cluster_is_named_only(
    const struct lp_declared *to, const struct lp_declared *from)
{
	return to->object.kind == LP_OBJECT_CLUSTER && to->node != NULL &&
	    lp_yaml_get(to->node, "cluster") != NULL &&
	    strcmp(to->object.owner, from->object.owner) != 0;
}

unsigned
lp_plan_cluster_pass(
    const struct lp_declaration *current, const struct lp_declared *cluster)
{
	if (cluster->same_as[0] == '\0')
		return LP_PLAN_CLUSTER_ALONE;
	for (size_t i = 0; i < current->count; i++) {
		const struct lp_declared *other = &current->list[i];

		/* They come first, behind the ports. */
		if (other->object.kind != LP_OBJECT_CLUSTER &&
		    other->object.kind != LP_OBJECT_PORT)
			break;
		if (strcmp(other->same_as, cluster->object.cluster.name) == 0)
			return LP_PLAN_CLUSTER_LAST;
	}
	return LP_PLAN_CLUSTER_LOOSEN;
}

/* False: what is named is not there, or they go in a circle. */
static bool
find_root(char root[LP_NAME_SIZE], const struct lp_declared *cluster,
    const struct lp_declaration_names *files,
    const struct lp_declaration_names *current)
{
	const struct lp_declared *at = cluster;

	for (unsigned i = 0; i <= LP_CLUSTERS_MAX; i++) {
		if (at->same_as[0] == '\0') {
			memset(root, 0, LP_NAME_SIZE);
			if (at != cluster)
				strcpy(root, at->object.cluster.name);
			return at != cluster;
		}
		at = find(at->same_as, files, current);
		if (at == NULL)
			return false;
	}
	return false;
}

static const struct lp_declared *
find(const char *name, const struct lp_declaration_names *files,
    const struct lp_declaration_names *current)
{
	char label[LP_OBJECT_LABEL_SIZE];
	const struct lp_declared *declared, *there;

	(void)snprintf(label, sizeof(label), "cluster %s", name);
	declared = lp_declaration_names_find(files, label);
	there = lp_declaration_names_find(current, label);
	return declared == NULL ||
		(there != NULL &&
		    lp_plan_cluster_is_named_only(declared, there))
	    ? there
	    : declared;
}
