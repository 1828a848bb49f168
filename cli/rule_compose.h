/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text of the language of rules that is put together of nodes of a file, and
 * remembers which part is of which: what is wrong in it is told there.
 */
#ifndef LP_CLI_RULE_COMPOSE_H
#define LP_CLI_RULE_COMPOSE_H

#include "cli/yaml.h"
#include "proto/rule.h"

enum {
	/* Each value, with a \ before each byte, quotes, `*` and comma. */
	LP_RULE_COMPOSE_VALUE_MAX = 2 * LP_RULE_TEXT_MAX + 4,
	/* Values, and the names of fields. */
	LP_RULE_COMPOSE_PARTS = LP_RULE_VALUES_MAX + LP_RULE_FIELD_COUNT,
	LP_RULE_COMPOSE_SIZE =
	    LP_RULE_COMPOSE_PARTS * (LP_RULE_COMPOSE_VALUE_MAX + 2),
};

struct lp_rule_compose_part {
	uint32_t from, to; /* bytes of the text */
	struct lp_span span;
	/* Its text is in it as it is, from there on; NULL: otherwise. */
	const struct lp_yaml_node *node;
	uint32_t node_from;
	const char *first, *second; /* its path; NULL: none */
};

struct lp_rule_compose {
	struct lp_report *report;
	const struct lp_yaml_node *whole; /* what it is made of */
	const char *name; /* "match" */
	size_t len;
	size_t count;
	unsigned values; /* the caller's count */
	struct lp_rule_compose_part parts[LP_RULE_COMPOSE_PARTS];
	char text[LP_RULE_COMPOSE_SIZE]; /* ends with a NUL */
};

/* Of nothing yet. */
void lp_rule_compose_init(struct lp_rule_compose *compose,
    const struct lp_yaml_node *whole, const char *name,
    struct lp_report *report);

/* What is of no part. */
void lp_rule_compose_put(struct lp_rule_compose *compose, const char *text);

/*
 * What is put from here to the end is of that span, and has that path:
 * "limit", "per".  There is room: callers count values, and know their lengths.
 */
void lp_rule_compose_begin(struct lp_rule_compose *compose,
    const struct lp_span *span, const char *first, const char *second);
void lp_rule_compose_end(struct lp_rule_compose *compose);

/* The text of a node, as it is. */
void lp_rule_compose_put_node(
    struct lp_rule_compose *compose, const struct lp_yaml_node *node);

/* -EINVAL: tells the report what the language has found in the text. */
int lp_rule_compose_refuse(
    struct lp_rule_compose *compose, const struct lp_rule_error *error);

/* -EINVAL: tells it of a span, under a path. */
int lp_rule_compose_say(struct lp_rule_compose *compose,
    const struct lp_span *span, const char *first, const char *second,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

/*
 * Some bytes of a scalar's text, in the file; all of it, where the file spells
 * it otherwise.
 */
struct lp_span lp_rule_compose_inside(const struct lp_report *report,
    const struct lp_yaml_node *node, size_t from, size_t len);

#endif
