/* SPDX-License-Identifier: Apache-2.0 */
/* Matches, and whether a match and an action go together. */
#include "cli/declaration_rule.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "cli/rule_compose.h"
#include "cli/rule_scan.h"
#include "proto/nearest.h"

static int compose_field(
    struct lp_rule_compose *compose, const struct lp_yaml_node *field);
static int compose_value(struct lp_rule_compose *compose, unsigned field,
    const struct lp_yaml_node *node);
static int check_values(struct lp_rule_compose *compose);
static int check_value(
    struct lp_rule_compose *compose, const struct lp_rule_compose_part *part);
static int put_quoted(struct lp_rule_compose *compose, unsigned field,
    const struct lp_yaml_node *node);
static void put_text(
    struct lp_rule_compose *compose, const struct lp_yaml_node *node);
static struct lp_span place_of(const struct lp_report *report,
    const struct lp_rule_object *rule, const struct lp_yaml_node *match,
    const struct lp_rule_error *error);

int
lp_declaration_rule_match(char text[LP_RULE_MATCH_SIZE],
    const struct lp_yaml_node *node, struct lp_report *report)
{
	struct lp_rule_compose compose;
	struct lp_rule_match match;
	struct lp_rule_error error;
	int rc = 0;

	memset(text, 0, LP_RULE_MATCH_SIZE);
	lp_rule_compose_init(&compose, node, "match", report);
	if (lp_yaml_is_null(node))
		return lp_rule_compose_say(&compose, &node->span, NULL, NULL,
		    "has no value: write {} for everything");
	if (node->kind == LP_YAML_LIST)
		return lp_rule_compose_say(&compose, &node->span, NULL, NULL,
		    "is a map of fields, {client_id: batch-*, api: Produce}, "
		    "or a text");
	if (node->kind == LP_YAML_SCALAR) {
		struct lp_span span;

		if (lp_rule_match_parse(&match, node->text, &error) == 0) {
			lp_rule_match_print(text, &match);
			return 0;
		}
		span = lp_rule_compose_inside(
		    report, node, error.column - 1, error.len);
		return lp_rule_compose_say(
		    &compose, &span, NULL, NULL, "%s", error.why);
	}
	for (const struct lp_yaml_node *field = node->children; field;
	     field = field->next)
		if (compose_field(&compose, field) != 0)
			rc = -EINVAL;
	if (!rc && lp_rule_match_parse(&match, compose.text, &error) == 0) {
		lp_rule_match_print(text, &match);
		return 0;
	}
	if (check_values(&compose) != 0 || rc)
		return -EINVAL;
	return lp_rule_compose_refuse(&compose, &error);
}

int
lp_declaration_rule_check(const struct lp_rule_object *rule,
    const struct lp_yaml_node *match, const struct lp_yaml_node *action,
    struct lp_report *report)
{
	struct lp_rule_match parsed;
	struct lp_rule_action done;
	struct lp_rule_error error = {0};
	struct lp_span span = match->span;
	int rc;

	if (lp_rule_match_parse(&parsed, rule->match, &error) != 0 ||
	    lp_rule_action_parse(&done, rule->action, &error) != 0)
		return -EINVAL;
	error = (struct lp_rule_error){0};
	rc = lp_rule_check(&parsed, &done, &error);
	if (rc && error.column == 0)
		span = action->kind == LP_YAML_MAP && action->children
		    ? action->children->key_span
		    : action->span;
	else if (rc)
		span = place_of(report, rule, match, &error);
	if (rc)
		lp_report_add(report, LP_SEVERITY_ERROR, &span, "%s: %s",
		    error.column == 0 ? "action" : "match", error.why);
	else if (error.why[0] != '\0')
		lp_report_add(
		    report, LP_SEVERITY_WARNING, &span, "match: %s", error.why);
	return rc;
}

/* ---- maps --------------------------------------------------------------- */

static int
refuse_field(struct lp_rule_compose *compose, const struct lp_yaml_node *node)
{
	char names[LP_RULE_HINT_SIZE];
	struct lp_nearest nearest;
	size_t used = 0;

	lp_nearest_init(&nearest, node->key, strlen(node->key));
	for (unsigned i = 0; i < LP_RULE_FIELD_COUNT; i++) {
		const char *name = lp_rule_field_name(i);

		used += (size_t)snprintf(names + used, sizeof(names) - used,
		    "%s%s", i > 0 ? ", " : "", name);
		assert(used < sizeof(names));
		lp_nearest_offer(&nearest, name);
	}
	if (nearest.best)
		return lp_rule_compose_say(compose, &node->key_span, NULL, NULL,
		    "there is no field %.40s: did you mean %s?", node->key,
		    nearest.best);
	return lp_rule_compose_say(compose, &node->key_span, NULL, NULL,
	    "there is no field %.40s: there are %s", node->key, names);
}

