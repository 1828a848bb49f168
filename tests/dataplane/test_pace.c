/* SPDX-License-Identifier: Apache-2.0 */
/* Ends that are held by their window, and told when they may go on. */
#include <check.h>

#include "dataplane/kafka/kafka.h"
#include "dataplane/pipeline/conntrack.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/random.h"

#define C4 "tcp 10.9.0.50:40000 > 10.9.0.100:9100 "
#define B4 "tcp 10.8.0.20:9092 > 10.8.0.10:$ "
#define TO_B4 "tcp 10.8.0.10:$ > 10.8.0.20:9092 "
#define TO_C4 "tcp 10.9.0.100:9100 > 10.9.0.50:40000 "
#define C6 "tcp [2001:db8:9::50]:40000 > [2001:db8:9::100]:9101 "
#define B6 "tcp [2001:db8:8::21]:9092 > [2001:db8:8::10]:$ "
#define TO_B6 "tcp [2001:db8:8::10]:$ > [2001:db8:8::21]:9092 "
#define TO_C6 "tcp [2001:db8:9::100]:9101 > [2001:db8:9::50]:40000 "

enum { CONNECTIONS = LP_CONNECTIONS_MIN, MS = 1000000, ROUNDS = 20000 };

static void
setup(void)
{
	plane_open(CONNECTIONS);
	plane_run();
}

