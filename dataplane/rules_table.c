/* SPDX-License-Identifier: Apache-2.0 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/rules_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dataplane/pipeline/rules_hash.h"
#include "dataplane/rules_places.h"

enum {
	SLOTS_MIN = 4,
	WORD = sizeof(uint64_t),
	LINE = 64,
	LINE_WORDS = LINE / WORD,
	LARGE_PAGE = 2 << 20,
};

static struct lp_rules_tuple_draft *find_tuple(
    struct lp_rules_table_draft *table, const struct lp_rules_put *put,
    int *error);
static int add_tuple(
    struct lp_rules_table_draft *table, const struct lp_rules_put *put);
static int make_room(struct lp_rules_tuple_draft *tuple);
static struct lp_rules_grown *find_slot(const struct lp_rules_tables *tables,
    const struct lp_rules_tuple_draft *tuple, const struct lp_rules_put *put);
static bool is_covered(const struct lp_rules_tables *tables,
    const struct lp_rules_condition *condition,
    const struct lp_rules_condition *by);
static const struct lp_rules_condition *condition_of(
    const struct lp_rules_tables *tables, const struct lp_rules_entry *entry);
static int add_entry(struct lp_rules_tables *tables,
    const struct lp_rules_put *put, uint32_t key_size, uint32_t *at);
static void pad(struct lp_rules_list *list, uint32_t words);
static struct lp_rules_entry *entry_at(
    const struct lp_rules_tables *tables, uint32_t at);
static void *take(size_t size_bytes);
static int freeze_tuples(struct lp_rules *rules, unsigned kind,
    const struct lp_rules_list *tuples, uint32_t *words, uint32_t *places);
static int freeze_keys(
    struct lp_rules *rules, unsigned kind, const struct lp_rules_list *tuples);
static int freeze_tuple(struct lp_rules *rules,
    const struct lp_rules_tuple *tuple,
    const struct lp_rules_tuple_draft *draft);

int
lp_rules_table_put(struct lp_rules_tables *tables,
    enum lp_rules_table_kind kind, const struct lp_rules_put *put)
{
	int error = 0;
	bool sees =
	    kind == LP_RULES_CONNECTION_SEES || kind == LP_RULES_REQUEST_SEES;
	struct lp_rules_tuple_draft *tuple =
	    find_tuple(&tables->table[kind], put, &error);
	struct lp_rules_grown *slot;
	uint32_t at;

	if (tuple == NULL)
		return error;
	if (make_room(tuple))
		return -ENOMEM;
	slot = find_slot(tables, tuple, put);
	if (slot->entry != 0 && !sees &&
	    is_covered(tables, &put->condition,
		condition_of(tables, entry_at(tables, slot->last))))
		return 0;
	error =
	    add_entry(tables, put, slot->entry == 0 ? put->key_size : 0, &at);
	if (error)
		return error;
	if (slot->entry == 0) {
		slot->hash = put->hash;
		slot->key_size = put->key_size;
		slot->entry = at;
		tuple->used++;
	} else {
		entry_at(tables, slot->last)->next = at;
	}
	slot->last = at;
	if (++slot->length > tables->chain_max)
		tables->chain_max = slot->length;
	return 0;
}

int
lp_rules_table_freeze(struct lp_rules *rules, struct lp_rules_tables *tables)
{
	uint32_t words = 0, places = 0;

	for (unsigned i = 0; i < LP_RULES_TABLES; i++)
		if (freeze_tuples(
			rules, i, &tables->table[i].tuples, &words, &places))
			return -ENOMEM;
	rules->filters = take(words * sizeof(*rules->filters));
	rules->places = take(places * sizeof(*rules->places));
	rules->words = take(tables->words.count * WORD);
	if (rules->filters == NULL || rules->places == NULL ||
	    rules->words == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < LP_RULES_TABLES; i++) {
		int error = freeze_keys(rules, i, &tables->table[i].tuples);

		if (error)
			return error;
	}
	if (tables->words.count > 0)
		memcpy(rules->words, tables->words.items,
		    tables->words.count * WORD);
	rules->conditions = tables->conditions.list.items;
	tables->conditions.list.items = NULL;
	rules->entry_count = tables->entry_count;
	rules->chain_max = tables->chain_max;
	rules->size_bytes += words * sizeof(*rules->filters) +
	    places * sizeof(*rules->places) + tables->words.count * WORD +
	    tables->conditions.list.room * sizeof(*rules->conditions);
	return 0;
}

/*
 * Zeroed, and of whole lines.  What is large is asked for in large pages: a
 * look at any place of it then needs no walk through page tables, which lie as
 * far away as the place itself.
 */
static void *
take(size_t size_bytes)
{
	size_t align = size_bytes < LARGE_PAGE ? LINE : LARGE_PAGE;
	size_t whole = (size_bytes / align + 1) * align;
	void *memory = aligned_alloc(align, whole);

	if (memory == NULL)
		return NULL;
	if (align == LARGE_PAGE)
		(void)madvise(memory, whole, MADV_HUGEPAGE);
	return memset(memory, 0, whole);
}

