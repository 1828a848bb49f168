/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML file as a tree that knows its places.
 *
 * Plain YAML only: maps, lists, scalars.  Anchors, aliases, tags, several
 * documents in a file, keys that are not plain text, and keys given twice are
 * refused; so are depth, size and numbers of nodes beyond the limits.  What is
 * wrong is told to a report (cli/report.h), with its place; reading goes on
 * where it can.
 */
#ifndef LP_CLI_YAML_H
#define LP_CLI_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/report.h"

enum {
	/* A hundred thousand rules of 300 bytes are 30 MB. */
	LP_YAML_FILE_MAX = 128 << 20,
	LP_YAML_DEPTH_MAX = 16,
	LP_YAML_NODES_MAX = 8 << 20, /* of one file */
	LP_YAML_TEXT_MAX = 65536, /* bytes of one text */
};

enum lp_yaml_kind {
	LP_YAML_SCALAR = 1,
	LP_YAML_MAP,
	LP_YAML_LIST,
};

/*
 * One value.  The children of a map or list are a chain; those of a map have
 * keys.  Texts end with NUL, have no other, and live as long as the tree.
 */
struct lp_yaml_node {
	uint8_t kind; /* enum lp_yaml_kind */
	bool quoted; /* a scalar in quotes: text, never null or a bool */
	const char *text; /* of a scalar; "" else */
	const char *key; /* of a child of a map; NULL else */
	struct lp_span span; /* of the value, and of the key */
	struct lp_span key_span;
	struct lp_yaml_node *next; /* the sibling behind it */
	struct lp_yaml_node *children;
	size_t count; /* of children */
};

struct lp_yaml;

/*
 * Reads one file, whose text has been added to the report as `file`.  0, or
 * -EINVAL: the report says why; -ENOMEM.
 *
 * With -EINVAL too there is a tree if more can be said of it: what was refused
 * is not in it, or is an empty text of whose place the report takes no more
 * (lp_report_settle).  NULL: the file is no YAML, or beyond a limit.
 */
int lp_yaml_read(struct lp_yaml **out, struct lp_report *report, unsigned file);
/* NULL: the file is empty, or has only comments. */
const struct lp_yaml_node *lp_yaml_root(const struct lp_yaml *yaml);
void lp_yaml_free(struct lp_yaml *yaml); /* NULL is accepted */

/* The child of that key; NULL: there is none, or it is no map. */
const struct lp_yaml_node *lp_yaml_get(
    const struct lp_yaml_node *map, const char *key);

/* "", ~, null, Null, NULL, not quoted: nothing is said. */
bool lp_yaml_is_null(const struct lp_yaml_node *node);

#endif