/* The client has 7, the broker 8: 128 and 256 bytes a step. */
static const struct plane_row opening[] = {
    {PLANE_IN, 0, C4 "S seq=1000 win=12800 mss=1460 ws=7"},
    {PLANE_OUT, 1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S seq=1000 ws=7"},
    {PLANE_IN, 1, B4 "SA seq=5000 ack=1001 win=10240 mss=1460 ws=8"},
    {PLANE_OUT, 0, TO_C4 "SA seq=5000 ack=1001 ws=8"},
    {PLANE_IN, 0, C4 "A seq=1001 ack=5001 win=100"},
    {PLANE_OUT, 1, TO_B4 "A seq=1001 ack=5001 win=100"},
    {PLANE_IN, 1, B4 "A seq=5001 ack=1001 win=40"},
    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=1001 win=40"},
};

static struct lp_pace *
pace(void)
{
	struct lp_kafka *kafka =
	    lp_pipeline_conntrack(plane.pipeline)->removing_arg;

	return &kafka->pace;
}

static void
until(enum lp_direction sender, uint64_t ms)
{
	lp_pace_until(pace(), 0, sender, plane.now_ns + ms * MS);
}

static uint64_t
held(void)
{
	return lp_count_get(&plane.region.stats->paced);
}

static uint64_t
told(void)
{
	return lp_count_get(&plane.region.stats->sent_windows);
}

START_TEST(a_client_that_is_held_is_told_of_no_more_and_then_of_all)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "PA seq=1001 ack=5001 len=1280"},
	    {PLANE_OUT, 1, TO_B4 "PA seq=1001 len=1280"},
	    /* 10240 bytes up to 11241; 1280 of them are used. */
	    {PLANE_IN, 1, B4 "A seq=5001 ack=2281 win=60"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=2281 win=35"},
	    {PLANE_IN, 1, B4 "PA seq=5001 ack=2281 win=70 len=10"},
	    {PLANE_OUT, 0, TO_C4 "PA seq=5001 ack=2281 win=35 len=10"},
	    /* What the broker itself takes back is its own affair. */
	    {PLANE_IN, 1, B4 "A seq=5011 ack=2281 win=3"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5011 ack=2281 win=3"},
	    /* The broker is not held. */
	    {PLANE_IN, 0, C4 "A seq=2281 ack=5011 win=300"},
	    {PLANE_OUT, 1, TO_B4 "A seq=2281 ack=5011 win=300"},
	};
	static const struct plane_row over[] = {
	    {PLANE_WAIT_MS, 0, "2"},
	    {PLANE_OUT, 0,
		TO_C4 "A seq=5011 ack=2281 win=70 smac=02:00:00:00:00:00 "
		      "dmac=02:10:00:00:00:32"},
	    {PLANE_IN, 1, B4 "A seq=5011 ack=2281 win=90"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5011 ack=2281 win=90"},
	};

	PLANE_ROWS(opening);
	until(LP_TO_BROKER, 20);
	PLANE_ROWS(rows);
	plane_wait_ms(19);
	plane_quiet();
	PLANE_ROWS(over);
	plane_wait_ms(3000);
	plane_quiet();
	ck_assert_uint_eq(held(), 1);
	ck_assert_uint_eq(told(), 1);
	ck_assert_uint_eq(plane_connection(0)->paced, 0);
}
END_TEST

START_TEST(a_broker_that_is_held_is_told_likewise_in_ipv6)
{
	static const struct plane_row begin[] = {
	    {PLANE_IN, 0, C6 "S seq=1000 win=3000 mss=1440"},
	    {PLANE_OUT, 1, "tcp [2001:db8:8::10]:$* > [2001:db8:8::21]:9092 S"},
	    {PLANE_IN, 1, B6 "SA seq=5000 ack=1001 win=3000 mss=1440 ws=3"},
	    {PLANE_OUT, 0, TO_C6 "SA seq=5000 ack=1001"},
	    /* Only one of both has a scale, so none has. */
	    {PLANE_IN, 0, C6 "A seq=1001 ack=5001 win=3000"},
	    {PLANE_OUT, 1, TO_B6 "A seq=1001 ack=5001 win=3000"},
	};
	static const struct plane_row rows[] = {
	    {PLANE_IN, 1, B6 "A seq=5001 ack=1001 len=1000"},
	    {PLANE_OUT, 0, TO_C6 "A seq=5001 ack=1001 len=1000"},
	    {PLANE_IN, 0, C6 "A seq=1001 ack=6001 win=3000"},
	    {PLANE_OUT, 1, TO_B6 "A seq=1001 ack=6001 win=2000"},
	    {PLANE_IN, 1, B6 "A seq=6001 ack=1001 len=1000"},
	    {PLANE_OUT, 0, TO_C6 "A seq=6001 ack=1001 len=1000"},
	    {PLANE_IN, 1, B6 "A seq=7001 ack=1001 len=1000"},
	    {PLANE_OUT, 0, TO_C6 "A seq=7001 ack=1001 len=1000"},
	    {PLANE_IN, 0, C6 "A seq=1001 ack=8001 win=3000"},
	    {PLANE_OUT, 1, TO_B6 "A seq=1001 ack=8001 win=0"},
	    {PLANE_WAIT_MS, 0, "9"},
	    /* It asks, and the answer is still the same. */
	    {PLANE_IN, 1, B6 "A seq=8001 ack=1001 len=1"},
	    {PLANE_OUT, 0, TO_C6 "A seq=8001 ack=1001 len=1"},
	    {PLANE_IN, 0, C6 "A seq=1001 ack=8002 win=2999"},
	    {PLANE_OUT, 1, TO_B6 "A seq=1001 ack=8002 win=0"},
	    {PLANE_WAIT_MS, 0, "2"},
	    {PLANE_OUT, 1, TO_B6 "A seq=1001 ack=8002 win=2999"},
	};

	PLANE_ROWS(begin);
	until(LP_TO_CLIENT, 10);
	PLANE_ROWS(rows);
}
END_TEST

START_TEST(a_later_time_extends_and_an_earlier_one_does_nothing)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "PA seq=1001 ack=5001 len=1280"},
	    {PLANE_OUT, 1, TO_B4 "PA seq=1001 len=1280"},
	    {PLANE_IN, 1, B4 "A seq=5001 ack=2281 win=40"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=2281 win=35"},
	};

	PLANE_ROWS(opening);
	until(LP_TO_BROKER, 20);
	until(LP_TO_BROKER, 10);
	PLANE_ROWS(rows);
	plane_wait_ms(12);
	plane_quiet();
	until(LP_TO_BROKER, 3000);
	plane_wait_ms(2990);
	plane_quiet();
	/* Longer than a wheel has places. */
	until(LP_TO_BROKER, 20000);
	plane_wait_ms(9000);
	plane_wait_ms(9000);
	plane_quiet();
	plane_wait_ms(2002);
	plane_expect(0, TO_C4 "A seq=5001 ack=2281 win=40");
	ck_assert_uint_eq(held(), 1);
}
END_TEST

