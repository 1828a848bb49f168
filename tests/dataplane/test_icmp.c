/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/icmp.h"

#include <check.h>
#include <stdio.h>

#include "tests/support/plane.h"
#include "tests/support/plane_main.h"

#define C4 "tcp 10.9.0.50:40000 > 10.9.0.100:9100 "
#define B4 "tcp 10.8.0.20:9092 > 10.8.0.10:$ "
#define TO_B4 "tcp 10.8.0.10:$ > 10.8.0.20:9092 "
#define TO_C4 "tcp 10.9.0.100:9100 > 10.9.0.50:40000 "
#define C6 "tcp [2001:db8:9::50]:40000 > [2001:db8:9::100]:9101 "
#define B6 "tcp [2001:db8:8::21]:9092 > [2001:db8:8::10]:$ "
#define TO_B6 "tcp [2001:db8:8::10]:$ > [2001:db8:8::21]:9092 "
#define TO_C6 "tcp [2001:db8:9::100]:9101 > [2001:db8:9::50]:40000 "

static void
setup(void)
{
	plane_open(LP_CONNECTIONS_MIN);
	plane_run();
}

START_TEST(pings_of_our_addresses_are_answered)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, "echo 10.9.0.50 > 10.9.0.10 id=7 seq=9 len=56"},
	    {PLANE_OUT, 0,
		"echo-reply 10.9.0.10 > 10.9.0.50 id=7 seq=9 len=56 ttl=64 "
		"smac=02:00:00:00:00:00 dmac=02:10:00:00:00:32"},
	    {PLANE_REASON, 0, "icmp_echo"},
	    {PLANE_IN, 0, "echo 10.9.0.50 > 10.9.0.100 id=7 len=57 ttl=1"},
	    {PLANE_OUT, 0,
		"echo-reply 10.9.0.100 > 10.9.0.50 id=7 len=57 ttl=64"},
	    {PLANE_IN, 1, "echo 10.8.0.20 > 10.8.0.11 len=0 ttl=255"},
	    {PLANE_OUT, 1, "echo-reply 10.8.0.11 > 10.8.0.20 len=0 ttl=64"},
	    {PLANE_IN, 0, "echo 10.99.1.1 > 10.9.0.100 smac=02:99:0:0:0:1"},
	    {PLANE_OUT, 0,
		"echo-reply 10.9.0.100 > 10.99.1.1 dmac=02:99:00:00:00:01"},
	    {PLANE_IN, 0,
		"echo 2001:db8:9::50 > 2001:db8:9::10 id=7 seq=9 len=56"},
	    {PLANE_OUT, 0,
		"echo-reply 2001:db8:9::10 > 2001:db8:9::50 id=7 seq=9 "
		"len=56 ttl=64"},
	    {PLANE_IN, 0, "echo fe80::1 > 2001:db8:9::100 len=3 ttl=1"},
	    {PLANE_OUT, 0, "echo-reply 2001:db8:9::100 > fe80::1 len=3"},
	};

	PLANE_ROWS(rows);
}
END_TEST

START_TEST(other_pings_and_bad_ones_are_not)
{
	static const struct {
		const char *text, *reason;
	} all[] = {
	    {"echo 10.9.0.50 > 10.9.0.77", "not_ours"},
	    {"echo 10.9.0.50 > 10.8.0.10", "not_ours"},
	    {"echo 10.9.0.50 > 10.9.0.255", "not_ours"},
	    {"echo 10.9.0.100 > 10.9.0.10", "ip_source"},
	    {"echo 10.8.0.10 > 10.9.0.10", "ip_source"},
	    {"echo 2001:db8:9::100 > 2001:db8:9::10", "ip_source"},
	    {"echo 10.9.0.50 > 10.9.0.10 badsum=1", "icmp_invalid"},
	    {"echo 2001:db8::1 > 2001:db8:9::10 badsum=1", "icmp_invalid"},
	    {"echo 10.9.0.50 > 10.9.0.10 len=64 frag=0x2000", "ip_fragment"},
	    {"echo-reply 10.9.0.50 > 10.9.0.10", "icmp_unknown"},
	    {"icmp 10.9.0.50 > 10.9.0.10 type=5", "icmp_unknown"},
	    {"icmp 2001:db8::1 > 2001:db8:9::10 type=134", "icmp_unknown"},
	};
	const struct plane_row rows[] = {
	    {PLANE_IN, 0, all[_i].text},
	    {PLANE_REASON, 0, all[_i].reason},
	};

	PLANE_ROWS(rows);
}
END_TEST

