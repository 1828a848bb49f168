/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview.  What there is becomes a declaration, too, and both are compared
 * object by object.
 *
 * Order.  Between two operations a configuration need not be right, but what
 * an operation names must be there, and what it deletes must not be named.
 * So rules and brokers, which nobody names, go first, which makes room for
 * new ones; then comes what is added and set, in the order of a declaration;
 * and last goes what rules may have named until then.
 */
#include "cli/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/declaration_check.h"
#include "cli/declaration_names.h"
#include "cli/plan_cluster.h"
#include "cli/plan_field.h"
#include "cli/plan_order.h"

struct making {
	struct lp_plan *plan;
	struct lp_report *report;
	struct lp_declaration *declaration;
	const struct lp_plan_options *options;
	struct lp_declaration_names current; /* of what there is */
	bool *kept; /* by the index of what there is: it is declared */
	bool *gone; /* it is to be deleted */
	/* What becomes of what is declared, by its index. */
	uint8_t *verbs; /* enum lp_plan_verb; 0: nothing */
	const struct lp_declared **from;
};

static int prepare(struct making *making, const struct lp_config *config);
static void finish(struct making *making);
static void compare(struct making *making, size_t index);
static bool may_have(
    struct making *making, const struct lp_declared *to, size_t at);
static bool is_kept_as_it_was(struct making *making,
    const struct lp_declared *to, const struct lp_declared *from);
static bool find_address(struct making *making, struct lp_declared *to,
    const struct lp_declared *from);

static void prune(struct making *making);
static bool is_of_files(
    const struct making *making, const struct lp_declared *declared);
static int put_all(struct making *making);
static int put_gone(struct making *making, enum lp_object_kind kind);
static int put_declared(struct making *making, enum lp_object_kind kind);
static int put_clusters(struct making *making);
static int loosen(struct making *making);
static int put(struct lp_plan *plan, uint8_t verb,
    const struct lp_declared *from, const struct lp_declared *to);

int
lp_plan_make(struct lp_plan *plan, struct lp_report *report,
    struct lp_declaration *declaration, const struct lp_config *config,
    const struct lp_plan_options *options)
{
	struct making making = {
	    .plan = plan,
	    .report = report,
	    .declaration = declaration,
	    .options = options,
	};
	int err;

	*plan = (struct lp_plan){0};
	err = prepare(&making, config);
	if (err == 0)
		err = lp_plan_cluster_resolve(declaration, &making.current);
	for (size_t i = 0; err == 0 && i < declaration->count; i++)
		compare(&making, i);
	if (err == 0 && options->prune)
		prune(&making);
	if (err == 0)
		err = put_all(&making);
	if (err == 0)
		err = lp_plan_order(
		    report, declaration, making.verbs, making.from);
	finish(&making);
	return err;
}

void
lp_plan_fini(struct lp_plan *plan)
{
	lp_declaration_operation_fini(&plan->operations);
	lp_declaration_fini(&plan->current);
	free(plan->loosened);
	free(plan->steps);
	*plan = (struct lp_plan){0};
}

int
lp_plan_check(const struct lp_plan *plan, struct lp_report *report,
    struct lp_declaration *declaration, const struct lp_config *config)
{
	struct lp_declared **of =
	    calloc(plan->count + 1, sizeof(struct lp_declared *));
	int err;

	if (of == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < plan->count; i++) {
		const struct lp_declared *to = plan->steps[i].to;

		if (to >= declaration->list &&
		    to < declaration->list + declaration->count)
			of[i] = &declaration->list[to - declaration->list];
	}
	err = lp_declaration_check_change(declaration, report, config,
	    plan->operations.list, of, plan->count);
	free(of);
	return err;
}

static int
prepare(struct making *making, const struct lp_config *config)
{
	struct lp_declaration *current = &making->plan->current;
	size_t count = making->declaration->count;
	int err = lp_declaration_from_all(current, config);

	if (err != 0)
		return err;
	making->kept = calloc(current->count + 1, sizeof(*making->kept));
	making->gone = calloc(current->count + 1, sizeof(*making->gone));
	making->verbs = calloc(count + 1, sizeof(*making->verbs));
	making->from = calloc(count + 1, sizeof(struct lp_declared *));
	if (making->kept == NULL || making->gone == NULL ||
	    making->verbs == NULL || making->from == NULL)
		return -ENOMEM;
	lp_declaration_names_init(&making->current, current);
	for (size_t i = 0; err == 0 && i < current->count; i++)
		err = lp_declaration_names_add(&making->current, i);
	return err;
}

static void
finish(struct making *making)
{
	lp_declaration_names_fini(&making->current);
	free(making->kept);
	free(making->gone);
	free(making->verbs);
	free(making->from);
}

/* ---- one object ---------------------------------------------------------- */