void
lp_rules_table_free(struct lp_rules_tables *tables)
{
	for (unsigned i = 0; i < LP_RULES_TABLES; i++) {
		struct lp_rules_list *tuples = &tables->table[i].tuples;
		struct lp_rules_tuple_draft *tuple = tuples->items;

		for (uint32_t j = 0; j < tuples->count; j++)
			free(tuple[j].slots);
		free(tuples->items);
	}
	free(tables->words.items);
	lp_rules_list_free_pool(&tables->conditions);
}

/* NULL and an error, if it is a new one and has no place. */
static struct lp_rules_tuple_draft *
find_tuple(struct lp_rules_table_draft *table, const struct lp_rules_put *put,
    int *error)
{
	size_t size = put->part_count * sizeof(put->parts[0]);
	uint64_t hash = XXH3_64bits(put->parts, size);
	uint32_t at = (uint32_t)hash % LP_RULES_TUPLE_INDEX;
	struct lp_rules_tuple_draft *tuples = table->tuples.items;

	while (table->index[at] != 0) {
		const struct lp_rules_tuple *tuple =
		    &tuples[table->index[at] - 1].tuple;

		if (tuple->part_count == put->part_count &&
		    memcmp(tuple->parts, put->parts, size) == 0)
			return &tuples[table->index[at] - 1];
		at = (at + 1) % LP_RULES_TUPLE_INDEX;
	}
	*error = add_tuple(table, put);
	if (*error)
		return NULL;
	table->index[at] = (uint16_t)table->tuples.count;
	tuples = table->tuples.items;
	return &tuples[table->tuples.count - 1];
}

static int
add_tuple(struct lp_rules_table_draft *table, const struct lp_rules_put *put)
{
	struct lp_rules_tuple_draft *tuple;

	if (table->tuples.count == LP_RULES_TUPLES_MAX)
		return -ENOSPC;
	if (lp_rules_list_reserve(&table->tuples, sizeof(*tuple), 1))
		return -ENOMEM;
	tuple = (struct lp_rules_tuple_draft *)table->tuples.items +
	    table->tuples.count;
	memset(tuple, 0, sizeof(*tuple));
	tuple->tuple.first_row = put->row;
	tuple->tuple.fields = put->fields;
	tuple->tuple.part_count = put->part_count;
	memcpy(tuple->tuple.parts, put->parts, sizeof(put->parts));
	tuple->slots = calloc(SLOTS_MIN, sizeof(*tuple->slots));
	if (tuple->slots == NULL)
		return -ENOMEM;
	tuple->mask = SLOTS_MIN - 1;
	table->tuples.count++;
	return 0;
}

/* For one more: at most half of the slots are in use. */
static int
make_room(struct lp_rules_tuple_draft *tuple)
{
	uint32_t old = tuple->mask + 1, mask = 2 * old - 1;
	struct lp_rules_grown *slots;

	if (2 * (tuple->used + 1) <= old)
		return 0;
	slots = calloc(mask + 1, sizeof(*slots));
	if (slots == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < old; i++) {
		uint32_t at = (uint32_t)tuple->slots[i].hash & mask;

		if (tuple->slots[i].entry == 0)
			continue;
		while (slots[at].entry != 0)
			at = (at + 1) & mask;
		slots[at] = tuple->slots[i];
	}
	free(tuple->slots);
	tuple->slots = slots;
	tuple->mask = mask;
	return 0;
}

/* The slot of that key, or the free one where it is to be. */
static struct lp_rules_grown *
find_slot(const struct lp_rules_tables *tables,
    const struct lp_rules_tuple_draft *tuple, const struct lp_rules_put *put)
{
	uint32_t at = (uint32_t)put->hash & tuple->mask;

	for (; tuple->slots[at].entry != 0; at = (at + 1) & tuple->mask) {
		const struct lp_rules_grown *slot = &tuple->slots[at];

		if (slot->hash == put->hash &&
		    slot->key_size == put->key_size &&
		    memcmp(entry_at(tables, slot->entry) + 1, put->key,
			put->key_size) == 0)
			break;
	}
	return &tuple->slots[at];
}

/* Whether `by`, of the same key, holds wherever that condition does. */
static bool
is_covered(const struct lp_rules_tables *tables,
    const struct lp_rules_condition *condition,
    const struct lp_rules_condition *by)
{
	unsigned acks = condition->asks & LP_RULES_ACKS_MASK;
	unsigned by_acks = by->asks & LP_RULES_ACKS_MASK;

	if ((condition->asks & ~by->asks & LP_RULES_FROM_MASK) != 0)
		return false;
	if ((by->asks & ~condition->asks & LP_RULES_IF_DENIED) != 0)
		return false;
	if (by_acks != 0 && (acks == 0 || (acks & ~by_acks) != 0))
		return false;
	if ((by->asks & LP_RULES_API_ASKED) != 0) {
		if ((condition->asks & LP_RULES_API_ASKED) == 0 ||
		    (condition->asks & ~by->asks & LP_RULES_API_TERMS) != 0)
			return false;
		for (unsigned i = 0; i < LP_RULES_APIS / 64; i++)
			if ((condition->api[i] & ~by->api[i]) != 0)
				return false;
	}
	return by->term_count == 0 ||
	    (by->term_count == condition->term_count &&
		memcmp(tables->terms + by->terms,
		    tables->terms + condition->terms,
		    by->term_count * sizeof(*tables->terms)) == 0);
}

