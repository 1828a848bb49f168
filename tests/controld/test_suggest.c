/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/suggest.h"
#include "transaction.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "proto/nearest.h"

static struct lp_config config;

static void
setup(void)
{
	uint32_t next_id = 1;

	lp_config_init(&config);
	apply(&config, &next_id, basic);
	apply(&config, &next_id,
	    "add cluster orders; add broker orders 1 to=10.9.0.31:9092;"
	    "add listener orders private vip=10.9.0.101:9092 base=9100");
}

static void
teardown(void)
{
	lp_config_fini(&config);
}

static const struct {
	enum lp_object_kind kind;
	uint32_t cluster_id; /* 2: payments */
	const char *name;
	const char *near;
} rows[] = {
    {LP_OBJECT_CLUSTER, 0, "payment", "payments"},
    {LP_OBJECT_CLUSTER, 0, "paymenst", "payments"},
    {LP_OBJECT_CLUSTER, 0, "ordres", "orders"},
    {LP_OBJECT_CLUSTER, 0, "order", "orders"},
    {LP_OBJECT_CLUSTER, 0, "PAYMENTS", "payments"},
    {LP_OBJECT_CLUSTER, 0, "invoices", NULL}, {LP_OBJECT_CLUSTER, 0, "", NULL},
    {LP_OBJECT_PORT, 0, "fornt", "front"}, {LP_OBJECT_PORT, 0, "fr", NULL},
    {LP_OBJECT_PORT, 0, "payments", NULL},
    {LP_OBJECT_LISTENER, 2, "publik", "public"},
    {LP_OBJECT_LISTENER, 2, "private", NULL}, /* of the other cluster */
};

START_TEST(a_slip_of_the_pen_is_recognised)
{
	const char *near = lp_suggest_name(
	    &config, rows[_i].kind, rows[_i].cluster_id, rows[_i].name);

	ck_assert_pstr_eq(near, rows[_i].near);
}
END_TEST

START_TEST(a_hint_has_the_longest_name_whole)
{
	char hint[LP_NEAREST_HINT_SIZE], name[LP_NAME_SIZE];
	char want[2 * LP_NAME_SIZE];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(want, sizeof(want), " (did you mean %s?)", name);
	ck_assert_str_eq(lp_nearest_hint(hint, name), want);
	ck_assert_str_eq(lp_nearest_hint(hint, NULL), "");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("suggest");
	TCase *tcase = tcase_create("suggest");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, a_slip_of_the_pen_is_recognised, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, a_hint_has_the_longest_name_whole);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
