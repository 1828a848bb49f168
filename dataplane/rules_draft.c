/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/rules_draft.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	IS_CONNECTION = 0,
	IS_REQUEST = 1,
	/* Fields that only requests have. */
	REQUEST_FIELDS = 0
#define X(name, word, level, kind) | IS_##level << LP_RULE_##name
	LP_RULE_FIELDS(X)
#undef X
	    ,
	FROM_BOTH = 1 << LP_RULE_FROM_CLIENT | 1 << LP_RULE_FROM_BROKER,
};

/* What is being compiled: values of one field at a time. */
struct work {
	struct lp_rules_drafts *drafts;
	const struct lp_rules_names *names;
	const struct lp_rules_rule *rule;
	struct lp_rules_draft *draft;
	char *why;
	/* Those of the field that no other one of it covers. */
	const struct lp_rule_value *values[LP_RULE_VALUES_MAX];
	unsigned count;
};

static int reserve(struct lp_rules_drafts *drafts);
static bool is_connection_rule(const struct lp_rules_rule *rule);
static uint8_t owners(uint32_t fields);
static void begin(struct work *work);
static void keep_deniable(struct work *work);
static int add_field(struct work *work, unsigned field);
static void choose(struct work *work, unsigned field);
static bool covers(const struct lp_rule_match *match,
    const struct lp_rule_value *a, const struct lp_rule_value *b);
static int add_names(struct work *work, unsigned field);
static void add_addresses(struct work *work, unsigned field);
static int add_texts(struct work *work, unsigned field);
static void add_numbers(struct work *work, unsigned field);
static void add_apis(struct work *work);
static void add_acks(struct work *work);
static void add_from(struct work *work);
static void add_term(
    struct work *work, unsigned field, int64_t low, int64_t high);
static void add_value(
    struct work *work, struct lp_rules_value value, const void *bytes);
static int add_action(struct work *work);
static void copy_action(
    struct lp_rule_action *out, const struct lp_rule_action *action);

int
lp_rules_draft_add(struct lp_rules_drafts *drafts,
    const struct lp_rules_names *names, const struct lp_rules_rule *rule,
    char why[LP_WHY_SIZE])
{
	struct work work = {
	    .drafts = drafts, .names = names, .rule = rule, .why = why};
	uint64_t product = 1;
	int error;

	assert(rule->match->count <= LP_RULE_VALUES_MAX);
	if (drafts->drafts.count == LP_RULES_MAX)
		return lp_rules_draft_refuse(why, -ENOSPC, rule->id,
		    "there are %d rules already, which is the limit",
		    LP_RULES_MAX);
	if (reserve(drafts))
		return lp_rules_draft_refuse(
		    why, -ENOMEM, rule->id, "no memory");
	begin(&work);
	for (unsigned field = 0; field < LP_RULE_FIELD_COUNT; field++) {
		unsigned before = work.draft->value_count;

		error = add_field(&work, field);
		if (error)
			return error;
		if (work.draft->value_count > before)
			product *= work.draft->value_count - before;
	}
	if (rule->action->verdict == LP_RULE_DENY)
		keep_deniable(&work);
	if (product > LP_RULES_COMBINATIONS_MAX)
		return lp_rules_draft_refuse(why, -ENOSPC, rule->id,
		    "%llu combinations of its values, more than %d: split it",
		    (unsigned long long)product, LP_RULES_COMBINATIONS_MAX);
	if (drafts->part_count > LP_RULES_PARTS_MAX)
		return lp_rules_draft_refuse(why, -ENOSPC, rule->id,
		    "one more length of prefix than %d over all fields",
		    LP_RULES_PARTS_MAX);
	if (add_action(&work))
		return lp_rules_draft_refuse(
		    why, -ENOMEM, rule->id, "no memory");
	drafts->drafts.count++;
	return 0;
}

int
lp_rules_draft_refuse(
    char why[LP_WHY_SIZE], int error, uint32_t id, const char *format, ...)
{
	int len = snprintf(why, LP_WHY_SIZE, "rule %u: ", id);
	va_list args;

	va_start(args, format);
	vsnprintf(why + len, (size_t)(LP_WHY_SIZE - len), format, args);
	va_end(args);
	return error;
}

