/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libyaml finds wrong, in our words.
 */
#ifndef LP_CLI_YAML_ERROR_H
#define LP_CLI_YAML_ERROR_H

#include <yaml.h>

#include "cli/yaml_text.h"

/* Of a parser that has failed, but not for want of memory. */
void lp_yaml_error_tell(struct lp_report *report, struct lp_yaml_text *text,
    const yaml_parser_t *parser);

#endif
