/* SPDX-License-Identifier: Apache-2.0 */
/* How many rules of what kind there can be, and what is said of one more. */
#include "dataplane/rules.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/pipeline/rules_hash.h"
#include "dataplane/rules_places.h"
#include "tests/support/random.h"
#include "tests/support/rule_match.h"
#include "tests/support/rules_built.h"

enum { NEVER = -1 };

static struct lp_rule_match *const match = &rules_built.match;

/* How many allocations succeed before all others fail; NEVER: none fails. */
static long allocations = NEVER;

/* How often two keys have the same hash, or seem to. */
static unsigned same_hashes;

void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
int __real_lp_rules_places_find(const struct lp_rules_places *places);
int __wrap_lp_rules_places_find(const struct lp_rules_places *places);

static bool
fails(void)
{
	if (allocations > 0)
		allocations--;
	return allocations == 0;
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}

void *
__wrap_aligned_alloc(size_t align, size_t size)
{
	return fails() ? NULL : __real_aligned_alloc(align, size);
}

int
__wrap_lp_rules_places_find(const struct lp_rules_places *places)
{
	if (same_hashes == 0)
		return __real_lp_rules_places_find(places);
	same_hashes--;
	return -EAGAIN;
}

static void
setup(void)
{
	allocations = NEVER;
	same_hashes = 0;
	rules_built_open();
}

static void
teardown(void)
{
	allocations = NEVER;
	rules_built_close();
}

static void
put_pair(unsigned src, unsigned dst)
{
	struct lp_prefix prefix;

	memset(&prefix, 0, sizeof(prefix));
	lp_ip_from_v4(&prefix.ip, (const uint8_t[4]){0, 0, 0, 0});
	prefix.len = (uint8_t)src;
	rule_match_address(match, LP_RULE_SRC, &prefix);
	prefix.len = (uint8_t)dst;
	rule_match_address(match, LP_RULE_DST, &prefix);
}

START_TEST(tuples_are_bounded)
{
	struct lp_rules_connection connection;
	struct lp_rules_request request;
	struct lp_rules_found found;

	rule_match_connection(&connection);
	rule_match_request(&request);
	for (uint32_t i = 0; i < LP_RULES_TUPLES_MAX; i++) {
		put_pair(i / 32, i % 32);
		rules_built_add(i + 1, 10, LP_RULE_DENY);
	}
	/* One more of a tuple that there is. */
	put_pair(3, 3);
	rules_built_add(5000, 10, LP_RULE_OBSERVE);
	rules_built_build();
	ck_assert_uint_eq(
	    rules_built.rules->tables[LP_RULES_REQUEST_DECIDES].count,
	    LP_RULES_TUPLES_MAX);
	lp_rules_request(rules_built.rules, &connection, &request, &found);
	/* 0.0.0.0/0 both: of the lowest id. */
	ck_assert_uint_eq(rules_built.rules->rows[found.decides].id, 1);
}
END_TEST

START_TEST(one_tuple_too_many_is_refused)
{
	for (uint32_t i = 0; i <= LP_RULES_TUPLES_MAX; i++) {
		put_pair(i / 32, i % 32);
		rules_built_add(i + 1, 10, LP_RULE_DENY);
	}
	ck_assert_int_eq(rules_built_try_build(), -ENOSPC);
	ck_assert_str_eq(rules_built.why,
	    "rule 1025: one more combination of fields and lengths of prefixes "
	    "than 1024 over all rules");
}
END_TEST

START_TEST(lengths_of_prefixes_are_bounded)
{
	char text[LP_RULES_TEXT_MAX + 1];
	int error = 0;
	uint32_t id = 0;

	memset(text, 'x', sizeof(text));
	for (unsigned field = LP_RULE_CLIENT_ID; field <= LP_RULE_GROUP;
	     field++)
		for (unsigned len = 0; len <= LP_RULES_TEXT_MAX; len++) {
			rule_match_bytes(match, field, true, text, len);
			rules_built_add(++id, 10, LP_RULE_DENY);
		}
	ck_assert_uint_eq(id, LP_RULES_PARTS_MAX);
	rule_match_bytes(match, LP_RULE_GROUP, true, text, 7);
	rules_built_add(++id, 10, LP_RULE_DENY);
	rule_match_bytes(match, LP_RULE_GROUP, false, text, 7);
	error = rules_built_try_add(++id, 10, LP_RULE_DENY, false);
	ck_assert_int_eq(error, -ENOSPC);
	ck_assert_str_eq(rules_built.why,
	    "rule 1026: one more length of prefix than 1024 over all fields");
}
END_TEST

static void
put_set(unsigned field, unsigned count)
{
	char text[16];

	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%02u", i);
		rule_match_text(match, field, text);
	}
}

