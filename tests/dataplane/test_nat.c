/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/nat.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dataplane/pipeline/limits.h"

static struct lp_nat nat;
static void *memory;
static size_t memory_size;
static struct lp_ip own, broker;

static void
setup(void)
{
	struct lp_arena arena = {.base = NULL};

	lp_nat_carve(&nat, &arena);
	memory_size = arena.used;
	memory = mmap(NULL, memory_size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert(memory != MAP_FAILED);
	arena = (struct lp_arena){.base = memory};
	lp_nat_carve(&nat, &arena);
	lp_nat_init(&nat, 42);
	lp_ip_from_v4(&own, (uint8_t[]){10, 8, 0, 10});
	lp_ip_from_v4(&broker, (uint8_t[]){10, 8, 0, 20});
}

static void
teardown(void)
{
	munmap(memory, memory_size);
}

static uint16_t
take(uint16_t broker_port)
{
	return lp_nat_take(&nat, &own, &broker, broker_port);
}

static void
give(uint16_t broker_port, uint16_t port)
{
	lp_nat_give(&nat, &own, &broker, broker_port, port);
}

START_TEST(a_pair_has_64512_ports_and_then_no_more)
{
	static bool seen[65536];

	for (unsigned i = 0; i < LP_SOURCE_PORTS; i++) {
		uint16_t port = take(9092);

		ck_assert_uint_ge(port, LP_SOURCE_PORT_MIN);
		ck_assert(!seen[port]);
		seen[port] = true;
	}
	ck_assert_uint_eq(take(9092), 0);
	ck_assert_uint_eq(
	    lp_nat_used(&nat, &own, &broker, 9092), LP_SOURCE_PORTS);
	/* Another broker, or another address, has its own. */
	ck_assert_uint_ne(take(9093), 0);
	give(9092, 2000);
	ck_assert_uint_eq(take(9092), 2000);
	ck_assert_uint_eq(take(9092), 0);
}
END_TEST

START_TEST(the_port_used_least_recently_is_next)
{
	uint16_t first = take(9092), second = take(9092), next;

	give(9092, first);
	/* In a circle: neither of them until all others had their turn. */
	for (unsigned i = 0; i < LP_SOURCE_PORTS - 2; i++) {
		next = take(9092);
		ck_assert_uint_ne(next, first);
		ck_assert_uint_ne(next, second);
		give(9092, next);
	}
	ck_assert_uint_eq(take(9092), first);
}
END_TEST

START_TEST(a_pair_made_anew_does_not_begin_where_it_ended)
{
	uint16_t ports[10];
	uint16_t last[10] = {0};

	/* Emptied each time: it is another pair in another place. */
	for (unsigned round = 0; round < 1000; round++) {
		for (unsigned i = 0; i < 10; i++)
			ports[i] = take(9092);
		for (unsigned i = 0; i < 10; i++)
			for (unsigned j = 0; j < 10; j++)
				ck_assert_uint_ne(ports[i], last[j]);
		for (unsigned i = 0; i < 10; i++)
			give(9092, ports[i]);
		ck_assert_uint_eq(lp_nat_pairs(&nat), 0);
		memcpy(last, ports, sizeof(last));
	}
}
END_TEST

START_TEST(another_seed_begins_at_another_port)
{
	uint16_t port = take(9092);

	give(9092, port);
	lp_nat_init(&nat, 43);
	ck_assert_uint_ne(take(9092), port);
}
END_TEST

START_TEST(ports_are_claimed_once)
{
	ck_assert(lp_nat_claim(&nat, &own, &broker, 9092, 5000));
	ck_assert(!lp_nat_claim(&nat, &own, &broker, 9092, 5000));
	ck_assert(lp_nat_claim(&nat, &own, &broker, 9093, 5000));
	ck_assert_uint_eq(lp_nat_used(&nat, &own, &broker, 9092), 1);
	give(9092, 5000);
	ck_assert_uint_eq(lp_nat_used(&nat, &own, &broker, 9092), 0);
	ck_assert_uint_eq(lp_nat_pairs(&nat), 1);
}
END_TEST

START_TEST(pairs_are_limited_and_come_back)
{
	for (unsigned i = 1; i <= LP_SOURCE_PAIRS_MAX; i++)
		ck_assert_uint_ne(take((uint16_t)i), 0);
	ck_assert_uint_eq(take(LP_SOURCE_PAIRS_MAX + 1), 0);
	ck_assert(
	    !lp_nat_claim(&nat, &own, &broker, LP_SOURCE_PAIRS_MAX + 1, 2000));
	ck_assert_uint_eq(lp_nat_pairs(&nat), LP_SOURCE_PAIRS_MAX);
	/* Those that exist go on. */
	ck_assert_uint_ne(take(1), 0);
}
END_TEST

/* Pairs come and go; each must be found, however probes have moved. */
START_TEST(random_pairs_are_never_mixed_up)
{
	static uint16_t ports[6000][4];
	static unsigned counts[6000];
	uint64_t random = 88172645463325252ull;
	unsigned pairs = 0;

	for (unsigned step = 0; step < 300000; step++) {
		unsigned key, *count;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		key = (unsigned)(random >> 20) % 6000;
		count = &counts[key];
		if ((random >> 60) < 7 && *count < 4) {
			uint16_t port = take((uint16_t)(key + 1));

			if (*count == 0 && pairs == LP_SOURCE_PAIRS_MAX) {
				ck_assert_uint_eq(port, 0);
				continue;
			}
			ck_assert_uint_ne(port, 0);
			pairs += *count == 0;
			ports[key][(*count)++] = port;
		} else if (*count > 0) {
			give((uint16_t)(key + 1), ports[key][--*count]);
			pairs -= *count == 0;
		}
		ck_assert_uint_eq(lp_nat_pairs(&nat), pairs);
		ck_assert_uint_eq(
		    lp_nat_used(&nat, &own, &broker, (uint16_t)(key + 1)),
		    *count);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("nat");
	TCase *tests = tcase_create("nat");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_pair_has_64512_ports_and_then_no_more);
	tcase_add_test(tests, the_port_used_least_recently_is_next);
	tcase_add_test(tests, a_pair_made_anew_does_not_begin_where_it_ended);
	tcase_add_test(tests, another_seed_begins_at_another_port);
	tcase_add_test(tests, ports_are_claimed_once);
	tcase_add_test(tests, pairs_are_limited_and_come_back);
	tcase_add_test(tests, random_pairs_are_never_mixed_up);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
