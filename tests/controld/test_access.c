/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may ask what: the table has every request that there is, and the manual
 * page the table; who has no role, or one of daemons, may ask nothing.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "controld/access.h"
#include "controld/role_file.h"
#include "tests/controld/world.h"

START_TEST(every_request_has_a_row_of_its_name)
{
	const ProtobufCMessageDescriptor *all =
	    &lp__pb__control_request__descriptor;
	size_t requests = 0, rows = 0;

	for (unsigned i = 0; i < all->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &all->fields[i];
		const struct lp_access *access;

		if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0)
			continue;
		requests++;
		access = lp_access_find(field->id);
		ck_assert_msg(
		    access != NULL, "%s is in no row of access.c", field->name);
		ck_assert_str_eq(access->request, field->name);
	}
	while (lp_access_at(rows) != NULL)
		rows++;
	ck_assert_uint_gt(requests, 0);
	ck_assert_uint_eq(rows, requests);
}
END_TEST

START_TEST(what_is_not_in_the_table_nobody_may)
{
	for (int role = 0; role < LP_ROLES; role++) {
		ck_assert(!lp_access_may(
		    role, LP__PB__CONTROL_REQUEST__BODY__NOT_SET));
		ck_assert(!lp_access_may(role, 9999));
	}
	ck_assert_str_eq(lp_access_name(9999), "unknown");
}
END_TEST

START_TEST(daemons_and_those_without_a_role_may_nothing)
{
	const struct lp_access *access;

	for (size_t i = 0; (access = lp_access_at(i)) != NULL; i++) {
		ck_assert(!lp_access_may(LP_ROLE_NONE, access->body));
		ck_assert(!lp_access_may(LP_ROLE_DATAPLANE, access->body));
		ck_assert(!lp_access_may(LP_ROLE_CONTROLD, access->body));
		ck_assert(lp_access_may(LP_ROLE_ADMIN, access->body));
		/* Who may less may nothing that who may more may not. */
		if (lp_access_may(LP_ROLE_OBSERVER, access->body))
			ck_assert(
			    lp_access_may(LP_ROLE_OPERATOR, access->body));
		if (access->audited)
			ck_assert(
			    !lp_access_may(LP_ROLE_OPERATOR, access->body));
	}
}
END_TEST

static const char *
yes(enum lp_role role, const struct lp_access *access)
{
	return lp_access_may(role, access->body) ? "yes" : "-";
}

START_TEST(manual_page_has_the_table)
{
	char page[256 * 1024];
	FILE *file = fopen(MANUAL, "r");
	const struct lp_access *access;
	size_t len;

	ck_assert_ptr_nonnull(file);
	len = fread(page, 1, sizeof(page) - 1, file);
	ck_assert_uint_lt(len, sizeof(page) - 1);
	page[len] = '\0';
	(void)fclose(file);
	for (size_t i = 0; (access = lp_access_at(i)) != NULL; i++) {
		char row[128];

		(void)snprintf(row, sizeof(row), "\n%-12s %-6s %-9s %s\n",
		    access->request, yes(LP_ROLE_ADMIN, access),
		    yes(LP_ROLE_OPERATOR, access),
		    yes(LP_ROLE_OBSERVER, access));
		ck_assert_msg(strstr(page, row) != NULL, "no row:%s", row);
	}
}
END_TEST

static const struct {
	const char *text;
	unsigned line;
	const char *says;
} bad_files[] = {
    {"alice", 1, "\"alice\": a role is missing"},
    {"# a\nadmin\n", 2, "\"admin\": a role is missing"},
    {"alice admin\n\nbob rot\n", 3, "\"rot\" is no role"},
    {"alice operater", 1, "(did you mean operator?)"},
    {"a admin\nb observer\n a  observer\n", 3, "by line 1"},
    {"* admin\n* none", 2, "* has a role already, by line 1"},
    {"\xc3\xa4 admin", 1, "byte 1 is no printable ASCII"},
    {"a\x1b[m admin", 1, "byte 2 is no printable ASCII"},
    {"a123456789b123456789c123456789d123456789e123456789f123456789g1234 admin",
	1, "longer than the 64 bytes"},
    {"a administrator-of-everything", 1, "is no role"},
};
enum { BAD_FILES = sizeof(bad_files) / sizeof(bad_files[0]) };

static void
put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0644), 0);
}

