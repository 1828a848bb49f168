/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words that can stand next, for the shell: `lpctl --complete WORD...`.
 *
 * The last word is the one at the cursor, and may be empty.  Names of ports,
 * clusters, brokers and listeners come from lp-controld if it answers at
 * once; an error is silence.
 */
#ifndef LP_CLI_COMPLETE_H
#define LP_CLI_COMPLETE_H

#include "cli/lpctl.h"

#define LP_COMPLETE_OPTION "--complete"

/* One candidate a line. */
void lp_complete_write(
    const struct lp_lpctl *lpctl, int count, char *const *words);

#endif