static const struct lp_rules_condition *
condition_of(
    const struct lp_rules_tables *tables, const struct lp_rules_entry *entry)
{
	return (const struct lp_rules_condition *)
		   tables->conditions.list.items +
	    entry->condition;
}

static int
add_entry(struct lp_rules_tables *tables, const struct lp_rules_put *put,
    uint32_t key_size, uint32_t *at)
{
	struct lp_rules_entry *entry;
	uint32_t words =
	    (uint32_t)(sizeof(*entry) + key_size + WORD - 1) / WORD;
	uint32_t condition;

	if (tables->entry_count == LP_RULES_ENTRIES_MAX)
		return -E2BIG;
	if (lp_rules_list_intern(&tables->conditions, sizeof(put->condition),
		&put->condition, &condition) ||
	    lp_rules_list_reserve(&tables->words, WORD, words + LINE_WORDS))
		return -ENOMEM;
	pad(&tables->words, words);
	*at = tables->words.count;
	entry = entry_at(tables, *at);
	memset(entry, 0, words * WORD);
	entry->row = put->row;
	entry->condition = condition;
	memcpy(entry + 1, put->key, key_size);
	tables->words.count += words;
	tables->entry_count++;
	return 0;
}

/* To the next cache line, if they fit into one but not into this. */
static void
pad(struct lp_rules_list *list, uint32_t words)
{
	uint64_t *items = list->items;
	uint32_t used = list->count % LINE_WORDS;

	/* The first word is no entry. */
	if (list->count == 0)
		items[list->count++] = 0;
	else if (used + words <= LINE_WORDS || words > LINE_WORDS)
		return;
	while (list->count % LINE_WORDS != 0)
		items[list->count++] = 0;
}

static struct lp_rules_entry *
entry_at(const struct lp_rules_tables *tables, uint32_t at)
{
	return (struct lp_rules_entry *)((uint64_t *)tables->words.items + at);
}

/* And where their words and places are to be. */
static int
freeze_tuples(struct lp_rules *rules, unsigned kind,
    const struct lp_rules_list *tuples, uint32_t *words, uint32_t *places)
{
	const struct lp_rules_tuple_draft *drafts = tuples->items;
	struct lp_rules_table *table = &rules->tables[kind];

	table->tuples = calloc(tuples->count + 1, sizeof(*table->tuples));
	if (table->tuples == NULL)
		return -ENOMEM;
	table->count = tuples->count;
	rules->size_bytes += tuples->count * sizeof(*table->tuples);
	for (uint32_t i = 0; i < tuples->count; i++) {
		struct lp_rules_tuple *tuple = &table->tuples[i];

		*tuple = drafts[i].tuple;
		tuple->words = *words;
		tuple->word_count = lp_rules_places_words(drafts[i].used);
		tuple->places = *places;
		tuple->place_count = lp_rules_places_count(drafts[i].used);
		*words += tuple->word_count;
		*places += tuple->place_count;
	}
	return 0;
}

static int
freeze_keys(
    struct lp_rules *rules, unsigned kind, const struct lp_rules_list *tuples)
{
	const struct lp_rules_tuple_draft *drafts = tuples->items;

	for (uint32_t i = 0; i < tuples->count; i++) {
		int error = freeze_tuple(
		    rules, &rules->tables[kind].tuples[i], &drafts[i]);

		if (error)
			return error;
	}
	return 0;
}

static int
freeze_tuple(struct lp_rules *rules, const struct lp_rules_tuple *tuple,
    const struct lp_rules_tuple_draft *draft)
{
	uint64_t *hashes = calloc(draft->used, sizeof(*hashes));
	uint32_t *entries = calloc(draft->used, sizeof(*entries));
	uint32_t *place = calloc(draft->used, sizeof(*place));
	const struct lp_rules_places places = {.hashes = hashes,
	    .key_count = draft->used,
	    .words = rules->filters + tuple->words,
	    .word_count = tuple->word_count,
	    .place_count = tuple->place_count,
	    .place = place};
	int error = -ENOMEM;
	uint32_t count = 0;

	if (hashes == NULL || entries == NULL || place == NULL)
		goto out;
	for (uint32_t i = 0; i <= draft->mask; i++) {
		if (draft->slots[i].entry == 0)
			continue;
		hashes[count] = draft->slots[i].hash;
		entries[count++] = draft->slots[i].entry;
	}
	error = lp_rules_places_find(&places);
	for (uint32_t i = 0; i < count && error == 0; i++)
		rules->places[tuple->places + place[i]] = entries[i];
out:
	free(hashes);
	free(entries);
	free(place);
	return error;
}
