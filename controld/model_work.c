/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/model_work.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "controld/model_rule.h"
#include "controld/suggest.h"
#include "proto/nearest.h"

static int by_id(const void *a, const void *b);
static void label_op(const struct lp_model_work *work, char *buf);

int
lp_model_work_refuse(
    struct lp_model_work *work, const char *field, const char *format, ...)
{
	struct lp_model_error *error = &work->change->error;
	va_list args;

	label_op(work, error->object);
	error->place = work->place;
	error->field = field;
	error->lacks = 0;
	va_start(args, format);
	vsnprintf(error->why, sizeof(error->why), format, args);
	va_end(args);
	return -EINVAL;
}

int
lp_model_work_lacks(struct lp_model_work *work, int rc,
    enum lp_object_kind kind, const char *name)
{
	struct lp_model_error *error = &work->change->error;

	error->lacks = (uint8_t)kind;
	snprintf(error->lacking, sizeof(error->lacking), "%s", name);
	return rc;
}

int
lp_model_work_unknown(struct lp_model_work *work)
{
	const Lp__Pb__Operation *op = work->op;
	bool is_cluster = op->kind == LP_OBJECT_CLUSTER ||
	    (op->kind != LP_OBJECT_PORT && op->kind != LP_OBJECT_RULE &&
		work->cluster_id == 0);
	enum lp_object_kind kind = is_cluster ? LP_OBJECT_CLUSTER : op->kind;
	const char *name = is_cluster && op->cluster != NULL && op->kind != kind
	    ? op->cluster
	    : op->name;
	char hint[LP_NEAREST_HINT_SIZE];
	const char *near;

	if (kind == LP_OBJECT_BROKER)
		return lp_model_work_refuse(work, "",
		    "cluster %s has no broker %d", op->cluster, op->node_id);
	/* What is to go is not meant. */
	lp_model_rule_sweep(work);
	near = lp_suggest_name(kind == LP_OBJECT_RULE ? &work->rules.config
						      : &work->change->config,
	    kind, work->cluster_id, name);
	return lp_model_work_lacks(work,
	    lp_model_work_refuse(work, kind == op->kind ? "" : "cluster",
		"there is no %s %s%s%s", lp_object_kind_name(kind), name,
		kind == LP_OBJECT_LISTENER ? " in its cluster" : "",
		lp_nearest_hint(hint, near)),
	    kind, name);
}

int
lp_model_work_unknown_cluster(
    struct lp_model_work *work, const char *field, const char *name)
{
	const char *near =
	    lp_suggest_name(&work->change->config, LP_OBJECT_CLUSTER, 0, name);
	char hint[LP_NEAREST_HINT_SIZE];

	return lp_model_work_lacks(work,
	    lp_model_work_refuse(work, field, "there is no cluster %.63s%s",
		name, lp_nearest_hint(hint, near)),
	    LP_OBJECT_CLUSTER, name);
}

void
lp_model_work_touch(struct lp_model_work *work, const struct lp_object *object)
{
	assert(work->touch_count < work->op_count);
	work->touches[work->touch_count] = (struct lp_model_touch){
	    .id = object->id,
	    .place = work->place,
	    .turn = (uint32_t)work->touch_count,
	    .kind = object->kind,
	};
	work->touch_count++;
}

void
lp_model_work_settle(struct lp_model_work *work)
{
	struct lp_model_touch *touches = work->touches;
	size_t count = 0;

	qsort(touches, work->touch_count, sizeof(*touches), by_id);
	for (size_t i = 0; i < work->touch_count; i++)
		if (i + 1 == work->touch_count ||
		    touches[i].id != touches[i + 1].id)
			touches[count++] = touches[i];
	work->touch_count = count;
	work->settled = true;
}

uint32_t
lp_model_work_place(const struct lp_model_work *work, uint32_t id)
{
	size_t low = 0, high = work->touch_count;

	for (size_t i = work->touch_count; i-- > 0 && !work->settled;)
		if (work->touches[i].id == id)
			return work->touches[i].place;
	while (work->settled && low < high) {
		size_t middle = low + (high - low) / 2;

		if (work->touches[middle].id == id)
			return work->touches[middle].place;
		if (work->touches[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/* Objects are ordered by id, so that the last ones came last. */
uint32_t
lp_model_work_exceeds(struct lp_model_work *work)
{
	struct lp_model_change *change = work->change;
	const struct lp_config *config = &change->config;

	for (unsigned kind = LP_OBJECT_PORT; kind < LP_OBJECT_ENDPOINT;
	     kind++) {
		size_t max = lp_config_max(kind), first;
		const struct lp_object *object;

		if (lp_config_range(config, kind, &first) <= max)
			continue;
		object = &config->objects[first + max];
		change->error = (struct lp_model_error){
		    .place = lp_model_work_place(work, object->id),
		    .field = "",
		};
		lp_config_label(config, object, change->error.object);
		snprintf(change->error.why, sizeof(change->error.why),
		    "there are as many %ss as there may be",
		    lp_object_kind_name(kind));
		return object->id;
	}
	return 0;
}

static int
by_id(const void *a, const void *b)
{
	const struct lp_model_touch *left = a, *right = b;

	if (left->id != right->id)
		return left->id < right->id ? -1 : 1;
	return (left->turn > right->turn) - (left->turn < right->turn);
}

static void
label_op(const struct lp_model_work *work, char *buf)
{
	const Lp__Pb__Operation *op = work->op;
	const char *kind = lp_object_kind_name(op->kind);
	const char *cluster = op->cluster != NULL ? op->cluster : "?";
	const char *name = op->name != NULL ? op->name : "?";
	size_t size = LP_OBJECT_LABEL_SIZE;

	if (op->kind == LP_OBJECT_BROKER)
		snprintf(buf, size, "%s %.63s/%d", kind, cluster, op->node_id);
	else if (op->kind == LP_OBJECT_LISTENER)
		snprintf(buf, size, "%s %.63s/%.63s", kind, cluster, name);
	else
		snprintf(buf, size, "%s %.63s", kind ? kind : "object", name);
}