void
lp_rules_draft_free(struct lp_rules_drafts *drafts)
{
	free(drafts->drafts.items);
	free(drafts->values.items);
	free(drafts->bytes.items);
	free(drafts->terms.items);
	lp_rules_list_free_pool(&drafts->actions);
}

void
lp_rules_draft_answers(struct lp_rules *rules,
    const struct lp_rules_drafts *drafts, const struct lp_rules_draft *draft)
{
	const struct lp_rules_value *values =
	    (const struct lp_rules_value *)drafts->values.items + draft->values;
	const struct lp_rule_action *actions = drafts->actions.list.items;
	bool is_of_all = !(draft->condition.asks & LP_RULES_API_ASKED);
	bool limits = draft->row.verdict == LP_RULE_LIMIT &&
	    (draft->row.flags & LP_RULES_OF_TOPICS) != 0;
	bool recalls = actions[draft->row.action].per == LP_RULE_PER_CLIENT_ID;

	for (unsigned i = 0; i < draft->value_count; i++)
		recalls |= values[i].field == LP_RULE_CLIENT_ID ||
		    values[i].field == LP_RULE_GROUP ||
		    values[i].field == LP_RULE_TRANSACTIONAL_ID;
	for (int api = 0; (limits || recalls) && api < LP_RULES_APIS; api++) {
		uint64_t bit = UINT64_C(1) << api % 64;

		if (!lp_rule_limit_is_by_answer(api) ||
		    (!is_of_all && !(draft->condition.api[api / 64] & bit)))
			continue;
		if (limits)
			rules->limits_topics[api / 64] |= bit;
		if (recalls)
			rules->recalls[api / 64] |= bit;
	}
}

/* For all that a rule can need, so that nothing fails in the middle of it. */
static int
reserve(struct lp_rules_drafts *drafts)
{
	if (lp_rules_list_reserve(
		&drafts->drafts, sizeof(struct lp_rules_draft), 1) ||
	    lp_rules_list_reserve(&drafts->values,
		sizeof(struct lp_rules_value), LP_RULE_VALUES_MAX) ||
	    lp_rules_list_reserve(&drafts->bytes, 1,
		LP_RULE_MATCH_SIZE + 16 * LP_RULE_VALUES_MAX) ||
	    /* A field without any that can hold has one, too. */
	    lp_rules_list_reserve(&drafts->terms, sizeof(struct lp_rules_term),
		LP_RULE_VALUES_MAX + LP_RULE_FIELD_COUNT))
		return -ENOMEM;
	return 0;
}

static void
begin(struct work *work)
{
	const struct lp_rules_rule *rule = work->rule;
	struct lp_rules_drafts *drafts = work->drafts;
	struct lp_rules_draft *draft =
	    (struct lp_rules_draft *)drafts->drafts.items +
	    drafts->drafts.count;
	uint8_t verdict = rule->action->verdict;

	*draft = (struct lp_rules_draft){
	    .row = {.id = rule->id,
		.slot = rule->slot,
		.priority = rule->priority,
		.verdict = verdict},
	    .condition = {.terms = drafts->terms.count,
		.asks = 1 << LP_RULE_FROM_CLIENT},
	    .values = drafts->values.count,
	};
	if (rule->shadow)
		draft->row.flags |= LP_RULES_SHADOW;
	else if (verdict != LP_RULE_OBSERVE && verdict != LP_RULE_NO_CREATE)
		draft->row.flags |= LP_RULES_DECIDES;
	if (is_connection_rule(rule)) {
		draft->row.flags |= LP_RULES_OF_CONNECTION;
		draft->condition.asks = FROM_BOTH;
	}
	if (rule->action->has != 0)
		draft->row.flags |= LP_RULES_SENDS;
	if (verdict == LP_RULE_DENY &&
	    !(rule->match->fields & 1u << LP_RULE_API))
		draft->condition.asks |= LP_RULES_IF_DENIED;
	if (rule->match->fields & 1u << LP_RULE_TOPIC)
		draft->row.flags |= LP_RULES_OF_TOPICS;
	else
		draft->row.flags |= owners(rule->match->fields);
	work->draft = draft;
}

