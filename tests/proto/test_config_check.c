/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/config.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "objects.h"

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

START_TEST(a_right_configuration_passes)
{
	struct lp_config empty;

	config_is_right(&config);
	lp_config_init(&empty);
	config_is_right(&empty);
}
END_TEST

/* One command at a time; an endpoint comes with its listener or broker. */
START_TEST(objects_may_be_added_in_any_sensible_order)
{
	static const uint32_t orders[][NEXT_ID] = {
	    {FRONT, BACK, PAYMENTS, PAYMENTS_0, PAYMENTS_PUBLIC},
	    {BACK, FRONT, PAYMENTS, PAYMENTS_PUBLIC, PAYMENTS_0},
	    {PAYMENTS, PAYMENTS_0, PAYMENTS_PUBLIC, FRONT, BACK},
	    {PAYMENTS, PAYMENTS_0, PAYMENTS_PUBLIC, BACK, FRONT},
	    {FRONT, PAYMENTS, PAYMENTS_0, PAYMENTS_PUBLIC, BACK},
	    {BACK, PAYMENTS, PAYMENTS_0, PAYMENTS_PUBLIC, FRONT},
	};
	struct lp_config grown;

	lp_config_init(&grown);
	for (unsigned i = 0; i < 5; i++) {
		uint32_t id = orders[_i][i];

		for (size_t j = 0; j < config.count; j++)
			if (config.objects[j].id == id)
				put(&grown, config.objects[j]);
		if (lp_config_find(&grown, LP_OBJECT_BROKER, PAYMENTS_0) &&
		    lp_config_find(&grown, LP_OBJECT_LISTENER, PAYMENTS_PUBLIC))
			put(&grown,
			    make_endpoint(PAYMENTS_PUBLIC_0, PAYMENTS_PUBLIC,
				PAYMENTS_0, "10.9.0.100:9100"));
		config_is_right(&grown);
	}
	ck_assert_uint_eq(grown.count, 6);
	lp_config_fini(&grown);
}
END_TEST

START_TEST(every_object_is_right_by_itself)
{
	put(&config, make_listener(50, PAYMENTS, "x", "224.0.0.1:1"));
	config_is_wrong(&config, 50,
	    "listener payments/x: vip: 224.0.0.1 is not the address of a "
	    "host");
}
END_TEST

START_TEST(an_id_is_not_zero)
{
	put(&config, make_cluster(0, "x"));
	config_is_wrong(&config, 0, "cluster x: id: 0 is no id");
}
END_TEST

START_TEST(clusters_that_are_named_exist)
{
	put(&config, make_broker(50, 99, 3, "10.8.0.30:9092"));
	config_is_wrong(&config, 50,
	    "broker 99/3: cluster: there is no cluster with id 99");
	lp_config_remove(&config, LP_OBJECT_BROKER, 50);
	/* The id of something else is not enough. */
	put(&config, make_listener(51, FRONT, "x", "10.9.0.101:9092"));
	config_is_wrong(&config, 51,
	    "listener 1/x: cluster: there is no cluster with id 1");
}
END_TEST

START_TEST(what_an_endpoint_names_exists)
{
	put(&config, make_endpoint(50, 99, PAYMENTS_0, "10.9.0.100:1"));
	config_is_wrong(&config, 50,
	    "endpoint 50: listener: there is no listener with id 99");
	put(&config, make_endpoint(50, PAYMENTS_PUBLIC, 99, "10.9.0.100:1"));
	config_is_wrong(
	    &config, 50, "endpoint 50: broker: there is no broker with id 99");
}
END_TEST

START_TEST(an_endpoint_stays_within_its_cluster)
{
	put(&config,
	    make_endpoint(50, PAYMENTS_PUBLIC, ORDERS_1, "10.9.0.100:1"));
	config_is_wrong(&config, 50,
	    "endpoint payments/public/1: broker: broker orders/1 is of "
	    "another cluster");
}
END_TEST

START_TEST(an_endpoint_has_the_address_of_its_listener)
{
	put(&config,
	    make_endpoint(PAYMENTS_PUBLIC_0, PAYMENTS_PUBLIC, PAYMENTS_0,
		"10.9.0.101:9100"));
	config_is_wrong(&config, PAYMENTS_PUBLIC_0,
	    "endpoint payments/public/0: vip: 10.9.0.101 is not the address "
	    "of listener payments/public");
}
END_TEST

