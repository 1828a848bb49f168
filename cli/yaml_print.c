/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/yaml_print.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "proto/utf8.h"

/* Counts what it writes; out NULL: only that. */
struct line {
	FILE *out;
	size_t len;
};

static void put(struct line *line, const char *bytes, size_t len);
static void put_flow(struct line *line, json_t *value);
static void put_text(struct line *line, const char *text);
static void put_block(struct line *line, json_t *value, unsigned indent);
static bool fits(json_t *value, size_t used);
static bool may_be_number(const char *text);

static void
put_word(struct line *line, const char *word)
{
	put(line, word, strlen(word));
}

static void
put_indent(struct line *line, unsigned indent)
{
	for (unsigned i = 0; i < indent; i++)
		put_word(line, " ");
}

static void
put_field(struct line *line, const char *key, json_t *value, unsigned indent)
{
	put_text(line, key);
	put_word(line, ":");
	if (fits(value, line->len + 1)) {
		put_word(line, " ");
		put_flow(line, value);
		put_word(line, "\n");
	} else {
		put_word(line, "\n");
		put_block(line, value, indent + 2);
	}
}

void
lp_yaml_print_item(FILE *out, json_t *item, unsigned indent, bool block)
{
	struct line line = {.out = out};
	bool first = true;
	const char *key;
	json_t *value;

	put_indent(&line, indent);
	put_word(&line, "- ");
	if (!json_is_object(item) || json_object_size(item) == 0 ||
	    (!block && fits(item, line.len))) {
		put_flow(&line, item);
		put_word(&line, "\n");
		return;
	}
	json_object_foreach(item, key, value)
	{
		if (!first) {
			line.len = 0;
			put_indent(&line, indent + 2);
		}
		first = false;
		put_field(&line, key, value, indent + 2);
	}
}

/* What is no scalar, and too long for a line. */
static void
put_block(struct line *line, json_t *value, unsigned indent)
{
	const char *key;
	json_t *child;
	size_t i;

	json_array_foreach(value, i, child)
	    lp_yaml_print_item(line->out, child, indent, false);
	json_object_foreach(value, key, child)
	{
		struct line next = {.out = line->out};

		put_indent(&next, indent);
		put_field(&next, key, child, indent);
	}
}

/* Also what cannot be parted. */
static bool
fits(json_t *value, size_t used)
{
	struct line line = {.len = used};

	if (json_array_size(value) == 0 && json_object_size(value) == 0)
		return true;
	put_flow(&line, value);
	return line.len <= LP_YAML_PRINT_WIDTH;
}

static void
put_flow(struct line *line, json_t *value)
{
	char number[32];
	const char *key;
	json_t *child;
	size_t i, count = 0;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		put_word(line, "{");
		json_object_foreach(value, key, child)
		{
			put_word(line, count++ > 0 ? ", " : "");
			put_text(line, key);
			put_word(line, ": ");
			put_flow(line, child);
		}
		put_word(line, "}");
		break;
	case JSON_ARRAY:
		put_word(line, "[");
		json_array_foreach(value, i, child)
		{
			put_word(line, i > 0 ? ", " : "");
			put_flow(line, child);
		}
		put_word(line, "]");
		break;
	case JSON_STRING:
		put_text(line, json_string_value(value));
		break;
	case JSON_INTEGER:
		snprintf(number, sizeof(number), "%lld",
		    (long long)json_integer_value(value));
		put_word(line, number);
		break;
	default:
		assert(json_is_boolean(value));
		put_word(line, json_is_true(value) ? "true" : "false");
		break;
	}
}

bool
lp_yaml_print_is_plain(const char *text)
{
	static const char *const words[] = {
	    "null", "true", "false", "yes", "no", "on", "off", "y", "n"};
	enum { WORDS = sizeof(words) / sizeof(words[0]) };
	const char *colon = strchr(text, ':');
	size_t len = strlen(text);

	if (text[0] == '\0' || strchr(".:@+*-", text[0]))
		return false;
	for (const char *c = text; *c != '\0'; c++)
		if (!isascii(*c) || (!isalnum(*c) && !strchr("._/:@+*-", *c)))
			return false;
	/* HOST:PORT; no key, and no minutes of an hour. */
	if (colon && (!isdigit(colon[1]) || strchr(colon + 1, ':')))
		return false;
	for (size_t i = 0; len <= strlen("false") && i < WORDS; i++)
		if (strcasecmp(text, words[i]) == 0)
			return false;
	return !may_be_number(text);
}

/* Also a date, or sixties; more than is, where that is simpler. */
static bool
may_be_number(const char *text)
{
	const char *behind = text + strspn(text, "0123456789");
	const char *dot = strchr(text, '.');

	if (!isdigit(text[0]) && text[0] != '_')
		return false;
	if (text[strspn(text, "0123456789abcdefABCDEFxXo_.:+-")] != '\0')
		return false;
	/* 10.9.0.1:9092, and 3-7. */
	if (dot && strchr(dot + 1, '.'))
		return false;
	return behind == text || *behind != '-' ||
	    behind[1 + strspn(behind + 1, "0123456789")] != '\0';
}

static void
put_text(struct line *line, const char *text)
{
	const char *end = text + strlen(text);

	if (lp_yaml_print_is_plain(text)) {
		put_word(line, text);
		return;
	}
	put_word(line, "\"");
	for (const char *at = text; at < end;) {
		char escaped[12];
		uint32_t code;
		size_t len = lp_utf8_decode(at, end, &code);

		assert(len > 0); /* jansson has no other texts */
		if (code == '"' || code == '\\') {
			put_word(line, "\\");
		} else if (code < 0x20 || (code >= 0x7f && code < 0xa0) ||
		    code == 0x2028 || code == 0x2029 || code == 0xfeff ||
		    code == 0xfffe || code == 0xffff) {
			/* Not printable, or the end of a line. */
			snprintf(escaped, sizeof(escaped), "\\u%04x", code);
			put_word(line, escaped);
			at += len;
			continue;
		}
		put(line, at, len);
		at += len;
	}
	put_word(line, "\"");
}

static void
put(struct line *line, const char *bytes, size_t len)
{
	if (line->out)
		(void)fwrite_unlocked(bytes, 1, len, line->out);
	line->len += len;
}
