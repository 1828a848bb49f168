/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/neighbor.h"

#include <check.h>
#include <stdio.h>

#include "tests/proto/objects.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"

#define C4 "tcp 10.9.0.50:40000 > 10.9.0.100:9100 "
#define ASK_B "arp-request 10.8.0.10 > 10.8.0.20 "

/* The wire does not help here, and announcements are over. */
static void
setup(void)
{
	plane_open(LP_CONNECTIONS_MIN);
	plane_run();
	plane_wait_ms(1500);
	plane.helpful = false;
	plane_quiet();
}

START_TEST(questions_for_our_addresses_are_answered)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, "arp-request 10.9.0.50 > 10.9.0.10"},
	    {PLANE_OUT, 0,
		"arp-reply 10.9.0.10 > 10.9.0.50 mac=02:00:00:00:00:00 "
		"smac=02:00:00:00:00:00 dmac=02:10:00:00:00:32 frame=60"},
	    {PLANE_REASON, 0, "arp"},
	    {PLANE_IN, 0, "arp-request 10.9.0.50 > 10.9.0.100 pad=18"},
	    {PLANE_OUT, 0,
		"arp-reply 10.9.0.100 > 10.9.0.50 mac=02:00:00:00:00:00"},
	    {PLANE_IN, 1, "arp-request 10.8.0.20 > 10.8.0.11"},
	    {PLANE_OUT, 1,
		"arp-reply 10.8.0.11 > 10.8.0.20 mac=02:00:00:00:00:01"},
	    /* A probe (RFC 5227). */
	    {PLANE_IN, 0, "arp-request 0.0.0.0 > 10.9.0.100 smac=2:9:9:9:9:9"},
	    {PLANE_OUT, 0,
		"arp-reply 10.9.0.100 > 0.0.0.0 dmac=02:09:09:09:09:09"},
	    {PLANE_IN, 0,
		"ns 2001:db8:9::50 > ff02::1:ff00:10 target=2001:db8:9::10"},
	    {PLANE_OUT, 0,
		"na 2001:db8:9::10 > 2001:db8:9::50 target=2001:db8:9::10 "
		"nf=SO mac=02:00:00:00:00:00 ttl=255 dmac=02:10:00:00:00:50"},
	    {PLANE_REASON, 0, "ndp"},
	    {PLANE_IN, 0,
		"ns fe80::7 > 2001:db8:9::100 target=2001:db8:9::100 mac=none"},
	    {PLANE_OUT, 0, "na 2001:db8:9::100 > fe80::7 nf=SO"},
	    /* Duplicate address detection: to all. */
	    {PLANE_IN, 0,
		"ns :: > ff02::1:ff00:100 target=2001:db8:9::100 mac=none"},
	    {PLANE_OUT, 0,
		"na 2001:db8:9::100 > ff02::1 nf=O dmac=33:33:00:00:00:01"},
	};

	PLANE_ROWS(rows);
}
END_TEST

START_TEST(what_is_not_for_us_or_wrong_is_not_answered)
{
	static const struct {
		const char *text, *reason;
	} all[] = {
	    {"arp-request 10.9.0.50 > 10.9.0.77", "arp"},
	    {"arp-request 10.9.0.50 > 10.8.0.10", "arp"},
	    {"arp-reply 10.9.0.50 > 10.9.0.10", "arp"},
	    {"arp-request 10.9.0.50 > 10.9.0.10 @21=3", "arp_invalid"},
	    {"arp-request 10.9.0.50 > 10.9.0.10 mac=03:0:0:0:0:1",
		"arp_invalid"},
	    /* Another host claims what is ours. */
	    {"arp-request 10.9.0.100 > 10.9.0.100", "arp_invalid"},
	    {"arp-reply 10.9.0.100 > 10.9.0.50", "arp_invalid"},
	    {"na 2001:db8:9::100 > ff02::1 target=2001:db8:9::100 nf=O",
		"ndp_invalid"},
	    {"ns 2001:db8:9::50 > ff02::1:ff00:77 target=2001:db8:9::77",
		"ndp"},
	    {"ns 2001:db8:9::50 > ff02::1:ff00:10 target=2001:db8:9::10 "
	     "ttl=254",
		"ndp_invalid"},
	    {"ns 2001:db8:9::50 > ff02::1:ff00:10 target=2001:db8:9::10 "
	     "code=1",
		"ndp_invalid"},
	    {"ns 2001:db8:9::50 > ff02::1:ff00:10 target=2001:db8:9::10 "
	     "badsum=1",
		"ndp_invalid"},
	    {"ns 2001:db8:9::50 > ff02::1:ff00:10 target=ff02::1",
		"ndp_invalid"},
	    {"ns 2001:db8:9::50 > ff02::1:ff00:10 target=::ffff:10.9.0.100",
		"ndp_invalid"},
	    {"ns 2001:db8:9::50 > ff02::1:ff00:10 target=2001:db8:9::10 "
	     "total=23",
		"ndp_invalid"},
	};
	const struct plane_row rows[] = {
	    {PLANE_IN, 0, all[_i].text},
	    {PLANE_REASON, 0, all[_i].reason},
	};

	PLANE_ROWS(rows);
}
END_TEST

