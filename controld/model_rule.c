/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/model_rule.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "proto/object_rule.h"

enum {
	SIZE_MIN = 64,
	USERS_MAX = 3, /* rules that a refusal names */
	USER_SIZE = LP_NAME_SIZE + sizeof(", rule "),
};

static_assert(
    sizeof("delete first:  ...") + USERS_MAX * USER_SIZE <= LP_WHY_SIZE,
    "whole names");

/* A name as rules have it, and what it becomes. */
struct renaming {
	uint8_t kind; /* enum lp_object_kind */
	char old[LP_OBJECT_LABEL_SIZE], new[LP_OBJECT_LABEL_SIZE];
};

/* In place of an id: the search goes on behind it. */
static const uint32_t taken_out = UINT32_MAX;

/* By which rules name objects of a kind. */
static const uint8_t fields[LP_OBJECT_KINDS] = {
    [LP_OBJECT_PORT] = LP_RULE_PORT,
    [LP_OBJECT_CLUSTER] = LP_RULE_CLUSTER,
    [LP_OBJECT_LISTENER] = LP_RULE_LISTENER,
};

static size_t place_of(const struct lp_model_rules *rules, const char *name);
static uint32_t *slot_of(const struct lp_model_work *work, const char *name);
static void take_out(
    struct lp_model_rules *rules, const char *name, uint32_t id);
static int by_id(const void *a, const void *b);
static bool names(const struct lp_rule_object *rule,
    const struct lp_object *object, const char *text);
static char *text_of(char text[LP_OBJECT_LABEL_SIZE],
    const struct lp_config *config, const struct lp_object *object);
static int rename_in(struct lp_rule_object *rule, const struct renaming *to);
static int rename_values(struct lp_rule_object *rule,
    struct lp_object_rule *read, const struct renaming *to);
static bool names_in_match(const struct lp_object_rule *rule,
    const struct lp_object *object, const char *text);

int
lp_model_rule_part(struct lp_model_work *work)
{
	size_t first, count;

	count = lp_config_range(work->from, LP_OBJECT_RULE, &first);
	return lp_config_copy_part(
	    &work->rules.config, work->from, first, count);
}

int
lp_model_rule_join(struct lp_model_work *work)
{
	lp_model_rule_sweep(work);
	return lp_config_join(&work->change->config, &work->rules.config);
}

int
lp_model_rule_begin(struct lp_model_work *work)
{
	const struct lp_config *config = &work->rules.config;
	struct lp_model_rules *rules = &work->rules;
	size_t first, count, size = SIZE_MIN;

	if (rules->ids != NULL)
		return 0;
	count = lp_config_range(config, LP_OBJECT_RULE, &first);
	while (size < 2 * (count + work->op_count))
		size *= 2;
	rules->gone = calloc(work->op_count, sizeof(*rules->gone));
	rules->ids = calloc(size, sizeof(*rules->ids));
	if (rules->ids == NULL || rules->gone == NULL)
		return -ENOMEM;
	rules->size = size;
	for (size_t i = first; i < first + count; i++)
		lp_model_rule_named(work, &config->objects[i], NULL);
	return 0;
}

void
lp_model_rule_end(struct lp_model_work *work)
{
	free(work->rules.ids);
	free(work->rules.gone);
	lp_config_fini(&work->rules.config);
	work->rules = (struct lp_model_rules){0};
}

const struct lp_object *
lp_model_rule_find(const struct lp_model_work *work, const char *name)
{
	const uint32_t *slot = slot_of(work, name);

	return *slot == 0
	    ? NULL
	    : lp_config_find(&work->rules.config, LP_OBJECT_RULE, *slot);
}

void
lp_model_rule_named(
    struct lp_model_work *work, const struct lp_object *rule, const char *name)
{
	uint32_t *slot;

	if (name != NULL && strcmp(name, rule->rule.name) == 0)
		return;
	if (name != NULL)
		take_out(&work->rules, name, rule->id);
	slot = slot_of(work, rule->rule.name);
	assert(*slot == 0);
	*slot = rule->id;
}

void
lp_model_rule_gone(struct lp_model_work *work, const struct lp_object *rule)
{
	struct lp_model_rules *rules = &work->rules;

	assert(rules->gone_count < work->op_count);
	take_out(rules, rule->rule.name, rule->id);
	rules->gone[rules->gone_count++] = rule->id;
}

