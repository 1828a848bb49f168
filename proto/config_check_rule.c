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

/*
 * A listener that has not said what becomes of what cannot be judged; or where
 * no request is looked at.
 */
struct unsaid_one {
	const struct lp_object *listener;
	char cluster[LP_NAME_SIZE];
	char name[2 * LP_NAME_SIZE]; /* CLUSTER/NAME, as rules have it */
	bool is_told; /* where all problems are told: once is enough */
};

struct unsaid {
	struct unsaid_one all[LP_LISTENERS_MAX];
	size_t count;
};

static bool has_same_rest(const struct lp_config_check *check);
static bool has_passed(const struct lp_config_check *check, size_t *at,
    const struct lp_object *rule);
static int check_names(const struct lp_config_check *check);
static int check_limiting(const struct lp_config_check *check);
static int check_rule(const struct lp_config_check *check,
    const struct lp_object *object, struct unsaid *unsaid);
static const char *find_lack(const struct lp_object_rule *rule, bool shadow);
static const char *find_lack_of_limit(const struct lp_rule_match *match);
static int check_named(const struct lp_config_check *check,
    const struct lp_object *object, const struct lp_object_rule *rule);
static int check_mirror(const struct lp_config_check *check,
    const struct lp_object *object, const char *name);
static int check_value(const struct lp_config_check *check,
    const struct lp_object *object, const struct lp_object_rule *rule,
    const struct lp_rule_value *value);
static const char *find_near(const struct lp_config_check *check,
    enum lp_object_kind kind, const char *name,
    char label[LP_OBJECT_LABEL_SIZE]);
static void list_unsaid(
    const struct lp_config_check *check, struct unsaid *unsaid);
static bool may_concern(
    const struct lp_object_rule *rule, const struct unsaid_one *at);
static bool may_be(const struct lp_object_rule *rule, enum lp_rule_field field,
    const char *name);
static const char *get_lack(const struct lp_listener_object *listener);
static int refuse_listener(const struct lp_config_check *check,
    const struct lp_object *rule, const struct lp_object *listener);
static int check_said(const struct lp_config_check *check,
    const struct lp_object *object, const struct lp_object_rule *rule,
    struct unsaid *unsaid);

int
lp_config_check_rule(const struct lp_config_check *check)
{
	struct unsaid unsaid;
	size_t first, count;
	bool is_known;
	size_t known = 0;
	int rc;

	count = lp_config_range(check->config, LP_OBJECT_RULE, &first);
	if (count == 0)
		return 0;
	list_unsaid(check, &unsaid);
	rc = check_names(check);
	if (!rc)
		rc = check_limiting(check);
	is_known = has_same_rest(check);
	for (size_t i = first; i < first + count && !rc; i++) {
		const struct lp_object *rule = &check->config->objects[i];

		if (!is_known || !has_passed(check, &known, rule))
			rc = check_rule(check, rule, &unsaid);
	}
	return rc;
}

void
lp_config_check_rule_all(const struct lp_config *config,
    void (*found)(void *arg, const struct lp_config_error *error), void *arg)
{
	struct lp_config_error error = {.field = ""};
	const struct lp_config_check check = {
	    .config = config, .error = &error, .is_all = true};
	struct unsaid unsaid;
	size_t first, count = lp_config_range(config, LP_OBJECT_RULE, &first);

	list_unsaid(&check, &unsaid);
	if (check_names(&check) || check_limiting(&check))
		found(arg, &error);
	for (size_t i = first; i < first + count; i++)
		if (check_rule(&check, &config->objects[i], &unsaid))
			found(arg, &error);
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

/* Each has a bucket in the packet path. */
static int
check_limiting(const struct lp_config_check *check)
{
	static const char word[] = "limit ";
	const struct lp_object *objects = check->config->objects;
	size_t first, count, limiting = 0;

	count = lp_config_range(check->config, LP_OBJECT_RULE, &first);
	for (size_t i = first; i < first + count; i++) {
		const struct lp_rule_object *rule = &objects[i].rule;

		limiting += !rule->shadow &&
		    strncmp(rule->action, word, sizeof(word) - 1) == 0;
		if (limiting > LP_RULES_LIMITING_MAX)
			return lp_config_check_refuse(check, &objects[i],
			    "action",
			    "more than %d rules that limit; more of them can "
			    "be in shadow",
			    LP_RULES_LIMITING_MAX);
	}
	return 0;
}

static int
check_rule(const struct lp_config_check *check, const struct lp_object *object,
    struct unsaid *unsaid)
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
		    "%s: this version cannot do that yet; in shadow it counts "
		    "what it would concern",
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
	switch (action->verdict) {
	case LP_RULE_OBSERVE:
	case LP_RULE_ALLOW:
	case LP_RULE_DENY:
	case LP_RULE_RESET:
	case LP_RULE_NO_CREATE:
	case LP_RULE_ROUTE:
		return NULL;
	case LP_RULE_LIMIT:
		return find_lack_of_limit(&rule->match);
	default:
		return lp_rule_verdict_name(action->verdict);
	}
}

static const char *
find_lack_of_limit(const struct lp_rule_match *match)
{
	const struct lp_rule_value *apis;
	uint16_t count = lp_rule_match_values(match, LP_RULE_API, &apis);

	if (match->fields & 1u << LP_RULE_GROUP)
		return "limit, by group=";
	for (uint16_t i = 0; i < count; i++)
		if (lp_rule_limit_fault(apis[i].low) != NULL)
			return "limit, of an API whose delay breaks groups or "
			       "logins";
	return NULL;
}

