/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/config.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "objects.h"

enum { RULE = 100 };

static struct lp_config config;

static void
setup(void)
{
	make_config(&config);
}

static void
teardown(void)
{
	lp_config_fini(&config);
}

static void
put_rule(const char *match, const char *action, bool shadow)
{
	struct lp_object rule = make_rule(RULE, "r", 1, match, action);

	rule.rule.shadow = shadow;
	put(&config, rule);
}

static void
say(uint32_t id, uint8_t how)
{
	struct lp_object listener =
	    *lp_config_find(&config, LP_OBJECT_LISTENER, id);

	listener.listener.unjudged = how;
	put(&config, listener);
}

START_TEST(rules_that_can_be_followed_pass)
{
	static const struct {
		const char *match, *action;
		bool shadow;
	} rows[] = {
	    {"", "observe", false},
	    {"api=Fetch", "observe", false},
	    {"src=10.0.0.0/8", "reset", false},
	    {"api=JoinGroup,OffsetCommit group=x", "deny", true},
	    {"cluster=orders listener=orders/public port=front", "allow",
		false},
	    {"broker=7", "observe", false},
	    {"api=Fetch topic=x", "deny", true},
	    {"", "limit bytes=1MB/s", true},
	    {"", "allow mirror=back", false},
	    {"api=Fetch", "reset", true},
	    {"", "allow dscp=8", false},
	    {"src=10.0.0.0/8", "allow priority=0", false},
	    {"cluster=payments", "route broker=1", false},
	};

	put_rule(rows[_i].match, rows[_i].action, rows[_i].shadow);
	config_is_right(&config);
}
END_TEST

START_TEST(a_rule_is_right_by_itself)
{
	put_rule("topic=", "observe", false);
	config_is_wrong(&config, RULE,
	    "rule r: match: column 7: topic has no value: write topic=VALUE, "
	    "without blanks");
	put_rule("", "observe", false);
	put(&config, make_rule(0, "s", 1, "", "observe"));
	config_is_wrong(&config, 0, "rule s: id: 0 is no id");
}
END_TEST

START_TEST(what_a_rule_names_exists)
{
	static const char *const rows[][3] = {
	    {"cluster=paymens", "observe",
		"match: there is no cluster paymens (did you mean payments?)"},
	    {"cluster=x", "observe", "match: there is no cluster x"},
	    {"cluster=payments listener=payments/publik", "observe",
		"match: there is no listener payments/publik (did you mean "
		"payments/public?)"},
	    {"listener=public/payments", "observe",
		"match: there is no listener public/payments"},
	    {"port=side", "observe", "match: there is no port side"},
	    {"", "allow mirror=side", "action: mirror: there is no port side"},
	};
	char message[512];

	snprintf(message, sizeof(message), "rule r: %s", rows[_i][2]);
	put_rule(rows[_i][0], rows[_i][1], true);
	config_is_wrong(&config, RULE, message);
}
END_TEST

START_TEST(names_are_unique_among_all_rules)
{
	char name[LP_NAME_SIZE];

	/* A name may be that of another kind of object. */
	put(&config, make_rule(RULE, "payments", 1, "", "observe"));
	for (uint32_t i = 1; i < 300; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		put(&config, make_rule(RULE + i, name, 1, "", "observe"));
	}
	config_is_right(&config);
	put(&config, make_rule(RULE + 300, "r17", 2, "", "observe"));
	config_is_wrong(&config, RULE + 300,
	    "rule r17: name: is already taken by another rule");
}
END_TEST

/* Nobody relies on what would be done by nobody. */
START_TEST(what_cannot_be_done_yet_is_refused)
{
	static const char *const rows[][3] = {
	    {"group=x", "limit bytes=1MB/s", "limit, by group="},
	    {"api=Produce,Heartbeat", "limit requests=1/s",
		"limit, of an API whose delay breaks groups or logins"},
	};
	char message[512];

	snprintf(message, sizeof(message),
	    "rule r: action: %s: this version cannot do that yet; in "
	    "shadow it counts what it would concern",
	    rows[_i][2]);
	put_rule(rows[_i][0], rows[_i][1], false);
	config_is_wrong(&config, RULE, message);
	put_rule(rows[_i][0], rows[_i][1], true);
	config_is_right(&config);
}
END_TEST

START_TEST(what_can_be_limited_is_taken)
{
	static const char *const rows[] = {"listener=payments/public",
	    "listener=payments/public api=Produce,Fetch",
	    "listener=payments/public api=Produce topic=orders",
	    "listener=payments/public api=Fetch,ShareFetch topic=orders",
	    "listener=payments/public topic=orders",
	    "listener=payments/public client_id=web*",
	    "listener=payments/public from=broker api=Fetch"};

	say(PAYMENTS_PUBLIC, LP_UNJUDGED_PASS);
	put_rule("cluster=payments listener=payments/public",
	    "limit bytes=1MB/s", false);
	config_is_right(&config);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_rule(rows[i], "limit requests=9/s", false);
		config_is_right(&config);
	}
}
END_TEST

