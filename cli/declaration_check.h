/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lp-controld would say of files, without one.
 */
#ifndef LP_CLI_DECLARATION_CHECK_H
#define LP_CLI_DECLARATION_CHECK_H

#include "cli/declaration.h"
#include "proto/lightpath.pb-c.h"

/*
 * Makes a configuration of what is declared, by the code of lp-controld, and
 * tells the report all that it refuses, each at its place.  Where the files are
 * of owners, what they name and have not may be others': then it is a warning.
 * Names that have not been resolved get addresses that stand in for theirs.  0,
 * or -ENOMEM.
 */
int lp_declaration_check(
    struct lp_declaration *declaration, struct lp_report *report);

/*
 * The same of what the operations make of what there is, where all that is
 * named has to be: `of` has what each adds or sets of the declaration, NULL: it
 * is of no file.
 */
int lp_declaration_check_change(struct lp_declaration *declaration,
    struct lp_report *report, const struct lp_config *from,
    Lp__Pb__Operation *const *operations, struct lp_declared *const *of,
    size_t count);

#endif
