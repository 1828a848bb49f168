/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/dataplane/cold.h"

static char directory[PATH_MAX];
static char path[PATH_MAX];
static char why[LP_WHY_SIZE];

static void
begin(void)
{
	cold_mkdir(directory);
	cold_path(path, directory, "socket");
}

START_TEST(socket_is_for_owner_and_group)
{
	struct stat stat_now;
	int fd;

	begin();
	fd = lp_socket_listen(path, NULL, why);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(stat(path, &stat_now), 0);
	ck_assert_uint_eq(stat_now.st_mode & 0777, 0660);
	close(fd);
	cold_rmdir(directory);
}
END_TEST

START_TEST(living_socket_is_refused)
{
	int fd;

	begin();
	fd = lp_socket_listen(path, NULL, why);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(lp_socket_listen(path, NULL, why), -EADDRINUSE);
	ck_assert_str_ne(why, "");
	close(fd);
	cold_rmdir(directory);
}
END_TEST

START_TEST(dead_socket_is_replaced)
{
	int fd;

	begin();
	fd = lp_socket_listen(path, NULL, why);
	close(fd);
	ck_assert_int_eq(access(path, F_OK), 0);
	fd = lp_socket_listen(path, NULL, why);
	ck_assert_int_ge(fd, 0);
	close(fd);
	cold_rmdir(directory);
}
END_TEST

START_TEST(file_is_not_removed)
{
	FILE *file;

	begin();
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fclose(file);
	ck_assert_int_eq(lp_socket_listen(path, NULL, why), -EEXIST);
	ck_assert_int_eq(access(path, F_OK), 0);
	cold_rmdir(directory);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
	char too_long[PATH_MAX];

	begin();
	memset(too_long, 'x', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	ck_assert_int_eq(lp_socket_listen(too_long, NULL, why), -ENAMETOOLONG);
	ck_assert_int_eq(
	    lp_socket_listen(path, "no-such-group-here", why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "no-such-group-here"));
	ck_assert_int_eq(
	    lp_socket_listen("/nonexistent/socket", NULL, why), -ENOENT);
	ck_assert_int_ne(access(path, F_OK), 0);
	cold_rmdir(directory);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    socket_is_for_owner_and_group,
	    living_socket_is_refused,
	    dead_socket_is_replaced,
	    file_is_not_removed,
	    what_cannot_be_is_refused,
	    NULL,
	};

	return cold_run("socket", tests);
}
