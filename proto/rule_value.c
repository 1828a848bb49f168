/* SPDX-License-Identifier: Apache-2.0 */
/* One value of a field: from the text to what it stands for. */
#include "proto/rule_words.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/apis.h"
#include "proto/topic_id.h"

/* What is read, and where it goes. */
struct reader {
	struct lp_rule_match *match;
	struct lp_rule_value *value;
	const struct lp_rule_piece *piece;
	const char *text;
	struct lp_rule_error *error;
};

static int read_name(struct reader *reader);
static int read_text(struct reader *reader);
static int read_number(struct reader *reader);
static int read_word(struct reader *reader);
static int read_address(struct reader *reader);
static int read_api(struct reader *reader);
static int append(struct reader *reader);

#define REFUSE(reader, ...)                                                    \
	lp_rule_refuse((reader)->error, (reader)->text, (reader)->piece->at,   \
	    (reader)->piece->len, __VA_ARGS__)

int
lp_rule_value_read(struct lp_rule_match *match, unsigned field,
    const struct lp_rule_piece *piece, const char *text,
    struct lp_rule_error *error)
{
	static int (*const readers[])(struct reader *) = {
	    [LP_RULE_KIND_NAME] = read_name,
	    [LP_RULE_KIND_TEXT] = read_text,
	    [LP_RULE_KIND_NUMBER] = read_number,
	    [LP_RULE_KIND_WORD] = read_word,
	    [LP_RULE_KIND_ADDRESS] = read_address,
	    [LP_RULE_KIND_API] = read_api,
	};
	struct reader reader = {
	    .match = match,
	    .piece = piece,
	    .text = text,
	    .error = error,
	};
	enum lp_rule_kind kind = lp_rule_field_kind(field);
	int rc;

	if (match->count == LP_RULE_VALUES_MAX)
		return REFUSE(&reader,
		    "this is one value more than the %d that a rule may have",
		    LP_RULE_VALUES_MAX);
	if (piece->prefix && kind != LP_RULE_KIND_TEXT)
		return REFUSE(&reader,
		    "%s takes no prefix: client_id, principal, topic, group "
		    "and transactional_id do",
		    lp_rule_field_name(field));
	reader.value = &match->values[match->count];
	memset(reader.value, 0, sizeof(*reader.value));
	reader.value->field = (uint8_t)field;
	rc = readers[kind](&reader);
	return rc ? rc : append(&reader);
}

const char *
lp_rule_name_fault(const char *name, size_t len)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._-";

	if (len == 0)
		return "is empty";
	if (len >= LP_NAME_SIZE)
		return "is longer than 63 characters";
	if (name[0] == '-' || name[0] == '.')
		return "starts with '-' or '.', as no name does";
	for (size_t i = 0; i < len; i++)
		if (!memchr(bytes, name[i], sizeof(bytes) - 1))
			return "is no name: it has letters, digits, '.', '_' "
			       "and '-' only";
	return NULL;
}

/* Its bytes behind those of the others. */
static int
keep_text(struct reader *reader, enum lp_rule_value_kind kind)
{
	struct lp_rule_match *match = reader->match;
	const struct lp_rule_piece *piece = reader->piece;

	if (match->text_len + piece->size > LP_RULE_MATCH_SIZE)
		return REFUSE(reader,
		    "with this value the match is longer than %d bytes: make "
		    "two rules of it",
		    LP_RULE_MATCH_SIZE - 1);
	reader->value->kind = (uint8_t)kind;
	reader->value->text = match->text_len;
	reader->value->len = piece->size;
	memcpy(match->text + match->text_len, piece->bytes, piece->size);
	match->text_len = (uint16_t)(match->text_len + piece->size);
	return 0;
}

static int
read_name(struct reader *reader)
{
	const struct lp_rule_piece *piece = reader->piece;
	const char *name = piece->bytes;
	size_t len = piece->size;
	char quoted[LP_RULE_QUOTE_SIZE];
	const char *fault;

	if (reader->value->field == LP_RULE_LISTENER) {
		const char *slash = memchr(name, '/', len);
		size_t cluster_len;

		if (!slash)
			return REFUSE(reader,
			    "%s names no cluster: write CLUSTER/NAME",
			    lp_rule_quote(quoted, name, len));
		cluster_len = (size_t)(slash - name);
		fault = lp_rule_name_fault(name, cluster_len);
		if (fault)
			return REFUSE(reader, "the cluster of %s %s",
			    lp_rule_quote(quoted, piece->bytes, piece->size),
			    fault);
		name = slash + 1;
		len -= cluster_len + 1;
	}
	fault = lp_rule_name_fault(name, len);
	if (fault)
		return REFUSE(
		    reader, "%s %s", lp_rule_quote(quoted, name, len), fault);
	return keep_text(reader, LP_RULE_EXACT);
}

