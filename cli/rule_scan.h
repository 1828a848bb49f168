/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the text of a match that parses: its fields, and behind each
 * its values.
 */
#ifndef LP_CLI_RULE_SCAN_H
#define LP_CLI_RULE_SCAN_H

#include "proto/rule_words.h"

struct lp_rule_scan {
	const char *text;
	const char *at; /* behind the part */
	unsigned field; /* enum lp_rule_field */
	int value; /* its index within the field; -1: the field's word */
	size_t from, len; /* the part, in the text */
	struct lp_rule_piece piece; /* of a value */
};

void lp_rule_scan_init(struct lp_rule_scan *scan, const char *text);

/* The next part; false: there is none. */
bool lp_rule_scan_next(struct lp_rule_scan *scan);

#endif
