/* SPDX-License-Identifier: Apache-2.0 */
/* What the texts have in common: titles, and the rounds of --watch. */
#ifndef LP_CLI_OUTPUT_TEXT_PART_H
#define LP_CLI_OUTPUT_TEXT_PART_H

#include "cli/output.h"

/* "KIND NAME", a line of its own; "KIND -" without a name. */
void lp_output_text_part_title(
    const struct lp_print *print, const char *kind, const char *name);

/*
 * The owner of an object, if it has one: a line of its own, or behind what is
 * said of it in one.
 */
void lp_output_text_part_owner(
    const struct lp_print *print, const struct lp_object *object, bool in_line);

/*
 * A round shows dataplane by dataplane.  Before the first one: on a terminal
 * each round takes the place of the last.  Behind each: a blank line, if
 * another one follows in this round or in the next.
 */
void lp_output_text_part_round(const struct lp_print *print);
void lp_output_text_part_end(const struct lp_print *print, bool last);

#endif