START_TEST(packets_wait_while_a_next_hop_is_asked_for)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "S seq=1"},
	    {PLANE_OUT, 1,
		ASK_B "smac=02:00:00:00:00:01 dmac=ff:ff:ff:ff:ff:ff "
		      "frame=60"},
	    {PLANE_REASON, 0, "neighbor_pending"},
	    {PLANE_IN, 0, C4 "S seq=2"},
	    {PLANE_IN, 0, C4 "S seq=3"},
	    {PLANE_IN, 0, C4 "S seq=4"},
	    /* One more than may wait: the oldest goes. */
	    {PLANE_IN, 0, C4 "S seq=5"},
	    {PLANE_IN, 1, "arp-reply 10.8.0.20 > 10.8.0.10"},
	    {PLANE_OUT, 1,
		"tcp * > 10.8.0.20:9092 S seq=2 dmac=02:10:00:00:00:14 "
		"smac=02:00:00:00:00:01"},
	    {PLANE_OUT, 1, "tcp * > 10.8.0.20:9092 S seq=3"},
	    {PLANE_OUT, 1, "tcp * > 10.8.0.20:9092 S seq=4"},
	    {PLANE_OUT, 1, "tcp * > 10.8.0.20:9092 S seq=5"},
	    {PLANE_IN, 0, C4 "S seq=6"},
	    {PLANE_OUT, 1, "tcp * > 10.8.0.20:9092 S seq=6"},
	};

	PLANE_ROWS(rows);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->dropped_held), 1);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->sent_released), 4);
}
END_TEST

START_TEST(ipv6_asks_the_group_of_the_next_hop)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0,
		"tcp [2001:db8:9::50]:1 > [2001:db8:9::100]:9101 S seq=1"},
	    {PLANE_OUT, 1,
		"ns 2001:db8:8::10 > ff02::1:ff00:21 target=2001:db8:8::21 "
		"mac=02:00:00:00:00:01 ttl=255 dmac=33:33:ff:00:00:21"},
	    {PLANE_IN, 1,
		"na 2001:db8:8::21 > 2001:db8:8::10 target=2001:db8:8::21 "
		"nf=SO"},
	    {PLANE_OUT, 1,
		"tcp * > [2001:db8:8::21]:9092 S seq=1 "
		"dmac=02:10:00:00:00:21"},
	    /* After half a minute: a probe, and packets go on. */
	    {PLANE_WAIT_MS, 0, "20000"},
	    {PLANE_IN, 0,
		"tcp [2001:db8:9::50]:1 > [2001:db8:9::100]:9101 S seq=1"},
	    {PLANE_OUT, 1, "tcp * > [2001:db8:8::21]:9092 S seq=1"},
	    {PLANE_WAIT_MS, 0, "10001"},
	    {PLANE_IN, 0,
		"tcp [2001:db8:9::50]:2 > [2001:db8:9::100]:9101 S seq=1"},
	    {PLANE_OUT, 1,
		"ns 2001:db8:8::10 > 2001:db8:8::21 target=2001:db8:8::21 "
		"dmac=02:10:00:00:00:21"},
	    {PLANE_OUT, 1, "tcp * > [2001:db8:8::21]:9092 S seq=1"},
	    /* Linux answers a probe without saying where it is. */
	    {PLANE_IN, 1,
		"na 2001:db8:8::21 > 2001:db8:8::10 target=2001:db8:8::21 "
		"nf=S mac=none"},
	    {PLANE_WAIT_MS, 0, "10000"},
	};

	PLANE_ROWS(rows);
}
END_TEST

START_TEST(an_answer_without_a_mac_finds_nobody)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0,
		"tcp [2001:db8:9::50]:1 > [2001:db8:9::100]:9101 S seq=1"},
	    {PLANE_OUT, 1, "ns * > ff02::1:ff00:21"},
	    {PLANE_IN, 1,
		"na 2001:db8:8::21 > 2001:db8:8::10 target=2001:db8:8::21 "
		"nf=S mac=none"},
	};

	PLANE_ROWS(rows);
}
END_TEST

