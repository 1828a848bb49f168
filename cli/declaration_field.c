/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/declaration_field.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "proto/nearest.h"

/* Of what was written, in messages. */
enum { SHOWN_MAX = 64, WORDS_SIZE = 128 };

static const struct lp_declaration_field *find(
    const struct lp_declaration_field *fields, const char *key);
static void refuse_key(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, const char *what,
    const struct lp_declaration_field *fields);
static void read_field(struct lp_declaration_reading *reading,
    const struct lp_declaration_field *field, const struct lp_yaml_node *node,
    void *to);
static void read_text(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, const char *key, char *out, size_t size);
static void read_word(struct lp_declaration_reading *reading,
    const struct lp_declaration_field *field, const struct lp_yaml_node *node,
    uint8_t *out);
static void read_bool(struct lp_declaration_reading *reading,
    const struct lp_declaration_field *field, const struct lp_yaml_node *node,
    bool *out);
static void read_number(struct lp_declaration_reading *reading,
    const struct lp_declaration_field *field, const struct lp_yaml_node *node,
    void *out);
static char *list_words(
    char *buf, size_t size, const struct lp_declaration_field *field);

void
lp_declaration_field_read(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *map, const char *what,
    const struct lp_declaration_field *fields, void *to)
{
	const struct lp_yaml_node *node;

	assert(map->kind == LP_YAML_MAP);
	for (node = map->children; node != NULL; node = node->next) {
		const struct lp_declaration_field *field =
		    find(fields, node->key);

		if (field != NULL)
			read_field(reading, field, node, to);
		else
			refuse_key(reading, node, what, fields);
	}
	for (; fields->key != NULL; fields++) {
		/* Its beginning: all of it would be many lines. */
		struct lp_span span = map->span;

		span.to = span.from;
		if (fields->why != NULL &&
		    lp_yaml_get(map, fields->key) == NULL)
			lp_declaration_field_error(reading, &span, fields->key,
			    "missing: %s", fields->why);
	}
}

bool
lp_declaration_field_is(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, const char *key, unsigned kinds,
    const char *needed)
{
	static const char *const words[] = {
	    [LP_YAML_SCALAR] = "a text",
	    [LP_YAML_MAP] = "a map",
	    [LP_YAML_LIST] = "a list",
	};

	if (lp_yaml_is_null(node)) {
		lp_declaration_field_error(reading,
		    node->key != NULL ? &node->key_span : &node->span, key,
		    "%s is needed, there is nothing", needed);
		return false;
	}
	if ((kinds & 1u << node->kind) != 0)
		return true;
	lp_declaration_field_error(reading, &node->span, key,
	    "%s is needed, this is %s", needed, words[node->kind]);
	return false;
}

