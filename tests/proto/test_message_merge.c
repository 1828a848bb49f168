/* SPDX-License-Identifier: Apache-2.0 */
/* What a message leaves out, and what becomes of it in a set- command. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "objects.h"
#include "proto/message.h"

static struct lp_message_object holder;

START_TEST(set_changes_only_what_the_message_carries)
{
	struct lp_object port = make_port(7, "p", LP_SIDE_BOTH,
	    "10.0.0.1/24 2001:db8::1/64", "10.0.0.254", "2001:db8::fe");
	struct lp_object before = port;
	Lp__Pb__Object message = LP__PB__OBJECT__INIT;
	Lp__Pb__Port fields = LP__PB__PORT__INIT;
	char why[LP_WHY_SIZE];
	const char *field;

	message.has_id = true;
	message.id = 99;
	message.body_case = LP__PB__OBJECT__BODY_PORT;
	message.port = &fields;
	ck_assert_int_eq(
	    lp_message_merge_object(&port, &message, false, false, &field, why),
	    0);
	ck_assert_mem_eq(&port, &before, sizeof(port));
	fields.has_side = true;
	fields.side = LP_SIDE_CLIENT;
	fields.device = (char *)"eth1";
	ck_assert_int_eq(
	    lp_message_merge_object(&port, &message, false, false, &field, why),
	    0);
	ck_assert_uint_eq(port.id, 7);
	ck_assert_uint_eq(port.port.side, LP_SIDE_CLIENT);
	ck_assert_str_eq(port.port.device, "eth1");
	ck_assert_str_eq(port.port.name, "p");
	ck_assert_uint_eq(port.port.address_count, 2);
	ck_assert(lp_ip_equal(&port.port.gateway_v4, &before.port.gateway_v4));
	ck_assert(lp_ip_equal(&port.port.gateway_v6, &before.port.gateway_v6));
}
END_TEST

/* What was packed before there was an MTU has the same bytes, and digest. */
START_TEST(an_mtu_that_is_the_devices_own_is_not_sent)
{
	struct lp_object port =
	    make_port(7, "p", LP_SIDE_BOTH, "10.0.0.1/24", NULL, NULL);

	ck_assert(!lp_message_from_object(&holder, &port)->port->has_mtu);
	port.port.mtu = 9000;
	ck_assert(lp_message_from_object(&holder, &port)->port->has_mtu);
}
END_TEST

/* And so of listeners; "off" goes over the wire, and back to "observe". */
START_TEST(a_look_that_is_the_default_is_not_sent)
{
	struct lp_object listener = make_listener(7, 2, "l", "10.9.0.100:9092");
	Lp__Pb__Object message = LP__PB__OBJECT__INIT;
	Lp__Pb__Listener fields = LP__PB__LISTENER__INIT;
	struct lp_object again;
	char why[LP_WHY_SIZE];
	const char *field;

	ck_assert(
	    !lp_message_from_object(&holder, &listener)->listener->has_kafka);
	listener.listener.kafka = LP_LOOK_OFF;
	listener.listener.rewrite = LP_REWRITING_OFF;
	lp_message_from_object(&holder, &listener);
	ck_assert(holder.listener.has_kafka);
	ck_assert_int_eq(
	    lp_message_to_object(&again, &holder.message, &field, why), 0);
	ck_assert_uint_eq(again.listener.kafka, LP_LOOK_OFF);

	message.body_case = LP__PB__OBJECT__BODY_LISTENER;
	message.listener = &fields;
	ck_assert_int_eq(lp_message_merge_object(
			     &again, &message, false, false, &field, why),
	    0);
	ck_assert_uint_eq(again.listener.kafka, LP_LOOK_OFF);
	fields.has_kafka = true;
	fields.kafka = LP_LOOK_OBSERVE;
	ck_assert_int_eq(lp_message_merge_object(
			     &again, &message, false, false, &field, why),
	    0);
	ck_assert_uint_eq(again.listener.kafka, LP_LOOK_OBSERVE);
	fields.kafka = 256 + LP_LOOK_OFF;
	ck_assert_int_eq(lp_message_merge_object(
			     &again, &message, false, false, &field, why),
	    -EINVAL);
	ck_assert_str_eq(field, "kafka");
}
END_TEST