START_TEST(a_broker_beyond_the_gateway_is_reached_by_it)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, "tcp 10.9.0.50:1 > 10.9.0.100:9101 S seq=1"},
	    {PLANE_OUT, 1, "arp-request 10.8.0.10 > 10.8.0.1"},
	    {PLANE_IN, 1, "arp-reply 10.8.0.1 > 10.8.0.10"},
	    {PLANE_OUT, 1,
		"tcp * > 10.7.0.21:9092 S seq=1 dmac=02:10:00:00:00:01"},
	};

	PLANE_ROWS(rows);
}
END_TEST

/* What a client hears at once when its broker cannot be reached. */
#define REFUSED "tcp 10.9.0.100:9100 > 10.9.0.50:40000 RA seq=0 ack=2"

START_TEST(a_silent_next_hop_fails_for_a_while_and_is_tried_again)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "S seq=1"},
	    {PLANE_OUT, 1, ASK_B},
	    {PLANE_WAIT_MS, 0, "900"},
	    {PLANE_WAIT_MS, 0, "200"},
	    {PLANE_OUT, 1, ASK_B},
	    {PLANE_WAIT_MS, 0, "1100"},
	    {PLANE_OUT, 1, ASK_B},
	    {PLANE_WAIT_MS, 0, "1100"},
	    /* Three are enough. */
	    {PLANE_IN, 0, C4 "S seq=1"},
	    {PLANE_OUT, 0, REFUSED},
	    {PLANE_REASON, 0, "reset_unreachable"},
	    {PLANE_WAIT_MS, 0, "2900"},
	    {PLANE_IN, 0, C4 "S seq=1"},
	    {PLANE_OUT, 0, REFUSED},
	    {PLANE_REASON, 0, "reset_unreachable"},
	    {PLANE_WAIT_MS, 0, "200"},
	    {PLANE_IN, 0, C4 "S seq=1"},
	    {PLANE_OUT, 1, ASK_B},
	    {PLANE_IN, 1, "arp-reply 10.8.0.20 > 10.8.0.10"},
	    {PLANE_OUT, 1, "tcp * > 10.8.0.20:9092 S seq=1"},
	};

	PLANE_ROWS(rows);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->dropped_held), 1);
	/* Of those that were refused nothing has stayed. */
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->connections), 1);
}
END_TEST

START_TEST(a_next_hop_that_stops_answering_is_probed_then_asked_for)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 1, "arp-request 10.8.0.20 > 10.8.0.10"},
	    {PLANE_OUT, 1, "arp-reply 10.8.0.10 > 10.8.0.20"},
	    {PLANE_IN, 0, C4 "S seq=1"},
	    {PLANE_OUT, 1, "tcp * > 10.8.0.20:9092 S seq=1"},
	    {PLANE_WAIT_MS, 0, "29000"},
	    {PLANE_IN, 0, C4 "S seq=1"},
	    {PLANE_OUT, 1, "tcp * > 10.8.0.20:9092 S seq=1"},
	    {PLANE_WAIT_MS, 0, "1100"},
	    {PLANE_IN, 0, C4 "S seq=1"},
	    {PLANE_OUT, 1, ASK_B "dmac=02:10:00:00:00:14"},
	    {PLANE_OUT, 1, "tcp * > 10.8.0.20:9092 S seq=1"},
	    {PLANE_WAIT_MS, 0, "1100"},
	    {PLANE_OUT, 1, ASK_B "dmac=02:10:00:00:00:14"},
	    {PLANE_IN, 0, C4 "S seq=1"},
	    {PLANE_OUT, 1, "tcp * > 10.8.0.20:9092 S seq=1"},
	    {PLANE_WAIT_MS, 0, "1100"},
	    {PLANE_OUT, 1, ASK_B "dmac=02:10:00:00:00:14"},
	    {PLANE_WAIT_MS, 0, "1100"},
	    {PLANE_OUT, 1, ASK_B "dmac=ff:ff:ff:ff:ff:ff"},
	    /* Now packets wait; it has moved. */
	    {PLANE_IN, 0, C4 "S seq=1"},
	    {PLANE_IN, 1, "arp-reply 10.8.0.20 > 10.8.0.10 mac=2:7:7:7:7:7"},
	    {PLANE_OUT, 1,
		"tcp * > 10.8.0.20:9092 S seq=1 dmac=02:07:07:07:07:07"},
	};

	PLANE_ROWS(rows);
}
END_TEST

