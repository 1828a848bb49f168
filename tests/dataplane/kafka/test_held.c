/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of held bytes, and what streams that share it may have of it. */
#include <check.h>

#include "dataplane/kafka/stream.h"
#include "tests/support/stream_check.h"

enum { COUNT = 40, QUARTER = COUNT / 4 };

static struct lp_held pieces[COUNT];
static uint32_t free_pieces[COUNT];
static struct lp_held_pool pool;

/* So many segments with a gap before each, until one finds no room. */
static unsigned
hold_all(struct lp_stream *its, uint32_t from)
{
	for (unsigned i = 0;; i++) {
		const struct lp_stream_segment segment = {
		    .bytes = (const uint8_t *)"x",
		    .seq = from + 20 * i,
		    .len = 1};

		if (lp_stream_offer(its, &pool, &segment) != LP_STREAM_HELD)
			return i;
	}
}

/* Who asks for everything leaves a share to each of the next ones. */
START_TEST(a_greedy_stream_leaves_some_to_others)
{
	struct lp_stream greedy = {0}, modest = {0}, late = {0};

	lp_held_pool_init(&pool, pieces, free_pieces, COUNT);
	lp_stream_open(&greedy, 0);
	lp_stream_open(&modest, 1000);
	lp_stream_open(&late, 2000);
	ck_assert_uint_eq(hold_all(&greedy, 10), COUNT - QUARTER + 1);
	ck_assert_uint_eq(hold_all(&modest, 1010), LP_STREAM_HELD_SHARE);
	/* Until nothing is left at all. */
	ck_assert_uint_eq(
	    hold_all(&late, 2010), QUARTER - 1 - LP_STREAM_HELD_SHARE);
	ck_assert_uint_eq(pool.free_count, 0);
	/* What comes back is anybody's again. */
	lp_stream_close(&greedy, &pool, LP_STREAM_LOST);
	ck_assert_uint_eq(hold_all(&modest, 1010 + 20 * LP_STREAM_HELD_SHARE),
	    COUNT - QUARTER + 1 - QUARTER + 1);
	lp_stream_close(&late, &pool, LP_STREAM_LOST);
	stream_check(&modest, &pool, true);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("held");
	TCase *tcase = tcase_create("held");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, a_greedy_stream_leaves_some_to_others);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
