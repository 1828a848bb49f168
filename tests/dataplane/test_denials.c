/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of denials: rates, what is left out, and what happens when full. */
#include "dataplane/pipeline/denials.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kafka/kafka_stats.h"
#include "dataplane/pipeline/region.h"

enum { SLOT = 7, RULE = 700, SECOND = 1000000000 };

static struct lp_denials denials;
static struct lp_region region;
static struct lp_kafka_stats *stats;
static void *memory;

static void
begin(void)
{
	struct lp_arena arena = {.base = NULL};

	memset(&denials, 0, sizeof(denials));
	lp_denials_carve(&denials, &arena);
	memory = aligned_alloc(LP_ARENA_ALIGN,
	    (arena.used + LP_ARENA_ALIGN - 1) / LP_ARENA_ALIGN *
		LP_ARENA_ALIGN);
	ck_assert_ptr_nonnull(memory);
	memset(memory, 0, arena.used);
	arena = (struct lp_arena){.base = memory};
	lp_denials_carve(&denials, &arena);
	stats = calloc(1, sizeof(*stats));
	ck_assert_ptr_nonnull(stats);
	region.kafka_stats = stats;
	lp_denials_init(&denials, &region);
	lp_denials_turn(&denials, 5ull * SECOND);
}

static void
end(void)
{
	free(stats);
	free(memory);
}

#define COUNTER(member) lp_count_get(&stats->counters.member)

/* Whether it is told. */
static bool
refuse(uint32_t slot)
{
	struct lp_denial *denial = lp_denials_open(&denials, slot, RULE + slot);

	if (denial == NULL)
		return false;
	denial->kind = LP_DENIAL_DENY;
	lp_denials_close(&denials);
	return true;
}

static struct lp_denial
take(void)
{
	const struct lp_denial *oldest = lp_denials_oldest(&denials);
	struct lp_denial denial;

	ck_assert_ptr_nonnull(oldest);
	denial = *oldest;
	lp_denials_consumed(&denials);
	return denial;
}

static unsigned
take_all(enum lp_denial_kind kind)
{
	unsigned count = 0;

	while (lp_denials_oldest(&denials) != NULL)
		count += take().kind == kind;
	return count;
}

START_TEST(what_is_told_comes_out_in_order)
{
	struct lp_denial denial;

	begin();
	ck_assert_ptr_null(lp_denials_oldest(&denials));
	ck_assert(refuse(1));
	ck_assert(refuse(2));
	denial = take();
	ck_assert_uint_eq(denial.slot, 1);
	ck_assert_uint_eq(denial.rule_id, RULE + 1);
	ck_assert_uint_eq(denial.time_ns, 5ull * SECOND);
	ck_assert_uint_eq(take().slot, 2);
	ck_assert_ptr_null(lp_denials_oldest(&denials));
	ck_assert_uint_eq(COUNTER(denials_told), 2);
	end();
}
END_TEST

START_TEST(nobody_need_read)
{
	ck_assert_ptr_null(lp_denials_open(NULL, SLOT, RULE));
}
END_TEST

START_TEST(a_place_has_nothing_of_the_one_before_it)
{
	static const uint8_t text[300] = "a text";
	struct lp_denial *place;
	struct lp_denial denial;

	begin();
	place = lp_denials_open(&denials, SLOT, RULE);
	place->shadow = true;
	lp_denials_text(place, LP_DENIAL_TOPIC, text, 6);
	lp_denials_text(place, LP_DENIAL_GROUP, text, sizeof(text));
	lp_denials_close(&denials);
	denial = take();
	ck_assert_uint_eq(
	    denial.has, 1u << LP_DENIAL_TOPIC | 1u << LP_DENIAL_GROUP);
	ck_assert_uint_eq(denial.cut, 1u << LP_DENIAL_GROUP);
	ck_assert_uint_eq(denial.lens[LP_DENIAL_TOPIC], 6);
	ck_assert_uint_eq(denial.lens[LP_DENIAL_GROUP], LP_DENIALS_TEXT_MAX);
	ck_assert_mem_eq(denial.texts[LP_DENIAL_TOPIC], "a text", 6);
	for (unsigned i = 0; i < LP_DENIALS_SIZE; i++) {
		lp_denials_turn(&denials, (6ull + i) * SECOND);
		ck_assert(refuse(SLOT));
		denial = take();
		ck_assert(!denial.shadow);
		ck_assert_uint_eq(denial.has, 0);
	}
	end();
}
END_TEST

