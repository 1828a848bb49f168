/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview: libyaml tells what comes, node after node; this makes a tree of it
 * and complains of what is not plain.  What is refused is left out with all
 * that is in it; where a value must stand, an empty text stands for it, and
 * the report is told that nothing more is to be said of that.
 *
 * Limits: what grows without being text that is of use (depth, nodes) ends the
 * reading; libyaml itself keeps no more than one token and the open maps and
 * lists.
 */
#include "cli/yaml.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arena.h"
#include "cli/yaml_error.h"
#include "cli/yaml_text.h"
#include "proto/text.h"

enum {
	FEW = 8, /* keys that are compared each with each */
	STOP = 1, /* enough has been said: the rest is not read */
};

enum state {
	AT_KEY, /* of a map: a key is next */
	AT_VALUE, /* its value, or an item of a list */
	AT_REFUSED, /* the value of a key that is refused */
};

/* A map or list that is not complete. */
struct open {
	struct lp_yaml_node *node;
	struct lp_yaml_node *last; /* of the children */
	enum state state;
	const char *key; /* that the next value has */
	struct lp_span key_span;
};

struct reader {
	struct lp_yaml *yaml;
	struct lp_report *report;
	struct lp_yaml_text text;
	struct open open[LP_YAML_DEPTH_MAX];
	unsigned depth;
	unsigned skipping; /* maps and lists inside one that is refused */
	size_t nodes;
	unsigned documents;
	bool wrong; /* the report was told something */
};

struct lp_yaml {
	struct lp_arena arena;
	struct lp_yaml_node *root;
};

static int read_events(struct reader *reader);
static int take(struct reader *reader, const yaml_event_t *event);
static int begin_document(struct reader *reader, const yaml_event_t *event);
static int take_begin(struct reader *reader, const yaml_event_t *event);
static int take_end(struct reader *reader, const yaml_event_t *event);
static int take_scalar(struct reader *reader, const yaml_event_t *event);
static int take_alias(struct reader *reader, const yaml_event_t *event);
static int take_key(struct reader *reader, const yaml_event_t *event);
static bool refuse_value(struct reader *reader);
static void take_properties(struct reader *reader, const yaml_event_t *event,
    const unsigned char *anchor, const unsigned char *tag);
static struct lp_yaml_node *add(
    struct reader *reader, enum lp_yaml_kind kind, const struct lp_span *span);
static int drop_repeated(struct reader *reader, struct lp_yaml_node *map);
static int compare_keys(const void *a, const void *b);
static void say_repeated(struct reader *reader,
    const struct lp_yaml_node *first, struct lp_yaml_node *again);
static void complain(
    struct reader *reader, const struct lp_span *span, const char *text);
static struct lp_span span_of(struct reader *reader, const yaml_event_t *event);

int
lp_yaml_read(struct lp_yaml **out, struct lp_report *report, unsigned file)
{
	struct reader reader = {.report = report};
	int err;

	*out = NULL;
	err = lp_yaml_text_init(&reader.text, report, file);
	if (err)
		return err;
	reader.yaml = calloc(1, sizeof(*reader.yaml));
	if (!reader.yaml)
		return -ENOMEM;
	err = read_events(&reader);
	if (err) {
		lp_yaml_free(reader.yaml);
		return err == STOP ? -EINVAL : err;
	}
	if (reader.yaml->root && lp_yaml_is_null(reader.yaml->root))
		reader.yaml->root = NULL;
	*out = reader.yaml;
	return reader.wrong ? -EINVAL : 0;
}

const struct lp_yaml_node *
lp_yaml_root(const struct lp_yaml *yaml)
{
	return yaml->root;
}

void
lp_yaml_free(struct lp_yaml *yaml)
{
	if (!yaml)
		return;
	lp_arena_fini(&yaml->arena);
	free(yaml);
}

const struct lp_yaml_node *
lp_yaml_get(const struct lp_yaml_node *map, const char *key)
{
	if (map->kind != LP_YAML_MAP)
		return NULL;
	for (const struct lp_yaml_node *node = map->children; node;
	     node = node->next)
		if (strcmp(node->key, key) == 0)
			return node;
	return NULL;
}

bool
lp_yaml_is_null(const struct lp_yaml_node *node)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	if (node->kind != LP_YAML_SCALAR || node->quoted)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(node->text, words[i]) == 0)
			return true;
	return false;
}

