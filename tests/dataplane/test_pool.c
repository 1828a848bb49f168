/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/keep.h"
#include "dataplane/port/pool.h"

enum { BUFFERS = LP_BUFFERS_MIN };

/* A keep of one descriptor. */
struct lp_keep {
	char name[LP_KEEP_NAME_SIZE];
	int fd;
	int refuse;
};

static uint8_t ledger[BUFFERS];
static struct lp_pool *pool;
static struct lp_keep keep;

int
lp_keep_get(struct lp_keep *from, const char *name)
{
	(void)from;
	(void)name;
	return -ENOENT;
}

int
lp_keep_put(struct lp_keep *to, const char *name, int fd)
{
	if (to->refuse)
		return -EMSGSIZE;
	strcpy(to->name, name);
	to->fd = dup(fd);
	return 0;
}

int
lp_keep_drop(struct lp_keep *from, const char *name)
{
	(void)from;
	(void)name;
	return 0;
}

static void
setup(void)
{
	struct lp_pool_config config = {
	    .buffer_count = BUFFERS, .ledger = ledger, .keep = &keep};
	char why[LP_WHY_SIZE];

	memset(&keep, 0, sizeof(keep));
	memset(ledger, LP_BUFFER_WORKER, sizeof(ledger));
	ck_assert_int_eq(lp_pool_open(&pool, &config, why), 0);
}

static void
teardown(void)
{
	lp_pool_close(pool);
	close(keep.fd);
}

START_TEST(every_buffer_is_handed_out_once)
{
	static uint8_t seen[BUFFERS];
	struct lp_pkt pkt;
	unsigned i;

	for (i = 0; i < BUFFERS; i++) {
		ck_assert(lp_pool_alloc(pool, &pkt));
		ck_assert_uint_lt(pkt.buf, BUFFERS);
		ck_assert_uint_eq(seen[pkt.buf]++, 0);
		ck_assert_uint_eq(ledger[pkt.buf], LP_BUFFER_WORKER);
		ck_assert_ptr_eq(pkt.data,
		    pool->memory + pkt.buf * LP_BUFFER_SIZE +
			LP_BUFFER_HEADROOM);
		/* All of it is there. */
		memset(pkt.data - LP_BUFFER_HEADROOM, 0xa5, LP_BUFFER_SIZE);
	}
	ck_assert(!lp_pool_alloc(pool, &pkt));
	ck_assert_uint_eq(lp_pool_free_count(pool), 0);
}
END_TEST

START_TEST(a_new_packet_is_blank)
{
	struct lp_pkt pkt;

	memset(&pkt, 0xff, sizeof(pkt));
	ck_assert(lp_pool_alloc(pool, &pkt));
	ck_assert_uint_eq(pkt.len, 0);
	ck_assert_uint_eq(pkt.conn, LP_CONN_NONE);
	ck_assert_uint_eq(pkt.flags, 0);
	ck_assert_uint_eq(pkt.verdict, LP_UNDECIDED);
	ck_assert_uint_eq(pkt.port_out, LP_PORT_NONE);
}
END_TEST

START_TEST(a_released_buffer_is_the_next_one)
{
	struct lp_pkt pkt, *one = &pkt;
	uint64_t buf;

	ck_assert(lp_pool_alloc(pool, &pkt));
	buf = pkt.buf;
	lp_pool_release(pool, &one, 1);
	ck_assert_uint_eq(ledger[buf], LP_BUFFER_FREE);
	ck_assert_uint_eq(lp_pool_free_count(pool), BUFFERS);
	ck_assert(lp_pool_alloc(pool, &pkt));
	ck_assert_uint_eq(pkt.buf, buf);
}
END_TEST

START_TEST(reclaim_takes_back_what_one_port_held)
{
	const uint8_t owners[] = {LP_BUFFER_RX + 2, LP_BUFFER_TX + 2,
	    LP_BUFFER_RX + 3, LP_BUFFER_TX + 1, LP_BUFFER_WORKER};
	unsigned i;

	for (i = 0; i < sizeof(owners); i++)
		ck_assert_uint_eq(lp_pool_pop(pool, owners[i]), i);
	lp_pool_reclaim(pool, 2);
	ck_assert_uint_eq(lp_pool_free_count(pool), BUFFERS - 3);
	for (i = 0; i < sizeof(owners); i++)
		ck_assert_uint_eq(
		    ledger[i], i < 2 ? LP_BUFFER_FREE : owners[i]);
}
END_TEST

