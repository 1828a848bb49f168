/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of lp_config_check() that is about rules.
 *
 * Limits.  There may be a hundred thousand: each is read once, and again only
 * if it has changed, or what it may name has; names are
 * compared through a table of hashes on the stack, and what is looked up for
 * a rule (clusters, listeners, ports) is bounded by limits of their own.
 */
#include "proto/config_check.h"

#include <assert.h>
#include <stdio.h>

#include <xxhash.h>

#include "proto/nearest.h"
#include "proto/object_rule.h"

enum {
	/* A power of two, twice as many as rules at least. */
	NAMES_SIZE = 1 << 18,
	NAMES_SIZE_MIN = 1 << 6,
};
static_assert(NAMES_SIZE >= 2 * LP_RULES_MAX, "the table stays half empty");

/* Listeners that have not said what becomes of what cannot be judged. */
struct unsaid {
	const struct lp_object *listeners[LP_LISTENERS_MAX];
	size_t count;
};

static bool has_same_rest(const struct lp_config_check *check);
static bool has_passed(const struct lp_config_check *check, size_t *at,
    const struct lp_object *rule);
static int check_names(const struct lp_config_check *check);
static int check_rule(const struct lp_config_check *check,
    const struct lp_object *object, const struct unsaid *unsaid);
static const char *find_lack(const struct lp_object_rule *rule, bool shadow);
static int check_named(const struct lp_config_check *check,
    const struct lp_object *object, const struct lp_object_rule *rule);
static int check_value(const struct lp_config_check *check,
    const struct lp_object *object, const struct lp_object_rule *rule,
    const struct lp_rule_value *value);
static const char *find_near(const struct lp_config_check *check,
    enum lp_object_kind kind, const char *name,
    char label[LP_OBJECT_LABEL_SIZE]);
static int check_said(const struct lp_config_check *check,
    const struct lp_object *object, const struct lp_object_rule *rule,
    const struct unsaid *unsaid);

int
lp_config_check_rule(const struct lp_config_check *check)
{
	size_t first, count, listeners;
	struct unsaid unsaid = {.count = 0};
	bool is_known;
	size_t known = 0;
	int rc;

	count = lp_config_range(check->config, LP_OBJECT_RULE, &first);
	if (count == 0)
		return 0;
	listeners =
	    lp_config_check_list(check, LP_OBJECT_LISTENER, unsaid.listeners);
	for (size_t i = 0; i < listeners; i++)
		if (unsaid.listeners[i]->listener.unjudged == 0)
			unsaid.listeners[unsaid.count++] = unsaid.listeners[i];
	rc = check_names(check);
	is_known = has_same_rest(check);
	for (size_t i = first; i < first + count && !rc; i++) {
		const struct lp_object *rule = &check->config->objects[i];

		if (!is_known || !has_passed(check, &known, rule))
			rc = check_rule(check, rule, &unsaid);
	}
	return rc;
}

/* Whether all but the rules is what it was: what rules name, then, is. */
static bool
has_same_rest(const struct lp_config_check *check)
{
	const struct lp_config *config = check->config, *passed = check->passed;
	size_t count = lp_config_count_plain(config);

	return passed && lp_config_count_plain(passed) == count &&
	    (count == 0 ||
		memcmp(config->objects, passed->objects,
		    count * sizeof(config->objects[0])) == 0);
}

/* Whether the very same has passed; *at is where the last one was looked for.
 */
static bool
has_passed(const struct lp_config_check *check, size_t *at,
    const struct lp_object *rule)
{
	const struct lp_config *passed = check->passed;

	while (*at < passed->count &&
	    (passed->objects[*at].kind < LP_OBJECT_RULE ||
		passed->objects[*at].id < rule->id))
		(*at)++;
	return *at < passed->count &&
	    memcmp(&passed->objects[*at], rule, sizeof(*rule)) == 0;
}

