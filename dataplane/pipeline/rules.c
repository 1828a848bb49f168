/* SPDX-License-Identifier: Apache-2.0 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/pipeline/rules.h"

#include <assert.h>

#include "dataplane/pipeline/rules_hash.h"

enum {
	KEY_TEXTS = (1 << LP_RULE_CLIENT_ID) | (1 << LP_RULE_PRINCIPAL) |
	    (1 << LP_RULE_TOPIC) | (1 << LP_RULE_GROUP) |
	    (1 << LP_RULE_TRANSACTIONAL_ID),
};

static_assert(LP_RULES_TEXTS == 5, "the texts follow each other");
static_assert(sizeof(struct lp_rules_entry) == 12, "little but the key");
static_assert(sizeof(struct lp_rules_row) == 16, "one for each rule");

/*
 * What is looked up, and as much of its hashes as the tuples so far have
 * needed: all parts of a field at once.
 */
struct look {
	const struct lp_rules *rules;
	const struct lp_rules_connection *connection;
	const struct lp_rules_text *text; /* NULL: of a connection */
	uint32_t has; /* 1 << enum lp_rule_field */
	uint32_t hashed; /* likewise */
	uint32_t number[LP_RULE_FIELD_COUNT];
	uint8_t from; /* LP_RULES_FROM_MASK */
	uint8_t acks; /* LP_RULES_ACKS_MASK */
	uint8_t undenied; /* enum lp_rules_undenied */
	bool is_request;
	uint64_t hash[LP_RULES_PARTS_MAX]; /* 0: it has no such part */
};

static void begin(struct look *look, const struct lp_rules *rules,
    const struct lp_rules_connection *connection);
static void add_request(
    struct look *look, const struct lp_rules_request *request);
static void set_number(struct look *look, unsigned field, uint32_t number);
static uint32_t decide(
    struct look *look, enum lp_rules_table_kind table, uint32_t before);
static void see(struct look *look, enum lp_rules_table_kind table,
    struct lp_rules_found *out);
static void add_seen(struct lp_rules_found *out, uint32_t row);
static const struct lp_rules_entry *find(
    struct look *look, const struct lp_rules_tuple *tuple);
static const struct lp_rules_entry *next(
    const struct look *look, const struct lp_rules_entry *entry);
static void hash_fields(struct look *look, uint32_t fields);
static void hash_ip(
    struct look *look, uint64_t *hash, unsigned field, const struct lp_ip *ip);
static void hash_text(struct look *look, uint64_t *hash, unsigned field);
static bool is_key(const struct look *look, const struct lp_rules_tuple *tuple,
    const uint8_t *key);
static bool is_text(const struct lp_rules_part *part,
    const struct lp_rules_text *text, const uint8_t **key);
static bool is_ip(const struct lp_ip *ip, const uint8_t key[16], unsigned bits);
static bool holds(const struct look *look, const struct lp_rules_entry *entry);
static bool is_undenied(const struct look *look, uint32_t row);
static bool api_holds(
    const struct look *look, const struct lp_rules_condition *condition);
static bool terms_hold(
    const struct look *look, const struct lp_rules_condition *condition);

void
lp_rules_connection(const struct lp_rules *rules,
    const struct lp_rules_connection *connection, struct lp_rules_found *out)
{
	struct look look;

	begin(&look, rules, connection);
	out->decides =
	    decide(&look, LP_RULES_CONNECTION_DECIDES, LP_RULES_NONE);
	see(&look, LP_RULES_CONNECTION_SEES, out);
	out->later = out->decides != LP_RULES_NONE &&
	    rules->rows[out->decides].verdict == LP_RULE_RESET &&
	    decide(&look, LP_RULES_CONNECTION_LATER, out->decides) !=
		LP_RULES_NONE;
}

void
lp_rules_request(const struct lp_rules *rules,
    const struct lp_rules_connection *connection,
    const struct lp_rules_request *request, struct lp_rules_found *out)
{
	struct look look;

	begin(&look, rules, connection);
	add_request(&look, request);
	out->decides = decide(&look, LP_RULES_REQUEST_DECIDES, LP_RULES_NONE);
	see(&look, LP_RULES_REQUEST_SEES, out);
	out->later = false;
}