static int
read_events(struct reader *reader)
{
	const struct lp_yaml_text *text = &reader->text;
	yaml_parser_t parser;
	bool done = false;
	int err = 0;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser,
	    (const unsigned char *)text->text + text->begin,
	    text->len - text->begin);
	while (err == 0 && !done) {
		yaml_event_t event;

		if (yaml_parser_parse(&parser, &event)) {
			err = take(reader, &event);
			done = event.type == YAML_STREAM_END_EVENT ||
			    reader->documents > 1;
			yaml_event_delete(&event);
		} else if (parser.error == YAML_MEMORY_ERROR) {
			err = -ENOMEM;
		} else {
			lp_yaml_error_tell(
			    reader->report, &reader->text, &parser);
			err = STOP;
		}
	}
	yaml_parser_delete(&parser);
	return err;
}

static int
take(struct reader *reader, const yaml_event_t *event)
{
	bool begins = event->type == YAML_MAPPING_START_EVENT ||
	    event->type == YAML_SEQUENCE_START_EVENT;
	bool ends = event->type == YAML_MAPPING_END_EVENT ||
	    event->type == YAML_SEQUENCE_END_EVENT;

	if (begins && reader->depth + reader->skipping >= LP_YAML_DEPTH_MAX) {
		struct lp_span span = span_of(reader, event);

		lp_report_add(reader->report, LP_SEVERITY_ERROR, &span,
		    "maps and lists are nested at most %d deep",
		    LP_YAML_DEPTH_MAX);
		return STOP;
	}
	if (reader->skipping > 0) {
		if (begins)
			reader->skipping++;
		else if (ends)
			reader->skipping--;
		return 0;
	}
	if (event->type == YAML_DOCUMENT_START_EVENT)
		return begin_document(reader, event);
	if (begins)
		return take_begin(reader, event);
	if (ends)
		return take_end(reader, event);
	if (event->type == YAML_SCALAR_EVENT)
		return take_scalar(reader, event);
	if (event->type == YAML_ALIAS_EVENT)
		return take_alias(reader, event);
	return 0;
}

static int
begin_document(struct reader *reader, const yaml_event_t *event)
{
	struct lp_span span = span_of(reader, event);

	if (++reader->documents > 1)
		complain(reader, &span,
		    "a second document begins: a file has one, without \"---\" "
		    "in it");
	else if (event->data.document_start.tag_directives.start !=
	    event->data.document_start.tag_directives.end)
		complain(reader, &span,
		    "tags are not read: leave the %TAG lines out");
	return 0;
}

static int
take_begin(struct reader *reader, const yaml_event_t *event)
{
	bool map = event->type == YAML_MAPPING_START_EVENT;
	struct lp_span span = span_of(reader, event);
	struct lp_yaml_node *node;
	struct open *open;

	if (reader->depth > 0) {
		open = &reader->open[reader->depth - 1];
		if (open->state == AT_KEY) {
			complain(reader, &span,
			    map ? "a map is no key; quote a text that begins "
				  "with \"{\""
				: "a list is no key; quote a text that begins "
				  "with \"[\"");
			open->state = AT_REFUSED;
			reader->skipping = 1;
			return 0;
		}
	}
	if (refuse_value(reader)) {
		reader->skipping = 1;
		return 0;
	}
	if (map)
		take_properties(reader, event, event->data.mapping_start.anchor,
		    event->data.mapping_start.tag);
	else
		take_properties(reader, event,
		    event->data.sequence_start.anchor,
		    event->data.sequence_start.tag);
	assert(reader->depth < LP_YAML_DEPTH_MAX);
	node = add(reader, map ? LP_YAML_MAP : LP_YAML_LIST, &span);
	if (!node)
		return reader->nodes > LP_YAML_NODES_MAX ? STOP : -ENOMEM;
	open = &reader->open[reader->depth++];
	*open = (struct open){.node = node, .state = map ? AT_KEY : AT_VALUE};
	return 0;
}

static int
take_end(struct reader *reader, const yaml_event_t *event)
{
	struct open *open;
	struct lp_yaml_node *node;
	struct lp_span span = span_of(reader, event);
	const char *at;

	assert(reader->depth > 0);
	open = &reader->open[--reader->depth];
	node = open->node;
	/* One without brackets ends with what is in it. */
	at = reader->text.text + span.from;
	if (span.to > span.from && (*at == ']' || *at == '}'))
		node->span.to = span.to;
	else if (open->last && open->last->span.to > node->span.to)
		node->span.to = open->last->span.to;
	if (node->kind == LP_YAML_MAP && node->count > 1)
		return drop_repeated(reader, node);
	return 0;
}

