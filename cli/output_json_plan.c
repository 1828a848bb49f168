/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_json_plan.h"

#include "cli/plan_field.h"

static json_t *make_steps(const struct lp_plan_view *view);
static json_t *make_step(
    const struct lp_plan_view *view, const struct lp_plan_step *step);
static json_t *make_place(
    const struct lp_plan_view *view, const struct lp_declared *declared);
static json_t *make_result(const struct lp_plan_view *view);

int
lp_output_json_plan(
    const struct lp_print *print, const struct lp_plan_view *view)
{
	const struct lp_plan *plan = view->plan;
	bool is_sent = view->is_apply && !view->is_dry && plan->count > 0;
	json_t *made;

	if (is_sent && view->reply == NULL)
		return 0;
	made = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "base_generation",
	    lp_json_integer(view->generation), "add",
	    lp_json_integer(plan->counts[LP_PLAN_ADD]), "set",
	    lp_json_integer(plan->counts[LP_PLAN_SET]), "delete",
	    lp_json_integer(plan->counts[LP_PLAN_DEL]), "as_declared",
	    lp_json_integer(plan->unchanged), "changes", make_steps(view));
	return lp_json_write(print,
	    view->is_apply ? lp_json_join(made, make_result(view)) : made);
}

static json_t *
make_steps(const struct lp_plan_view *view)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->plan->count; i++)
		list = lp_json_append(
		    list, make_step(view, &view->plan->steps[i]));
	return list;
}

struct fields {
	json_t *list; /* NULL: no memory */
	bool is_new;
};

static void
add_field(void *arg, const struct lp_plan_field *field)
{
	struct fields *fields = arg;

	fields->list = lp_json_append(fields->list,
	    json_pack("{s:s, s:o, s:o}", "field", field->name, "old",
		lp_json_text_or_null(fields->is_new ? "" : field->old_text),
		"new", lp_json_text_or_null(field->new_text)));
}

/* Of what it is known by: null where its kind has none of it. */
static json_t *
make_step(const struct lp_plan_view *view, const struct lp_plan_step *step)
{
	static const char *const verbs[LP_PLAN_VERBS] = {
	    [LP_PLAN_ADD] = "add",
	    [LP_PLAN_SET] = "set",
	    [LP_PLAN_DEL] = "delete",
	};
	const struct lp_declared *of = step->to != NULL ? step->to : step->from;
	const struct lp_object *object = &of->object;
	bool is_broker = object->kind == LP_OBJECT_BROKER;
	struct fields fields = {json_array(), step->verb == LP_PLAN_ADD};
	const char *name = NULL;

	if (object->kind == LP_OBJECT_PORT)
		name = object->port.name;
	else if (object->kind == LP_OBJECT_CLUSTER)
		name = object->cluster.name;
	else if (object->kind == LP_OBJECT_LISTENER)
		name = object->listener.name;
	else if (object->kind == LP_OBJECT_RULE)
		name = object->rule.name;
	if (step->to != NULL)
		lp_plan_field_each(step->from, step->to, add_field, &fields);
	return json_pack("{s:s, s:s, s:o, s:s?, s:o, s:o, s:o, s:o}", "change",
	    verbs[step->verb], "kind", lp_object_kind_name(object->kind),
	    "cluster", lp_json_text_or_null(of->cluster), "name", name,
	    "node_id",
	    lp_json_number_or_null(
		is_broker, is_broker ? object->broker.node_id : 0),
	    "owner", lp_json_text_or_null(object->owner), "place",
	    make_place(view, of), "fields", fields.list);
}

static json_t *
make_place(const struct lp_plan_view *view, const struct lp_declared *declared)
{
	struct lp_span span;
	uint32_t line, column;

	if (declared->node == NULL)
		return json_null();
	span = lp_declaration_place(declared, "name");
	lp_report_locate(view->report, &span, &line, &column);
	return json_pack("{s:s, s:o, s:o}", "file",
	    lp_report_name(view->report, span.file), "line",
	    lp_json_integer(line), "column", lp_json_integer(column));
}

static json_t *
make_result(const struct lp_plan_view *view)
{
	const Lp__Pb__TransactionReply *reply = view->reply;
	json_t *notes = json_array();

	for (size_t i = 0; reply != NULL && i < reply->n_notes; i++)
		notes = lp_json_append(notes, json_string(reply->notes[i]));
	return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o}", "dry_run",
	    view->is_dry, "generation",
	    reply != NULL ? lp_json_integer(reply->generation) : json_null(),
	    "applied",
	    lp_json_number_or_null(
		reply != NULL, reply != NULL ? reply->applied : 0),
	    "connected",
	    lp_json_number_or_null(
		reply != NULL, reply != NULL ? reply->connected : 0),
	    "confirm_s",
	    lp_json_number_or_null(
		reply != NULL && view->confirm_s > 0, view->confirm_s),
	    "notes", notes);
}
