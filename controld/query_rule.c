/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/query_rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controld/suggest.h"
#include "proto/nearest.h"

static void find_ids(uint32_t ids[LP_RULES_ASKED_MAX],
    const Lp__Pb__RuleCountersRequest *wanted, const struct lp_config *config);
static int refuse_unknown(
    const struct lp_config *config, const char *name, char why[LP_WHY_SIZE]);

int
lp_query_rule_take(struct lp_query_rules *out,
    const Lp__Pb__ControlRequest *request, const struct lp_config *config,
    char why[LP_WHY_SIZE])
{
	Lp__Pb__RuleCountersRequest wanted =
	    LP__PB__RULE_COUNTERS_REQUEST__INIT;

	if (request->body_case == LP__PB__CONTROL_REQUEST__BODY_RULES)
		return lp_query_rule_ids(out, request->rules, config, why);
	if (request->body_case != LP__PB__CONTROL_REQUEST__BODY_DENIALS)
		return 0;
	wanted.n_rules = request->denials->n_rules;
	wanted.rules = request->denials->rules;
	return lp_query_rule_ids(out, &wanted, config, why);
}

int
lp_query_rule_ids(struct lp_query_rules *out,
    const Lp__Pb__RuleCountersRequest *wanted, const struct lp_config *config,
    char why[LP_WHY_SIZE])
{
	Lp__Pb__RuleStatsRequest *request = &out->request;

	lp__pb__rule_stats_request__init(request);
	if (wanted->n_rules > LP_RULES_ASKED_MAX) {
		snprintf(why, LP_WHY_SIZE,
		    "one question names %d rules at most, not %zu",
		    LP_RULES_ASKED_MAX, wanted->n_rules);
		return -EINVAL;
	}
	find_ids(out->ids, wanted, config);
	for (size_t i = 0; i < wanted->n_rules; i++)
		if (out->ids[i] == 0)
			return refuse_unknown(config, wanted->rules[i], why);
	request->n_ids = wanted->n_rules;
	request->ids = out->ids;
	request->has_all = wanted->has_all;
	request->all = wanted->all;
	request->has_limit = wanted->has_limit;
	request->limit = wanted->limit;
	return 0;
}

/* In one pass, as there may be very many rules; 0: there is none. */
static void
find_ids(uint32_t ids[LP_RULES_ASKED_MAX],
    const Lp__Pb__RuleCountersRequest *wanted, const struct lp_config *config)
{
	size_t first = 0;
	size_t count = wanted->n_rules == 0
	    ? 0
	    : lp_config_range(config, LP_OBJECT_RULE, &first);

	memset(ids, 0, LP_RULES_ASKED_MAX * sizeof(*ids));
	for (size_t i = 0; i < count; i++) {
		const struct lp_object *rule = &config->objects[first + i];

		for (size_t j = 0; j < wanted->n_rules; j++)
			if (strcmp(wanted->rules[j], rule->rule.name) == 0)
				ids[j] = rule->id;
	}
}

static int
refuse_unknown(
    const struct lp_config *config, const char *name, char why[LP_WHY_SIZE])
{
	const char *near = lp_suggest_name(config, LP_OBJECT_RULE, 0, name);
	char hint[LP_NEAREST_HINT_SIZE];

	snprintf(why, LP_WHY_SIZE, "there is no rule %.63s%s", name,
	    lp_nearest_hint(hint, near));
	return -EINVAL;
}
