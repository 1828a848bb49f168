/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plan_order.h"

#include <errno.h>
#include <stdlib.h>

int
lp_plan_order(struct lp_report *report,
    const struct lp_declaration *declaration, const uint8_t *verbs,
    const struct lp_declared *const *from)
{
	/* Of each priority the youngest so far: its index and 1; 0: none. */
	uint32_t *youngest = calloc(LP_RULE_PRIORITY_MAX + 1, sizeof(uint32_t));

	if (youngest == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < declaration->count; i++) {
		const struct lp_declared *rule = &declaration->list[i], *before;
		uint32_t id = from[i] != NULL ? from[i]->object.id : UINT32_MAX;
		uint32_t *slot, before_id;
		struct lp_span span;
		size_t j;

		if (rule->object.kind != LP_OBJECT_RULE ||
		    (from[i] == NULL && verbs[i] == 0))
			continue;
		slot = &youngest[rule->object.rule.priority];
		j = *slot - 1;
		before_id = *slot == 0 ? 0
		    : from[j] != NULL  ? from[j]->object.id
				       : UINT32_MAX;
		if (id >= before_id) {
			*slot = (uint32_t)i + 1;
			continue;
		}
		if (verbs[i] == 0 && verbs[j] == 0)
			continue;
		before = &declaration->list[j];
		span = lp_declaration_place(before, "priority");
		lp_report_add(report, LP_SEVERITY_WARNING, &span,
		    "rule %s is asked behind rule %s, which is older, though "
		    "it is declared before it: of equal priorities the order "
		    "in files does not count",
		    before->object.rule.name, rule->object.rule.name);
	}
	free(youngest);
	return 0;
}
