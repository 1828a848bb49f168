/* SPDX-License-Identifier: Apache-2.0 */
/* What rules say, one thing at a time; test_rules_random.c mixes them. */
#include "dataplane/rules.h"

#include <check.h>

#include "tests/support/rule_match.h"
#include "tests/support/rules_built.h"

static struct lp_rule_match *const match = &rules_built.match;
static struct lp_rules_connection connection;
static struct lp_rules_request request;
static struct lp_rules_found found;

static void
setup(void)
{
	rules_built_open();
	rule_match_connection(&connection);
	rule_match_request(&request);
}

static void
add_shadow(uint32_t id, uint16_t priority, uint8_t verdict)
{
	ck_assert_int_eq(rules_built_try_add(id, priority, verdict, true), 0);
}

/* The id of the rule that decides; 0: none. */
static uint32_t
id_of(uint32_t row)
{
	if (row == LP_RULES_NONE)
		return 0;
	ck_assert_uint_lt(row, rules_built.rules->row_count);
	ck_assert_uint_eq(rules_built.rules->rows[row].slot,
	    100 + rules_built.rules->rows[row].id);
	return rules_built.rules->rows[row].id;
}

static uint32_t
ask(void)
{
	lp_rules_request(rules_built.rules, &connection, &request, &found);
	return id_of(found.decides);
}

static uint32_t
ask_connection(void)
{
	lp_rules_connection(rules_built.rules, &connection, &found);
	return id_of(found.decides);
}

static uint32_t
ask_topic(const char *topic)
{
	rule_match_set(&request, LP_RULES_TOPIC, topic);
	return ask();
}

static uint32_t
ask_from(const char *address)
{
	ck_assert_int_eq(lp_ip_parse(&connection.src, address, NULL), 0);
	return ask();
}

static uint32_t
ask_api(int16_t api)
{
	request.api = api;
	return ask();
}

/* ---- the order ----------------------------------------------------------- */

START_TEST(without_rules_nothing_decides)
{
	rules_built_build();
	ck_assert_uint_eq(ask(), 0);
	ck_assert_uint_eq(ask_connection(), 0);
	ck_assert_uint_eq(found.seen_count, 0);
}
END_TEST

START_TEST(the_higher_priority_is_asked_first)
{
	rules_built_add(1, 10, LP_RULE_DENY);
	rules_built_add(2, 30, LP_RULE_ALLOW);
	rules_built_add(3, 20, LP_RULE_RESET);
	rules_built_build();
	ck_assert_uint_eq(ask(), 2);
	ck_assert_uint_eq(rules_built.rules->rows[0].priority, 30);
	ck_assert_uint_eq(rules_built.rules->rows[2].id, 1);
}
END_TEST

START_TEST(of_equal_priority_the_lower_id_is_asked_first)
{
	rule_match_text(match, LP_RULE_TOPIC, "a");
	rules_built_add(9, 10, LP_RULE_DENY);
	rule_match_text(match, LP_RULE_TOPIC, "a*");
	rules_built_add(8, 10, LP_RULE_ALLOW);
	rules_built_build();
	ck_assert_uint_eq(ask_topic("a"), 8);
}
END_TEST

START_TEST(what_does_not_decide_is_told_in_order)
{
	rule_match_text(match, LP_RULE_TOPIC, "a*");
	rules_built_add(1, 50, LP_RULE_OBSERVE);
	add_shadow(2, 60, LP_RULE_DENY);
	rule_match_text(match, LP_RULE_TOPIC, "ab");
	rules_built_add(3, 40, LP_RULE_NO_CREATE);
	rule_match_text(match, LP_RULE_TOPIC, "*");
	rules_built_add(4, 30, LP_RULE_DENY);
	rules_built_add(5, 20, LP_RULE_OBSERVE);
	rules_built_build();
	ck_assert_uint_eq(ask_topic("ab"), 4);
	ck_assert_uint_eq(found.seen_count, 3);
	ck_assert_uint_eq(id_of(found.seen[0]), 2);
	ck_assert_uint_eq(id_of(found.seen[1]), 1);
	ck_assert_uint_eq(id_of(found.seen[2]), 3);
	ck_assert(found.no_create);
	ck_assert_uint_eq(ask_topic("ac"), 4);
	ck_assert_uint_eq(found.seen_count, 2);
	ck_assert(!found.no_create);
}
END_TEST

