/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules that a test puts together one by one, and what they are compiled to.
 * Rule N has slot 100 + N.
 */
#ifndef LP_TESTS_SUPPORT_RULES_BUILT_H
#define LP_TESTS_SUPPORT_RULES_BUILT_H

#include "dataplane/rules.h"

/* The one of this program. */
struct rules_built {
	struct lp_rules_builder *builder;
	struct lp_rules *rules; /* NULL until they are built */
	struct lp_rule_match match; /* of the rule that is added next */
	char why[LP_WHY_SIZE];
};
extern struct rules_built rules_built;

/* Begins, with nothing; names are those of rules_model.h. */
void rules_built_open(void);
void rules_built_close(void);

/* The match as it is, which is empty then. */
void rules_built_add(uint32_t id, uint16_t priority, uint8_t verdict);
void rules_built_build(void);

/* The same, where it may fail: 0, or the error. */
int rules_built_try_open(void);
int rules_built_try_add(
    uint32_t id, uint16_t priority, uint8_t verdict, bool shadow);
int rules_built_try_build(void);

#endif