static void
compare(struct making *making, size_t index)
{
	struct lp_plan *plan = making->plan;
	struct lp_declared *to = &making->declaration->list[index];
	char label[LP_OBJECT_LABEL_SIZE];
	const struct lp_declared *from = lp_declaration_names_find(
	    &making->current, lp_declaration_names_label(label, to));
	size_t at = from != NULL ? (size_t)(from - plan->current.list) : 0;

	if (from != NULL) {
		making->kept[at] = true;
		if (lp_plan_cluster_is_named_only(to, from)) {
			plan->unchanged++;
			return;
		}
		if (!may_have(making, to, at) ||
		    !is_kept_as_it_was(making, to, from))
			return;
	}
	if (to->object.kind == LP_OBJECT_BROKER &&
	    !find_address(making, to, from))
		return;
	making->from[index] = from;
	if (from == NULL)
		making->verbs[index] = LP_PLAN_ADD;
	else if (lp_plan_field_each(from, to, NULL, NULL))
		making->verbs[index] = LP_PLAN_SET;
	else
		plan->unchanged++;
}

/* What belongs to nobody may be taken. */
static bool
may_have(struct making *making, const struct lp_declared *to, size_t at)
{
	const char *theirs = making->plan->current.list[at].object.owner;
	char label[LP_OBJECT_LABEL_SIZE];
	struct lp_span span;

	if (theirs[0] == '\0' || strcmp(theirs, to->object.owner) == 0)
		return true;
	span = lp_declaration_place(to, "name");
	lp_report_add(making->report, LP_SEVERITY_ERROR, &span,
	    "%s is there, and of owner %s: only files of that owner change "
	    "it; \"lpctl set-%s ... --owner\" gives it to another",
	    lp_declaration_names_label(label, to), theirs,
	    lp_object_kind_name(to->object.kind));
	return false;
}

/* A device is opened as what its port is; a listener stays what it is. */
static bool
is_kept_as_it_was(struct making *making, const struct lp_declared *to,
    const struct lp_declared *from)
{
	const char *field = NULL, *what = "";
	char label[LP_OBJECT_LABEL_SIZE];
	struct lp_span span;

	if (to->object.kind == LP_OBJECT_LISTENER &&
	    to->object.listener.mode != from->object.listener.mode) {
		field = "mode";
		what = lp_mode_name(from->object.listener.mode);
	}
	if (to->object.kind == LP_OBJECT_PORT &&
	    lp_object_has_peer(&to->object.port) !=
		lp_object_has_peer(&from->object.port)) {
		field = "peer";
		what = lp_object_has_peer(&from->object.port)
		    ? "a port with a peer"
		    : "a port without a peer";
	}
	if (field == NULL)
		return true;
	span = lp_declaration_place(to, field);
	lp_report_add(making->report, LP_SEVERITY_ERROR, &span,
	    "%s is there, and %s, which it stays: delete it, then add it anew",
	    lp_declaration_names_label(label, to), what);
	return false;
}

/*
 * lp-controld looks a name up again and again: where it leads to now is no
 * difference, and what does not resolve today does no harm to what is there.
 */
static bool
find_address(struct making *making, struct lp_declared *to,
    const struct lp_declared *from)
{
	struct lp_broker_object *broker = &to->object.broker;
	char why[LP_WHY_SIZE] = "", ip[LP_IP_TEXT_SIZE];
	char label[LP_OBJECT_LABEL_SIZE];
	struct lp_span span;

	if (lp_ip_parse(&broker->real.ip, broker->host, NULL) == 0)
		return true;
	if (from != NULL &&
	    strcmp(from->object.broker.host, broker->host) == 0) {
		broker->real.ip = from->object.broker.real.ip;
		return true;
	}
	if (making->options->resolve == NULL)
		return true;
	lp_declaration_names_label(label, to);
	if (making->options->resolve(&broker->real.ip, broker->host, why) !=
	    0) {
		span = lp_declaration_place(to, "endpoint");
		lp_report_add(making->report, LP_SEVERITY_ERROR, &span,
		    "%s: %s", label, why);
		return false;
	}
	if (making->options->err != NULL)
		(void)fprintf(making->options->err,
		    "lpctl: %s: %s resolves to %s\n", label, broker->host,
		    lp_ip_format(ip, &broker->real.ip));
	return true;
}

/* ---- what is to go ------------------------------------------------------- */

static void
prune(struct making *making)
{
	const struct lp_declaration *current = &making->plan->current;

	for (size_t i = 0; i < current->count; i++) {
		const struct lp_declared *declared = &current->list[i];

		making->gone[i] = !making->kept[i] &&
		    is_of_files(making, declared) &&
		    (declared->object.kind != LP_OBJECT_BROKER ||
			!declared->object.broker.discovered);
	}
	/* What was found of a cluster is nothing without it. */
	for (size_t i = 0; i < current->count; i++) {
		const struct lp_declared *declared = &current->list[i];
		const struct lp_declared *found;
		char label[LP_OBJECT_LABEL_SIZE];

		if (making->kept[i] ||
		    declared->object.kind != LP_OBJECT_BROKER ||
		    !declared->object.broker.discovered)
			continue;
		(void)snprintf(
		    label, sizeof(label), "cluster %s", declared->cluster);
		found = lp_declaration_names_find(&making->current, label);
		making->gone[i] =
		    found != NULL && making->gone[found - current->list];
	}
}

