/* SPDX-License-Identifier: Apache-2.0 */
/* Actions. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "cli/declaration_rule.h"
#include "cli/rule_compose.h"
#include "proto/nearest.h"
#include "proto/rule_words.h"

/* Beside a verdict, or without one. */
enum { BESIDE = 0 };

/* An argument as files have it, and as the language has it. */
static const struct argument {
	const char *key;
	uint8_t verdict; /* whose it is; BESIDE */
	const char *word;
	const char *unit; /* behind the value */
	const char *others; /* without which it is no action */
} arguments[] = {
    {"bytes_per_second", LP_RULE_LIMIT, "bytes", "/s", "limit"},
    {"requests_per_second", LP_RULE_LIMIT, "requests", "/s", "limit"},
    {"burst", LP_RULE_LIMIT, "burst", "", "limit bytes=1/s"},
    {"max_throttle", LP_RULE_LIMIT, "max_throttle", "", "limit bytes=1/s"},
    {"per", LP_RULE_LIMIT, "per", "", "limit bytes=1/s"},
    /* The language's own. */
    {"bytes", LP_RULE_LIMIT, "bytes", "", "limit"},
    {"requests", LP_RULE_LIMIT, "requests", "", "limit"},
    {"broker", LP_RULE_ROUTE, "broker", "", "route"},
    {"priority", BESIDE, "priority", "", "allow"},
    {"dscp", BESIDE, "dscp", "", "allow"},
    {"mirror", BESIDE, "mirror", "", "allow"},
};
enum { ARGUMENTS = sizeof(arguments) / sizeof(arguments[0]) };

static int parse_text(struct lp_rule_compose *compose,
    struct lp_rule_action *action, const struct lp_yaml_node *node);
static int compose_map(
    struct lp_rule_compose *compose, const struct lp_yaml_node *node);
static int compose_verdict(struct lp_rule_compose *compose,
    const struct lp_rule_word *verdict, const struct lp_yaml_node *node);
static int compose_argument(struct lp_rule_compose *compose,
    const struct argument *argument, const struct lp_rule_word *verdict,
    const struct lp_yaml_node *node);
static int check_argument(
    struct lp_rule_compose *compose, const struct argument *argument);
static const struct argument *find(const char *key);

int
lp_declaration_rule_action(char text[LP_RULE_ACTION_SIZE],
    const struct lp_yaml_node *node, struct lp_report *report)
{
	struct lp_rule_compose compose;
	struct lp_rule_action action;
	struct lp_rule_error error;

	memset(text, 0, LP_RULE_ACTION_SIZE);
	lp_rule_compose_init(&compose, node, "action", report);
	if (lp_yaml_is_null(node))
		return lp_rule_compose_say(&compose, &node->span, NULL, NULL,
		    "has no value: write allow, deny, reset, observe or "
		    "{limit: {...}}");
	if (node->kind == LP_YAML_LIST)
		return lp_rule_compose_say(&compose, &node->span, NULL, NULL,
		    "is one action: a word as deny, {limit: {...}}, or a text");
	if (node->kind == LP_YAML_SCALAR) {
		if (parse_text(&compose, &action, node) != 0)
			return -EINVAL;
	} else {
		if (compose_map(&compose, node) != 0)
			return -EINVAL;
		if (lp_rule_action_parse(&action, compose.text, &error) != 0)
			return lp_rule_compose_refuse(&compose, &error);
	}
	lp_rule_action_print(text, &action);
	return 0;
}

static int
parse_text(struct lp_rule_compose *compose, struct lp_rule_action *action,
    const struct lp_yaml_node *node)
{
	struct lp_rule_error error;
	struct lp_span span;

	if (lp_rule_action_parse(action, node->text, &error) == 0)
		return 0;
	span = lp_rule_compose_inside(
	    compose->report, node, error.column - 1, error.len);
	return lp_rule_compose_say(compose, &span, NULL, NULL, "%s", error.why);
}

static const struct lp_rule_word *
find_verdict(const char *key)
{
	return lp_rule_word_find(lp_rule_verdicts, key, strlen(key));
}