START_TEST(names_and_devices_are_unique)
{
	struct lp_object port =
	    make_port(50, "front", LP_SIDE_BOTH, "10.1.0.1/24", NULL, NULL);

	put(&config, port);
	config_is_wrong(
	    &config, 50, "port front: name: is already taken by port front");
	strcpy(port.port.name, "third");
	put(&config, port);
	config_is_wrong(
	    &config, 50, "port third: device: is already taken by port front");
	lp_config_remove(&config, LP_OBJECT_PORT, 50);
	put(&config, make_cluster(50, "orders"));
	config_is_wrong(&config, 50,
	    "cluster orders: name: is already taken by cluster orders");
	lp_config_remove(&config, LP_OBJECT_CLUSTER, 50);
	put(&config, make_broker(50, PAYMENTS, 1, "10.8.0.50:9092"));
	config_is_wrong(&config, 50,
	    "broker payments/1: node_id: is already taken by broker "
	    "payments/1");
	lp_config_remove(&config, LP_OBJECT_BROKER, 50);
	put(&config, make_broker(50, PAYMENTS, 50, "10.7.0.21:9092"));
	config_is_wrong(&config, 50,
	    "broker payments/50: endpoint: is already taken by broker "
	    "payments/1");
	lp_config_remove(&config, LP_OBJECT_BROKER, 50);
	put(&config, make_listener(50, PAYMENTS, "public", "10.9.0.101:1"));
	config_is_wrong(&config, 50,
	    "listener payments/public: name: is already taken by listener "
	    "payments/public");
}
END_TEST

START_TEST(backends_are_not_mixed)
{
	struct lp_object port =
	    make_port(50, "third", LP_SIDE_BOTH, "10.1.0.1/24", NULL, NULL);

	port.port.backend = LP_BACKEND_DPDK;
	strcpy(port.port.device, "net_memif0");
	put(&config, port);
	config_is_wrong(&config, 50,
	    "port third: backend: AF_XDP and DPDK ports cannot be mixed in "
	    "one dataplane: port front is af_xdp, port third is dpdk");
	port.port.backend = LP_BACKEND_MEMORY;
	put(&config, port);
	config_is_wrong(&config, 50,
	    "port third: backend: AF_XDP and memory ports cannot be mixed in "
	    "one dataplane: port front is af_xdp, port third is memory");
	lp_config_remove(&config, LP_OBJECT_PORT, FRONT);
	lp_config_remove(&config, LP_OBJECT_PORT, BACK);
	port.id = FRONT;
	strcpy(port.port.name, "first");
	put(&config, port);
	port.id = 50;
	strcpy(port.port.name, "third");
	port.port.backend = LP_BACKEND_DPDK;
	put(&config, port);
	config_is_wrong(&config, 50,
	    "port third: backend: DPDK and memory ports cannot be mixed in "
	    "one dataplane: port third is dpdk, port first is memory");
}
END_TEST

static void
put_two_of_dpdk(const char *one, const char *other)
{
	struct lp_object port =
	    make_port(FRONT, "front", LP_SIDE_BOTH, "10.9.0.10/24", NULL, NULL);

	port.port.backend = LP_BACKEND_DPDK;
	strcpy(port.port.device, one);
	put(&config, port);
	port = make_port(
	    BACK, "back", LP_SIDE_BROKER, "10.8.0.10/24", "10.8.0.1", NULL);
	port.port.backend = LP_BACKEND_DPDK;
	strcpy(port.port.device, other);
	put(&config, port);
}

/* Before this only the text was compared. */
START_TEST(a_device_of_dpdk_is_known_by_its_name)
{
	static const char *const same[][2] = {
	    {"net_memif0,a", "net_memif0,b"},
	    {"net_memif0", "net_memif0,role=client"},
	    {"0000:03:00.0", "03:00.0"},
	    {"0000:0a:00.0,x=1", "pci:0A:00.0"},
	};
	static const char *const different[][2] = {
	    {"net_memif0,a", "net_memif1,a"},
	    {"net_memif0", "net_memif"},
	    {"0000:03:00.0", "0001:03:00.0"},
	    {"03:00.0", "03:00.1"},
	};

	/* Brokers and VIPs of IPv6 would want ports that have it. */
	lp_config_remove(&config, LP_OBJECT_ENDPOINT, ORDERS_PUBLIC_1);
	lp_config_remove(&config, LP_OBJECT_LISTENER, ORDERS_PUBLIC);
	lp_config_remove(&config, LP_OBJECT_BROKER, ORDERS_1);
	put_two_of_dpdk(different[_i][0], different[_i][1]);
	config_is_right(&config);
	put_two_of_dpdk(same[_i][0], same[_i][1]);
	config_is_wrong(
	    &config, BACK, "port back: device: is already taken by port front");
}
END_TEST

