/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of rules is what they say, whatever is asked. */
#include "dataplane/pipeline/rules_cache.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/random.h"
#include "tests/support/rule_match.h"
#include "tests/support/rules_built.h"

static struct lp_rule_match *const match = &rules_built.match;
static struct lp_rules_connection connection;
static struct lp_rules_request request;
static struct lp_rules_found found;

static struct lp_rules_cache cache;
static lp_counter remembered, forgotten;

/* Denials of topics by prefixes of so many lengths, and one who looks on. */
static void
build(unsigned lengths, bool sizes)
{
	static const char letters[] =
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

	rules_built_open();
	for (unsigned i = 1; i <= lengths; i++) {
		rule_match_bytes(match, LP_RULE_TOPIC, true, letters, i);
		rules_built_add(i, (uint16_t)(100 + i), LP_RULE_DENY);
	}
	if (sizes) {
		rule_match_text(match, LP_RULE_TOPIC, "size");
		rule_match_range(match, LP_RULE_FRAME_SIZE, 1000, 2000);
		rules_built_add(99, 50, LP_RULE_DENY);
	}
	rule_match_text(match, LP_RULE_TOPIC, "aa*");
	rules_built_add(77, 400, LP_RULE_OBSERVE);
	rules_built_build();
}

static void
open_cache(void)
{
	cache.places = calloc(LP_RULES_CACHE_PLACES, sizeof(*cache.places));
	ck_assert_ptr_nonnull(cache.places);
	cache.found = &remembered;
	cache.missed = &forgotten;
	remembered = forgotten = 0;
	rule_match_connection(&connection);
	rule_match_request(&request);
}

static void
close_cache(void)
{
	free(cache.places);
	rules_built_close();
}

/* Through the cache it is the same. */
static void
ask(uint64_t stamp)
{
	struct lp_rules_found kept;

	lp_rules_request(rules_built.rules, &connection, &request, &found);
	lp_rules_cache_request(
	    &cache, stamp, rules_built.rules, &connection, &request, &kept);
	ck_assert_uint_eq(kept.decides, found.decides);
	ck_assert_uint_eq(kept.seen_count, found.seen_count);
	for (uint32_t i = 0; i < found.seen_count; i++)
		ck_assert_uint_eq(kept.seen[i], found.seen[i]);
	ck_assert_uint_eq(kept.more, found.more);
	ck_assert_int_eq(kept.no_create, found.no_create);
	ck_assert_int_eq(kept.later, found.later);
}

static void
ask_topic(const char *topic)
{
	rule_match_set(&request, LP_RULES_TOPIC, topic);
	ask(1);
}

START_TEST(what_is_asked_again_is_remembered)
{
	open_cache();
	build(30, false);
	ask_topic("aaaab");
	ck_assert_uint_ne(found.decides, LP_RULES_NONE);
	ck_assert_uint_eq(found.seen_count, 1);
	ck_assert_uint_eq(forgotten, 1);
	ask_topic("aaaab");
	ck_assert_uint_eq(remembered, 1);
	/* And that nothing decides, too. */
	ask_topic("b");
	ask_topic("b");
	ck_assert_uint_eq(found.decides, LP_RULES_NONE);
	ck_assert_uint_eq(remembered, 2);
	/* The size is not asked for. */
	request.frame_size++;
	ask_topic("b");
	ck_assert_uint_eq(remembered, 3);
	close_cache();
}
END_TEST