START_TEST(so_many_may_limit_at_once)
{
	char name[LP_NAME_SIZE];
	struct lp_object rule;

	say(PAYMENTS_PUBLIC, LP_UNJUDGED_PASS);
	for (uint32_t i = 0; i <= LP_RULES_LIMITING_MAX; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		rule = make_rule(RULE + i, name, 1, "listener=payments/public",
		    "limit bytes=1MB/s");
		rule.rule.shadow = i == LP_RULES_LIMITING_MAX;
		put(&config, rule);
	}
	config_is_right(&config);
	rule.rule.shadow = false;
	put(&config, rule);
	config_is_wrong(&config, rule.id,
	    "rule r4096: action: more than 4096 rules that limit; more of them "
	    "can be in shadow");
}
END_TEST

/* It acts on requests: of which listeners, and have these said it? */
START_TEST(listeners_say_first_what_becomes_of_the_unjudged)
{
	static const struct {
		const char *match;
		bool payments, orders; /* are concerned */
	} rows[] = {
	    {"api=Fetch", true, true},
	    {"cluster=payments api=Fetch", true, false},
	    {"cluster=payments,orders api=Fetch", true, true},
	    {"listener=orders/public api=Fetch", false, true},
	    {"cluster=orders listener=orders/public api=Fetch", false, true},
	    {"src=10.0.0.0/8", false, false},
	};
	static const char *const texts[] = {
	    "rule r: match: acts on requests of listener payments/public, "
	    "which has not said what becomes of bytes that cannot be judged "
	    "(unjudged pass or reset)",
	    "rule r: match: acts on requests of listener orders/public, which "
	    "has not said what becomes of bytes that cannot be judged "
	    "(unjudged pass or reset)",
	};

	put_rule(rows[_i].match, "observe", false);
	config_is_right(&config);
	put_rule(rows[_i].match, "allow", true);
	config_is_right(&config);
	put_rule(rows[_i].match, "allow", false);
	if (rows[_i].payments)
		config_is_wrong(&config, RULE, texts[0]);
	say(PAYMENTS_PUBLIC, LP_UNJUDGED_PASS);
	if (rows[_i].orders)
		config_is_wrong(&config, RULE, texts[1]);
	else
		config_is_right(&config);
	say(ORDERS_PUBLIC, LP_UNJUDGED_RESET);
	config_is_right(&config);
}
END_TEST

START_TEST(a_listener_that_comes_later_is_the_one_refused)
{
	struct lp_object late =
	    make_listener(RULE + 1, PAYMENTS, "late", "10.9.0.101:9092");

	say(PAYMENTS_PUBLIC, LP_UNJUDGED_PASS);
	put_rule("cluster=payments api=Fetch", "allow", false);
	config_is_right(&config);
	put(&config, late);
	put(&config,
	    make_endpoint(RULE + 2, RULE + 1, PAYMENTS_0, "10.9.0.101:9100"));
	put(&config,
	    make_endpoint(RULE + 3, RULE + 1, PAYMENTS_1, "10.9.0.101:9101"));
	config_is_wrong(&config, RULE + 1,
	    "listener payments/late: unjudged: rule r acts on requests of it: "
	    "say what becomes of bytes that cannot be judged (unjudged pass "
	    "or reset)");
	say(RULE + 1, LP_UNJUDGED_RESET);
	config_is_right(&config);
}
END_TEST

START_TEST(nothing_acts_where_nothing_is_looked_into)
{
	struct lp_object listener =
	    *lp_config_find(&config, LP_OBJECT_LISTENER, PAYMENTS_PUBLIC);

	say(ORDERS_PUBLIC, LP_UNJUDGED_RESET);
	listener.listener.unjudged = LP_UNJUDGED_RESET;
	put(&config, listener);
	put_rule("api=Fetch", "deny", false);
	config_is_right(&config);
	listener.listener.kafka = LP_LOOK_OFF;
	listener.listener.rewrite = LP_REWRITING_OFF;
	put(&config, listener);
	config_is_wrong(&config, RULE,
	    "rule r: match: rule r acts on requests, and listener "
	    "payments/public does not look into connections (kafka off): "
	    "name other listeners in it, or put it in shadow");
	put_rule("api=Fetch", "allow", false);
	config_is_right(&config);
	put_rule("listener=orders/public api=Fetch", "deny", false);
	config_is_right(&config);
	put_rule("api=Fetch", "deny", true);
	config_is_right(&config);
}
END_TEST