START_TEST(a_broker_has_one_endpoint_a_listener)
{
	put(&config,
	    make_endpoint(50, PAYMENTS_PUBLIC, PAYMENTS_1, "10.9.0.100:9200"));
	config_is_wrong(&config, 50,
	    "endpoint payments/public/1: broker: is already taken by "
	    "endpoint payments/public/1");
	lp_config_remove(&config, LP_OBJECT_ENDPOINT, 50);
	lp_config_remove(&config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_1);
	config_is_wrong(&config, PAYMENTS_PUBLIC,
	    "listener payments/public: broker: has no endpoint for broker "
	    "payments/1");
}
END_TEST

START_TEST(networks_of_two_ports_do_not_overlap)
{
	static const char *const rows[][2] = {
	    {"10.9.0.11/24",
		"10.9.0.11/24 overlaps 10.9.0.10/24 of port front"},
	    {"10.9.0.129/25",
		"10.9.0.129/25 overlaps 10.9.0.10/24 of port front"},
	    {"10.9.7.1/16", "10.9.7.1/16 overlaps 10.9.0.10/24 of port front"},
	    {"10.9.0.10/32",
		"10.9.0.10/32 overlaps 10.9.0.10/24 of port front"},
	    {"10.1.0.1/24 10.8.0.12/24",
		"10.8.0.12/24 overlaps 10.8.0.10/24 of port back"},
	    {"2001:db8:8::11/48",
		"2001:db8:8::11/48 overlaps 2001:db8:8::10/64 of port back"},
	};
	char message[256];

	put(&config,
	    make_port(50, "third", LP_SIDE_BOTH, rows[_i][0], NULL, NULL));
	snprintf(
	    message, sizeof(message), "port third: address: %s", rows[_i][1]);
	config_is_wrong(&config, 50, message);
}
END_TEST

START_TEST(a_vip_is_nobody_elses_address)
{
	put(&config, make_listener(50, PAYMENTS, "x", "10.9.0.10:9092"));
	put(&config, make_endpoint(51, 50, PAYMENTS_0, "10.9.0.10:1"));
	put(&config, make_endpoint(52, 50, PAYMENTS_1, "10.9.0.10:2"));
	config_is_wrong(&config, 50,
	    "listener payments/x: vip: 10.9.0.10 is already an address of "
	    "port front");
	put(&config, make_listener(50, PAYMENTS, "x", "10.8.0.1:9092"));
	put(&config, make_endpoint(51, 50, PAYMENTS_0, "10.8.0.1:1"));
	put(&config, make_endpoint(52, 50, PAYMENTS_1, "10.8.0.1:2"));
	config_is_wrong(&config, 50,
	    "listener payments/x: vip: 10.8.0.1 is already the gateway of "
	    "port back");
}
END_TEST

START_TEST(a_port_that_takes_a_vip_is_the_one_refused)
{
	lp_config_remove(&config, LP_OBJECT_PORT, FRONT);
	put(&config,
	    make_port(50, "front", LP_SIDE_CLIENT,
		"2001:db8:9::10/64 10.9.0.10/24 10.9.0.100/24", NULL, NULL));
	config_is_wrong(&config, 50,
	    "port front: address: 10.9.0.100 is already the VIP of listener "
	    "payments/public");
	put(&config,
	    make_port(50, "front", LP_SIDE_CLIENT,
		"2001:db8:9::10/64 10.9.0.10/24", NULL, "2001:db8:9::100"));
	config_is_wrong(&config, 50,
	    "port front: gateway: 2001:db8:9::100 is already the VIP of "
	    "listener orders/public");
}
END_TEST

START_TEST(a_broker_at_an_address_of_ours_is_a_loop)
{
	put(&config, make_broker(PAYMENTS_1, PAYMENTS, 1, "10.8.0.11:1"));
	config_is_wrong(&config, PAYMENTS_1,
	    "broker payments/1: endpoint: 10.8.0.11 is already an address of "
	    "port back");
	put(&config, make_broker(PAYMENTS_1, PAYMENTS, 1, "10.9.0.100:1"));
	config_is_wrong(&config, PAYMENTS_PUBLIC,
	    "listener payments/public: vip: 10.9.0.100 is already the address "
	    "of broker payments/1");
	/* That a broker is the gateway, too, is its own affair. */
	put(&config, make_broker(PAYMENTS_1, PAYMENTS, 1, "10.8.0.1:9092"));
	config_is_right(&config);
}
END_TEST