/*
 * What is not said of rewriting: on, but off where there is nothing to rewrite.
 * So listeners that are older keep their digest.
 */
START_TEST(a_rewriting_that_is_the_default_is_not_sent)
{
	static const struct {
		uint8_t mode, kafka, rewrite;
		bool sent;
	} rows[] = {
	    {LP_MODE_VIP, LP_LOOK_OBSERVE, LP_REWRITING_ON, false},
	    {LP_MODE_VIP, LP_LOOK_OBSERVE, LP_REWRITING_OFF, true},
	    {LP_MODE_VIP, LP_LOOK_OBSERVE, LP_REWRITING_SHADOW, true},
	    {LP_MODE_VIP, LP_LOOK_OFF, LP_REWRITING_OFF, false},
	    {LP_MODE_INLINE, LP_LOOK_OBSERVE, LP_REWRITING_OFF, false},
	    {LP_MODE_INLINE, LP_LOOK_OFF, LP_REWRITING_OFF, false},
	};
	struct lp_object listener = rows[_i].mode == LP_MODE_VIP
	    ? make_listener(7, 2, "l", "10.9.0.100:9092")
	    : make_inline(7, 2, "l");
	struct lp_object again;
	char why[LP_WHY_SIZE];
	const char *field;

	listener.listener.kafka = rows[_i].kafka;
	listener.listener.rewrite = rows[_i].rewrite;
	lp_message_from_object(&holder, &listener);
	ck_assert(!!holder.listener.has_rewrite == rows[_i].sent);
	ck_assert_int_eq(
	    lp_message_to_object(&again, &holder.message, &field, why), 0);
	ck_assert_uint_eq(again.listener.rewrite, rows[_i].rewrite);
}
END_TEST

/* What nobody has said is not sent: listeners that are older have it so. */
START_TEST(what_a_listener_says_of_the_unjudged_comes_back)
{
	static const uint8_t hows[] = {0, LP_UNJUDGED_PASS, LP_UNJUDGED_RESET};
	struct lp_object listener = make_listener(7, 2, "l", "10.9.0.100:9092");
	struct lp_object again;
	char why[LP_WHY_SIZE];
	const char *field;

	listener.listener.unjudged = hows[_i];
	lp_message_from_object(&holder, &listener);
	ck_assert_int_eq(holder.listener.has_unjudged, hows[_i] != 0);
	ck_assert_int_eq(
	    lp_message_to_object(&again, &holder.message, &field, why), 0);
	ck_assert_uint_eq(again.listener.unjudged, hows[_i]);
}
END_TEST

START_TEST(fields_of_a_rule_change_one_by_one)
{
	struct lp_object rule = make_rule(7, "a", 5, "api=Fetch", "observe");
	Lp__Pb__Object message = LP__PB__OBJECT__INIT;
	Lp__Pb__Rule body = LP__PB__RULE__INIT;
	char match[] = "api=Produce", action[] = "allow", name[] = "b";
	char longer[LP_RULE_MATCH_SIZE + 1], why[LP_WHY_SIZE];
	const char *field;

	message.body_case = LP__PB__OBJECT__BODY_RULE;
	message.rule = &body;
	body.match = match;
	ck_assert_int_eq(
	    lp_message_merge_object(&rule, &message, false, false, &field, why),
	    0);
	ck_assert_str_eq(rule.rule.match, match);
	ck_assert_str_eq(rule.rule.action, "observe");
	ck_assert_str_eq(rule.rule.name, "a");
	ck_assert_uint_eq(rule.rule.priority, 5);
	body = (Lp__Pb__Rule)LP__PB__RULE__INIT;
	body.action = action;
	body.name = name;
	body.has_priority = body.has_shadow = body.shadow = true;
	body.priority = 6;
	ck_assert_int_eq(
	    lp_message_merge_object(&rule, &message, false, false, &field, why),
	    0);
	ck_assert_str_eq(rule.rule.match, match);
	ck_assert_str_eq(rule.rule.action, "allow");
	ck_assert_str_eq(rule.rule.name, "b");
	ck_assert_uint_eq(rule.rule.priority, 6);
	ck_assert(rule.rule.shadow);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	body.match = longer;
	ck_assert_int_eq(
	    lp_message_merge_object(&rule, &message, false, false, &field, why),
	    -EINVAL);
	ck_assert_str_eq(field, "match");
	ck_assert_str_eq(why, "is longer than 511 characters");
}
END_TEST