START_TEST(of_a_rule_so_many_a_second_are_told)
{
	struct lp_denial denial;

	begin();
	for (unsigned second = 5; second < 8; second++) {
		uint64_t before = lp_denials_left_out(&denials, SLOT);

		lp_denials_turn(&denials, second * (uint64_t)SECOND);
		for (unsigned i = 0; i < LP_DENIALS_RULE_MAX; i++)
			ck_assert(refuse(SLOT));
		for (unsigned i = 0; i < 30; i++)
			ck_assert(!refuse(SLOT));
		/* Others are told of all the same. */
		ck_assert(refuse(SLOT + 1));
		for (unsigned i = 0; i < LP_DENIALS_RULE_MAX; i++)
			ck_assert_uint_eq(take().kind, LP_DENIAL_DENY);
		/* Once, with those before it. */
		denial = take();
		ck_assert_uint_eq(denial.kind, LP_DENIAL_LEFT_OUT);
		ck_assert_uint_eq(denial.slot, SLOT);
		ck_assert_uint_eq(denial.rule_id, RULE + SLOT);
		ck_assert_uint_eq(denial.left_out, before);
		ck_assert_uint_eq(take().slot, SLOT + 1);
		ck_assert_ptr_null(lp_denials_oldest(&denials));
		ck_assert_uint_eq(
		    lp_denials_left_out(&denials, SLOT), before + 30);
	}
	ck_assert_uint_eq(COUNTER(denials_left_out), 90);
	ck_assert_uint_eq(COUNTER(denials_full), 0);
	end();
}
END_TEST

START_TEST(of_all_rules_so_many_a_second_are_told)
{
	unsigned told = 0;

	begin();
	for (uint32_t slot = 0; slot < 1000; slot++)
		for (unsigned i = 0; i < 2; i++)
			told += refuse(slot);
	ck_assert_uint_eq(told, LP_DENIALS_MAX);
	ck_assert_uint_eq(
	    lp_denials_left_out(&denials, LP_DENIALS_OTHERS), 2000 - told);
	ck_assert_uint_eq(take_all(LP_DENIAL_LEFT_OUT), 1);
	/* What tells that some are left out is one of them: it is bounded. */
	lp_denials_turn(&denials, 6ull * SECOND);
	for (uint32_t slot = 0; slot < 1000; slot++)
		for (unsigned i = 0; i < LP_DENIALS_RULE_MAX + 1; i++)
			(void)refuse(slot);
	ck_assert_uint_le(COUNTER(denials_told), 2 * LP_DENIALS_MAX);
	ck_assert_uint_ge(take_all(LP_DENIAL_LEFT_OUT), 2);
	ck_assert_uint_eq(COUNTER(denials_full), 0);
	end();
}
END_TEST

START_TEST(when_it_is_full_what_comes_is_counted_and_lost)
{
	unsigned told = 0;

	begin();
	for (unsigned i = 0; i < LP_DENIALS_SIZE + 10; i++) {
		lp_denials_turn(&denials, (5ull + i) * SECOND);
		told += refuse(SLOT);
	}
	ck_assert_uint_eq(told, LP_DENIALS_SIZE);
	ck_assert_uint_eq(COUNTER(denials_full), 10);
	/* The oldest are there, and one that is taken out makes room. */
	ck_assert_uint_eq(take().time_ns, 5ull * SECOND);
	ck_assert(refuse(SLOT));
	ck_assert_uint_eq(take_all(LP_DENIAL_DENY), LP_DENIALS_SIZE);
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("denials");
	TCase *tcase = tcase_create("denials");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, what_is_told_comes_out_in_order);
	tcase_add_test(tcase, nobody_need_read);
	tcase_add_test(tcase, a_place_has_nothing_of_the_one_before_it);
	tcase_add_test(tcase, of_a_rule_so_many_a_second_are_told);
	tcase_add_test(tcase, of_all_rules_so_many_a_second_are_told);
	tcase_add_test(tcase, when_it_is_full_what_comes_is_counted_and_lost);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
