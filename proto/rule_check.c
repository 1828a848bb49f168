/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a match and an action go together.
 *
 * Of each API there is a set of versions, as bits: those that it has, that are
 * sent by whom the rule is about, that the rule names, and that have each of
 * the fields.  Where nothing is left nothing will ever match, and the operator
 * meant something else.
 */
#include "proto/rule_words.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/apis.h"

enum {
	METADATA = 3,
	JOIN_GROUP = 11,
	SYNC_GROUP = 14,
	INIT_PRODUCER_ID = 22,
	/* From version 4 on it is the brokers' own: KIP-890. */
	ADD_PARTITIONS_TO_TXN = 24,
	CLIENTS_ADD_UP_TO = 3,
	SHARE_GROUP_HEARTBEAT = 76,
	NONE = -1,
	LIST_SIZE = 160,
};

struct check {
	const struct lp_rule_match *match;
	const struct lp_rule_action *action;
	struct lp_rule_error *error;
	uint32_t asked; /* versions that the rule names; all: none is named */
};

/* The fields that not every request has, and how they are spoken of. */
static const struct {
	unsigned field;
	const char *words;
} fields[] = {
    {LP_RULE_TOPIC, "a topic"},
    {LP_RULE_GROUP, "a group"},
    {LP_RULE_TRANSACTIONAL_ID, "a transactional_id"},
    {LP_RULE_ACKS, "acks"},
};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

static int check_levels(const struct check *check);
static int check_listeners(const struct check *check);
static int check_versions(const struct check *check);
static int check_listed(const struct check *check, int64_t api, int index);
static int check_listed_deny(
    const struct check *check, int64_t api, int index, uint32_t versions);