START_TEST(no_create_in_shadow_does_not_act)
{
	add_shadow(1, 10, LP_RULE_NO_CREATE);
	rules_built_build();
	ck_assert_uint_eq(ask(), 0);
	ck_assert_uint_eq(found.seen_count, 1);
	ck_assert(!found.no_create);
}
END_TEST

START_TEST(what_has_no_place_in_the_list_is_counted)
{
	/* Of two tuples, in turns, the last ones first. */
	for (uint16_t i = 40; i >= 1; i--) {
		rule_match_text(
		    match, LP_RULE_TOPIC, i % 2 == 0 ? "topic" : "to*");
		rules_built_add(i, (uint16_t)(1000 - i), LP_RULE_OBSERVE);
	}
	rule_match_text(match, LP_RULE_TOPIC, "topic");
	rules_built_add(41, 900, LP_RULE_NO_CREATE);
	rules_built_add(42, 800, LP_RULE_ALLOW);
	rules_built_build();
	ck_assert_uint_eq(ask_topic("topic"), 42);
	ck_assert_uint_eq(found.seen_count, LP_RULES_SEEN_MAX);
	for (unsigned i = 0; i < LP_RULES_SEEN_MAX; i++)
		ck_assert_uint_eq(id_of(found.seen[i]), i + 1);
	ck_assert_uint_eq(found.more, 41 - LP_RULES_SEEN_MAX);
	ck_assert(found.no_create);
	ck_assert_uint_eq(ask_topic("tom"), 42);
	ck_assert_uint_eq(found.more, 20 - LP_RULES_SEEN_MAX);
}
END_TEST

/* ---- connections and requests -------------------------------------------- */

START_TEST(a_reset_waits_for_requests_that_may_pass)
{
	rule_match_prefix(match, LP_RULE_SRC, "10.0.0.0/8");
	rules_built_add(1, 10, LP_RULE_RESET);
	rule_match_prefix(match, LP_RULE_SRC, "10.0.0.0/24");
	rule_match_text(match, LP_RULE_TOPIC, "public*");
	rules_built_add(2, 20, LP_RULE_ALLOW);
	rules_built_build();
	ck_assert_uint_eq(ask_connection(), 1);
	ck_assert(found.later);
	ck_assert_uint_eq(ask(), 1);
	ck_assert_uint_eq(ask_topic("public-a"), 2);
	ck_assert_uint_eq(ask_from("10.0.1.1"), 1);
	ck_assert_uint_eq(ask_connection(), 1);
	ck_assert(!found.later);
}
END_TEST

START_TEST(a_reset_does_not_wait_for_what_cannot_pass)
{
	rule_match_text(match, LP_RULE_TOPIC, "secret*");
	rules_built_add(1, 50, LP_RULE_DENY);
	rule_match_text(match, LP_RULE_TOPIC, "secret*");
	rules_built_add(2, 40, LP_RULE_RESET);
	rule_match_text(match, LP_RULE_TOPIC, "public*");
	add_shadow(3, 30, LP_RULE_ALLOW);
	rule_match_text(match, LP_RULE_TOPIC, "public*");
	rules_built_add(4, 30, LP_RULE_OBSERVE);
	rules_built_add(5, 20, LP_RULE_RESET);
	rule_match_text(match, LP_RULE_TOPIC, "public*");
	rules_built_add(6, 10, LP_RULE_ALLOW);
	rules_built_build();
	ck_assert_uint_eq(ask_connection(), 5);
	ck_assert(!found.later);
	ck_assert_uint_eq(found.seen_count, 0);
}
END_TEST

START_TEST(the_first_connection_rule_routes_whatever_requests_say)
{
	rule_match_text(match, LP_RULE_TOPIC, "a");
	rules_built_add(1, 50, LP_RULE_ALLOW);
	rule_match_range(match, LP_RULE_SRC_PORT, 40000, 40010);
	rules_built_add(2, 40, LP_RULE_ROUTE);
	rules_built_add(3, 30, LP_RULE_RESET);
	rules_built_build();
	ck_assert_uint_eq(ask_connection(), 2);
	ck_assert(!found.later);
	ck_assert_uint_eq(ask_topic("b"), 2);
	connection.src_port = 40011;
	ck_assert_uint_eq(ask_connection(), 3);
	ck_assert(found.later);
}
END_TEST

