/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/address.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "proto/limits.h"

static struct lp_ip
ip(const char *text)
{
	char why[LP_WHY_SIZE] = "";
	struct lp_ip value;

	ck_assert_msg(lp_ip_parse(&value, text, why) == 0, "%s", why);
	return value;
}

static struct lp_prefix
prefix(const char *text)
{
	char why[LP_WHY_SIZE] = "";
	struct lp_prefix value;

	ck_assert_msg(lp_prefix_parse(&value, text, why) == 0, "%s", why);
	return value;
}

START_TEST(addresses_survive_a_round_trip)
{
	static const char *const texts[] = {"10.9.0.100", "0.0.0.0",
	    "255.255.255.255", "2001:db8::1", "::1", "ff02::1", "fe80::1"};
	char buf[LP_IP_TEXT_SIZE];
	struct lp_ip value = ip(texts[_i]);

	ck_assert_str_eq(lp_ip_format(buf, &value), texts[_i]);
	ck_assert_int_eq(lp_ip_is_v4(&value), !strchr(texts[_i], ':'));
	ck_assert(!lp_ip_is_none(&value));
}
END_TEST

START_TEST(bad_addresses_are_refused_and_change_nothing)
{
	static const char *const texts[] = {"", "10.0.0.300", "10.0.0", "10.1",
	    "010.0.0.1", "10.0.0.1 ", " 10.0.0.1", "10.0.0.1/24", "0x0a000001",
	    "::ffff:10.0.0.1", "::ffff:a00:1", "::", "fe80::1%eth0", "[::1]",
	    "2001:db8::1::2", "12345::", "host"};
	struct lp_ip value = {{1, 2, 3}}, before = value;
	char why[LP_WHY_SIZE] = "";

	ck_assert_int_eq(lp_ip_parse(&value, texts[_i], why), -EINVAL);
	ck_assert(lp_ip_equal(&value, &before));
	ck_assert_uint_eq(why[0], '"');
	ck_assert_int_eq(lp_ip_parse(&value, texts[_i], NULL), -EINVAL);
}
END_TEST

START_TEST(the_reason_names_the_text)
{
	char why[LP_WHY_SIZE], *text = malloc(5001);
	struct lp_ip value;

	ck_assert_int_eq(lp_ip_parse(&value, "10.0.0.300", why), -EINVAL);
	ck_assert_str_eq(why, "\"10.0.0.300\" is not an IPv4 or IPv6 address");
	memset(text, 'x', 5000);
	text[5000] = '\0';
	ck_assert_int_eq(lp_ip_parse(&value, text, why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "is not an IPv4 or IPv6 address"));
	free(text);
}
END_TEST

START_TEST(hosts_are_unicast_and_assignable)
{
	static const struct {
		const char *text;
		bool host;
	} rows[] = {
	    {"10.0.0.1", true},
	    {"1.0.0.0", true},
	    {"126.255.255.255", true},
	    {"128.0.0.1", true},
	    {"223.255.255.255", true},
	    {"169.254.1.1", true},
	    {"2001:db8::1", true},
	    {"fe80::1", true},
	    {"::2", true},
	    {"0.0.0.0", false},
	    {"0.255.0.1", false},
	    {"127.0.0.1", false},
	    {"224.0.0.1", false},
	    {"240.0.0.1", false},
	    {"255.255.255.255", false},
	    {"::1", false},
	    {"ff02::1", false},
	};
	struct lp_ip none = {{0}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lp_ip value = ip(rows[i].text);

		ck_assert_msg(
		    lp_ip_is_host(&value) == rows[i].host, "%s", rows[i].text);
	}
	ck_assert(!lp_ip_is_host(&none));
}
END_TEST