START_TEST(a_buffer_released_twice_aborts)
{
	struct lp_pkt pkt, *one = &pkt;

	ck_assert(lp_pool_alloc(pool, &pkt));
	lp_pool_release(pool, &one, 1);
	lp_pool_release(pool, &one, 1);
}
END_TEST

START_TEST(a_buffer_of_another_owner_aborts)
{
	uint32_t index = lp_pool_pop(pool, LP_BUFFER_RX + 1);

	lp_pool_move(pool, index, LP_BUFFER_RX, LP_BUFFER_WORKER);
}
END_TEST

START_TEST(sixteen_ports_have_rings_and_a_quarter_stays_free)
{
	static uint8_t owners[LP_BUFFERS_DEFAULT];
	const struct lp_pool_config config = {
	    .buffer_count = LP_BUFFERS_DEFAULT, .ledger = owners};
	uint32_t size, last = LP_BUDGET_RING_MAX;
	char why[LP_WHY_SIZE];
	struct lp_pool *large;
	int i;

	ck_assert_int_eq(lp_pool_open(&large, &config, why), 0);
	for (i = 0; i < LP_PORTS_MAX; i++) {
		/* One receive queue and one to transmit. */
		size = lp_budget_reserve(&large->budget, 2);
		ck_assert_uint_ge(size, LP_BUDGET_RING_MIN);
		ck_assert_uint_eq(size & (size - 1), 0);
		ck_assert_uint_le(size, last);
		last = size;
	}
	while (lp_budget_reserve(&large->budget, 1) != 0)
		;
	ck_assert_uint_le(large->budget.reserved, LP_BUFFERS_DEFAULT / 4 * 3);
	large->budget.reserved = 0;
	lp_pool_close(large);
}
END_TEST

START_TEST(what_a_port_gives_back_another_gets)
{
	uint32_t size = lp_budget_reserve(&pool->budget, 4);

	ck_assert_uint_gt(size, 0);
	while (lp_budget_reserve(&pool->budget, 4) != 0)
		;
	lp_budget_return(&pool->budget, 4, size);
	ck_assert_uint_gt(lp_budget_reserve(&pool->budget, 4), 0);
	pool->budget.reserved = 0;
}
END_TEST

START_TEST(what_is_kept_is_promised_to_nobody)
{
	const uint32_t all = pool->budget.count - pool->budget.count / 4;

	ck_assert(!lp_budget_keep(&pool->budget, all + 1));
	ck_assert(lp_budget_keep(&pool->budget, all - LP_BUDGET_RING_MIN));
	ck_assert_uint_eq(lp_budget_reserve(&pool->budget, 2), 0);
	ck_assert_uint_eq(
	    lp_budget_reserve(&pool->budget, 1), LP_BUDGET_RING_MIN);
	ck_assert(!lp_budget_keep(&pool->budget, 1));
	pool->budget.reserved = 0;
}
END_TEST

START_TEST(the_keeper_gets_the_memory)
{
	struct stat stat;

	ck_assert_str_eq(keep.name, "umem");
	ck_assert_int_eq(fstat(keep.fd, &stat), 0);
	ck_assert_int_ge(stat.st_size, (off_t)BUFFERS * LP_BUFFER_SIZE);
}
END_TEST

START_TEST(a_keeper_that_refuses_is_an_error)
{
	struct lp_keep refusing = {.refuse = 1};
	struct lp_pool_config config = {
	    .buffer_count = BUFFERS, .ledger = ledger, .keep = &refusing};
	char why[LP_WHY_SIZE];
	struct lp_pool *other;

	ck_assert_int_eq(lp_pool_open(&other, &config, why), -EMSGSIZE);
	ck_assert(strstr(why, "keeper") != NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pool");
	TCase *tcase = tcase_create("pool");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, every_buffer_is_handed_out_once);
	tcase_add_test(tcase, a_new_packet_is_blank);
	tcase_add_test(tcase, a_released_buffer_is_the_next_one);
	tcase_add_test(tcase, reclaim_takes_back_what_one_port_held);
	tcase_add_test_raise_signal(
	    tcase, a_buffer_released_twice_aborts, SIGABRT);
	tcase_add_test_raise_signal(
	    tcase, a_buffer_of_another_owner_aborts, SIGABRT);
	tcase_add_test(
	    tcase, sixteen_ports_have_rings_and_a_quarter_stays_free);
	tcase_add_test(tcase, what_a_port_gives_back_another_gets);
	tcase_add_test(tcase, what_is_kept_is_promised_to_nobody);
	tcase_add_test(tcase, the_keeper_gets_the_memory);
	tcase_add_test(tcase, a_keeper_that_refuses_is_an_error);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
