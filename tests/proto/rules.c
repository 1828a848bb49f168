/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/proto/rules.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/ensure.h"
#include "tests/support/random.h"

enum { NUMBER_MAX = 9, NOTHING = -2 };

/* Values of a field, by example. */
static const char *const words[LP_RULE_FIELD_COUNT][8] = {
    [LP_RULE_CLUSTER] = {"a", "b", "ab"},
    [LP_RULE_LISTENER] = {"a/x", "b/x", "a/y"},
    [LP_RULE_PORT] = {"p0", "p1"},
    [LP_RULE_SRC] = {"10.0.0.1", "10.0.0.0/31", "10.0.0.2", "10.0.0.0/8",
	"0.0.0.0/0", "2001:db8::/32", "2001:db8::1", "::/0"},
    [LP_RULE_DST] = {"10.0.0.1", "10.0.0.3", "10.0.0.2/31", "::/1", "8000::/1",
	"0.0.0.0/1", "128.0.0.0/1", "::/0"},
    [LP_RULE_FROM] = {"client", "broker", "any"},
    [LP_RULE_API] = {"Produce", "Fetch", "Metadata", "OffsetCommit", "9"},
    [LP_RULE_ACKS] = {"0", "1", "all"},
};
static const char *const texts[] = {
    "a", "ab", "abc", "b", "a*", "ab*", "b*", "*"};
static const char *const odd_texts[] = {"\"\"", "\"x y\"", "\"x y\"*", "\"x,\"",
    "\"\\\"\\\\\"", "x\\y", "\"*\"*", "\xc3\xa9=*"};
static const char *const ips[] = {"10.0.0.1", "10.0.0.0", "10.0.0.2",
    "10.0.0.3", "10.7.0.1", "192.0.2.1", "2001:db8::1", "2001:db8::2",
    "fe80::1"};

#define PICK(random, list)                                                     \
	(list)[random_next(random) % (sizeof(list) / sizeof((list)[0]))]

static bool
is_number(unsigned field)
{
	return field == LP_RULE_BROKER || field == LP_RULE_SRC_PORT ||
	    field == LP_RULE_DST_PORT || field == LP_RULE_VERSION ||
	    field == LP_RULE_FRAME_SIZE;
}

void
rules_value(char text[RULES_VALUE_SIZE], uint64_t *random, unsigned field)
{
	unsigned low = random_between(random, 1, NUMBER_MAX);
	unsigned high = random_between(random, low, NUMBER_MAX);
	unsigned count = 0;

	if (is_number(field)) {
		static const char *const forms[] = {
		    "%u", "%u-%u", "%u-", "-%u", "%u-%u"};
		const char *form = PICK(random, forms);

		snprintf(text, RULES_VALUE_SIZE, form, low, high);
		return;
	}
	while (count < 8 && words[field][count])
		count++;
	if (count > 0)
		strcpy(text, words[field][random_next(random) % count]);
	else if (field != LP_RULE_TOPIC && random_percent(random, 20))
		strcpy(text, PICK(random, odd_texts));
	else
		strcpy(text, PICK(random, texts));
}

/* Into a text, each value once. */
static size_t
write_field(char *text, uint64_t *random, unsigned field)
{
	char values[8][RULES_VALUE_SIZE];
	unsigned count = random_between(random, 1, 5), taken = 0;
	size_t len;

	if (field == LP_RULE_FROM)
		count = 1;
	len = (size_t)sprintf(text, "%s=", lp_rule_field_name(field));
	for (unsigned i = 0; i < count; i++) {
		struct lp_rule_match match;
		struct lp_rule_error error;
		size_t before = len;

		rules_value(values[taken], random, field);
		len += (size_t)sprintf(
		    text + len, "%s%s", taken ? "," : "", values[taken]);
		/* Twice the same is refused: then it is left out. */
		if (lp_rule_match_parse(&match, text, &error) == 0)
			taken++;
		else
			len = before;
		text[len] = '\0';
	}
	ensure(taken > 0, "no value of %s", lp_rule_field_name(field));
	return len;
}

void
rules_match(struct lp_rule_match *match, uint64_t *random, unsigned fields_max)
{
	char text[2048];
	struct lp_rule_error error;

	do {
		unsigned count = random_between(random, 1, fields_max);
		uint32_t seen = 0;
		size_t len = 0;

		for (unsigned i = 0; i < count; i++) {
			unsigned field =
			    random_between(random, 0, LP_RULE_FIELD_COUNT - 1);

			if (seen >> field & 1)
				continue;
			seen |= 1u << field;
			if (len > 0)
				text[len++] = ' ';
			len += write_field(text + len, random, field);
		}
		/* There may be too many of them together. */
	} while (lp_rule_match_parse(match, text, &error) != 0);
}