static int
check_named(const struct lp_config_check *check, const struct lp_object *object,
    const struct lp_object_rule *rule)
{
	int rc = 0;

	for (uint16_t i = 0; i < rule->match.count && !rc; i++)
		rc = check_value(check, object, rule, &rule->match.values[i]);
	if (!rc && (rule->action.has & LP_RULE_HAS_MIRROR))
		rc = check_mirror(check, object, rule->action.mirror);
	return rc;
}

/* What leaves by an inline port is what its peer has received. */
static int
check_mirror(const struct lp_config_check *check,
    const struct lp_object *object, const char *name)
{
	const struct lp_object *port =
	    lp_config_find_name(check->config, LP_OBJECT_PORT, 0, name);

	if (!port)
		return lp_config_check_lacks(check,
		    lp_config_check_refuse(check, object, "action",
			"mirror: there is no port %s", name),
		    LP_OBJECT_PORT, name);
	if (lp_object_has_peer(&port->port))
		return lp_config_check_refuse(check, object, "action",
		    "mirror: port %s is inline: copies need a port that is a "
		    "wire to nobody else",
		    name);
	return 0;
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
	return lp_config_check_lacks(check,
	    lp_config_check_refuse(check, object, "match",
		"there is no %s %s%s%s%s", lp_object_kind_name(kind), name,
		near ? " (did you mean " : "", near ? near : "",
		near ? "?)" : ""),
	    kind, name);
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
may_concern(const struct lp_object_rule *rule, const struct unsaid_one *at)
{
	return may_be(rule, LP_RULE_CLUSTER, at->cluster) &&
	    may_be(rule, LP_RULE_LISTENER, at->name);
}

static bool
may_be(const struct lp_object_rule *rule, enum lp_rule_field field,
    const char *name)
{
	const struct lp_rule_value *values;
	uint16_t count = lp_rule_match_values(&rule->match, field, &values);
	size_t len = strlen(name);

	for (uint16_t i = 0; i < count; i++)
		if (values[i].len == len &&
		    memcmp(rule->match.text + values[i].text, name, len) == 0)
			return true;
	return count == 0;
}

/* Named once, for up to LP_RULES_MAX rules to be compared with. */
static void
list_unsaid(const struct lp_config_check *check, struct unsaid *unsaid)
{
	const struct lp_config *config = check->config;
	size_t first,
	    count = lp_config_range(config, LP_OBJECT_LISTENER, &first);

	unsaid->count = 0;
	for (size_t i = first; i < first + count; i++) {
		const struct lp_object *listener = &config->objects[i];
		const struct lp_object *cluster = lp_config_find(
		    config, LP_OBJECT_CLUSTER, listener->listener.cluster_id);
		struct unsaid_one *one = &unsaid->all[unsaid->count];

		if (listener->listener.unjudged != 0 &&
		    get_lack(&listener->listener) == NULL)
			continue;
		one->listener = listener;
		one->is_told = false;
		snprintf(one->cluster, sizeof(one->cluster), "%s",
		    cluster->cluster.name);
		snprintf(one->name, sizeof(one->name), "%s/%s",
		    cluster->cluster.name, listener->listener.name);
		unsaid->count++;
	}
}

/* Why no request can be acted on there; NULL: it can. */
static const char *
get_lack(const struct lp_listener_object *listener)
{
	if (listener->kafka == LP_LOOK_OFF)
		return "does not look into connections (kafka off)";
	return NULL;
}

/* Whichever of the two is newer is to blame. */
static int
refuse_listener(const struct lp_config_check *check,
    const struct lp_object *rule, const struct lp_object *listener)
{
	bool is_newer = check->is_all || listener->id > rule->id;
	char label[LP_OBJECT_LABEL_SIZE];

	return lp_config_check_refuse(check, is_newer ? listener : rule,
	    is_newer ? "kafka" : "match",
	    "rule %s acts on requests, and %s %s: name other listeners in it, "
	    "or put it in shadow",
	    rule->rule.name, lp_config_label(check->config, listener, label),
	    get_lack(&listener->listener));
}

/* Bytes that cannot be judged come with rules that judge. */
static int
check_said(const struct lp_config_check *check, const struct lp_object *object,
    const struct lp_object_rule *rule, struct unsaid *unsaid)
{
	char label[LP_OBJECT_LABEL_SIZE];

	if (object->rule.shadow || rule->action.verdict == LP_RULE_OBSERVE ||
	    !lp_rule_match_is_request(&rule->match))
		return 0;
	for (size_t i = 0; i < unsaid->count; i++) {
		const struct lp_object *listener = unsaid->all[i].listener;

		if (unsaid->all[i].is_told ||
		    !may_concern(rule, &unsaid->all[i]))
			continue;
		if (get_lack(&listener->listener) != NULL) {
			if (rule->action.verdict == LP_RULE_ALLOW)
				continue;
			unsaid->all[i].is_told = check->is_all;
			return refuse_listener(check, object, listener);
		}
		unsaid->all[i].is_told = check->is_all;
		if (check->is_all || listener->id > object->id)
			return lp_config_check_refuse(check, listener,
			    "unjudged",
			    "rule %s acts on requests of it: say what becomes "
			    "of bytes that cannot be judged (unjudged pass or "
			    "reset)",
			    object->rule.name);
		return lp_config_check_refuse(check, object, "match",
		    "acts on requests of %s, which has not said what becomes "
		    "of bytes that cannot be judged (unjudged pass or "
		    "reset)",
		    lp_config_label(check->config, listener, label));
	}
	return 0;
}