START_TEST(listeners_share_an_address_but_no_endpoint)
{
	put(&config, make_listener(50, PAYMENTS, "x", "10.9.0.100:9093"));
	put(&config, make_endpoint(51, 50, PAYMENTS_0, "10.9.0.100:9200"));
	put(&config, make_endpoint(52, 50, PAYMENTS_1, "10.9.0.100:9201"));
	config_is_right(&config);
	put(&config, make_listener(50, PAYMENTS, "x", "10.9.0.100:9092"));
	config_is_wrong(&config, 50,
	    "listener payments/x: vip: 10.9.0.100:9092 is already the "
	    "endpoint of listener payments/public");
	put(&config, make_listener(50, PAYMENTS, "x", "10.9.0.100:9101"));
	config_is_wrong(&config, 50,
	    "listener payments/x: vip: 10.9.0.100:9101 is already endpoint "
	    "payments/public/1");
	put(&config, make_listener(50, PAYMENTS, "x", "10.9.0.100:9093"));
	put(&config, make_endpoint(52, 50, PAYMENTS_1, "10.9.0.100:9100"));
	config_is_wrong(&config, 52,
	    "endpoint payments/x/1: vip: 10.9.0.100:9100 is already endpoint "
	    "payments/public/0");
	put(&config, make_endpoint(52, 50, PAYMENTS_1, "10.9.0.100:9093"));
	config_is_wrong(&config, 52,
	    "endpoint payments/x/1: vip: 10.9.0.100:9093 is already the "
	    "endpoint of listener payments/x");
}
END_TEST

START_TEST(one_family_from_vip_to_broker)
{
	put(&config,
	    make_broker(PAYMENTS_1, PAYMENTS, 1, "[2001:db8:8::30]:9092"));
	config_is_wrong(&config, PAYMENTS_PUBLIC,
	    "listener payments/public: vip: 10.9.0.100:9092 is IPv4, but "
	    "[2001:db8:8::30]:9092 of broker payments/1 is IPv6: one family "
	    "only");
	lp_config_remove(&config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_1);
	lp_config_remove(&config, LP_OBJECT_BROKER, PAYMENTS_1);
	config_is_right(&config);
	put(&config, make_broker(50, ORDERS, 2, "10.8.0.30:9092"));
	put(&config,
	    make_endpoint(51, ORDERS_PUBLIC, 50, "[2001:db8:9::100]:9102"));
	config_is_wrong(&config, 50,
	    "broker orders/2: endpoint: 10.8.0.30:9092 is IPv4, but "
	    "[2001:db8:9::100]:9092 of listener orders/public is IPv6: one "
	    "family only");
}
END_TEST

START_TEST(a_port_leads_to_every_broker)
{
	put(&config,
	    make_port(BACK, "back", LP_SIDE_BROKER,
		"10.8.0.10/24 2001:db8:8::10/64", NULL, NULL));
	config_is_wrong(&config, PAYMENTS_1,
	    "broker payments/1: endpoint: no port on the broker side leads to "
	    "10.7.0.21: it has neither a network with it nor an IPv4 gateway");
	put(&config,
	    make_port(BACK, "back", LP_SIDE_BROKER, "10.8.0.10/24", "10.8.0.1",
		NULL));
	config_is_wrong(&config, ORDERS_1,
	    "broker orders/1: endpoint: no port on the broker side leads to "
	    "2001:db8:8::21: it has neither a network with it nor an IPv6 "
	    "gateway");
	/* A port of the other side does not count. */
	put(&config,
	    make_port(
		50, "more", LP_SIDE_CLIENT, "2001:db8:8::10/64", NULL, NULL));
	config_is_wrong(&config, ORDERS_1,
	    "broker orders/1: endpoint: no port on the broker side leads to "
	    "2001:db8:8::21: it has neither a network with it nor an IPv6 "
	    "gateway");
	put(&config,
	    make_port(
		50, "more", LP_SIDE_BOTH, "2001:db8:8::10/64", NULL, NULL));
	config_is_right(&config);
}
END_TEST

START_TEST(a_port_has_the_family_of_every_vip)
{
	put(&config,
	    make_port(
		FRONT, "front", LP_SIDE_CLIENT, "10.9.0.10/24", NULL, NULL));
	config_is_wrong(&config, ORDERS_PUBLIC,
	    "listener orders/public: vip: no port on the client side has an "
	    "IPv6 address for clients of 2001:db8:9::100");
	put(&config,
	    make_port(FRONT, "front", LP_SIDE_CLIENT, "2001:db8:9::10/64", NULL,
		NULL));
	config_is_wrong(&config, PAYMENTS_PUBLIC,
	    "listener payments/public: vip: no port on the client side has an "
	    "IPv4 address for clients of 10.9.0.100");
}
END_TEST