void
rules_action(char text[LP_RULE_ACTION_SIZE], uint64_t *random)
{
	static const char *const verdicts[] = {
	    "allow", "deny", "reset", "observe", "no_create"};
	static const char *const units[] = {"", "B", "kB", "MB"};
	static const char *const pers[] = {
	    "", " per=rule", " per=client_id", " per=principal"};
	static const char *const mirrors[] = {"tap0", "7", "yes", "0x1", "a.b"};
	struct lp_rule_action action;
	struct lp_rule_error error;
	char given[512];
	int len = 0;
	unsigned kind = random_between(random, 0, 7);

	if (kind < 5)
		len = sprintf(given, "%s", verdicts[kind]);
	else if (kind == 5)
		len = sprintf(
		    given, "route broker=%u", random_between(random, 0, 9999));
	else
		len = sprintf(given, "limit bytes=%u%s/s",
		    random_between(random, 1, 5000),
		    units[random_next(random) % 4]);
	if (kind == 7)
		len += sprintf(given + len,
		    " requests=%u/s burst=%u%s max_throttle=%ums",
		    random_between(random, 1, 2000),
		    random_between(random, 1, 3000),
		    units[random_next(random) % 4],
		    random_between(random, 1, 3000));
	if (kind >= 6)
		len +=
		    sprintf(given + len, "%s", pers[random_next(random) % 4]);
	if (kind == 0 || kind >= 5) {
		if (random_percent(random, 30))
			len += sprintf(given + len, " priority=%u",
			    random_between(random, 0, 7));
		if (random_percent(random, 30))
			len += sprintf(given + len, " dscp=%u",
			    random_between(random, 0, 63));
		if (random_percent(random, 30))
			len += sprintf(given + len, " mirror=%s",
			    mirrors[random_next(random) % 5]);
	}
	ensure(lp_rule_action_parse(&action, given, &error) == 0, "%s: %s",
	    given, error.why);
	lp_rule_action_print(text, &action);
}

void
rules_event(struct rules_event *event, uint64_t *random)
{
	static const char *const names[] = {
	    "a", "b", "ab", "a/x", "b/x", "a/y", "p0", "p1"};
	static const char *const values[] = {"a", "ab", "abc", "abcd", "b", "",
	    "x y", "x yz", "x,", "\"\\", "x\\y", "*", "*z", "\xc3\xa9=", "q"};

	memset(event, 0, sizeof(*event));
	event->request = random_percent(random, 80);
	event->broker = random_percent(random, 25);
	for (unsigned field = 0; field < LP_RULE_FIELD_COUNT; field++) {
		bool none = random_percent(random, 10);

		event->numbers[field] = field == LP_RULE_ACKS
		    ? (int64_t)random_between(random, 0, 2) - 1
		    : random_between(random, 1, NUMBER_MAX + 1);
		if (none && (field == LP_RULE_BROKER || field == LP_RULE_ACKS))
			event->numbers[field] = NOTHING;
		event->texts[field] = none               ? NULL
		    : lp_rule_field_is_connection(field) ? PICK(random, names)
							 : PICK(random, values);
		ensure(lp_ip_parse(
			   &event->ips[field], PICK(random, ips), NULL) == 0,
		    "an address");
	}
}

static bool
value_holds(const struct lp_rule_match *match,
    const struct lp_rule_value *value, const struct rules_event *event)
{
	const char *text = event->texts[value->field];
	int64_t number = value->field == LP_RULE_FROM
	    ? (int64_t)event->broker
	    : event->numbers[value->field];

	switch (value->kind) {
	case LP_RULE_EXACT:
		return text && strlen(text) == value->len &&
		    memcmp(text, match->text + value->text, value->len) == 0;
	case LP_RULE_PREFIX:
		return text &&
		    strncmp(text, match->text + value->text, value->len) == 0;
	case LP_RULE_RANGE:
		return number != NOTHING && value->low <= number &&
		    number <= value->high;
	default:
		return lp_prefix_contains(
		    &value->prefix, &event->ips[value->field]);
	}
}

bool
rules_holds(const struct lp_rule_match *match, const struct rules_event *event)
{
	/* Requests of brokers are for rules that say so. */
	if (event->request && event->broker &&
	    !(match->fields >> LP_RULE_FROM & 1))
		return false;
	if (!event->request && lp_rule_match_is_request(match))
		return false;
	for (unsigned field = 0; field < LP_RULE_FIELD_COUNT; field++) {
		const struct lp_rule_value *values;
		uint16_t count = lp_rule_match_values(match, field, &values);
		bool holds = count == 0;

		for (uint16_t i = 0; i < count; i++)
			holds = holds || value_holds(match, &values[i], event);
		if (!holds)
			return false;
	}
	return true;
}
