/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"
#include "cli/help.h"

int
lp_cmd_help(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	const struct lp_command *command = NULL;

	if (words->operands[0] != NULL) {
		command = lp_command_find(words->operands[0]);
		if (command == NULL)
			return lp_error_set(error, LP_EXIT_USAGE,
			    "there is no command \"%s\"; \"lpctl help\" lists "
			    "them",
			    words->operands[0]);
	}
	lp_help_write(lpctl->print.out, command);
	return LP_EXIT_OK;
}