enum {
	BROKERS_EACH = LP_BROKERS_MAX / LP_CLUSTERS_MAX,
	LISTENERS_EACH = LP_LISTENERS_MAX / LP_CLUSTERS_MAX,
};

static void
put_large_port(struct lp_config *large, uint32_t id, unsigned n)
{
	char addresses[LP_PORT_ADDRESSES_MAX * 20] = "";
	char text[32];

	for (unsigned i = 1; i <= LP_PORT_ADDRESSES_MAX; i++) {
		snprintf(text, sizeof(text), "10.%u.0.%u/16 ", n, i);
		strcat(addresses, text);
	}
	snprintf(text, sizeof(text), "p%u", n);
	put(large, make_port(id, text, LP_SIDE_BOTH, addresses, NULL, NULL));
}

static void
put_large_cluster(struct lp_config *large, uint32_t *id, unsigned n)
{
	uint32_t cluster = (*id)++, brokers = *id, listener;
	char text[32], name[2] = "";

	snprintf(text, sizeof(text), "c%u", n);
	put(large, make_cluster(cluster, text));
	for (int i = 0; i < BROKERS_EACH; i++) {
		snprintf(text, sizeof(text), "10.1.%u.%d:1", n, i + 1);
		put(large, make_broker((*id)++, cluster, i, text));
	}
	for (int i = 0; i < LISTENERS_EACH; i++) {
		listener = (*id)++;
		name[0] = (char)('a' + i);
		snprintf(text, sizeof(text), "10.0.%u.%d:1", n, i + 1);
		put(large, make_listener(listener, cluster, name, text));
		for (unsigned j = 0; j < BROKERS_EACH; j++) {
			snprintf(text, sizeof(text), "10.0.%u.%d:%u", n, i + 1,
			    2 + j);
			put(large,
			    make_endpoint(
				(*id)++, listener, brokers + j, text));
		}
	}
}

/* All places of every table taken: the check neither overruns nor refuses. */
START_TEST(the_largest_configuration_passes)
{
	struct lp_config large;
	uint32_t id = 1;

	lp_config_init(&large);
	for (unsigned i = 0; i < LP_PORTS_MAX; i++)
		put_large_port(&large, id++, i);
	for (unsigned i = 1; i <= LP_CLUSTERS_MAX; i++)
		put_large_cluster(&large, &id, i);
	/* Rules are for test_config_check_rule.c. */
	ck_assert_uint_eq(large.count, LP_OBJECTS_MAX - LP_RULES_MAX);
	config_is_right(&large);
	lp_config_fini(&large);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config_check");
	TCase *tests = tcase_create("config_check");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_right_configuration_passes);
	tcase_add_loop_test(
	    tests, objects_may_be_added_in_any_sensible_order, 0, 6);
	tcase_add_test(tests, every_object_is_right_by_itself);
	tcase_add_test(tests, an_id_is_not_zero);
	tcase_add_test(tests, clusters_that_are_named_exist);
	tcase_add_test(tests, what_an_endpoint_names_exists);
	tcase_add_test(tests, an_endpoint_stays_within_its_cluster);
	tcase_add_test(tests, an_endpoint_has_the_address_of_its_listener);
	tcase_add_test(tests, names_and_devices_are_unique);
	tcase_add_test(tests, backends_are_not_mixed);
	tcase_add_loop_test(tests, a_device_of_dpdk_is_known_by_its_name, 0, 4);
	tcase_add_test(tests, a_broker_has_one_endpoint_a_listener);
	tcase_add_loop_test(tests, networks_of_two_ports_do_not_overlap, 0, 6);
	tcase_add_test(tests, a_vip_is_nobody_elses_address);
	tcase_add_test(tests, a_port_that_takes_a_vip_is_the_one_refused);
	tcase_add_test(tests, a_broker_at_an_address_of_ours_is_a_loop);
	tcase_add_test(tests, listeners_share_an_address_but_no_endpoint);
	tcase_add_test(tests, one_family_from_vip_to_broker);
	tcase_add_test(tests, a_port_leads_to_every_broker);
	tcase_add_test(tests, a_port_has_the_family_of_every_vip);
	tcase_add_test(tests, the_largest_configuration_passes);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
