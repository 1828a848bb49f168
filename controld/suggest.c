/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/suggest.h"

#include <assert.h>

enum { EDITS_MAX = 2 };

static const char *name_of(const struct lp_object *object, uint32_t cluster_id);
static size_t distance(const char *a, const char *b);

const char *
lp_suggest_name(const struct lp_config *config, enum lp_object_kind kind,
    uint32_t cluster_id, const char *name)
{
	const char *best = NULL;
	size_t best_edits = EDITS_MAX + 1;
	size_t first, count = lp_config_range(config, kind, &first);

	if (strlen(name) >= LP_NAME_SIZE)
		return NULL;
	for (size_t i = first; i < first + count; i++) {
		const char *other = name_of(&config->objects[i], cluster_id);
		size_t edits = other ? distance(name, other) : best_edits;

		/* "ab" is not a slip of the pen for "xy". */
		if (edits < best_edits && edits < strlen(name)) {
			best = other;
			best_edits = edits;
		}
	}
	return best;
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
	default:
		return NULL;
	}
}

/* Levenshtein's, by one row of the table at a time. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[LP_NAME_SIZE];
	size_t len = strlen(b);

	assert(strlen(a) < LP_NAME_SIZE && len < LP_NAME_SIZE);
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t corner = row[0]; /* of the row above, one to the left */

		row[0] = i + 1;
		for (size_t j = 0; j < len; j++) {
			size_t edits = corner + (a[i] != b[j]);

			corner = row[j + 1];
			if (row[j] + 1 < edits)
				edits = row[j] + 1;
			if (corner + 1 < edits)
				edits = corner + 1;
			row[j + 1] = edits;
		}
	}
	return row[len];
}
