/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/object_rule.h"

#include <errno.h>
#include <stdio.h>

static int is_canonical(const struct lp_object_rule *parsed,
    const struct lp_rule_object *rule, const char **field, char *why);
static int refuse(const char **out, const char *field, char *why,
    const struct lp_rule_error *error);

int
lp_object_rule_read(struct lp_object_rule *out,
    const struct lp_rule_object *rule, const char **field, char *why)
{
	struct lp_rule_error error;
	int rc;

	if (rule->priority > LP_RULE_PRIORITY_MAX) {
		*field = "priority";
		snprintf(why, LP_WHY_SIZE, "%u is not 0..%d", rule->priority,
		    LP_RULE_PRIORITY_MAX);
		return -EINVAL;
	}
	rc = lp_object_rule_parse(out, rule, field, why);
	if (!rc)
		rc = is_canonical(out, rule, field, why);
	if (rc)
		return rc;
	error.why[0] = '\0';
	if (lp_rule_check(&out->match, &out->action, &error) != 0)
		return refuse(
		    field, error.column == 0 ? "action" : "match", why, &error);
	memcpy(out->warning, error.why, sizeof(out->warning));
	return 0;
}

int
lp_object_rule_parse(struct lp_object_rule *out,
    const struct lp_rule_object *rule, const char **field, char *why)
{
	struct lp_rule_error error;

	out->warning[0] = '\0';
	if (lp_rule_match_parse(&out->match, rule->match, &error) != 0)
		return refuse(field, "match", why, &error);
	if (lp_rule_action_parse(&out->action, rule->action, &error) != 0)
		return refuse(field, "action", why, &error);
	return 0;
}

int
lp_object_rule_normalise(
    struct lp_rule_object *rule, const char **field, char *why)
{
	struct lp_object_rule parsed;
	int rc = lp_object_rule_parse(&parsed, rule, field, why);

	if (rc)
		return rc;
	/* Zeros behind the text: equal objects are equal in memory. */
	memset(rule->match, 0, sizeof(rule->match));
	memset(rule->action, 0, sizeof(rule->action));
	lp_rule_match_print(rule->match, &parsed.match);
	lp_rule_action_print(rule->action, &parsed.action);
	return 0;
}

int
lp_object_rule_order(
    const struct lp_object *left, const struct lp_object *right)
{
	uint32_t l = left->rule.priority, r = right->rule.priority;

	if (l != r)
		return l > r ? -1 : 1;
	return (left->id > right->id) - (left->id < right->id);
}

char *
lp_object_rule_text(char buf[2 * LP_NAME_SIZE],
    const struct lp_object_rule *rule, const struct lp_rule_value *value)
{
	snprintf(buf, 2 * LP_NAME_SIZE, "%.*s", (int)value->len,
	    rule->match.text + value->text);
	return buf;
}

/* One text for one meaning: what is stored and sent is told apart by it. */
static int
is_canonical(const struct lp_object_rule *parsed,
    const struct lp_rule_object *rule, const char **field, char *why)
{
	char match[LP_RULE_MATCH_SIZE], action[LP_RULE_ACTION_SIZE];
	const char *text = NULL;

	lp_rule_match_print(match, &parsed->match);
	lp_rule_action_print(action, &parsed->action);
	if (strcmp(match, rule->match) != 0) {
		*field = "match";
		text = match;
	} else if (strcmp(action, rule->action) != 0) {
		*field = "action";
		text = action;
	}
	if (!text)
		return 0;
	snprintf(
	    why, LP_WHY_SIZE, "is not in its canonical form: %.200s", text);
	return -EINVAL;
}

static int
refuse(const char **out, const char *field, char *why,
    const struct lp_rule_error *error)
{
	*out = field;
	if (error->column == 0)
		snprintf(why, LP_WHY_SIZE, "%s", error->why);
	else
		snprintf(why, LP_WHY_SIZE, "column %u: %.230s", error->column,
		    error->why);
	return -EINVAL;
}
