/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/suggest.h"

#include <assert.h>
#include <string.h>

#include "proto/nearest.h"

static_assert(LP_NAME_SIZE - 1 == LP_NEAREST_LEN_MAX, "any name may be near");

static const char *name_of(const struct lp_object *object, uint32_t cluster_id);

const char *
lp_suggest_name(const struct lp_config *config, enum lp_object_kind kind,
    uint32_t cluster_id, const char *name)
{
	struct lp_nearest nearest;
	size_t first, count = lp_config_range(config, kind, &first);

	lp_nearest_init(&nearest, name, strlen(name));
	for (size_t i = first; i < first + count; i++) {
		const char *other = name_of(&config->objects[i], cluster_id);

		if (other)
			lp_nearest_offer(&nearest, other);
	}
	return nearest.best;
}

static const char *
name_of(const struct lp_object *object, uint32_t cluster_id)
{
	switch (object->kind) {
	case LP_OBJECT_PORT:
		return object->port.name;
	case LP_OBJECT_CLUSTER:
		return object->cluster.name;
	case LP_OBJECT_LISTENER:
		return object->listener.cluster_id == cluster_id
		    ? object->listener.name
		    : NULL;
	case LP_OBJECT_RULE:
		return object->rule.name;
	default:
		return NULL;
	}
}