void
lp_model_rule_sweep(struct lp_model_work *work)
{
	struct lp_model_rules *rules = &work->rules;

	if (rules->gone_count == 0)
		return;
	qsort(rules->gone, rules->gone_count, sizeof(rules->gone[0]), by_id);
	lp_config_remove_all(
	    &rules->config, LP_OBJECT_RULE, rules->gone, rules->gone_count);
	rules->gone_count = 0;
}

int
lp_model_rule_put(struct lp_model_work *work, const struct lp_object *rule)
{
	struct lp_model_rules *rules = &work->rules;

	if (lp_config_find(&rules->config, LP_OBJECT_RULE, rule->id) != NULL)
		return lp_config_put(&rules->config, rule);
	/* Those that are to go are there still. */
	if (rules->config.count - rules->gone_count >= LP_RULES_MAX)
		return -ENOSPC;
	return lp_config_append(&rules->config, rule);
}

int
lp_model_rule_take(
    struct lp_model_work *work, struct lp_object *rule, bool is_new)
{
	const Lp__Pb__Object *given = work->op->object;
	const char *missing = NULL;
	const char *field = "";
	char why[LP_WHY_SIZE];

	if (is_new && (given == NULL || !given->rule->has_priority))
		missing = "priority";
	else if (is_new && given->rule->match == NULL)
		missing = "match";
	else if (is_new && given->rule->action == NULL)
		missing = "action";
	if (missing != NULL)
		return lp_model_work_refuse(work, missing, "missing");
	if (!is_new && strcmp(rule->rule.name, work->op->name) != 0 &&
	    lp_model_rule_find(work, rule->rule.name) != NULL)
		return lp_model_work_refuse(
		    work, "name", "is already taken by another rule");
	if (lp_object_rule_normalise(&rule->rule, &field, why) != 0)
		return lp_model_work_refuse(work, field, "%s", why);
	return 0;
}

int
lp_model_rule_follow(struct lp_model_work *work, const struct lp_object *before,
    const struct lp_object *object)
{
	const struct lp_config *config = &work->rules.config;
	struct renaming to = {.kind = object->kind};

	text_of(to.old, &work->change->config, before);
	text_of(to.new, &work->change->config, object);
	if (strcmp(to.old, to.new) == 0)
		return 0;
	lp_model_rule_sweep(work);
	for (size_t i = 0; i < config->count; i++)
		if (rename_in(&config->objects[i].rule, &to) != 0)
			return lp_model_work_refuse(work, "name",
			    "rule %s names it, and would become longer than "
			    "%d characters",
			    config->objects[i].rule.name,
			    LP_RULE_MATCH_SIZE - 1);
	return 0;
}

int
lp_model_rule_check_unnamed(
    struct lp_model_work *work, const struct lp_object *object)
{
	const struct lp_config *config = &work->rules.config;
	char text[LP_OBJECT_LABEL_SIZE], users[USERS_MAX * USER_SIZE] = "";
	size_t len = 0, found = 0;

	lp_model_rule_sweep(work);
	text_of(text, &work->change->config, object);
	for (size_t i = 0; i < config->count && found <= USERS_MAX; i++) {
		const struct lp_rule_object *rule = &config->objects[i].rule;

		if (!names(rule, object, text) || found++ == USERS_MAX)
			continue;
		len += (size_t)snprintf(users + len, sizeof(users) - len,
		    "%srule %s", len > 0 ? ", " : "", rule->name);
	}
	if (found == 0)
		return 0;
	return lp_model_work_refuse(work, "", "delete first: %s%s", users,
	    found > USERS_MAX ? " ..." : "");
}

/* Where that name is, or would be put. */
static uint32_t *
slot_of(const struct lp_model_work *work, const char *name)
{
	const struct lp_model_rules *rules = &work->rules;
	size_t at = place_of(rules, name);

	for (; rules->ids[at] != 0; at = (at + 1) & (rules->size - 1)) {
		const struct lp_object *rule;

		if (rules->ids[at] == taken_out)
			continue;
		rule = lp_config_find(
		    &rules->config, LP_OBJECT_RULE, rules->ids[at]);
		if (strcmp(rule->rule.name, name) == 0)
			break;
	}
	return &rules->ids[at];
}

/* It was put there by that name. */
static void
take_out(struct lp_model_rules *rules, const char *name, uint32_t id)
{
	size_t at = place_of(rules, name);

	while (rules->ids[at] != id) {
		assert(rules->ids[at] != 0);
		at = (at + 1) & (rules->size - 1);
	}
	rules->ids[at] = taken_out;
}

static size_t
place_of(const struct lp_model_rules *rules, const char *name)
{
	return XXH3_64bits(name, strlen(name)) & (rules->size - 1);
}