START_TEST(a_bad_file_is_refused_by_its_line_and_keeps_the_old_one)
{
	struct lp_role_file *file, *other = NULL;
	char why[LP_ROLE_FILE_WHY_SIZE], place[32];
	char dir[64];
	const char *path;

	make_dir(dir);
	path = path_in(dir, "roles");
	put(path, "alice admin\n");
	ck_assert_int_eq(lp_role_file_open(&file, path, why), 0);
	put(path, bad_files[_i].text);
	lp_role_file_reload(file);
	ck_assert_int_eq(lp_role_file_find(file, "alice"), LP_ROLE_ADMIN);
	ck_assert_int_eq(lp_role_file_find(file, "b"), LP_ROLE_NONE);
	ck_assert_int_eq(lp_role_file_open(&other, path, why), -EINVAL);
	ck_assert_ptr_null(other);
	(void)snprintf(place, sizeof(place), "/roles:%u: ", bad_files[_i].line);
	ck_assert_msg(strstr(why, place) != NULL, "%s: %s", place, why);
	ck_assert_msg(strstr(why, bad_files[_i].says) != NULL, "%s: %s",
	    bad_files[_i].says, why);
	lp_role_file_close(file);
	remove_dir(dir);
}
END_TEST

START_TEST(the_file_alone_decides)
{
	struct lp_role_file *file;
	char why[LP_ROLE_FILE_WHY_SIZE];
	char dir[64];
	const char *path;

	make_dir(dir);
	path = path_in(dir, "roles");
	put(path,
	    "# who\n\n  alice \t admin \r\nBob Example operator\n"
	    "mallory none\n#eve admin\n");
	ck_assert_int_eq(lp_role_file_open(&file, path, why), 0);
	ck_assert_int_eq(lp_role_file_find(file, "alice"), LP_ROLE_ADMIN);
	ck_assert_int_eq(
	    lp_role_file_find(file, "Bob Example"), LP_ROLE_OPERATOR);
	ck_assert_int_eq(lp_role_file_find(file, "mallory"), LP_ROLE_NONE);
	ck_assert_int_eq(lp_role_file_find(file, "Alice"), LP_ROLE_NONE);
	ck_assert_int_eq(lp_role_file_find(file, "alice "), LP_ROLE_NONE);
	ck_assert_int_eq(lp_role_file_find(file, "eve"), LP_ROLE_NONE);
	ck_assert_int_eq(lp_role_file_find(file, ""), LP_ROLE_NONE);
	put(path, "mallory none\n* observer");
	lp_role_file_reload(file);
	ck_assert_int_eq(lp_role_file_find(file, "alice"), LP_ROLE_OBSERVER);
	ck_assert_int_eq(lp_role_file_find(file, "mallory"), LP_ROLE_NONE);
	put(path, "");
	lp_role_file_reload(file);
	ck_assert_int_eq(lp_role_file_find(file, "alice"), LP_ROLE_NONE);
	lp_role_file_close(file);
	remove_dir(dir);
}
END_TEST

START_TEST(a_file_that_others_write_is_refused)
{
	struct lp_role_file *file;
	char why[LP_ROLE_FILE_WHY_SIZE];
	char dir[64];
	const char *path;

	make_dir(dir);
	path = path_in(dir, "roles");
	put(path, "alice admin\n");
	ck_assert_int_eq(chmod(path, 0664), 0);
	ck_assert_int_eq(lp_role_file_open(&file, path, why), -EPERM);
	ck_assert_ptr_nonnull(strstr(why, "mode 0664 lets others write it"));
	ck_assert_int_eq(lp_role_file_open(&file, dir, why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "not a regular file"));
	ck_assert_int_eq(
	    lp_role_file_open(&file, path_in(dir, "none"), why), -ENOENT);
	remove_dir(dir);
}
END_TEST

START_TEST(more_names_than_there_may_be_are_refused)
{
	struct lp_role_file_list list = {0};
	char why[LP_ROLE_FILE_WHY_SIZE];
	size_t size = (LP_ROLE_FILE_NAMES_MAX + 1) * sizeof("n12345 admin\n");
	char *text = malloc(size);
	unsigned line;
	size_t len = 0;

	for (int i = 0; i <= LP_ROLE_FILE_NAMES_MAX; i++)
		len +=
		    (size_t)snprintf(text + len, size - len, "n%d admin\n", i);
	ck_assert_int_eq(
	    lp_role_file_parse(&list, text, len, &line, why), -EINVAL);
	ck_assert_uint_eq(line, LP_ROLE_FILE_NAMES_MAX + 1);
	ck_assert_str_eq(why, "more than 10000 names");
	lp_role_file_fini(&list);
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("access");
	TCase *tcase = tcase_create("access");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, every_request_has_a_row_of_its_name);
	tcase_add_test(tcase, what_is_not_in_the_table_nobody_may);
	tcase_add_test(tcase, daemons_and_those_without_a_role_may_nothing);
	tcase_add_test(tcase, manual_page_has_the_table);
	tcase_add_loop_test(tcase,
	    a_bad_file_is_refused_by_its_line_and_keeps_the_old_one, 0,
	    BAD_FILES);
	tcase_add_test(tcase, the_file_alone_decides);
	tcase_add_test(tcase, a_file_that_others_write_is_refused);
	tcase_add_test(tcase, more_names_than_there_may_be_are_refused);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
