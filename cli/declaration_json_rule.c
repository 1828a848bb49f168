/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "cli/declaration_json.h"
#include "cli/rule_scan.h"

static json_t *make_value(const struct lp_rule_scan *scan);
static json_t *number_or_text(const char *text, size_t len);
static int put_argument(
    json_t *outer, json_t *inner, const char *word, size_t len);

json_t *
lp_declaration_json_rule_match(const char *text)
{
	json_t *map = json_object(), *list = NULL;
	struct lp_rule_scan scan;
	int err = map ? 0 : -1;

	lp_rule_scan_init(&scan, text);
	while (!err && lp_rule_scan_next(&scan)) {
		const char *name = lp_rule_field_name(scan.field);

		if (scan.value == 0)
			err = json_object_set_new(map, name, make_value(&scan));
		if (scan.value == 1) {
			list = json_array();
			err = json_array_append(
				  list, json_object_get(map, name)) ||
			    json_object_set_new(map, name, list);
		}
		if (scan.value > 0 && !err)
			err = json_array_append_new(list, make_value(&scan));
	}
	if (!err)
		return map;
	json_decref(map);
	return NULL;
}

/* As declaration_rule.h reads it. */
static json_t *
make_value(const struct lp_rule_scan *scan)
{
	const struct lp_rule_piece *piece = &scan->piece;
	enum lp_rule_kind kind = lp_rule_field_kind(scan->field);
	char text[LP_RULE_TEXT_MAX + 2];

	if (kind != LP_RULE_KIND_TEXT && kind != LP_RULE_KIND_NAME)
		return number_or_text(piece->bytes, piece->size);
	/* In quotes of the language: else it were a prefix, or in quotes. */
	if (piece->bytes[0] == '"' ||
	    (!piece->prefix && piece->size > 0 &&
		piece->bytes[piece->size - 1] == '*'))
		return json_stringn(piece->at, piece->len);
	memcpy(text, piece->bytes, piece->size);
	text[piece->size] = '*';
	return json_stringn(text, piece->size + (size_t)piece->prefix);
}

json_t *
lp_declaration_json_rule_action(const char *text)
{
	size_t len = strcspn(text, " ");
	json_t *outer = json_object(), *inner = json_object();
	json_t *verdict = json_stringn(text, len);
	bool allows =
	    len == strlen("allow") && strncmp(text, "allow", len) == 0;
	int err = 0;

	if (text[len] == '\0') {
		json_decref(outer);
		json_decref(inner);
		return verdict;
	}
	/* It is meant where only others are there. */
	if (!allows)
		err = json_object_set(outer, json_string_value(verdict), inner);
	for (text += len; !err && *text == ' '; text += len) {
		text++;
		len = strcspn(text, " ");
		err = put_argument(outer, inner, text, len);
	}
	json_decref(inner);
	json_decref(verdict);
	if (!err)
		return outer;
	json_decref(outer);
	return NULL;
}

/* NAME=VALUE of the verdict, or beside it. */
static int
put_argument(json_t *outer, json_t *inner, const char *word, size_t len)
{
	static const struct {
		const char *word, *key;
		bool beside;
	} names[] = {
	    {"priority", "priority", true},
	    {"dscp", "dscp", true},
	    {"mirror", "mirror", true},
	    {"bytes", "bytes_per_second", false},
	    {"requests", "requests_per_second", false},
	    {"burst", "burst", false},
	    {"max_throttle", "max_throttle", false},
	    {"per", "per", false},
	    {"broker", "broker", false},
	};
	size_t name_len = strcspn(word, "="), i = 0;
	const char *value = word + name_len + 1;
	size_t value_len = len - name_len - 1;

	while (strlen(names[i].word) != name_len ||
	    memcmp(names[i].word, word, name_len) != 0) {
		i++;
		assert(i < sizeof(names) / sizeof(names[0]));
	}
	if (value_len > 2 && memcmp(value + value_len - 2, "/s", 2) == 0)
		value_len -= 2;
	/* A port may have a number for its name. */
	return json_object_set_new(names[i].beside ? outer : inner,
	    names[i].key,
	    strcmp(names[i].word, "mirror") == 0
		? json_stringn(value, value_len)
		: number_or_text(value, value_len));
}

static json_t *
number_or_text(const char *text, size_t len)
{
	uint64_t number;

	if (!lp_rule_number_parse(&number, text, len, NULL) &&
	    number <= INT64_MAX)
		return json_integer((json_int_t)number);
	return json_stringn(text, len);
}
