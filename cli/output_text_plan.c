/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	~ rule batch: priority 100 -> 200
 *	+ rule scan: priority 900, match src=10.66.0.0/16, action reset
 *	- rule old
 *	1 to add, 1 to change, 1 to delete, 12 as declared
 */
#include "cli/output_text_plan.h"

#include <inttypes.h>

#include "cli/declaration_names.h"
#include "cli/plan_field.h"
#include "cli/table.h"

struct line {
	FILE *out;
	uint8_t verb; /* enum lp_plan_verb */
	bool is_block; /* a line for each field */
	size_t count; /* of fields */
};

static void show_step(
    const struct lp_print *print, const struct lp_plan_step *step);
static void show_counts(
    const struct lp_print *print, const struct lp_plan_view *view);
static void show_result(
    const struct lp_print *print, const struct lp_plan_view *view);

int
lp_output_text_plan(
    const struct lp_print *print, const struct lp_plan_view *view)
{
	const struct lp_plan *plan = view->plan;
	size_t count = plan->count;

	if (view->reply != NULL) {
		show_result(print, view);
		return 0;
	}
	if (view->is_apply && count > LP_PLAN_STEPS_SHOWN)
		count = LP_PLAN_STEPS_SHOWN;
	for (size_t i = 0; i < count; i++)
		show_step(print, &plan->steps[i]);
	if (count < plan->count)
		(void)fprintf(print->out,
		    "... and %zu more, which \"lpctl diff\" shows\n",
		    plan->count - count);
	show_counts(print, view);
	/* What comes next may take a while. */
	(void)fflush(print->out);
	return 0;
}

static void
count_field(void *arg, const struct lp_plan_field *field)
{
	struct line *line = arg;

	(void)field;
	line->count++;
}

static const char *
or_none(const char *text)
{
	return text[0] != '\0' ? text : "none";
}

static void
show_field(void *arg, const struct lp_plan_field *field)
{
	struct line *line = arg;
	const char *before = line->is_block ? "\n    "
	    : line->count > 0               ? ", "
					    : ": ";

	(void)fprintf(line->out, "%s%s ", before, field->name);
	if (line->verb == LP_PLAN_SET)
		(void)fprintf(line->out, "%s -> ", or_none(field->old_text));
	(void)fputs(or_none(field->new_text), line->out);
	line->count++;
}

static void
show_step(const struct lp_print *print, const struct lp_plan_step *step)
{
	static const struct {
		char sign;
		enum lp_style style;
	} verbs[LP_PLAN_VERBS] = {
	    [LP_PLAN_ADD] = {'+', LP_STYLE_GOOD},
	    [LP_PLAN_SET] = {'~', LP_STYLE_WARN},
	    [LP_PLAN_DEL] = {'-', LP_STYLE_BAD},
	};
	struct line line = {.out = print->out, .verb = step->verb};
	char label[LP_OBJECT_LABEL_SIZE];

	(void)fprintf(print->out, "%s%c %s%s",
	    lp_table_style(verbs[step->verb].style, print->color),
	    verbs[step->verb].sign,
	    lp_declaration_names_label(
		label, step->to != NULL ? step->to : step->from),
	    lp_table_plain(verbs[step->verb].style, print->color));
	if (step->verb == LP_PLAN_SET) {
		lp_plan_field_each(step->from, step->to, count_field, &line);
		line.is_block = line.count > 1;
		line.count = 0;
	}
	if (step->to != NULL)
		lp_plan_field_each(step->from, step->to, show_field, &line);
	(void)fputc('\n', print->out);
}

static void
show_counts(const struct lp_print *print, const struct lp_plan_view *view)
{
	const struct lp_plan *plan = view->plan;

	if (plan->count == 0)
		(void)fprintf(print->out,
		    "no changes: generation %" PRIu64 " is as declared\n",
		    view->generation);
	else
		(void)fprintf(print->out,
		    "%zu to add, %zu to change, %zu to delete, %zu as "
		    "declared%s\n",
		    plan->counts[LP_PLAN_ADD], plan->counts[LP_PLAN_SET],
		    plan->counts[LP_PLAN_DEL], plan->unchanged,
		    view->is_dry ? "; dry run: nothing was sent" : "");
}

static void
show_result(const struct lp_print *print, const struct lp_plan_view *view)
{
	const Lp__Pb__TransactionReply *reply = view->reply;

	(void)fprintf(
	    print->out, "generation %" PRIu64 ": ", reply->generation);
	if (reply->connected == 0)
		(void)fputs("stored\n", print->out);
	else
		(void)fprintf(print->out, "%sapplied by %u of %u dataplane%s\n",
		    reply->applied < reply->connected ? "stored; " : "",
		    reply->applied, reply->connected,
		    reply->connected == 1 ? "" : "s");
	if (view->confirm_s > 0)
		(void)fprintf(print->out,
		    "It is rolled back in %u s, unless it is confirmed: lpctl "
		    "confirm %" PRIu64 "\n",
		    view->confirm_s, reply->generation);
}