/* The hashes are set when they are needed, and not read before. */
static void
begin(struct look *look, const struct lp_rules *rules,
    const struct lp_rules_connection *connection)
{
	look->rules = rules;
	look->connection = connection;
	look->text = NULL;
	look->has = 1u << LP_RULE_SRC | 1u << LP_RULE_DST;
	look->hashed = 0;
	look->from = LP_RULES_FROM_MASK;
	look->acks = 0;
	look->undenied = LP_RULES_DENIED;
	look->is_request = false;
	set_number(look, LP_RULE_SRC_PORT, connection->src_port);
	set_number(look, LP_RULE_DST_PORT, connection->dst_port);
	if (connection->cluster != 0)
		set_number(look, LP_RULE_CLUSTER, connection->cluster);
	if (connection->listener != 0)
		set_number(look, LP_RULE_LISTENER, connection->listener);
	if (connection->port != 0)
		set_number(look, LP_RULE_PORT, connection->port);
	if (connection->broker >= 0)
		set_number(look, LP_RULE_BROKER, (uint32_t)connection->broker);
}

static void
add_request(struct look *look, const struct lp_rules_request *request)
{
	assert(request->from <= LP_RULE_FROM_BROKER);
	look->is_request = true;
	look->undenied = request->undenied;
	look->text = request->text;
	look->from = (uint8_t)(1u << request->from);
	if (request->acks >= -1 && request->acks <= 1)
		look->acks =
		    (uint8_t)(1u << (LP_RULES_ACKS_SHIFT + 1 + request->acks));
	set_number(look, LP_RULE_FRAME_SIZE, request->frame_size);
	if (request->api >= 0)
		set_number(look, LP_RULE_API, (uint32_t)request->api);
	if (request->version >= 0)
		set_number(look, LP_RULE_VERSION, (uint32_t)request->version);
	for (unsigned i = 0; i < LP_RULES_TEXTS; i++)
		look->has |= (uint32_t)(request->text[i].bytes != NULL)
		    << (LP_RULE_CLIENT_ID + i);
}

static void
set_number(struct look *look, unsigned field, uint32_t number)
{
	look->has |= 1u << field;
	look->number[field] = number;
}

/* ---- tables -------------------------------------------------------------- */

/* The first row that holds, of those before that one. */
static uint32_t
decide(struct look *look, enum lp_rules_table_kind table, uint32_t before)
{
	const struct lp_rules_table *in = &look->rules->tables[table];
	uint32_t found = LP_RULES_NONE;

	for (uint32_t i = 0; i < in->count; i++) {
		const struct lp_rules_tuple *tuple = &in->tuples[i];
		const struct lp_rules_entry *entry;

		if (tuple->first_row >= before)
			break;
		for (entry = find(look, tuple);
		     entry != NULL && entry->row < before;
		     entry = next(look, entry)) {
			if (holds(look, entry))
				found = before = entry->row;
		}
	}
	return found;
}

/* All rows that hold before the one that decides. */
static void
see(struct look *look, enum lp_rules_table_kind table,
    struct lp_rules_found *out)
{
	const struct lp_rules_table *in = &look->rules->tables[table];

	out->seen_count = 0;
	out->more = 0;
	out->no_create = false;
	for (uint32_t i = 0; i < in->count; i++) {
		const struct lp_rules_tuple *tuple = &in->tuples[i];
		const struct lp_rules_entry *entry;

		if (tuple->first_row >= out->decides)
			break;
		for (entry = find(look, tuple);
		     entry != NULL && entry->row < out->decides;
		     entry = next(look, entry)) {
			const struct lp_rules_row *row =
			    &look->rules->rows[entry->row];

			if (!holds(look, entry))
				continue;
			add_seen(out, entry->row);
			out->no_create |= row->verdict == LP_RULE_NO_CREATE &&
			    (row->flags & LP_RULES_SHADOW) == 0;
		}
	}
}

