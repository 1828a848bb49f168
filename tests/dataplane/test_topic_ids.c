/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/topic_ids.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/telemetry.h"

static struct lp_telemetry *telemetry;
static struct lp_topic_ids *ids;
static struct lp_kafka_stats *stats;

struct uuid {
	uint8_t bytes[LP_TOPIC_ID_SIZE];
};

static void
setup(void)
{
	telemetry = telemetry_open(NULL, NULL);
	ids = &telemetry->topic_ids;
	stats = telemetry->stats;
}

static void
teardown(void)
{
	telemetry_close(telemetry);
}

static struct uuid
uuid_of(uint32_t n)
{
	struct uuid uuid = {.bytes = "topic id number"};

	memcpy(uuid.bytes, &n, sizeof(n));
	return uuid;
}

static void
learn(uint32_t cluster, uint32_t n, const char *name)
{
	lp_topic_ids_learn(ids, cluster, uuid_of(n).bytes,
	    (const uint8_t *)name, (uint16_t)strlen(name));
}

/* "" if it is not known. */
static const char *
name_of(uint32_t cluster, uint32_t n)
{
	static char text[LP_TOPIC_NAME_MAX + 1];
	const uint8_t *name = (const uint8_t *)"";
	uint16_t len = 0;

	if (lp_topic_ids_find(ids, cluster, uuid_of(n).bytes, &name, &len))
		ck_assert_uint_ne(len, 0);
	memcpy(text, name, len);
	text[len] = '\0';
	return text;
}

START_TEST(a_name_is_learnt)
{
	ck_assert_str_eq(name_of(1, 5), "");
	ck_assert_uint_eq(lp_count_get(&stats->counters.topic_ids_unknown), 1);
	learn(1, 5, "payments");
	learn(1, 6, "orders");
	learn(2, 5, "elsewhere");
	learn(1, 5, "payments");
	ck_assert_str_eq(name_of(1, 5), "payments");
	ck_assert_str_eq(name_of(1, 6), "orders");
	ck_assert_str_eq(name_of(2, 5), "elsewhere");
	ck_assert_str_eq(name_of(2, 6), "");
	ck_assert_uint_eq(lp_count_get(&stats->counters.topic_ids), 3);
}
END_TEST

START_TEST(an_id_has_its_last_name)
{
	learn(1, 5, "payments");
	learn(1, 5, "pay");
	ck_assert_str_eq(name_of(1, 5), "pay");
	/* Deleted and made anew: the same name, another id. */
	learn(1, 6, "pay");
	ck_assert_str_eq(name_of(1, 6), "pay");
	ck_assert_str_eq(name_of(1, 5), "pay");
	ck_assert_uint_eq(lp_count_get(&stats->counters.topic_ids), 2);
}
END_TEST

static void
tell(uint32_t cluster, uint32_t n, const char *name)
{
	lp_topic_ids_tell(ids, cluster, uuid_of(n).bytes, (const uint8_t *)name,
	    (uint16_t)strlen(name));
}

START_TEST(who_is_told_keeps_what_it_knows)
{
	learn(1, 5, "payments");
	tell(1, 5, "pay");
	tell(1, 6, "orders");
	tell(1, 6, "sales");
	ck_assert_str_eq(name_of(1, 5), "payments");
	ck_assert_str_eq(name_of(1, 6), "orders");
	ck_assert_uint_eq(lp_count_get(&stats->counters.topic_ids), 2);
	ck_assert_uint_eq(lp_count_get(&stats->counters.topic_ids_learnt), 1);
	ck_assert_uint_eq(lp_count_get(&stats->counters.topic_ids_told), 1);
	/* A broker knows better. */
	learn(1, 6, "sales");
	ck_assert_str_eq(name_of(1, 6), "sales");
	ck_assert_uint_eq(lp_count_get(&stats->counters.topic_ids), 2);
}
END_TEST

/* Cut off in the middle of a name, and behind the last byte of one. */
START_TEST(a_process_may_be_killed)
{
	learn(1, 5, "payments");
	learn(1, 6, "orders");
	learn(1, 7, "sales");
	lp_count_set(&stats->topic_ids[1].serial, 5);
	lp_count_set(&stats->topic_ids_serial, 4);
	telemetry_restart(telemetry);
	ck_assert_str_eq(name_of(1, 5), "payments");
	ck_assert_str_eq(name_of(1, 6), "");
	ck_assert_str_eq(name_of(1, 7), "sales");
	ck_assert_uint_eq(lp_count_get(&stats->counters.topic_ids), 2);
	ck_assert_uint_eq(lp_count_get(&stats->topic_ids_serial), 6);
	learn(1, 6, "orders");
	ck_assert_str_eq(name_of(1, 6), "orders");
	ck_assert_uint_eq(lp_count_get(&stats->topic_ids_serial), 8);
}
END_TEST

static bool
feed(uint32_t n)
{
	struct lp_topic_id_value value = {.cluster_id = 1, .name_len = 3};

	memcpy(value.uuid, uuid_of(n).bytes, sizeof(value.uuid));
	memcpy(value.name, "fed", 3);
	return lp_topic_feed_put(telemetry->topic_feed, &value);
}

