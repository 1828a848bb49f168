/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/topic_id.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static bool
is_name(const char *name)
{
	return lp_topic_id_is_name((const uint8_t *)name, strlen(name));
}

START_TEST(names_are_those_that_kafka_allows)
{
	char name[LP_TOPIC_NAME_MAX + 2] = {0};

	ck_assert(is_name("__consumer_offsets"));
	ck_assert(is_name("a.b-C_9"));
	ck_assert(!is_name(""));
	ck_assert(!is_name("two words"));
	ck_assert(!is_name("a/b"));
	ck_assert(!is_name("\xc3\xa9t\xc3\xa9"));
	ck_assert(!lp_topic_id_is_name((const uint8_t *)"a\0b", 3));
	memset(name, 'n', LP_TOPIC_NAME_MAX);
	ck_assert(is_name(name));
	name[LP_TOPIC_NAME_MAX] = 'n';
	ck_assert(!is_name(name));
}
END_TEST

START_TEST(a_pair_crosses_and_is_the_same)
{
	struct lp_topic_id_pair pair = {.cluster_id = 7, .len = 6}, again;
	struct lp_topic_id_message holder;
	Lp__Pb__TopicId *message;
	uint8_t bytes[512];
	size_t len;

	memset(pair.uuid, 0x5a, sizeof(pair.uuid));
	memcpy(pair.name, "orders", 6);
	message = lp_topic_id_to_message(&holder, &pair);
	len = lp__pb__topic_id__pack(message, bytes);
	message = lp__pb__topic_id__unpack(NULL, len, bytes);
	ck_assert_ptr_nonnull(message);
	ck_assert(lp_topic_id_from_message(&again, message));
	ck_assert_mem_eq(&again, &pair, sizeof(pair));
	lp__pb__topic_id__free_unpacked(message, NULL);
}
END_TEST

START_TEST(what_is_no_topic_is_refused)
{
	struct lp_topic_id_pair pair = {.cluster_id = 7, .len = 6}, out;
	struct lp_topic_id_message holder;
	Lp__Pb__TopicId *message;

	memcpy(pair.name, "orders", 6);
	message = lp_topic_id_to_message(&holder, &pair);
	ck_assert(!lp_topic_id_from_message(&out, message)); /* no id */
	pair.uuid[15] = 1;
	ck_assert(lp_topic_id_from_message(&out, message));
	message->cluster_id = 0;
	ck_assert(!lp_topic_id_from_message(&out, message));
	message->cluster_id = 7;
	message->id.len = 15;
	ck_assert(!lp_topic_id_from_message(&out, message));
	message->id.len = 16;
	message->name = (char *)"no name";
	ck_assert(!lp_topic_id_from_message(&out, message));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("topic_id");
	TCase *tcase = tcase_create("topic_id");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, names_are_those_that_kafka_allows);
	tcase_add_test(tcase, a_pair_crosses_and_is_the_same);
	tcase_add_test(tcase, what_is_no_topic_is_refused);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
