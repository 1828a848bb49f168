/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/export_rule.h"

#include "controld/export_rows.h"

static void add_rule(struct lp_export_text *text, const char *path,
    const Lp__Pb__RuleStats *rule);

void
lp_export_rule_add(struct lp_export_text *text, const char *path,
    const Lp__Pb__RuleStatsReply *stats, bool last)
{
	const char *const values[] = {path};
	struct lp_export_row row;
	uint32_t running = stats->running;

	for (size_t i = 0; i < stats->n_rules; i++)
		add_rule(text, path, stats->rules[i]);
	/* Another generation may have come since the first frame. */
	if (!last ||
	    !lp_export_text_row(&row, text, LP_EXPORT_SET_DATAPLANE, values))
		return;
	lp_export_text_add(&row, LP_EXPORT_RULES, NULL, running);
	lp_export_text_add(&row, LP_EXPORT_RULES_LEFT_OUT, NULL,
	    running > LP_EXPORT_RULES_MAX ? running - LP_EXPORT_RULES_MAX : 0);
}

static void
add_rule(struct lp_export_text *text, const char *path,
    const Lp__Pb__RuleStats *rule)
{
	char name[LP_EXPORT_ROWS_NAME_SIZE];
	const char *const values[] = {
	    path, lp_export_rows_name(name, rule->name, rule->id)};
	struct lp_export_row row;

	if (!lp_export_text_row(&row, text, LP_EXPORT_SET_RULE, values))
		return;
	lp_export_text_add(
	    &row, LP_EXPORT_RULE_CONNECTIONS, NULL, rule->connections);
	lp_export_text_add(&row, LP_EXPORT_RULE_REQUESTS, NULL, rule->requests);
	lp_export_text_add(
	    &row, LP_EXPORT_RULE_REQUEST_BYTES, NULL, rule->request_bytes);
	lp_export_text_add(&row, LP_EXPORT_RULE_REFUSED, NULL, rule->refused);
	lp_export_text_add(&row, LP_EXPORT_RULE_DELAYED, NULL, rule->delayed);
	lp_export_text_add(&row, LP_EXPORT_RULE_DELAY, NULL, rule->delayed_ns);
}
