/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The match and the action of a rule in a file, and their canonical texts.
 *
 *	match: {client_id: [batch-*, "night 7"], api: Produce}
 *	action: {limit: {bytes_per_second: 50MB, per: client_id}}
 *
 * A scalar is text of the language (proto/rule.h), or the word of a verdict.
 * A map of a match has the language's fields; a value is one value, as it is,
 * also with blanks, commas and a `*` of its own.  One of a text that ends in
 * `*` is a prefix, and one that begins with a double quote has the language's
 * own quotes: '"a*"' ends in a `*` that is no prefix's.
 *
 * A map of an action has one verdict with a map of its arguments, and beside
 * it, or alone, priority, dscp and mirror:
 *
 *	limit: {requests_per_second: N, bytes_per_second: SIZE, burst: SIZE,
 *	        max_throttle: DURATION, per: rule | client_id | principal}
 *	route: {broker: NODE}
 *	allow: {}
 *
 * Of limit the language's own `requests: N/s` and `bytes: SIZE/s` are taken,
 * too.  What is wrong is told where it stands, and starts with "match" or
 * "action", or "match.client_id" of a map.
 */
#ifndef LP_CLI_DECLARATION_RULE_H
#define LP_CLI_DECLARATION_RULE_H

#include "cli/yaml.h"
#include "proto/object.h"

/*
 * The canonical text, with zeros behind it: 0, or -EINVAL, and the report says
 * why.
 */
int lp_declaration_rule_match(char text[LP_RULE_MATCH_SIZE],
    const struct lp_yaml_node *node, struct lp_report *report);
int lp_declaration_rule_action(char text[LP_RULE_ACTION_SIZE],
    const struct lp_yaml_node *node, struct lp_report *report);

/*
 * Whether both go together (lp_rule_check): 0, perhaps with a warning, or
 * -EINVAL.  The texts are what has been made of the nodes.
 */
int lp_declaration_rule_check(const struct lp_rule_object *rule,
    const struct lp_yaml_node *match, const struct lp_yaml_node *action,
    struct lp_report *report);

#endif
