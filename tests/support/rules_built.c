/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/rules_built.h"

#include <check.h>

#include "tests/support/rule_match.h"
#include "tests/support/rules_model.h"

enum { SEED = 0x5eed };

struct rules_built rules_built;

int
rules_built_try_open(void)
{
	struct lp_rules_names names = {.find = rules_model_name};

	rules_built_close();
	rule_match_clear(&rules_built.match);
	return lp_rules_new(&rules_built.builder, SEED, &names);
}

void
rules_built_open(void)
{
	ck_assert_int_eq(rules_built_try_open(), 0);
}

void
rules_built_close(void)
{
	lp_rules_discard(rules_built.builder);
	lp_rules_free(rules_built.rules);
	rules_built.builder = NULL;
	rules_built.rules = NULL;
}

int
rules_built_try_add(
    uint32_t id, uint16_t priority, uint8_t verdict, bool shadow)
{
	struct lp_rule_action action = {.verdict = verdict};
	struct lp_rules_rule rule = {.id = id,
	    .slot = 100 + id,
	    .priority = priority,
	    .shadow = shadow,
	    .match = &rules_built.match,
	    .action = &action};
	int error = lp_rules_add(rules_built.builder, &rule, rules_built.why);

	rule_match_clear(&rules_built.match);
	return error;
}

void
rules_built_add(uint32_t id, uint16_t priority, uint8_t verdict)
{
	ck_assert_msg(rules_built_try_add(id, priority, verdict, false) == 0,
	    "%s", rules_built.why);
}

int
rules_built_try_build(void)
{
	return lp_rules_build(
	    &rules_built.rules, rules_built.builder, rules_built.why);
}

void
rules_built_build(void)
{
	ck_assert_msg(rules_built_try_build() == 0, "%s", rules_built.why);
}