/* No two rules have one name.  Only as much of the table as is needed. */
static int
check_names(const struct lp_config_check *check)
{
	const struct lp_object *objects = check->config->objects;
	uint32_t table[NAMES_SIZE]; /* index + 1; 0: free */
	size_t first, count, size = NAMES_SIZE_MIN;

	count = lp_config_range(check->config, LP_OBJECT_RULE, &first);
	while (size < 2 * count)
		size *= 2;
	memset(table, 0, size * sizeof(table[0]));
	for (size_t i = first; i < first + count; i++) {
		const char *name = objects[i].rule.name;
		size_t len = strnlen(name, LP_NAME_SIZE);
		size_t at = XXH3_64bits(name, len) & (size - 1);

		for (; table[at] != 0; at = (at + 1) & (size - 1)) {
			const struct lp_object *other = &objects[table[at] - 1];

			/* The newer: ids rise. */
			if (strncmp(other->rule.name, name, LP_NAME_SIZE) == 0)
				return lp_config_check_refuse(check,
				    &objects[i], "name",
				    "is already taken by another rule");
		}
		table[at] = (uint32_t)i + 1;
	}
	return 0;
}

static int
check_rule(const struct lp_config_check *check, const struct lp_object *object,
    const struct unsaid *unsaid)
{
	const struct lp_rule_object *text = &object->rule;
	struct lp_object_rule rule;
	char why[LP_WHY_SIZE];
	const char *field, *lack;
	int rc;

	if (object->id == 0)
		return lp_config_check_refuse(
		    check, object, "id", "0 is no id");
	if (lp_object_check_name(text->name, &field, why) != 0 ||
	    lp_object_rule_read(&rule, text, &field, why) != 0)
		return lp_config_check_refuse(check, object, field, "%s", why);
	lack = find_lack(&rule, text->shadow);
	if (lack)
		return lp_config_check_refuse(check, object, "action",
		    "%s: this version cannot do that yet; with --shadow on it "
		    "counts what it would concern",
		    lack);
	rc = check_named(check, object, &rule);
	return rc ? rc : check_said(check, object, &rule, unsaid);
}

/*
 * What this version's dataplane cannot do yet, so that nobody relies on it;
 * NULL: it can do all that the rule asks for.  To shrink as it learns.
 */
static const char *
find_lack(const struct lp_object_rule *rule, bool shadow)
{
	const struct lp_rule_action *action = &rule->action;

	if (shadow)
		return NULL;
	if (action->has & LP_RULE_HAS_PRIORITY)
		return "priority=";
	if (action->has & LP_RULE_HAS_DSCP)
		return "dscp=";
	if (action->has & LP_RULE_HAS_MIRROR)
		return "mirror=";
	switch (action->verdict) {
	case LP_RULE_OBSERVE:
	case LP_RULE_ALLOW:
		return NULL;
	case LP_RULE_RESET:
		return lp_rule_match_is_request(&rule->match)
		    ? "reset, at a request"
		    : NULL;
	default:
		return lp_rule_verdict_name(action->verdict);
	}
}

static int
check_named(const struct lp_config_check *check, const struct lp_object *object,
    const struct lp_object_rule *rule)
{
	const char *mirror = rule->action.mirror;
	int rc = 0;

	for (uint16_t i = 0; i < rule->match.count && !rc; i++)
		rc = check_value(check, object, rule, &rule->match.values[i]);
	if (!rc && (rule->action.has & LP_RULE_HAS_MIRROR) &&
	    !lp_config_find_name(check->config, LP_OBJECT_PORT, 0, mirror))
		rc = lp_config_check_refuse(check, object, "action",
		    "mirror: there is no port %s", mirror);
	return rc;
}

