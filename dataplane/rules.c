/* SPDX-License-Identifier: Apache-2.0 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/rules.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/pipeline/rules_hash.h"
#include "dataplane/rules_draft.h"
#include "dataplane/rules_table.h"

enum {
	CONNECTION_FIELDS = (1 << LP_RULE_FROM) - 1,
	ALL_FIELDS = (1 << LP_RULE_FIELD_COUNT) - 1,
	SEEDS_MAX = 4, /* of 2^21 keys: each fails once in 2^23 times */
	/* What lp_rule_deny_code() says of them. */
	OF_GROUP = 30,
	OF_TRANSACTION = 53,
};

struct lp_rules_builder {
	uint64_t seed;
	struct lp_rules_names names;
	struct lp_rules_drafts drafts;
	struct lp_rules_tables tables;
	/* Index of each part, in the places of drafts.has_part. */
	uint16_t part[LP_RULE_FIELD_COUNT][2][LP_RULES_TEXT_MAX + 1];
	struct lp_rules_put put;
	bool passes; /* a row so far lets some requests pass */
	uint32_t seeds; /* that two keys had the same hash with */
};

/* Where a rule stands in the order. */
struct rank {
	uint32_t id;
	uint32_t draft;
	uint16_t priority;
};

/* The values of one field, and which of them it is the turn of. */
struct wheel {
	const struct lp_rules_value *values;
	uint8_t count;
	uint8_t at;
};

static int compile(
    struct lp_rules **out, struct lp_rules_builder *builder, char *why);
static bool again(struct lp_rules_builder *builder);
static void note_deniable(struct lp_rules *rules, int api);
static int number_parts(
    struct lp_rules *rules, struct lp_rules_builder *builder);
static void number_field(
    struct lp_rules *rules, struct lp_rules_builder *builder, unsigned field);
static void note_api(
    struct lp_rules *rules, const struct lp_rules_draft *draft, int api);
static void note(struct lp_rules *rules, struct lp_rules_builder *builder,
    const struct lp_rules_draft *draft);
static int make_rows(struct lp_rules *rules, struct lp_rules_builder *builder,
    struct rank *ranks, char *why);
static void sort(
    struct rank *ranks, const struct lp_rules_draft *drafts, uint32_t count);
static int compare(const void *a, const void *b);
static int add_rule(struct lp_rules_builder *builder,
    const struct lp_rules_draft *draft, uint32_t row, char *why);
static bool lets_pass(const struct lp_rules_draft *draft);
static int expand(struct lp_rules_builder *builder,
    const struct lp_rules_draft *draft, uint32_t row,
    enum lp_rules_table_kind kind, char *why);
static unsigned make_wheels(const struct lp_rules_builder *builder,
    const struct lp_rules_draft *draft, uint32_t fields,
    struct wheel wheels[LP_RULES_PARTS_PER_TUPLE]);
static void make_put(struct lp_rules_builder *builder,
    const struct wheel *wheels, unsigned count);
static void add_part(
    struct lp_rules_builder *builder, const struct lp_rules_value *value);
static uint64_t hash_value(
    const struct lp_rules_builder *builder, const struct lp_rules_value *value);
static void take_rest(struct lp_rules *rules, struct lp_rules_drafts *drafts);

int
lp_rules_new(struct lp_rules_builder **out, uint64_t seed,
    const struct lp_rules_names *names)
{
	struct lp_rules_builder *builder = calloc(1, sizeof(*builder));

	if (builder == NULL)
		return -ENOMEM;
	builder->seed = seed;
	builder->names = *names;
	*out = builder;
	return 0;
}

int
lp_rules_add(struct lp_rules_builder *builder, const struct lp_rules_rule *rule,
    char why[LP_WHY_SIZE])
{
	return lp_rules_draft_add(&builder->drafts, &builder->names, rule, why);
}

int
lp_rules_build(struct lp_rules **out, struct lp_rules_builder *builder,
    char why[LP_WHY_SIZE])
{
	int error;

	/* With another seed no two keys have the same hash. */
	do {
		snprintf(why, LP_WHY_SIZE, "no memory for rules");
		error = compile(out, builder, why);
	} while (error == -EAGAIN && again(builder));
	if (error == -EAGAIN)
		snprintf(why, LP_WHY_SIZE,
		    "two values of rules have the same hash, with each of %d "
		    "seeds",
		    SEEDS_MAX);
	return error;
}

