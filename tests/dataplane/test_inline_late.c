/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that have waited in inline ports while the worker hung. */
#include <check.h>

#include "dataplane/port/port_memory.h"
#include "tests/dataplane/bump.h"
#include "tests/support/plane_main.h"

enum { MANY = 5 * LP_BATCH_MAX / 2 };

#define DATA C4 "A seq=1001 ack=5001 len=10"

static void
setup(void)
{
	bump_open();
	bump_on_loss(LP_ON_LOSS_WIRE);
}

static void
hang(uint64_t ns)
{
	plane.now_ns += ns;
}

static void
wait_in(uint8_t slot, const char *text, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		plane_queue(slot, text);
}

static uint64_t
beat(uint8_t slot)
{
	return lp_port_memory_beat(plane.wires[slot]);
}

START_TEST(what_newer_frames_have_passed_is_dropped)
{
	struct lp_conn before;

	establish();
	before = *plane_connection(0);
	wait_in(LEFT_SLOT, DATA, 1);
	wait_in(LEFT_SLOT, "echo 10.8.0.50 > 10.8.0.10 id=1 len=56", 1);
	wait_in(LEFT_SLOT, C4 "S vlan=5", 1);
	wait_in(LEFT_SLOT, C4 "S badsum=1", 1);
	wait_in(RIGHT_SLOT, B4 "R seq=5001 ack=1001", 1);
	wait_in(RIGHT_SLOT, B6 "SA seq=1 ack=1001", 1);
	hang(LP_DEAD_NS + 1);
	plane_run();
	plane_quiet();
	ck_assert_uint_eq(plane_reason(LP_REASON_STALE), 6);
	ck_assert_mem_eq(&before, plane_connection(0), sizeof(before));
	ck_assert_uint_eq(plane_connections(), 1);
	/* And goes on as before. */
	passes(LEFT_SLOT, DATA, LP_REASON_FORWARDED);
	ck_assert_uint_eq(plane_reason(LP_REASON_STALE), 6);
}
END_TEST

/* As the steering program has it, to the nanosecond. */
START_TEST(what_none_has_passed_is_kept)
{
	establish();
	wait_in(LEFT_SLOT, DATA, 2);
	plane.now_ns = beat(LEFT_SLOT);
	hang(LP_DEAD_NS);
	plane_run();
	ck_assert_uint_eq(plane_reason(LP_REASON_STALE), 0);
	ck_assert(plane_take(RIGHT_SLOT) && plane_take(RIGHT_SLOT));
	plane_quiet();
}
END_TEST

START_TEST(we_do_not_say_that_we_live_before_all_is_dropped)
{
	uint64_t told;

	establish();
	told = beat(LEFT_SLOT);
	wait_in(LEFT_SLOT, DATA, MANY);
	hang(LP_DEAD_NS + 1);
	for (unsigned left = MANY; left > 0;) {
		unsigned count =
		    lp_pipeline_run(plane.pipeline, plane.now_ns++);

		ck_assert_uint_gt(count, 0);
		left -= count;
		ck_assert_uint_eq(beat(LEFT_SLOT), told);
		ck_assert_uint_eq(beat(RIGHT_SLOT), told);
	}
	ck_assert_uint_eq(plane_reason(LP_REASON_STALE), MANY);
	ck_assert_uint_eq(lp_pipeline_run(plane.pipeline, plane.now_ns), 0);
	ck_assert_uint_eq(beat(LEFT_SLOT), plane.now_ns);
	ck_assert_uint_eq(beat(RIGHT_SLOT), plane.now_ns);
	passes(LEFT_SLOT, DATA, LP_REASON_FORWARDED);
}
END_TEST

static void
look(void *arg, const char *stage, const struct lp_batch *batch)
{
	unsigned *looks = arg;

	(*looks)++;
	ck_assert_msg(beat(LEFT_SLOT) == batch->now_ns, "not by %s", stage);
}

