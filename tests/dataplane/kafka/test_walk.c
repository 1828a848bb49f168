/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages written by hand (tests/support/message.h); what no hand can write is
 * in conform.c.
 */
#include "dataplane/kafka/walk.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kafka/names.h"
#include "tests/support/facts.h"
#include "tests/support/message.h"

enum { SIZE = 8192, PRODUCE = 0, FETCH = 1, METADATA = 3, API_VERSIONS = 18 };

static uint8_t bytes[SIZE];
static uint32_t len;
static struct facts facts;

static void
make(const char *text)
{
	len = message_make(bytes, SIZE, text);
}

static struct facts_frame
frame(int16_t key, int16_t version, bool response)
{
	return (struct facts_frame){.key = key,
	    .version = version,
	    .response = response,
	    .bytes = bytes,
	    .len = len};
}

/* In one piece, and at every border in two, and in single bytes. */
static void
expect(const struct facts_frame *f, const char *text)
{
	uint32_t cuts[SIZE];

	facts_walk(&facts, f, NULL, 0, false);
	ck_assert_str_eq(facts.text, text);
	for (uint32_t i = 0; i < f->len; i++) {
		cuts[i] = i;
		facts_walk(&facts, f, &i, 1, false);
		ck_assert_str_eq(facts.text, text);
		facts_walk(&facts, f, &i, 1, true);
		ck_assert_str_eq(facts.text, text);
	}
	facts_walk(&facts, f, cuts, f->len, false);
	ck_assert_str_eq(facts.text, text);
	facts_walk(&facts, f, cuts, f->len, true);
	ck_assert_str_eq(facts.text, text);
}

/* All of them. */
static void
request(int16_t key, int16_t version, const char *message, const char *text)
{
	struct facts_frame f;
	char whole[SIZE];

	snprintf(
	    whole, sizeof(whole), "2:%d 2:%d 4:99 %s", key, version, message);
	make(whole);
	f = frame(key, version, false);
	expect(&f, text);
}

static void
response(int16_t key, int16_t version, const char *message, const char *text)
{
	struct facts_frame f;
	char whole[SIZE];

	snprintf(whole, sizeof(whole), "4:99 %s", message);
	make(whole);
	f = frame(key, version, true);
	expect(&f, text);
}

static void
setup(void)
{
	len = 0;
}

static void
teardown(void)
{
	facts_free(&facts);
}

START_TEST(a_produce_tells_topics_partitions_and_sizes)
{
	/* client, transactional id, acks, timeout, topics, partitions */
	request(PRODUCE, 3,
	    "'c1' 2:-1 2:-1 4:1500 4:2 "
	    "'a' 4:2 4:0 4:3 010203 4:7 4:-1 'b' 4:0",
	    "client_id@14=6331 transactional_id@18=null acks@18=-1 "
	    "topic_begin@28 topic_name@30=61 partition@35=0 records@43=3 "
	    "partition@46=7 records@54=null topic_end@54 topic_begin@54 "
	    "topic_name@56=62 topic_end@61");
	request(PRODUCE, 9,
	    "2:-1 00 \"tx\" 2:1 4:1500 02 \"a\" 02 4:5 04 010203 00 00 00",
	    "client_id@14=null transactional_id@16=7478 acks@18=1 "
	    "topic_begin@25 topic_name@26=61 partition@28=5 records@33=3 "
	    "topic_end@38");
}
END_TEST

START_TEST(a_topic_is_an_id_from_produce_13_on)
{
	request(PRODUCE, 13,
	    "'' 00 00 2:0 4:1500 02 000102030405060708090a0b0c0d0e0f "
	    "02 4:1 01 00 00 00",
	    "client_id@14= transactional_id@16=null acks@16=0 "
	    "topic_begin@23 topic_id@23=000102030405060708090a0b0c0d0e0f "
	    "partition@40=1 records@45=0 topic_end@47");
}
END_TEST

START_TEST(a_metadata_response_tells_brokers_and_topics)
{
	response(METADATA, 1,
	    "4:1 4:7 'h1' 4:9092 2:-1 4:7 "
	    "4:1 2:3 't' 00 4:1 2:5 4:2 4:7 4:1 4:7 4:1 4:7",
	    "endpoints@8=1 node_id@12=7 host@18=6831 port@20=9092 rack@26=null "
	    "topic_begin@34 error_code@34=3 topic_name@38=74 "
	    "error_code@44=5 partition@46=2 topic_end@70");
}
END_TEST