START_TEST(who_is_released_is_told_at_once)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "PA seq=1001 ack=5001 len=1280"},
	    {PLANE_OUT, 1, TO_B4 "PA seq=1001 len=1280"},
	    {PLANE_IN, 1, B4 "A seq=5001 ack=2281 win=40"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=2281 win=35"},
	};

	PLANE_ROWS(opening);
	/* Nothing to release. */
	lp_pace_release(pace(), 0, LP_TO_BROKER);
	lp_pace_bound(pace(), 0, LP_TO_CLIENT, 0);
	plane_run();
	plane_quiet();
	lp_pace_bound(pace(), 0, LP_TO_BROKER, 512);
	until(LP_TO_BROKER, 2000);
	PLANE_ROWS(rows);
	lp_pace_release(pace(), 0, LP_TO_BROKER);
	plane_wait_ms(1);
	plane_expect(0, TO_C4 "A seq=5001 ack=2281 win=40");
	plane_run();
	plane_quiet();
	ck_assert_uint_eq(plane_connection(0)->paced, 0);
}
END_TEST

START_TEST(who_is_bound_has_no_more_at_a_time)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "PA seq=1001 ack=5001 len=1280"},
	    {PLANE_OUT, 1, TO_B4 "PA seq=1001 len=1280"},
	    /* What it has been told of it keeps. */
	    {PLANE_IN, 1, B4 "A seq=5001 ack=2281 win=200"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=2281 win=35"},
	    {PLANE_IN, 0, C4 "PA seq=2281 ack=5001 len=1280"},
	    {PLANE_OUT, 1, TO_B4 "PA seq=2281 len=1280"},
	    {PLANE_IN, 0, C4 "PA seq=3561 ack=5001 len=1280"},
	    {PLANE_OUT, 1, TO_B4 "PA seq=3561 len=1280"},
	    {PLANE_IN, 0, C4 "PA seq=4841 ack=5001 len=1280"},
	    {PLANE_OUT, 1, TO_B4 "PA seq=4841 len=1280"},
	    {PLANE_IN, 0, C4 "PA seq=6121 ack=5001 len=1280"},
	    {PLANE_OUT, 1, TO_B4 "PA seq=6121 len=1280"},
	    {PLANE_IN, 0, C4 "PA seq=7401 ack=5001 len=1280"},
	    {PLANE_OUT, 1, TO_B4 "PA seq=7401 len=1280"},
	    {PLANE_IN, 1, B4 "A seq=5001 ack=7401 win=200"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=7401 win=16"},
	    {PLANE_IN, 1, B4 "A seq=5001 ack=8681 win=200"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=8681 win=16"},
	};

	PLANE_ROWS(opening);
	lp_pace_bound(pace(), 0, LP_TO_BROKER, 4096);
	PLANE_ROWS(rows);
	/* Held with all of its bound, it need not be told that it goes on. */
	until(LP_TO_BROKER, 10);
	plane_wait_ms(20);
	plane_quiet();
	ck_assert_uint_eq(told(), 0);
	ck_assert(!lp_pace_is_held(pace(), 0, LP_TO_BROKER, plane.now_ns));
	/* With nothing of it, it must. */
	until(LP_TO_BROKER, 10);
	plane_in(0, C4 "PA seq=8681 ack=5001 len=1400");
	plane_expect(1, TO_B4 "PA seq=8681 len=1400");
	plane_in(0, C4 "PA seq=10081 ack=5001 len=1400");
	plane_expect(1, TO_B4 "PA seq=10081 len=1400");
	plane_in(0, C4 "PA seq=11481 ack=5001 len=1296");
	plane_expect(1, TO_B4 "PA seq=11481 len=1296");
	plane_in(1, B4 "A seq=5001 ack=12777 win=200");
	plane_expect(0, TO_C4 "A seq=5001 ack=12777 win=0");
	plane_wait_ms(12);
	plane_expect(0, TO_C4 "A seq=5001 ack=12777 win=16");
	/* Without a bound it has all, and is not looked at any more. */
	lp_pace_bound(pace(), 0, LP_TO_BROKER, 0);
	plane_wait_ms(1);
	plane_expect(0, TO_C4 "A seq=5001 ack=12777 win=200");
	plane_run();
	ck_assert_uint_eq(plane_connection(0)->paced, 0);
}
END_TEST

/* 8 bytes: its own, then the echo. */
#define STAMPS(own, echo) " opts=0101080a" own echo

START_TEST(an_update_has_the_newest_timestamps_of_whom_it_speaks_for)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0,
		C4
		"PA seq=1001 ack=5001 len=256" STAMPS("00000020", "00000010")},
	    {PLANE_OUT, 1, TO_B4 "PA seq=1001 len=256"},
	    {PLANE_IN, 1,
		B4 "A seq=5001 ack=1257 win=60" STAMPS("00000012", "00000020")},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=1257 win=39"},
	    /* An older one, by another way. */
	    {PLANE_IN, 1,
		B4 "A seq=5001 ack=1257 win=60" STAMPS("00000011", "0000001f")},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=1257 win=39"},
	    {PLANE_IN, 0,
		C4
		"PA seq=1257 ack=5001 len=256" STAMPS("00000022", "00000012")},
	    {PLANE_OUT, 1, TO_B4 "PA seq=1257 len=256"},
	};

	static const uint8_t newest[] = {
	    1, 1, 8, 10, 0, 0, 0, 0x12, 0, 0, 0, 0x20};

	PLANE_ROWS(opening);
	until(LP_TO_BROKER, 10);
	PLANE_ROWS(rows);
	plane_wait_ms(11);
	plane_expect(0, TO_C4 "A seq=5001 ack=1257 win=60");
	ck_assert_uint_eq(plane.frame.len, 14 + 20 + 20 + sizeof(newest));
	ck_assert_mem_eq(
	    plane.frame.bytes + 14 + 20 + 20, newest, sizeof(newest));
}
END_TEST

