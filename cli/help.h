/* SPDX-License-Identifier: Apache-2.0 */
/* Help, made from the table of commands. */
#ifndef LP_CLI_HELP_H
#define LP_CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

/* Of lpctl, or of one command if it is not NULL. */
void lp_help_write(FILE *out, const struct lp_command *command);

/* "lpctl add-port NAME [OPTION]..." */
void lp_help_usage(FILE *out, const struct lp_command *command);

#endif
