/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: global options, then commands separated by "--".
 *
 * Global options may stand before or after any command.
 */
#ifndef LP_CLI_LINE_H
#define LP_CLI_LINE_H

#include <stddef.h>

#include "cli/command.h"
#include "cli/lpctl.h"

enum lp_line_wish {
	LP_LINE_RUN = 0,
	LP_LINE_HELP,
	LP_LINE_VERSION,
};

struct lp_line {
	struct lp_words *commands;
	size_t count;
	enum lp_line_wish wish;
	const struct lp_command *about; /* of --help; NULL: of lpctl */
};

/*
 * Parses argv, which *line borrows from, and sets what global options say in
 * *lpctl.  LP_EXIT_OK, or LP_EXIT_USAGE with the reason; *line is to be
 * freed either way.
 */
int lp_line_parse(struct lp_line *line, struct lp_lpctl *lpctl, int argc,
    char **argv, struct lp_error *error);
void lp_line_fini(struct lp_line *line);

#endif
