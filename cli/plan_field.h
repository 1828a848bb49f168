/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between two declared objects: fields by the keys that files
 * have for them, with their values as text.
 */
#ifndef LP_CLI_PLAN_FIELD_H
#define LP_CLI_PLAN_FIELD_H

#include "cli/declaration.h"

enum {
	/* All addresses of a port. */
	LP_PLAN_FIELD_SIZE = LP_PORT_ADDRESSES_MAX * (LP_PREFIX_TEXT_SIZE + 2),
	/* "endpoints." and a listener. */
	LP_PLAN_FIELD_NAME_SIZE = LP_NAME_SIZE + 16,
};

struct lp_plan_field {
	char name[LP_PLAN_FIELD_NAME_SIZE]; /* "priority", "endpoints.public" */
	/* "": nothing is said of it. */
	char old_text[LP_PLAN_FIELD_SIZE];
	char new_text[LP_PLAN_FIELD_SIZE];
};

/*
 * Calls `found`, unless it is NULL, for each field that differs, in the order
 * of files; `from` NULL: from what is as by default.  Whether there is any.
 */
bool lp_plan_field_each(const struct lp_declared *from,
    const struct lp_declared *to,
    void (*found)(void *arg, const struct lp_plan_field *field), void *arg);

#endif
