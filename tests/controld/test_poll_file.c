/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/poll_file.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static void
setup(void)
{
	make_dir(dir);
}

static void
teardown(void)
{
	remove_dir(dir);
}

static const char *
put(const char *text, size_t len, mode_t mode)
{
	const char *path = path_in(dir, "payments.conf");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

/* All that is read, "1 NAME=VALUE; 3 NAME=VALUE"; or "LINE: why". */
static const char *
read_text(const char *text, size_t len)
{
	static char found[4096];
	char why[LP_POLL_WHY_SIZE] = "";
	struct lp_poll_file file;
	const char *name, *value;
	size_t at = 0;
	int result;

	ck_assert_int_eq(
	    lp_poll_file_open(&file, put(text, len, 0600), why), 0);
	found[0] = '\0';
	while ((result = lp_poll_file_next(&file, &name, &value, why)) > 0)
		at += (size_t)snprintf(found + at, sizeof(found) - at,
		    "%s%u %s=%s", at > 0 ? "; " : "", file.line, name, value);
	if (result < 0)
		snprintf(found, sizeof(found), "%u: %s", file.line, why);
	lp_poll_file_close(&file);
	return found;
}

/* Why it is not even read, without its path. */
static const char *
refusal(const char *path)
{
	static char why[LP_POLL_WHY_SIZE];
	struct lp_poll_file file;

	ck_assert_int_lt(lp_poll_file_open(&file, path, why), 0);
	ck_assert_ptr_null(file.text);
	ck_assert_int_eq(strncmp(why, path, strlen(path)), 0);
	return why + strlen(path);
}

START_TEST(properties_are_read)
{
	static const struct {
		const char *text, *found;
	} cases[] = {
	    {"", ""},
	    {"\n\n", ""},
	    {"# a=b\n  # c=d\n", ""},
	    {"a.b=c", "1 a.b=c"},
	    {"a=1\nb=2\n", "1 a=1; 2 b=2"},
	    {" \ta = b c \t\r\n\n#x\n z9_=\n", "1 a=b c; 4 z9_="},
	    {"a=#b=c", "1 a=#b=c"},
	    {"a=\xc3\xa4", "1 a=\xc3\xa4"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(
		    read_text(cases[i].text, strlen(cases[i].text)),
		    cases[i].found);
}
END_TEST

/* Nothing of the line is repeated: it may be a password. */
START_TEST(what_is_no_property_is_refused_with_its_line)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
	    {"a=1\nsecret\nb=2\n", "2: is no PROPERTY=VALUE"},
	    {"\n\n=secret", "3: is no PROPERTY=VALUE"},
	    {" = secret", "1: is no PROPERTY=VALUE"},
	    {"a b=1", "1: no property of librdkafka has such a name"},
	    {"A=1", "1: no property of librdkafka has such a name"},
	    {"\xef\xbb\xbf"
	     "a=1",
		"1: no property of librdkafka has such a name"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(
		    read_text(cases[i].text, strlen(cases[i].text)),
		    cases[i].why);
	ck_assert_str_eq(read_text("a=1\nb=\0\n", 8), "2: has a byte of 0");
}
END_TEST

START_TEST(others_may_not_read_it)
{
	static const struct {
		mode_t mode;
		const char *why;
	} cases[] = {
	    {0640,
		": mode 0640 lets others in, and passwords are in it: "
		"chmod 600"},
	    {0604,
		": mode 0604 lets others in, and passwords are in it: "
		"chmod 600"},
	    {0620,
		": mode 0620 lets others in, and passwords are in it: "
		"chmod 600"},
	    {04601,
		": mode 4601 lets others in, and passwords are in it: "
		"chmod 600"},
	};
	struct lp_poll_file file;
	char why[LP_POLL_WHY_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(
		    refusal(put("a=1", 3, cases[i].mode)), cases[i].why);
	ck_assert_int_eq(lp_poll_file_open(&file, put("a=1", 3, 0400), why), 0);
	lp_poll_file_close(&file);
}
END_TEST

START_TEST(it_is_roots_or_the_daemons)
{
	const char *path = put("a=1", 3, 0600);
	char wanted[LP_POLL_WHY_SIZE];

	if (geteuid() != 0)
		return; /* nobody else may give it away */
	ck_assert_int_eq(chown(path, 12345, (gid_t)-1), 0);
	ck_assert_str_eq(refusal(path),
	    ": belongs to user 12345: it must be root's, or that of user 0, "
	    "who runs lp-controld");
	/* Root's it may be, whoever runs the daemon: but he cannot read it. */
	ck_assert_int_eq(chown(path, 0, (gid_t)-1), 0);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	ck_assert_int_eq(seteuid(12345), 0);
	ck_assert_str_eq(refusal(path), ": Permission denied");
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(chown(path, 12346, (gid_t)-1), 0);
	snprintf(wanted, sizeof(wanted), "%s", refusal(path));
	ck_assert_ptr_nonnull(strstr(wanted, "belongs to user 12346"));
}
END_TEST

START_TEST(only_a_regular_file_is_read)
{
	const char *path = path_in(dir, "x.conf");

	ck_assert_str_eq(refusal(path), ": No such file or directory");
	ck_assert_int_eq(symlink(put("a=1", 3, 0600), path), 0);
	ck_assert_str_eq(
	    refusal(path), ": a symbolic link, not a regular file");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_str_eq(refusal(path), ": not a regular file");
	ck_assert_str_eq(refusal(dir), ": not a regular file");
}
END_TEST

START_TEST(it_has_a_limit)
{
	char *text = malloc(LP_POLL_FILE_SIZE_MAX + 1);
	char why[LP_POLL_WHY_SIZE];
	struct lp_poll_file file;

	memset(text, '#', LP_POLL_FILE_SIZE_MAX + 1);
	ck_assert_str_eq(refusal(put(text, LP_POLL_FILE_SIZE_MAX + 1, 0600)),
	    ": larger than 65536 bytes");
	ck_assert_int_eq(lp_poll_file_open(&file,
			     put(text, LP_POLL_FILE_SIZE_MAX, 0600), why),
	    0);
	ck_assert_uint_eq(file.len, LP_POLL_FILE_SIZE_MAX);
	lp_poll_file_close(&file);
	free(text);
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)

int
main(void)
{
	Suite *suite = suite_create("poll_file");
	TCase *tcase = tcase_create("poll_file");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	TEST(properties_are_read);
	TEST(what_is_no_property_is_refused_with_its_line);
	TEST(others_may_not_read_it);
	TEST(it_is_roots_or_the_daemons);
	TEST(only_a_regular_file_is_read);
	TEST(it_has_a_limit);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
