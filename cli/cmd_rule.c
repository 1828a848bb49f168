/* SPDX-License-Identifier: Apache-2.0 */
/*
 * add-rule, set-rule, del-rule.
 *
 * Match and action are read here already, so that what is wrong with them is
 * shown where it stands, and are sent in their canonical form.
 */
#include <string.h>

#include "cli/cmd.h"
#include "proto/rule.h"

/* The two texts, as far as they were given. */
struct texts {
	struct lp_rule_match match;
	struct lp_rule_action action;
};

static int rule_fields(struct lp_change *change, const struct lp_words *words,
    struct lp_error *error);
static int set_priority(
    struct lp_change *change, const char *text, struct lp_error *error);
static int check_together(const struct lp_change *change,
    const struct texts *texts, struct lp_error *error);
static int refuse_text(struct lp_error *error, const char *field,
    const char *text, const struct lp_rule_error *found);

int
lp_cmd_rule_add(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	(void)lpctl;
	if (lp_change_begin(change, LP__PB__OPERATION__VERB__ADD,
		LP_OBJECT_RULE, NULL, words->operands[0], error))
		return error->status;
	change->rule.name = change->operation.name;
	lp_change_existence(change, words);
	if (!lp_command_given(words, LP_OPTION_PRIORITY))
		return lp_error_set(error, LP_EXIT_USAGE, "needs --priority N");
	if (!lp_command_given(words, LP_OPTION_MATCH))
		return lp_error_set(error, LP_EXIT_USAGE,
		    "needs --match FIELDS (\"\" for everything)");
	if (!lp_command_given(words, LP_OPTION_ACTION))
		return lp_error_set(
		    error, LP_EXIT_USAGE, "needs --action ACTION");
	return rule_fields(change, words, error);
}

int
lp_cmd_rule_set(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	(void)lpctl;
	if (lp_change_begin(change, LP__PB__OPERATION__VERB__SET,
		LP_OBJECT_RULE, NULL, words->operands[0], error))
		return error->status;
	if (words->option_count == 0)
		return lp_change_nothing(error);
	return rule_fields(change, words, error);
}

int
lp_cmd_rule_del(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	(void)lpctl;
	lp_change_existence(change, words);
	return lp_change_begin(change, LP__PB__OPERATION__VERB__DEL,
	    LP_OBJECT_RULE, NULL, words->operands[0], error);
}

static int
one_field(struct lp_change *change, struct texts *texts, enum lp_option_id id,
    const char *value, struct lp_error *error)
{
	Lp__Pb__Rule *rule = &change->rule;
	struct lp_rule_error found = {0};

	switch (id) {
	case LP_OPTION_NAME:
		rule->name = (char *)value;
		return lp_change_check_size(error, "name", value, LP_NAME_SIZE);
	case LP_OPTION_PRIORITY:
		return set_priority(change, value, error);
	case LP_OPTION_MATCH:
		if (lp_rule_match_parse(&texts->match, value, &found) != 0)
			return refuse_text(error, "match", value, &found);
		rule->match = lp_rule_match_print(change->match, &texts->match);
		break;
	case LP_OPTION_ACTION:
		if (lp_rule_action_parse(&texts->action, value, &found) != 0)
			return refuse_text(error, "action", value, &found);
		rule->action =
		    lp_rule_action_print(change->action, &texts->action);
		break;
	case LP_OPTION_SHADOW:
		rule->has_shadow = true;
		rule->shadow = value == NULL || strcmp(value, "on") == 0;
		break;
	default:
		break;
	}
	return LP_EXIT_OK;
}

static int
rule_fields(struct lp_change *change, const struct lp_words *words,
    struct lp_error *error)
{
	struct texts texts;

	for (unsigned i = 0; i < words->option_count; i++)
		if (one_field(change, &texts, words->options[i].id,
			words->options[i].value, error))
			return error->status;
	return check_together(change, &texts, error);
}

static int
set_priority(struct lp_change *change, const char *text, struct lp_error *error)
{
	uint32_t priority = 0;

	if (lp_command_number(&priority, text, 0, LP_RULE_PRIORITY_MAX) != 0)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "priority: \"%s\" is no priority, which is a number from "
		    "0 to %d",
		    text, LP_RULE_PRIORITY_MAX);
	change->rule.has_priority = true;
	change->rule.priority = priority;
	return LP_EXIT_OK;
}

/* Of a set with one of them lp-controld has the other. */
static int
check_together(const struct lp_change *change, const struct texts *texts,
    struct lp_error *error)
{
	struct lp_rule_error found = {0};

	if (change->rule.match == NULL || change->rule.action == NULL ||
	    lp_rule_check(&texts->match, &texts->action, &found) == 0)
		return LP_EXIT_OK;
	return found.column == 0
	    ? lp_change_refuse(error, "action", found.why)
	    : refuse_text(error, "match", change->match, &found);
}

static int
refuse_text(struct lp_error *error, const char *field, const char *text,
    const struct lp_rule_error *found)
{
	(void)lp_change_refuse(error, field, found->why);
	lp_error_show(error, text, found->column, found->len);
	return error->status;
}