START_TEST(a_null_array_of_topics_is_told)
{
	request(METADATA, 4, "'c' 4:-1 01",
	    "client_id@14=63 topics_null@19 auto_creation@19=1");
	request(METADATA, 9, "'c' 00 00 00 01 01 00",
	    "client_id@14=63 topics_null@17 auto_creation@17=0");
}
END_TEST

START_TEST(names_alone_are_topics_too)
{
	/* DeleteTopics v1: an array of strings. */
	request(20, 1, "'c' 4:2 'a' 'b' 4:100",
	    "client_id@14=63 topic_begin@19 topic_name@21=61 topic_end@22 "
	    "topic_begin@22 topic_name@24=62 topic_end@25");
}
END_TEST

START_TEST(forgotten_topics_are_topics)
{
	request(FETCH, 7,
	    "'c' 4:-1 4:500 4:1 4:52428800 00 4:0 4:1 4:0 "
	    "4:1 'f' 4:2 4:3 4:4",
	    "client_id@14=63 replica_id@15=-1 max_wait@19=500 min_bytes@23=1 "
	    "session_id@32=0 session_epoch@36=1 topic_begin@48 "
	    "topic_name@50=66 partition@55=3 partition@59=4 topic_end@63");
}
END_TEST

START_TEST(records_of_a_fetch_are_skipped)
{
	response(FETCH, 4,
	    "4:100 4:1 't' 4:1 4:0 2:0 8:1000 8:1000 4:1 8:1 8:2 "
	    "4:5 0102030405",
	    "throttle_time@8=100 topic_begin@16 topic_name@18=74 "
	    "partition@23=0 error_code@27=0 records@69=5 topic_end@74");
}
END_TEST

START_TEST(tags_that_are_known_are_walked_and_others_skipped)
{
	/* Fetch v16: topics empty, then tags 9 (unknown) and 0. */
	response(FETCH, 16,
	    "00 4:0 2:0 4:0 01 02 09 03 aabbcc "
	    "00 11 02 4:5 \"host\" 4:9093 \"r\" 00",
	    "throttle_time@9=0 error_code@13=0 session_id@15=0 "
	    "hidden_tag@26=0 hidden_size@27=17 endpoints@28=1 node_id@29=5 "
	    "host@34=686f7374 port@38=9093 rack@43=72");
}
END_TEST

START_TEST(a_tag_that_is_longer_than_its_value_is_bad)
{
	response(FETCH, 16,
	    "00 4:0 2:0 4:0 01 01 00 12 02 4:5 \"host\" 4:9093 \"r\" 00 00",
	    "throttle_time@9=0 error_code@13=0 session_id@15=0 "
	    "hidden_tag@21=0 hidden_size@22=18 endpoints@23=1 node_id@24=5 "
	    "host@29=686f7374 port@33=9093 rack@38=72 bad");
}
END_TEST

START_TEST(brokers_are_counted_where_there_are_none)
{
	/* null, empty; the counts that are longer than they need to be. */
	response(METADATA, 0, "4:-1 4:0", "endpoints@8=-1");
	response(METADATA, 0, "4:0 4:0", "endpoints@8=0");
	response(METADATA, 9, "00 4:0 00 00 4:1 01 4:0 00",
	    "throttle_time@9=0 endpoints@13=-1 cluster_id@15=null");
	response(METADATA, 9, "00 4:0 818000 00 4:1 01 4:0 00",
	    "throttle_time@9=0 endpoints@13=0 cluster_id@17=null");
	response(FETCH, 16, "00 4:0 2:0 4:0 01 01 808000 8100 01",
	    "throttle_time@9=0 error_code@13=0 session_id@15=0 "
	    "hidden_tag@21=0 hidden_size@24=1 endpoints@26=0");
}
END_TEST

START_TEST(an_array_that_can_be_hidden_is_told_at_its_first_byte)
{
	struct lp_cursor in;
	struct lp_fact fact;
	struct lp_walk walk;

	/* ShareAcknowledge v1: a count of two bytes. */
	response(79, 1, "00 4:0 2:0 00 01 8200 4:5 \"h\" 4:9 00 00 00",
	    "throttle_time@9=0 error_code@13=0 hidden_array@17=130 "
	    "endpoints@17=1 node_id@19=5 host@24=68 port@25=9 rack@30=null");
	in = (struct lp_cursor){.at = bytes + 8, .end = bytes + 18};
	lp_walk_response(&walk, 79, 1, len - 4);
	while (lp_walk_next(&walk, &in, &fact) == LP_WALK_FACT)
		ck_assert_uint_ne(fact.kind, LP_FACT_ENDPOINTS);
	ck_assert_uint_eq(fact.kind, LP_FACT_HIDDEN_ARRAY);
	ck_assert_uint_eq(fact.width, 1);
	in.end = bytes + len;
	ck_assert_int_eq(lp_walk_next(&walk, &in, &fact), LP_WALK_FACT);
	ck_assert_uint_eq(fact.kind, LP_FACT_ENDPOINTS);
	ck_assert_uint_eq(fact.width, 2);
	response(
	    79, 1, "00 4:0 2:0 00 01", "throttle_time@9=0 error_code@13=0 bad");
}
END_TEST