/* That a cluster, listener or port of that name is there. */
static int
check_value(const struct lp_config_check *check, const struct lp_object *object,
    const struct lp_object_rule *rule, const struct lp_rule_value *value)
{
	char name[2 * LP_NAME_SIZE], label[LP_OBJECT_LABEL_SIZE];
	const char *near;
	unsigned kind;

	if (value->field == LP_RULE_CLUSTER)
		kind = LP_OBJECT_CLUSTER;
	else if (value->field == LP_RULE_LISTENER)
		kind = LP_OBJECT_LISTENER;
	else if (value->field == LP_RULE_PORT)
		kind = LP_OBJECT_PORT;
	else
		return 0;
	if (lp_config_find_text(
		check->config, kind, lp_object_rule_text(name, rule, value)))
		return 0;
	near = find_near(check, kind, name, label);
	return lp_config_check_refuse(check, object, "match",
	    "there is no %s %s%s%s%s", lp_object_kind_name(kind), name,
	    near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

/* The one of that kind that was probably meant, as rules name it; or NULL. */
static const char *
find_near(const struct lp_config_check *check, enum lp_object_kind kind,
    const char *name, char label[LP_OBJECT_LABEL_SIZE])
{
	const struct lp_object *best = NULL;
	size_t first, count = lp_config_range(check->config, kind, &first);
	struct lp_nearest nearest;

	lp_nearest_init(&nearest, name, strlen(name));
	for (size_t i = first; i < first + count; i++) {
		const struct lp_object *object = &check->config->objects[i];
		size_t before = nearest.edits;

		lp_config_label(check->config, object, label);
		lp_nearest_offer(&nearest, strchr(label, ' ') + 1);
		if (nearest.edits < before)
			best = object;
	}
	if (!best)
		return NULL;
	return strchr(lp_config_label(check->config, best, label), ' ') + 1;
}

/* Whether connections of that listener can be among those it matches. */
static bool
may_concern(const struct lp_config_check *check,
    const struct lp_object_rule *rule, const struct lp_listener_object *at)
{
	static const enum lp_rule_field fields[] = {
	    LP_RULE_CLUSTER, LP_RULE_LISTENER};
	const struct lp_object *cluster =
	    lp_config_find(check->config, LP_OBJECT_CLUSTER, at->cluster_id);
	char names[2][2 * LP_NAME_SIZE], name[2 * LP_NAME_SIZE];

	snprintf(names[0], sizeof(names[0]), "%s", cluster->cluster.name);
	snprintf(names[1], sizeof(names[1]), "%s/%s", cluster->cluster.name,
	    at->name);
	for (unsigned i = 0; i < 2; i++) {
		const struct lp_rule_value *values;
		uint16_t count =
		    lp_rule_match_values(&rule->match, fields[i], &values);
		bool found = count == 0;

		for (uint16_t j = 0; j < count && !found; j++)
			found =
			    strcmp(lp_object_rule_text(name, rule, &values[j]),
				names[i]) == 0;
		if (!found)
			return false;
	}
	return true;
}

/* Bytes that cannot be judged come with rules that judge. */
static int
check_said(const struct lp_config_check *check, const struct lp_object *object,
    const struct lp_object_rule *rule, const struct unsaid *unsaid)
{
	char label[LP_OBJECT_LABEL_SIZE];

	if (object->rule.shadow || rule->action.verdict == LP_RULE_OBSERVE ||
	    !lp_rule_match_is_request(&rule->match))
		return 0;
	for (size_t i = 0; i < unsaid->count; i++) {
		const struct lp_object *listener = unsaid->listeners[i];

		if (!may_concern(check, rule, &listener->listener))
			continue;
		if (listener->id > object->id)
			return lp_config_check_refuse(check, listener,
			    "unjudged",
			    "rule %s acts on requests of it: say what becomes "
			    "of bytes that cannot be judged (--unjudged pass "
			    "or reset)",
			    object->rule.name);
		return lp_config_check_refuse(check, object, "match",
		    "acts on requests of %s, which has not said what becomes "
		    "of bytes that cannot be judged: set-listener ... "
		    "--unjudged pass or reset",
		    lp_config_label(check->config, listener, label));
	}
	return 0;
}