/* A hang later in the turn shows in the next one. */
START_TEST(we_say_that_we_live_before_we_receive)
{
	unsigned looks = 0;

	hang(LP_DEAD_NS - 1);
	lp_pipeline_watch(plane.pipeline, plane.now_ns, look, &looks);
	ck_assert_uint_gt(looks, 0);
	hang(LP_DEAD_NS + 1);
	wait_in(LEFT_SLOT, DATA, 1);
	plane_run();
	ck_assert_uint_eq(plane_reason(LP_REASON_STALE), 1);
}
END_TEST

/* Its frames fill the batches; those of the bump are still to come. */
START_TEST(another_port_that_is_full_ends_nothing)
{
	establish();
	wait_in(FRONT_SLOT, "echo 10.9.0.50 > 10.9.0.100 id=1 len=8", MANY);
	wait_in(LEFT_SLOT, DATA, 3);
	hang(LP_DEAD_NS + 1);
	plane_run();
	ck_assert_uint_eq(plane_reason(LP_REASON_STALE), 3);
	for (unsigned i = 0; i < MANY; i++)
		ck_assert(plane_take(FRONT_SLOT));
	plane_quiet();
}
END_TEST

/* Control has published something while the worker hung. */
START_TEST(a_new_snapshot_is_no_sign_of_life)
{
	establish();
	wait_in(LEFT_SLOT, DATA, 1);
	hang(LP_DEAD_NS + 1);
	plane_publish();
	plane_run();
	plane_quiet();
	ck_assert_uint_eq(plane_reason(LP_REASON_STALE), 1);
}
END_TEST

/* What came later was dropped: these are late, but in order. */
START_TEST(with_on_loss_drop_what_waits_is_kept)
{
	bump_on_loss(LP_ON_LOSS_DROP);
	establish();
	wait_in(LEFT_SLOT, DATA, MANY);
	hang(10 * (uint64_t)LP_DEAD_NS);
	plane_run();
	ck_assert_uint_eq(plane_reason(LP_REASON_STALE), 0);
	for (unsigned i = 0; i < MANY; i++)
		ck_assert(plane_take(RIGHT_SLOT));
	plane_quiet();
}
END_TEST

START_TEST(and_so_it_is_of_a_vip)
{
	plane_in(FRONT_SLOT, "tcp 10.9.0.50:40000 > 10.9.0.100:9100 S seq=1");
	ck_assert(plane_take(BACK_SLOT));
	wait_in(FRONT_SLOT, "tcp 10.9.0.50:40000 > 10.9.0.100:9100 S seq=1", 1);
	wait_in(LEFT_SLOT, C4 "S seq=1", 1);
	hang(LP_DEAD_NS + 1);
	plane_run();
	ck_assert(plane_take(BACK_SLOT));
	plane_quiet();
	ck_assert_uint_eq(plane_reason(LP_REASON_STALE), 1);
	ck_assert_uint_eq(plane_reason(LP_REASON_FORWARDED), 1);
}
END_TEST

/* It has never said so: its first frames are no old ones. */
START_TEST(another_process_has_not_hung)
{
	establish();
	plane_restart();
	hang(LP_DEAD_NS + 1);
	passes(LEFT_SLOT, DATA, LP_REASON_FORWARDED);
}
END_TEST

static void
add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_add_test(tests, what_newer_frames_have_passed_is_dropped);
	tcase_add_test(tests, what_none_has_passed_is_kept);
	tcase_add_test(tests, we_do_not_say_that_we_live_before_all_is_dropped);
	tcase_add_test(tests, we_say_that_we_live_before_we_receive);
	tcase_add_test(tests, another_port_that_is_full_ends_nothing);
	tcase_add_test(tests, a_new_snapshot_is_no_sign_of_life);
	tcase_add_test(tests, with_on_loss_drop_what_waits_is_kept);
	tcase_add_test(tests, and_so_it_is_of_a_vip);
	tcase_add_test(tests, another_process_has_not_hung);
}

int
main(void)
{
	return plane_main("inline_late", add_tests);
}