void
lp_rules_discard(struct lp_rules_builder *builder)
{
	if (builder == NULL)
		return;
	lp_rules_draft_free(&builder->drafts);
	lp_rules_table_free(&builder->tables);
	free(builder);
}

void
lp_rules_free(struct lp_rules *rules)
{
	if (rules == NULL)
		return;
	for (unsigned i = 0; i < LP_RULES_TABLES; i++)
		free(rules->tables[i].tuples);
	free(rules->filters);
	free(rules->places);
	free(rules->words);
	free(rules->conditions);
	free(rules->terms);
	free(rules->rows);
	free(rules->actions);
	free(rules->parts);
	free(rules);
}

/* ---- all of it ----------------------------------------------------------- */

static int
compile(struct lp_rules **out, struct lp_rules_builder *builder, char *why)
{
	struct lp_rules *rules = calloc(1, sizeof(*rules));
	struct rank *ranks =
	    calloc(builder->drafts.drafts.count + 1, sizeof(*ranks));
	int error = -ENOMEM;

	if (rules == NULL || ranks == NULL)
		goto out;
	rules->seed = builder->seed;
	for (int api = 0; api < LP_RULES_APIS; api++)
		note_deniable(rules, api);
	error = number_parts(rules, builder);
	if (error)
		goto out;
	error = make_rows(rules, builder, ranks, why);
	if (error)
		goto out;
	error = lp_rules_table_freeze(rules, &builder->tables);
	if (error)
		goto out;
	take_rest(rules, &builder->drafts);
	rules->many = rules->tables[LP_RULES_REQUEST_DECIDES].count +
		rules->tables[LP_RULES_REQUEST_SEES].count >
	    LP_RULES_TUPLES_MANY;
	*out = rules;
	rules = NULL;
out:
	free(ranks);
	lp_rules_free(rules);
	return error;
}

/* As it was before the rules were compiled, with the next seed. */
static bool
again(struct lp_rules_builder *builder)
{
	if (++builder->seeds == SEEDS_MAX)
		return false;
	builder->seed = lp_rules_hash_number(builder->seed, 0, builder->seeds);
	builder->passes = false;
	lp_rules_table_free(&builder->tables);
	memset(&builder->tables, 0, sizeof(builder->tables));
	return true;
}

/* What can be done of that API. */
static void
note_deniable(struct lp_rules *rules, int api)
{
	uint32_t versions = lp_rule_deny_versions(api);
	uint64_t bit = UINT64_C(1) << api % 64;

	rules->deniable[api] = versions;
	if (lp_rule_deny_is_by_index(api)) {
		rules->by_index[api] = versions;
		if (lp_rule_deny_code(api, 1u << LP_RULE_GROUP) == OF_GROUP)
			rules->tells_group[api / 64] |= bit;
		if (lp_rule_deny_code(api, 1u << LP_RULE_TRANSACTIONAL_ID) ==
		    OF_TRANSACTION)
			rules->tells_transaction[api / 64] |= bit;
	}
	if (lp_rule_deny_is_by_name(api))
		rules->by_name[api] = versions;
	if (lp_rule_deny_is_by_answer(api))
		rules->by_answer[api] = versions;
	if (lp_rule_deny_is_whole(api))
		rules->by_whole[api] = versions;
	if (lp_rule_limit_fault(api) != NULL)
		rules->unlimited[api / 64] |= bit;
}

/* ---- parts and rows ------------------------------------------------------ */

static int
number_parts(struct lp_rules *rules, struct lp_rules_builder *builder)
{
	size_t count = builder->drafts.part_count;

	rules->parts = calloc(count + 1, sizeof(*rules->parts));
	if (rules->parts == NULL)
		return -ENOMEM;
	rules->size_bytes =
	    sizeof(*rules) + (count + 1) * sizeof(*rules->parts);
	for (unsigned field = 1; field < LP_RULE_FIELD_COUNT; field++) {
		number_field(rules, builder, field - 1);
		rules->part_first[field] =
		    (uint16_t)(rules->part_first[field - 1] +
			rules->part_count[field - 1]);
	}
	/* The last field is no part. */
	assert(rules->part_first[LP_RULE_FIELD_COUNT - 1] == count);
	return 0;
}

