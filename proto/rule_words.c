/* SPDX-License-Identifier: Apache-2.0 */
/* The words of rules, and what they stand for. */
#include "proto/rule_words.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "proto/nearest.h"

enum { CONNECTION = 0, REQUEST = 1 };

static const struct {
	const char *word;
	uint8_t level;
	uint8_t kind; /* enum lp_rule_kind */
} fields[] = {
#define X(name, word, level, kind) {word, level, LP_RULE_KIND_##kind},
    LP_RULE_FIELDS(X)
#undef X
};

/* Bits of them. */
static const uint32_t of_requests = 0
#define X(name, word, level, kind) | (uint32_t)level << LP_RULE_##name
    LP_RULE_FIELDS(X)
#undef X
    ;

static_assert(LP_RULE_FIELD_COUNT <= 32, "bits of lp_rule_match.fields");

#define WORD(word, number)                                                     \
	{                                                                      \
		word, number, number                                           \
	}

static const struct lp_rule_word senders[] = {
    WORD("client", LP_RULE_FROM_CLIENT),
    WORD("broker", LP_RULE_FROM_BROKER),
    {"any", LP_RULE_FROM_CLIENT, LP_RULE_FROM_BROKER},
    {0},
};
/* -1 is Kafka's number for all. */
static const struct lp_rule_word acks[] = {
    WORD("0", 0),
    WORD("1", 1),
    WORD("all", -1),
    WORD("-1", -1),
    {0},
};
const struct lp_rule_word lp_rule_verdicts[] = {
    WORD("allow", LP_RULE_ALLOW),
    WORD("deny", LP_RULE_DENY),
    WORD("reset", LP_RULE_RESET),
    WORD("limit", LP_RULE_LIMIT),
    WORD("observe", LP_RULE_OBSERVE),
    WORD("no_create", LP_RULE_NO_CREATE),
    WORD("route", LP_RULE_ROUTE),
    {0},
};
const struct lp_rule_word lp_rule_pers[] = {
    WORD("rule", LP_RULE_PER_RULE),
    WORD("client_id", LP_RULE_PER_CLIENT_ID),
    WORD("principal", LP_RULE_PER_PRINCIPAL),
    {0},
};
/* The larger ones behind the smaller ones. */
const struct lp_rule_word lp_rule_sizes[] = {
    WORD("", 1),
    WORD("B", 1),
    WORD("kB", 1000),
    WORD("MB", 1000 * 1000),
    WORD("GB", 1000 * 1000 * 1000),
    {0},
};
const struct lp_rule_word lp_rule_durations[] = {
    WORD("ms", 1),
    WORD("s", 1000),
    {0},
};
static const struct lp_rule_word no_units[] = {WORD("", 1), {0}};

const char *
lp_rule_field_name(unsigned field)
{
	return field < LP_RULE_FIELD_COUNT ? fields[field].word : NULL;
}

unsigned
lp_rule_field_find(const char *text, size_t len)
{
	unsigned field = 0;

	while (field < LP_RULE_FIELD_COUNT &&
	    (strlen(fields[field].word) != len ||
		memcmp(fields[field].word, text, len) != 0))
		field++;
	return field;
}

const char *
lp_rule_verdict_name(unsigned verdict)
{
	return lp_rule_word_of(lp_rule_verdicts, verdict, verdict);
}

bool
lp_rule_field_is_connection(unsigned field)
{
	return field < LP_RULE_FIELD_COUNT && fields[field].level == CONNECTION;
}

bool
lp_rule_match_is_request(const struct lp_rule_match *match)
{
	return match->fields & of_requests;
}

uint16_t
lp_rule_match_values(const struct lp_rule_match *match, unsigned field,
    const struct lp_rule_value **first)
{
	uint16_t from = 0, count = 0;

	*first = NULL;
	if (!(match->fields >> field & 1))
		return 0;
	while (from < match->count && match->values[from].field != field)
		from++;
	while (from + count < match->count &&
	    match->values[from + count].field == field)
		count++;
	*first = &match->values[from];
	return count;
}

enum lp_rule_kind
lp_rule_field_kind(unsigned field)
{
	assert(field < LP_RULE_FIELD_COUNT);
	return (enum lp_rule_kind)fields[field].kind;
}

const struct lp_rule_word *
lp_rule_field_words(unsigned field)
{
	assert(fields[field].kind == LP_RULE_KIND_WORD);
	return field == LP_RULE_ACKS ? acks : senders;
}

