/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What leads from one configuration to another.
 */
#include "proto/config.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "objects.h"

/* What the callbacks of a difference were called with. */
struct calls {
	char text[512];
	int stop_at; /* the call to answer with -EIO; 0: none */
	int count;
};

static int
note(struct calls *calls, char what, const struct lp_object *object)
{
	size_t len = strlen(calls->text);

	snprintf(calls->text + len, sizeof(calls->text) - len, "%c%u ", what,
	    object->id);
	return ++calls->count == calls->stop_at ? -EIO : 0;
}

static int
note_put(void *arg, const struct lp_object *object, bool is_new)
{
	return note(arg, is_new ? '+' : '~', object);
}

static int
note_gone(void *arg, const struct lp_object *object)
{
	return note(arg, '-', object);
}

static int
difference(const struct lp_config *from, const struct lp_config *to,
    struct calls *calls)
{
	const struct lp_config_diff diff = {
	    .put = note_put,
	    .gone = note_gone,
	    .arg = calls,
	};

	return lp_config_diff(from, to, &diff);
}

START_TEST(a_difference_is_what_is_new_other_and_gone)
{
	struct lp_config from, to, empty;
	struct calls calls = {0}, same = {0}, all = {0}, none = {0};

	make_config(&from);
	make_config(&to);
	lp_config_init(&empty);
	put(&to, make_cluster(PAYMENTS, "renamed"));
	put(&to, make_cluster(100, "new"));
	put(&to, make_broker(101, 100, 1, "10.8.0.9:1"));
	put(&from, make_rule(200, "a", 1, "", "observe"));
	put(&from, make_rule(201, "b", 1, "", "observe"));
	put(&to, make_rule(201, "b", 2, "", "observe"));
	put(&to, make_rule(202, "c", 1, "", "observe"));
	ck_assert_int_eq(
	    lp_config_remove(&to, LP_OBJECT_ENDPOINT, ORDERS_PUBLIC_1), 0);
	ck_assert_int_eq(lp_config_remove(&to, LP_OBJECT_PORT, FRONT), 0);
	ck_assert_int_eq(difference(&from, &to, &calls), 0);
	ck_assert_str_eq(calls.text, "-1 -12 -200 ~3 +100 +101 ~201 +202 ");
	ck_assert_int_eq(difference(&from, &from, &same), 0);
	ck_assert_str_eq(same.text, "");
	ck_assert_int_eq(difference(&empty, &from, &all), 0);
	ck_assert_str_eq(all.text,
	    "+1 +2 +3 +4 +5 +6 +7 +8 +9 +10 +11 +12 "
	    "+200 +201 ");
	ck_assert_int_eq(difference(&from, &empty, &none), 0);
	ck_assert_str_eq(none.text,
	    "-1 -2 -3 -4 -5 -6 -7 -8 -9 -10 -11 -12 "
	    "-200 -201 ");
	lp_config_fini(&from);
	lp_config_fini(&to);
}
END_TEST

static int
do_put(void *arg, const struct lp_object *object, bool is_new)
{
	(void)is_new;
	return lp_config_put(arg, object);
}

static int
do_gone(void *arg, const struct lp_object *object)
{
	return lp_config_remove(arg, object->kind, object->id);
}

/* Also where no more can be put than there was. */
START_TEST(a_difference_leads_from_one_to_the_other)
{
	struct lp_config from, to, way;
	const struct lp_config_diff diff = {
	    .put = do_put, .gone = do_gone, .arg = &way};

	lp_config_init(&from);
	lp_config_init(&to);
	lp_config_init(&way);
	for (unsigned i = 1; i <= LP_CLUSTERS_MAX; i++) {
		char name[LP_NAME_SIZE];

		(void)snprintf(name, sizeof(name), "c%u", i);
		put(&from, make_cluster(i, name));
		put(&to, make_cluster(LP_CLUSTERS_MAX + i, name));
	}
	ck_assert_int_eq(lp_config_copy(&way, &from), 0);
	ck_assert_int_eq(lp_config_diff(&from, &to, &diff), 0);
	ck_assert(lp_config_digest(&way) == lp_config_digest(&to));
	lp_config_fini(&from);
	lp_config_fini(&to);
	lp_config_fini(&way);
}
END_TEST

START_TEST(a_difference_stops_where_a_callback_says_so)
{
	struct calls put_stops = {.stop_at = 1}, gone_stops = {.stop_at = 2};
	struct lp_config from, to;

	make_config(&from);
	make_config(&to);
	put(&to, make_cluster(PAYMENTS, "renamed"));
	put(&to, make_cluster(100, "new"));
	ck_assert_int_eq(difference(&from, &to, &put_stops), -EIO);
	ck_assert_str_eq(put_stops.text, "~3 ");
	lp_config_fini(&to);
	ck_assert_int_eq(difference(&from, &to, &gone_stops), -EIO);
	ck_assert_str_eq(gone_stops.text, "-1 -2 ");
	lp_config_fini(&from);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config_diff");
	TCase *tests = tcase_create("config_diff");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, a_difference_is_what_is_new_other_and_gone);
	tcase_add_test(tests, a_difference_leads_from_one_to_the_other);
	tcase_add_test(tests, a_difference_stops_where_a_callback_says_so);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
