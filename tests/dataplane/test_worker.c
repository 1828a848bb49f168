/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/worker.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/clock.h"
#include "dataplane/region.h"
#include "dataplane/snapshot.h"
#include "tests/dataplane/cold.h"

static struct lp_region region;
static struct lp_snapshot_cell cell;
static struct lp_pool *pool;
static struct lp_worker *worker;
static struct lp_config config;
static const struct lp_backend_ops *const ops = &lp_port_memory_ops;

static int
begin(bool spin, int cpu)
{
	struct lp_worker_config setup = {
	    .cell = &cell,
	    .region = &region,
	    .backend = ops,
	    .spin = spin,
	    .spin_us = 50,
	    .cpu = cpu,
	};
	struct lp_pool_config pool_config = {.buffer_count = 4096};
	char why[LP_WHY_SIZE];

	lp_config_init(&config);
	ck_assert_int_eq(lp_region_open(&region, NULL, 64, 4096), 0);
	pool_config.ledger = region.ledger;
	ck_assert_int_eq(ops->pool_open(&pool, &pool_config, why), 0);
	setup.pool = pool;
	return lp_worker_new(&worker, &setup);
}

static void
end(void)
{
	lp_worker_free(worker);
	lp_snapshot_publish(&cell, NULL);
	ops->pool_close(pool);
	lp_region_close(&region);
	lp_config_fini(&config);
}

static uint64_t
count(const lp_counter *counter)
{
	return lp_count_get(counter);
}

struct goal {
	const lp_counter *counter;
	uint64_t value;
};

static bool
is_reached(void *arg)
{
	const struct goal *goal = arg;

	return count(goal->counter) >= goal->value;
}

static void
wait_for(const lp_counter *counter, uint64_t value, const char *what)
{
	struct goal goal = {counter, value};

	cold_wait(is_reached, &goal, what);
}

START_TEST(idle_worker_sleeps_and_wakes)
{
	uint64_t sleeps;

	ck_assert_int_eq(begin(false, -1), 0);
	wait_for(&region.stats->sleeps, 1, "sleep");
	/* Far sooner than poll() would end by itself. */
	for (int i = 0; i < 50; i++) {
		sleeps = count(&region.stats->sleeps);
		lp_worker_wake(worker);
		wait_for(&region.stats->sleeps, sleeps + 1, "wake-up");
	}
	ck_assert_uint_gt(count(&region.stats->sleep_ns), 0);
	end();
}
END_TEST

START_TEST(spinning_worker_never_sleeps)
{
	ck_assert_int_eq(begin(true, -1), 0);
	wait_for(&region.stats->loops, 100000, "turns");
	ck_assert_uint_eq(count(&region.stats->sleeps), 0);
	ck_assert_uint_gt(count(&region.stats->idle_ns), 0);
	end();
}
END_TEST

START_TEST(no_snapshot_is_freed_under_a_worker)
{
	struct lp_open_ports ports = {0};
	struct lp_snapshot *next;

	ck_assert_int_eq(begin(false, -1), 0);
	for (uint64_t i = 1; i <= 500; i++) {
		ck_assert_int_eq(
		    lp_snapshot_build(&next, &config, &ports, &region, NULL),
		    0);
		next->generation = i;
		lp_snapshot_publish(&cell, next);
		lp_worker_wake(worker);
	}
	end();
}
END_TEST

START_TEST(living_worker_is_not_stuck)
{
	uint64_t loops;

	ck_assert_int_eq(begin(true, -1), 0);
	for (uint64_t now_ns = 1; now_ns < 20; now_ns++) {
		loops = count(&region.stats->loops);
		wait_for(&region.stats->loops, loops + 2, "turns");
		ck_assert_uint_eq(lp_worker_stuck_ns(worker, now_ns), 0);
	}
	end();
}
END_TEST

START_TEST(sleeping_worker_is_not_stuck)
{
	ck_assert_int_eq(begin(false, -1), 0);
	wait_for(&region.stats->sleeps, 1, "sleep");
	for (uint64_t i = 1; i < 20; i++)
		ck_assert_uint_lt(
		    lp_worker_stuck_ns(worker, i * 1000), 1000 * 20);
	end();
}
END_TEST

START_TEST(cpu_that_is_not_there_is_an_error)
{
	ck_assert_int_eq(begin(false, 1023), -EINVAL);
	worker = NULL;
	end();
}
END_TEST

START_TEST(stop_does_not_wait_for_a_timer)
{
	uint64_t began_ns;

	ck_assert_int_eq(begin(false, -1), 0);
	wait_for(&region.stats->sleeps, 1, "sleep");
	began_ns = lp_clock_ns();
	end();
	ck_assert_uint_lt(lp_clock_ns() - began_ns, 900000000);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    idle_worker_sleeps_and_wakes,
	    spinning_worker_never_sleeps,
	    no_snapshot_is_freed_under_a_worker,
	    living_worker_is_not_stuck,
	    sleeping_worker_is_not_stuck,
	    cpu_that_is_not_there_is_an_error,
	    stop_does_not_wait_for_a_timer,
	    NULL,
	};

	return cold_run("worker", tests);
}
