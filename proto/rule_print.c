/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical texts: one spelling for one meaning. */
#include "proto/rule_words.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "proto/apis.h"

/* Counts what has no room, too. */
struct writer {
	char *buf;
	size_t size;
	size_t len;
};

static void put(struct writer *writer, const char *text);
static void put_decimal(struct writer *writer, int64_t number);
static void put_bytes(struct writer *writer, const char *bytes, size_t len);
static void put_value(struct writer *writer, const struct lp_rule_match *match,
    const struct lp_rule_value *value);
static void put_text(struct writer *writer, const char *text, size_t len);
static void put_range(struct writer *writer, const struct lp_rule_value *value);
static void put_prefix(struct writer *writer, const struct lp_prefix *prefix);

char *
lp_rule_match_print(char *buf, const struct lp_rule_match *match)
{
	size_t len = lp_rule_match_write(buf, LP_RULE_MATCH_SIZE, match, NULL);

	assert(len < LP_RULE_MATCH_SIZE);
	return buf;
}

char *
lp_rule_action_print(char *buf, const struct lp_rule_action *action)
{
	size_t len = lp_rule_action_write(buf, LP_RULE_ACTION_SIZE, action);

	assert(len < LP_RULE_ACTION_SIZE);
	return buf;
}

size_t
lp_rule_match_write(char *buf, size_t size, const struct lp_rule_match *match,
    struct lp_rule_place *place)
{
	struct writer writer = {.buf = buf, .size = size};
	int index = 0; /* within the field */

	if (size > 0)
		buf[0] = '\0';
	for (uint16_t i = 0; i < match->count; i++) {
		const struct lp_rule_value *value = &match->values[i];
		bool first = i == 0 || value->field != value[-1].field;
		size_t before;

		index = first ? 0 : index + 1;
		put(&writer, !first ? "," : i > 0 ? " " : "");
		before = writer.len;
		if (first) {
			put(&writer, lp_rule_field_name(value->field));
			put(&writer, "=");
		}
		if (place && place->field == value->field && first) {
			place->column = (uint32_t)before + 1;
			place->len = (uint32_t)(writer.len - before - 1);
		}
		before = writer.len;
		put_value(&writer, match, value);
		if (place && place->field == value->field &&
		    place->value == index) {
			place->column = (uint32_t)before + 1;
			place->len = (uint32_t)(writer.len - before);
		}
	}
	return writer.len;
}

static void
put_size(struct writer *writer, const char *before, uint64_t number,
    const struct lp_rule_word *units, const char *behind)
{
	char text[LP_RULE_NUMBER_SIZE];

	put(writer, before);
	put(writer, lp_rule_number_print(text, number, units));
	put(writer, behind);
}

static void
put_named(struct writer *writer, const char *before, int64_t number,
    const char *behind)
{
	put(writer, before);
	put_decimal(writer, number);
	put(writer, behind);
}

static void
put_limit(struct writer *writer, const struct lp_rule_action *action)
{
	if (action->requests_per_s > 0)
		put_named(writer, " requests=", (int64_t)action->requests_per_s,
		    "/s");
	if (action->bytes_per_s > 0)
		put_size(writer, " bytes=", action->bytes_per_s, lp_rule_sizes,
		    "/s");
	if (action->bytes_per_s > 0 &&
	    action->burst_bytes != lp_rule_burst_default(action->bytes_per_s))
		put_size(
		    writer, " burst=", action->burst_bytes, lp_rule_sizes, "");
	if (action->max_throttle_ms != LP_RULE_MAX_THROTTLE_DEFAULT_MS)
		put_size(writer, " max_throttle=", action->max_throttle_ms,
		    lp_rule_durations, "");
	if (action->per != LP_RULE_PER_RULE) {
		put(writer, " per=");
		put(writer,
		    lp_rule_word_of(lp_rule_pers, action->per, action->per));
	}
}