START_TEST(a_value_of_a_configuration_is_told_by_its_length)
{
	response(32, 1,
	    "4:0 4:1 2:0 2:-1 01 '1' 4:2 'listeners' 'ab' 00 01 00 4:1 "
	    "'port' 2:-1 05 'b' '' 00 01 00 4:0",
	    "throttle_time@8=0 error_code@16=0 error_message@20=null "
	    "resource_type@20=1 "
	    "resource_name@23=31 config_name@30=6c697374656e657273 "
	    "config_value@41=2 config_name@52=706f7274 config_value@58=null "
	    "config_name@61=62 config_value@64=0");
	response(32, 4,
	    "00 4:0 02 2:0 00 01 \"1\" 02 \"p\" \"abc\" 00 01 00 01 00 00 "
	    "00 00 00",
	    "throttle_time@9=0 error_code@14=0 error_message@17=null "
	    "resource_type@17=1 resource_name@19=31 config_name@22=70 "
	    "config_value@24=3");
}
END_TEST

START_TEST(features_are_told_with_their_ranges)
{
	response(API_VERSIONS, 3,
	    "2:0 01 4:0 02 00 08 02 \"f\" 2:1 2:2 00 02 08 02 \"f\" 2:2 2:1 "
	    "00",
	    "error_code@8=0 throttle_time@11=0 feature_name@20=66 "
	    "feature_min@21=1 feature_max@23=2 feature_name@30=66 "
	    "finalized_max@31=2 finalized_min@33=1");
}
END_TEST

START_TEST(an_answer_to_api_versions_has_the_old_header)
{
	response(API_VERSIONS, 3, "2:0 02 2:3 2:0 2:13 00 4:0 00",
	    "error_code@8=0 api_key@11=3 api_min@13=0 api_max@15=13 "
	    "throttle_time@18=0");
}
END_TEST

/* KIP-511: whatever version was asked for. */
START_TEST(an_unsupported_version_is_answered_in_version_0)
{
	for (int16_t version = 0; version <= 5; version++)
		response(API_VERSIONS, version, "2:35 4:1 2:18 2:0 2:3",
		    "error_code@8=35 api_key@14=18 api_min@16=0 api_max@18=3");
}
END_TEST

START_TEST(a_struct_that_may_be_null_is_walked)
{
	/* DescribeTopicPartitions v0: cursor null, cursor there. */
	request(75, 0, "'c' 00 02 \"t\" 00 4:2000 ff 00",
	    "client_id@14=63 topic_begin@17 topic_name@18=74 topic_end@20");
	request(75, 0, "'c' 00 01 4:2000 01 \"t\" 4:4 00 00",
	    "client_id@14=63 topic_begin@22 topic_name@23=74 partition@24=4 "
	    "topic_end@29");
}
END_TEST

START_TEST(controlled_shutdown_0_has_no_client_id)
{
	request(7, 0, "4:1", "");
	ck_assert_uint_eq(facts.count, 0);
}
END_TEST

START_TEST(a_long_text_is_told_in_part)
{
	char message[2 * 300 + 64] = "2:300 ", text[2 * 300 + 64];
	size_t at;

	for (unsigned i = 0; i < 300; i++)
		strcat(message, "61");
	strcat(message, " 4:-1 01");
	at = (size_t)sprintf(text, "client_id@14=");
	for (unsigned i = 0; i < LP_FACT_TEXT_MAX; i++)
		at += (size_t)sprintf(text + at, "61");
	sprintf(text + at, ":300 topics_null@318 auto_creation@318=1");
	request(METADATA, 4, message, text);
}
END_TEST

