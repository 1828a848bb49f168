/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview.  First come the operations, each by itself, then the endpoints and
 * the check of all but the rules: over and over on a copy, each time without
 * what was to blame the last time.  Then come the rules, which are checked in
 * one pass against all that there is, also what was to blame.
 *
 * Limits.  LP_MODEL_CHECK_PASSES of the whole: there are few objects that are
 * no rules, and who has mended as many runs it again.
 */
#include <errno.h>
#include <stdlib.h>

#include "controld/model_endpoint.h"
#include "controld/model_note.h"
#include "controld/model_rule.h"
#include "controld/model_work.h"

enum { LP_MODEL_CHECK_PASSES = 100 };

struct check {
	struct lp_model_work work;
	void (*found)(void *arg, const struct lp_model_error *error);
	void *arg;
	size_t found_count;
	bool lacks_port; /* one was refused: others may miss it */
};

static int run_all(struct check *check, Lp__Pb__Operation *const *operations);
static int check_plain(struct check *check);
static int check_limits(struct check *check);
static int check_passes(struct check *check, struct lp_config *config);
static void tell(struct check *check, const struct lp_config *config,
    const struct lp_config_error *error);
static void tell_rule(void *arg, const struct lp_config_error *error);
static int remove_tree(struct lp_config *config, uint32_t id);
static int take_away(struct check *check, struct lp_config *config,
    const struct lp_config_error *error);

int
lp_model_check(struct lp_model_change *change, const struct lp_config *from,
    uint32_t next_id, Lp__Pb__Operation *const *operations, size_t count,
    void (*found)(void *arg, const struct lp_model_error *error), void *arg)
{
	struct check check = {
	    .work = {.change = change,
		.from = from,
		.op_count = count,
		.is_check = true},
	    .found = found,
	    .arg = arg,
	};
	int err = lp_model_begin(&check.work, next_id);

	if (err == -EINVAL) {
		found(arg, &change->error);
		err = 0;
		goto out;
	}
	if (err == 0)
		err = run_all(&check, operations);
	if (err == 0)
		err = check_plain(&check);
	if (err == 0)
		err = lp_model_rule_join(&check.work);
	if (err != 0)
		goto out;
	lp_config_check_rule_all(&change->config, tell_rule, &check);
	/* They are about what has passed. */
	if (check.found_count == 0)
		err = lp_model_note_run(&check.work);
out:
	lp_model_rule_end(&check.work);
	free(check.work.touches);
	return err;
}

/* What is refused has changed nothing, or but a part of its endpoints. */
static int
run_all(struct check *check, Lp__Pb__Operation *const *operations)
{
	struct lp_model_work *work = &check->work;

	for (size_t i = 0; i < work->op_count; i++) {
		int err;

		err = lp_model_run(work, operations[i], i);
		if (err == 0)
			continue;
		if (err != -EINVAL)
			return err;
		check->lacks_port |= operations[i]->kind == LP_OBJECT_PORT;
		check->found_count++;
		check->found(check->arg, &work->change->error);
	}
	return 0;
}

static int
check_plain(struct check *check)
{
	struct lp_model_change *change = check->work.change;
	uint32_t listener_id = 0, broker_id = 0;
	struct lp_config config;
	int err;

	lp_model_work_settle(&check->work);
	err = check_limits(check);
	if (err != 0)
		return err;
	err = lp_model_endpoint_run(change, &listener_id, &broker_id);
	if (err == -EINVAL) {
		change->error.place =
		    lp_model_work_place(&check->work, listener_id);
		check->found_count++;
		check->found(check->arg, &change->error);
		return 0;
	}
	if (err != 0)
		return err;
	lp_config_init(&config);
	err = lp_config_copy(&config, &change->config);
	/* The rules are apart. */
	if (err == 0)
		err = check_passes(check, &config);
	lp_config_fini(&config);
	return err;
}