START_TEST(prefixes_survive_a_round_trip)
{
	static const char *const texts[] = {"10.9.0.10/24", "10.0.0.1/32",
	    "10.0.0.1/0", "2001:db8::1/64", "2001:db8::1/128",
	    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/127"};
	char buf[LP_PREFIX_TEXT_SIZE];
	struct lp_prefix value = prefix(texts[_i]);

	ck_assert_str_eq(lp_prefix_format(buf, &value), texts[_i]);
}
END_TEST

START_TEST(bad_prefixes_are_refused)
{
	static const char *const texts[] = {"", "/", "/24", "10.0.0.1",
	    "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/+8",
	    "10.0.0.1/ 8", "10.0.0.1/8 ", "10.0.0.1/08", "10.0.0.1/8/8",
	    "10.0.0.1/4294967304", "10.0.0.1/255.0.0.0", "2001:db8::/129",
	    "10.0.0/8", "::ffff:10.0.0.1/120",
	    "1111111111111111111111111111111111111111111111111111111111/8"};
	char why[LP_WHY_SIZE] = "";
	struct lp_prefix value;

	ck_assert_int_eq(lp_prefix_parse(&value, texts[_i], why), -EINVAL);
	ck_assert_uint_gt(strlen(why), 0);
}
END_TEST

START_TEST(prefixes_contain_their_network_and_nothing_else)
{
	static const struct {
		const char *prefix, *ip;
		bool inside;
	} rows[] = {
	    {"10.9.0.10/24", "10.9.0.0", true},
	    {"10.9.0.10/24", "10.9.0.255", true},
	    {"10.9.0.10/24", "10.9.1.0", false},
	    {"10.9.0.10/24", "10.8.255.255", false},
	    {"10.9.0.10/23", "10.9.1.255", true},
	    {"10.9.0.10/23", "10.9.2.0", false},
	    {"10.9.0.128/25", "10.9.0.127", false},
	    {"10.9.0.1/32", "10.9.0.1", true},
	    {"10.9.0.1/32", "10.9.0.0", false},
	    {"10.9.0.1/0", "203.0.113.9", true},
	    {"10.9.0.1/0", "2001:db8::1", false},
	    {"2001:db8::1/64", "2001:db8::ffff", true},
	    {"2001:db8::1/64", "2001:db8:0:1::1", false},
	    {"2001:db8::1/33", "2001:db8:8000::1", false},
	    {"2001:db8::1/128", "2001:db8::1", true},
	    {"::2/1", "10.0.0.1", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lp_prefix p = prefix(rows[i].prefix);
		struct lp_ip value = ip(rows[i].ip);

		ck_assert_msg(lp_prefix_contains(&p, &value) == rows[i].inside,
		    "%s in %s", rows[i].ip, rows[i].prefix);
	}
}
END_TEST

START_TEST(endpoints_survive_a_round_trip)
{
	static const char *const texts[] = {"10.9.0.100:9092", "10.0.0.1:1",
	    "10.0.0.1:65535", "[2001:db8::1]:9092",
	    "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535"};
	char why[LP_WHY_SIZE] = "", buf[LP_ENDPOINT_TEXT_SIZE];
	struct lp_endpoint value;

	ck_assert_msg(
	    lp_endpoint_parse(&value, texts[_i], why) == 0, "%s", why);
	ck_assert_str_eq(lp_endpoint_format(buf, &value), texts[_i]);
}
END_TEST

START_TEST(bad_endpoints_are_refused)
{
	static const char *const texts[] = {"", ":", ":9092", "10.0.0.1",
	    "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:99999999",
	    "10.0.0.1:-1", "10.0.0.1:+1", "10.0.0.1: 1", "10.0.0.1:1 ",
	    "10.0.0.1:09092", "10.0.0.1:0x10", "10.0.0.300:1", "host:9092",
	    "2001:db8::1:9092", "[2001:db8::1]", "[2001:db8::1]9092",
	    "[2001:db8::1]:", "[2001:db8::1", "[]:1", "[", "[10.0.0.1]:9092",
	    "[::ffff:10.0.0.1]:1", "10.0.0.1:1:1", "[fe80::1%eth0]:1"};
	char why[LP_WHY_SIZE] = "";
	struct lp_endpoint value;

	ck_assert_int_eq(lp_endpoint_parse(&value, texts[_i], why), -EINVAL);
	ck_assert_uint_gt(strlen(why), 0);
}
END_TEST

START_TEST(hosts_and_ports_are_split)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} rows[] = {
	    {"broker-1.example.com:9092", "broker-1.example.com", 9092},
	    {"10.0.0.1:1", "10.0.0.1", 1},
	    {"[2001:db8::1]:65535", "2001:db8::1", 65535},
	};
	char host[LP_HOST_SIZE], why[LP_WHY_SIZE], text[LP_HOSTPORT_TEXT_SIZE];
	uint16_t port;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(
		    lp_hostport_split(host, &port, rows[i].text, why), 0);
		ck_assert_str_eq(host, rows[i].host);
		ck_assert_uint_eq(port, rows[i].port);
		ck_assert_str_eq(
		    lp_hostport_format(text, host, port), rows[i].text);
	}
}
END_TEST

