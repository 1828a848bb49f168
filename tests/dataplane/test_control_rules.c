/* SPDX-License-Identifier: Apache-2.0 */
/* Rules, as far as they come: told, applied, kept over a restart. */
#include <stdio.h>
#include <string.h>

#include "tests/dataplane/controller.h"

/*
 * The test takes them out of its own copy one by one, and what is silent for
 * long in that, with a sanitizer, is taken for gone.
 */
enum { EPOCH = 7, RULE = 1000, RULES = 1000 };

static struct dataplane dataplane;
static struct controller controller;
static struct lp_config config;

static void
begin(void)
{
	struct lp_object listener;
	char name[LP_NAME_SIZE], match[LP_RULE_MATCH_SIZE];

	cold_config(&config);
	listener =
	    *lp_config_find(&config, LP_OBJECT_LISTENER, PAYMENTS_PUBLIC);
	listener.listener.unjudged = LP_UNJUDGED_PASS;
	put(&config, listener);
	for (uint32_t i = 0; i < RULES; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		snprintf(match, sizeof(match),
		    "cluster=payments api=Produce client_id=c%u*", i);
		put(&config, make_rule(RULE + i, name, i, match, "allow"));
	}
	dataplane_start(&dataplane, NULL);
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
}

static void
end(void)
{
	controller_close(&controller);
	dataplane_stop(&dataplane);
	dataplane_clean(&dataplane);
	lp_config_fini(&config);
}

static void
is_applied(uint64_t digest)
{
	ck_assert_uint_eq(controller_expect(&controller,
			      LP__PB__DATAPLANE_MESSAGE__BODY_APPLIED)
			      ->applied->digest,
	    digest);
}

START_TEST(hello_says_that_there_are_rules)
{
	const Lp__Pb__Hello *hello;
	bool found = false;

	lp_config_init(&config);
	dataplane_start(&dataplane, NULL);
	controller_open(&controller, dataplane.socket);
	hello = controller_expect(
	    &controller, LP__PB__DATAPLANE_MESSAGE__BODY_HELLO)
		    ->hello;
	for (size_t i = 0; i < hello->n_capabilities; i++)
		found |=
		    strcmp(hello->capabilities[i], LP_CAPABILITY_RULES) == 0;
	ck_assert(found);
	end();
}
END_TEST

START_TEST(rules_are_applied_and_outlive_a_restart)
{
	begin();
	controller_apply(&controller, EPOCH, 1, &config);
	controller_close(&controller);
	dataplane_stop(&dataplane);
	dataplane_restart(&dataplane, NULL);
	controller_open(&controller, dataplane.socket);
	ck_assert_uint_eq(controller_expect(&controller,
			      LP__PB__DATAPLANE_MESSAGE__BODY_HELLO)
			      ->hello->digest,
	    lp_config_digest(&config));
	end();
}
END_TEST

/* One is new, one is another, and most of them go. */
START_TEST(a_delta_changes_only_the_rules_it_names)
{
	struct lp_object added =
	    make_rule(RULE + RULES, "new", 9, "src=10.0.0.0/8", "reset");
	struct lp_object changed;
	struct lp_config before;
	uint64_t digest;

	begin();
	controller_apply(&controller, EPOCH, 1, &config);
	lp_config_init(&before);
	ck_assert_int_eq(lp_config_copy(&before, &config), 0);
	changed = *lp_config_find(&config, LP_OBJECT_RULE, RULE);
	changed.rule.shadow = true;
	put(&config, changed);
	put(&config, added);
	for (uint32_t i = 1; i < RULES - 1; i++)
		lp_config_remove(&config, LP_OBJECT_RULE, RULE + i);
	digest = lp_config_digest(&config);
	controller_begin(&controller, EPOCH, 2, 1, RULES, digest);
	controller_object(&controller, &changed, false);
	controller_object(&controller, &added, false);
	for (uint32_t i = 1; i < RULES - 1; i++)
		controller_object(&controller,
		    lp_config_find(&before, LP_OBJECT_RULE, RULE + i), true);
	controller_end(&controller, 2);
	is_applied(digest);
	lp_config_fini(&before);
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    hello_says_that_there_are_rules,
	    rules_are_applied_and_outlive_a_restart,
	    a_delta_changes_only_the_rules_it_names,
	    NULL,
	};

	return cold_run("control_rules", tests);
}
