/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/reset.h"

#include <check.h>
#include <stdio.h>

#include "tests/proto/objects.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"

#define C4 "tcp 10.9.0.50:40000 > 10.9.0.100:9100 "
#define B4 "tcp 10.8.0.20:9092 > 10.8.0.10:$ "
#define TO_B4 "tcp 10.8.0.10:$ > 10.8.0.20:9092 "
#define TO_C4 "tcp 10.9.0.100:9100 > 10.9.0.50:40000 "
#define C6 "tcp [2001:db8:9::50]:1 > [2001:db8:9::100]:9101 "
#define TO_C6 "tcp [2001:db8:9::100]:9101 > [2001:db8:9::50]:1 "

static void
setup(void)
{
	plane_open(LP_CONNECTIONS_MIN);
	plane_run();
}

/* RFC 9293, 3.10.7.1; RST is never answered. */
START_TEST(a_segment_of_no_connection_is_answered_exactly)
{
	static const struct {
		const char *in, *out;
	} all[] = {
	    {C4 "A seq=100 ack=200 len=5", TO_C4 "R seq=200 ack=0 len=0"},
	    {C4 "PA seq=100 ack=200", TO_C4 "R seq=200 ack=0 win=0"},
	    {C4 "SA seq=100 ack=200", TO_C4 "R seq=200 ack=0"},
	    {C4 "FA seq=100 ack=200 len=5", TO_C4 "R seq=200 ack=0"},
	    {C4 "A seq=4294967295 ack=4294967295 len=5",
		TO_C4 "R seq=4294967295"},
	    {C4 "A seq=1 ack=2 mss=1460 ipopt=3 len=700 pad=3",
		TO_C4 "R seq=2 ttl=64 total=40 frame=54"},
	    {C4 "R seq=100", NULL},
	    {C4 "RA seq=100 ack=200", NULL},
	    {C6 "A seq=100 ack=200 len=5 ext=hop", TO_C6 "R seq=200 ack=0"},
	    {C6 "R seq=100", NULL},
	    /* Flooded by a switch: our own MAC answers. */
	    {C4 "A seq=100 ack=200 dmac=ff:ff:ff:ff:ff:ff",
		TO_C4 "R seq=200 smac=02:00:00:00:00:00 "
		      "dmac=02:10:00:00:00:32"},
	};

	plane_in(0, all[_i].in);
	if (all[_i].out) {
		plane_expect(0, all[_i].out);
		ck_assert_uint_eq(plane_reason(LP_REASON_RESET_UNKNOWN), 1);
	} else {
		ck_assert_uint_eq(plane_reason(LP_REASON_NO_CONNECTION), 1);
	}
	plane_quiet();
}
END_TEST

START_TEST(brokers_are_answered_too)
{
	plane_in(1, "tcp 10.8.0.20:9092 > 10.8.0.10:5000 A seq=9 ack=77");
	plane_expect(1, "tcp 10.8.0.10:5000 > 10.8.0.20:9092 R seq=77");
	plane_quiet();
}
END_TEST

static unsigned
flood(unsigned count)
{
	unsigned answered = 0;

	for (unsigned i = 0; i < count; i++) {
		plane_in(0, C4 "A seq=1 ack=2");
		while (plane_take(0))
			answered++;
	}
	return answered;
}

START_TEST(answers_have_a_rate_and_a_burst)
{
	ck_assert_uint_eq(flood(LP_RST_BURST + 200), LP_RST_BURST);
	ck_assert_uint_eq(plane_reason(LP_REASON_RST_LIMITED), 200);
	plane.now_ns += 10000000; /* 10 ms */
	ck_assert_uint_eq(flood(300), LP_RST_RATE / 100);
	/* Less than one's time adds up. */
	for (unsigned i = 0; i < 10; i++) {
		plane.now_ns += 60000;
		flood(1);
	}
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->sent_reset),
	    LP_RST_BURST + LP_RST_RATE / 100 + 6);
	plane.now_ns += 3600000000000ull;
	ck_assert_uint_eq(flood(LP_RST_BURST + 10), LP_RST_BURST);
}
END_TEST

static void
take_listener_away(void)
{
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_0);
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_1);
	lp_config_remove(&plane.config, LP_OBJECT_LISTENER, PAYMENTS_PUBLIC);
	plane_publish();
	plane_run();
}

/* Each end: at what it acknowledged, and at the highest sent to it. */
START_TEST(both_ends_are_reset_where_they_accept_it)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "S seq=1000"},
	    {PLANE_OUT, 1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S"},
	    {PLANE_IN, 1, B4 "SA seq=5000 ack=1001"},
	    {PLANE_OUT, 0, TO_C4 "SA"},
	    {PLANE_IN, 0, C4 "A seq=1001 ack=5001 len=100"},
	    {PLANE_OUT, 1, TO_B4 "A"},
	    {PLANE_IN, 1, B4 "A seq=5001 ack=1051 len=30"},
	    {PLANE_OUT, 0, TO_C4 "A"},
	};

	PLANE_ROWS(rows);
	take_listener_away();
	plane_expect(0, TO_C4 "R seq=5001 ack=0 win=0 ttl=64");
	plane_expect(0, TO_C4 "R seq=5031 ack=0");
	plane_expect(1, TO_B4 "R seq=1051 ack=0");
	plane_expect(1, TO_B4 "R seq=1101 ack=0");
	plane_quiet();
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->sent_reset), 4);
}
END_TEST

START_TEST(what_is_over_is_not_reset)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "S seq=1000"},
	    {PLANE_OUT, 1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S"},
	    {PLANE_IN, 1, B4 "RA seq=0 ack=1001"},
	    {PLANE_OUT, 0, TO_C4 "RA seq=0 ack=1001"},
	    {PLANE_STATE, 0, "CLOSED"},
	};

	PLANE_ROWS(rows);
	take_listener_away();
	plane_quiet();
	ck_assert_uint_eq(plane_connections(), 0);
}
END_TEST

START_TEST(a_reset_waits_for_its_next_hop)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "S seq=1000"},
	    {PLANE_OUT, 1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S"},
	};

	PLANE_ROWS(rows);
	/* A new process knows no next hops. */
	plane_restart();
	plane.helpful = false;
	take_listener_away();
	while (plane_take(0))
		ck_assert(packet_matches(plane.text, "arp-request") ||
		    strncmp(plane.text, "na", 2) == 0 ||
		    strncmp(plane.text, "arp", 3) == 0);
	plane_forget();
	plane_in(0, "arp-reply 10.9.0.50 > 10.9.0.10");
	plane_expect(0,
	    TO_C4 "RA ack=1001 dmac=02:10:00:00:00:32 "
		  "smac=02:00:00:00:00:00");
	plane_in(1, "arp-reply 10.8.0.20 > 10.8.0.10");
	plane_expect(1, TO_B4 "R seq=1001");
	plane_quiet();
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(
	    tests, a_segment_of_no_connection_is_answered_exactly, 0, 11);
	tcase_add_test(tests, brokers_are_answered_too);
	tcase_add_test(tests, answers_have_a_rate_and_a_burst);
	tcase_add_test(tests, both_ends_are_reset_where_they_accept_it);
	tcase_add_test(tests, what_is_over_is_not_reset);
	tcase_add_test(tests, a_reset_waits_for_its_next_hop);
}

int
main(void)
{
	return plane_main("reset", add);
}