START_TEST(bad_hosts_and_ports_are_refused)
{
	static const char *const texts[] = {"", "host", "host:", ":1", "host:0",
	    "host:65536", "ho st:1", "host\n:1", "h/o:1", "2001:db8::1:9092",
	    "[host]:1", "[10.0.0.1]:1", "[::1]", "h\xc3\xb6st:1"};
	char host[LP_HOST_SIZE] = "before", why[LP_WHY_SIZE] = "";
	uint16_t port = 7;

	ck_assert_int_eq(
	    lp_hostport_split(host, &port, texts[_i], why), -EINVAL);
	ck_assert_str_eq(host, "before");
	ck_assert_uint_eq(port, 7);
	ck_assert_uint_gt(strlen(why), 0);
}
END_TEST

START_TEST(a_host_fits_up_to_its_limit)
{
	char text[LP_HOST_SIZE + 8], host[LP_HOST_SIZE], why[LP_WHY_SIZE];
	uint16_t port;

	memset(text, 'a', sizeof(text));
	strcpy(text + LP_HOST_SIZE - 1, ":1");
	ck_assert_int_eq(lp_hostport_split(host, &port, text, why), 0);
	ck_assert_uint_eq(strlen(host), LP_HOST_SIZE - 1);
	memset(text, 'a', sizeof(text));
	strcpy(text + LP_HOST_SIZE, ":1");
	ck_assert_int_eq(lp_hostport_split(host, &port, text, why), -EINVAL);
}
END_TEST

START_TEST(host_names_are_those_of_rfc_1123)
{
	static const struct {
		const char *name;
		bool right;
	} rows[] = {
	    {"a", true},
	    {"3com.com", true},
	    {"a-b.c--d.E9", true},
	    {"xn--bcher-kva.example", true},
	    {"", false},
	    {".", false},
	    {".a", false},
	    {"a.", false},
	    {"a..b", false},
	    {"-a.b", false},
	    {"a-.b", false},
	    {"a.-b", false},
	    {"a.b-", false},
	    {"a_b.c", false},
	    {"a b", false},
	    {"*.example.com", false},
	    {"b\xc3\xbc"
	     "cher.example",
		false},
	    {"10.9.0.1", false},
	    {"a.1", false},
	    {"7", false},
	};
	char why[LP_WHY_SIZE] = "";

	ck_assert_int_eq(lp_hostname_check(rows[_i].name, why),
	    rows[_i].right ? 0 : -EINVAL);
	ck_assert(rows[_i].right == (why[0] == '\0'));
}
END_TEST

START_TEST(host_names_have_limits)
{
	char name[LP_HOST_SIZE + 1];

	memset(name, 'a', sizeof(name));
	name[63] = '.';
	name[127] = '.';
	name[191] = '.';
	name[253] = '\0';
	ck_assert_int_eq(lp_hostname_check(name, NULL), 0);
	name[253] = 'a';
	name[254] = '\0';
	ck_assert_int_eq(lp_hostname_check(name, NULL), -EINVAL);
	/* A label of 64. */
	name[253] = '\0';
	name[63] = 'a';
	name[64] = '.';
	ck_assert_int_eq(lp_hostname_check(name, NULL), -EINVAL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("address");
	TCase *tests = tcase_create("address");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, addresses_survive_a_round_trip, 0, 7);
	tcase_add_loop_test(
	    tests, bad_addresses_are_refused_and_change_nothing, 0, 17);
	tcase_add_test(tests, the_reason_names_the_text);
	tcase_add_test(tests, hosts_are_unicast_and_assignable);
	tcase_add_loop_test(tests, prefixes_survive_a_round_trip, 0, 6);
	tcase_add_loop_test(tests, bad_prefixes_are_refused, 0, 18);
	tcase_add_test(tests, prefixes_contain_their_network_and_nothing_else);
	tcase_add_loop_test(tests, endpoints_survive_a_round_trip, 0, 5);
	tcase_add_loop_test(tests, bad_endpoints_are_refused, 0, 27);
	tcase_add_test(tests, hosts_and_ports_are_split);
	tcase_add_loop_test(tests, bad_hosts_and_ports_are_refused, 0, 14);
	tcase_add_test(tests, a_host_fits_up_to_its_limit);
	tcase_add_loop_test(tests, host_names_are_those_of_rfc_1123, 0, 20);
	tcase_add_test(tests, host_names_have_limits);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