static int
take_scalar(struct reader *reader, const yaml_event_t *event)
{
	struct lp_span span = span_of(reader, event);
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct lp_yaml_node *node;
	const char *why = NULL;

	if (reader->depth > 0 &&
	    reader->open[reader->depth - 1].state == AT_KEY)
		return take_key(reader, event);
	if (refuse_value(reader))
		return 0;
	take_properties(
	    reader, event, event->data.scalar.anchor, event->data.scalar.tag);
	if (memchr(text, '\0', len))
		why = "a text has no NUL in it";
	else if (len > LP_YAML_TEXT_MAX)
		why = "a text is too long: it has at most 65536 bytes";
	static_assert(LP_YAML_TEXT_MAX == 65536, "as the text above says");
	if (why) {
		complain(reader, &span, why);
		lp_report_settle(reader->report, &span);
		len = 0;
	}
	node = add(reader, LP_YAML_SCALAR, &span);
	if (!node)
		return reader->nodes > LP_YAML_NODES_MAX ? STOP : -ENOMEM;
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (len > 0)
		node->text = lp_arena_text(&reader->yaml->arena, text, len);
	return node->text ? 0 : -ENOMEM;
}

static int
take_alias(struct reader *reader, const yaml_event_t *event)
{
	struct lp_span span = span_of(reader, event);
	struct open *open =
	    reader->depth > 0 ? &reader->open[reader->depth - 1] : NULL;

	complain(reader, &span,
	    "aliases are not read: write the value out, or quote a text that "
	    "begins with \"*\"");
	lp_report_settle(reader->report, &span);
	if (open && open->state == AT_KEY) {
		open->state = AT_REFUSED;
		return 0;
	}
	if (refuse_value(reader) || add(reader, LP_YAML_SCALAR, &span))
		return 0;
	return reader->nodes > LP_YAML_NODES_MAX ? STOP : -ENOMEM;
}

static int
take_key(struct reader *reader, const yaml_event_t *event)
{
	struct open *open = &reader->open[reader->depth - 1];
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

	take_properties(
	    reader, event, event->data.scalar.anchor, event->data.scalar.tag);
	open->key_span = span_of(reader, event);
	open->state = AT_VALUE;
	if (len == 0)
		complain(reader, &open->key_span, "a key is missing");
	else if (memchr(text, '\0', len) || len > LP_YAML_TEXT_MAX)
		complain(reader, &open->key_span,
		    "this is no key: too long, or with a NUL in it");
	else if (plain && strcmp(text, "<<") == 0)
		complain(reader, &open->key_span,
		    "merge keys (\"<<\") are not read: write out what is to be "
		    "there");
	else {
		open->key = lp_arena_text(&reader->yaml->arena, text, len);
		return open->key ? 0 : -ENOMEM;
	}
	open->state = AT_REFUSED;
	return 0;
}

/* True if its key was refused: then the value is left out as well. */
static bool
refuse_value(struct reader *reader)
{
	struct open *open;

	if (reader->depth == 0)
		return false;
	open = &reader->open[reader->depth - 1];
	if (open->state != AT_REFUSED)
		return false;
	open->state = AT_KEY;
	return true;
}

/* Complains of anchors and tags; the value is good without them. */
static void
take_properties(struct reader *reader, const yaml_event_t *event,
    const unsigned char *anchor, const unsigned char *tag)
{
	struct lp_span span = span_of(reader, event);
	const char *text = reader->text.text;
	const char *at = text + span.from;

	/* Either may be first. */
	if (tag) {
		at = anchor && *at == '&' ? strchr(at, '!') : at;
		span.from = at ? (uint32_t)(at - text) : span.from;
		span.to = span.from +
		    (uint32_t)strcspn(text + span.from, " \t\r\n,[]{}");
		complain(reader, &span,
		    "tags are not read: leave it out, or quote a text that "
		    "begins with \"!\"");
	}
	at = text + span_of(reader, event).from;
	if (anchor) {
		at = tag && *at == '!' ? strchr(at, '&') : at;
		span.from = at ? (uint32_t)(at - text) : span.from;
		span.to = span.from +
		    (uint32_t)strcspn(text + span.from, " \t\r\n,[]{}");
		complain(reader, &span,
		    "anchors are not read: leave it out, or quote a text that "
		    "begins with \"&\"");
	}
}