START_TEST(combinations_of_a_rule_are_bounded)
{
	put_set(LP_RULE_TOPIC, 32);
	put_set(LP_RULE_GROUP, 32);
	rules_built_add(1, 10, LP_RULE_DENY);
	put_set(LP_RULE_CLIENT_ID, 2);
	put_set(LP_RULE_TOPIC, 19);
	put_set(LP_RULE_GROUP, 27);
	ck_assert_int_eq(
	    rules_built_try_add(2, 10, LP_RULE_DENY, false), -ENOSPC);
	ck_assert_str_eq(rules_built.why,
	    "rule 2: 1026 combinations of its values, more than 1024: split "
	    "it");
}
END_TEST

START_TEST(entries_are_bounded)
{
	uint32_t full = LP_RULES_ENTRIES_MAX / LP_RULES_COMBINATIONS_MAX;

	for (uint32_t i = 0; i <= full; i++) {
		put_set(LP_RULE_TOPIC, 32);
		put_set(LP_RULE_GROUP, 32);
		rules_built_add(i + 1, 10, LP_RULE_OBSERVE);
	}
	ck_assert_int_eq(rules_built_try_build(), -ENOSPC);
	ck_assert_str_eq(rules_built.why,
	    "rule 2049: one more combination of values than 2097152 over all "
	    "rules");
}
END_TEST

START_TEST(rules_are_bounded)
{
	for (uint32_t i = 0; i < LP_RULES_MAX; i++)
		rules_built_add(i + 1, 10, LP_RULE_DENY);
	ck_assert_int_eq(
	    rules_built_try_add(7, 10, LP_RULE_DENY, false), -ENOSPC);
	ck_assert_str_eq(rules_built.why,
	    "rule 7: there are 100000 rules already, which is the limit");
	rules_built_build();
	/* All are covered by the first. */
	ck_assert_uint_eq(rules_built.rules->entry_count, 1);
	ck_assert_uint_eq(rules_built.rules->action_count, 1);
}
END_TEST

START_TEST(what_cannot_be_compiled_is_named)
{
	char text[LP_RULES_TEXT_MAX + 1];

	memset(text, 'x', sizeof(text));
	rule_match_bytes(
	    match, LP_RULE_TOPIC, true, text, LP_RULES_TEXT_MAX + 1);
	ck_assert_int_eq(
	    rules_built_try_add(5, 1, LP_RULE_DENY, false), -EINVAL);
	ck_assert_str_eq(rules_built.why,
	    "rule 5: \"xxxxxxxxxxxxxxxx...\" has 256 bytes, and of a "
	    "request's texts only 255 are read");
	rule_match_text(match, LP_RULE_PORT, "eth0");
	ck_assert_int_eq(
	    rules_built_try_add(6, 1, LP_RULE_RESET, false), -ENOENT);
	ck_assert_str_eq(rules_built.why, "rule 6: there is no port \"eth0\"");
	rules_built_add(7, 1, LP_RULE_DENY);
	rules_built_add(7, 1, LP_RULE_ALLOW);
	ck_assert_int_eq(rules_built_try_build(), -EEXIST);
	ck_assert_str_eq(rules_built.why, "rule 7: is there twice");
}
END_TEST

/* Everything that can be needed: 0, or the error. */
static int
compile(void)
{
	int error = rules_built_try_open();

	for (uint32_t i = 0; !error && i < 40; i++) {
		rule_match_range(match, LP_RULE_SRC_PORT, i, 2 * i + 1);
		error = rules_built_try_add(
		    2 * i + 1, 10, LP_RULE_ROUTE, i % 2 != 0);
		if (error)
			break;
		put_set(LP_RULE_TOPIC, i % 20 + 1);
		rule_match_range(match, LP_RULE_FRAME_SIZE, i, 100);
		error =
		    rules_built_try_add(2 * i + 2, 10, LP_RULE_LIMIT, false);
	}
	return error ? error : rules_built_try_build();
}

START_TEST(an_allocation_that_fails_is_said)
{
	long n;
	int error = -ENOMEM;

	for (n = 1; error; n++) {
		allocations = n;
		error = compile();
		if (error) {
			ck_assert_int_eq(error, -ENOMEM);
			ck_assert_int_eq(allocations, 0);
			ck_assert_ptr_null(rules_built.rules);
		}
	}
	ck_assert_int_gt(n, 30);
	ck_assert_uint_eq(rules_built.rules->row_count, 80);
}
END_TEST