/* What it asks for that topics are in. */
static uint8_t
owners(uint32_t fields)
{
	return (
	    uint8_t)((fields & 1u << LP_RULE_GROUP ? LP_RULES_OF_GROUP : 0) |
	    (fields & 1u << LP_RULE_TRANSACTIONAL_ID ? LP_RULES_OF_TRANSACTION
						     : 0));
}

static bool
is_connection_rule(const struct lp_rules_rule *rule)
{
	switch (rule->action->verdict) {
	case LP_RULE_ALLOW:
	case LP_RULE_RESET:
	case LP_RULE_ROUTE:
	case LP_RULE_OBSERVE:
		return (rule->match->fields & REQUEST_FIELDS) == 0;
	default:
		return false;
	}
}

/* ---- fields -------------------------------------------------------------- */

static int
add_field(struct work *work, unsigned field)
{
	choose(work, field);
	if (work->count == 0)
		return 0;
	switch (field) {
	case LP_RULE_CLUSTER:
	case LP_RULE_LISTENER:
	case LP_RULE_PORT:
		return add_names(work, field);
	case LP_RULE_SRC:
	case LP_RULE_DST:
		add_addresses(work, field);
		return 0;
	case LP_RULE_FROM:
		add_from(work);
		return 0;
	case LP_RULE_API:
		add_apis(work);
		return 0;
	case LP_RULE_ACKS:
		add_acks(work);
		return 0;
	case LP_RULE_CLIENT_ID:
	case LP_RULE_PRINCIPAL:
	case LP_RULE_TOPIC:
	case LP_RULE_GROUP:
	case LP_RULE_TRANSACTIONAL_ID:
		return add_texts(work, field);
	default:
		add_numbers(work, field);
		return 0;
	}
}

/*
 * What another value covers is left out: those that stay exclude each other,
 * where they are not ranges, so that one entry of a rule holds at most.
 */
static void
choose(struct work *work, unsigned field)
{
	const struct lp_rule_match *match = work->rule->match;

	work->count = 0;
	for (unsigned i = 0; i < match->count; i++) {
		const struct lp_rule_value *value = &match->values[i];
		bool covered = false;

		if (value->field != field)
			continue;
		for (unsigned j = 0; j < match->count && !covered; j++) {
			const struct lp_rule_value *other = &match->values[j];

			/* Of equal ones the first. */
			covered = j != i && other->field == field &&
			    covers(match, other, value) &&
			    (j < i || !covers(match, value, other));
		}
		if (!covered)
			work->values[work->count++] = value;
	}
}

static bool
covers(const struct lp_rule_match *match, const struct lp_rule_value *a,
    const struct lp_rule_value *b)
{
	switch (a->kind) {
	case LP_RULE_RANGE:
		return a->low <= b->low && b->high <= a->high;
	case LP_RULE_ADDRESS:
		return lp_ip_is_v4(&a->prefix.ip) ==
		    lp_ip_is_v4(&b->prefix.ip) &&
		    a->prefix.len <= b->prefix.len &&
		    lp_prefix_contains(&a->prefix, &b->prefix.ip);
	case LP_RULE_PREFIX:
		return a->len <= b->len &&
		    memcmp(match->text + a->text, match->text + b->text,
			a->len) == 0;
	default:
		return b->kind == LP_RULE_EXACT && a->len == b->len &&
		    memcmp(match->text + a->text, match->text + b->text,
			a->len) == 0;
	}
}

