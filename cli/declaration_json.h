/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declared objects as values of JSON, which files of YAML are written of: the
 * fields in one order, and what is as by default left out.  NULL: no memory.
 */
#ifndef LP_CLI_DECLARATION_JSON_H
#define LP_CLI_DECLARATION_JSON_H

#include "cli/declaration.h"
#include "cli/json.h"

/* cluster, owner: what the file says at its top, which is not repeated. */
json_t *lp_declaration_json_object(
    const struct lp_declared *declared, const char *cluster, const char *owner);

/* Of the canonical texts: maps; {} matches everything. */
json_t *lp_declaration_json_rule_match(const char *text);
/* A word, where it has no arguments. */
json_t *lp_declaration_json_rule_action(const char *text);

#endif