static int
compose_field(struct lp_rule_compose *compose, const struct lp_yaml_node *field)
{
	unsigned which = lp_rule_field_find(field->key, strlen(field->key));
	const struct lp_yaml_node *value;
	const char *name = lp_rule_field_name(which);
	int rc = 0;

	if (which == LP_RULE_FIELD_COUNT)
		return refuse_field(compose, field);
	/* Keys that are there twice: that has been told. */
	if (compose->count - compose->values == LP_RULE_FIELD_COUNT)
		return -EINVAL;
	if (field->kind == LP_YAML_MAP)
		return lp_rule_compose_say(compose, &field->span, name, NULL,
		    "is a value, or a list of them");
	if (field->kind == LP_YAML_LIST && !field->children)
		return lp_rule_compose_say(compose, &field->span, name, NULL,
		    "has no value: leave it out");
	lp_rule_compose_put(compose, compose->len > 0 ? " " : "");
	lp_rule_compose_begin(compose, &field->key_span, name, NULL);
	lp_rule_compose_put(compose, name);
	lp_rule_compose_end(compose);
	lp_rule_compose_put(compose, "=");
	value = field->kind == LP_YAML_LIST ? field->children : field;
	while (value) {
		int err = compose_value(compose, which, value);

		/* One is told of them, and of each other one. */
		rc = rc ? rc : err;
		value = field->kind == LP_YAML_LIST ? value->next : NULL;
		if (err == -ENOSPC)
			break;
		if (value)
			lp_rule_compose_put(compose, ",");
	}
	return rc;
}

/* Values of other kinds than texts have none of these. */
static int
check_plain(struct lp_rule_compose *compose, unsigned field,
    const struct lp_yaml_node *node)
{
	const char *name = lp_rule_field_name(field);
	const char *text = node->text;

	if (text[0] == '\0')
		return lp_rule_compose_say(
		    compose, &node->span, name, NULL, "the value is empty");
	if (strpbrk(text, ", \t\r\n"))
		return lp_rule_compose_say(compose, &node->span, name, NULL,
		    "is one value, without blanks and commas: several are a "
		    "list, [A, B]");
	if (text[0] == '"')
		return lp_rule_compose_say(compose, &node->span, name, NULL,
		    "its values have no quotes");
	return 0;
}

static int
compose_value(struct lp_rule_compose *compose, unsigned field,
    const struct lp_yaml_node *node)
{
	const char *name = lp_rule_field_name(field);
	enum lp_rule_kind kind = lp_rule_field_kind(field);
	int rc = 0;

	if (node->kind != LP_YAML_SCALAR)
		return lp_rule_compose_say(compose, &node->span, name, NULL,
		    "is a value, or a list of them");
	if (lp_yaml_is_null(node))
		return lp_rule_compose_say(compose, &node->span, name, NULL,
		    "has no value: write \"\" for an empty text");
	/* Twice as long where each byte is behind a \. */
	if (strlen(node->text) > LP_RULE_COMPOSE_VALUE_MAX - 3)
		return lp_rule_compose_say(compose, &node->span, name, NULL,
		    "the value is longer than %d bytes", LP_RULE_TEXT_MAX);
	if (compose->values == LP_RULE_VALUES_MAX) {
		(void)lp_rule_compose_say(compose, &node->span, name, NULL,
		    "a rule has no more than %d values", LP_RULE_VALUES_MAX);
		return -ENOSPC;
	}
	if (kind != LP_RULE_KIND_TEXT)
		rc = check_plain(compose, field, node);
	if (rc)
		return rc;
	compose->values++;
	lp_rule_compose_begin(compose, &node->span, name, NULL);
	if (kind != LP_RULE_KIND_TEXT)
		lp_rule_compose_put_node(compose, node);
	else if (node->text[0] == '"')
		rc = put_quoted(compose, field, node);
	else if (strlen(node->text) > LP_RULE_TEXT_MAX + 1)
		rc = lp_rule_compose_say(compose, &node->span, name, NULL,
		    "the value is longer than %d bytes", LP_RULE_TEXT_MAX);
	else
		put_text(compose, node);
	lp_rule_compose_end(compose);
	return rc;
}