static int
add_names(struct work *work, unsigned field)
{
	static const char *const words[] = {
	    [LP_RULE_CLUSTER] = "cluster",
	    [LP_RULE_LISTENER] = "listener",
	    [LP_RULE_PORT] = "port",
	};

	for (unsigned i = 0; i < work->count; i++) {
		const struct lp_rule_value *value = work->values[i];
		const char *name = work->rule->match->text + value->text;
		uint32_t id = work->names->find(
		    work->names->context, field, name, value->len);

		if (id == 0)
			return lp_rules_draft_refuse(work->why, -ENOENT,
			    work->rule->id, "there is no %s \"%.*s\"",
			    words[field], value->len, name);
		add_value(work,
		    (struct lp_rules_value){.field = (uint8_t)field,
			.kind = LP_RULES_NUMBER,
			.at = id},
		    NULL);
	}
	return 0;
}

static void
add_addresses(struct work *work, unsigned field)
{
	for (unsigned i = 0; i < work->count; i++) {
		const struct lp_prefix *prefix = &work->values[i]->prefix;
		bool v4 = lp_ip_is_v4(&prefix->ip);

		add_value(work,
		    (struct lp_rules_value){.field = (uint8_t)field,
			.kind = v4 ? LP_RULES_V4 : LP_RULES_V6,
			.len = (uint16_t)(prefix->len + (v4 ? 96 : 0)),
			.size = sizeof(prefix->ip)},
		    &prefix->ip);
	}
}

static int
add_texts(struct work *work, unsigned field)
{
	for (unsigned i = 0; i < work->count; i++) {
		const struct lp_rule_value *value = work->values[i];
		bool exact = value->kind == LP_RULE_EXACT;
		const char *text = work->rule->match->text + value->text;

		if (value->len > LP_RULES_TEXT_MAX)
			return lp_rules_draft_refuse(work->why, -EINVAL,
			    work->rule->id,
			    "\"%.16s...\" has %u bytes, and of a request's "
			    "texts only %d are read",
			    text, value->len, LP_RULES_TEXT_MAX);
		add_value(work,
		    (struct lp_rules_value){.field = (uint8_t)field,
			.kind = exact ? LP_RULES_EXACT : LP_RULES_PREFIX,
			.len = exact ? 0 : value->len,
			.size = value->len},
		    text);
	}
	return 0;
}

/* A key where it is one number of a connection; else ranges to be asked. */
static void
add_numbers(struct work *work, unsigned field)
{
	const struct lp_rule_value *value = work->values[0];

	if (work->count == 1 && value->low == value->high && value->low >= 0 &&
	    value->low <= UINT32_MAX && field < LP_RULE_FROM) {
		add_value(work,
		    (struct lp_rules_value){.field = (uint8_t)field,
			.kind = LP_RULES_NUMBER,
			.at = (uint32_t)value->low},
		    NULL);
		return;
	}
	for (unsigned i = 0; i < work->count; i++)
		add_term(
		    work, field, work->values[i]->low, work->values[i]->high);
}

static void
add_apis(struct work *work)
{
	struct lp_rules_draft *draft = work->draft;

	draft->condition.asks |= LP_RULES_API_ASKED;
	for (unsigned i = 0; i < work->count; i++) {
		const struct lp_rule_value *value = work->values[i];

		for (int64_t api = 0; api < LP_RULES_APIS; api++)
			if (api >= value->low && api <= value->high)
				draft->condition.api[api / 64] |= UINT64_C(1)
				    << api % 64;
		if (value->high < LP_RULES_APIS)
			continue;
		/* Those that have a bit have it asked already. */
		if ((draft->condition.asks & LP_RULES_API_TERMS) == 0)
			add_term(work, LP_RULE_API, 0, LP_RULES_APIS - 1);
		draft->condition.asks |= LP_RULES_API_TERMS;
		add_term(work, LP_RULE_API,
		    value->low < LP_RULES_APIS ? LP_RULES_APIS : value->low,
		    value->high);
	}
}

/*
 * A deny holds for what can be denied alone (lp_rule_check()).  Keys without a
 * bit nobody has.
 */
