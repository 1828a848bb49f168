/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/chain.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES = 4, ALL = PIECES * LP_HELD_BYTES, SPANS = PIECES + 1 };

static struct lp_held pieces[PIECES];
static uint32_t free_ones[PIECES];
static struct lp_held_pool pool;
static struct lp_chain chain;
static uint8_t bytes[ALL + 1];

static void
setup(void)
{
	/* What is not set must not matter. */
	memset(pieces, 0xa5, sizeof(pieces));
	lp_held_pool_init(&pool, pieces, free_ones, PIECES);
	chain = (struct lp_chain){0};
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
}

static void
teardown(void)
{
	lp_chain_free(&pool, &chain);
	ck_assert_uint_eq(pool.free_count, PIECES);
	ck_assert_uint_eq(chain.first | chain.last | chain.len, 0);
}

/* What is read from there is what was put there. */
static void
expect(uint32_t offset, uint32_t len, uint32_t there)
{
	struct lp_span spans[SPANS];
	unsigned count =
	    lp_chain_read(&pool, chain.first, offset, len, spans, SPANS);
	uint32_t at = 0;

	for (unsigned i = 0; i < count; i++) {
		ck_assert_uint_gt(spans[i].len, 0);
		ck_assert_mem_eq(
		    spans[i].bytes, bytes + offset + at, spans[i].len);
		at += spans[i].len;
	}
	ck_assert_uint_eq(at, there);
}

START_TEST(what_is_appended_can_be_read_from_anywhere)
{
	static const uint32_t parts[] = {
	    0, 1, LP_HELD_BYTES - 1, LP_HELD_BYTES, LP_HELD_BYTES + 1, 700, 1};
	uint32_t len = 0;

	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		ck_assert(
		    lp_chain_append(&pool, &chain, bytes + len, parts[i]));
		len += parts[i];
		ck_assert_uint_eq(chain.len, len);
		for (uint32_t at = 0; at <= len; at += 1 + at / 9) {
			expect(at, len - at, len - at);
			expect(at, ALL, len - at);
			expect(at, 1, at < len ? 1 : 0);
		}
	}
	expect(LP_HELD_BYTES - 1, 2, 2);
	expect(len + 5, 1, 0);
}
END_TEST

START_TEST(no_more_spans_are_filled_than_there_is_room_for)
{
	struct lp_span span;

	ck_assert(lp_chain_append(&pool, &chain, bytes, ALL));
	ck_assert_uint_eq(
	    lp_chain_read(&pool, chain.first, 5, ALL, &span, 1), 1);
	ck_assert_uint_eq(span.len, LP_HELD_BYTES - 5);
	ck_assert_uint_eq(
	    lp_chain_read(&pool, chain.first, 5, ALL, &span, 0), 0);
}
END_TEST

START_TEST(when_no_piece_is_free_nothing_is_lost)
{
	ck_assert(lp_chain_append(&pool, &chain, bytes, ALL - 1));
	ck_assert_uint_eq(pool.free_count, 0);
	ck_assert(!lp_chain_append(&pool, &chain, bytes + ALL - 1, 2));
	ck_assert_uint_eq(chain.len, ALL);
	expect(0, ALL, ALL);
	ck_assert(!lp_chain_append(&pool, &chain, bytes, 1));
	ck_assert(lp_chain_append(&pool, &chain, bytes, 0));
}
END_TEST

START_TEST(chains_share_a_pool)
{
	struct lp_chain other = {0};

	for (unsigned i = 0; i < 2 * LP_HELD_BYTES; i++) {
		ck_assert(lp_chain_append(&pool, &chain, bytes + i, 1));
		ck_assert(lp_chain_append(&pool, &other, bytes + ALL - i, 1));
	}
	expect(0, ALL, 2 * LP_HELD_BYTES);
	lp_chain_free(&pool, &other);
	expect(0, ALL, 2 * LP_HELD_BYTES);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("chain");
	TCase *tests = tcase_create("chain");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_is_appended_can_be_read_from_anywhere);
	tcase_add_test(tests, no_more_spans_are_filled_than_there_is_room_for);
	tcase_add_test(tests, when_no_piece_is_free_nothing_is_lost);
	tcase_add_test(tests, chains_share_a_pool);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