void
lp_rule_field_bounds(unsigned field, int64_t *low, int64_t *high)
{
	*low = 0;
	switch (field) {
	case LP_RULE_SRC_PORT:
	case LP_RULE_DST_PORT:
		*low = 1;
		*high = UINT16_MAX;
		break;
	case LP_RULE_VERSION:
		*high = INT16_MAX;
		break;
	case LP_RULE_FRAME_SIZE:
		*high = (int64_t)INT32_MAX + 4; /* the size does not count */
		break;
	default:
		assert(field == LP_RULE_BROKER);
		*high = INT32_MAX;
		break;
	}
}

bool
lp_rule_field_is_size(unsigned field)
{
	return field == LP_RULE_FRAME_SIZE;
}

uint32_t
lp_rule_version_bits(int64_t low, int64_t high)
{
	uint32_t set = 0;

	for (int version = 0; version < 32; version++)
		if (low <= version && version <= high)
			set |= 1u << version;
	return set;
}

uint32_t
lp_rule_versions_asked(const struct lp_rule_match *match)
{
	const struct lp_rule_value *value;
	uint16_t count = lp_rule_match_values(match, LP_RULE_VERSION, &value);
	uint32_t set = count > 0 ? 0 : UINT32_MAX;

	for (uint16_t i = 0; i < count; i++)
		set |= lp_rule_version_bits(value[i].low, value[i].high);
	return set;
}

const struct lp_rule_word *
lp_rule_word_find(
    const struct lp_rule_word *words, const char *text, size_t len)
{
	for (; words->word; words++)
		if (strlen(words->word) == len &&
		    memcmp(words->word, text, len) == 0)
			return words;
	return NULL;
}

const char *
lp_rule_word_of(const struct lp_rule_word *words, int64_t low, int64_t high)
{
	for (; words->word; words++)
		if (words->low == low && words->high == high)
			return words->word;
	return NULL;
}

char *
lp_rule_word_hint(char hint[LP_RULE_HINT_SIZE],
    const struct lp_rule_word *words, const char *text, size_t len)
{
	struct lp_nearest nearest;
	size_t used = 0;

	lp_nearest_init(&nearest, text, len);
	for (const struct lp_rule_word *w = words; w->word; w++)
		lp_nearest_offer(&nearest, w->word);
	if (nearest.best) {
		snprintf(hint, LP_RULE_HINT_SIZE, ": did you mean %s?",
		    nearest.best);
		return hint;
	}
	for (const struct lp_rule_word *w = words; w->word; w++) {
		int rc = snprintf(hint + used, LP_RULE_HINT_SIZE - used, "%s%s",
		    w == words ? ": there are " : ", ", w->word);

		used += (size_t)rc;
		if (used >= LP_RULE_HINT_SIZE)
			break;
	}
	return hint;
}

const char *
lp_rule_number_parse(uint64_t *out, const char *text, size_t len,
    const struct lp_rule_word *units)
{
	const struct lp_rule_word *unit;
	size_t digits = 0;
	uint64_t number = 0;

	for (; digits < len && text[digits] >= '0' && text[digits] <= '9';
	     digits++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(
			number, (uint64_t)(text[digits] - '0'), &number))
			return "is too large";
	if (digits == 0)
		return "is no number";
	if (text[0] == '0' && digits > 1)
		return "begins with 0";
	unit = lp_rule_word_find(
	    units ? units : no_units, text + digits, len - digits);
	if (!unit && text[digits] == '.')
		return "is not whole: take a smaller unit";
	if (!unit && !units)
		return "is no number";
	if (!unit)
		return units == lp_rule_sizes
		    ? "has no unit that is known: they are B, kB, MB and GB, "
		      "powers of ten"
		    : "has no unit that is known: they are ms and s";
	if (__builtin_mul_overflow(number, (uint64_t)unit->low, out))
		return "is too large";
	return NULL;
}

char *
lp_rule_number_print(char buf[LP_RULE_NUMBER_SIZE], uint64_t number,
    const struct lp_rule_word *units)
{
	const struct lp_rule_word *best = units ? units : no_units;

	for (const struct lp_rule_word *unit = best; unit->word; unit++)
		if (number > 0 && number % (uint64_t)unit->low == 0 &&
		    unit->low > best->low)
			best = unit;
	snprintf(buf, LP_RULE_NUMBER_SIZE, "%llu%s",
	    (unsigned long long)(number / (uint64_t)best->low), best->word);
	return buf;
}

uint64_t
lp_rule_burst_default(uint64_t bytes_per_s)
{
	enum { BURST_MIN = 64000, PARTS_OF_A_SECOND = 10 };
	uint64_t burst = bytes_per_s / PARTS_OF_A_SECOND;

	return burst > BURST_MIN ? burst : BURST_MIN;
}