/* A key of the action itself. */
static int
refuse_key(struct lp_rule_compose *compose, const struct lp_yaml_node *node)
{
	const struct argument *argument = find(node->key);
	struct lp_nearest nearest;

	if (argument)
		return lp_rule_compose_say(compose, &node->key_span, NULL, NULL,
		    "%s is of %s: write {%s: {%s: ...}}", argument->key,
		    lp_rule_verdict_name(argument->verdict),
		    lp_rule_verdict_name(argument->verdict), argument->key);
	lp_nearest_init(&nearest, node->key, strlen(node->key));
	for (const struct lp_rule_word *w = lp_rule_verdicts; w->word; w++)
		lp_nearest_offer(&nearest, w->word);
	for (unsigned i = 0; i < ARGUMENTS; i++)
		if (arguments[i].verdict == BESIDE)
			lp_nearest_offer(&nearest, arguments[i].key);
	if (nearest.best)
		return lp_rule_compose_say(compose, &node->key_span, NULL, NULL,
		    "there is no %.40s: did you mean %s?", node->key,
		    nearest.best);
	return lp_rule_compose_say(compose, &node->key_span, NULL, NULL,
	    "there is no %.40s: an action is allow, deny, reset, limit, "
	    "observe, no_create or route, with priority, dscp and mirror",
	    node->key);
}

/* The verdict, wherever it is, comes first. */
static int
compose_map(struct lp_rule_compose *compose, const struct lp_yaml_node *node)
{
	const struct lp_yaml_node *given = NULL;
	const struct lp_rule_word *verdict = NULL;
	int rc = 0;

	for (const struct lp_yaml_node *c = node->children; c; c = c->next) {
		const struct argument *argument = find(c->key);

		if (find_verdict(c->key) && given)
			rc = lp_rule_compose_say(compose, &c->key_span, NULL,
			    NULL, "%s is a verdict, and so is %s: there is one",
			    c->key, given->key);
		else if (find_verdict(c->key))
			given = c;
		else if (!argument || argument->verdict != BESIDE)
			rc = refuse_key(compose, c);
	}
	if (given) {
		verdict = find_verdict(given->key);
		if (compose_verdict(compose, verdict, given) != 0)
			rc = -EINVAL;
	}
	for (const struct lp_yaml_node *c = node->children; c; c = c->next) {
		const struct argument *argument = find(c->key);

		if (argument && argument->verdict == BESIDE &&
		    compose_argument(compose, argument, NULL, c) != 0)
			rc = -EINVAL;
	}
	return rc;
}

/* A key within the map of a verdict. */
static int
refuse_argument(struct lp_rule_compose *compose,
    const struct lp_rule_word *verdict, const struct lp_yaml_node *node)
{
	const struct argument *argument = find(node->key);
	struct lp_nearest nearest;
	bool any = false;

	if (argument && argument->verdict == BESIDE)
		return lp_rule_compose_say(compose, &node->key_span,
		    verdict->word, NULL, "%s stands beside %s, not in it",
		    node->key, verdict->word);
	if (argument)
		return lp_rule_compose_say(compose, &node->key_span,
		    verdict->word, NULL, "%s has no %s: %s has", verdict->word,
		    node->key, lp_rule_verdict_name(argument->verdict));
	lp_nearest_init(&nearest, node->key, strlen(node->key));
	for (unsigned i = 0; i < ARGUMENTS; i++)
		if (arguments[i].verdict == verdict->low) {
			any = true;
			lp_nearest_offer(&nearest, arguments[i].key);
		}
	if (nearest.best)
		return lp_rule_compose_say(compose, &node->key_span,
		    verdict->word, NULL, "there is no %.40s: did you mean %s?",
		    node->key, nearest.best);
	return lp_rule_compose_say(compose, &node->key_span, verdict->word,
	    NULL, "there is no %.40s: %s has %s", node->key, verdict->word,
	    !any ? "no arguments"
		: verdict->low == LP_RULE_LIMIT
		? "bytes_per_second, requests_per_second, burst, "
		  "max_throttle and per"
		: "broker");
}

/* What it cannot do without; the language says so by its own names. */
static int
check_needed(struct lp_rule_compose *compose,
    const struct lp_rule_word *verdict, const struct lp_yaml_node *node)
{
	bool bytes =
	    lp_yaml_get(node, "bytes_per_second") || lp_yaml_get(node, "bytes");
	bool requests = lp_yaml_get(node, "requests_per_second") ||
	    lp_yaml_get(node, "requests");
	const struct lp_yaml_node *burst = lp_yaml_get(node, "burst");

	if (verdict->low == LP_RULE_LIMIT && !bytes && !requests)
		return lp_rule_compose_say(compose, &node->key_span, NULL, NULL,
		    "limit needs bytes_per_second, requests_per_second or "
		    "both");
	if (verdict->low == LP_RULE_LIMIT && !bytes && burst)
		return lp_rule_compose_say(compose, &burst->key_span,
		    verdict->word, NULL,
		    "burst is of bytes: add bytes_per_second");
	if (verdict->low == LP_RULE_ROUTE && !lp_yaml_get(node, "broker"))
		return lp_rule_compose_say(compose, &node->key_span, NULL, NULL,
		    "route needs broker, a node id");
	return 0;
}

