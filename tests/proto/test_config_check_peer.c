/* SPDX-License-Identifier: Apache-2.0 */
/* What lp_config_check() says of inline ports and listeners. */
#include "proto/config.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"

/* Beside those of make_config(). */
enum { LEFT = 30, RIGHT, SEEN, SEEN_0, SEEN_1 };

static struct lp_config config;

static void
setup(void)
{
	make_config(&config);
	put(&config, make_peer(LEFT, "left", "right"));
	put(&config, make_peer(RIGHT, "right", "left"));
	put(&config, make_inline(SEEN, PAYMENTS, "seen"));
	put(&config, make_endpoint(SEEN_0, SEEN, PAYMENTS_0, "10.8.0.20:9092"));
	put(&config, make_endpoint(SEEN_1, SEEN, PAYMENTS_1, "10.7.0.21:9092"));
}

static void
teardown(void)
{
	lp_config_fini(&config);
}

static struct lp_object
object_of(enum lp_object_kind kind, uint32_t id)
{
	return *lp_config_find(&config, kind, id);
}

START_TEST(a_bump_may_stand_beside_vips)
{
	config_is_right(&config);
}
END_TEST

START_TEST(both_of_a_pair_are_there)
{
	lp_config_remove(&config, LP_OBJECT_PORT, LEFT);
	config_is_wrong(&config, RIGHT,
	    "port right: peer: there is no port left: the two of a pair come "
	    "and go in one change");
}
END_TEST

START_TEST(each_of_a_pair_names_the_other)
{
	put(&config, make_peer(RIGHT, "right", "front"));
	config_is_wrong(&config, RIGHT,
	    "port right: peer: port left has right as its peer, port right "
	    "has front: each of a pair names the other");
	put(&config, make_peer(RIGHT, "right", "left"));
	put(&config, make_peer(RIGHT + 10, "third", "left"));
	config_is_wrong(&config, RIGHT + 10,
	    "port third: peer: port third has left as its peer, port left has "
	    "right: each of a pair names the other");
	lp_config_remove(&config, LP_OBJECT_PORT, RIGHT + 10);
	config_is_right(&config);
	put(&config, make_peer(LEFT, "left", "front"));
	config_is_wrong(&config, FRONT,
	    "port front: peer: port left has it as its peer: each of a pair "
	    "names the other (peer left)");
}
END_TEST

START_TEST(both_of_a_pair_do_the_same)
{
	struct lp_object right = object_of(LP_OBJECT_PORT, RIGHT);

	right.port.on_loss = LP_ON_LOSS_WIRE;
	put(&config, right);
	config_is_wrong(&config, RIGHT,
	    "port right: on_loss: port left says drop, its peer right says "
	    "wire: set both in one change");
}
END_TEST

START_TEST(what_fits_one_of_a_pair_fits_the_other)
{
	struct lp_object left = object_of(LP_OBJECT_PORT, LEFT);
	struct lp_object right = object_of(LP_OBJECT_PORT, RIGHT);

	lp_config_remove(&config, LP_OBJECT_PORT, FRONT);
	lp_config_remove(&config, LP_OBJECT_PORT, BACK);
	left.port.backend = right.port.backend = LP_BACKEND_DPDK;
	strcpy(left.port.device, "net_tap0");
	strcpy(right.port.device, "net_tap1");
	left.port.mtu = 9000;
	put(&config, left);
	put(&config, right);
	config_is_wrong(&config, RIGHT,
	    "port right: mtu: port left has 9000, its peer right has 0 (0: the "
	    "device's own): what fits one must fit the other");
	right.port.mtu = 9000;
	put(&config, right);
	config_is_right(&config);
}
END_TEST

START_TEST(a_cluster_has_one_inline_listener)
{
	put(&config, make_inline(SEEN + 10, PAYMENTS, "again"));
	put(&config,
	    make_endpoint(
		SEEN_0 + 10, SEEN + 10, PAYMENTS_0, "10.8.0.20:9092"));
	put(&config,
	    make_endpoint(
		SEEN_1 + 10, SEEN + 10, PAYMENTS_1, "10.7.0.21:9092"));
	config_is_wrong(&config, SEEN + 10,
	    "listener payments/again: mode: listener payments/seen is inline "
	    "already: one sees all connections of its cluster");
}
END_TEST

START_TEST(inline_an_endpoint_is_where_its_broker_is)
{
	put(&config, make_endpoint(SEEN_1, SEEN, PAYMENTS_1, "10.7.0.21:9093"));
	config_is_wrong(&config, SEEN_1,
	    "endpoint payments/seen/1: vip: 10.7.0.21:9093 is not where broker "
	    "payments/1 is");
}
END_TEST

/* Brokers of IPv4 and of IPv6, and no port that leads there. */
START_TEST(an_inline_cluster_needs_no_way_to_its_brokers)
{
	enum { SEEN_2 = SEEN_1 + 1, SEEN_3 };

	lp_config_remove(&config, LP_OBJECT_LISTENER, PAYMENTS_PUBLIC);
	lp_config_remove(&config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_0);
	lp_config_remove(&config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_1);
	put(&config, make_broker(SEEN_2, PAYMENTS, 7, "[2001:db8::7]:9092"));
	put(&config, make_endpoint(SEEN_3, SEEN, SEEN_2, "[2001:db8::7]:9092"));
	config_is_right(&config);
	/* Another cluster at the same place would be the same connections. */
	put(&config, make_cluster(50, "other"));
	put(&config, make_broker(51, 50, 1, "10.8.0.20:9092"));
	put(&config, make_inline(52, 50, "seen"));
	put(&config, make_endpoint(53, 52, 51, "10.8.0.20:9092"));
	config_is_wrong(&config, 53,
	    "endpoint other/seen/1: vip: 10.8.0.20:9092 is already endpoint "
	    "payments/seen/0");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config_check_peer");
	TCase *tests = tcase_create("config_check_peer");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_bump_may_stand_beside_vips);
	tcase_add_test(tests, both_of_a_pair_are_there);
	tcase_add_test(tests, each_of_a_pair_names_the_other);
	tcase_add_test(tests, both_of_a_pair_do_the_same);
	tcase_add_test(tests, what_fits_one_of_a_pair_fits_the_other);
	tcase_add_test(tests, a_cluster_has_one_inline_listener);
	tcase_add_test(tests, inline_an_endpoint_is_where_its_broker_is);
	tcase_add_test(tests, an_inline_cluster_needs_no_way_to_its_brokers);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