/* An established connection; 100 bytes each way are in flight. */
static void
open_v4(void)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "S seq=1000"},
	    {PLANE_OUT, 1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S"},
	    {PLANE_IN, 1, B4 "SA seq=5000 ack=1001"},
	    {PLANE_OUT, 0, TO_C4 "SA"},
	    {PLANE_IN, 0, C4 "A seq=1001 ack=5001 len=100"},
	    {PLANE_OUT, 1, TO_B4 "A"},
	    {PLANE_IN, 1, B4 "A seq=5001 ack=1001 len=100"},
	    {PLANE_OUT, 0, TO_C4 "A"},
	};

	PLANE_ROWS(rows);
}

static void
open_v6(void)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C6 "S seq=1000"},
	    {PLANE_OUT, 1, "tcp [2001:db8:8::10]:$* > [2001:db8:8::21]:9092 S"},
	    {PLANE_IN, 1, B6 "SA seq=5000 ack=1001"},
	    {PLANE_OUT, 0, TO_C6 "SA"},
	    {PLANE_IN, 0, C6 "A seq=1001 ack=5001 len=100"},
	    {PLANE_OUT, 1, TO_B6 "A"},
	    {PLANE_IN, 1, B6 "A seq=5001 ack=1001 len=100"},
	    {PLANE_OUT, 0, TO_C6 "A"},
	};

	PLANE_ROWS(rows);
}

START_TEST(errors_go_to_the_end_that_they_are_for)
{
	static const struct plane_row rows[] = {
	    /* From a router behind us, about what the client sent. */
	    {PLANE_IN, 1,
		"too-big 10.8.0.1 > 10.8.0.10 mtu=1300 / " TO_B4
		"A seq=1001 ack=5001 len=100 ttl=60"},
	    {PLANE_OUT, 0,
		"too-big 10.9.0.100 > 10.9.0.50 code=4 mtu=1300 ttl=63 "
		"smac=02:00:00:00:00:00 dmac=02:10:00:00:00:32 / " C4
		"A seq=1001 ack=5001 len=100 total=140"},
	    {PLANE_REASON, 0, "icmp_translated"},
	    /* As little as RFC 792 asks for; and with IP options. */
	    {PLANE_IN, 1,
		"unreach 10.8.0.20 > 10.8.0.10 code=3 quote=28 / " TO_B4
		"A seq=1001 len=100"},
	    {PLANE_OUT, 0,
		"unreach 10.9.0.100 > 10.9.0.50 code=3 / tcp 10.9.0.50:40000 "
		"> 10.9.0.100:9100 seq=1001"},
	    {PLANE_IN, 1,
		"exceeded 10.8.0.1 > 10.8.0.10 quote=46 / " TO_B4
		"A seq=1101 ipopt=2"},
	    {PLANE_OUT, 0,
		"exceeded 10.9.0.100 > 10.9.0.50 code=0 / tcp "
		"10.9.0.50:40000 > 10.9.0.100:9100 seq=1101 cut=18"},
	    /* From the client's side, about what the broker sent. */
	    {PLANE_IN, 0,
		"too-big 10.9.0.1 > 10.9.0.100 mtu=1280 / " TO_C4
		"A seq=5001 ack=1001 len=100"},
	    {PLANE_OUT, 1,
		"too-big 10.8.0.10 > 10.8.0.20 code=4 mtu=1280 / " B4
		"A seq=5001 ack=1001 len=100"},
	    {PLANE_IN, 0, "param 10.9.0.50 > 10.9.0.100 / " TO_C4 "A seq=5101"},
	    {PLANE_OUT, 1, "param 10.8.0.10 > 10.8.0.20 / " B4 "A seq=5101"},
	};

	open_v4();
	PLANE_ROWS(rows);
	ck_assert_uint_eq(plane_connection(0)->packets[LP_TO_CLIENT], 2);
}
END_TEST

