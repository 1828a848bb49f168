/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets in a directory of their own. */
#include "proto/listen.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[PATH_MAX - 8];
static char path[PATH_MAX];
static char why[LP_WHY_SIZE];

static void
begin(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(directory, sizeof(directory), "%s/lp-test-XXXXXX",
	    base ? base : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/socket", directory),
	    (int)sizeof(path));
}

static void
end(void)
{
	unlink(path);
	ck_assert_int_eq(rmdir(directory), 0);
}

START_TEST(socket_is_for_owner_and_group)
{
	struct stat stat_now;
	int fd;

	begin();
	fd = lp_listen_open(path, NULL, why);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(stat(path, &stat_now), 0);
	ck_assert_uint_eq(stat_now.st_mode & 0777, 0660);
	close(fd);
	end();
}
END_TEST

START_TEST(living_socket_is_refused)
{
	int fd;

	begin();
	fd = lp_listen_open(path, NULL, why);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(lp_listen_open(path, NULL, why), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(why, path));
	close(fd);
	end();
}
END_TEST

START_TEST(dead_socket_is_replaced)
{
	int fd;

	begin();
	fd = lp_listen_open(path, NULL, why);
	close(fd);
	ck_assert_int_eq(access(path, F_OK), 0);
	fd = lp_listen_open(path, NULL, why);
	ck_assert_int_ge(fd, 0);
	close(fd);
	end();
}
END_TEST

START_TEST(file_is_not_removed)
{
	FILE *file;

	begin();
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fclose(file);
	ck_assert_int_eq(lp_listen_open(path, NULL, why), -ENOTSOCK);
	ck_assert_int_eq(access(path, F_OK), 0);
	end();
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
	char too_long[PATH_MAX];

	begin();
	memset(too_long, 'x', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	ck_assert_int_eq(lp_listen_open(too_long, NULL, why), -ENAMETOOLONG);
	ck_assert_int_eq(
	    lp_listen_open(path, "no-such-group-here", why), -ENOENT);
	ck_assert_str_eq(
	    why, "--group no-such-group-here: there is no such group");
	ck_assert_int_eq(
	    lp_listen_open("/nonexistent/socket", NULL, why), -ENOENT);
	ck_assert_int_ne(access(path, F_OK), 0);
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("listen");
	TCase *tests = tcase_create("listen");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, socket_is_for_owner_and_group);
	tcase_add_test(tests, living_socket_is_refused);
	tcase_add_test(tests, dead_socket_is_replaced);
	tcase_add_test(tests, file_is_not_removed);
	tcase_add_test(tests, what_cannot_be_is_refused);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
