/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rule_explain.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/rule_words.h"
#include "proto/text.h"

enum {
	/* Bytes of what is asked about, and of values, in a sentence. */
	SHOWN_SUBJECT = 80,
	SHOWN_VALUES = 120,
};

/* Appends to a text of LP_RULE_REASON_SIZE. */
struct sentence {
	char *text;
	size_t len;
	bool full;
};

static bool is_of_connections(
    const struct lp_rule_match *match, const struct lp_rule_action *action);
static bool lets_pass(const struct lp_rule_match *match,
    const struct lp_rule_action *action, const struct lp_rule_subject *subject);
static bool field_holds(const struct lp_rule_match *match,
    const struct lp_rule_action *action, const struct lp_rule_subject *subject,
    unsigned field);
static bool is_undeniable(
    const struct lp_rule_action *action, const struct lp_rule_subject *subject);
static bool is_left(const struct lp_rule_match *match,
    const struct lp_rule_action *action, const struct lp_rule_subject *subject);
static bool value_holds(const struct lp_rule_match *match,
    const struct lp_rule_value *value, const struct lp_rule_subject *subject);
static bool text_holds(const struct lp_rule_match *match,
    const struct lp_rule_value *value, const struct lp_rule_subject *subject);
static void add(struct sentence *sentence, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add_field(struct sentence *sentence,
    const struct lp_rule_match *match, const struct lp_rule_subject *subject,
    unsigned field, bool holds);
static void add_absent(struct sentence *sentence,
    const struct lp_rule_subject *subject, unsigned field);

/* ---- which holds --------------------------------------------------------- */

enum lp_rule_role
lp_rule_trial_ask(struct lp_rule_trial *trial,
    const struct lp_rule_match *match, const struct lp_rule_action *action,
    bool shadow)
{
	const struct lp_rule_subject *subject = trial->subject;
	bool decides = !shadow && action->verdict != LP_RULE_OBSERVE &&
	    action->verdict != LP_RULE_NO_CREATE;

	if (trial->is_over)
		return LP_RULE_BEHIND;
	if (!subject->is_request && !is_of_connections(match, action) &&
	    action->has == 0) {
		trial->passes |= decides && lets_pass(match, action, subject);
		return LP_RULE_UNASKED;
	}
	if (lp_rule_differs(match, action, subject) != LP_RULE_FIELD_COUNT)
		return LP_RULE_DIFFERS;
	if (!decides)
		return LP_RULE_SEES;
	trial->is_over = true;
	trial->later = !subject->is_request && trial->passes &&
	    action->verdict == LP_RULE_RESET;
	return LP_RULE_DECIDES;
}

unsigned
lp_rule_differs(const struct lp_rule_match *match,
    const struct lp_rule_action *action, const struct lp_rule_subject *subject)
{
	unsigned field = 0;

	while (field < LP_RULE_FIELD_COUNT &&
	    field_holds(match, action, subject, field))
		field++;
	return field == LP_RULE_FIELD_COUNT && is_left(match, action, subject)
	    ? LP_RULE_API
	    : field;
}

/* About the connection, whoever speaks in it. */
static bool
is_of_connections(
    const struct lp_rule_match *match, const struct lp_rule_action *action)
{
	return !lp_rule_match_is_request(match) &&
	    (action->verdict == LP_RULE_ALLOW ||
		action->verdict == LP_RULE_RESET ||
		action->verdict == LP_RULE_ROUTE ||
		action->verdict == LP_RULE_OBSERVE);
}

/* Some request of that connection, as far as the connection tells. */
static bool
lets_pass(const struct lp_rule_match *match,
    const struct lp_rule_action *action, const struct lp_rule_subject *subject)
{
	if (action->verdict != LP_RULE_ALLOW &&
	    action->verdict != LP_RULE_LIMIT)
		return false;
	for (unsigned field = 0; field < LP_RULE_FIELD_COUNT; field++)
		if (lp_rule_field_is_connection(field) &&
		    !field_holds(match, action, subject, field))
			return false;
	return true;
}

static bool
field_holds(const struct lp_rule_match *match,
    const struct lp_rule_action *action, const struct lp_rule_subject *subject,
    unsigned field)
{
	const struct lp_rule_value *values;
	uint16_t count = lp_rule_match_values(match, field, &values);

	if (field == LP_RULE_API && is_undeniable(action, subject))
		return false;
	/* Rules of requests that do not say from are of clients. */
	if (count == 0)
		return field != LP_RULE_FROM || !subject->is_request ||
		    subject->numbers[LP_RULE_FROM] == LP_RULE_FROM_CLIENT ||
		    is_of_connections(match, action);
	for (uint16_t i = 0; i < count; i++)
		if (value_holds(match, &values[i], subject))
			return true;
	return false;
}

/* A deny holds for what can be denied alone. */
static bool
is_undeniable(
    const struct lp_rule_action *action, const struct lp_rule_subject *subject)
{
	return action->verdict == LP_RULE_DENY && subject->is_request &&
	    (!(subject->has >> LP_RULE_API & 1) ||
		lp_rule_deny_fault(subject->numbers[LP_RULE_API]) != NULL);
}

/* A deny that names no API is of what can be denied. */
static bool
is_left(const struct lp_rule_match *match, const struct lp_rule_action *action,
    const struct lp_rule_subject *subject)
{
	return action->verdict == LP_RULE_DENY && subject->is_request &&
	    !(match->fields >> LP_RULE_API & 1) &&
	    (subject->has >> LP_RULE_API & 1) &&
	    lp_rule_undenied(match, subject) != NULL;
}

static bool
value_holds(const struct lp_rule_match *match,
    const struct lp_rule_value *value, const struct lp_rule_subject *subject)
{
	unsigned field = value->field;

	if (!(subject->has >> field & 1))
		return false;
	switch (value->kind) {
	case LP_RULE_RANGE:
		return value->low <= subject->numbers[field] &&
		    subject->numbers[field] <= value->high;
	case LP_RULE_ADDRESS:
		return lp_prefix_contains(&value->prefix, &subject->ips[field]);
	default:
		return text_holds(match, value, subject);
	}
}

static bool
text_holds(const struct lp_rule_match *match, const struct lp_rule_value *value,
    const struct lp_rule_subject *subject)
{
	unsigned field = value->field;

	if (value->kind == LP_RULE_EXACT &&
	    (subject->lens[field] != value->len || (subject->cut >> field & 1)))
		return false;
	return subject->lens[field] >= value->len &&
	    memcmp(subject->texts[field], match->text + value->text,
		value->len) == 0;
}

/* ---- in words ------------------------------------------------------------ */

char *
lp_rule_explain(char text[LP_RULE_REASON_SIZE],
    const struct lp_rule_match *match, const struct lp_rule_action *action,
    const struct lp_rule_subject *subject)
{
	struct sentence sentence = {.text = text};
	unsigned differs = lp_rule_differs(match, action, subject);

	text[0] = '\0';
	if (differs == LP_RULE_API && !(subject->has >> LP_RULE_API & 1)) {
		add_absent(&sentence, subject, LP_RULE_API);
		return text;
	}
	if (differs == LP_RULE_API && is_undeniable(action, subject)) {
		add(&sentence, "it cannot be denied: %s",
		    lp_rule_deny_fault(subject->numbers[LP_RULE_API]));
		return text;
	}
	if (differs != LP_RULE_FIELD_COUNT) {
		add_field(&sentence, match, subject, differs, false);
		return text;
	}
	for (unsigned field = 0; field < LP_RULE_FIELD_COUNT; field++)
		if (match->fields >> field & 1)
			add_field(&sentence, match, subject, field, true);
	if (match->fields == 0)
		add(&sentence, "it holds for everything");
	return text;
}

/* What has no room ends in dots, and not within a character. */
static void
add(struct sentence *sentence, const char *format, ...)
{
	static const char dots[] = "...";
	char piece[LP_RULE_MATCH_SIZE];
	size_t room = LP_RULE_REASON_SIZE - sizeof(dots) - sentence->len;
	size_t len;
	va_list args;

	if (sentence->full)
		return;
	va_start(args, format);
	vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	len = lp_text_fit(piece, strlen(piece), room);
	sentence->full = piece[len] != '\0';
	memcpy(sentence->text + sentence->len, piece, len);
	sentence->len += len;
	strcpy(sentence->text + sentence->len, sentence->full ? dots : "");
}

/* As add() does it; the text is the whole one, or what had room of it. */
static void
shorten(char *text, size_t max)
{
	size_t len = strlen(text);

	if (len > max)
		strcpy(text + lp_text_fit(text, len, max), "...");
}

/* Values of one field, as they are written behind its `=`. */
static void
write_values(char text[LP_RULE_MATCH_SIZE], const struct lp_rule_match *match,
    size_t max)
{
	size_t skipped = strlen(lp_rule_field_name(match->values[0].field)) + 1;

	lp_rule_match_write(text, LP_RULE_MATCH_SIZE, match, NULL);
	memmove(text, text + skipped, strlen(text + skipped) + 1);
	shorten(text, max);
}

static void
write_rule(char text[LP_RULE_MATCH_SIZE], const struct lp_rule_match *match,
    const struct lp_rule_value *values, uint16_t count)
{
	struct lp_rule_match some = {.count = count};

	memcpy(some.values, values, count * sizeof(*values));
	memcpy(some.text, match->text, sizeof(some.text));
	write_values(text, &some, SHOWN_VALUES);
}

static void
write_subject(char text[LP_RULE_MATCH_SIZE],
    const struct lp_rule_subject *subject, unsigned field)
{
	struct lp_rule_match one = {.count = 1};
	struct lp_rule_value *value = &one.values[0];

	value->field = (uint8_t)field;
	switch (lp_rule_field_kind(field)) {
	case LP_RULE_KIND_NAME:
	case LP_RULE_KIND_TEXT:
		value->kind = LP_RULE_EXACT;
		value->len = subject->lens[field];
		assert(value->len <= sizeof(one.text));
		memcpy(one.text, subject->texts[field], value->len);
		break;
	case LP_RULE_KIND_ADDRESS:
		value->kind = LP_RULE_ADDRESS;
		value->prefix.ip = subject->ips[field];
		value->prefix.len = lp_ip_is_v4(&value->prefix.ip) ? 32 : 128;
		break;
	default:
		value->kind = LP_RULE_RANGE;
		value->low = value->high = subject->numbers[field];
	}
	write_values(text, &one, SHOWN_SUBJECT);
}

/* Whether it is one value, and not a set. */
static bool
is_exact(const struct lp_rule_value *value)
{
	switch (value->kind) {
	case LP_RULE_EXACT:
		return true;
	case LP_RULE_RANGE:
		return value->low == value->high;
	case LP_RULE_ADDRESS:
		return value->prefix.len ==
		    (lp_ip_is_v4(&value->prefix.ip) ? 32 : 128);
	default:
		return false;
	}
}

/* Of one that holds the value that does; else all of them. */
static void
add_field(struct sentence *sentence, const struct lp_rule_match *match,
    const struct lp_rule_subject *subject, unsigned field, bool holds)
{
	const char *name = lp_rule_field_name(field);
	char is[LP_RULE_MATCH_SIZE], of[LP_RULE_MATCH_SIZE];
	const struct lp_rule_value *values;
	uint16_t count = lp_rule_match_values(match, field, &values);

	if (sentence->len > 0)
		add(sentence, ", ");
	if (count == 0 && field == LP_RULE_API) {
		add(sentence, "it cannot be denied: %s",
		    lp_rule_undenied(match, subject));
		return;
	}
	if (count == 0) {
		add(sentence, "a broker asks, and it is of clients");
		return;
	}
	if (!(subject->has >> field & 1)) {
		add_absent(sentence, subject, field);
		return;
	}
	for (; holds && !value_holds(match, values, subject); values++)
		count--;
	assert(count > 0);
	write_subject(is, subject, field);
	write_rule(of, match, values, holds ? 1 : count);
	if (holds && is_exact(values))
		add(sentence, "%s is %s", name, is);
	else if (holds)
		add(sentence, "%s %s is in %s", name, is, of);
	else
		add(sentence, "%s %s is not %s%s", name, is,
		    count == 1 && is_exact(values) ? "" : "in ", of);
}

static void
add_absent(struct sentence *sentence, const struct lp_rule_subject *subject,
    unsigned field)
{
	const char *name = lp_rule_field_name(field);

	if (field == LP_RULE_VERSION || field == LP_RULE_API)
		add(sentence, "its %s is not given", name);
	else
		add(sentence, "%s has no %s",
		    lp_rule_field_is_connection(field) || !subject->is_request
			? "the connection"
			: "the request",
		    name);
}