START_TEST(errors_of_ipv6_too)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 1,
		"too-big 2001:db8:8::1 > 2001:db8:8::10 mtu=1300 / " TO_B6
		"A seq=1001 ack=5001 len=100 ttl=60"},
	    {PLANE_OUT, 0,
		"too-big 2001:db8:9::100 > 2001:db8:9::50 mtu=1300 ttl=63 "
		"/ " C6 "A seq=1001 ack=5001 len=100"},
	    {PLANE_IN, 0,
		"unreach fe80::1 > 2001:db8:9::100 code=1 quote=48 / " TO_C6
		"A seq=5001 len=100"},
	    {PLANE_OUT, 1,
		"unreach 2001:db8:8::10 > 2001:db8:8::21 code=1 / tcp "
		"[2001:db8:8::21]:9092 > [2001:db8:8::10]:$ seq=5001"},
	};

	open_v6();
	PLANE_ROWS(rows);
}
END_TEST

START_TEST(an_error_about_a_syn_reaches_the_client)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "S seq=1000"},
	    {PLANE_OUT, 1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S"},
	    {PLANE_IN, 1,
		"unreach 10.8.0.1 > 10.8.0.10 code=1 / " TO_B4 "S seq=1000"},
	    {PLANE_OUT, 0,
		"unreach 10.9.0.100 > 10.9.0.50 code=1 / " C4 "S seq=1000"},
	};

	PLANE_ROWS(rows);
}
END_TEST

/* The router behind us has the client's own address to send them to. */
START_TEST(errors_about_a_preserved_source_are_translated_too)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, "tcp 10.9.0.50:40000 > 10.9.0.101:9100 S seq=1"},
	    {PLANE_OUT, 1, "tcp 10.9.0.50:40000 > 10.8.0.20:9092 S"},
	    {PLANE_IN, 1,
		"unreach 10.8.0.1 > 10.9.0.50 code=1 / tcp 10.9.0.50:40000 > "
		"10.8.0.20:9092 S seq=1"},
	    {PLANE_OUT, 0,
		"unreach 10.9.0.101 > 10.9.0.50 code=1 / tcp 10.9.0.50:40000 "
		"> 10.9.0.101:9100 S seq=1"},
	    {PLANE_IN, 0,
		"tcp [2001:db8:9::50]:1 > [2001:db8:9::101]:9101 S seq=1"},
	    {PLANE_OUT, 1,
		"tcp [2001:db8:9::50]:1 > [2001:db8:8::21]:9092 S seq=1"},
	    {PLANE_IN, 1,
		"too-big fe80::1 > 2001:db8:9::50 mtu=1300 / tcp "
		"[2001:db8:9::50]:1 > [2001:db8:8::21]:9092 S seq=1"},
	    {PLANE_OUT, 0,
		"too-big 2001:db8:9::101 > 2001:db8:9::50 mtu=1300 / tcp "
		"[2001:db8:9::50]:1 > [2001:db8:9::101]:9101 S seq=1"},
	};

	PLANE_ROWS(rows);
}
END_TEST

#define ERROR4 "unreach 10.8.0.1 > 10.8.0.10 code=3"
#define ERROR6 "unreach 2001:db8:8::1 > 2001:db8:8::10"

