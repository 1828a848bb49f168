/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which objects are declared, found by their names, of which there may be very
 * many.
 */
#ifndef LP_CLI_DECLARATION_NAMES_H
#define LP_CLI_DECLARATION_NAMES_H

#include "cli/declaration.h"

struct lp_declaration_names {
	const struct lp_declaration *declaration; /* borrowed */
	uint32_t *places; /* hashed; index + 1, 0: free */
	size_t size; /* a power of two, or 0 */
	size_t count;
};

void lp_declaration_names_init(struct lp_declaration_names *names,
    const struct lp_declaration *declaration);
void lp_declaration_names_fini(struct lp_declaration_names *names);

/* The object at that index of the list, whose name is not there. */
int lp_declaration_names_add(struct lp_declaration_names *names, size_t index);

/*
 * By what lp_declaration_names_label() says of it: "rule x", "listener c/x",
 * "broker c/1".  NULL: there is none.
 */
const struct lp_declared *lp_declaration_names_find(
    const struct lp_declaration_names *names, const char *label);

/* Returns buf. */
char *lp_declaration_names_label(
    char buf[LP_OBJECT_LABEL_SIZE], const struct lp_declared *declared);

#endif
