/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/apis.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(apis_are_found_by_name_whatever_its_case)
{
	ck_assert_int_eq(lp_apis_find("Fetch", 5), 1);
	ck_assert_int_eq(lp_apis_find("fETCH", 5), 1);
	ck_assert_int_eq(lp_apis_find("FetchSnapshot", 5), 1);
	ck_assert_int_eq(lp_apis_find("FetchSnapshot", 13), 59);
	ck_assert_int_eq(lp_apis_find("Fetches", 7), -1);
	ck_assert_int_eq(lp_apis_find("", 0), -1);
	ck_assert_str_eq(lp_apis_name(68), "ConsumerGroupHeartbeat");
	ck_assert_str_eq(lp_apis_nearest("fecth", 5), "Fetch");
	ck_assert_ptr_null(lp_apis_nearest("nothing", 7));
}
END_TEST

START_TEST(keys_that_nobody_has_are_no_apis)
{
	ck_assert_ptr_null(lp_apis_name(-1));
	ck_assert_ptr_null(lp_apis_name(lp_apis_table_count));
	ck_assert_ptr_null(lp_apis_get(INT64_MAX));
	ck_assert_ptr_null(lp_apis_get(INT64_MIN));
	ck_assert_ptr_nonnull(lp_apis_get(lp_apis_table_count - 1));
}
END_TEST

/* As the definitions of Kafka have it: versions FIRST to LAST, and no others.
 */
static const struct {
	const char *name;
	unsigned field;
	int first, last;
} rows[] = {
    {"Produce", LP_APIS_TOPIC_NAME, 0, 12},
    {"Produce", LP_APIS_TOPIC_ID, 13, 13},
    {"Produce", LP_APIS_TRANSACTIONAL_ID, 3, 13},
    {"Produce", LP_APIS_ACKS, 0, 13},
    {"Produce", LP_APIS_GROUP, -1, -1},
    {"Fetch", LP_APIS_TOPIC_ID, 13, 18},
    {"Fetch", LP_APIS_REPLICA_ID, 0, 18},
    {"Fetch", LP_APIS_GROUP, -1, -1},
    {"Metadata", LP_APIS_AUTO_CREATION, 4, 13},
    {"Metadata", LP_APIS_TOPICS_NULL, 1, 13},
    {"OffsetCommit", LP_APIS_TOPIC_ID, 10, 10},
    {"OffsetFetch", LP_APIS_TOPICS_NULL, 2, 10},
    {"JoinGroup", LP_APIS_TOPIC_NAME, -1, -1}, /* in the client's own bytes */
    {"AddPartitionsToTxn", LP_APIS_TRANSACTIONAL_ID, 0, 5},
    {"AddPartitionsToTxn", LP_APIS_TOPIC_NAME, 0, 5},
    {"IncrementalAlterConfigs", LP_APIS_TOPIC_RESOURCE, 0, 1},
    {"CreateAcls", LP_APIS_TOPIC_RESOURCE, -1, -1}, /* a pattern */
    {"ConsumerGroupHeartbeat", LP_APIS_REGEX, 1, 1},
    {"ConsumerGroupHeartbeat", LP_APIS_TOPIC_NAME, 0, 1},
    {"DescribeGroups", LP_APIS_GROUP, 0, 6},
};

START_TEST(what_a_request_tells_is_told_by_version)
{
	int key = lp_apis_find(rows[_i].name, strlen(rows[_i].name));
	const struct lp_apis_entry *entry = lp_apis_get(key);
	uint32_t expected = 0;

	for (int v = rows[_i].first; v >= 0 && v <= rows[_i].last; v++)
		expected |= 1u << v;
	ck_assert_ptr_nonnull(entry);
	ck_assert_uint_eq(entry->seen[rows[_i].field], expected);
}
END_TEST

START_TEST(nothing_is_told_by_a_version_that_is_not_there)
{
	unsigned apis = 0;

	for (int key = 0; key < lp_apis_table_count; key++) {
		const struct lp_apis_entry *entry = lp_apis_get(key);

		if (!entry)
			continue;
		apis++;
		for (unsigned i = 0; i < LP_APIS_FIELD_COUNT; i++)
			ck_assert_uint_eq(
			    entry->seen[i] & ~lp_apis_versions(entry), 0);
	}
	ck_assert_uint_gt(apis, 80);
	ck_assert_uint_eq(lp_apis_versions(lp_apis_get(1)), 0x7ffff);
	ck_assert_uint_eq(lp_apis_topic_versions(lp_apis_get(1)), 0x7ffff);
	ck_assert_uint_eq(lp_apis_topic_versions(lp_apis_get(12)), 0);
}
END_TEST

START_TEST(who_may_send_it_is_told)
{
	ck_assert(lp_apis_get(lp_apis_find("Produce", 7))->client);
	ck_assert(lp_apis_get(lp_apis_find("Fetch", 5))->client);
	ck_assert(!lp_apis_get(lp_apis_find("WriteTxnMarkers", 15))->client);
	ck_assert(!lp_apis_get(lp_apis_find("LeaderAndIsr", 12))->client);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("apis");
	TCase *tcase = tcase_create("apis");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, apis_are_found_by_name_whatever_its_case);
	tcase_add_test(tcase, keys_that_nobody_has_are_no_apis);
	tcase_add_loop_test(tcase, what_a_request_tells_is_told_by_version, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, nothing_is_told_by_a_version_that_is_not_there);
	tcase_add_test(tcase, who_may_send_it_is_told);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
