/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet process is killed while an end is held by its window, and while it
 * is told that it may go on: who takes over holds it as long, and tells it.
 */
#include <check.h>

#include "dataplane/kafka/kafka.h"
#include "dataplane/pipeline/conntrack.h"
#include "tests/support/killed.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/random.h"

#define C4 "tcp 10.9.0.50:40000 > 10.9.0.100:9100 "
#define B4 "tcp 10.8.0.20:9092 > 10.8.0.10:$ "
#define TO_B4 "tcp 10.8.0.10:$ > 10.8.0.20:9092 "
#define TO_C4 "tcp 10.9.0.100:9100 > 10.9.0.50:40000 "
#define ACKNOWLEDGED B4 "A seq=5001 ack=2281 win=60"

enum { CONNECTIONS = LP_CONNECTIONS_MIN, MS = 1000000, HELD_MS = 20, FEW = 20 };

/* Held, with 35 steps of 256 bytes left. */
static void
setup(void)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "S seq=1000 win=12800 mss=1460 ws=7"},
	    {PLANE_OUT, 1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S"},
	    {PLANE_IN, 1, B4 "SA seq=5000 ack=1001 win=10240 mss=1460 ws=8"},
	    {PLANE_OUT, 0, TO_C4 "SA seq=5000 ack=1001"},
	    {PLANE_IN, 0, C4 "PA seq=1001 ack=5001 len=1280"},
	    {PLANE_OUT, 1, TO_B4 "PA seq=1001 len=1280"},
	    {PLANE_IN, 1, B4 "A seq=5001 ack=1001 win=40"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=1001 win=40"},
	};
	struct lp_kafka *kafka;

	plane_open(CONNECTIONS);
	plane_run();
	PLANE_ROWS(rows);
	kafka = lp_pipeline_conntrack(plane.pipeline)->removing_arg;
	lp_pace_until(
	    &kafka->pace, 0, LP_TO_BROKER, plane.now_ns + HELD_MS * MS);
}

static void
teardown(void)
{
	killed_restore();
	plane_restart();
	plane_run();
	plane_forget();
	killed_forget();
	plane_close();
}

static void
queue(const void *arg)
{
	plane_queue(1, arg);
}

/* True: it was killed in the change of the connection. */
static bool
hold_on(const void *arg)
{
	bool marked = atomic_load(&plane.region.undo->marked) != 0;
	uint64_t now_ns = plane.now_ns;

	plane_restart();
	plane_run();
	plane_in(1, arg);
	plane_expect(0, TO_C4 "A seq=5001 ack=2281 win=35");
	plane_wait_ms(HELD_MS + 2);
	plane_expect(0, TO_C4 "A seq=5001 ack=2281 win=60");
	plane_quiet();
	plane.now_ns = now_ns;
	return marked;
}

START_TEST(who_is_held_stays_so)
{
	const struct killed how = {.prepare = queue,
	    .act = killed_run_pipeline,
	    .take_over = hold_on,
	    .arg = ACKNOWLEDGED};
	unsigned kills[2] = {0};

	killed_keep();
	if (killed_run(&how, FEW / RANDOM_SLOWER + 1, kills)) {
		ck_assert_uint_gt(kills[false], 0);
		ck_assert_uint_gt(kills[true], 0);
	}
}
END_TEST

static bool
tell(const void *arg)
{
	uint64_t now_ns = plane.now_ns;

	(void)arg;
	plane_restart();
	plane_wait_ms(1);
	plane_expect(0, TO_C4 "A seq=5001 ack=2281 win=60");
	plane_wait_ms(1);
	plane_quiet();
	ck_assert_uint_eq(plane_connection(0)->paced, 0);
	plane.now_ns = now_ns;
	return false;
}

/* Nobody says anything more: it would wait for ever, or until it asks. */
START_TEST(who_may_go_on_is_told)
{
	const struct killed how = {
	    .act = killed_run_pipeline, .take_over = tell};
	unsigned kills[2] = {0};

	plane_in(1, ACKNOWLEDGED);
	plane_expect(0, TO_C4 "A seq=5001 ack=2281 win=35");
	plane.now_ns += (HELD_MS + 2) * (uint64_t)MS;
	killed_keep();
	if (killed_run(&how, FEW / RANDOM_SLOWER + 1, kills))
		ck_assert_uint_gt(kills[false], FEW);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, who_is_held_stays_so);
	tcase_add_test(tests, who_may_go_on_is_told);
}

int
main(void)
{
	return plane_main("pace_killed", add);
}