/* No row comes twice: the combinations of one exclude each other. */
static void
add_seen(struct lp_rules_found *out, uint32_t row)
{
	uint32_t at = out->seen_count;

	if (at == LP_RULES_SEEN_MAX) {
		out->more++;
		if (row > out->seen[--at])
			return;
	} else {
		out->seen_count++;
	}
	for (; at > 0 && out->seen[at - 1] > row; at--)
		out->seen[at] = out->seen[at - 1];
	out->seen[at] = row;
}

static const struct lp_rules_entry *
next(const struct look *look, const struct lp_rules_entry *entry)
{
	return entry->next == 0 ? NULL
				: lp_rules_entry(look->rules, entry->next);
}

/* The first entry of that tuple with the key of what is looked up. */
static const struct lp_rules_entry *
find(struct look *look, const struct lp_rules_tuple *tuple)
{
	const struct lp_rules *rules = look->rules;
	const struct lp_rules_entry *entry;
	uint64_t hash = 0, bits, word;
	uint32_t at;

	if ((tuple->fields & ~look->has) != 0)
		return NULL;
	if ((tuple->fields & ~look->hashed) != 0)
		hash_fields(look, tuple->fields & ~look->hashed);
	for (unsigned i = 0; i < tuple->part_count; i++) {
		uint64_t part = look->hash[tuple->parts[i]];

		if (part == 0)
			return NULL;
		hash ^= part;
	}
	bits = lp_rules_hash_bits(hash);
	word = rules->filters[tuple->words +
	    lp_rules_hash_word(hash, tuple->word_count)];
	if ((word & bits) != bits)
		return NULL;
	at = rules->places[tuple->places +
	    lp_rules_hash_place(hash, word, tuple->place_count)];
	if (at == 0)
		return NULL;
	entry = lp_rules_entry(rules, at);
	return is_key(look, tuple, (const uint8_t *)(entry + 1)) ? entry : NULL;
}

/* ---- hashes -------------------------------------------------------------- */

static void
hash_fields(struct look *look, uint32_t fields)
{
	look->hashed |= fields;
	for (; fields != 0; fields &= fields - 1) {
		unsigned field = (unsigned)__builtin_ctz(fields);
		uint64_t *hash = look->hash + look->rules->part_first[field];

		if ((1u << field & KEY_TEXTS) != 0)
			hash_text(look, hash, field);
		else if (field == LP_RULE_SRC)
			hash_ip(look, hash, field, &look->connection->src);
		else if (field == LP_RULE_DST)
			hash_ip(look, hash, field, &look->connection->dst);
		else
			*hash = lp_rules_hash_number(
			    look->rules->seed, field, look->number[field]);
	}
}

static void
hash_ip(
    struct look *look, uint64_t *hash, unsigned field, const struct lp_ip *ip)
{
	const struct lp_rules *rules = look->rules;
	const struct lp_rules_part *part =
	    rules->parts + rules->part_first[field];
	unsigned kind = lp_ip_is_v4(ip) ? LP_RULES_V4 : LP_RULES_V6;

	for (unsigned i = 0; i < rules->part_count[field]; i++)
		hash[i] = part[i].kind != kind
		    ? 0
		    : lp_rules_hash_ip(rules->seed, field, ip, part[i].len);
}

/* The exact text comes first, then its prefixes, the shortest first. */
static void
hash_text(struct look *look, uint64_t *hash, unsigned field)
{
	const struct lp_rules *rules = look->rules;
	const struct lp_rules_part *part =
	    rules->parts + rules->part_first[field];
	const struct lp_rules_text *text =
	    &look->text[field - LP_RULE_CLIENT_ID];
	uint64_t so_far = lp_rules_hash_seed(rules->seed, field);
	unsigned count = rules->part_count[field], at = 0, i = 0;

	if (part[0].kind == LP_RULES_EXACT)
		hash[i++] = text->cut ? 0
				      : lp_rules_hash_text(rules->seed, field,
					    text->bytes, text->len);
	for (; i < count && part[i].len <= text->len; i++) {
		for (; at < part[i].len; at++)
			so_far = lp_rules_hash_byte(so_far, text->bytes[at]);
		hash[i] = lp_rules_hash_end(so_far, at);
	}
	for (; i < count; i++)
		hash[i] = 0;
}

