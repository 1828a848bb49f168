/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/declaration_load.h"

#include "cli/declaration_rule.h"

static void set_match(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *to);
static void set_action(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *to);

static const struct lp_declaration_field fields[] = {
    {
	.key = "name",
	.type = LP_DECLARATION_TEXT,
	.why = "the name that the rule is known by",
	LP_DECLARATION_AT(object.rule.name),
    },
    {
	.key = "priority",
	.type = LP_DECLARATION_NUMBER,
	.max = LP_RULE_PRIORITY_MAX,
	.why = "of all rules the highest is asked first",
	LP_DECLARATION_AT(object.rule.priority),
    },
    {
	.key = "shadow",
	.type = LP_DECLARATION_BOOL,
	LP_DECLARATION_AT(object.rule.shadow),
    },
    {
	.key = "match",
	.type = LP_DECLARATION_OTHER,
	.kinds = 1 << LP_YAML_SCALAR | 1 << LP_YAML_MAP,
	.needed = "a map of fields, or their text,",
	.why = "what the rule holds for; {} is everything",
	.set = set_match,
    },
    {
	.key = "action",
	.type = LP_DECLARATION_OTHER,
	.kinds = 1 << LP_YAML_SCALAR | 1 << LP_YAML_MAP,
	.needed = "a word, a text or a map",
	.why = "what becomes of what the rule holds for",
	.set = set_action,
    },
    LP_DECLARATION_OWNER,
    {0},
};

void
lp_declaration_load_rule(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *map, struct lp_declared *declared)
{
	lp_declaration_field_read(reading, map, "a rule", fields, declared);
	/* Both as they are; else there is nothing to compare. */
	if (!reading->failed &&
	    lp_declaration_rule_check(&declared->object.rule,
		lp_yaml_get(map, "match"), lp_yaml_get(map, "action"),
		reading->report) != 0)
		reading->failed = true;
}

static void
set_match(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *to)
{
	struct lp_declared *declared = to;

	if (lp_declaration_rule_match(
		declared->object.rule.match, node, reading->report) != 0)
		reading->failed = true;
}

static void
set_action(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *to)
{
	struct lp_declared *declared = to;

	if (lp_declaration_rule_action(
		declared->object.rule.action, node, reading->report) != 0)
		reading->failed = true;
}
