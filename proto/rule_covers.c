/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether one match holds wherever another does, and what that hides.
 *
 * Field by field: all values of the other one lie in the union of its own.
 * What follows from one field for another (acks are Produce's) is not seen.
 */
#include "proto/rule_words.h"

#include <string.h>

#include "proto/apis.h"

/* The values of one field, of one match. */
struct set {
	const struct lp_rule_match *match;
	const struct lp_rule_value *values;
	uint16_t count;
	/* Of ranges and prefixes: as they begin, the larger one first. */
	uint16_t order[LP_RULE_VALUES_MAX];
};

/* Of one that does not name them something holds (unnamed()). */
static const uint32_t known_unnamed = 1u << LP_RULE_FROM |
    1u << LP_RULE_SRC_PORT | 1u << LP_RULE_DST_PORT | 1u << LP_RULE_VERSION |
    1u << LP_RULE_FRAME_SIZE;

static bool denies_all(
    const struct lp_rule_match *a, const struct lp_rule_match *b);
static bool covers_field(const struct lp_rule_match *a,
    const struct lp_rule_match *b, unsigned field);
static void sort(struct set *set);
static bool begins_before(
    const struct lp_rule_value *a, const struct lp_rule_value *b);
static bool covers_text(const struct set *set, const struct lp_rule_match *b,
    const struct lp_rule_value *value);
static bool covers_range(const struct set *set, int64_t low, int64_t high);
static bool covers_prefix(
    const struct set *set, const struct lp_prefix *prefix);

bool
lp_rule_covers(const struct lp_rule_match *a, const struct lp_rule_match *b)
{
	/* Of a connection without a request nothing of a request holds. */
	if (lp_rule_match_is_request(a) && !lp_rule_match_is_request(b))
		return false;
	/* Most pairs end here: a names what b does not. */
	if (a->fields & ~b->fields & ~known_unnamed)
		return false;
	for (unsigned field = 0; field < LP_RULE_FIELD_COUNT; field++)
		if ((a->fields >> field & 1 || field == LP_RULE_FROM) &&
		    !covers_field(a, b, field))
			return false;
	return true;
}

bool
lp_rule_hides(const struct lp_rule_match *a,
    const struct lp_rule_action *action, const struct lp_rule_match *b)
{
	bool of_connection = !lp_rule_match_is_request(a);

	if (!lp_rule_covers(a, b))
		return false;
	switch (action->verdict) {
	case LP_RULE_OBSERVE:
	case LP_RULE_NO_CREATE:
		return false;
	case LP_RULE_DENY:
		return denies_all(a, b);
	default:
		/* How a connection is sent says nothing of its requests. */
		return !of_connection || !lp_rule_match_is_request(b) ||
		    (action->verdict != LP_RULE_ROUTE && action->has == 0);
	}
}

/*
 * Whether a deny of a ends all that b is about: no version of theirs is left
 * out, and nothing that means topics without naming them.
 */
static bool
denies_all(const struct lp_rule_match *a, const struct lp_rule_match *b)
{
	const struct lp_rule_value *apis;
	uint16_t count = lp_rule_match_values(b, LP_RULE_API, &apis);
	uint32_t asked = lp_rule_versions_asked(b);

	for (uint16_t i = 0; i < count; i++) {
		const struct lp_apis_entry *entry = lp_apis_get(apis[i].low);

		if (asked & lp_apis_versions(entry) &
		    ~lp_rule_deny_versions(apis[i].low))
			return false;
		if (lp_rule_deny_is_by_part(apis[i].low) &&
		    entry->seen[LP_APIS_TOPICS_NULL] & asked)
			return false;
	}
	/* One that names no API leaves out what cannot be denied. */
	return count > 0 && a->fields >> LP_RULE_API & 1;
}

/* What holds of a field that a match does not name, as a range; else false. */
static bool
unnamed(unsigned field, int64_t *low, int64_t *high)
{
	switch (field) {
	case LP_RULE_FROM:
		*low = *high = LP_RULE_FROM_CLIENT;
		return true;
	case LP_RULE_SRC_PORT:
	case LP_RULE_DST_PORT:
	case LP_RULE_VERSION:
	case LP_RULE_FRAME_SIZE: /* every request, every connection has it */
		lp_rule_field_bounds(field, low, high);
		return true;
	default:
		return false;
	}
}

static bool
covers_field(const struct lp_rule_match *a, const struct lp_rule_match *b,
    unsigned field)
{
	struct set set;
	const struct lp_rule_value *values;
	uint16_t count = lp_rule_match_values(b, field, &values);
	int64_t low, high;

	set.match = a;
	set.count = lp_rule_match_values(a, field, &set.values);
	/* A match says nothing, or: of clients. */
	if (set.count == 0 && field != LP_RULE_FROM)
		return true;
	if (set.count == 0)
		return count == 0 ||
		    (count == 1 && values->high == LP_RULE_FROM_CLIENT);
	sort(&set);
	if (count == 0)
		return unnamed(field, &low, &high) &&
		    covers_range(&set, low, high);
	for (uint16_t i = 0; i < count; i++) {
		const struct lp_rule_value *value = &values[i];
		bool covered = value->kind == LP_RULE_RANGE
		    ? covers_range(&set, value->low, value->high)
		    : value->kind == LP_RULE_ADDRESS
		    ? covers_prefix(&set, &value->prefix)
		    : covers_text(&set, b, value);

		if (!covered)
			return false;
	}
	return true;
}

/* Of 128, whatever the family. */
static unsigned
bits_of(const struct lp_prefix *prefix)
{
	return prefix->len + (lp_ip_is_v4(&prefix->ip) ? 96u : 0u);
}

/* They are few, and most are written in that order. */
static void
sort(struct set *set)
{
	for (uint16_t i = 0; i < set->count; i++) {
		uint16_t at = i;

		for (; at > 0 &&
		     begins_before(
			 &set->values[i], &set->values[set->order[at - 1]]);
		     at--)
			set->order[at] = set->order[at - 1];
		set->order[at] = i;
	}
}

/* Of one field; texts have no order. */
static bool
begins_before(const struct lp_rule_value *a, const struct lp_rule_value *b)
{
	int order;

	if (a->kind == LP_RULE_RANGE)
		return a->low < b->low;
	if (a->kind != LP_RULE_ADDRESS)
		return false;
	order = memcmp(
	    a->prefix.ip.bytes, b->prefix.ip.bytes, sizeof(a->prefix.ip.bytes));
	return order < 0 ||
	    (order == 0 && bits_of(&a->prefix) < bits_of(&b->prefix));
}

static bool
covers_text(const struct set *set, const struct lp_rule_match *b,
    const struct lp_rule_value *value)
{
	for (uint16_t i = 0; i < set->count; i++) {
		const struct lp_rule_value *own = &set->values[i];
		bool whole = own->kind == LP_RULE_EXACT;

		if ((whole ? value->kind == LP_RULE_EXACT &&
				own->len == value->len
			   : own->len <= value->len) &&
		    memcmp(set->match->text + own->text, b->text + value->text,
			own->len) == 0)
			return true;
	}
	return false;
}

static bool
covers_range(const struct set *set, int64_t low, int64_t high)
{
	for (uint16_t i = 0; i < set->count; i++) {
		const struct lp_rule_value *value = &set->values[set->order[i]];

		/* Nor do those behind it begin before. */
		if (value->low > low)
			return false;
		if (value->high < low)
			continue;
		if (value->high >= high)
			return true;
		low = value->high + 1;
	}
	return false;
}

/*
 * By bytes alone, of one family: a prefix of IPv6 around the mapped addresses
 * counts as if they were in it, which asks for more than is needed.
 */
static bool
contains(const struct lp_prefix *prefix, const struct lp_ip *ip)
{
	unsigned whole = bits_of(prefix) / 8, rest = bits_of(prefix) % 8;

	return memcmp(prefix->ip.bytes, ip->bytes, whole) == 0 &&
	    (rest == 0 ||
		(prefix->ip.bytes[whole] ^ ip->bytes[whole]) >> (8 - rest) ==
		    0);
}

/* The address behind the last one of a prefix; false: there is none. */
static bool
behind(struct lp_ip *ip, const struct lp_prefix *prefix)
{
	unsigned carry = 1;

	*ip = prefix->ip;
	for (unsigned i = bits_of(prefix); carry && i > 0; i--) {
		uint8_t bit = (uint8_t)(0x80 >> (i - 1) % 8);

		carry = (ip->bytes[(i - 1) / 8] & bit) != 0;
		ip->bytes[(i - 1) / 8] ^= bit;
	}
	return !carry;
}

static bool
covers_prefix(const struct set *set, const struct lp_prefix *prefix)
{
	struct lp_ip ip = prefix->ip;

	for (uint16_t i = 0; i < set->count; i++) {
		const struct lp_prefix *own =
		    &set->values[set->order[i]].prefix;

		if (lp_ip_is_v4(&own->ip) != lp_ip_is_v4(&prefix->ip) ||
		    !contains(own, &ip))
			continue;
		/* Of two prefixes one lies in the other, or none. */
		if (bits_of(own) <= bits_of(prefix))
			return true;
		if (!behind(&ip, own) || !contains(prefix, &ip))
			return true;
	}
	return false;
}
