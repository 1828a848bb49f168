/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/rule_match.h"

#include "tests/support/ensure.h"

static struct lp_rule_value *add(
    struct lp_rule_match *match, unsigned field, enum lp_rule_value_kind kind);

void
rule_match_clear(struct lp_rule_match *match)
{
	memset(match, 0, sizeof(*match));
}

void
rule_match_text(struct lp_rule_match *match, unsigned field, const char *text)
{
	size_t len = strlen(text);
	bool prefix = len > 0 && text[len - 1] == '*';

	rule_match_bytes(
	    match, field, prefix, text, (unsigned)(len - (size_t)prefix));
}

void
rule_match_bytes(struct lp_rule_match *match, unsigned field, bool prefix,
    const void *bytes, unsigned len)
{
	struct lp_rule_value *value =
	    add(match, field, prefix ? LP_RULE_PREFIX : LP_RULE_EXACT);

	ensure(match->text_len + len <= LP_RULE_MATCH_SIZE,
	    "a match of too long texts");
	value->text = match->text_len;
	value->len = (uint16_t)len;
	memcpy(match->text + match->text_len, bytes, len);
	match->text_len = (uint16_t)(match->text_len + len);
}

void
rule_match_range(
    struct lp_rule_match *match, unsigned field, int64_t low, int64_t high)
{
	struct lp_rule_value *value = add(match, field, LP_RULE_RANGE);

	value->low = low;
	value->high = high;
}

void
rule_match_prefix(struct lp_rule_match *match, unsigned field, const char *text)
{
	struct lp_prefix prefix;

	memset(&prefix, 0, sizeof(prefix));
	ensure(lp_prefix_parse(&prefix, text, NULL) == 0, "prefix %s", text);
	rule_match_address(match, field, &prefix);
}

void
rule_match_address(
    struct lp_rule_match *match, unsigned field, const struct lp_prefix *prefix)
{
	add(match, field, LP_RULE_ADDRESS)->prefix = *prefix;
}

static struct lp_rule_value *
add(struct lp_rule_match *match, unsigned field, enum lp_rule_value_kind kind)
{
	struct lp_rule_value *value = &match->values[match->count];

	ensure(match->count < LP_RULE_VALUES_MAX, "a match of too many values");
	ensure(match->count == 0 || value[-1].field <= field,
	    "a match in no order");
	match->count++;
	match->fields |= 1u << field;
	value->field = (uint8_t)field;
	value->kind = (uint8_t)kind;
	return value;
}

void
rule_match_connection(struct lp_rules_connection *connection)
{
	memset(connection, 0, sizeof(*connection));
	lp_ip_from_v4(&connection->src, (const uint8_t[4]){10, 0, 0, 1});
	lp_ip_from_v4(&connection->dst, (const uint8_t[4]){10, 0, 0, 9});
	connection->src_port = 40000;
	connection->dst_port = 9092;
	connection->broker = -1;
}

void
rule_match_request(struct lp_rules_request *request)
{
	memset(request, 0, sizeof(*request));
	request->api = 3;
	request->version = 9;
	request->frame_size = 100;
	request->acks = LP_RULES_NO_ACKS;
	request->from = LP_RULE_FROM_CLIENT;
}

void
rule_match_set(
    struct lp_rules_request *request, unsigned place, const char *text)
{
	request->text[place].bytes = (const uint8_t *)text;
	request->text[place].len = (uint16_t)strlen(text);
	request->text[place].cut = false;
}