/*
 * Of a match that is none: each value by itself, so that each that is wrong is
 * told.  Those that were refused are not in it.
 */
static int
check_values(struct lp_rule_compose *compose)
{
	int rc = 0;

	for (size_t i = 0; i < compose->count; i++) {
		const struct lp_rule_compose_part *part = &compose->parts[i];
		/* Names of fields are at the beginning, or behind a blank. */
		bool is_value = part->from > 0 &&
		    strchr("=,", compose->text[part->from - 1]);

		if (is_value && part->to > part->from &&
		    check_value(compose, part) != 0)
			rc = -EINVAL;
	}
	return rc;
}

static int
check_value(
    struct lp_rule_compose *compose, const struct lp_rule_compose_part *part)
{
	const char *name = part->first;
	size_t before = strlen(name) + 1;
	size_t from = part->from;
	char text[LP_NAME_SIZE + LP_RULE_COMPOSE_VALUE_MAX];
	struct lp_rule_match match;
	struct lp_rule_error error;

	snprintf(text, sizeof(text), "%s=%.*s", name, (int)(part->to - from),
	    compose->text + from);
	if (lp_rule_match_parse(&match, text, &error) == 0)
		return 0;
	if (error.column <= before)
		error.column = (uint32_t)before + 1;
	error.column += (uint32_t)from;
	error.column -= (uint32_t)before;
	return lp_rule_compose_refuse(compose, &error);
}

/* In quotes of the language: one value, and nothing behind it. */
static int
put_quoted(struct lp_rule_compose *compose, unsigned field,
    const struct lp_yaml_node *node)
{
	struct lp_rule_error error;
	struct lp_rule_piece piece;
	const char *at = node->text;
	struct lp_span span;

	if (lp_rule_piece_read(&piece, &at, node->text, &error) == 0) {
		if (*at == '\0') {
			lp_rule_compose_put_node(compose, node);
			return 0;
		}
		lp_rule_refuse(&error, node->text, at, 1,
		    "a value that begins with a \" ends with one: several "
		    "values are a list, [A, B]");
	}
	span = lp_rule_compose_inside(
	    compose->report, node, error.column - 1, error.len);
	return lp_rule_compose_say(
	    compose, &span, lp_rule_field_name(field), NULL, "%s", error.why);
}

/* As it is, in quotes only where the language would read something else. */
static void
put_text(struct lp_rule_compose *compose, const struct lp_yaml_node *node)
{
	const char *text = node->text;
	size_t len = strlen(text);
	bool prefix = len > 0 && text[len - 1] == '*';
	char quoted[LP_RULE_COMPOSE_VALUE_MAX + 1], *to = quoted;

	len -= prefix;
	if (strcspn(text, " ,\"*\t\r\n") >= len && (len > 0 || prefix)) {
		lp_rule_compose_put_node(compose, node);
		return;
	}
	*to++ = '"';
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			*to++ = '\\';
		*to++ = text[i];
	}
	*to++ = '"';
	if (prefix)
		*to++ = '*';
	*to = '\0';
	lp_rule_compose_put(compose, quoted);
}

/* ---- what is of the whole ------------------------------------------------ */

/* Of the canonical text, in the file. */
static struct lp_span
place_of(const struct lp_report *report, const struct lp_rule_object *rule,
    const struct lp_yaml_node *match, const struct lp_rule_error *error)
{
	struct lp_rule_scan scan, found = {.value = -1};
	const struct lp_yaml_node *node;

	lp_rule_scan_init(&scan, rule->match);
	while (lp_rule_scan_next(&scan) && scan.from < error->column)
		found = scan;
	if (match->kind == LP_YAML_SCALAR) {
		lp_rule_scan_init(&scan, match->text);
		while (lp_rule_scan_next(&scan))
			if (scan.field == found.field &&
			    scan.value == found.value)
				return lp_rule_compose_inside(
				    report, match, scan.from, scan.len);
		return match->span;
	}
	node = lp_yaml_get(match, lp_rule_field_name(found.field));
	if (!node)
		return match->span;
	if (found.value < 0)
		return node->key_span;
	if (node->kind != LP_YAML_LIST)
		return node->span;
	node = node->children;
	for (int i = 0; i < found.value && node->next; i++)
		node = node->next;
	return node->span;
}