/* Whatever rules can ask for makes another question. */
START_TEST(each_field_makes_another_question)
{
	open_cache();
	build(30, true);
	ask_topic("aa");
	connection.src_port++;
	ask_topic("aa");
	connection.src.bytes[15]++;
	ask_topic("aa");
	connection.broker++;
	ask_topic("aa");
	request.api++;
	ask_topic("aa");
	request.version++;
	ask_topic("aa");
	request.acks = 1;
	ask_topic("aa");
	request.from = LP_RULE_FROM_BROKER;
	ask_topic("aa");
	request.undenied = LP_RULES_UNDENIED;
	ask_topic("aa");
	request.frame_size++; /* one rule asks for it */
	ask_topic("aa");
	rule_match_set(&request, LP_RULES_CLIENT_ID, "a");
	ask_topic("aa");
	/* Texts that are the same in a row are not the same. */
	rule_match_set(&request, LP_RULES_CLIENT_ID, "aa");
	ask_topic("a");
	rule_match_set(&request, LP_RULES_CLIENT_ID, "");
	ask_topic("aaa");
	request.text[LP_RULES_CLIENT_ID].bytes = NULL;
	ask_topic("aaa");
	request.text[LP_RULES_TOPIC].cut = true;
	ask(1);
	ck_assert_uint_eq(remembered, 0);
	ck_assert_uint_eq(forgotten, 15);
	close_cache();
}
END_TEST

START_TEST(another_generation_knows_nothing_of_the_one_before)
{
	open_cache();
	build(30, false);
	ask_topic("aaaa");
	ask(2);
	ck_assert_uint_eq(remembered, 0);
	rules_built_close();
	build(20, true);
	ask(3);
	ask(3);
	ck_assert_uint_eq(remembered, 1);
	close_cache();
}
END_TEST

START_TEST(rules_of_few_shapes_are_asked_each_time)
{
	open_cache();
	build(LP_RULES_TUPLES_MANY - 1, false);
	ck_assert(!rules_built.rules->many);
	ask_topic("aaaa");
	ask_topic("aaaa");
	ck_assert_uint_eq(remembered + forgotten, 0);
	close_cache();
}
END_TEST

START_TEST(what_is_too_long_is_not_kept)
{
	char topic[LP_RULES_CACHE_TEXT + 2];

	open_cache();
	build(30, false);
	memset(topic, 'a', sizeof(topic));
	topic[LP_RULES_CACHE_TEXT] = '\0';
	ask_topic(topic);
	ask_topic(topic);
	ck_assert_uint_eq(remembered, 1);
	topic[LP_RULES_CACHE_TEXT] = 'a';
	topic[LP_RULES_CACHE_TEXT + 1] = '\0';
	ask_topic(topic);
	ask_topic(topic);
	ck_assert_uint_eq(remembered, 1);
	ck_assert_uint_eq(forgotten, 1);
	close_cache();
}
END_TEST

/* More of them than there are places. */
START_TEST(of_whatever_is_asked_it_says_what_rules_say)
{
	static char topics[64][48];
	uint64_t chance = 1;

	open_cache();
	build(40, true);
	for (unsigned i = 0; i < 64; i++) {
		unsigned len = i % 45;

		memset(topics[i], 'a', len);
		snprintf(topics[i] + len, 3, "%u", i / 45);
	}
	for (unsigned i = 0; i < 60000; i++) {
		uint64_t some = random_next(&chance);

		connection.src_port = (uint16_t)(some % 100);
		request.frame_size = (uint32_t)(some >> 8) % 2 * 1500;
		rule_match_set(
		    &request, LP_RULES_TOPIC, topics[some >> 16 & 63]);
		ask(1 + (some >> 32) % 2);
	}
	ck_assert_uint_gt(remembered, 1000);
	ck_assert_uint_gt(forgotten, LP_RULES_CACHE_PLACES);
	close_cache();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rules_cache");
	TCase *tcase = tcase_create("rules_cache");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, what_is_asked_again_is_remembered);
	tcase_add_test(tcase, each_field_makes_another_question);
	tcase_add_test(
	    tcase, another_generation_knows_nothing_of_the_one_before);
	tcase_add_test(tcase, rules_of_few_shapes_are_asked_each_time);
	tcase_add_test(tcase, what_is_too_long_is_not_kept);
	tcase_add_test(tcase, of_whatever_is_asked_it_says_what_rules_say);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