static void
number_field(
    struct lp_rules *rules, struct lp_rules_builder *builder, unsigned field)
{
	static const uint8_t text_kinds[] = {LP_RULES_EXACT, LP_RULES_PREFIX};
	static const uint8_t ip_kinds[] = {LP_RULES_V4, LP_RULES_V6};
	unsigned first = rules->part_first[field], count = 0;

	for (unsigned kind = 0; kind < 2; kind++)
		for (unsigned len = 0; len <= LP_RULES_TEXT_MAX; len++) {
			struct lp_rules_part *part =
			    &rules->parts[first + count];

			if (!builder->drafts.has_part[field][kind][len])
				continue;
			part->field = (uint8_t)field;
			part->len = (uint16_t)len;
			if (field == LP_RULE_SRC || field == LP_RULE_DST)
				part->kind = ip_kinds[kind];
			else if (field > LP_RULE_FROM)
				part->kind = text_kinds[kind];
			builder->part[field][kind][len] =
			    (uint16_t)(first + count++);
		}
	rules->part_count[field] = (uint16_t)count;
}

/* What is known of all rules. */
static void
note(struct lp_rules *rules, struct lp_rules_builder *builder,
    const struct lp_rules_draft *draft)
{
	const struct lp_rules_row *row = &draft->row;
	const struct lp_rule_action *actions =
	    builder->drafts.actions.list.items;
	bool is_of_all = !(draft->condition.asks & LP_RULES_API_ASKED);
	bool acts = !(row->flags & LP_RULES_SHADOW) &&
	    (row->verdict == LP_RULE_DENY || row->verdict == LP_RULE_RESET ||
		row->verdict == LP_RULE_LIMIT ||
		row->verdict == LP_RULE_NO_CREATE);

	rules->sends |= (row->flags & LP_RULES_SENDS) != 0;
	rules->prioritizes |= !(row->flags & LP_RULES_SHADOW) &&
	    (actions[row->action].has & LP_RULE_HAS_PRIORITY) != 0;
	/* A reset of connections waits for what is let pass before it. */
	rules->acts |= acts && builder->passes;
	if (row->flags & LP_RULES_OF_CONNECTION)
		return;
	builder->passes |= lets_pass(draft);
	rules->has_requests = true;
	rules->has_general_deny |=
	    (draft->condition.asks & LP_RULES_IF_DENIED) != 0;
	rules->acts |= acts;
	rules->limits |= acts && row->verdict == LP_RULE_LIMIT;
	lp_rules_draft_answers(rules, &builder->drafts, draft);
	for (int api = 0; acts && api < LP_RULES_APIS; api++)
		if (is_of_all ||
		    (draft->condition.api[api / 64] >> api % 64 & 1) != 0)
			note_api(rules, draft, api);
}

/* One of the APIs that a rule acts on. */
static void
note_api(struct lp_rules *rules, const struct lp_rules_draft *draft, int api)
{
	const struct lp_rules_row *row = &draft->row;
	bool is_left = (draft->condition.asks & LP_RULES_IF_DENIED) != 0 &&
	    !lp_rule_deny_is_by_part(api) && !lp_rule_deny_is_by_answer(api);

	if ((row->flags & LP_RULES_OF_TOPICS) != 0 && !is_left)
		rules->acts_on_topics[api / 64] |= UINT64_C(1) << api % 64;
	if (row->verdict == LP_RULE_DENY)
		rules->denies[api / 64] |= UINT64_C(1) << api % 64;
}

static int
make_rows(struct lp_rules *rules, struct lp_rules_builder *builder,
    struct rank *ranks, char *why)
{
	const struct lp_rules_draft *drafts = builder->drafts.drafts.items;
	uint32_t count = builder->drafts.drafts.count;