/* Without those that are too many. */
static int
check_limits(struct check *check)
{
	struct lp_model_change *change = check->work.change;
	uint32_t id;

	while ((id = lp_model_work_exceeds(&check->work)) != 0) {
		check->lacks_port |=
		    lp_config_find(&change->config, LP_OBJECT_PORT, id) != NULL;
		check->found_count++;
		check->found(check->arg, &change->error);
		if (remove_tree(&change->config, id) != 0)
			return -ENOENT;
	}
	return 0;
}

static int
check_passes(struct check *check, struct lp_config *config)
{
	for (unsigned i = 0; i < LP_MODEL_CHECK_PASSES; i++) {
		struct lp_config_error error = {.field = ""};
		int err;

		if (lp_config_check(config, &error) == 0)
			return 0;
		/* Ports lead nowhere that are not there; and it comes last. */
		if (error.lacks == LP_OBJECT_PORT && error.lacking[0] == '\0' &&
		    check->lacks_port)
			return 0;
		tell(check, config, &error);
		err = take_away(check, config, &error);
		if (err != 0)
			return err == -ENOENT ? 0 : err;
	}
	return 0;
}

/* Who is to blame: of an endpoint who chose it, or its listener. */
static uint32_t
blame(const struct lp_config *config, uint32_t id)
{
	const struct lp_object *object =
	    lp_config_find(config, LP_OBJECT_ENDPOINT, id);

	if (object == NULL)
		return id;
	return object->endpoint.chosen ? object->endpoint.broker_id
				       : object->endpoint.listener_id;
}

static uint32_t
place_of(const struct check *check, const struct lp_config *config, uint32_t id)
{
	return lp_model_work_place(&check->work, blame(config, id));
}

static void
tell(struct check *check, const struct lp_config *config,
    const struct lp_config_error *error)
{
	struct lp_model_error *told = &check->work.change->error;

	*told = (struct lp_model_error){
	    .place = place_of(check, config, error->object_id),
	    .field = error->field,
	    .lacks = error->lacks,
	};
	memcpy(told->object, error->object, sizeof(told->object));
	memcpy(told->why, error->why, sizeof(told->why));
	memcpy(told->lacking, error->lacking, sizeof(told->lacking));
	check->found_count++;
	check->found(check->arg, told);
}

static void
tell_rule(void *arg, const struct lp_config_error *error)
{
	struct check *check = arg;

	tell(check, &check->work.change->config, error);
}

/* Whether an object is not to be without the one of that id. */
static bool
hangs_from(const struct lp_object *object, uint32_t id)
{
	switch (object->kind) {
	case LP_OBJECT_CLUSTER:
		return object->cluster.same_as == id;
	case LP_OBJECT_BROKER:
		return object->broker.cluster_id == id;
	case LP_OBJECT_LISTENER:
		return object->listener.cluster_id == id;
	case LP_OBJECT_ENDPOINT:
		return object->endpoint.listener_id == id ||
		    object->endpoint.broker_id == id;
	default:
		return false;
	}
}

/* With all that hangs from it: objects come before what hangs from them. */
static int
remove_tree(struct lp_config *config, uint32_t id)
{
	for (size_t i = config->count; i-- > 0;) {
		const struct lp_object *object = &config->objects[i];

		if (!hangs_from(object, id))
			continue;
		if (remove_tree(config, object->id) != 0)
			return -ENOENT;
		i = config->count;
	}
	for (size_t i = 0; i < config->count; i++)
		if (config->objects[i].id == id)
			return lp_config_remove(
			    config, config->objects[i].kind, id);
	return -ENOENT;
}

/* -ENOENT: the whole is to blame, and nothing can be taken away. */
static int
take_away(struct check *check, struct lp_config *config,
    const struct lp_config_error *error)
{
	uint32_t id = blame(config, error->object_id);

	check->lacks_port |=
	    id != 0 && lp_config_find(config, LP_OBJECT_PORT, id) != NULL;
	return id == 0 ? -ENOENT : remove_tree(config, id);
}