static int
read_text(struct reader *reader)
{
	const struct lp_rule_piece *piece = reader->piece;

	/* `*` alone is every topic. */
	if (reader->value->field == LP_RULE_TOPIC &&
	    !(piece->prefix && piece->size == 0) &&
	    !lp_topic_id_is_name((const uint8_t *)piece->bytes, piece->size))
		return REFUSE(reader,
		    "no topic has such a name: 1 to %d letters, digits, '.', "
		    "'_' and '-'",
		    LP_TOPIC_NAME_MAX);
	return keep_text(
	    reader, piece->prefix ? LP_RULE_PREFIX : LP_RULE_EXACT);
}

/* One end of a range; where nothing is written, what is there. */
static int
read_end(struct reader *reader, const char *text, size_t len, int64_t *end)
{
	unsigned field = reader->value->field;
	int64_t low, high;
	uint64_t number;
	char quoted[LP_RULE_QUOTE_SIZE];
	const char *fault;

	lp_rule_field_bounds(field, &low, &high);
	if (len == 0)
		return 0;
	fault = lp_rule_number_parse(&number, text, len,
	    lp_rule_field_is_size(field) ? lp_rule_sizes : NULL);
	if (fault)
		return REFUSE(
		    reader, "%s %s", lp_rule_quote(quoted, text, len), fault);
	if (number < (uint64_t)low || number > (uint64_t)high)
		return REFUSE(reader, "%s is from %lld to %lld",
		    lp_rule_field_name(field), (long long)low, (long long)high);
	*end = (int64_t)number;
	return 0;
}

static int
read_number(struct reader *reader)
{
	const struct lp_rule_piece *piece = reader->piece;
	struct lp_rule_value *value = reader->value;
	const char *dash = memchr(piece->bytes, '-', piece->size);
	size_t len = dash ? (size_t)(dash - piece->bytes) : piece->size;
	int rc;

	value->kind = LP_RULE_RANGE;
	lp_rule_field_bounds(value->field, &value->low, &value->high);
	if (piece->size == 0 || (dash && piece->size == 1))
		return REFUSE(reader,
		    "a number is missing: write N, LOW-HIGH, LOW- or -HIGH");
	rc = read_end(reader, piece->bytes, len, &value->low);
	if (rc)
		return rc;
	if (!dash) {
		value->high = value->low;
		return 0;
	}
	rc = read_end(reader, dash + 1, piece->size - len - 1, &value->high);
	if (rc)
		return rc;
	if (value->low > value->high)
		return REFUSE(reader,
		    "the range ends before it begins: write %s-%.*s", dash + 1,
		    (int)len, piece->bytes);
	return 0;
}

static int
read_word(struct reader *reader)
{
	const struct lp_rule_piece *piece = reader->piece;
	struct lp_rule_value *value = reader->value;
	const struct lp_rule_word *words = lp_rule_field_words(value->field);
	const struct lp_rule_word *word =
	    lp_rule_word_find(words, piece->bytes, piece->size);
	char quoted[LP_RULE_QUOTE_SIZE], hint[LP_RULE_HINT_SIZE];

	if (!word)
		return REFUSE(reader, "%s is no value of %s%s",
		    lp_rule_quote(quoted, piece->bytes, piece->size),
		    lp_rule_field_name(value->field),
		    lp_rule_word_hint(hint, words, piece->bytes, piece->size));
	/* One spelling for both: any. */
	if (value->field == LP_RULE_FROM &&
	    reader->match->fields >> LP_RULE_FROM & 1)
		return REFUSE(
		    reader, "from takes one value: for both write from=any");
	value->kind = LP_RULE_RANGE;
	value->low = word->low;
	value->high = word->high;
	return 0;
}

/* Bits behind those of the prefix are cleared; whether any was set. */
static bool
clear_host(struct lp_prefix *prefix)
{
	unsigned bits = prefix->len + (lp_ip_is_v4(&prefix->ip) ? 96u : 0u);
	bool set = false;
	uint8_t host = (uint8_t)(0xffu >> bits % 8);

	for (unsigned i = bits / 8; i < sizeof(prefix->ip.bytes); i++) {
		set = set || (prefix->ip.bytes[i] & host) != 0;
		prefix->ip.bytes[i] &= (uint8_t)~host;
		host = 0xff;
	}
	return set;
}