	rules->rows = calloc(count + 1, sizeof(*rules->rows));
	if (rules->rows == NULL)
		return -ENOMEM;
	rules->row_count = count;
	rules->size_bytes += count * sizeof(*rules->rows);
	sort(ranks, drafts, count);
	builder->tables.terms = builder->drafts.terms.items;
	for (uint32_t row = 0; row < count; row++) {
		const struct lp_rules_draft *draft = &drafts[ranks[row].draft];
		int error;

		if (row > 0 && compare(&ranks[row - 1], &ranks[row]) == 0)
			return lp_rules_draft_refuse(
			    why, -EEXIST, draft->row.id, "is there twice");
		rules->rows[row] = draft->row;
		note(rules, builder, draft);
		error = add_rule(builder, draft, row, why);
		if (error)
			return error;
	}
	return 0;
}

static void
sort(struct rank *ranks, const struct lp_rules_draft *drafts, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		ranks[i].id = drafts[i].row.id;
		ranks[i].priority = drafts[i].row.priority;
		ranks[i].draft = i;
	}
	qsort(ranks, count, sizeof(*ranks), compare);
}

static int
compare(const void *a, const void *b)
{
	const struct rank *left = a, *right = b;

	if (left->priority != right->priority)
		return left->priority > right->priority ? -1 : 1;
	return (left->id > right->id) - (left->id < right->id);
}

/* The terms and the actions are what they were while rules came in. */
static void
take_rest(struct lp_rules *rules, struct lp_rules_drafts *drafts)
{
	rules->terms = drafts->terms.items;
	rules->asks_size = rules->part_count[LP_RULE_FRAME_SIZE] > 0;
	for (uint32_t i = 0; i < drafts->terms.count; i++)
		rules->asks_size |= rules->terms[i].field == LP_RULE_FRAME_SIZE;
	rules->actions = drafts->actions.list.items;
	rules->action_count = drafts->actions.list.count;
	rules->size_bytes += drafts->terms.room * sizeof(*rules->terms) +
	    drafts->actions.list.room * sizeof(*rules->actions);
	drafts->terms.items = NULL;
	drafts->actions.list.items = NULL;
}

/* ---- entries ------------------------------------------------------------- */

static int
add_rule(struct lp_rules_builder *builder, const struct lp_rules_draft *draft,
    uint32_t row, char *why)
{
	bool decides = (draft->row.flags & LP_RULES_DECIDES) != 0;
	int error;

	error = expand(builder, draft, row,
	    decides ? LP_RULES_REQUEST_DECIDES : LP_RULES_REQUEST_SEES, why);
	if (error)
		return error;
	if ((draft->row.flags & (LP_RULES_OF_CONNECTION | LP_RULES_SENDS)) != 0)
		return expand(builder, draft, row,
		    decides ? LP_RULES_CONNECTION_DECIDES
			    : LP_RULES_CONNECTION_SEES,
		    why);
	return lets_pass(draft)
	    ? expand(builder, draft, row, LP_RULES_CONNECTION_LATER, why)
	    : 0;
}

static bool
lets_pass(const struct lp_rules_draft *draft)
{
	return (draft->row.flags & LP_RULES_DECIDES) != 0 &&
	    (draft->row.verdict == LP_RULE_ALLOW ||
		draft->row.verdict == LP_RULE_LIMIT);
}

/* Every combination of its values that the table asks for. */
static int
expand(struct lp_rules_builder *builder, const struct lp_rules_draft *draft,
    uint32_t row, enum lp_rules_table_kind kind, char *why)
{
	bool whole =
	    kind == LP_RULES_REQUEST_DECIDES || kind == LP_RULES_REQUEST_SEES;
	struct lp_rules_put *put = &builder->put;
	struct wheel wheels[LP_RULES_PARTS_PER_TUPLE];
	unsigned count = make_wheels(
	    builder, draft, whole ? ALL_FIELDS : CONNECTION_FIELDS, wheels);
	unsigned turned;

	put->row = row;
	put->condition = draft->condition;
	if (!whole)
		put->condition = (struct lp_rules_condition){
		    .terms = draft->condition.terms,
		    .term_count = draft->connection_terms,
		    .asks = LP_RULES_FROM_MASK,
		};
	/* So that those without are equal. */
	if (put->condition.term_count == 0)
		put->condition.terms = 0;
	do {
		int error;

		make_put(builder, wheels, count);
		error = lp_rules_table_put(&builder->tables, kind, put);
		if (error == -ENOSPC)
			return lp_rules_draft_refuse(why, -ENOSPC,
			    draft->row.id,
			    "one more combination of fields and lengths of "
			    "prefixes than %d over all rules",
			    LP_RULES_TUPLES_MAX);
		if (error == -E2BIG)
			return lp_rules_draft_refuse(why, -ENOSPC,
			    draft->row.id,
			    "one more combination of values than %d over all "
			    "rules",
			    LP_RULES_ENTRIES_MAX);
		if (error)
			return error;
		for (turned = 0; turned < count; turned++) {
			if (++wheels[turned].at < wheels[turned].count)
				break;
			wheels[turned].at = 0;
		}
	} while (turned < count);
	return 0;
}

