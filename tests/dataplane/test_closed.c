/* SPDX-License-Identifier: Apache-2.0 */
/* A dataplane that has been alone for too long, as packets meet it. */
#include <check.h>

#include "tests/dataplane/bump.h"
#include "tests/proto/objects.h"
#include "tests/support/plane_main.h"

#define C5 "tcp 10.9.0.50:40000 > 10.9.0.100:9100 "
#define V5 "tcp 10.9.0.100:9100 > 10.9.0.50:40000 "
#define B5 "tcp 10.8.0.20:9092 > 10.8.0.10:$ "

/* The same generation again, closed or open. */
static void
publish(bool closed)
{
	plane_publish();
	atomic_load(&plane.cell.current)->closed = closed;
	plane_run();
}

static void
establish_at_vip(void)
{
	plane_in(FRONT_SLOT, C5 "S seq=1000");
	plane_expect(BACK_SLOT, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S seq=1000");
	plane_in(BACK_SLOT, B5 "SA seq=5000 ack=1001");
	plane_expect(FRONT_SLOT, V5 "SA seq=5000 ack=1001");
	plane_in(FRONT_SLOT, C5 "A seq=1001 ack=5001");
	plane_forget();
}

START_TEST(nobody_is_let_in)
{
	publish(true);
	plane_forget();
	plane_in(FRONT_SLOT, C5 "S seq=1000");
	plane_expect(FRONT_SLOT, V5 "RA ack=1001");
	plane_quiet();
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_ALONE), 1);
	ck_assert_uint_eq(plane_connections(), 0);
	/* Where nothing listens it is as ever. */
	plane_in(FRONT_SLOT, "tcp 10.9.0.50:1 > 10.9.0.100:1 S seq=1");
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_CLOSED_PORT), 1);
}
END_TEST

START_TEST(what_lived_is_reset_at_both_ends)
{
	establish_at_vip();
	publish(true);
	plane_expect(FRONT_SLOT, V5 "R seq=5001");
	plane_expect(BACK_SLOT, "tcp 10.8.0.10:$ > 10.8.0.20:9092 R seq=1001");
	ck_assert_uint_eq(plane_connections(), 0);
	plane_forget();
	plane_in(FRONT_SLOT, C5 "PA seq=1001 ack=5001 len=10");
	plane_expect(FRONT_SLOT, V5 "R seq=5001");
	plane_quiet();
}
END_TEST

START_TEST(it_opens_again)
{
	publish(true);
	publish(false);
	plane_forget();
	establish_at_vip();
	ck_assert_uint_eq(plane_connections(), 1);
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_ALONE), 0);
}
END_TEST

START_TEST(inline_a_named_brokers_connections_end)
{
	establish();
	publish(true);
	plane_forget();
	ck_assert_uint_eq(plane_connections(), 0);
	plane_in(LEFT_SLOT, C4 "PA seq=1001 ack=5001 len=10");
	plane_expect(LEFT_SLOT, B4 "R seq=5001");
	plane_expect(RIGHT_SLOT, C4 "RA seq=1001 ack=5001");
	plane_quiet();
	plane_in(RIGHT_SLOT, B4 "PA seq=5001 ack=1001 len=10");
	plane_expect(RIGHT_SLOT, C4 "R seq=1001");
	plane_expect(LEFT_SLOT, B4 "RA seq=5001 ack=1001");
	plane_quiet();
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_ALONE), 2);
}
END_TEST

START_TEST(inline_nobody_new_comes_through)
{
	publish(true);
	plane_forget();
	plane_in(LEFT_SLOT, C4 "S seq=1000");
	plane_expect(LEFT_SLOT, B4 "RA ack=1001");
	plane_expect(RIGHT_SLOT, C4 "R seq=1000");
	plane_quiet();
	plane_in(LEFT_SLOT, C6 "S seq=1000");
	plane_expect(LEFT_SLOT, B6 "RA ack=1001");
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_ALONE), 2);
	ck_assert_uint_eq(plane_connections(), 0);
}
END_TEST

/* That is the wire's, not Kafka's. */
START_TEST(inline_other_traffic_passes)
{
	publish(true);
	plane_forget();
	passes(LEFT_SLOT, "tcp 10.8.0.50:40000 > 10.8.0.20:22 S seq=1",
	    LP_REASON_WIRED);
	passes(LEFT_SLOT, "tcp 10.8.0.50:40000 > 10.8.0.99:9092 S seq=1",
	    LP_REASON_WIRED);
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_ALONE), 0);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, bump_open, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, nobody_is_let_in);
	tcase_add_test(tests, what_lived_is_reset_at_both_ends);
	tcase_add_test(tests, it_opens_again);
	tcase_add_test(tests, inline_a_named_brokers_connections_end);
	tcase_add_test(tests, inline_nobody_new_comes_through);
	tcase_add_test(tests, inline_other_traffic_passes);
}

int
main(void)
{
	return plane_main("closed", add);
}
