/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator has said of a configuration.  The order follows names, and
 * of rules how they are asked: no id shows in it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/declaration.h"
#include "proto/object_rule.h"

static int from_config(struct lp_declaration *out,
    const struct lp_config *config, bool with_discovered);
static bool is_declared(const struct lp_object *object, bool with_discovered);
static int take(struct lp_declared *to, const struct lp_object *object,
    const struct lp_config *config);
static int take_choices(struct lp_declared *to, const struct lp_config *config);
static int compare(const void *left, const void *right);

int
lp_declaration_from_config(
    struct lp_declaration *out, const struct lp_config *config)
{
	return from_config(out, config, false);
}

int
lp_declaration_from_all(
    struct lp_declaration *out, const struct lp_config *config)
{
	return from_config(out, config, true);
}

static int
from_config(struct lp_declaration *out, const struct lp_config *config,
    bool with_discovered)
{
	int err = 0;

	*out = (struct lp_declaration){0};
	out->list = calloc(config->count + 1, sizeof(*out->list));
	out->owners = calloc(1, sizeof(*out->owners));
	if (out->list == NULL || out->owners == NULL)
		err = -ENOMEM;
	/* "": the whole of it. */
	out->owner_count = 1;
	for (size_t i = 0; err == 0 && i < config->count; i++)
		if (is_declared(&config->objects[i], with_discovered))
			err = take(&out->list[out->count++],
			    &config->objects[i], config);
	if (err != 0) {
		lp_declaration_fini(out);
		return err;
	}
	qsort(out->list, out->count, sizeof(*out->list), compare);
	for (size_t i = 0; i < out->count; i++) {
		struct lp_object *object = &out->list[i].object;

		if (!with_discovered)
			object->id = 0;
		if (object->kind == LP_OBJECT_CLUSTER)
			object->cluster.same_as = 0;
		else if (object->kind == LP_OBJECT_BROKER)
			object->broker.cluster_id = 0;
		else if (object->kind == LP_OBJECT_LISTENER)
			object->listener.cluster_id = 0;
	}
	return 0;
}

/* Endpoints are with their brokers. */
static bool
is_declared(const struct lp_object *object, bool with_discovered)
{
	return object->kind != LP_OBJECT_ENDPOINT &&
	    (with_discovered || object->kind != LP_OBJECT_BROKER ||
		!object->broker.discovered);
}

static int
take(struct lp_declared *to, const struct lp_object *object,
    const struct lp_config *config)
{
	const struct lp_object *cluster = NULL;

	to->object = *object;
	if (object->kind == LP_OBJECT_BROKER)
		cluster = lp_config_find(
		    config, LP_OBJECT_CLUSTER, object->broker.cluster_id);
	else if (object->kind == LP_OBJECT_LISTENER)
		cluster = lp_config_find(
		    config, LP_OBJECT_CLUSTER, object->listener.cluster_id);
	if (cluster != NULL)
		strcpy(to->cluster, cluster->cluster.name);
	cluster = NULL;
	if (object->kind == LP_OBJECT_CLUSTER && object->cluster.same_as != 0)
		cluster = lp_config_find(
		    config, LP_OBJECT_CLUSTER, object->cluster.same_as);
	if (cluster != NULL)
		strcpy(to->same_as, cluster->cluster.name);
	return object->kind == LP_OBJECT_BROKER ? take_choices(to, config) : 0;
}

static int
compare_choices(const void *left, const void *right)
{
	const struct lp_declared_choice *a = left, *b = right;

	return strcmp(a->listener, b->listener);
}

static int
take_choices(struct lp_declared *to, const struct lp_config *config)
{
	size_t first,
	    count = lp_config_range(config, LP_OBJECT_ENDPOINT, &first);

	for (size_t i = first; i < first + count; i++) {
		const struct lp_endpoint_object *endpoint =
		    &config->objects[i].endpoint;
		const struct lp_object *listener;
		struct lp_declared_choice *choices;

		if (!endpoint->chosen || endpoint->broker_id != to->object.id)
			continue;
		listener = lp_config_find(
		    config, LP_OBJECT_LISTENER, endpoint->listener_id);
		if (listener == NULL)
			continue;
		choices = reallocarray(
		    to->choices, to->choice_count + 1, sizeof(*choices));
		if (choices == NULL)
			return -ENOMEM;
		to->choices = choices;
		choices += to->choice_count++;
		memset(choices, 0, sizeof(*choices));
		strcpy(choices->listener, listener->listener.name);
		choices->vip = endpoint->vip;
	}
	if (to->choice_count > 1)
		qsort(to->choices, to->choice_count, sizeof(*to->choices),
		    compare_choices);
	return 0;
}

/* Listeners come before the brokers, which choose endpoints of them. */
static int
rank(const struct lp_declared *declared)
{
	static const uint8_t ranks[LP_OBJECT_KINDS] = {
	    [LP_OBJECT_PORT] = 0,
	    [LP_OBJECT_CLUSTER] = 1,
	    [LP_OBJECT_LISTENER] = 2,
	    [LP_OBJECT_BROKER] = 3,
	    [LP_OBJECT_RULE] = 4,
	};

	return ranks[declared->object.kind];
}

static int
compare(const void *left, const void *right)
{
	const struct lp_declared *l = left, *r = right;
	const struct lp_object *a = &l->object, *b = &r->object;
	int by_cluster = strcmp(l->cluster, r->cluster);

	if (rank(l) != rank(r))
		return rank(l) - rank(r);
	switch (a->kind) {
	case LP_OBJECT_PORT:
		return strcmp(a->port.name, b->port.name);
	case LP_OBJECT_CLUSTER:
		/* Those that others are the same as come first. */
		if ((l->same_as[0] != '\0') != (r->same_as[0] != '\0'))
			return l->same_as[0] != '\0' ? 1 : -1;
		return strcmp(a->cluster.name, b->cluster.name);
	case LP_OBJECT_BROKER:
		return by_cluster != 0
		    ? by_cluster
		    : (a->broker.node_id > b->broker.node_id) -
			(a->broker.node_id < b->broker.node_id);
	case LP_OBJECT_LISTENER:
		return by_cluster != 0
		    ? by_cluster
		    : strcmp(a->listener.name, b->listener.name);
	default:
		return lp_object_rule_order(a, b);
	}
}
