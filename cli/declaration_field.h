/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a map of a file to a struct, by a table of the keys that it may have.
 *
 * Whatever is wrong is told, all of it, each with its place: keys that there
 * are none of, values of another type or out of range, keys that lack.
 */
#ifndef LP_CLI_DECLARATION_FIELD_H
#define LP_CLI_DECLARATION_FIELD_H

#include "cli/yaml.h"

enum lp_declaration_type {
	LP_DECLARATION_TEXT = 1, /* char[size] */
	LP_DECLARATION_WORD, /* one of a few: uint8_t */
	LP_DECLARATION_BOOL, /* bool */
	LP_DECLARATION_NUMBER, /* min..max: uint16_t or uint32_t, by size */
	LP_DECLARATION_OTHER, /* as set() says */
};

struct lp_declaration_reading {
	struct lp_report *report;
	bool failed; /* an error has been told; who asks clears it */
	int err; /* -ENOMEM, or 0 */
};

struct lp_declaration_field {
	const char *key; /* NULL: the table ends */
	uint8_t type; /* enum lp_declaration_type */
	/*
	 * OTHER: what it may be, 1 << enum lp_yaml_kind; 1 << 0: nothing, too,
	 * and set() is not called then.
	 */
	uint8_t kinds;
	/* OTHER: in words, for messages: "an address". */
	const char *needed;
	/* What it is for, where it may not lack; NULL: it may. */
	const char *why;
	size_t offset, size; /* in the struct */
	uint32_t min, max;
	/* WORD: 0, or -EINVAL; and the words, from 1 until NULL. */
	int (*parse)(uint8_t *out, const char *text);
	const char *(*name)(unsigned value);
	void (*set)(struct lp_declaration_reading *reading,
	    const struct lp_yaml_node *node, void *to);
};

/*
 * Reads all keys of a map; `what` says in messages what it is: "a port".  What
 * is refused stays as it was in *to.
 */
void lp_declaration_field_read(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *map, const char *what,
    const struct lp_declaration_field *fields, void *to);

/*
 * False, and the error is told, if the node is none of the kinds
 * (1 << enum lp_yaml_kind), or nothing at all.
 */
bool lp_declaration_field_is(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, const char *key, unsigned kinds,
    const char *needed);

/* "KEY: TEXT" of that place. */
void lp_declaration_field_error(struct lp_declaration_reading *reading,
    const struct lp_span *span, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
