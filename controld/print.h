/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical form of a configuration: the lpctl commands that build it.
 */
#ifndef LP_CONTROLD_PRINT_H
#define LP_CONTROLD_PRINT_H

#include <stdio.h>

#include "proto/config.h"

/*
 * One command a line, in canonical order; every option written out, words
 * quoted for a shell where they need it.
 */
void lp_print_config(FILE *out, const struct lp_config *config);

#endif