/* ---- keys and conditions ------------------------------------------------- */

static bool
is_key(const struct look *look, const struct lp_rules_tuple *tuple,
    const uint8_t *key)
{
	for (unsigned i = 0; i < tuple->part_count; i++) {
		const struct lp_rules_part *part =
		    &look->rules->parts[tuple->parts[i]];
		const struct lp_rules_connection *connection = look->connection;

		switch (part->kind) {
		case LP_RULES_NUMBER:
			if (memcmp(key, &look->number[part->field], 4) != 0)
				return false;
			key += 4;
			break;
		case LP_RULES_EXACT:
		case LP_RULES_PREFIX:
			if (!is_text(part,
				&look->text[part->field - LP_RULE_CLIENT_ID],
				&key))
				return false;
			break;
		default:
			if (!is_ip(part->field == LP_RULE_SRC
				    ? &connection->src
				    : &connection->dst,
				key, part->len))
				return false;
			key += 16;
		}
	}
	return true;
}

/* Moves *key behind the text.  An exact one has its length in front. */
static bool
is_text(const struct lp_rules_part *part, const struct lp_rules_text *text,
    const uint8_t **key)
{
	const uint8_t *bytes = *key;
	uint16_t len = part->len, is;

	if (part->kind == LP_RULES_EXACT) {
		len = text->len;
		memcpy(&is, bytes, sizeof(is));
		if (is != len)
			return false;
		bytes += sizeof(is);
	}
	*key = bytes + len;
	return memcmp(bytes, text->bytes, len) == 0;
}

static bool
is_ip(const struct lp_ip *ip, const uint8_t key[16], unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(ip->bytes, key, whole) == 0 &&
	    (rest == 0 || (ip->bytes[whole] ^ key[whole]) >> (8 - rest) == 0);
}

/* What the key does not say. */
static bool
holds(const struct look *look, const struct lp_rules_entry *entry)
{
	const struct lp_rules_condition *condition =
	    &look->rules->conditions[entry->condition];
	unsigned asks = condition->asks;

	if (look->is_request) {
		if ((asks & look->from) == 0)
			return false;
		if ((asks & LP_RULES_ACKS_MASK) != 0 &&
		    (asks & look->acks) == 0)
			return false;
		if ((asks & LP_RULES_API_ASKED) != 0 &&
		    !api_holds(look, condition))
			return false;
		if ((asks & LP_RULES_IF_DENIED) != 0 &&
		    is_undenied(look, entry->row))
			return false;
	}
	return condition->term_count == 0 || terms_hold(look, condition);
}

/* It is a deny that leaves the request to the rules behind it. */
static bool
is_undenied(const struct look *look, uint32_t row)
{
	return look->undenied == LP_RULES_UNDENIED ||
	    (look->undenied == LP_RULES_UNDENIED_BY_TOPIC &&
		(look->rules->rows[row].flags & LP_RULES_OF_TOPICS) != 0);
}

/* Those that have no bit are left to the terms, if there are any. */
static bool
api_holds(const struct look *look, const struct lp_rules_condition *condition)
{
	uint32_t api = look->number[LP_RULE_API];

	if ((look->has & 1u << LP_RULE_API) == 0)
		return false;
	if (api >= LP_RULES_APIS)
		return (condition->asks & LP_RULES_API_TERMS) != 0;
	return (condition->api[api / 64] >> api % 64 & 1) != 0;
}

static bool
terms_hold(const struct look *look, const struct lp_rules_condition *condition)
{
	const struct lp_rules_term *term =
	    look->rules->terms + condition->terms;
	const struct lp_rules_term *end = term + condition->term_count;

	while (term < end) {
		uint32_t field = term->field, number = look->number[field];
		bool one = false;

		if ((look->has & 1u << field) == 0)
			return false;
		for (; term < end && term->field == field; term++)
			one |= number >= term->low && number <= term->high;
		if (!one)
			return false;
	}
	return true;
}