/* Whose connections are somebody else's acts as one with a VIP. */
START_TEST(an_inline_listener_has_to_say_it_too)
{
	put(&config, make_inline(RULE - 1, PAYMENTS, "seen"));
	put(&config,
	    make_endpoint(RULE - 2, RULE - 1, PAYMENTS_0, "10.8.0.20:9092"));
	put(&config,
	    make_endpoint(RULE - 3, RULE - 1, PAYMENTS_1, "10.7.0.21:9092"));
	put_rule("listener=payments/seen src=10.0.0.0/8", "reset", false);
	config_is_right(&config);
	put_rule("listener=payments/seen api=Produce", "deny", false);
	config_is_wrong(&config, RULE,
	    "rule r: match: acts on requests of listener payments/seen, which "
	    "has not said what becomes of bytes that cannot be judged "
	    "(unjudged pass or reset)");
	say(RULE - 1, LP_UNJUDGED_RESET);
	config_is_right(&config);
}
END_TEST

static void
change_is_wrong(const struct lp_config *passed, uint32_t id)
{
	struct lp_config_error error;

	ck_assert_int_eq(
	    lp_config_check_change(&config, passed, &error), -EINVAL);
	ck_assert_uint_eq(error.object_id, id);
}

/* A rule that is wrong shows whether it was read. */
START_TEST(only_rules_that_changed_are_read_again)
{
	struct lp_config passed;
	struct lp_config_error error;
	struct lp_object listener;

	put_rule("api=Fetch", "deny", false);
	put(&config, make_rule(RULE + 2, "s", 1, "", "observe"));
	lp_config_init(&passed);
	ck_assert_int_eq(lp_config_copy(&passed, &config), 0);
	ck_assert_int_eq(lp_config_check_change(&config, &passed, &error), 0);
	/* Others come, change and go around it. */
	put(&config, make_rule(RULE - 1, "a", 1, "", "observe"));
	put(&config, make_rule(RULE + 1, "b", 1, "", "observe"));
	put(&config, make_rule(RULE + 2, "s", 2, "", "observe"));
	ck_assert_int_eq(lp_config_check_change(&config, &passed, &error), 0);
	lp_config_remove(&config, LP_OBJECT_RULE, RULE - 1);
	put(&config, make_rule(RULE + 2, "s", 2, "cluster=x", "observe"));
	change_is_wrong(&passed, RULE + 2);
	put(&config, make_rule(RULE + 2, "b", 2, "", "observe"));
	change_is_wrong(&passed, RULE + 2);
	lp_config_remove(&config, LP_OBJECT_RULE, RULE + 2);
	/* It has changed itself; or what rules may name has. */
	put(&config, make_rule(RULE, "r", 2, "api=Fetch", "deny"));
	change_is_wrong(&passed, RULE);
	put(&config, make_rule(RULE, "r", 1, "api=Fetch", "deny"));
	ck_assert_int_eq(lp_config_check_change(&config, &passed, &error), 0);
	listener = *lp_config_find(&config, LP_OBJECT_LISTENER, ORDERS_PUBLIC);
	listener.listener.unjudged = LP_UNJUDGED_PASS;
	put(&config, listener);
	change_is_wrong(&passed, RULE);
	lp_config_fini(&passed);
}
END_TEST

/* All places taken, by rules that name what there is. */
START_TEST(the_largest_number_of_rules_passes)
{
	char name[LP_NAME_SIZE], match[LP_RULE_MATCH_SIZE];

	say(PAYMENTS_PUBLIC, LP_UNJUDGED_PASS);
	for (uint32_t i = 0; i < LP_RULES_MAX; i++) {
		snprintf(name, sizeof(name), "rule-%u", i);
		snprintf(match, sizeof(match),
		    "cluster=payments api=Produce client_id=c%u* topic=t%u", i,
		    i % 100);
		put(&config,
		    make_rule(RULE + i, name, i % 65536, match, "allow"));
	}
	config_is_right(&config);
	put(&config, make_rule(RULE + 7, "rule-99999", 1, "", "observe"));
	config_is_wrong(&config, RULE + LP_RULES_MAX - 1,
	    "rule rule-99999: name: is already taken by another rule");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config_check_rule");
	TCase *tests = tcase_create("config_check_rule");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, rules_that_can_be_followed_pass, 0, 12);
	tcase_add_test(tests, a_rule_is_right_by_itself);
	tcase_add_loop_test(tests, what_a_rule_names_exists, 0, 6);
	tcase_add_test(tests, names_are_unique_among_all_rules);
	tcase_add_loop_test(tests, what_cannot_be_done_yet_is_refused, 0, 2);
	tcase_add_test(tests, what_can_be_limited_is_taken);
	tcase_add_test(tests, so_many_may_limit_at_once);
	tcase_add_loop_test(
	    tests, listeners_say_first_what_becomes_of_the_unjudged, 0, 6);
	tcase_add_test(tests, a_listener_that_comes_later_is_the_one_refused);
	tcase_add_test(tests, nothing_acts_where_nothing_is_looked_into);
	tcase_add_test(tests, an_inline_listener_has_to_say_it_too);
	tcase_add_test(tests, only_rules_that_changed_are_read_again);
	tcase_add_test(tests, the_largest_number_of_rules_passes);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
