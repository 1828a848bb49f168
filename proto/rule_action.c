/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of actions. */
#include "proto/rule_words.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
	PRIORITY_MAX = 7,
	DSCP_MAX = 63, /* RFC 2474: six bits */
	REQUESTS_MAX = 1000 * 1000 * 1000,
};

static const uint64_t bytes_max = 1000ull * 1000 * 1000 * 1000;

/* NAME=VALUE, or a verdict, with its place. */
struct word {
	const char *at;
	size_t len; /* of the name */
	const char *value; /* NULL: there is no `=` */
	size_t value_len;
};

struct reader {
	struct lp_rule_action *action;
	uint32_t seen; /* 1 << enum argument_index */
	const struct word *word;
	const char *text;
	struct lp_rule_error *error;
};

static int read_requests(struct reader *reader);
static int read_bytes(struct reader *reader);
static int read_burst(struct reader *reader);
static int read_max_throttle(struct reader *reader);
static int read_per(struct reader *reader);
static int read_broker(struct reader *reader);
static int read_priority(struct reader *reader);
static int read_dscp(struct reader *reader);
static int read_mirror(struct reader *reader);

enum argument_index {
	REQUESTS,
	BYTES,
	BURST,
	MAX_THROTTLE,
	PER,
	BROKER,
	PRIORITY,
	DSCP,
	MIRROR,
	ARGUMENT_COUNT,
};

#define FOR_LIMIT (1u << LP_RULE_LIMIT)
#define FOR_ROUTE (1u << LP_RULE_ROUTE)
/* Those of a connection that lives on. */
#define FOR_SENT (1u << LP_RULE_ALLOW | FOR_LIMIT | FOR_ROUTE)

/* For whom, and its index; one more, whose word is NULL: a list for hints. */
const struct lp_rule_word lp_rule_arguments[ARGUMENT_COUNT + 1] = {
    [REQUESTS] = {"requests", FOR_LIMIT, REQUESTS},
    [BYTES] = {"bytes", FOR_LIMIT, BYTES},
    [BURST] = {"burst", FOR_LIMIT, BURST},
    [MAX_THROTTLE] = {"max_throttle", FOR_LIMIT, MAX_THROTTLE},
    [PER] = {"per", FOR_LIMIT, PER},
    [BROKER] = {"broker", FOR_ROUTE, BROKER},
    [PRIORITY] = {"priority", FOR_SENT, PRIORITY},
    [DSCP] = {"dscp", FOR_SENT, DSCP},
    [MIRROR] = {"mirror", FOR_SENT, MIRROR},
};

static int (*const readers[ARGUMENT_COUNT])(struct reader *) = {
    [REQUESTS] = read_requests,
    [BYTES] = read_bytes,
    [BURST] = read_burst,
    [MAX_THROTTLE] = read_max_throttle,
    [PER] = read_per,
    [BROKER] = read_broker,
    [PRIORITY] = read_priority,
    [DSCP] = read_dscp,
    [MIRROR] = read_mirror,
};

static const char *next_word(struct word *word, const char *at);
static int read_verdict(struct reader *reader, bool *implied);
static int read_argument(struct reader *reader);
static int finish(struct reader *reader, const struct word *verdict);

#define REFUSE_NAME(reader, ...)                                               \
	lp_rule_refuse((reader)->error, (reader)->text, (reader)->word->at,    \
	    (reader)->word->len, __VA_ARGS__)
#define REFUSE_VALUE(reader, ...)                                              \
	lp_rule_refuse((reader)->error, (reader)->text, (reader)->word->value, \
	    (reader)->word->value_len, __VA_ARGS__)

int
lp_rule_action_parse(
    struct lp_rule_action *out, const char *text, struct lp_rule_error *error)
{
	struct word word = {0}, verdict;
	struct reader reader = {
	    .action = out,
	    .word = &word,
	    .text = text,
	    .error = error,
	};
	bool implied = false;
	const char *at;
	int rc = lp_rule_text_check(text, error);

	if (rc)
		return rc;
	memset(out, 0, sizeof(*out));
	at = next_word(&word, text);
	verdict = word;
	rc = read_verdict(&reader, &implied);
	if (!rc && !implied)
		at = next_word(&word, at);
	while (!rc && word.len > 0) {
		rc = read_argument(&reader);
		at = next_word(&word, at);
	}
	return rc ? rc : finish(&reader, &verdict);
}