START_TEST(both_ends_may_be_held_at_once)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "PA seq=1001 ack=5001 win=100 len=256"},
	    {PLANE_OUT, 1, TO_B4 "PA seq=1001 win=100 len=256"},
	    {PLANE_IN, 1, B4 "PA seq=5001 ack=1257 win=40 len=128"},
	    {PLANE_OUT, 0, TO_C4 "PA seq=5001 ack=1257 win=39 len=128"},
	    {PLANE_IN, 0, C4 "A seq=1257 ack=5129 win=100"},
	    {PLANE_OUT, 1, TO_B4 "A seq=1257 ack=5129 win=99"},
	    {PLANE_WAIT_MS, 0, "6"},
	    {PLANE_OUT, 1, TO_B4 "A seq=1257 ack=5129 win=100"},
	    {PLANE_WAIT_MS, 0, "5"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5129 ack=1257 win=40"},
	};

	PLANE_ROWS(opening);
	until(LP_TO_BROKER, 10);
	until(LP_TO_CLIENT, 5);
	PLANE_ROWS(rows);
	plane_run();
	ck_assert_uint_eq(plane_connection(0)->paced, 0);
}
END_TEST

START_TEST(one_that_an_update_does_not_reach_asks_and_has_all)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "PA seq=1001 ack=5001 len=1400"},
	    {PLANE_OUT, 1, TO_B4 "PA seq=1001 len=1400"},
	    {PLANE_IN, 1, B4 "A seq=5001 ack=2401 win=200"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=2401 win=35"},
	    {PLANE_WAIT_MS, 0, "11"},
	    /* This one is lost.  It may ask in either way. */
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=2401 win=200"},
	    {PLANE_IN, 0, C4 "A seq=2400 ack=5001"},
	    {PLANE_OUT, 1, TO_B4 "A seq=2400 ack=5001"},
	    {PLANE_IN, 1, B4 "A seq=5001 ack=2401 win=200"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=2401 win=200"},
	};

	PLANE_ROWS(opening);
	until(LP_TO_BROKER, 10);
	PLANE_ROWS(rows);
	plane_wait_ms(5000);
	plane_quiet();
}
END_TEST

/* Of a window that is shut the other end has given nothing, either. */
START_TEST(who_has_been_given_nothing_is_told_of_nothing)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C6 "S seq=1000 win=3000 mss=1440"},
	    {PLANE_OUT, 1, "tcp [2001:db8:8::10]:$* > [2001:db8:8::21]:9092 S"},
	    {PLANE_IN, 1, B6 "SA seq=5000 ack=1001 win=10 mss=1440"},
	    {PLANE_OUT, 0, TO_C6 "SA seq=5000 ack=1001"},
	    {PLANE_IN, 0, C6 "PA seq=1001 ack=5001 win=3000 len=10"},
	    {PLANE_OUT, 1, TO_B6 "PA seq=1001 ack=5001 win=3000 len=10"},
	    {PLANE_IN, 1, B6 "A seq=5001 ack=1011 win=0"},
	    {PLANE_OUT, 0, TO_C6 "A seq=5001 ack=1011 win=0"},
	};

	PLANE_ROWS(rows);
	until(LP_TO_BROKER, 10);
	plane_in(1, B6 "A seq=5001 ack=1011 win=0");
	plane_expect(0, TO_C6 "A seq=5001 ack=1011 win=0");
	plane_wait_ms(20);
	plane_quiet();
	ck_assert_uint_eq(told(), 0);
}
END_TEST