static int
by_id(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* As a match has it: without the kind. */
static char *
text_of(char text[LP_OBJECT_LABEL_SIZE], const struct lp_config *config,
    const struct lp_object *object)
{
	char label[LP_OBJECT_LABEL_SIZE];

	lp_config_label(config, object, label);
	return strcpy(text, strchr(label, ' ') + 1);
}

/* 0, or -ENOSPC: there is no room for the new name. */
static int
rename_in(struct lp_rule_object *rule, const struct renaming *to)
{
	struct lp_object_rule read;
	const char *field;
	char why[LP_WHY_SIZE];

	if ((strstr(rule->match, to->old) == NULL &&
		strstr(rule->action, to->old) == NULL) ||
	    lp_object_rule_read(&read, rule, &field, why) != 0)
		return 0;
	if (to->kind == LP_OBJECT_PORT &&
	    (read.action.has & LP_RULE_HAS_MIRROR) != 0 &&
	    strcmp(read.action.mirror, to->old) == 0) {
		/* The name of a port, and a few words, always fit. */
		memset(rule->action, 0, sizeof(rule->action));
		strcpy(read.action.mirror, to->new);
		lp_rule_action_print(rule->action, &read.action);
	}
	return rename_values(rule, &read, to);
}

/* Whether the value names it; then the text that it becomes is in *text. */
static bool
rename_value(char text[2 * LP_OBJECT_LABEL_SIZE],
    const struct lp_object_rule *read, const struct lp_rule_value *value,
    const struct renaming *to)
{
	size_t len = strlen(to->old);
	char name[2 * LP_NAME_SIZE];

	lp_object_rule_text(name, read, value);
	if (value->field == fields[to->kind] && strcmp(name, to->old) == 0) {
		strcpy(text, to->new);
		return true;
	}
	if (to->kind != LP_OBJECT_CLUSTER || value->field != LP_RULE_LISTENER ||
	    strncmp(name, to->old, len) != 0 || name[len] != '/')
		return false;
	snprintf(text, 2 * LP_OBJECT_LABEL_SIZE, "%s%s", to->new, name + len);
	return true;
}

static int
rename_values(struct lp_rule_object *rule, struct lp_object_rule *read,
    const struct renaming *to)
{
	struct lp_rule_match made = read->match;
	size_t size = strlen(rule->match) + 1;
	bool changed = false;

	made.text_len = 0;
	for (uint16_t i = 0; i < made.count; i++) {
		struct lp_rule_value *value = &made.values[i];
		const char *from = read->match.text + value->text;
		char text[2 * LP_OBJECT_LABEL_SIZE];

		if (value->kind != LP_RULE_EXACT &&
		    value->kind != LP_RULE_PREFIX)
			continue;
		if (rename_value(text, read, value, to)) {
			size = size - value->len + strlen(text);
			value->len = (uint16_t)strlen(text);
			from = text;
			changed = true;
		}
		if (size > LP_RULE_MATCH_SIZE)
			return -ENOSPC;
		memcpy(made.text + made.text_len, from, value->len);
		value->text = made.text_len;
		made.text_len = (uint16_t)(made.text_len + value->len);
	}
	if (!changed)
		return 0;
	memset(rule->match, 0, sizeof(rule->match));
	lp_rule_match_print(rule->match, &made);
	return 0;
}

/* Only a text that has the name in it is worth to be read. */
static bool
names(const struct lp_rule_object *rule, const struct lp_object *object,
    const char *text)
{
	struct lp_object_rule parsed;
	const char *field;
	char why[LP_WHY_SIZE];

	if (strstr(rule->match, text) == NULL &&
	    strstr(rule->action, text) == NULL)
		return false;
	if (lp_object_rule_read(&parsed, rule, &field, why) != 0)
		return false;
	return names_in_match(&parsed, object, text) ||
	    (object->kind == LP_OBJECT_PORT &&
		(parsed.action.has & LP_RULE_HAS_MIRROR) != 0 &&
		strcmp(parsed.action.mirror, text) == 0);
}

static bool
names_in_match(const struct lp_object_rule *rule,
    const struct lp_object *object, const char *text)
{
	const struct lp_rule_value *values;
	char name[2 * LP_NAME_SIZE];
	uint16_t count =
	    lp_rule_match_values(&rule->match, fields[object->kind], &values);

	for (uint16_t i = 0; i < count; i++)
		if (strcmp(lp_object_rule_text(name, rule, &values[i]), text) ==
		    0)
			return true;
	return false;
}