void
lp_declaration_field_error(struct lp_declaration_reading *reading,
    const struct lp_span *span, const char *key, const char *format, ...)
{
	char text[2 * LP_WHY_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	reading->failed = true;
	lp_report_add(
	    reading->report, LP_SEVERITY_ERROR, span, "%s: %s", key, text);
}

static const struct lp_declaration_field *
find(const struct lp_declaration_field *fields, const char *key)
{
	for (; fields->key != NULL; fields++)
		if (strcmp(fields->key, key) == 0)
			return fields;
	return NULL;
}

static void
refuse_key(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, const char *what,
    const struct lp_declaration_field *fields)
{
	struct lp_nearest nearest;
	char hint[LP_NEAREST_HINT_SIZE];

	lp_nearest_init(&nearest, node->key, strlen(node->key));
	for (; fields->key != NULL; fields++)
		lp_nearest_offer(&nearest, fields->key);
	reading->failed = true;
	lp_report_add(reading->report, LP_SEVERITY_ERROR, &node->key_span,
	    "%s has no key \"%.*s\"%s", what, SHOWN_MAX, node->key,
	    lp_nearest_hint(hint, nearest.best));
}

static void
read_field(struct lp_declaration_reading *reading,
    const struct lp_declaration_field *field, const struct lp_yaml_node *node,
    void *to)
{
	void *out = (char *)to + field->offset;
	char words[WORDS_SIZE] = "one of ";
	const char *needed = field->needed;
	unsigned kinds = field->kinds;

	if (field->type == LP_DECLARATION_WORD) {
		list_words(words + strlen(words), sizeof(words) - strlen(words),
		    field);
		needed = words;
	} else if (field->type == LP_DECLARATION_BOOL) {
		needed = "true or false";
	} else if (field->type == LP_DECLARATION_NUMBER) {
		needed = "a number";
	} else if (field->type == LP_DECLARATION_TEXT) {
		needed = "a text";
	}
	if (field->type != LP_DECLARATION_OTHER)
		kinds = 1 << LP_YAML_SCALAR;
	if ((kinds & 1) != 0 && lp_yaml_is_null(node))
		return;
	if (!lp_declaration_field_is(reading, node, field->key, kinds, needed))
		return;
	switch (field->type) {
	case LP_DECLARATION_TEXT:
		read_text(reading, node, field->key, out, field->size);
		break;
	case LP_DECLARATION_WORD:
		read_word(reading, field, node, out);
		break;
	case LP_DECLARATION_BOOL:
		read_bool(reading, field, node, out);
		break;
	case LP_DECLARATION_NUMBER:
		read_number(reading, field, node, out);
		break;
	default:
		field->set(reading, node, to);
		break;
	}
}

static void
read_text(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, const char *key, char *out, size_t size)
{
	size_t len = strlen(node->text);

	if (len == 0) {
		lp_declaration_field_error(
		    reading, &node->span, key, "is empty");
		return;
	}
	if (len >= size) {
		lp_declaration_field_error(reading, &node->span, key,
		    "is longer than %zu characters", size - 1);
		return;
	}
	memset(out, 0, size);
	memcpy(out, node->text, len);
}

static void
read_word(struct lp_declaration_reading *reading,
    const struct lp_declaration_field *field, const struct lp_yaml_node *node,
    uint8_t *out)
{
	char words[WORDS_SIZE], hint[LP_NEAREST_HINT_SIZE];
	struct lp_nearest nearest;

	if (field->parse(out, node->text) == 0)
		return;
	lp_nearest_init(&nearest, node->text, strlen(node->text));
	for (unsigned i = 1; field->name(i) != NULL; i++)
		lp_nearest_offer(&nearest, field->name(i));
	lp_declaration_field_error(reading, &node->span, field->key,
	    "\"%.*s\" is none of %s%s", SHOWN_MAX, node->text,
	    list_words(words, sizeof(words), field),
	    lp_nearest_hint(hint, nearest.best));
}

static void
read_bool(struct lp_declaration_reading *reading,
    const struct lp_declaration_field *field, const struct lp_yaml_node *node,
    bool *out)
{
	if (!node->quoted && strcmp(node->text, "true") == 0)
		*out = true;
	else if (!node->quoted && strcmp(node->text, "false") == 0)
		*out = false;
	else
		lp_declaration_field_error(reading, &node->span, field->key,
		    "true or false is needed, \"%.*s\" is %s", SHOWN_MAX,
		    node->text, node->quoted ? "a text" : "neither");
}

static void
read_number(struct lp_declaration_reading *reading,
    const struct lp_declaration_field *field, const struct lp_yaml_node *node,
    void *out)
{
	const char *text = node->text;
	unsigned long value = 0;
	uint32_t word;
	uint16_t half;

	if (node->quoted || text[strspn(text, "0123456789")] != '\0') {
		lp_declaration_field_error(reading, &node->span, field->key,
		    "a number is needed, \"%.*s\" is %s", SHOWN_MAX, text,
		    node->quoted ? "a text" : "none");
		return;
	}
	/* 0100 is 64 to some readers of YAML, and 100 to others. */
	if (text[0] == '0' && text[1] != '\0') {
		lp_declaration_field_error(reading, &node->span, field->key,
		    "a number does not begin with 0: \"%.*s\"", SHOWN_MAX,
		    text);
		return;
	}
	errno = 0;
	value = strtoul(text, NULL, 10);
	if (errno != 0 || value < field->min || value > field->max) {
		lp_declaration_field_error(reading, &node->span, field->key,
		    "%.*s is not %u..%u", SHOWN_MAX, text, field->min,
		    field->max);
		return;
	}
	word = (uint32_t)value;
	half = (uint16_t)value;
	assert(field->size == sizeof(word) || field->size == sizeof(half));
	memcpy(out,
	    field->size == sizeof(word) ? (const void *)&word
					: (const void *)&half,
	    field->size);
}

/* "a, b or c"; returns buf. */
static char *
list_words(char *buf, size_t size, const struct lp_declaration_field *field)
{
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned i = 1; field->name(i) != NULL && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s",
		    i == 1                           ? ""
			: field->name(i + 1) == NULL ? " or "
						     : ", ",
		    field->name(i));
	return buf;
}