START_TEST(deny_is_of_requests_and_leaves_brokers_alone)
{
	rules_built_add(1, 10, LP_RULE_DENY);
	rules_built_build();
	ck_assert_uint_eq(ask_connection(), 0);
	ck_assert_uint_eq(ask(), 1);
	request.from = LP_RULE_FROM_BROKER;
	ck_assert_uint_eq(ask(), 0);
}
END_TEST

START_TEST(a_connection_rule_holds_whoever_speaks)
{
	rules_built_add(1, 20, LP_RULE_OBSERVE);
	rules_built_add(2, 10, LP_RULE_RESET);
	rule_match_range(match, LP_RULE_API, 3, 3);
	rules_built_add(3, 30, LP_RULE_ALLOW);
	rules_built_build();
	ck_assert_uint_eq(ask_connection(), 2);
	ck_assert(found.later);
	ck_assert_uint_eq(found.seen_count, 1);
	ck_assert_uint_eq(ask(), 3);
	request.from = LP_RULE_FROM_BROKER;
	ck_assert_uint_eq(ask(), 2);
	ck_assert_uint_eq(found.seen_count, 1);
}
END_TEST

START_TEST(from_says_whose_requests)
{
	rule_match_range(match, LP_RULE_FROM, 0, 1);
	rule_match_text(match, LP_RULE_TOPIC, "any");
	rules_built_add(1, 10, LP_RULE_DENY);
	rule_match_range(match, LP_RULE_FROM, 1, 1);
	rule_match_text(match, LP_RULE_TOPIC, "broker");
	rules_built_add(2, 10, LP_RULE_DENY);
	rules_built_build();
	ck_assert_uint_eq(ask_topic("any"), 1);
	ck_assert_uint_eq(ask_topic("broker"), 0);
	request.from = LP_RULE_FROM_BROKER;
	ck_assert_uint_eq(ask_topic("any"), 1);
	ck_assert_uint_eq(ask_topic("broker"), 2);
}
END_TEST

/* ---- fields -------------------------------------------------------------- */

START_TEST(a_prefix_of_nothing_holds_for_every_text_there_is)
{
	rule_match_text(match, LP_RULE_TOPIC, "*");
	rules_built_add(1, 10, LP_RULE_DENY);
	rules_built_build();
	ck_assert_uint_eq(ask(), 0);
	ck_assert_uint_eq(ask_topic(""), 1);
	ck_assert_uint_eq(ask_topic("a"), 1);
}
END_TEST

START_TEST(a_text_that_is_cut_equals_none_but_has_prefixes)
{
	rule_match_text(match, LP_RULE_CLIENT_ID, "abc");
	rules_built_add(1, 30, LP_RULE_DENY);
	rule_match_text(match, LP_RULE_CLIENT_ID, "abc*");
	rules_built_add(2, 20, LP_RULE_DENY);
	rules_built_build();
	rule_match_set(&request, LP_RULES_CLIENT_ID, "abc");
	ck_assert_uint_eq(ask(), 1);
	request.text[LP_RULES_CLIENT_ID].cut = true;
	ck_assert_uint_eq(ask(), 2);
	rule_match_set(&request, LP_RULES_CLIENT_ID, "ab");
	ck_assert_uint_eq(ask(), 0);
}
END_TEST

START_TEST(values_that_overlap_hold_once)
{
	rule_match_text(match, LP_RULE_CLIENT_ID, "c*");
	rule_match_text(match, LP_RULE_CLIENT_ID, "client");
	rule_match_text(match, LP_RULE_TOPIC, "pay");
	rule_match_text(match, LP_RULE_TOPIC, "pay*");
	rule_match_text(match, LP_RULE_TOPIC, "payments*");
	rule_match_text(match, LP_RULE_TOPIC, "orders");
	rules_built_add(1, 10, LP_RULE_OBSERVE);
	rules_built_build();
	rule_match_set(&request, LP_RULES_CLIENT_ID, "client");
	ask_topic("payments-eu");
	ck_assert_uint_eq(found.seen_count + found.more, 1);
	ask_topic("pay");
	ck_assert_uint_eq(found.seen_count + found.more, 1);
	ask_topic("orders");
	ck_assert_uint_eq(found.seen_count + found.more, 1);
	ask_topic("pa");
	ck_assert_uint_eq(found.seen_count + found.more, 0);
	ck_assert_uint_eq(rules_built.rules->entry_count, 2);
}
END_TEST