/* 5 MB at once would fill a ring. */
START_TEST(a_large_window_opens_in_parts)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "PA seq=1001 ack=5001 len=1280"},
	    {PLANE_OUT, 1, TO_B4 "PA seq=1001 len=1280"},
	    {PLANE_IN, 1, B4 "A seq=5001 ack=2281 win=20000"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=2281 win=35"},
	};
	unsigned long had = 35, has;
	unsigned parts = 0;

	PLANE_ROWS(opening);
	until(LP_TO_BROKER, 10);
	PLANE_ROWS(rows);
	plane_wait_ms(9);
	while (had < 20000) {
		plane_wait_ms(1);
		/* What passes in between opens it no further. */
		plane_in(1, B4 "A seq=5001 ack=2281 win=20000");
		for (unsigned i = 0; plane_take(0); i++) {
			has = packet_number(plane.text, "win", 0);
			ck_assert_uint_ge(has, had);
			ck_assert_uint_le(has, had + (i == 0 ? 1250 : 0));
			parts += has > had;
			had = has;
		}
		ck_assert_uint_lt(parts, 20);
	}
	ck_assert_uint_eq(had, 20000);
	ck_assert_uint_eq(parts, 16);
	plane_wait_ms(2);
	plane_quiet();
	ck_assert_uint_eq(plane_connection(0)->paced, 0);
	ck_assert_uint_eq(held(), 1);
}
END_TEST

START_TEST(a_successor_tells_whom_its_predecessor_held)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "PA seq=1001 ack=5001 len=1280"},
	    {PLANE_OUT, 1, TO_B4 "PA seq=1001 len=1280"},
	    {PLANE_IN, 1, B4 "A seq=5001 ack=2281 win=60"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=2281 win=35"},
	};

	PLANE_ROWS(opening);
	until(LP_TO_BROKER, 20);
	PLANE_ROWS(rows);
	plane_restart();
	plane_wait_ms(15);
	plane_quiet();
	plane_in(1, B4 "A seq=5001 ack=2281 win=61");
	plane_expect(0, TO_C4 "A seq=5001 ack=2281 win=35");
	plane_wait_ms(7);
	plane_expect(0, TO_C4 "A seq=5001 ack=2281 win=61");
	ck_assert_uint_eq(told(), 1);
}
END_TEST

START_TEST(whose_connection_ends_is_not_told)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "FA seq=1001 ack=5001"},
	    {PLANE_OUT, 1, TO_B4 "FA seq=1001"},
	    {PLANE_IN, 1, B4 "A seq=5001 ack=1002 win=60"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=1002 win=40"},
	    {PLANE_WAIT_MS, 0, "30"},
	    {PLANE_IN, 1, B4 "R seq=5001"},
	    {PLANE_OUT, 0, TO_C4 "R seq=5001"},
	};

	/* Nor is one held before there is a connection. */
	plane_in(0, opening[0].text);
	plane_expect(1, opening[1].text);
	until(LP_TO_BROKER, 10);
	ck_assert_uint_eq(plane_connection(0)->paced, 0);
	plane_in(1, opening[2].text);
	plane_expect(0, opening[3].text);
	plane_in(0, opening[4].text);
	plane_expect(1, opening[5].text);
	until(LP_TO_BROKER, 20);
	until(LP_TO_CLIENT, 50);
	PLANE_ROWS(rows);
	plane_wait_ms(1000);
	plane_wait_ms(3000);
	plane_wait_ms(30000);
	plane_quiet();
	ck_assert_uint_eq(told(), 0);
	ck_assert_uint_eq(plane_connections(), 0);
}
END_TEST

