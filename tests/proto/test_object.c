/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/object.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "objects.h"

static void
expect_right(const struct lp_object *object)
{
	char why[LP_WHY_SIZE] = "";
	const char *field = "";

	ck_assert_msg(
	    lp_object_check(object, &field, why) == 0, "%s: %s", field, why);
}

static void
expect_wrong(
    const struct lp_object *object, const char *in_field, const char *because)
{
	char why[LP_WHY_SIZE] = "";
	const char *field = "";

	ck_assert_int_eq(lp_object_check(object, &field, why), -EINVAL);
	ck_assert_str_eq(field, in_field);
	ck_assert_str_eq(why, because);
}

static struct lp_object
port(const char *addresses, const char *gateway_v4, const char *gateway_v6)
{
	return make_port(
	    1, "front", LP_SIDE_BOTH, addresses, gateway_v4, gateway_v6);
}

START_TEST(init_gives_the_defaults)
{
	struct lp_object object;

	memset(&object, 0xff, sizeof(object));
	lp_object_init(&object, LP_OBJECT_PORT);
	ck_assert_uint_eq(object.id, 0);
	ck_assert_uint_eq(object.port.backend, LP_BACKEND_AF_XDP);
	ck_assert_uint_eq(object.port.side, LP_SIDE_BOTH);
	ck_assert(!object.port.allow_default_route);
	ck_assert_uint_eq(object.port.mtu, 0);
	lp_object_init(&object, LP_OBJECT_LISTENER);
	ck_assert_uint_eq(object.listener.mode, LP_MODE_VIP);
	ck_assert_uint_eq(object.listener.source_address, LP_SOURCE_TRANSLATE);
	ck_assert_uint_eq(object.listener.kafka, LP_LOOK_OBSERVE);
}
END_TEST

START_TEST(words_are_the_same_both_ways)
{
	uint8_t value = 0;

	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_int_eq(
		    lp_backend_parse(&value, lp_backend_name(i)), 0);
		ck_assert_uint_eq(value, i);
		ck_assert_int_eq(lp_side_parse(&value, lp_side_name(i)), 0);
		ck_assert_uint_eq(value, i);
	}
	for (unsigned i = 1; i <= 2; i++) {
		ck_assert_int_eq(lp_mode_parse(&value, lp_mode_name(i)), 0);
		ck_assert_uint_eq(value, i);
		ck_assert_int_eq(
		    lp_on_loss_parse(&value, lp_on_loss_name(i)), 0);
		ck_assert_uint_eq(value, i);
		ck_assert_int_eq(
		    lp_source_address_parse(&value, lp_source_address_name(i)),
		    0);
		ck_assert_uint_eq(value, i);
		ck_assert_int_eq(lp_look_parse(&value, lp_look_name(i)), 0);
		ck_assert_uint_eq(value, i);
		ck_assert_int_eq(
		    lp_unjudged_parse(&value, lp_unjudged_name(i)), 0);
		ck_assert_uint_eq(value, i);
	}
	ck_assert_str_eq(lp_look_name(LP_LOOK_OFF), "off");
	ck_assert_str_eq(lp_backend_name(LP_BACKEND_AF_XDP), "af_xdp");
	ck_assert_str_eq(lp_side_name(LP_SIDE_BOTH), "both");
	ck_assert_str_eq(
	    lp_source_address_name(LP_SOURCE_PRESERVE), "preserve");
	ck_assert_str_eq(lp_object_kind_name(LP_OBJECT_ENDPOINT), "endpoint");
}
END_TEST

START_TEST(other_words_are_refused)
{
	uint8_t value = 77;

	ck_assert_ptr_null(lp_backend_name(0));
	ck_assert_ptr_null(lp_side_name(4));
	ck_assert_ptr_null(lp_mode_name(3));
	ck_assert_ptr_null(lp_source_address_name(UINT32_MAX));
	ck_assert_ptr_null(lp_look_name(0));
	ck_assert_ptr_null(lp_look_name(3));
	ck_assert_ptr_null(lp_unjudged_name(0));
	ck_assert_ptr_null(lp_unjudged_name(3));
	ck_assert_ptr_null(lp_object_kind_name(0));
	ck_assert_ptr_null(lp_object_kind_name(LP_OBJECT_KINDS));
	ck_assert_int_eq(lp_side_parse(&value, ""), -EINVAL);
	ck_assert_int_eq(lp_side_parse(&value, "Client"), -EINVAL);
	ck_assert_int_eq(lp_backend_parse(&value, "af_xdp "), -EINVAL);
	ck_assert_uint_eq(value, 77);
}
END_TEST