/* "" alone is the whole; beside others, what is of nobody. */
static bool
is_of_files(const struct making *making, const struct lp_declared *declared)
{
	const struct lp_declaration *files = making->declaration;

	if (files->owner_count == 1 && files->owners[0][0] == '\0')
		return true;
	for (size_t i = 0; i < files->owner_count; i++)
		if (strcmp(files->owners[i], declared->object.owner) == 0)
			return true;
	return false;
}

/* ---- the operations ------------------------------------------------------ */

static int
put_all(struct making *making)
{
	int err = put_gone(making, LP_OBJECT_RULE);

	if (err == 0)
		err = put_gone(making, LP_OBJECT_BROKER);
	if (err == 0)
		err = put_declared(making, LP_OBJECT_PORT);
	if (err == 0)
		err = put_clusters(making);
	if (err == 0)
		err = put_declared(making, LP_OBJECT_LISTENER);
	if (err == 0)
		err = put_declared(making, LP_OBJECT_BROKER);
	if (err == 0)
		err = put_declared(making, LP_OBJECT_RULE);
	if (err == 0)
		err = put_gone(making, LP_OBJECT_LISTENER);
	if (err == 0)
		err = put_gone(making, LP_OBJECT_CLUSTER);
	if (err == 0)
		err = put_gone(making, LP_OBJECT_PORT);
	return err;
}

/* From the end: clusters that are the same as others are behind those. */
static int
put_gone(struct making *making, enum lp_object_kind kind)
{
	const struct lp_declaration *current = &making->plan->current;
	int err = 0;

	for (size_t i = current->count; err == 0 && i-- > 0;)
		if (making->gone[i] && current->list[i].object.kind == kind)
			err = put(
			    making->plan, LP_PLAN_DEL, &current->list[i], NULL);
	return err;
}

static int
put_declared(struct making *making, enum lp_object_kind kind)
{
	const struct lp_declaration *declaration = making->declaration;
	int err = 0;

	for (size_t i = 0; err == 0 && i < declaration->count; i++)
		if (making->verbs[i] != 0 &&
		    declaration->list[i].object.kind == kind)
			err = put(making->plan, making->verbs[i],
			    making->from[i], &declaration->list[i]);
	return err;
}

/*
 * What another is the same as stands for itself by then, and what is to be
 * the same as another has none that is the same as it.
 */
static int
put_clusters(struct making *making)
{
	const struct lp_declaration *declaration = making->declaration;
	int err = 0;

	for (unsigned pass = 0; err == 0 && pass < LP_PLAN_CLUSTER_PASSES;
	     pass++) {
		if (pass == LP_PLAN_CLUSTER_LOOSEN)
			err = loosen(making);
		for (size_t i = 0; err == 0 && i < declaration->count; i++)
			if (making->verbs[i] != 0 &&
			    declaration->list[i].object.kind ==
				LP_OBJECT_CLUSTER &&
			    lp_plan_cluster_pass(&making->plan->current,
				&declaration->list[i]) == pass)
				err = put(making->plan, making->verbs[i],
				    making->from[i], &declaration->list[i]);
	}
	return err;
}

/* One that is to go holds what it is the same as where that is. */
static int
loosen(struct making *making)
{
	struct lp_plan *plan = making->plan;
	const struct lp_declaration *declaration = making->declaration;
	size_t count = 0;

	plan->loosened = calloc(LP_CLUSTERS_MAX, sizeof(*plan->loosened));
	if (plan->loosened == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < declaration->count; i++) {
		const struct lp_declared *root = making->from[i];

		if (making->verbs[i] != LP_PLAN_SET ||
		    root->object.kind != LP_OBJECT_CLUSTER ||
		    declaration->list[i].same_as[0] == '\0')
			continue;
		for (size_t j = 0; j < plan->current.count; j++) {
			const struct lp_declared *from = &plan->current.list[j];
			struct lp_declared *to = &plan->loosened[count];
			int err;

			if (!making->gone[j] ||
			    strcmp(from->same_as, root->object.cluster.name) !=
				0)
				continue;
			*to = *from;
			memset(to->same_as, 0, sizeof(to->same_as));
			count++;
			err = put(plan, LP_PLAN_SET, from, to);
			if (err != 0)
				return err;
		}
	}
	return 0;
}

static int
put(struct lp_plan *plan, uint8_t verb, const struct lp_declared *from,
    const struct lp_declared *to)
{
	struct lp_declaration_operation *operations = &plan->operations;

	if (plan->count == plan->size) {
		size_t size = plan->size == 0 ? 64 : 2 * plan->size;
		struct lp_plan_step *steps =
		    reallocarray(plan->steps, size, sizeof(*steps));

		if (steps == NULL)
			return -ENOMEM;
		plan->steps = steps;
		plan->size = size;
	}
	plan->steps[plan->count++] =
	    (struct lp_plan_step){.from = from, .to = to, .verb = verb};
	plan->counts[verb]++;
	if (verb == LP_PLAN_ADD)
		return lp_declaration_operation_add(operations, to);
	if (verb == LP_PLAN_SET)
		return lp_declaration_operation_set(operations, to, from);
	return lp_declaration_operation_del(operations, from);
}