START_TEST(errors_that_cannot_be_true_are_refused)
{
	static const struct {
		const char *text, *reason;
	} all[] = {
	    /* Not in flight: acknowledged, or not sent yet. */
	    {ERROR4 " / " TO_B4 "A seq=1000", "icmp_unknown"},
	    {ERROR4 " / " TO_B4 "A seq=1102", "icmp_unknown"},
	    {ERROR4 " / " TO_B4 "A seq=90000000", "icmp_unknown"},
	    {"unreach 10.9.0.1 > 10.9.0.100 code=3 / " TO_C4 "A seq=5102",
		"icmp_unknown"},
	    {"unreach 10.9.0.1 > 10.9.0.100 code=3 / " TO_C4 "A seq=5000",
		"icmp_unknown"},
	    /* Of nobody; and the wrong way round. */
	    {ERROR4 " / tcp 10.8.0.10:1 > 10.8.0.20:9092 A seq=1001",
		"icmp_unknown"},
	    {ERROR4 " / " B4 "A seq=5001", "icmp_unknown"},
	    {"unreach 10.9.0.1 > 10.9.0.100 code=3 / " C4 "A seq=1001",
		"icmp_unknown"},
	    /* Not TCP, not whole, not well. */
	    {ERROR4 " / echo 10.8.0.10 > 10.8.0.20", "icmp_invalid"},
	    {ERROR4 " quote=27 / " TO_B4 "A seq=1001", "icmp_invalid"},
	    {ERROR4 " quote=19 / " TO_B4 "A seq=1001", "icmp_invalid"},
	    {ERROR4 " quote=0 / " TO_B4 "A seq=1001", "icmp_invalid"},
	    {ERROR4 " badsum=1 / " TO_B4 "A seq=1001", "icmp_invalid"},
	    {ERROR4 " / " TO_B4 "A seq=1001 frag=0x10", "icmp_invalid"},
	    {ERROR4 " / " TO_B4 "A seq=1001 @14=0x44", "icmp_invalid"},
	    {ERROR4 " / " TO_B4 "A seq=1001 @14=0x65", "icmp_invalid"},
	    {ERROR4 " quote=28 / " TO_B4 "A seq=1001 ipopt=1", "icmp_invalid"},
	    {ERROR6 " quote=47 / tcp [2001:db8::1]:1 > [2001:db8::2]:2 A",
		"icmp_invalid"},
	    {ERROR6 " / tcp [2001:db8::1]:1 > [2001:db8::2]:2 A ext=frag",
		"icmp_invalid"},
	    /* An IPv4 connection in the clothes of IPv6. */
	    {ERROR6 " / tcp [::ffff:10.8.0.10]:$ > [::ffff:10.8.0.20]:9092 "
		    "A seq=1001",
		"icmp_invalid"},
	    {"unreach 10.8.0.1 > 10.8.0.10 ttl=1 / " TO_B4 "A seq=1001", "ttl"},
	    /* Sent to another than who sent what it quotes. */
	    {"unreach 10.8.0.1 > 10.8.0.11 code=3 / " TO_B4 "A seq=1001",
		"icmp_unknown"},
	    {"unreach 10.9.0.1 > 10.9.0.77 code=3 / " TO_C4 "A seq=5001",
		"icmp_unknown"},
	    /* By the port of the other side. */
	    {"unreach 10.9.0.1 > 10.8.0.10 code=3 / " TO_B4 "A seq=1001",
		"wrong_side"},
	};
	const struct plane_row rows[] = {
	    {PLANE_IN, all[_i].text[11] != '9', all[_i].text},
	    {PLANE_REASON, 0, all[_i].reason},
	};

	open_v4();
	PLANE_ROWS(rows);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_add_test(tests, pings_of_our_addresses_are_answered);
	tcase_add_loop_test(tests, other_pings_and_bad_ones_are_not, 0, 12);
	tcase_add_test(tests, errors_go_to_the_end_that_they_are_for);
	tcase_add_test(tests, errors_of_ipv6_too);
	tcase_add_test(tests, an_error_about_a_syn_reaches_the_client);
	tcase_add_test(
	    tests, errors_about_a_preserved_source_are_translated_too);
	tcase_add_loop_test(
	    tests, errors_that_cannot_be_true_are_refused, 0, 24);
}

int
main(void)
{
	return plane_main("icmp", add);
}