static void
keep_deniable(struct work *work)
{
	struct lp_rules_condition *condition = &work->draft->condition;
	uint64_t *deniable = work->drafts->deniable;
	bool is_of_all = !(condition->asks & LP_RULES_API_ASKED);

	if (deniable[0] == 0)
		for (int64_t api = 0; api < LP_RULES_APIS; api++)
			if (lp_rule_deny_versions(api) != 0)
				deniable[api / 64] |= UINT64_C(1) << api % 64;
	for (int i = 0; i < LP_RULES_APIS / 64; i++)
		condition->api[i] =
		    is_of_all ? deniable[i] : condition->api[i] & deniable[i];
	condition->asks |= LP_RULES_API_ASKED;
	condition->asks &= (uint16_t)~LP_RULES_API_TERMS;
}

static void
add_acks(struct work *work)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < work->count; i++)
		for (int acks = -1; acks <= 1; acks++)
			if (acks >= work->values[i]->low &&
			    acks <= work->values[i]->high)
				bits |= 1u << (LP_RULES_ACKS_SHIFT + 1 + acks);
	work->draft->condition.asks |= (uint16_t)bits;
	/* No bit would mean that it is not asked. */
	if (bits == 0)
		add_term(work, LP_RULE_ACKS, 1, 0);
}

static void
add_from(struct work *work)
{
	work->draft->condition.asks &= (uint16_t)~LP_RULES_FROM_MASK;
	for (unsigned i = 0; i < work->count; i++)
		for (unsigned from = 0; from <= LP_RULE_FROM_BROKER; from++)
			if (from >= work->values[i]->low &&
			    from <= work->values[i]->high)
				work->draft->condition.asks |=
				    (uint16_t)(1u << from);
}

/* One that holds for no number stays, as one that holds for none. */
static void
add_term(struct work *work, unsigned field, int64_t low, int64_t high)
{
	struct lp_rules_list *terms = &work->drafts->terms;
	struct lp_rules_term *term =
	    (struct lp_rules_term *)terms->items + terms->count++;

	if (high < 0 || low > UINT32_MAX || low > high) {
		low = 1;
		high = 0;
	}
	term->low = low < 0 ? 0 : (uint32_t)low;
	term->high = high > UINT32_MAX ? UINT32_MAX : (uint32_t)high;
	term->field = field;
	assert(terms->count <= terms->room);
	work->draft->condition.term_count++;
	if (field < LP_RULE_FROM)
		work->draft->connection_terms++;
}

static void
add_value(struct work *work, struct lp_rules_value value, const void *bytes)
{
	struct lp_rules_drafts *drafts = work->drafts;
	bool *has_part = &drafts->has_part[value.field][lp_rules_draft_kind(
	    value.kind)][value.len];

	if (value.kind != LP_RULES_NUMBER) {
		value.at = drafts->bytes.count;
		memcpy((uint8_t *)drafts->bytes.items + value.at, bytes,
		    value.size);
		drafts->bytes.count += value.size;
		assert(drafts->bytes.count <= drafts->bytes.room);
	}
	((struct lp_rules_value *)
		drafts->values.items)[drafts->values.count++] = value;
	work->draft->value_count++;
	drafts->part_count += !*has_part;
	*has_part = true;
}

/* ---- actions ------------------------------------------------------------- */

static int
add_action(struct work *work)
{
	struct lp_rule_action action;

	copy_action(&action, work->rule->action);
	return lp_rules_list_intern(&work->drafts->actions, sizeof(action),
	    &action, &work->draft->row.action);
}

/* Equal ones are then equal in memory. */
static void
copy_action(struct lp_rule_action *out, const struct lp_rule_action *action)
{
	memset(out, 0, sizeof(*out));
	out->verdict = action->verdict;
	out->per = action->per;
	out->has = action->has;
	out->priority = action->priority;
	out->dscp = action->dscp;
	out->max_throttle_ms = action->max_throttle_ms;
	out->requests_per_s = action->requests_per_s;
	out->bytes_per_s = action->bytes_per_s;
	out->burst_bytes = action->burst_bytes;
	out->broker = action->broker;
	memcpy(out->mirror, action->mirror,
	    strnlen(action->mirror, sizeof(out->mirror) - 1));
}
