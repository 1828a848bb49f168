/* SPDX-License-Identifier: Apache-2.0 */
/* What lp_config_check() says of endpoints, and of clusters that are the same.
 */
#include "proto/config.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"
#include "proto/message.h"

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
choose(const char *vip)
{
	struct lp_object object =
	    make_endpoint(PAYMENTS_PUBLIC_1, PAYMENTS_PUBLIC, PAYMENTS_1, vip);

	object.endpoint.chosen = true;
	put(&config, object);
}

START_TEST(only_what_is_chosen_has_an_address_of_its_own)
{
	put(&config,
	    make_endpoint(PAYMENTS_PUBLIC_1, PAYMENTS_PUBLIC, PAYMENTS_1,
		"10.9.0.101:9092"));
	config_is_wrong(&config, PAYMENTS_PUBLIC_1,
	    "endpoint payments/public/1: vip: 10.9.0.101 is not the address "
	    "of listener payments/public");
	choose("10.9.0.101:9092");
	config_is_right(&config);
	choose("10.9.0.100:1");
	config_is_right(&config);
}
END_TEST

START_TEST(what_is_chosen_is_nobody_elses)
{
	static const struct {
		const char *vip, *why;
	} rows[] = {
	    {"10.9.0.10:9092", "10.9.0.10 is already an address of port front"},
	    {"10.8.0.1:9092", "10.8.0.1 is already the gateway of port back"},
	    {"10.8.0.20:9092",
		"10.8.0.20 is already the address of broker payments/0"},
	    {"10.9.0.100:9092",
		"10.9.0.100:9092 is already the endpoint of listener "
		"payments/public"},
	    {"10.9.0.100:9100",
		"10.9.0.100:9100 is already endpoint payments/public/0"},
	    {"[2001:db8:9::7]:1",
		"[2001:db8:9::7]:1 is IPv6, but 10.7.0.21:9092 of broker "
		"payments/1 is IPv4: one family only"},
	};
	char text[LP_WHY_SIZE + 64];

	choose(rows[_i].vip);
	snprintf(text, sizeof(text), "endpoint payments/public/1: vip: %s",
	    rows[_i].why);
	config_is_wrong(&config, PAYMENTS_PUBLIC_1, text);
}
END_TEST

START_TEST(only_a_node_id_that_makes_no_port_lacks_an_endpoint)
{
	struct lp_object broker;
	const struct lp_object *listener;
	size_t index = 0;

	ck_assert_int_eq(
	    lp_config_remove(&config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_1),
	    0);
	config_is_wrong(&config, PAYMENTS_PUBLIC,
	    "listener payments/public: broker: has no endpoint for broker "
	    "payments/1");
	broker = *lp_config_find(&config, LP_OBJECT_BROKER, PAYMENTS_1);
	broker.broker.node_id = 65535 - 9100;
	put(&config, broker);
	config_is_wrong(&config, PAYMENTS_PUBLIC,
	    "listener payments/public: broker: has no endpoint for broker "
	    "payments/56435");
	listener = lp_config_find(&config, LP_OBJECT_LISTENER, PAYMENTS_PUBLIC);
	ck_assert_ptr_null(lp_config_next_missing(&config, listener, &index));
	broker.broker.node_id++;
	put(&config, broker);
	config_is_right(&config);
	listener = lp_config_find(&config, LP_OBJECT_LISTENER, PAYMENTS_PUBLIC);
	index = 0;
	ck_assert_uint_eq(
	    lp_config_next_missing(&config, listener, &index)->id, PAYMENTS_1);
	ck_assert_ptr_null(lp_config_next_missing(&config, listener, &index));
	broker.broker.node_id = INT32_MAX;
	put(&config, broker);
	config_is_right(&config);
	/* Inline it is where it is. */
	put(&config, make_peer(30, "left", "right"));
	put(&config, make_peer(31, "right", "left"));
	put(&config, make_inline(32, PAYMENTS, "seen"));
	put(&config, make_endpoint(33, 32, PAYMENTS_0, "10.8.0.20:9092"));
	config_is_wrong(&config, 32,
	    "listener payments/seen: broker: has no endpoint for broker "
	    "payments/2147483647");
}
END_TEST

START_TEST(there_is_nothing_to_choose_inline)
{
	struct lp_object object =
	    make_endpoint(33, 32, PAYMENTS_0, "10.8.0.20:9092");

	put(&config, make_peer(30, "left", "right"));
	put(&config, make_peer(31, "right", "left"));
	put(&config, make_inline(32, PAYMENTS, "seen"));
	put(&config, make_endpoint(34, 32, PAYMENTS_1, "10.7.0.21:9092"));
	object.endpoint.chosen = true;
	put(&config, object);
	config_is_wrong(&config, 33,
	    "endpoint payments/seen/0: vip: there is nothing to choose: "
	    "clients of an inline listener connect to the brokers themselves");
}
END_TEST

/* So endpoints that are older keep their digest. */
START_TEST(only_a_choice_is_sent)
{
	struct lp_object object = make_endpoint(
	    PAYMENTS_PUBLIC_1, PAYMENTS_PUBLIC, PAYMENTS_1, "10.9.0.101:9092");
	struct lp_message_object holder;
	struct lp_object again;
	char why[LP_WHY_SIZE];
	const char *field;

	ck_assert(
	    !lp_message_from_object(&holder, &object)->endpoint->has_chosen);
	object.endpoint.chosen = true;
	ck_assert(
	    lp_message_from_object(&holder, &object)->endpoint->has_chosen);
	ck_assert_int_eq(
	    lp_message_to_object(&again, &holder.message, &field, why), 0);
	ck_assert(again.endpoint.chosen);
}
END_TEST

START_TEST(what_is_the_same_stands_for_itself)
{
	struct lp_object object = make_cluster(60, "paid");

	ck_assert_uint_eq(lp_config_root(&config, PAYMENTS), PAYMENTS);
	object.cluster.same_as = PAYMENTS;
	put(&config, object);
	config_is_right(&config);
	ck_assert_uint_eq(lp_config_root(&config, 60), PAYMENTS);
	object.cluster.same_as = 60;
	put(&config, object);
	config_is_wrong(
	    &config, 60, "cluster paid: same_as: that is the cluster itself");
	object.cluster.same_as = 61;
	put(&config, object);
	config_is_wrong(&config, 60,
	    "cluster paid: same_as: there is no cluster with id 61");
	object = make_cluster(61, "pay");
	object.cluster.same_as = PAYMENTS;
	put(&config, object);
	config_is_wrong(&config, 60,
	    "cluster paid: same_as: cluster pay is itself the same as another "
	    "one");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config_check_endpoint");
	TCase *tests = tcase_create("config_check_endpoint");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, only_what_is_chosen_has_an_address_of_its_own);
	tcase_add_loop_test(tests, what_is_chosen_is_nobody_elses, 0, 6);
	tcase_add_test(
	    tests, only_a_node_id_that_makes_no_port_lacks_an_endpoint);
	tcase_add_test(tests, there_is_nothing_to_choose_inline);
	tcase_add_test(tests, only_a_choice_is_sent);
	tcase_add_test(tests, what_is_the_same_stands_for_itself);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