static int
compose_verdict(struct lp_rule_compose *compose,
    const struct lp_rule_word *verdict, const struct lp_yaml_node *node)
{
	int rc = 0;

	lp_rule_compose_begin(compose, &node->key_span, NULL, NULL);
	lp_rule_compose_put(compose, verdict->word);
	lp_rule_compose_end(compose);
	if (node->kind != LP_YAML_MAP && !lp_yaml_is_null(node))
		return lp_rule_compose_say(compose, &node->span, verdict->word,
		    NULL,
		    verdict->low == LP_RULE_LIMIT
			? "is a map, {bytes_per_second: 50MB}"
			: verdict->low == LP_RULE_ROUTE
			? "is a map, {broker: 1}"
			: "has no value: write {}");
	for (const struct lp_yaml_node *c = node->children; c; c = c->next) {
		const struct argument *argument = find(c->key);

		if (!argument || argument->verdict != verdict->low)
			rc = refuse_argument(compose, verdict, c);
		else if (compose_argument(compose, argument, verdict, c) != 0)
			rc = -EINVAL;
	}
	return rc ? rc : check_needed(compose, verdict, node);
}

static int
compose_argument(struct lp_rule_compose *compose,
    const struct argument *argument, const struct lp_rule_word *verdict,
    const struct lp_yaml_node *node)
{
	const char *first = verdict ? verdict->word : argument->key;
	const char *second = verdict ? argument->key : NULL;

	if (node->kind != LP_YAML_SCALAR || lp_yaml_is_null(node) ||
	    node->text[0] == '\0')
		return lp_rule_compose_say(
		    compose, &node->span, first, second, "has one value");
	if (strpbrk(node->text, " \t\r\n"))
		return lp_rule_compose_say(compose, &node->span, first, second,
		    "has a value without blanks");
	if (strlen(node->text) > LP_RULE_TEXT_MAX)
		return lp_rule_compose_say(compose, &node->span, first, second,
		    "has a value of %d bytes at most", LP_RULE_TEXT_MAX);
	/* Keys that are there twice: that has been told. */
	if (compose->count + 2 > LP_RULE_COMPOSE_PARTS)
		return -EINVAL;
	lp_rule_compose_put(compose, compose->len > 0 ? " " : "");
	lp_rule_compose_begin(compose, &node->key_span, first, second);
	lp_rule_compose_put(compose, argument->word);
	lp_rule_compose_end(compose);
	lp_rule_compose_put(compose, "=");
	lp_rule_compose_begin(compose, &node->span, first, second);
	lp_rule_compose_put_node(compose, node);
	lp_rule_compose_put(compose, argument->unit);
	lp_rule_compose_end(compose);
	return check_argument(compose, argument);
}

/* By itself, so that each that is wrong is told. */
static int
check_argument(struct lp_rule_compose *compose, const struct argument *argument)
{
	size_t from = compose->parts[compose->count - 1].from, before;
	char text[2 * LP_NAME_SIZE + LP_RULE_TEXT_MAX];
	struct lp_rule_action action;
	struct lp_rule_error error;

	before = (size_t)snprintf(
	    text, sizeof(text), "%s %s=", argument->others, argument->word);
	snprintf(
	    text + before, sizeof(text) - before, "%s", compose->text + from);
	if (lp_rule_action_parse(&action, text, &error) == 0)
		return 0;
	if (error.column <= before)
		error.column = (uint32_t)before + 1;
	error.column += (uint32_t)from;
	error.column -= (uint32_t)before;
	return lp_rule_compose_refuse(compose, &error);
}

static const struct argument *
find(const char *key)
{
	for (unsigned i = 0; i < ARGUMENTS; i++)
		if (strcmp(arguments[i].key, key) == 0)
			return &arguments[i];
	return NULL;
}