/* Each is wrong, and told so, whatever the border. */
static const struct {
	int16_t key, version;
	const char *message;
	const char *text;
} bad[] = {
    /* The frame ends before the message, and behind it. */
    {PRODUCE, 3, "'c' 2:-1 2:1 4:0",
	"client_id@14=63 transactional_id@17=null "
	"acks@17=1 bad"},
    {METADATA, 4, "'c' 4:-1 01 00",
	"client_id@14=63 topics_null@19 auto_creation@19=1 bad"},
    {METADATA, 4, "'c' 4:-1", "client_id@14=63 topics_null@19 bad"},
    /* Lengths: beyond the frame, below -1. */
    {METADATA, 4, "2:100 63", " bad"},
    {METADATA, 4, "2:-2 63", " bad"},
    {METADATA, 4, "'c' 4:-2 01", "client_id@14=63 bad"},
    {METADATA, 4, "'c' 4:0x7fffffff 01", "client_id@14=63 bad"},
    {PRODUCE, 3, "'c' 2:-1 2:1 4:0 4:1 'a' 4:1 4:0 4:9 0102",
	"client_id@14=63 transactional_id@17=null acks@17=1 topic_begin@27 "
	"topic_name@29=61 partition@34=0 bad"},
    /* Varints: of six bytes, above 32 bits, cut off by the frame. */
    {METADATA, 9, "'c' 808080808001", "client_id@14=63 bad"},
    {METADATA, 9, "'c' ffffffff1f", "client_id@14=63 bad"},
    {METADATA, 9, "'c' 8080", "client_id@14=63 bad"},
    /* More tags than bytes; a tag beyond the frame. */
    {METADATA, 9, "'c' 05 0000", "client_id@14=63 bad"},
    {METADATA, 9, "'c' 01 00 20 00 00", "client_id@14=63 bad"},
};

START_TEST(what_is_no_message_is_bad)
{
	request(bad[_i].key, bad[_i].version, bad[_i].message, bad[_i].text);
}
END_TEST

START_TEST(a_message_that_is_cut_off_wants_more)
{
	struct facts_frame f;

	make("2:3 2:4 4:99 'client' 4:1 'orders' 01");
	f = frame(METADATA, 4, false);
	for (f.len = 12; f.len < len; f.len++)
		ck_assert_int_eq(
		    facts_walk(&facts, &f, NULL, 0, false), LP_WALK_MORE);
	ck_assert_int_eq(facts_walk(&facts, &f, NULL, 0, false), LP_WALK_DONE);
}
END_TEST

START_TEST(what_follows_the_frame_is_not_touched)
{
	struct lp_cursor in;
	struct lp_fact fact;
	struct lp_walk walk;

	make("2:3 2:4 4:99 'c' 4:-1 01");
	in = (struct lp_cursor){.at = bytes + 12, .end = bytes + len + 100};
	lp_walk_request(&walk, METADATA, 4, len - 4);
	while (lp_walk_next(&walk, &in, &fact) == LP_WALK_FACT)
		;
	ck_assert_ptr_eq(in.at, bytes + len);
	ck_assert_uint_eq(lp_walk_skip(&walk), 0);
	ck_assert_int_eq(lp_walk_next(&walk, &in, &fact), LP_WALK_DONE);
}
END_TEST

START_TEST(a_text_in_one_piece_is_not_copied)
{
	struct lp_cursor in;
	struct lp_fact fact;
	struct lp_walk walk;

	make("2:3 2:4 4:99 'client' 4:-1 01");
	in = (struct lp_cursor){.at = bytes + 12, .end = bytes + len};
	lp_walk_request(&walk, METADATA, 4, len - 4);
	ck_assert_int_eq(lp_walk_next(&walk, &in, &fact), LP_WALK_FACT);
	ck_assert_ptr_eq(fact.bytes, bytes + 14);
}
END_TEST

START_TEST(records_are_skipped_by_arithmetic)
{
	struct lp_cursor in;
	struct lp_fact fact;
	struct lp_walk walk;

	/* A megabyte that never comes. */
	make("2:0 2:3 4:99 'c' 2:-1 2:1 4:0 4:1 'a' 4:1 4:0 4:1000000");
	in = (struct lp_cursor){.at = bytes + 12, .end = bytes + len};
	lp_walk_request(&walk, PRODUCE, 3, len - 4 + 1000000);
	while (lp_walk_next(&walk, &in, &fact) == LP_WALK_FACT)
		;
	ck_assert_int_eq(lp_walk_next(&walk, &in, &fact), LP_WALK_MORE);
	ck_assert_uint_eq(lp_walk_skip(&walk), 1000000);
	ck_assert_uint_eq(lp_walk_skip(&walk), 0);
	/* An empty cursor says that nothing follows. */
	ck_assert_int_eq(lp_walk_next(&walk, &in, &fact), LP_WALK_FACT);
	ck_assert_uint_eq(fact.kind, LP_FACT_TOPIC_END);
	ck_assert_uint_eq(fact.at, len + 1000000);
	ck_assert_int_eq(lp_walk_next(&walk, &in, &fact), LP_WALK_DONE);
}
END_TEST