START_TEST(all_fields_must_hold)
{
	rule_match_text(match, LP_RULE_CLUSTER, "n1");
	rule_match_text(match, LP_RULE_LISTENER, "n2");
	rule_match_range(match, LP_RULE_BROKER, 7, 7);
	rule_match_text(match, LP_RULE_PORT, "n3");
	rules_built_add(1, 10, LP_RULE_RESET);
	rules_built_build();
	connection.cluster = 1;
	connection.listener = 2;
	connection.port = 3;
	ck_assert_uint_eq(ask_connection(), 0);
	connection.broker = 7;
	ck_assert_uint_eq(ask_connection(), 1);
	connection.port = 2;
	ck_assert_uint_eq(ask_connection(), 0);
	connection.port = 0;
	ck_assert_uint_eq(ask_connection(), 0);
}
END_TEST

START_TEST(families_do_not_mix)
{
	static const struct lp_prefix all_v6;

	rule_match_address(match, LP_RULE_SRC, &all_v6);
	rules_built_add(1, 30, LP_RULE_DENY);
	rule_match_prefix(match, LP_RULE_SRC, "10.0.0.128/25");
	rules_built_add(2, 20, LP_RULE_DENY);
	rule_match_prefix(match, LP_RULE_SRC, "0.0.0.0/0");
	rules_built_add(3, 10, LP_RULE_DENY);
	rules_built_build();
	ck_assert_uint_eq(ask_from("2001:db8::1"), 1);
	ck_assert_uint_eq(ask_from("10.0.0.127"), 3);
	ck_assert_uint_eq(ask_from("10.0.0.128"), 2);
	ck_assert_uint_eq(ask_from("10.0.0.255"), 2);
	ck_assert_uint_eq(ask_from("10.0.1.0"), 3);
}
END_TEST

START_TEST(ranges_hold_at_their_borders)
{
	rule_match_range(match, LP_RULE_VERSION, 3, 5);
	rule_match_range(match, LP_RULE_FRAME_SIZE, 100, 200);
	rule_match_range(match, LP_RULE_FRAME_SIZE, 1000000, INT64_MAX);
	rules_built_add(1, 10, LP_RULE_DENY);
	rules_built_build();
	for (uint32_t version = 2; version <= 6; version++) {
		request.version = (int16_t)version;
		request.frame_size = 100;
		ck_assert_uint_eq(ask(), version >= 3 && version <= 5);
	}
	request.version = 4;
	request.frame_size = 99;
	ck_assert_uint_eq(ask(), 0);
	request.frame_size = 200;
	ck_assert_uint_eq(ask(), 1);
	request.frame_size = 201;
	ck_assert_uint_eq(ask(), 0);
	request.frame_size = 999999;
	ck_assert_uint_eq(ask(), 0);
	request.frame_size = UINT32_MAX;
	ck_assert_uint_eq(ask(), 1);
}
END_TEST

/* Those with a bit, those without, and a rule behind one of the same key. */
START_TEST(apis_are_a_set_of_any_numbers)
{
	rule_match_range(match, LP_RULE_API, 0, 1);
	rule_match_range(match, LP_RULE_API, 64, 64);
	rule_match_range(match, LP_RULE_API, 127, 127);
	rules_built_add(1, 30, LP_RULE_RESET);
	rule_match_range(match, LP_RULE_API, 64, 64);
	rule_match_range(match, LP_RULE_API, 127, 129);
	rules_built_add(2, 20, LP_RULE_RESET);
	rule_match_range(match, LP_RULE_API, 127, 127);
	rules_built_add(3, 10, LP_RULE_RESET);
	rules_built_build();
	ck_assert_uint_eq(ask_api(0), 1);
	ck_assert_uint_eq(ask_api(2), 0);
	ck_assert_uint_eq(ask_api(64), 1);
	ck_assert_uint_eq(ask_api(127), 1);
	ck_assert_uint_eq(ask_api(128), 2);
	ck_assert_uint_eq(ask_api(129), 2);
	ck_assert_uint_eq(ask_api(130), 0);
	ck_assert_uint_eq(ask_api(-1), 0);
}
END_TEST

