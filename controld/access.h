/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which role may ask what: one table, and lpctl(8) has it, too; a test compares
 * the two, and both with the requests that there are.  What is not in it
 * nobody may ask.
 */
#ifndef LP_CONTROLD_ACCESS_H
#define LP_CONTROLD_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/lightpath.pb-c.h"
#include "proto/role.h"

struct lp_access {
	Lp__Pb__ControlRequest__BodyCase body;
	const char *request; /* as in the protocol: "transaction" */
	unsigned roles; /* 1 << enum lp_role */
	bool audited; /* in any case: it changes something, or takes all */
};

/* A row of the table; NULL behind the last. */
const struct lp_access *lp_access_at(size_t index);

/* NULL: nobody may ask that. */
const struct lp_access *lp_access_find(Lp__Pb__ControlRequest__BodyCase body);

bool lp_access_may(enum lp_role role, Lp__Pb__ControlRequest__BodyCase body);

/* "transaction"; "unknown" of what is not in the table. */
const char *lp_access_name(Lp__Pb__ControlRequest__BodyCase body);

#endif