START_TEST(the_tables_know_what_both_releases_know)
{
	struct lp_kafka_api api;

	ck_assert(lp_walk_knows(PRODUCE, 0));
	ck_assert(lp_walk_knows(PRODUCE, 13));
	ck_assert(!lp_walk_knows(PRODUCE, -1));
	ck_assert(!lp_walk_knows_key(-1));
	ck_assert(!lp_walk_knows_key(lp_kafka_api_count()));
	ck_assert(!lp_walk_knows_key(INT16_MAX));
	for (int16_t key = 0; key < lp_kafka_api_count(); key++) {
		ck_assert(lp_kafka_api(key, &api) == lp_walk_knows_key(key));
		if (!lp_walk_knows_key(key))
			continue;
		for (int16_t v = api.first; v <= api.last; v++)
			ck_assert(lp_walk_knows(key, v));
		ck_assert(!lp_walk_knows(key, (int16_t)(api.last + 1)));
		ck_assert(!lp_walk_knows(key, (int16_t)(api.first - 1)));
	}
}
END_TEST

START_TEST(numbers_have_kafkas_names)
{
	struct lp_kafka_api api;

	ck_assert(lp_kafka_api(FETCH, &api));
	ck_assert_str_eq(api.name, "Fetch");
	ck_assert_int_eq(api.flexible, 12);
	ck_assert(api.client && !api.addresses);
	/* Whose addresses have to be replaced, or must not be asked for. */
	for (int16_t key = 0; key < lp_kafka_api_count(); key++)
		if (lp_kafka_api(key, &api)) {
			ck_assert_int_eq(api.addresses,
			    key == METADATA || key == 10 || key == 60);
			ck_assert_int_eq(api.offered, key == 55 ? 1 : api.last);
		}
	/* Between brokers; never flexible; nobody's. */
	ck_assert(lp_kafka_api(27, &api) && !api.client);
	ck_assert(lp_kafka_api(17, &api) && api.flexible == -1);
	ck_assert(!lp_kafka_api(5000, &api));
	ck_assert_str_eq(lp_kafka_error_name(0), "NONE");
	ck_assert_str_eq(lp_kafka_error_name(-1), "UNKNOWN_SERVER_ERROR");
	ck_assert_str_eq(lp_kafka_error_name(6), "NOT_LEADER_OR_FOLLOWER");
	ck_assert_ptr_null(lp_kafka_error_name(-2));
	ck_assert_ptr_null(lp_kafka_error_name(INT16_MAX));
	ck_assert_str_eq(lp_fact_name(LP_FACT_TOPIC_NAME), "topic_name");
	ck_assert_ptr_null(lp_fact_name(LP_FACT_NONE));
	ck_assert_ptr_null(lp_fact_name(LP_FACT_KINDS));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("walk");
	TCase *tests = tcase_create("walk");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_produce_tells_topics_partitions_and_sizes);
	tcase_add_test(tests, a_topic_is_an_id_from_produce_13_on);
	tcase_add_test(tests, a_metadata_response_tells_brokers_and_topics);
	tcase_add_test(tests, a_null_array_of_topics_is_told);
	tcase_add_test(tests, names_alone_are_topics_too);
	tcase_add_test(tests, forgotten_topics_are_topics);
	tcase_add_test(tests, records_of_a_fetch_are_skipped);
	tcase_add_test(
	    tests, tags_that_are_known_are_walked_and_others_skipped);
	tcase_add_test(tests, a_tag_that_is_longer_than_its_value_is_bad);
	tcase_add_test(tests, brokers_are_counted_where_there_are_none);
	tcase_add_test(
	    tests, an_array_that_can_be_hidden_is_told_at_its_first_byte);
	tcase_add_test(tests, a_value_of_a_configuration_is_told_by_its_length);
	tcase_add_test(tests, features_are_told_with_their_ranges);
	tcase_add_test(tests, an_answer_to_api_versions_has_the_old_header);
	tcase_add_test(tests, an_unsupported_version_is_answered_in_version_0);
	tcase_add_test(tests, a_struct_that_may_be_null_is_walked);
	tcase_add_test(tests, controlled_shutdown_0_has_no_client_id);
	tcase_add_test(tests, a_long_text_is_told_in_part);
	tcase_add_loop_test(tests, what_is_no_message_is_bad, 0,
	    (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tests, a_message_that_is_cut_off_wants_more);
	tcase_add_test(tests, what_follows_the_frame_is_not_touched);
	tcase_add_test(tests, a_text_in_one_piece_is_not_copied);
	tcase_add_test(tests, records_are_skipped_by_arithmetic);
	tcase_add_test(tests, the_tables_know_what_both_releases_know);
	tcase_add_test(tests, numbers_have_kafkas_names);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