/* No key has the place of another, and all are found in their filter. */
static void
place(uint32_t count)
{
	uint32_t word_count = lp_rules_places_words(count);
	uint32_t place_count = lp_rules_places_count(count);
	uint64_t *hashes = calloc(count, sizeof(*hashes));
	uint64_t *words = calloc(word_count, sizeof(*words));
	uint32_t *found = calloc(count, sizeof(*found));
	bool *taken = calloc(place_count, sizeof(*taken));
	uint64_t chance = count;

	for (uint32_t i = 0; i < count; i++)
		hashes[i] = random_next(&chance);
	ck_assert_int_eq(__real_lp_rules_places_find(
			     &(struct lp_rules_places){.hashes = hashes,
				 .key_count = count,
				 .words = words,
				 .word_count = word_count,
				 .place_count = place_count,
				 .place = found}),
	    0);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t word =
		    words[lp_rules_hash_word(hashes[i], word_count)];
		uint64_t bits = lp_rules_hash_bits(hashes[i]);

		ck_assert_uint_eq(word & bits, bits);
		ck_assert_uint_eq(found[i],
		    lp_rules_hash_place(hashes[i], word, place_count));
		ck_assert_uint_lt(found[i], place_count);
		ck_assert(!taken[found[i]]);
		taken[found[i]] = true;
	}
	free(hashes);
	free(words);
	free(found);
	free(taken);
}

START_TEST(every_key_has_a_place)
{
	for (uint32_t count = 1; count < 200; count++)
		place(count);
	place(LP_RULES_MAX);
}
END_TEST

START_TEST(equal_hashes_have_no_places)
{
	const uint64_t hashes[] = {7, UINT64_C(1) << 63, 7};
	uint64_t words[1] = {0};
	uint32_t found[3];
	struct lp_rules_places places = {.hashes = hashes,
	    .key_count = 3,
	    .words = words,
	    .word_count = lp_rules_places_words(3),
	    .place_count = lp_rules_places_count(3),
	    .place = found};

	ck_assert_uint_eq(places.word_count, 1);
	ck_assert_int_eq(__real_lp_rules_places_find(&places), -EAGAIN);
}
END_TEST

START_TEST(another_seed_keeps_keys_apart)
{
	struct lp_rules_connection connection;
	struct lp_rules_request request;
	struct lp_rules_found found;

	rule_match_text(match, LP_RULE_TOPIC, "orders");
	rules_built_add(1, 10, LP_RULE_ALLOW);
	rules_built_add(2, 5, LP_RULE_RESET);
	same_hashes = 2;
	rules_built_build();
	ck_assert_uint_eq(same_hashes, 0);
	rule_match_connection(&connection);
	rule_match_request(&request);
	rule_match_set(&request, LP_RULES_TOPIC, "orders");
	lp_rules_request(rules_built.rules, &connection, &request, &found);
	ck_assert_uint_eq(rules_built.rules->rows[found.decides].id, 1);
	rule_match_set(&request, LP_RULES_TOPIC, "others");
	lp_rules_request(rules_built.rules, &connection, &request, &found);
	ck_assert_uint_eq(rules_built.rules->rows[found.decides].id, 2);
}
END_TEST

/* An address that makes a factor of its hash 0 (rules_hash.h). */
START_TEST(no_addresses_have_one_hash_with_every_seed)
{
	struct lp_prefix prefix = {
	    .ip = {.bytes = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0xe7, 3, 0x7e,
		       0xd1, 0xa0, 0xb4, 0x28, 0xdb}},
	    .len = 128};

	for (uint8_t i = 0; i < 9; i++) {
		prefix.ip.bytes[7] = i;
		rule_match_address(match, LP_RULE_SRC, &prefix);
		rules_built_add(i + 1, 10, LP_RULE_DENY);
	}
	ck_assert_msg(rules_built_try_build() == 0, "%s", rules_built.why);
}
END_TEST

START_TEST(seeds_are_bounded)
{
	rules_built_add(1, 10, LP_RULE_DENY);
	same_hashes = 100;
	ck_assert_int_eq(rules_built_try_build(), -EAGAIN);
	ck_assert_uint_eq(same_hashes, 96);
	ck_assert_str_eq(rules_built.why,
	    "two values of rules have the same hash, with each of 4 seeds");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rules_limits");
	TCase *tcase = tcase_create("rules_limits");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, tuples_are_bounded);
	tcase_add_test(tcase, one_tuple_too_many_is_refused);
	tcase_add_test(tcase, lengths_of_prefixes_are_bounded);
	tcase_add_test(tcase, combinations_of_a_rule_are_bounded);
	tcase_add_test(tcase, entries_are_bounded);
	tcase_add_test(tcase, rules_are_bounded);
	tcase_add_test(tcase, what_cannot_be_compiled_is_named);
	tcase_add_test(tcase, an_allocation_that_fails_is_said);
	tcase_add_test(tcase, every_key_has_a_place);
	tcase_add_test(tcase, equal_hashes_have_no_places);
	tcase_add_test(tcase, another_seed_keeps_keys_apart);
	tcase_add_test(tcase, no_addresses_have_one_hash_with_every_seed);
	tcase_add_test(tcase, seeds_are_bounded);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
