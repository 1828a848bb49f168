/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_json_rules.h"

#include <stdlib.h>

json_t *
lp_output_json_rules_list(const struct lp_view *view)
{
	const struct lp_object **list;
	json_t *rules = json_array();
	size_t count;

	if (lp_view_rules(&list, &count, view) != 0) {
		json_decref(rules);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		const struct lp_rule_object *rule = &list[i]->rule;

		rules = lp_json_append(rules,
		    json_pack("{s:o, s:s, s:o, s:b, s:s, s:s, s:o}", "id",
			lp_json_integer(list[i]->id), "name", rule->name,
			"priority", lp_json_integer(rule->priority), "shadow",
			rule->shadow, "match", rule->match, "action",
			rule->action, "owner",
			lp_json_text_or_null(list[i]->owner)));
	}
	free(list);
	return rules;
}

static json_t *
rule_stats(const Lp__Pb__RuleStats *rule)
{
	json_t *what = json_pack("{s:o, s:o, s:o, s:b, s:o, s:o}", "id",
	    lp_json_integer(rule->id), "name",
	    lp_json_string_or_null(rule->name), "priority",
	    lp_json_integer(rule->priority), "shadow", rule->shadow, "match",
	    lp_json_string_or_null(rule->match), "action",
	    lp_json_string_or_null(rule->action));

	return lp_json_join(what,
	    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "connections",
		lp_json_integer(rule->connections), "requests",
		lp_json_integer(rule->requests), "request_bytes",
		lp_json_integer(rule->request_bytes), "refused",
		lp_json_integer(rule->refused), "delayed",
		lp_json_integer(rule->delayed), "delayed_ns",
		lp_json_integer(rule->delayed_ns)));
}

/* {"dataplanes": [{..., "running": 4, "rules": [...]}]} */
int
lp_output_json_rules_stats(
    const struct lp_print *print, const struct lp_rule_stats_view *view)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < view->count; i++) {
		const Lp__Pb__RuleStatsReply *stats = view->rows[i].stats;
		json_t *rules = json_array();

		for (size_t j = 0; j < stats->n_rules; j++)
			rules =
			    lp_json_append(rules, rule_stats(stats->rules[j]));
		rows = lp_json_append(rows,
		    json_pack("{s:s, s:o, s:o, s:o, s:o}", "dataplane",
			view->rows[i].dataplane, "time",
			lp_json_time(stats->time_ns), "time_ns",
			lp_json_integer(stats->time_ns), "running",
			lp_json_integer(stats->running), "rules", rules));
	}
	return lp_json_write(print, json_pack("{s:o}", "dataplanes", rows));
}