/* The others are left to the rules behind. */
START_TEST(a_deny_is_of_what_can_be_denied)
{
	enum { FETCH = 1, METADATA = 3, END_TXN = 26 };

	rules_built_add(1, 30, LP_RULE_DENY);
	rule_match_range(match, LP_RULE_API, FETCH, 200);
	rules_built_add(2, 20, LP_RULE_DENY);
	rules_built_add(3, 10, LP_RULE_RESET);
	rules_built_build();
	ck_assert_uint_eq(ask_api(FETCH), 1);
	ck_assert_uint_eq(ask_api(METADATA), 1);
	ck_assert_uint_eq(ask_api(END_TXN), 3);
	ck_assert_uint_eq(ask_api(127), 3);
	ck_assert_uint_eq(ask_api(128), 3);
	ck_assert_uint_eq(ask_api(-1), 3);
}
END_TEST

START_TEST(acks_hold_where_there_are_any)
{
	rule_match_range(match, LP_RULE_ACKS, 0, 0);
	rule_match_range(match, LP_RULE_ACKS, -1, -1);
	rules_built_add(1, 20, LP_RULE_DENY);
	/* No such acks: it holds for none, not for all. */
	rule_match_range(match, LP_RULE_ACKS, 5, 5);
	rules_built_add(2, 30, LP_RULE_DENY);
	rules_built_build();
	ck_assert_uint_eq(ask(), 0);
	request.acks = 0;
	ck_assert_uint_eq(ask(), 1);
	request.acks = 1;
	ck_assert_uint_eq(ask(), 0);
	request.acks = -1;
	ck_assert_uint_eq(ask(), 1);
	request.acks = 5;
	ck_assert_uint_eq(ask(), 0);
}
END_TEST

START_TEST(what_is_covered_takes_no_place)
{
	rule_match_range(match, LP_RULE_API, 0, 1);
	rule_match_text(match, LP_RULE_TOPIC, "a");
	rules_built_add(1, 30, LP_RULE_DENY);
	rule_match_range(match, LP_RULE_API, 1, 1);
	rule_match_text(match, LP_RULE_TOPIC, "a");
	rules_built_add(2, 20, LP_RULE_DENY);
	rule_match_text(match, LP_RULE_TOPIC, "a");
	rules_built_add(3, 10, LP_RULE_DENY);
	rules_built_build();
	ck_assert_uint_eq(rules_built.rules->entry_count, 2);
	ck_assert_uint_eq(rules_built.rules->chain_max, 2);
	request.api = 1;
	ck_assert_uint_eq(ask_topic("a"), 1);
	request.api = 2;
	ck_assert_uint_eq(ask_topic("a"), 3);
}
END_TEST

static void
add_tests(TCase *tcase)
{
	tcase_add_test(tcase, without_rules_nothing_decides);
	tcase_add_test(tcase, the_higher_priority_is_asked_first);
	tcase_add_test(tcase, of_equal_priority_the_lower_id_is_asked_first);
	tcase_add_test(tcase, what_does_not_decide_is_told_in_order);
	tcase_add_test(tcase, no_create_in_shadow_does_not_act);
	tcase_add_test(tcase, what_has_no_place_in_the_list_is_counted);
	tcase_add_test(tcase, a_reset_waits_for_requests_that_may_pass);
	tcase_add_test(tcase, a_reset_does_not_wait_for_what_cannot_pass);
	tcase_add_test(
	    tcase, the_first_connection_rule_routes_whatever_requests_say);
	tcase_add_test(tcase, deny_is_of_requests_and_leaves_brokers_alone);
	tcase_add_test(tcase, a_connection_rule_holds_whoever_speaks);
	tcase_add_test(tcase, from_says_whose_requests);
	tcase_add_test(
	    tcase, a_prefix_of_nothing_holds_for_every_text_there_is);
	tcase_add_test(tcase, a_text_that_is_cut_equals_none_but_has_prefixes);
	tcase_add_test(tcase, values_that_overlap_hold_once);
	tcase_add_test(tcase, all_fields_must_hold);
	tcase_add_test(tcase, families_do_not_mix);
	tcase_add_test(tcase, ranges_hold_at_their_borders);
	tcase_add_test(tcase, apis_are_a_set_of_any_numbers);
	tcase_add_test(tcase, a_deny_is_of_what_can_be_denied);
	tcase_add_test(tcase, acks_hold_where_there_are_any);
	tcase_add_test(tcase, what_is_covered_takes_no_place);
}

int
main(void)
{
	Suite *suite = suite_create("rules");
	TCase *tcase = tcase_create("rules");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, rules_built_close);
	add_tests(tcase);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