size_t
lp_rule_action_write(
    char *buf, size_t size, const struct lp_rule_action *action)
{
	struct writer writer = {.buf = buf, .size = size};

	put(&writer, lp_rule_verdict_name(action->verdict));
	if (action->verdict == LP_RULE_LIMIT)
		put_limit(&writer, action);
	if (action->verdict == LP_RULE_ROUTE)
		put_named(&writer, " broker=", action->broker, "");
	if (action->has & LP_RULE_HAS_PRIORITY)
		put_named(&writer, " priority=", action->priority, "");
	if (action->has & LP_RULE_HAS_DSCP)
		put_named(&writer, " dscp=", action->dscp, "");
	if (action->has & LP_RULE_HAS_MIRROR) {
		put(&writer, " mirror=");
		put(&writer, action->mirror);
	}
	return writer.len;
}

static void
put_value(struct writer *writer, const struct lp_rule_match *match,
    const struct lp_rule_value *value)
{
	switch (lp_rule_field_kind(value->field)) {
	case LP_RULE_KIND_NAME:
	case LP_RULE_KIND_TEXT:
		if (value->len > 0 || value->kind == LP_RULE_EXACT)
			put_text(writer, match->text + value->text, value->len);
		if (value->kind == LP_RULE_PREFIX)
			put(writer, "*");
		break;
	case LP_RULE_KIND_NUMBER:
		put_range(writer, value);
		break;
	case LP_RULE_KIND_WORD:
		put(writer,
		    lp_rule_word_of(lp_rule_field_words(value->field),
			value->low, value->high));
		break;
	case LP_RULE_KIND_ADDRESS:
		put_prefix(writer, &value->prefix);
		break;
	case LP_RULE_KIND_API:
		put(writer, lp_apis_name(value->low));
		break;
	}
}

/* In quotes only where it would be read as something else. */
static void
put_text(struct writer *writer, const char *text, size_t len)
{
	bool quotes = len == 0;

	for (size_t i = 0; i < len; i++)
		quotes = quotes || strchr(" ,\"*", text[i]);
	if (!quotes) {
		put_bytes(writer, text, len);
		return;
	}
	put(writer, "\"");
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			put(writer, "\\");
		put_bytes(writer, text + i, 1);
	}
	put(writer, "\"");
}

static void
put_number(struct writer *writer, unsigned field, int64_t number)
{
	if (lp_rule_field_is_size(field))
		put_size(writer, "", (uint64_t)number, lp_rule_sizes, "");
	else
		put_decimal(writer, number);
}

static void
put_range(struct writer *writer, const struct lp_rule_value *value)
{
	int64_t low, high;

	lp_rule_field_bounds(value->field, &low, &high);
	if (value->low == value->high) {
		put_number(writer, value->field, value->low);
		return;
	}
	/* All of them: from the lowest on. */
	if (value->low > low || value->high == high)
		put_number(writer, value->field, value->low);
	put(writer, "-");
	if (value->high < high)
		put_number(writer, value->field, value->high);
}

static void
put_prefix(struct writer *writer, const struct lp_prefix *prefix)
{
	char text[LP_PREFIX_TEXT_SIZE];

	if (prefix->len == (lp_ip_is_v4(&prefix->ip) ? 32 : 128))
		put(writer, lp_ip_format(text, &prefix->ip));
	else
		put(writer, lp_prefix_format(text, prefix));
}

/* Not by printf: of a hundred thousand rules these are millions of pieces. */
static void
put(struct writer *writer, const char *text)
{
	put_bytes(writer, text, strlen(text));
}

static void
put_decimal(struct writer *writer, int64_t number)
{
	char text[LP_RULE_NUMBER_SIZE];
	int len = snprintf(text, sizeof(text), "%lld", (long long)number);

	put_bytes(writer, text, (size_t)len);
}

static void
put_bytes(struct writer *writer, const char *bytes, size_t len)
{
	if (writer->len < writer->size) {
		size_t room = writer->size - writer->len - 1;
		size_t kept = len < room ? len : room;

		memcpy(writer->buf + writer->len, bytes, kept);
		writer->buf[writer->len + kept] = '\0';
	}
	writer->len += len;
}