START_TEST(good_names_pass)
{
	static const char *const names[] = {"a", "0", "_", "a-b.c_D9",
	    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789-"};
	struct lp_object object = make_cluster(1, names[_i]);

	expect_right(&object);
}
END_TEST

START_TEST(bad_names_are_refused)
{
	static const char set[] =
	    "may have letters, digits, '.', '_' and '-' only";
	static const struct {
		const char *name, *why;
	} rows[] = {
	    {"", "is missing or empty"},
	    {"-a", "must not start with '-'"},
	    {".a", "must not start with '.'"},
	    {"a b", set},
	    {"a/b", set},
	    {"a\n", set},
	    {"\xc3\xa4", set},
	};
	struct lp_object object = make_cluster(1, rows[_i].name);

	expect_wrong(&object, "name", rows[_i].why);
}
END_TEST

START_TEST(a_name_without_end_is_refused)
{
	struct lp_object object = make_cluster(1, "x");

	memset(object.cluster.name, 'x', LP_NAME_SIZE);
	expect_wrong(&object, "name", "is longer than 63 characters");
}
END_TEST

START_TEST(good_ports_pass)
{
	static const char *const rows[][3] = {
	    {"10.9.0.10/24", NULL, NULL},
	    {"10.9.0.10/24", "10.9.0.1", NULL},
	    {"10.9.0.10/24 10.9.0.11/24", "10.9.0.1", NULL},
	    {"10.9.0.0/31 10.9.0.1/31", NULL, NULL},
	    {"10.9.0.0/31", "10.9.0.1", NULL},
	    {"10.9.0.255/32", NULL, NULL},
	    {"10.9.0.255/16", NULL, NULL},
	    {"2001:db8::/64", NULL, "2001:db8::1"},
	    {"10.9.0.10/24 2001:db8::10/64 fe80::10/64", "10.9.0.1", "fe80::1"},
	};
	struct lp_object object = port(rows[_i][0], rows[_i][1], rows[_i][2]);

	expect_right(&object);
}
END_TEST

START_TEST(bad_addresses_of_ports_are_refused)
{
	static const struct {
		const char *addresses, *gateway_v4, *gateway_v6, *field, *why;
	} rows[] = {
	    {"", NULL, NULL, "address", "a port needs at least one"},
	    {"10.9.0.0/24", NULL, NULL, "address",
		"10.9.0.0/24 is the network address of its network"},
	    {"10.9.0.255/24", NULL, NULL, "address",
		"10.9.0.255/24 is the broadcast address of its network"},
	    {"10.9.0.3/30", NULL, NULL, "address",
		"10.9.0.3/30 is the broadcast address of its network"},
	    {"224.0.0.5/24", NULL, NULL, "address",
		"224.0.0.5/24 is not the address of a host"},
	    {"127.0.0.1/8", NULL, NULL, "address",
		"127.0.0.1/8 is not the address of a host"},
	    {"ff02::1/64", NULL, NULL, "address",
		"ff02::1/64 is not the address of a host"},
	    {"10.9.0.10/24 10.9.0.10/25", NULL, NULL, "address",
		"10.9.0.10 is given twice"},
	    {"10.9.0.10/24", "10.8.0.1", NULL, "gateway",
		"10.8.0.1 is in no network of the port's addresses"},
	    {"10.9.0.10/24", "10.9.0.10", NULL, "gateway",
		"10.9.0.10 is an address of the port itself"},
	    {"10.9.0.10/24", "10.9.0.255", NULL, "gateway",
		"10.9.0.255 is the broadcast address of its network"},
	    {"10.9.0.10/24", NULL, "2001:db8::1", "gateway",
		"2001:db8::1 is in no network of the port's addresses"},
	    {"10.9.0.10/24", NULL, "fe80::1", "gateway",
		"fe80::1 is in no network of the port's addresses"},
	    {"10.9.0.10/24", NULL, "10.9.0.1", "gateway",
		"10.9.0.1 is not IPv6"},
	    {"2001:db8::2/64", "2001:db8::1", NULL, "gateway",
		"2001:db8::1 is not IPv4"},
	    {"10.9.0.10/24", "224.0.0.1", NULL, "gateway",
		"224.0.0.1 is not the address of a host"},
	};
	struct lp_object object =
	    port(rows[_i].addresses, rows[_i].gateway_v4, rows[_i].gateway_v6);

	expect_wrong(&object, rows[_i].field, rows[_i].why);
}
END_TEST

START_TEST(a_link_local_gateway_needs_no_network_of_its_own)
{
	struct lp_object object = port("2001:db8::2/64", NULL, "fe80::1");

	expect_right(&object);
}
END_TEST

START_TEST(a_port_has_at_most_so_many_addresses)
{
	struct lp_object object = port("10.9.0.10/24", NULL, NULL);

	for (unsigned i = 1; i < LP_PORT_ADDRESSES_MAX; i++) {
		object.port.addresses[i] = object.port.addresses[0];
		object.port.addresses[i].ip.bytes[15] += (uint8_t)i;
	}
	object.port.address_count = LP_PORT_ADDRESSES_MAX;
	expect_right(&object);
	object.port.address_count++;
	expect_wrong(&object, "address", "a port has at most 16");
}
END_TEST

START_TEST(a_prefix_length_beyond_its_family_is_refused)
{
	struct lp_object object = port("10.9.0.10/24", NULL, NULL);

	object.port.addresses[0].len = 33;
	expect_wrong(&object, "address", "prefix length 33 is too long");
	object = port("2001:db8::1/64", NULL, NULL);
	object.port.addresses[0].len = 129;
	expect_wrong(&object, "address", "prefix length 129 is too long");
}
END_TEST

START_TEST(interfaces_are_named_as_in_the_kernel)
{
	static const struct {
		const char *device, *why;
	} rows[] = {
	    {"", "is missing or empty"},
	    {"0123456789abcdef", "is longer than 15 characters"},
	    {"eth 0", "has no spaces and only ASCII characters"},
	    {"eth\t", "has no spaces and only ASCII characters"},
	    {"a/b", "a/b cannot name an interface"},
	    {"a:b", "a:b cannot name an interface"},
	    {".", ". cannot name an interface"},
	    {"..", ".. cannot name an interface"},
	};
	struct lp_object object = port("10.9.0.10/24", NULL, NULL);

	strcpy(object.port.device, "0123456789abcde");
	expect_right(&object);
	memset(object.port.device, 0, LP_DEVICE_SIZE);
	strcpy(object.port.device, rows[_i].device);
	expect_wrong(&object, "device", rows[_i].why);
}
END_TEST

START_TEST(devices_of_dpdk_have_a_form_of_their_own)
{
	struct lp_object object = port("10.9.0.10/24", NULL, NULL);

	object.port.backend = LP_BACKEND_DPDK;
	strcpy(object.port.device, "net_pcap0,rx_pcap=/a/long/way/to/in.pcap");
	expect_right(&object);
	strcpy(object.port.device, "0000:00:1f.6 ,x");
	expect_wrong(
	    &object, "device", "has no spaces and only ASCII characters");
	strcpy(object.port.device, "net_memif0,\x01");
	expect_wrong(
	    &object, "device", "has no spaces and only ASCII characters");
	strcpy(object.port.device, "net_memif0,\xc3\xa4");
	expect_wrong(
	    &object, "device", "has no spaces and only ASCII characters");
	strcpy(object.port.device, "");
	expect_wrong(&object, "device", "is missing or empty");
	strcpy(object.port.device, "eth1");
	expect_wrong(&object, "device",
	    "eth1 is no device of DPDK: say --device "
	    "net_af_packet0,iface=eth1 for an interface of the kernel, or a "
	    "PCI address");
	memset(object.port.device, 'x', LP_DEVICE_SIZE);
	memcpy(object.port.device, "net_", 4);
	object.port.device[LP_DEVICE_SIZE - 1] = '\0';
	expect_right(&object);
	memset(object.port.device, 'x', LP_DEVICE_SIZE);
	expect_wrong(&object, "device", "is longer than 255 characters");
}
END_TEST

START_TEST(only_ports_of_dpdk_have_an_mtu_of_their_own)
{
	static const struct {
		unsigned backend, mtu;
		const char *why;
	} rows[] = {
	    {LP_BACKEND_DPDK, 0, NULL},
	    {LP_BACKEND_DPDK, 1280, NULL},
	    {LP_BACKEND_DPDK, 9600, NULL},
	    {LP_BACKEND_DPDK, 1279, "1279 is not 1280..9600"},
	    {LP_BACKEND_DPDK, 9601, "9601 is not 1280..9600"},
	    {LP_BACKEND_DPDK, UINT16_MAX, "65535 is not 1280..9600"},
	    {LP_BACKEND_AF_XDP, 0, NULL},
	    {LP_BACKEND_AF_XDP, 1, "1 is not 1280..9600"},
	    {LP_BACKEND_AF_XDP, 1500,
		"a port of af_xdp has the MTU of its device: ip link set "
		"net_tap0 mtu 1500 sets it, without one it stays as it is"},
	    {LP_BACKEND_MEMORY, 0, NULL},
	    {LP_BACKEND_MEMORY, 1500, "is for ports of dpdk only"},
	};
	struct lp_object object = port("10.9.0.10/24", NULL, NULL);

	strcpy(object.port.device, "net_tap0");
	object.port.backend = (uint8_t)rows[_i].backend;
	object.port.mtu = (uint16_t)rows[_i].mtu;
	if (rows[_i].why != NULL)
		expect_wrong(&object, "mtu", rows[_i].why);
	else
		expect_right(&object);
}
END_TEST

START_TEST(enums_of_a_port_have_only_their_values)
{
	struct lp_object object = port("10.9.0.10/24", NULL, NULL);

	object.port.backend = 0;
	expect_wrong(&object, "backend", "is not af_xdp or dpdk");
	object.port.backend = LP_BACKEND_MEMORY;
	expect_right(&object);
	object.port.side = 4;
	expect_wrong(&object, "side", "is not client, broker or both");
}
END_TEST

START_TEST(bad_brokers_are_refused)
{
	struct lp_object right = make_broker(1, 2, INT32_MAX, "10.8.0.1:1");
	struct lp_object object = right;

	expect_right(&object);
	object.broker.node_id = -1;
	expect_wrong(&object, "node_id", "-1 is not 0 or more");
	object = right;
	memset(object.broker.host, 0, LP_HOST_SIZE);
	expect_wrong(&object, "endpoint", "a host has 1 to 253 characters");
	strcpy(object.broker.host, "a b");
	expect_wrong(&object, "endpoint",
	    "a host has no spaces and only ASCII characters");
	memset(object.broker.host, 'a', LP_HOST_SIZE);
	expect_wrong(&object, "endpoint", "a host has 1 to 253 characters");
	object = right;
	object.broker.real.port = 0;
	expect_wrong(&object, "endpoint", "port 0 is not 1..65535");
	object = make_broker(1, 2, 0, "127.0.0.1:9092");
	expect_wrong(
	    &object, "endpoint", "127.0.0.1 is not the address of a host");
	memset(&object.broker.real.ip, 0, sizeof(struct lp_ip));
	expect_wrong(&object, "endpoint", "has no address");
}
END_TEST

START_TEST(bad_listeners_are_refused)
{
	struct lp_object right = make_listener(1, 2, "l", "10.9.0.100:9092");
	struct lp_object object = right;

	expect_right(&object);
	object.listener.source_address = LP_SOURCE_PRESERVE;
	expect_right(&object);
	object.listener.source_address = 3;
	expect_wrong(&object, "source_address", "is not translate or preserve");
	object = right;
	object.listener.kafka = LP_LOOK_OFF;
	expect_wrong(&object, "rewrite",
	    "on needs kafka observe: where nothing is read no address is "
	    "found; kafka off goes with rewrite off");
	object.listener.rewrite = LP_REWRITING_OFF;
	expect_right(&object);
	object.listener.kafka = 3;
	expect_wrong(&object, "kafka", "is not observe or off");
	object = right;
	object.listener.rewrite = LP_REWRITING_SHADOW;
	expect_right(&object);
	object.listener.rewrite = 4;
	expect_wrong(&object, "rewrite", "is not on, off or shadow");
	object = right;
	object.listener.mode = 0;
	expect_wrong(&object, "mode", "is not vip or inline");
	object = right;
	object.listener.broker_base = 0;
	expect_wrong(&object, "broker_base", "0 is not 1..65535");
	object = make_listener(1, 2, "l", "239.1.1.1:9092");
	expect_wrong(&object, "vip", "239.1.1.1 is not the address of a host");
	object = make_listener(1, 2, "", "10.9.0.100:9092");
	expect_wrong(&object, "name", "is missing or empty");
}
END_TEST

START_TEST(an_inline_listener_has_nothing_but_its_name)
{
	const struct lp_object right = make_inline(1, 2, "l");
	struct lp_object object = right;

	expect_right(&object);
	object.listener.kafka = LP_LOOK_OFF;
	expect_right(&object);
	object = right;
	object.listener.vip.port = 9092;
	expect_wrong(&object, "vip",
	    "an inline listener has none: clients connect to the brokers "
	    "themselves");
	object = make_listener(1, 2, "l", "10.9.0.100:9092");
	object.listener.mode = LP_MODE_INLINE;
	expect_wrong(&object, "vip",
	    "an inline listener has none: clients connect to the brokers "
	    "themselves");
	object = right;
	object.listener.broker_base = 9100;
	expect_wrong(&object, "broker_base",
	    "an inline listener has none: clients connect to the brokers "
	    "themselves");
	object = right;
	object.listener.source_address = LP_SOURCE_TRANSLATE;
	expect_wrong(&object, "source_address",
	    "an inline listener changes no address: preserve");
	object = right;
	object.listener.rewrite = LP_REWRITING_ON;
	expect_wrong(
	    &object, "rewrite", "an inline listener changes nothing: off");
	object = right;
	strcpy(object.listener.advertise, "kafka.example.com");
	expect_wrong(&object, "advertise",
	    "an inline listener tells its clients nothing: they know the "
	    "brokers' own addresses");
}
END_TEST

START_TEST(what_is_advertised_is_a_name_or_an_address)
{
	static const struct {
		const char *name, *why;
	} rows[] = {
	    {"", NULL},
	    {"kafka", NULL},
	    {"kafka.example.com", NULL},
	    {"10.9.0.1", NULL},
	    {"2001:db8::1", NULL},
	    {"224.0.0.1", "224.0.0.1 is not the address of a host"},
	    {"10.9.0.300",
		"\"10.9.0.300\" is no host name: its last part is a number"},
	    {"[2001:db8::1]",
		"\"[2001:db8::1]\" is no host name: it has letters, digits, "
		"'-' and '.' only"},
	    {"kafka.example.com:9092",
		"\"kafka.example.com:9092\" is no host name: it has letters, "
		"digits, '-' and '.' only"},
	    {"*.k.example.com", NULL},
	    {"*k.example.com",
		"\"*k.example.com\" is no pattern: behind '*', which stands "
		"for a whole part of a name, comes a dot"},
	    {"kafka.*.example.com",
		"\"kafka.*.example.com\" is no host name: it has letters, "
		"digits, '-' and '.' only"},
	};
	struct lp_object object = make_listener(1, 2, "l", "10.9.0.100:9092");

	strcpy(object.listener.advertise, rows[_i].name);
	if (rows[_i].why != NULL)
		expect_wrong(&object, "advertise", rows[_i].why);
	else
		expect_right(&object);
}
END_TEST

START_TEST(a_port_with_a_peer_has_nothing_else)
{
	const char *const bump =
	    "a port with a peer has none: it is a bump in the wire";
	const struct lp_object right = make_peer(1, "left", "right");
	struct lp_object object = right;

	expect_right(&object);
	object.port.on_loss = LP_ON_LOSS_WIRE;
	expect_right(&object);
	object.port.on_loss = 3;
	expect_wrong(&object, "on_loss", "is not drop or wire");
	object.port.on_loss = LP_ON_LOSS_WIRE;
	object.port.backend = LP_BACKEND_MEMORY;
	expect_wrong(&object, "on_loss",
	    "wire is for ports of af_xdp only: no kernel is behind others to "
	    "go on forwarding");
	object = make_port(
	    1, "left", LP_SIDE_BOTH, "10.9.0.10/24", "10.9.0.1", NULL);
	strcpy(object.port.peer, "right");
	expect_wrong(&object, "address", bump);
	object.port.address_count = 0;
	expect_wrong(&object, "gateway", bump);
	object = right;
	object.port.side = LP_SIDE_CLIENT;
	expect_wrong(&object, "side",
	    "a port with a peer has none: clients and brokers may be at "
	    "either");
	object = make_peer(1, "left", "left");
	expect_wrong(&object, "peer", "a port is not its own peer");
	object = make_peer(1, "left", "a b");
	expect_wrong(
	    &object, "peer", "may have letters, digits, '.', '_' and '-' only");
	object = make_port(1, "p", LP_SIDE_BOTH, "10.9.0.10/24", NULL, NULL);
	object.port.on_loss = LP_ON_LOSS_WIRE;
	expect_wrong(&object, "on_loss", "is for ports with a peer only");
}
END_TEST

START_TEST(bad_endpoints_are_refused)
{
	struct lp_object object = make_endpoint(1, 2, 3, "10.9.0.100:1");

	expect_right(&object);
	object.endpoint.vip.port = 0;
	expect_wrong(&object, "vip", "port 0 is not 1..65535");
}
END_TEST

START_TEST(an_object_of_no_kind_is_refused)
{
	struct lp_object object = make_cluster(1, "a");

	object.kind = 9;
	expect_wrong(&object, "kind", "9 is no kind of object");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("object");
	TCase *tests = tcase_create("object");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, init_gives_the_defaults);
	tcase_add_test(tests, words_are_the_same_both_ways);
	tcase_add_test(tests, other_words_are_refused);
	tcase_add_loop_test(tests, good_names_pass, 0, 5);
	tcase_add_loop_test(tests, bad_names_are_refused, 0, 7);
	tcase_add_test(tests, a_name_without_end_is_refused);
	tcase_add_loop_test(tests, good_ports_pass, 0, 9);
	tcase_add_loop_test(tests, bad_addresses_of_ports_are_refused, 0, 16);
	tcase_add_test(tests, a_port_has_at_most_so_many_addresses);
	tcase_add_test(tests, a_link_local_gateway_needs_no_network_of_its_own);
	tcase_add_test(tests, a_prefix_length_beyond_its_family_is_refused);
	tcase_add_loop_test(tests, interfaces_are_named_as_in_the_kernel, 0, 8);
	tcase_add_test(tests, devices_of_dpdk_have_a_form_of_their_own);
	tcase_add_loop_test(
	    tests, only_ports_of_dpdk_have_an_mtu_of_their_own, 0, 11);
	tcase_add_test(tests, enums_of_a_port_have_only_their_values);
	tcase_add_test(tests, bad_brokers_are_refused);
	tcase_add_test(tests, bad_listeners_are_refused);
	tcase_add_test(tests, an_inline_listener_has_nothing_but_its_name);
	tcase_add_loop_test(
	    tests, what_is_advertised_is_a_name_or_an_address, 0, 12);
	tcase_add_test(tests, a_port_with_a_peer_has_nothing_else);
	tcase_add_test(tests, bad_endpoints_are_refused);
	tcase_add_test(tests, an_object_of_no_kind_is_refused);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