/* Of one field, with any scale: what the head of pace.c promises. */
static void
check_field(uint64_t *random, struct lp_conn *conn)
{
	struct lp_pace_side *side = lp_pace_side(pace(), 0, LP_TO_BROKER);
	uint8_t scale = (uint8_t)random_between(random, 0, 14);
	uint32_t step = 1u << scale;
	uint32_t ack = random_percent(random, 50)
	    ? 0u - random_between(random, 0, 70000)
	    : (uint32_t)random_next(random);
	uint16_t field = (uint16_t)random_between(random, 0, UINT16_MAX);
	uint32_t had = random_between(
	    random, 0, random_percent(random, 50) ? 3 * step : 70000 * step);
	bool holding = random_percent(random, 50);
	uint32_t bound =
	    random_percent(random, 70) ? random_between(random, 1, 100000) : 0;
	uint32_t edge = ack + had, most;
	uint16_t got;
	uint32_t there;

	if (random_percent(random, 10))
		edge = ack - random_between(random, 1, 1000);
	conn->tcp.peer[LP_TO_CLIENT].scale = scale;
	side->edge = edge;
	side->until_ns = holding ? plane.now_ns + 1 : 0;
	side->window = bound;
	got = lp_pace_field_paced(pace(), 0, LP_TO_BROKER, ack, field);
	there = ack + ((uint32_t)got << scale);
	/* Never more than the other end has given. */
	ck_assert_uint_le(got, field);
	/* Not back, unless the other end is. */
	if (got < field)
		ck_assert_int_ge((int32_t)(there - edge),
		    scale <= 10 ? 0 : -(int32_t)step + 1);
	/* By what was rounded up it does not move. */
	if (scale <= 10 && (int32_t)(there - edge) < (int32_t)step)
		there = edge;
	ck_assert_uint_eq(side->edge, lp_seq_max(edge, there));
	there = ack + ((uint32_t)got << scale);
	if (!holding && bound == 0)
		ck_assert_uint_eq(got, field);
	if (!holding && bound == 0)
		return;
	if (bound < step)
		bound = step;
	most = holding || (int32_t)(edge - ack) > (int32_t)bound ? edge
								 : ack + bound;
	if (got > 0)
		ck_assert_int_lt(
		    (int32_t)(there - most), scale <= 10 ? (int32_t)step : 1);
	/* And no less than it may be. */
	if (!holding && got < field)
		ck_assert_uint_gt(((uint32_t)got << scale) + step, bound);
}

START_TEST(an_edge_moves_as_far_as_it_may_and_never_back)
{
	uint64_t random = 1;
	struct lp_conn *conn;

	PLANE_ROWS(opening);
	conn = plane_connection(0);
	until(LP_TO_BROKER, 1);
	for (unsigned i = 0; i < ROUNDS; i++)
		check_field(&random, conn);
	conn->paced = 0;
}
END_TEST

START_TEST(a_worker_sleeps_no_longer_than_until_one_may_go_on)
{
	PLANE_ROWS(opening);
	until(LP_TO_BROKER, 5);
	plane_in(0, C4 "PA seq=1001 ack=5001 len=1280");
	plane_expect(1, TO_B4 "PA seq=1001 len=1280");
	plane_in(1, B4 "A seq=5001 ack=2281 win=40");
	plane_expect(0, TO_C4 "A seq=5001 ack=2281 win=35");
	ck_assert_int_le(lp_pipeline_wait_ms(plane.pipeline, plane.now_ns), 6);
	plane.now_ns += 3 * MS;
	ck_assert_int_le(lp_pipeline_wait_ms(plane.pipeline, plane.now_ns), 3);
	plane.now_ns += 3 * MS;
	ck_assert_int_eq(lp_pipeline_wait_ms(plane.pipeline, plane.now_ns), 0);
	plane_run();
	plane_expect(0, TO_C4 "A seq=5001 ack=2281 win=40");
	ck_assert_int_gt(
	    lp_pipeline_wait_ms(plane.pipeline, plane.now_ns), 100);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_add_test(
	    tests, a_client_that_is_held_is_told_of_no_more_and_then_of_all);
	tcase_add_test(tests, a_broker_that_is_held_is_told_likewise_in_ipv6);
	tcase_add_test(
	    tests, a_later_time_extends_and_an_earlier_one_does_nothing);
	tcase_add_test(tests, who_is_released_is_told_at_once);
	tcase_add_test(tests, who_is_bound_has_no_more_at_a_time);
	tcase_add_test(
	    tests, an_update_has_the_newest_timestamps_of_whom_it_speaks_for);
	tcase_add_test(tests, both_ends_may_be_held_at_once);
	tcase_add_test(
	    tests, one_that_an_update_does_not_reach_asks_and_has_all);
	tcase_add_test(tests, who_has_been_given_nothing_is_told_of_nothing);
	tcase_add_test(tests, a_large_window_opens_in_parts);
	tcase_add_test(tests, a_successor_tells_whom_its_predecessor_held);
	tcase_add_test(tests, whose_connection_ends_is_not_told);
	tcase_add_test(tests, an_edge_moves_as_far_as_it_may_and_never_back);
	tcase_add_test(
	    tests, a_worker_sleeps_no_longer_than_until_one_may_go_on);
}

int
main(void)
{
	return plane_main("pace", add);
}