/* Of the map or list that is open; NULL: no memory, or too many. */
static struct lp_yaml_node *
add(struct reader *reader, enum lp_yaml_kind kind, const struct lp_span *span)
{
	struct lp_yaml_node *node;
	struct open *open;

	if (++reader->nodes > LP_YAML_NODES_MAX) {
		lp_report_add(reader->report, LP_SEVERITY_ERROR, span,
		    "a file has at most %d values", LP_YAML_NODES_MAX);
		return NULL;
	}
	node = lp_arena_alloc(&reader->yaml->arena, sizeof(*node));
	if (!node)
		return NULL;
	node->kind = (uint8_t)kind;
	node->text = "";
	node->span = *span;
	if (reader->depth == 0) {
		reader->yaml->root = node;
		return node;
	}
	open = &reader->open[reader->depth - 1];
	if (open->node->kind == LP_YAML_MAP) {
		assert(open->state == AT_VALUE);
		node->key = open->key;
		node->key_span = open->key_span;
		open->state = AT_KEY;
	}
	*(open->last ? &open->last->next : &open->node->children) = node;
	open->last = node;
	open->node->count++;
	return node;
}

/* Of those with the same key only the first is kept. */
static int
drop_repeated(struct reader *reader, struct lp_yaml_node *map)
{
	struct lp_yaml_node **link = &map->children;
	struct lp_yaml_node *few[FEW], **list = few;
	size_t count = 0, first = 0;

	if (map->count > FEW)
		list = malloc(map->count * sizeof(struct lp_yaml_node *));
	if (!list)
		return -ENOMEM;
	for (struct lp_yaml_node *node = map->children; node; node = node->next)
		list[count++] = node;
	assert(count == map->count);
	/* However many there are, and whatever they are called. */
	qsort(list, count, sizeof(struct lp_yaml_node *), compare_keys);
	for (size_t i = 1; i < count; i++)
		if (strcmp(list[i]->key, list[first]->key) == 0)
			say_repeated(reader, list[first], list[i]);
		else
			first = i;
	while (*link)
		if ((*link)->key) {
			link = &(*link)->next;
		} else {
			*link = (*link)->next;
			map->count--;
		}
	if (list != few)
		free(list);
	return 0;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct lp_yaml_node *left = *(struct lp_yaml_node *const *)a;
	const struct lp_yaml_node *right = *(struct lp_yaml_node *const *)b;
	int order = strcmp(left->key, right->key);

	if (order != 0)
		return order;
	return left->key_span.from < right->key_span.from ? -1 : 1;
}

/* The latter loses its key: it is to go. */
static void
say_repeated(struct reader *reader, const struct lp_yaml_node *first,
    struct lp_yaml_node *again)
{
	enum { SHOWN = 60 };
	size_t len = strlen(again->key), shown;
	uint32_t line = 0, column;

	/* It takes time; and what is only counted has no text. */
	if (lp_report_count(reader->report, LP_SEVERITY_ERROR) <
	    LP_REPORT_PROBLEMS_MAX)
		lp_report_locate(
		    reader->report, &first->key_span, &line, &column);
	shown = lp_text_fit(again->key, len, SHOWN);
	lp_report_add(reader->report, LP_SEVERITY_ERROR, &again->key_span,
	    "the key \"%.*s%s\" is there already, in line %u", (int)shown,
	    again->key, shown < len ? "..." : "", line);
	again->key = NULL;
	reader->wrong = true;
}

static void
complain(struct reader *reader, const struct lp_span *span, const char *text)
{
	lp_report_add(reader->report, LP_SEVERITY_ERROR, span, "%s", text);
	reader->wrong = true;
}

/* Without the blanks and line ends that libyaml has behind some. */
static struct lp_span
span_of(struct reader *reader, const yaml_event_t *event)
{
	struct lp_yaml_text *text = &reader->text;
	struct lp_span span = {.file = text->file};

	span.from = lp_yaml_text_offset(text, event->start_mark.index);
	span.to = lp_yaml_text_offset(text, event->end_mark.index);
	while (
	    span.to > span.from && strchr(" \t\r\n", text->text[span.to - 1]))
		span.to--;
	if (span.to < span.from)
		span.to = span.from;
	return span;
}