/*
 * "::/0" is a prefix, though "::" is no address; the parser of prefixes takes
 * neither.
 */
static bool
is_unspecified(const char *text, size_t len)
{
	char ip[LP_IP_TEXT_SIZE];
	struct in6_addr bytes;

	if (len >= sizeof(ip))
		return false;
	memcpy(ip, text, len);
	ip[len] = '\0';
	return inet_pton(AF_INET6, ip, &bytes) == 1 &&
	    memcmp(&bytes, &in6addr_any, sizeof(bytes)) == 0;
}

static int
read_prefix(struct lp_prefix *prefix, const char *text, char *why)
{
	const char *slash = strchr(text, '/');
	uint64_t len;
	int rc = 0;

	if (!slash) {
		rc = lp_ip_parse(&prefix->ip, text, why);
		prefix->len = lp_ip_is_v4(&prefix->ip) ? 32 : 128;
	} else if (is_unspecified(text, (size_t)(slash - text))) {
		if (lp_rule_number_parse(
			&len, slash + 1, strlen(slash + 1), NULL) ||
		    len >= 128) {
			snprintf(why, LP_WHY_SIZE,
			    "a prefix of :: has a length of 0 to 127");
			rc = -EINVAL;
		}
		prefix->len = (uint8_t)len;
	} else {
		rc = lp_prefix_parse(prefix, text, why);
	}
	return rc;
}

static int
read_address(struct reader *reader)
{
	struct lp_prefix given = {0};
	struct lp_prefix *prefix = &reader->value->prefix;
	char network[LP_PREFIX_TEXT_SIZE], why[LP_WHY_SIZE];
	int rc = read_prefix(&given, reader->piece->bytes, why);

	if (rc)
		return REFUSE(reader, "%s", why);
	reader->value->kind = LP_RULE_ADDRESS;
	/* Field by field: what lies between them stays zero. */
	prefix->ip = given.ip;
	prefix->len = given.len;
	if (clear_host(prefix))
		return REFUSE(reader,
		    "the address has bits behind its prefix: write %s, or the "
		    "address without a length",
		    lp_prefix_format(network, prefix));
	return 0;
}

static int
read_api(struct reader *reader)
{
	const struct lp_rule_piece *piece = reader->piece;
	char quoted[LP_RULE_QUOTE_SIZE];
	const char *near;
	uint64_t key;
	int found;

	if (piece->bytes[0] >= '0' && piece->bytes[0] <= '9') {
		const char *fault =
		    lp_rule_number_parse(&key, piece->bytes, piece->size, NULL);

		if (fault)
			return REFUSE(reader, "%s %s",
			    lp_rule_quote(quoted, piece->bytes, piece->size),
			    fault);
		found = key < lp_apis_table_count && lp_apis_name((int64_t)key)
		    ? (int)key
		    : -1;
		if (found < 0)
			return REFUSE(reader,
			    "no API that is known has the key %s: the last "
			    "one is %d",
			    piece->bytes, lp_apis_table_count - 1);
	} else {
		found = lp_apis_find(piece->bytes, piece->size);
	}
	if (found < 0) {
		near = lp_apis_nearest(piece->bytes, piece->size);
		return REFUSE(reader, "%s is no API of Kafka%s%s%s",
		    lp_rule_quote(quoted, piece->bytes, piece->size),
		    near ? ": did you mean " : "", near ? near : "",
		    near ? "?" : "");
	}
	reader->value->kind = LP_RULE_RANGE;
	reader->value->low = reader->value->high = found;
	return 0;
}

static bool
same(const struct lp_rule_match *match, const struct lp_rule_value *a,
    const struct lp_rule_value *b)
{
	return a->kind == b->kind && a->len == b->len && a->low == b->low &&
	    a->high == b->high && lp_ip_equal(&a->prefix.ip, &b->prefix.ip) &&
	    a->prefix.len == b->prefix.len &&
	    memcmp(match->text + a->text, match->text + b->text, a->len) == 0;
}

/* Its bytes are there already. */
static int
append(struct reader *reader)
{
	struct lp_rule_match *match = reader->match;
	struct lp_rule_value *value = reader->value;
	char quoted[LP_RULE_QUOTE_SIZE];

	for (const struct lp_rule_value *other = match->values; other < value;
	     other++)
		if (other->field == value->field && same(match, other, value))
			return REFUSE(reader, "%s%s is there twice",
			    lp_rule_quote(quoted, reader->piece->bytes,
				reader->piece->size),
			    reader->piece->prefix ? "*" : "");
	match->count++;
	match->fields |= 1u << value->field;
	return 0;
}
