/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_text_rules.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cli/table.h"

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

		(void)fprintf(print->out, "%srule %s%s\n",
		    lp_table_style(LP_STYLE_TITLE, print->color), rule->name,
		    lp_table_plain(LP_STYLE_TITLE, print->color));
		(void)fprintf(print->out,
		    "    priority %" PRIu32 "%s\n    match %s\n"
		    "    action %s\n",
		    rule->priority, rule->shadow ? ", shadow" : "",
		    match_of(rule), rule->action);
	}
	free(list);
	return 0;
}
