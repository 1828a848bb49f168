/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matches of rules, value by value, in the order of fields; and what they are
 * asked about, with nothing in it but what every request has.
 */
#ifndef LP_TESTS_SUPPORT_RULE_MATCH_H
#define LP_TESTS_SUPPORT_RULE_MATCH_H

#include "dataplane/pipeline/rules.h"

/* The empty match: it holds for everything. */
void rule_match_clear(struct lp_rule_match *match);

/* "pay" is exact, "pay*" a prefix; of a name exact. */
void rule_match_text(
    struct lp_rule_match *match, unsigned field, const char *text);
void rule_match_bytes(struct lp_rule_match *match, unsigned field, bool prefix,
    const void *bytes, unsigned len);
void rule_match_range(
    struct lp_rule_match *match, unsigned field, int64_t low, int64_t high);
/* "10.0.0.0/8" */
void rule_match_prefix(
    struct lp_rule_match *match, unsigned field, const char *prefix);
void rule_match_address(struct lp_rule_match *match, unsigned field,
    const struct lp_prefix *prefix);

/* From 10.0.0.1:40000 to 10.0.0.9:9092, of no cluster. */
void rule_match_connection(struct lp_rules_connection *connection);

/* Metadata, version 9, of 100 bytes, by a client without a name. */
void rule_match_request(struct lp_rules_request *request);
void rule_match_set(
    struct lp_rules_request *request, unsigned place, const char *text);

#endif
