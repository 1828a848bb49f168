/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_text_rules.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cli/output_text_part.h"
#include "cli/table.h"
#include "cli/units.h"

/* An empty text would look as if something were missing. */
static const char *
match_of(const struct lp_rule_object *rule)
{
	return rule->match[0] != '\0' ? rule->match : "(everything)";
}

int
lp_output_text_rules_list(
    const struct lp_print *print, const struct lp_view *view)
{
	static const struct lp_column columns[] = {{"PRIORITY", true},
	    {"RULE", false}, {"SHADOW", false}, {"ACTION", false},
	    {"MATCH", false}};
	const struct lp_object **list;
	struct lp_table table;
	size_t count;
	int err = lp_view_rules(&list, &count, view);

	if (err != 0)
		return err;
	lp_table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < count; i++) {
		const struct lp_rule_object *rule = &list[i]->rule;

		lp_table_add(
		    &table, LP_STYLE_PLAIN, "%" PRIu32, rule->priority);
		lp_table_add(&table, LP_STYLE_PLAIN, "%s", rule->name);
		lp_table_add(
		    &table, LP_STYLE_PLAIN, "%s", rule->shadow ? "on" : "off");
		lp_table_add(&table, LP_STYLE_PLAIN, "%s", rule->action);
		lp_table_add(&table, LP_STYLE_PLAIN, "%s", match_of(rule));
	}
	free(list);
	return lp_table_write(&table, print->out, print->color);
}

int
lp_output_text_rules_show(
    const struct lp_print *print, const struct lp_view *view)
{
	const struct lp_object **list;
	size_t count;
	int err = lp_view_rules(&list, &count, view);

	if (err != 0)
		return err;
	for (size_t i = 0; i < count; i++) {
		const struct lp_rule_object *rule = &list[i]->rule;

		lp_output_text_part_title(print, "rule", rule->name);
		(void)fprintf(print->out,
		    "    priority %" PRIu32 "%s\n    match %s\n"
		    "    action %s\n",
		    rule->priority, rule->shadow ? ", shadow" : "",
		    match_of(rule), rule->action);
		lp_output_text_part_owner(print, list[i], false);
	}
	free(list);
	return 0;
}

static void
stats_row(struct lp_table *table, const Lp__Pb__RuleStats *rule)
{
	char bytes[LP_UNITS_SIZE];

	/* What the configuration there knows no more has an id. */
	if (rule->name != NULL)
		lp_table_add(table, LP_STYLE_PLAIN, "%s", rule->name);
	else
		lp_table_add(table, LP_STYLE_PLAIN, "#%" PRIu32, rule->id);
	lp_table_add(table, LP_STYLE_PLAIN, "%" PRIu32, rule->priority);
	lp_table_add(table, LP_STYLE_PLAIN, "%s", rule->shadow ? "on" : "off");
	lp_table_add(
	    table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(rule->action));
	lp_table_add(table, LP_STYLE_PLAIN, "%" PRIu64, rule->connections);
	lp_table_add(table, LP_STYLE_PLAIN, "%" PRIu64, rule->requests);
	lp_table_add(table, LP_STYLE_PLAIN, "%s",
	    lp_units_bytes(bytes, rule->request_bytes));
	lp_table_add(table, LP_STYLE_PLAIN, "%" PRIu64, rule->refused);
	lp_table_add(table, LP_STYLE_PLAIN, "%" PRIu64, rule->delayed);
	lp_table_add(table, LP_STYLE_PLAIN, "%s",
	    rule->delayed > 0
		? lp_units_time(bytes, rule->delayed_ns / rule->delayed)
		: "-");
}

/* Why the table is shorter than some may think. */
static void
write_rest(const struct lp_print *print, const struct lp_rule_stats_view *view,
    const Lp__Pb__RuleStatsReply *stats)
{
	if (view->named > stats->n_rules)
		(void)fprintf(print->out,
		    "%zu of the %zu rules named do not run there\n",
		    view->named - stats->n_rules, view->named);
	else if (view->named == 0 && !print->all)
		(void)fprintf(print->out,
		    "%zu of %" PRIu32 " rules have matched\n", stats->n_rules,
		    stats->running);
}

int
lp_output_text_rules_stats(
    const struct lp_print *print, const struct lp_rule_stats_view *view)
{
	static const struct lp_column columns[] = {{"RULE", false},
	    {"PRIORITY", true}, {"SHADOW", false}, {"ACTION", false},
	    {"CONNECTIONS", true}, {"REQUESTS", true}, {"BYTES", true},
	    {"REFUSED", true}, {"DELAYED", true}, {"MEAN", true}};
	int err = 0;

	lp_output_text_part_round(print);
	for (size_t i = 0; i < view->count && err == 0; i++) {
		const Lp__Pb__RuleStatsReply *stats = view->rows[i].stats;
		struct lp_table table;

		lp_output_text_part_title(
		    print, "dataplane", view->rows[i].dataplane);
		lp_table_init(
		    &table, columns, sizeof(columns) / sizeof(columns[0]));
		for (size_t j = 0; j < stats->n_rules; j++)
			stats_row(&table, stats->rules[j]);
		err = lp_table_write(&table, print->out, print->color);
		write_rest(print, view, stats);
		lp_output_text_part_end(print, i + 1 == view->count);
	}
	return err;
}
