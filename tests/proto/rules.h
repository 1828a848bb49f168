/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules at random, and what they mean, in the plainest way: what the parser,
 * the printer and others that know rules are compared with.
 */
#ifndef LP_TESTS_PROTO_RULES_H
#define LP_TESTS_PROTO_RULES_H

#include "proto/rule.h"

/* A connection, or a request on it. */
struct rules_event {
	bool request;
	bool broker; /* a broker asks */
	int64_t numbers[LP_RULE_FIELD_COUNT]; /* -2: there is none */
	const char *texts[LP_RULE_FIELD_COUNT]; /* NULL: there is none */
	struct lp_ip ips[LP_RULE_FIELD_COUNT];
};

/* One value in words, out of few: of several draws some are the same. */
enum { RULES_VALUE_SIZE = 32 };
void rules_value(char text[RULES_VALUE_SIZE], uint64_t *random, unsigned field);

/* A match of one to `fields_max` fields, each of some values; it parses. */
void rules_match(
    struct lp_rule_match *match, uint64_t *random, unsigned fields_max);

/* An action in its canonical text; a mirror's port has a name as any. */
void rules_action(char text[LP_RULE_ACTION_SIZE], uint64_t *random);

/* What values as those are about. */
void rules_event(struct rules_event *event, uint64_t *random);

/* Whether the match holds for it. */
bool rules_holds(
    const struct lp_rule_match *match, const struct rules_event *event);

#endif
