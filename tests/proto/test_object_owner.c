/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/message.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "objects.h"

static struct lp_message_object holder;

static void
expect_right(const struct lp_object *object)
{
	char why[LP_WHY_SIZE] = "";
	const char *field = "";

	ck_assert_msg(
	    lp_object_check(object, &field, why) == 0, "%s: %s", field, why);
}

static void
expect_wrong(
    const struct lp_object *object, const char *in_field, const char *because)
{
	char why[LP_WHY_SIZE] = "";
	const char *field = "";

	ck_assert_int_eq(lp_object_check(object, &field, why), -EINVAL);
	ck_assert_str_eq(field, in_field);
	ck_assert_str_eq(why, because);
}

START_TEST(an_owner_is_a_short_name)
{
	static const struct {
		const char *owner, *why;
	} rows[] = {
	    {"a b", "may have letters, digits, '.', '_' and '-' only"},
	    {"-a", "must not start with '-'"},
	    {"none", "\"none\" is the word for no owner: choose another label"},
	    {"0123456789abcdef0123456789abcdef",
		"is longer than 31 characters"},
	};
	struct lp_object object = make_cluster(1, "c");
	struct lp_object endpoint = make_endpoint(4, 3, 2, "10.9.0.1:9093");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memcpy(object.owner, rows[i].owner,
		    strnlen(rows[i].owner, sizeof(object.owner)));
		expect_wrong(&object, "owner", rows[i].why);
		memset(object.owner, 0, sizeof(object.owner));
	}
	memcpy(object.owner, rows[3].owner, sizeof(object.owner) - 1);
	expect_right(&object);
	strcpy(endpoint.owner, "a");
	expect_wrong(&endpoint, "owner", "an endpoint has none");
}
END_TEST

/* Of none it is not sent: objects that are older keep their digest. */
START_TEST(whose_an_object_is_comes_back)
{
	struct lp_object rule = make_rule(7, "a", 5, "api=Fetch", "observe");
	struct lp_object again;
	char why[LP_WHY_SIZE], longer[LP_OWNER_SIZE + 1];
	const char *field;

	lp_message_from_object(&holder, &rule);
	ck_assert_ptr_null(holder.message.owner);
	strcpy(rule.owner, "team-a");
	lp_message_from_object(&holder, &rule);
	ck_assert_int_eq(
	    lp_message_to_object(&again, &holder.message, &field, why), 0);
	ck_assert_str_eq(again.owner, "team-a");
	/* Nothing said of it leaves it; "" takes it away. */
	holder.message.owner = NULL;
	ck_assert_int_eq(lp_message_merge_object(
			     &again, &holder.message, true, true, &field, why),
	    0);
	ck_assert_str_eq(again.owner, "team-a");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	holder.message.owner = longer;
	ck_assert_int_eq(lp_message_merge_object(
			     &again, &holder.message, true, true, &field, why),
	    -EINVAL);
	ck_assert_str_eq(field, "owner");
	longer[0] = '\0';
	ck_assert_int_eq(lp_message_merge_object(
			     &again, &holder.message, true, true, &field, why),
	    0);
	ck_assert_str_eq(again.owner, "");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("object_owner");
	TCase *tests = tcase_create("object_owner");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, an_owner_is_a_short_name);
	tcase_add_test(tests, whose_an_object_is_comes_back);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