START_TEST(a_next_hop_that_moves_tells_us_itself)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 1, "arp-request 10.8.0.20 > 10.8.0.10"},
	    {PLANE_OUT, 1, "arp-reply 10.8.0.10 > 10.8.0.20"},
	    {PLANE_IN, 1,
		"arp-request 10.8.0.20 > 10.8.0.20 mac=2:7:7:7:7:7 "
		"dmac=ff:ff:ff:ff:ff:ff"},
	    {PLANE_IN, 0, C4 "S seq=1"},
	    {PLANE_OUT, 1,
		"tcp * > 10.8.0.20:9092 S seq=1 dmac=02:07:07:07:07:07"},
	};

	PLANE_ROWS(rows);
}
END_TEST

START_TEST(nobody_is_learnt_who_is_not_on_the_link_or_did_not_ask_us)
{
	static const struct plane_row rows[] = {
	    /* Not of that link. */
	    {PLANE_IN, 0, "arp-request 10.8.0.20 > 10.9.0.10"},
	    {PLANE_OUT, 0, "arp-reply 10.9.0.10 > 10.8.0.20"},
	    /* Said to others. */
	    {PLANE_IN, 1, "arp-request 10.8.0.20 > 10.8.0.99"},
	    {PLANE_IN, 1, "arp-reply 10.8.0.20 > 10.8.0.10"},
	    {PLANE_IN, 0, C4 "S seq=1"},
	    {PLANE_OUT, 1, ASK_B},
	};

	PLANE_ROWS(rows);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->neighbors), 1);
}
END_TEST

START_TEST(a_full_table_recycles_what_was_not_used_lately)
{
	char text[100];
	unsigned refused = 0;

	for (unsigned i = 0; i < LP_NEIGHBORS_MAX + 50; i++) {
		/* 2001:db8:9::1:0 and on; each asks for us. */
		snprintf(text, sizeof(text),
		    "ns 2001:db8:9::1:%x > ff02::1:ff00:10 "
		    "target=2001:db8:9::10",
		    i + 1);
		plane_in(0, text);
		plane_forget();
	}
	ck_assert_uint_eq(
	    lp_count_get(&plane.region.stats->neighbors), LP_NEIGHBORS_MAX);
	plane_in(0, C4 "S seq=1");
	refused = (unsigned)plane_reason(LP_REASON_NEIGHBOR_FULL);
	ck_assert_uint_eq(refused, 1);
	plane_quiet();
	plane_wait_ms(1100);
	plane_in(0, C4 "S seq=1");
	plane_expect(1, ASK_B);
	ck_assert_uint_eq(
	    lp_count_get(&plane.region.stats->neighbors), LP_NEIGHBORS_MAX);
}
END_TEST

/* Frames taken from all ports that announce; each noted in seen. */
static unsigned
announced(const char *const addresses[], unsigned count, unsigned *seen)
{
	char text[100];
	unsigned all = 0;

	for (uint8_t slot = 0; slot < 2; slot++)
		while (plane_take(slot)) {
			all++;
			for (unsigned i = 0; i < count; i++) {
				bool v6 = strchr(addresses[i], ':') != NULL;

				snprintf(text, sizeof(text),
				    v6 ? "na %s > ff02::1 nf=O ttl=255 "
					 "dmac=33:33:00:00:00:01"
				       : "arp-request %s > %s "
					 "dmac=ff:ff:ff:ff:ff:ff",
				    addresses[i], addresses[i]);
				if (packet_matches(plane.text, text))
					*seen |= 1u << i;
			}
		}
	return all;
}

START_TEST(our_addresses_are_announced_twice_at_start)
{
	static const char *const ours[] = {"10.9.0.10", "10.8.0.10",
	    "10.8.0.11", "2001:db8:9::10", "2001:db8:8::10", "10.9.0.100",
	    "10.9.0.101", "2001:db8:9::100", "2001:db8:9::101"};
	unsigned seen = 0;

	plane_restart();
	plane_run();
	ck_assert_uint_eq(announced(ours, 9, &seen), 9);
	ck_assert_uint_eq(seen, 0x1ff);
	plane_wait_ms(500);
	plane_quiet();
	plane_wait_ms(600);
	seen = 0;
	ck_assert_uint_eq(announced(ours, 9, &seen), 9);
	ck_assert_uint_eq(seen, 0x1ff);
	plane_wait_ms(10000);
	plane_quiet();
}
END_TEST

