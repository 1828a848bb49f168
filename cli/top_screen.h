/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal of "lpctl top": the only file that knows ncurses, which there
 * is one of in a process.
 */
#ifndef LP_CLI_TOP_SCREEN_H
#define LP_CLI_TOP_SCREEN_H

#include "cli/error.h"
#include "cli/top_page.h"

/*
 * Takes the terminal, which standard input and output both are.  LP_EXIT_OK,
 * or LP_EXIT_USAGE with the reason.  Until stop it is given back by a crash
 * too; other signals are the caller's.
 */
int lp_top_screen_start(bool color, struct lp_error *error);

/* Gives it back as it was; harmless if it was never taken. */
void lp_top_screen_stop(void);

/* Asks the terminal how large it is now. */
void lp_top_screen_resize(unsigned *width, unsigned *height);

/* repaint: do not trust what the terminal shows. */
void lp_top_screen_draw(const struct lp_top_page *page, bool repaint);

/* The next key that waits, or LP_TOP_KEY_NONE; never waits itself. */
int lp_top_screen_key(void);

#endif