static int check_any(const struct check *check);
static void warn(const struct check *check);
static int refuse(const struct check *check, int field, int value,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

static bool
names(const struct check *check, unsigned field)
{
	return check->match->fields >> field & 1;
}

static int
lowest(uint32_t set)
{
	assert(set != 0);
	return __builtin_ctz(set);
}

static int
highest(uint32_t set)
{
	assert(set != 0);
	return 31 - __builtin_clz(set);
}

int
lp_rule_check(const struct lp_rule_match *match,
    const struct lp_rule_action *action, struct lp_rule_error *error)
{
	const struct lp_rule_value *value;
	struct check check = {
	    .match = match,
	    .action = action,
	    .error = error,
	    .asked = lp_rule_versions_asked(match),
	};
	uint16_t count = lp_rule_match_values(match, LP_RULE_API, &value);
	int rc;

	memset(error, 0, sizeof(*error));
	rc = check_levels(&check);
	if (!rc)
		rc = check_listeners(&check);
	if (!rc)
		rc = check_versions(&check);
	for (uint16_t i = 0; !rc && i < count; i++)
		rc = check_listed(&check, value[i].low, i);
	if (!rc && count == 0)
		rc = check_any(&check);
	if (!rc)
		warn(&check);
	return rc;
}

/* ---- connections and requests ----------------------------------------- */

static int
first_of_request(const struct check *check)
{
	for (int field = 0; field < LP_RULE_FIELD_COUNT; field++)
		if (names(check, (unsigned)field) &&
		    !lp_rule_field_is_connection((unsigned)field))
			return field;
	return NONE;
}

static int
check_levels(const struct check *check)
{
	const struct lp_rule_action *action = check->action;
	int field = first_of_request(check);
	const char *what = action->verdict == LP_RULE_ROUTE ? "route"
	    : action->has & LP_RULE_HAS_PRIORITY            ? "priority"
	    : action->has & LP_RULE_HAS_DSCP                ? "dscp"
	    : action->has & LP_RULE_HAS_MIRROR              ? "mirror"
							    : NULL;
	const struct lp_rule_value *from;

	if (what && field != NONE)
		return refuse(check, field, NONE,
		    "%s is of whole connections, and %s of requests", what,
		    lp_rule_field_name((unsigned)field));
	if (action->verdict == LP_RULE_ROUTE && names(check, LP_RULE_BROKER))
		return refuse(check, LP_RULE_BROKER, NONE,
		    "route is of connections to the bootstrap endpoint, for "
		    "which no broker is chosen yet: leave broker out");
	if (action->verdict == LP_RULE_DENY && field == NONE)
		return refuse(check, NONE, NONE,
		    "deny answers requests: name them (api, topic, group, "
		    "client_id, ...), or use reset for connections");
	if (action->verdict == LP_RULE_DENY &&
	    lp_rule_match_values(check->match, LP_RULE_FROM, &from) > 0 &&
	    from->high != LP_RULE_FROM_CLIENT)
		return refuse(check, LP_RULE_FROM, NONE,
		    "what brokers ask each other is not denied: use reset");
	return 0;
}

/* Of one of the clusters, where they are named. */
static int
check_listeners(const struct check *check)
{
	const struct lp_rule_value *clusters, *listeners;
	const char *text = check->match->text;
	uint16_t count =
	    lp_rule_match_values(check->match, LP_RULE_LISTENER, &listeners);
	uint16_t known =
	    lp_rule_match_values(check->match, LP_RULE_CLUSTER, &clusters);

	for (uint16_t i = 0; known > 0 && i < count; i++) {
		const char *listener = text + listeners[i].text;
		const char *slash = memchr(listener, '/', listeners[i].len);
		size_t len = (size_t)(slash - listener);
		uint16_t j = 0;

		while (j < known &&
		    (clusters[j].len != len ||
			memcmp(text + clusters[j].text, listener, len) != 0))
			j++;
		if (j == known)
			return refuse(check, LP_RULE_LISTENER, i,
			    "%.*s is of none of the clusters that are named",
			    (int)listeners[i].len, listener);
	}
	return 0;
}

/* ---- what requests have ------------------------------------------------ */

/* Versions that are sent by whom the rule is about. */
static uint32_t
sent(const struct check *check, int64_t api)
{
	const struct lp_apis_entry *entry = lp_apis_get(api);
	uint32_t all = lp_apis_versions(entry), client, broker;
	const struct lp_rule_value *from;

	client = entry->client ? all : 0;
	broker = entry->client ? entry->seen[LP_APIS_REPLICA_ID] : all;
	if (api == ADD_PARTITIONS_TO_TXN) {
		client = all & lp_rule_version_bits(0, CLIENTS_ADD_UP_TO);
		broker = all & ~client;
	}
	if (lp_rule_match_values(check->match, LP_RULE_FROM, &from) == 0)
		return client;
	return (from->low == LP_RULE_FROM_CLIENT ? client : 0) |
	    (from->high == LP_RULE_FROM_BROKER ? broker : 0);
}

/* Versions that have a field. */
static uint32_t
having(int64_t api, unsigned field)
{
	const struct lp_apis_entry *entry = lp_apis_get(api);

	switch (field) {
	case LP_RULE_TOPIC:
		return lp_apis_topic_versions(entry);
	case LP_RULE_GROUP:
		return entry->seen[LP_APIS_GROUP];
	case LP_RULE_TRANSACTIONAL_ID:
		return entry->seen[LP_APIS_TRANSACTIONAL_ID];
	default:
		assert(field == LP_RULE_ACKS);
		return entry->seen[LP_APIS_ACKS];
	}
}

/* Versions that an action can be done to. */
static uint32_t
treatable(const struct check *check, int64_t api)
{
	if (check->action->verdict == LP_RULE_DENY)
		return lp_rule_deny_versions(api);
	if (check->action->verdict == LP_RULE_NO_CREATE)
		return lp_apis_get(api)->seen[LP_APIS_AUTO_CREATION];
	return UINT32_MAX;
}

/* "OffsetCommit, OffsetFetch, ...": what the rule could be about. */
static char *
list_having(char list[LIST_SIZE], const struct check *check, unsigned field)
{
	static const char more[] = ", ...";
	size_t used = 0;

	list[0] = '\0';
	for (int api = 0; api < lp_apis_table_count; api++) {
		const char *name = lp_apis_name(api);

		if (!name || !(having(api, field) & sent(check, api)))
			continue;
		if (used + strlen(name) + 2 + sizeof(more) > LIST_SIZE) {
			strcpy(list + used, more);
			break;
		}
		used += (size_t)sprintf(
		    list + used, "%s%s", used > 0 ? ", " : "", name);
	}
	return list;
}

/* Each version that is named is there in one of the APIs. */
static int
check_versions(const struct check *check)
{
	const struct lp_rule_value *apis, *versions;
	uint16_t count = lp_rule_match_values(check->match, LP_RULE_API, &apis);
	uint16_t named =
	    lp_rule_match_values(check->match, LP_RULE_VERSION, &versions);
	uint32_t all = 0;

	for (uint16_t i = 0; i < count; i++)
		all |= lp_apis_versions(lp_apis_get(apis[i].low));
	for (int api = 0; count == 0 && api < lp_apis_table_count; api++)
		if (lp_apis_get(api))
			all |= lp_apis_versions(lp_apis_get(api));
	for (uint16_t i = 0; i < named; i++)
		if (!(lp_rule_version_bits(versions[i].low, versions[i].high) &
			all))
			return count == 1
			    ? refuse(check, LP_RULE_VERSION, i,
				  "%s has versions %d to %d",
				  lp_apis_name(apis->low), lowest(all),
				  highest(all))
			    : refuse(check, LP_RULE_VERSION, i,
				  "no API that is %s has it: the last version "
				  "is %d",
				  count == 0 ? "known" : "named here",
				  highest(all));
	return 0;
}

static int
refuse_sender(const struct check *check, int64_t api, int index)
{
	const struct lp_rule_value *from;
	const char *name = lp_apis_name(api);

	if (lp_rule_match_values(check->match, LP_RULE_FROM, &from) > 0 &&
	    from->low == LP_RULE_FROM_BROKER)
		return refuse(check, LP_RULE_API, index,
		    "brokers send each other no %s: leave from=broker out",
		    name);
	return refuse(check, LP_RULE_API, index,
	    check->action->verdict == LP_RULE_DENY
		? "%s is between brokers, and not denied: use reset with "
		  "from=broker"
		: "%s is between brokers: add from=broker",
	    name);
}

static int
refuse_field(const struct check *check, int64_t api, unsigned which)
{
	char list[LIST_SIZE];
	const char *name = lp_apis_name(api);

	if (fields[which].field == LP_RULE_TOPIC &&
	    (api == JOIN_GROUP || api == SYNC_GROUP))
		return refuse(check, LP_RULE_TOPIC, NONE,
		    "the topics of a %s are in bytes of the client's own: a "
		    "rule for Fetch sees them",
		    name);
	return refuse(check, (int)fields[which].field, NONE,
	    "no %s has %s: those that have are %s", name, fields[which].words,
	    list_having(list, check, fields[which].field));
}

static int
check_listed(const struct check *check, int64_t api, int index)
{
	uint32_t all = lp_apis_versions(lp_apis_get(api));
	uint32_t left = all & sent(check, api);
	const char *name = lp_apis_name(api);

	if (check->action->verdict == LP_RULE_NO_CREATE && api != METADATA)
		return refuse(check, LP_RULE_API, index,
		    "no_create is of Metadata, and not of %s", name);
	if (!left)
		return refuse_sender(check, api, index);
	if (!(left & check->asked))
		return refuse(check, LP_RULE_VERSION, NONE,
		    "%s%s has versions %d to %d", name,
		    left != all ? " from such a sender" : "", lowest(left),
		    highest(left));
	left &= check->asked;
	for (unsigned i = 0; i < FIELDS; i++) {
		uint32_t seen = having(api, fields[i].field);

		if (!names(check, fields[i].field))
			continue;
		if (!seen)
			return refuse_field(check, api, i);
		if (!(left & seen))
			return refuse(check, LP_RULE_VERSION, NONE,
			    "%s has %s in versions %d to %d", name,
			    fields[i].words, lowest(seen), highest(seen));
		left &= seen;
	}
	return check_listed_deny(check, api, index, left);
}

static int
check_listed_deny(
    const struct check *check, int64_t api, int index, uint32_t versions)
{
	uint32_t can = treatable(check, api);
	const char *name = lp_apis_name(api);
	bool deny = check->action->verdict == LP_RULE_DENY;

	if (deny && lp_rule_deny_fault(api))
		return refuse(check, LP_RULE_API, index, "%s is not denied: %s",
		    name, lp_rule_deny_fault(api));
	if (deny && lp_rule_deny_is_whole(api) && names(check, LP_RULE_TOPIC))
		return refuse(check, LP_RULE_TOPIC, NONE,
		    "a %s is denied by its group, before its topics are known: "
		    "a rule for %s denies them",
		    name,
		    api == SHARE_GROUP_HEARTBEAT ? "ShareFetch" : "Fetch");
	if (deny && api == INIT_PRODUCER_ID &&
	    !names(check, LP_RULE_TRANSACTIONAL_ID))
		return refuse(check, LP_RULE_API, index,
		    "%s is denied only where it has a transactional id: add "
		    "transactional_id=*, or use reset",
		    name);
	if (!(versions & can))
		return refuse(check, LP_RULE_VERSION, NONE,
		    deny ? "%s is denied in versions %d to %d only"
			 : "%s says in versions %d to %d only whether "
			   "topics are created",
		    name, lowest(can), highest(can));
	return 0;
}

/* ---- a rule that names no API ------------------------------------------ */

/* Whether any API is left with the fields of that set, 1 << their number. */
static bool
any_has(const struct check *check, unsigned set)
{
	for (int api = 0; api < lp_apis_table_count; api++) {
		uint32_t left;

		if (!lp_apis_get(api) ||
		    (check->action->verdict == LP_RULE_NO_CREATE &&
			api != METADATA))
			continue;
		left = sent(check, api) & check->asked & treatable(check, api);
		for (unsigned i = 0; i < FIELDS; i++)
			if (set >> i & 1)
				left &= having(api, fields[i].field);
		if (left)
			return true;
	}
	return false;
}

static int
check_any(const struct check *check)
{
	const char *which = check->action->verdict == LP_RULE_NO_CREATE
	    ? "Metadata"
	    : check->action->verdict == LP_RULE_DENY
	    ? "request that can be denied"
	    : names(check, LP_RULE_VERSION) ? "request of such a version"
					    : "request";
	unsigned set = 0;

	if (first_of_request(check) == NONE)
		return 0;
	if (!any_has(check, 0))
		return refuse(check, first_of_request(check), NONE,
		    "there is no %s of such versions and senders", which);
	for (unsigned i = 0; i < FIELDS; i++) {
		if (!names(check, fields[i].field))
			continue;
		if (!any_has(check, 1u << i))
			return refuse(check, (int)fields[i].field, NONE,
			    "no %s has %s", which, fields[i].words);
		for (unsigned other = 0; other < i; other++)
			if (set >> other & 1 &&
			    !any_has(check, 1u << i | 1u << other))
				return refuse(check, (int)fields[i].field, NONE,
				    "no %s has %s and %s", which,
				    fields[other].words, fields[i].words);
		set |= 1u << i;
		if (!any_has(check, set))
			return refuse(check, (int)fields[i].field, NONE,
			    "no %s has all of these fields", which);
	}
	return 0;
}

/* ---- warnings ---------------------------------------------------------- */

static void say(const struct check *check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whole, or not at all: the first that have room. */
static void
say(const struct check *check, const char *format, ...)
{
	char *why = check->error->why, text[LP_WHY_SIZE];
	size_t len = strlen(why);
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len + strlen("; ") + strlen(text) >= LP_WHY_SIZE)
		return;
	if (len > 0)
		strcat(why, "; ");
	strcat(why, text);
}

/* Whether a request that means topics without naming them passes the rule. */
static bool
passes_unnamed(const struct check *check, int64_t api)
{
	const struct lp_apis_entry *entry = lp_apis_get(api);
	bool by_name = names(check, LP_RULE_TOPIC) ||
	    (check->action->verdict == LP_RULE_DENY &&
		lp_rule_deny_is_by_part(api));

	/* Their answers name them. */
	if (check->action->verdict == LP_RULE_DENY &&
	    lp_rule_deny_is_by_answer(api))
		return false;
	return by_name &&
	    (entry->seen[LP_APIS_TOPICS_NULL] & check->asked) != 0;
}

/* As ACLs write them. */
static void
warn_principals(const struct check *check)
{
	static const char kind[] = "User:";
	const struct lp_rule_value *value;
	uint16_t count =
	    lp_rule_match_values(check->match, LP_RULE_PRINCIPAL, &value);

	for (uint16_t i = 0; i < count; i++)
		if (value[i].len >= sizeof(kind) - 1 &&
		    memcmp(check->match->text + value[i].text, kind,
			sizeof(kind) - 1) == 0) {
			say(check,
			    "a principal is the name of a user as SASL has "
			    "it, without User:");
			return;
		}
}

static void
warn(const struct check *check)
{
	const struct lp_rule_value *apis, *acks;
	uint16_t count = lp_rule_match_values(check->match, LP_RULE_API, &apis);
	uint16_t acks_count =
	    lp_rule_match_values(check->match, LP_RULE_ACKS, &acks);
	char list[LIST_SIZE] = "";

	for (uint16_t i = 0; i < count; i++) {
		const struct lp_apis_entry *entry = lp_apis_get(apis[i].low);

		if (names(check, LP_RULE_TOPIC) &&
		    entry->seen[LP_APIS_REGEX] & check->asked)
			say(check,
			    "topics that a %s chooses by a pattern are not "
			    "seen",
			    entry->name);
		if (passes_unnamed(check, apis[i].low) &&
		    strlen(list) + strlen(entry->name) + 3 < sizeof(list)) {
			strcat(list, list[0] ? ", " : "");
			strcat(list, entry->name);
		}
	}
	warn_principals(check);
	for (uint16_t i = 0; i < acks_count; i++)
		if (check->action->verdict == LP_RULE_DENY && acks[i].low == 0)
			say(check,
			    "a Produce with acks=0 has no answer: where a part "
			    "of it is denied, the broker closes the "
			    "connection");
	/* The longest: it gives way to the others. */
	if (list[0])
		say(check,
		    "what names no topic, and means all of them or those as "
		    "before, is not matched: %s",
		    list);
}

/* A field or one of its values in the canonical text; NONE: the action. */
static int
refuse(const struct check *check, int field, int value, const char *format, ...)
{
	struct lp_rule_place place = {.value = value};
	va_list args;

	/* A version that is not named stands for its API. */
	if (field == LP_RULE_VERSION && !names(check, LP_RULE_VERSION)) {
		field = names(check, LP_RULE_API) ? LP_RULE_API
						  : first_of_request(check);
		place.value = NONE;
	}
	if (field != NONE) {
		place.field = (unsigned)field;
		lp_rule_match_write(NULL, 0, check->match, &place);
	}
	check->error->column = place.column;
	check->error->len = place.len;
	va_start(args, format);
	vsnprintf(check->error->why, LP_WHY_SIZE, format, args);
	va_end(args);
	return -EINVAL;
}
