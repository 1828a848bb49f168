/* SPDX-License-Identifier: Apache-2.0 */
/* Asks lp-controld for its configuration, or for one that it keeps. */
#ifndef LP_CLI_SHOW_ASK_H
#define LP_CLI_SHOW_ASK_H

#include "cli/command.h"
#include "cli/lpctl.h"

enum {
	/* Rules may be very many: only who shows them asks for them. */
	LP_SHOW_ASK_RULES = 1 << LP_OBJECT_RULE,
	LP_SHOW_ASK_PLAIN = (1 << LP_OBJECT_RULE) - 1,
	LP_SHOW_ASK_ALL = LP_SHOW_ASK_PLAIN | LP_SHOW_ASK_RULES,
};

/* generation 0: the desired one.  An exit status; with 0 *view is to be freed.
 */
int lp_show_ask(struct lp_view *view, const struct lp_lpctl *lpctl,
    uint32_t kinds, uint64_t generation, struct lp_error *error);

/* --generation; 0: not given.  An exit status. */
int lp_show_ask_generation(
    uint64_t *generation, const struct lp_words *words, struct lp_error *error);

#endif