/* An empty name takes away what was there; no name leaves it. */
START_TEST(an_advertised_name_stays_until_it_is_taken_away)
{
	struct lp_object listener = make_listener(7, 2, "l", "10.9.0.100:9092");
	Lp__Pb__Object message = LP__PB__OBJECT__INIT;
	Lp__Pb__Listener fields = LP__PB__LISTENER__INIT;
	char long_name[LP_HOST_SIZE + 1];
	char why[LP_WHY_SIZE];
	const char *field;
	char name[] = "kafka.example.com", nothing[] = "";

	ck_assert_ptr_null(
	    lp_message_from_object(&holder, &listener)->listener->advertise);
	message.body_case = LP__PB__OBJECT__BODY_LISTENER;
	message.listener = &fields;
	fields.advertise = name;
	ck_assert_int_eq(lp_message_merge_object(
			     &listener, &message, false, false, &field, why),
	    0);
	ck_assert_str_eq(listener.listener.advertise, name);
	ck_assert_str_eq(
	    lp_message_from_object(&holder, &listener)->listener->advertise,
	    name);
	fields.advertise = NULL;
	ck_assert_int_eq(lp_message_merge_object(
			     &listener, &message, false, false, &field, why),
	    0);
	ck_assert_str_eq(listener.listener.advertise, name);
	fields.advertise = nothing;
	ck_assert_int_eq(lp_message_merge_object(
			     &listener, &message, false, false, &field, why),
	    0);
	ck_assert_str_eq(listener.listener.advertise, "");
	memset(long_name, 'a', LP_HOST_SIZE);
	long_name[LP_HOST_SIZE] = '\0';
	fields.advertise = long_name;
	ck_assert_int_eq(lp_message_merge_object(
			     &listener, &message, false, false, &field, why),
	    -EINVAL);
	ck_assert_str_eq(field, "advertise");
}
END_TEST

START_TEST(an_mtu_stays_until_it_is_taken_away)
{
	struct lp_object port =
	    make_port(7, "p", LP_SIDE_BOTH, "10.0.0.1/24", NULL, NULL);
	Lp__Pb__Object message = LP__PB__OBJECT__INIT;
	Lp__Pb__Port fields = LP__PB__PORT__INIT;
	char why[LP_WHY_SIZE];
	const char *field;

	port.port.mtu = 9000;
	message.body_case = LP__PB__OBJECT__BODY_PORT;
	message.port = &fields;
	ck_assert_int_eq(
	    lp_message_merge_object(&port, &message, true, true, &field, why),
	    0);
	ck_assert_uint_eq(port.port.mtu, 9000);
	fields.has_mtu = true;
	fields.mtu = 1500;
	ck_assert_int_eq(
	    lp_message_merge_object(&port, &message, false, false, &field, why),
	    0);
	ck_assert_uint_eq(port.port.mtu, 1500);
	fields.mtu = 0;
	ck_assert_int_eq(
	    lp_message_merge_object(&port, &message, false, false, &field, why),
	    0);
	ck_assert_uint_eq(port.port.mtu, 0);
}
END_TEST