/* One of no length is the end. */
static const char *
next_word(struct word *word, const char *at)
{
	const char *end;

	*word = (struct word){.at = lp_rule_skip_blanks(at)};
	for (end = word->at; *end != '\0' && !lp_rule_is_blank(*end); end++)
		if (*end == '=' && !word->value)
			word->value = end + 1;
	word->len = (size_t)(end - word->at);
	if (word->value) {
		word->value_len = (size_t)(end - word->value);
		word->len -= word->value_len + 1;
		/* "=3": a name of no length is no end. */
		if (word->len == 0)
			word->len = 1;
	}
	return end;
}

/* Those of a connection need none. */
static int
read_verdict(struct reader *reader, bool *implied)
{
	const struct word *word = reader->word;
	const struct lp_rule_word *verdict =
	    lp_rule_word_find(lp_rule_verdicts, word->at, word->len);
	char quoted[LP_RULE_QUOTE_SIZE], hint[LP_RULE_HINT_SIZE];
	const struct lp_rule_word *name;

	if (word->len == 0)
		return REFUSE_NAME(reader, "a verdict is missing%s",
		    lp_rule_word_hint(hint, lp_rule_verdicts, "", 0));
	if (verdict && word->value)
		return REFUSE_NAME(reader,
		    "%s takes no value: write %s alone, and its arguments "
		    "behind it",
		    verdict->word, verdict->word);
	*implied = !verdict;
	reader->action->verdict =
	    verdict ? (uint8_t)verdict->low : (uint8_t)LP_RULE_ALLOW;
	name = lp_rule_word_find(lp_rule_arguments, word->at, word->len);
	if (verdict || (name && name->low == FOR_SENT))
		return 0;
	if (name)
		return REFUSE_NAME(reader, "%s belongs to %s: write %s %s=...",
		    name->word, name->low == FOR_LIMIT ? "limit" : "route",
		    name->low == FOR_LIMIT ? "limit" : "route", name->word);
	return REFUSE_NAME(reader, "%s is no verdict%s",
	    lp_rule_quote(quoted, word->at, word->len),
	    lp_rule_word_hint(hint, lp_rule_verdicts, word->at, word->len));
}

static int
read_argument(struct reader *reader)
{
	const struct word *word = reader->word;
	const struct lp_rule_word *name =
	    lp_rule_word_find(lp_rule_arguments, word->at, word->len);
	const char *verdict = lp_rule_verdict_name(reader->action->verdict);
	char quoted[LP_RULE_QUOTE_SIZE], hint[LP_RULE_HINT_SIZE];

	if (!name && lp_rule_word_find(lp_rule_verdicts, word->at, word->len))
		return REFUSE_NAME(reader,
		    "%.*s is a verdict: there is one, and it comes first",
		    (int)word->len, word->at);
	if (!name)
		return REFUSE_NAME(reader, "%s is no argument%s",
		    lp_rule_quote(quoted, word->at, word->len),
		    lp_rule_word_hint(
			hint, lp_rule_arguments, word->at, word->len));
	if (!((uint64_t)name->low >> reader->action->verdict & 1))
		return REFUSE_NAME(reader, "%s has no %s: %s", verdict,
		    name->word,
		    name->low == FOR_LIMIT ? "limit has"
			: name->low == FOR_ROUTE
			? "route has"
			: "allow, limit and route have");
	if (reader->seen >> name->high & 1)
		return REFUSE_NAME(reader, "%s is there twice", name->word);
	if (!word->value || word->value_len == 0)
		return REFUSE_NAME(reader,
		    "%s has no value: write %s=VALUE, without blanks",
		    name->word, name->word);
	reader->seen |= 1u << name->high;
	return readers[name->high](reader);
}

/* What a verdict cannot do without, and what is not said. */
static int
finish(struct reader *reader, const struct word *verdict)
{
	struct lp_rule_action *action = reader->action;
	bool bytes = reader->seen >> BYTES & 1;

	reader->word = verdict;
	if (action->verdict == LP_RULE_LIMIT) {
		if (!bytes && !(reader->seen >> REQUESTS & 1))
			return REFUSE_NAME(reader,
			    "limit needs requests=N/s, bytes=SIZE/s or both");
		if (!bytes && reader->seen >> BURST & 1)
			return REFUSE_NAME(
			    reader, "burst is of bytes: add bytes=SIZE/s");
		if (!(reader->seen >> MAX_THROTTLE & 1))
			action->max_throttle_ms =
			    LP_RULE_MAX_THROTTLE_DEFAULT_MS;
		if (bytes && !(reader->seen >> BURST & 1))
			action->burst_bytes =
			    lp_rule_burst_default(action->bytes_per_s);
	}
	if (action->verdict == LP_RULE_ROUTE && !(reader->seen >> BROKER & 1))
		return REFUSE_NAME(reader, "route needs broker=N, a node id");
	if (lp_rule_action_write(NULL, 0, action) >= LP_RULE_ACTION_SIZE)
		return lp_rule_refuse(reader->error, reader->text, reader->text,
		    strlen(reader->text), "the action has more than %d bytes",
		    LP_RULE_ACTION_SIZE - 1);
	return 0;
}

