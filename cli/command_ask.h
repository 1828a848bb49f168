/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the table of commands that change no object: for command.c. */
#ifndef LP_CLI_COMMAND_ASK_H
#define LP_CLI_COMMAND_ASK_H

#include "cli/command.h"

/* NULL behind the last. */
const struct lp_command *lp_command_ask_at(size_t index);

#endif