START_TEST(the_worker_takes_in_a_few_a_turn)
{
	for (uint32_t i = 0; i < LP_TOPIC_FEED_SIZE; i++)
		ck_assert(feed(i));
	ck_assert(!feed(LP_TOPIC_FEED_SIZE));
	lp_telemetry_turn(telemetry);
	ck_assert_uint_eq(
	    lp_count_get(&stats->counters.topic_ids), LP_TOPIC_FEED_STEP);
	for (uint32_t i = 0; i < LP_TOPIC_FEED_STEP; i++)
		ck_assert(feed(LP_TOPIC_FEED_SIZE + i));
	ck_assert(!feed(2 * LP_TOPIC_FEED_SIZE));
	while (lp_topic_feed_waits(telemetry->topic_feed))
		lp_telemetry_turn(telemetry);
	ck_assert_uint_eq(lp_count_get(&stats->counters.topic_ids_told),
	    LP_TOPIC_FEED_SIZE + LP_TOPIC_FEED_STEP);
	ck_assert_str_eq(name_of(1, LP_TOPIC_FEED_SIZE), "fed");
}
END_TEST

START_TEST(what_no_topic_has_is_ignored)
{
	static const uint8_t zero[LP_TOPIC_ID_SIZE];
	uint8_t name[LP_TOPIC_NAME_MAX + 1];

	memset(name, 'n', sizeof(name));
	lp_topic_ids_learn(ids, 1, zero, name, 4);
	lp_topic_ids_learn(ids, 1, uuid_of(5).bytes, name, 0);
	lp_topic_ids_learn(ids, 1, uuid_of(5).bytes, name, sizeof(name));
	ck_assert_uint_eq(lp_count_get(&stats->counters.topic_ids), 0);
	lp_topic_ids_learn(ids, 1, uuid_of(5).bytes, name, LP_TOPIC_NAME_MAX);
	ck_assert_uint_eq(strlen(name_of(1, 5)), LP_TOPIC_NAME_MAX);
}
END_TEST

static void
fill(void)
{
	char name[16];

	for (uint32_t i = 0; i < LP_TOPIC_IDS_MAX; i++) {
		snprintf(name, sizeof(name), "topic-%u", i);
		learn(1, i, name);
	}
	ck_assert_uint_eq(
	    lp_count_get(&stats->counters.topic_ids), LP_TOPIC_IDS_MAX);
	ck_assert_uint_eq(lp_count_get(&stats->counters.topic_ids_replaced), 0);
}

START_TEST(a_hundred_thousand_topics_have_room)
{
	char name[16];

	fill();
	for (uint32_t i = 0; i < LP_TOPIC_IDS_MAX; i++) {
		snprintf(name, sizeof(name), "topic-%u", i);
		ck_assert_str_eq(name_of(1, i), name);
	}
	telemetry_restart(telemetry);
	ck_assert_str_eq(name_of(1, 0), "topic-0");
	ck_assert_str_eq(name_of(1, LP_TOPIC_IDS_MAX - 1), "topic-131071");
	ck_assert_uint_eq(
	    lp_count_get(&stats->counters.topic_ids), LP_TOPIC_IDS_MAX);
}
END_TEST

START_TEST(a_full_table_forgets_what_was_not_asked)
{
	fill();
	for (uint32_t i = 0; i < LP_TOPIC_IDS_MAX; i += 2)
		name_of(1, i);
	for (uint32_t i = 0; i < 1000; i++) {
		learn(2, i, "new");
		ck_assert_str_eq(name_of(2, i), "new");
	}
	for (uint32_t i = 0; i < 2000; i++)
		ck_assert_int_eq(*name_of(1, i) == '\0', i % 2 == 1);
	ck_assert_uint_eq(
	    lp_count_get(&stats->counters.topic_ids), LP_TOPIC_IDS_MAX);
	ck_assert_uint_eq(
	    lp_count_get(&stats->counters.topic_ids_replaced), 1000);
}
END_TEST

/* All were asked: learning costs no more than eight looks. */
START_TEST(a_full_table_always_learns)
{
	fill();
	for (uint32_t i = 0; i < LP_TOPIC_IDS_MAX; i++)
		name_of(1, i);
	learn(2, 1, "new");
	ck_assert_str_eq(name_of(2, 1), "new");
	ck_assert_str_eq(name_of(1, 7), "topic-7");
	ck_assert_str_eq(name_of(1, 8), "");
	ck_assert_str_eq(name_of(1, 9), "topic-9");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("topic_ids");
	TCase *tcase = tcase_create("topic_ids");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_name_is_learnt);
	tcase_add_test(tcase, an_id_has_its_last_name);
	tcase_add_test(tcase, who_is_told_keeps_what_it_knows);
	tcase_add_test(tcase, a_process_may_be_killed);
	tcase_add_test(tcase, the_worker_takes_in_a_few_a_turn);
	tcase_add_test(tcase, what_no_topic_has_is_ignored);
	tcase_add_test(tcase, a_hundred_thousand_topics_have_room);
	tcase_add_test(tcase, a_full_table_forgets_what_was_not_asked);
	tcase_add_test(tcase, a_full_table_always_learns);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