/* One for each field that the rule has a value of. */
static unsigned
make_wheels(const struct lp_rules_builder *builder,
    const struct lp_rules_draft *draft, uint32_t fields,
    struct wheel wheels[LP_RULES_PARTS_PER_TUPLE])
{
	const struct lp_rules_value *values =
	    (const struct lp_rules_value *)builder->drafts.values.items +
	    draft->values;
	unsigned count = 0;

	for (unsigned i = 0; i < draft->value_count; i++) {
		if ((1u << values[i].field & fields) == 0)
			continue;
		if (count == 0 ||
		    wheels[count - 1].values->field != values[i].field) {
			assert(count < LP_RULES_PARTS_PER_TUPLE);
			wheels[count++] = (struct wheel){.values = &values[i]};
		}
		wheels[count - 1].count++;
	}
	return count;
}

static void
make_put(struct lp_rules_builder *builder, const struct wheel *wheels,
    unsigned count)
{
	struct lp_rules_put *put = &builder->put;

	memset(put->parts, 0, sizeof(put->parts));
	put->part_count = 0;
	put->fields = 0;
	put->hash = 0;
	put->key_size = 0;
	for (unsigned i = 0; i < count; i++)
		add_part(builder, &wheels[i].values[wheels[i].at]);
}

/* As is_key() of pipeline/rules.c reads it. */
static void
add_part(struct lp_rules_builder *builder, const struct lp_rules_value *value)
{
	struct lp_rules_put *put = &builder->put;
	const uint8_t *bytes =
	    (const uint8_t *)builder->drafts.bytes.items + value->at;
	uint8_t *at = put->key + put->key_size;

	put->parts[put->part_count++] =
	    builder->part[value->field][lp_rules_draft_kind(value->kind)]
			 [value->len];
	put->fields |= 1u << value->field;
	put->hash ^= hash_value(builder, value);
	switch (value->kind) {
	case LP_RULES_NUMBER:
		memcpy(at, &value->at, sizeof(value->at));
		at += sizeof(value->at);
		break;
	case LP_RULES_EXACT:
		memcpy(at, &value->size, sizeof(value->size));
		at += sizeof(value->size);
		/* fall through */
	default:
		memcpy(at, bytes, value->size);
		at += value->size;
	}
	assert(at <= put->key + sizeof(put->key));
	put->key_size = (uint32_t)(at - put->key);
}

static uint64_t
hash_value(
    const struct lp_rules_builder *builder, const struct lp_rules_value *value)
{
	uint64_t seed = builder->seed, hash;
	const uint8_t *bytes =
	    (const uint8_t *)builder->drafts.bytes.items + value->at;
	struct lp_ip ip;

	switch (value->kind) {
	case LP_RULES_NUMBER:
		return lp_rules_hash_number(seed, value->field, value->at);
	case LP_RULES_EXACT:
		return lp_rules_hash_text(
		    seed, value->field, bytes, value->size);
	case LP_RULES_PREFIX:
		hash = lp_rules_hash_seed(seed, value->field);
		for (unsigned i = 0; i < value->size; i++)
			hash = lp_rules_hash_byte(hash, bytes[i]);
		return lp_rules_hash_end(hash, value->size);
	default:
		memcpy(ip.bytes, bytes, sizeof(ip.bytes));
		return lp_rules_hash_ip(seed, value->field, &ip, value->len);
	}
}