/* A whole number from low to high, with its unit. */
static int
read_value(struct reader *reader, uint64_t *out, size_t len,
    const struct lp_rule_word *units, uint64_t low, uint64_t high)
{
	const struct word *word = reader->word;
	const char *fault = lp_rule_number_parse(out, word->value, len, units);
	char quoted[LP_RULE_QUOTE_SIZE], from[LP_RULE_NUMBER_SIZE],
	    to[LP_RULE_NUMBER_SIZE];

	if (fault)
		return REFUSE_VALUE(reader, "%s %s",
		    lp_rule_quote(quoted, word->value, len), fault);
	if (*out < low || *out > high)
		return REFUSE_VALUE(reader, "%.*s is from %s to %s",
		    (int)word->len, word->at,
		    lp_rule_number_print(from, low, units),
		    lp_rule_number_print(to, high, units));
	return 0;
}

/* The length of what stands before "/s". */
static int
read_rate(struct reader *reader, uint64_t *out,
    const struct lp_rule_word *units, uint64_t high)
{
	const struct word *word = reader->word;
	size_t len = word->value_len;
	char quoted[LP_RULE_QUOTE_SIZE];

	if (len < 2 || memcmp(word->value + len - 2, "/s", 2) != 0)
		return REFUSE_VALUE(reader, "%s is no rate: write %s/s",
		    lp_rule_quote(quoted, word->value, len),
		    units ? "SIZE" : "N");
	return read_value(reader, out, len - 2, units, 1, high);
}

static int
read_requests(struct reader *reader)
{
	return read_rate(
	    reader, &reader->action->requests_per_s, NULL, REQUESTS_MAX);
}

static int
read_bytes(struct reader *reader)
{
	return read_rate(
	    reader, &reader->action->bytes_per_s, lp_rule_sizes, bytes_max);
}

static int
read_burst(struct reader *reader)
{
	return read_value(reader, &reader->action->burst_bytes,
	    reader->word->value_len, lp_rule_sizes, 1, bytes_max);
}

static int
read_max_throttle(struct reader *reader)
{
	uint64_t ms;
	int rc = read_value(reader, &ms, reader->word->value_len,
	    lp_rule_durations, 1, LP_RULE_THROTTLE_MAX_MS);

	if (!rc)
		reader->action->max_throttle_ms = (uint32_t)ms;
	return rc;
}

static int
read_per(struct reader *reader)
{
	const struct word *word = reader->word;
	const struct lp_rule_word *per =
	    lp_rule_word_find(lp_rule_pers, word->value, word->value_len);
	char quoted[LP_RULE_QUOTE_SIZE], hint[LP_RULE_HINT_SIZE];

	if (!per)
		return REFUSE_VALUE(reader, "a limit is not per %s%s",
		    lp_rule_quote(quoted, word->value, word->value_len),
		    lp_rule_word_hint(
			hint, lp_rule_pers, word->value, word->value_len));
	reader->action->per = (uint8_t)per->low;
	return 0;
}

static int
read_small(struct reader *reader, uint64_t *out, uint64_t high)
{
	return read_value(reader, out, reader->word->value_len, NULL, 0, high);
}

static int
read_broker(struct reader *reader)
{
	uint64_t number;
	int rc = read_small(reader, &number, INT32_MAX);

	if (!rc)
		reader->action->broker = (int32_t)number;
	return rc;
}

static int
read_priority(struct reader *reader)
{
	uint64_t number;
	int rc = read_small(reader, &number, PRIORITY_MAX);

	if (!rc)
		reader->action->priority = (uint8_t)number;
	reader->action->has |= LP_RULE_HAS_PRIORITY;
	return rc;
}

static int
read_dscp(struct reader *reader)
{
	uint64_t number;
	int rc = read_small(reader, &number, DSCP_MAX);

	if (!rc)
		reader->action->dscp = (uint8_t)number;
	reader->action->has |= LP_RULE_HAS_DSCP;
	return rc;
}

static int
read_mirror(struct reader *reader)
{
	const struct word *word = reader->word;
	const char *fault = lp_rule_name_fault(word->value, word->value_len);
	char quoted[LP_RULE_QUOTE_SIZE];

	if (fault)
		return REFUSE_VALUE(reader, "%s %s",
		    lp_rule_quote(quoted, word->value, word->value_len), fault);
	memcpy(reader->action->mirror, word->value, word->value_len);
	reader->action->has |= LP_RULE_HAS_MIRROR;
	return 0;
}
