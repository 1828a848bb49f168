/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From declared objects to the operations of a transaction.
 *
 * An operation says all of an object: also what is as by default, so that a
 * SET leaves nothing of what was.  It borrows from what is declared, which must
 * stay where it is.
 */
#ifndef LP_CLI_DECLARATION_OPERATION_H
#define LP_CLI_DECLARATION_OPERATION_H

#include "cli/declaration.h"
#include "proto/lightpath.pb-c.h"

struct lp_declaration_operation {
	Lp__Pb__Operation **list; /* each has its place in it, from 1 */
	size_t count;
	size_t size; /* places allocated */
};

/*
 * One more operation.  SET: `old` is what there is of it, by the same name,
 * whose chosen endpoints go where the new one has none.  0, or -ENOMEM.
 */
int lp_declaration_operation_add(struct lp_declaration_operation *operations,
    const struct lp_declared *declared);
int lp_declaration_operation_set(struct lp_declaration_operation *operations,
    const struct lp_declared *declared, const struct lp_declared *old);
int lp_declaration_operation_del(struct lp_declaration_operation *operations,
    const struct lp_declared *declared);

void lp_declaration_operation_fini(struct lp_declaration_operation *operations);

#endif