START_TEST(later_only_new_addresses_are_announced)
{
	static const char *const added[] = {"10.9.0.102"};
	unsigned seen = 0;

	put(&plane.config,
	    make_listener(60, PAYMENTS, "third", "10.9.0.102:9092"));
	put(&plane.config,
	    make_endpoint(61, 60, PAYMENTS_0, "10.9.0.102:9100"));
	put(&plane.config,
	    make_endpoint(62, 60, PAYMENTS_1, "10.9.0.102:9101"));
	plane_publish();
	plane_run();
	ck_assert_uint_eq(announced(added, 1, &seen), 1);
	ck_assert_uint_eq(seen, 1);
	plane_wait_ms(1100);
	ck_assert_uint_eq(announced(added, 1, &seen), 1);
	plane_publish();
	plane_run();
	plane_wait_ms(2000);
	plane_quiet();
}
END_TEST

START_TEST(a_port_that_comes_back_announces_again)
{
	static const char *const back[] = {
	    "10.8.0.10", "10.8.0.11", "2001:db8:8::10"};
	unsigned seen = 0;

	plane.ports.port[1] = NULL;
	plane_publish();
	plane_run();
	plane_quiet();
	plane.ports.port[1] = plane.wires[1];
	plane_publish();
	plane_run();
	ck_assert_uint_eq(announced(back, 3, &seen), 3);
	ck_assert_uint_eq(seen, 7);
}
END_TEST

START_TEST(a_port_that_became_another_announces_again)
{
	static const char *const back[] = {
	    "10.8.0.10", "10.8.0.11", "2001:db8:8::10"};
	unsigned seen = 0;

	/* A new MAC, or its link came up. */
	plane.wires[1]->incarnation++;
	plane_publish();
	plane_run();
	ck_assert_uint_eq(announced(back, 3, &seen), 3);
	ck_assert_uint_eq(seen, 7);
}
END_TEST

START_TEST(next_hops_of_a_port_that_goes_are_forgotten)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 1, "arp-request 10.8.0.20 > 10.8.0.10"},
	    {PLANE_OUT, 1, "arp-reply 10.8.0.10 > 10.8.0.20"},
	    {PLANE_IN, 0, C4 "S seq=1"},
	    {PLANE_OUT, 1, "tcp * > 10.8.0.20:9092 S seq=1"},
	    /* One waits, and must not be lost with its port. */
	    {PLANE_IN, 0, "tcp 10.9.0.50:1 > 10.9.0.100:9101 S seq=1"},
	    {PLANE_OUT, 1, "arp-request 10.8.0.10 > 10.8.0.1"},
	};
	static const struct plane_row refused[] = {
	    {PLANE_OUT, 0, REFUSED},
	};

	PLANE_ROWS(rows);
	plane.ports.port[1] = NULL;
	plane_publish();
	plane_in(0, C4 "S seq=1");
	PLANE_ROWS(refused);
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_UNREACHABLE), 1);
	ck_assert_uint_eq(plane_reason(LP_REASON_TX_MTU), 0);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->dropped_held), 1);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, questions_for_our_addresses_are_answered);
	tcase_add_loop_test(
	    tests, what_is_not_for_us_or_wrong_is_not_answered, 0, 15);
	tcase_add_test(tests, packets_wait_while_a_next_hop_is_asked_for);
	tcase_add_test(tests, ipv6_asks_the_group_of_the_next_hop);
	tcase_add_test(tests, an_answer_without_a_mac_finds_nobody);
	tcase_add_test(tests, a_broker_beyond_the_gateway_is_reached_by_it);
	tcase_add_test(
	    tests, a_silent_next_hop_fails_for_a_while_and_is_tried_again);
	tcase_add_test(
	    tests, a_next_hop_that_stops_answering_is_probed_then_asked_for);
	tcase_add_test(tests, a_next_hop_that_moves_tells_us_itself);
	tcase_add_test(
	    tests, nobody_is_learnt_who_is_not_on_the_link_or_did_not_ask_us);
	tcase_add_test(tests, a_full_table_recycles_what_was_not_used_lately);
	tcase_add_test(tests, our_addresses_are_announced_twice_at_start);
	tcase_add_test(tests, later_only_new_addresses_are_announced);
	tcase_add_test(tests, a_port_that_comes_back_announces_again);
	tcase_add_test(tests, a_port_that_became_another_announces_again);
	tcase_add_test(tests, next_hops_of_a_port_that_goes_are_forgotten);
}

int
main(void)
{
	return plane_main("neighbor", add);
}