START_TEST(lists_are_replaced_as_a_whole_and_only_if_asked)
{
	struct lp_object port = make_port(7, "p", LP_SIDE_BOTH,
	    "10.0.0.1/24 2001:db8::1/64", "10.0.0.254", "2001:db8::fe");
	struct lp_object other = make_port(
	    8, "p", LP_SIDE_BOTH, "10.1.0.1/16", NULL, "2001:db8::99");
	char why[LP_WHY_SIZE], text[LP_PREFIX_TEXT_SIZE];
	const char *field;

	lp_message_from_object(&holder, &other);
	ck_assert_int_eq(lp_message_merge_object(
			     &port, &holder.message, false, false, &field, why),
	    0);
	ck_assert_uint_eq(port.port.address_count, 2);
	ck_assert_uint_eq(port.port.gateway_v6.bytes[15], 0xfe);
	ck_assert_int_eq(lp_message_merge_object(
			     &port, &holder.message, true, false, &field, why),
	    0);
	ck_assert_uint_eq(port.port.address_count, 1);
	ck_assert_str_eq(
	    lp_prefix_format(text, &port.port.addresses[0]), "10.1.0.1/16");
	ck_assert(!lp_ip_is_none(&port.port.gateway_v4));
	ck_assert_int_eq(lp_message_merge_object(
			     &port, &holder.message, false, true, &field, why),
	    0);
	ck_assert(lp_ip_is_none(&port.port.gateway_v4));
	ck_assert_uint_eq(port.port.gateway_v6.bytes[15], 0x99);
}
END_TEST

START_TEST(a_merge_that_fails_changes_nothing)
{
	struct lp_object port =
	    make_port(7, "p", LP_SIDE_BOTH, "10.0.0.1/24", NULL, NULL);
	struct lp_object before = port;
	struct lp_object other =
	    make_port(8, "q", LP_SIDE_CLIENT, "10.1.0.1/16", NULL, NULL);
	struct lp_object cluster = make_cluster(7, "c");
	char why[LP_WHY_SIZE];
	const char *field;

	lp_message_from_object(&holder, &other);
	holder.prefixes[0].ip.len = 3;
	ck_assert_int_eq(lp_message_merge_object(
			     &port, &holder.message, true, true, &field, why),
	    -EINVAL);
	ck_assert_mem_eq(&port, &before, sizeof(port));
	lp_message_from_object(&holder, &cluster);
	ck_assert_int_eq(lp_message_merge_object(
			     &port, &holder.message, true, true, &field, why),
	    -EINVAL);
	ck_assert_str_eq(field, "kind");
	ck_assert_mem_eq(&port, &before, sizeof(port));
}
END_TEST

START_TEST(merged_texts_leave_nothing_of_the_old)
{
	struct lp_object cluster = make_cluster(7, "a-long-name");
	struct lp_object other = make_cluster(8, "b");
	struct lp_object expected = make_cluster(7, "b");
	char why[LP_WHY_SIZE];
	const char *field;

	lp_message_from_object(&holder, &other);
	ck_assert_int_eq(lp_message_merge_object(&cluster, &holder.message,
			     false, false, &field, why),
	    0);
	ck_assert_mem_eq(&cluster, &expected, sizeof(cluster));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("message_merge");
	TCase *tests = tcase_create("message_merge");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, set_changes_only_what_the_message_carries);
	tcase_add_test(tests, an_mtu_that_is_the_devices_own_is_not_sent);
	tcase_add_test(tests, a_look_that_is_the_default_is_not_sent);
	tcase_add_loop_test(
	    tests, a_rewriting_that_is_the_default_is_not_sent, 0, 6);
	tcase_add_loop_test(
	    tests, what_a_listener_says_of_the_unjudged_comes_back, 0, 3);
	tcase_add_test(tests, fields_of_a_rule_change_one_by_one);
	tcase_add_test(tests, an_advertised_name_stays_until_it_is_taken_away);
	tcase_add_test(tests, an_mtu_stays_until_it_is_taken_away);
	tcase_add_test(tests, lists_are_replaced_as_a_whole_and_only_if_asked);
	tcase_add_test(tests, a_merge_that_fails_changes_nothing);
	tcase_add_test(tests, merged_texts_leave_nothing_of_the_old);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
