/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/declaration_names.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

enum { SIZE_MIN = 64 };

static int grow(struct lp_declaration_names *names);
static uint32_t *slot_of(
    const struct lp_declaration_names *names, const char *label);

void
lp_declaration_names_init(struct lp_declaration_names *names,
    const struct lp_declaration *declaration)
{
	*names = (struct lp_declaration_names){.declaration = declaration};
}

void
lp_declaration_names_fini(struct lp_declaration_names *names)
{
	free(names->places);
	*names = (struct lp_declaration_names){0};
}

int
lp_declaration_names_add(struct lp_declaration_names *names, size_t index)
{
	char label[LP_OBJECT_LABEL_SIZE];
	uint32_t *slot;

	if (2 * (names->count + 1) > names->size && grow(names) != 0)
		return -ENOMEM;
	slot = slot_of(names,
	    lp_declaration_names_label(
		label, &names->declaration->list[index]));
	assert(*slot == 0);
	*slot = (uint32_t)index + 1;
	names->count++;
	return 0;
}

const struct lp_declared *
lp_declaration_names_find(
    const struct lp_declaration_names *names, const char *label)
{
	const uint32_t *slot;

	if (names->size == 0)
		return NULL;
	slot = slot_of(names, label);
	return *slot == 0 ? NULL : &names->declaration->list[*slot - 1];
}

char *
lp_declaration_names_label(
    char buf[LP_OBJECT_LABEL_SIZE], const struct lp_declared *declared)
{
	const struct lp_object *object = &declared->object;
	const char *kind = lp_object_kind_name(object->kind);

	if (object->kind == LP_OBJECT_BROKER)
		(void)snprintf(buf, LP_OBJECT_LABEL_SIZE, "%s %s/%d", kind,
		    declared->cluster, object->broker.node_id);
	else if (object->kind == LP_OBJECT_LISTENER)
		(void)snprintf(buf, LP_OBJECT_LABEL_SIZE, "%s %s/%s", kind,
		    declared->cluster, object->listener.name);
	else
		(void)snprintf(buf, LP_OBJECT_LABEL_SIZE, "%s %s", kind,
		    object->kind == LP_OBJECT_PORT ? object->port.name
			: object->kind == LP_OBJECT_CLUSTER
			? object->cluster.name
			: object->rule.name);
	return buf;
}

static int
grow(struct lp_declaration_names *names)
{
	uint32_t *old = names->places;
	size_t old_size = names->size;
	size_t size = old_size == 0 ? SIZE_MIN : 2 * old_size;
	uint32_t *places = calloc(size, sizeof(*places));

	if (places == NULL)
		return -ENOMEM;
	names->places = places;
	names->size = size;
	for (size_t i = 0; i < old_size; i++) {
		char label[LP_OBJECT_LABEL_SIZE];

		if (old[i] != 0)
			*slot_of(names,
			    lp_declaration_names_label(
				label, &names->declaration->list[old[i] - 1])) =
			    old[i];
	}
	free(old);
	return 0;
}

/* Where that label is, or would be put. */
static uint32_t *
slot_of(const struct lp_declaration_names *names, const char *label)
{
	size_t at = XXH3_64bits(label, strlen(label)) & (names->size - 1);
	char other[LP_OBJECT_LABEL_SIZE];

	for (; names->places[at] != 0; at = (at + 1) & (names->size - 1)) {
		const struct lp_declared *declared =
		    &names->declaration->list[names->places[at] - 1];

		lp_declaration_names_label(other, declared);
		if (strcmp(other, label) == 0)
			break;
	}
	return &names->places[at];
}
