/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates: the index, what is refused and that nothing has changed then,
 * and what is printed, against the files in golden/ (see test_output.c).
 * test_pki.sh asks openssl what it thinks of them.
 */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/pki.h"
#include "tests/cli/support.h"

enum { NOW = SUPPORT_NOW_NS / 1000000000, DAY = 86400 };

static char root[] = "/tmp/lp-pki-XXXXXX";
static char ca[sizeof(root) + sizeof("/ca")];

static void
make_root(void)
{
	struct lp_pki_request request = {.directory = ca, .now = NOW};
	struct lp_pki_view view;
	struct lp_error error;

	ck_assert_ptr_nonnull(mkdtemp(root));
	(void)snprintf(ca, sizeof(ca), "%s/ca", root);
	ck_assert_int_eq(lp_pki_init(&view, &request, &error), LP_EXIT_OK);
	lp_pki_view_fini(&view);
}

static void
remove_root(void)
{
	char command[sizeof(root) + 16];

	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	ck_assert_int_eq(system(command), 0);
	memcpy(root + sizeof(root) - 7, "XXXXXX", 6);
}

static int
issue(
    const char *name, enum lp_role role, uint32_t days, struct lp_error *error)
{
	struct lp_pki_request request = {.directory = ca,
	    .name = name,
	    .role = role,
	    .days = days,
	    .now = NOW};
	struct lp_pki_view view;
	int status;

	if (role == LP_ROLE_CONTROLD || role == LP_ROLE_DATAPLANE)
		request.hosts[request.host_count++] = "10.0.0.5";
	status = lp_pki_issue(&view, &request, error);
	lp_pki_view_fini(&view);
	return status;
}

/* Of a file of the authority, which is to be freed. */
static char *
content(const char *name)
{
	char path[PATH_MAX];
	char *text = NULL;
	size_t len = 0, size = 0;
	FILE *in, *out = open_memstream(&text, &size);
	int c;

	(void)snprintf(path, sizeof(path), "%s/%s", ca, name);
	in = fopen(path, "r");
	ck_assert_ptr_nonnull(in);
	for (; (c = getc(in)) != EOF; len++)
		(void)putc(c, out);
	(void)fclose(in);
	(void)fclose(out);
	ck_assert_uint_eq(len, size);
	return text;
}

static void
put_index(const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/index.txt", ca);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

#define ROW "22985c40f618382f admin 2026-11-26T17:18:27Z 2027-11-26T17:18:27Z "

static const char *const bad_indexes[][2] = {
    {"x\n", "line 1: has less than 6 words"},
    {"#\n" ROW "- a b\n", "line 2: has more than 6 words"},
    {"229 admin 2026-11-26T17:18:27Z 2027-11-26T17:18:27Z - a",
	"line 1: no serial number: 229"},
    {"f2985c40f618382f admin 2026-11-26T17:18:27Z 2027-11-26T17:18:27Z - a",
	"no serial number: f2985c40f618382f"},
    {"22985c40f618382f root 2026-11-26T17:18:27Z 2027-11-26T17:18:27Z - a",
	"no role: root"},
    {"22985c40f618382f admin 2026-02-30T17:18:27Z 2027-11-26T17:18:27Z - a",
	"no time: 2026-02-30T17:18:27Z"},
    {"22985c40f618382f admin 2026-11-26 2027-11-26T17:18:27Z - a",
	"no time: 2026-11-26"},
    {ROW "never a", "no time: never"},
    {ROW "- a/b", "no name: a/b"},
    {ROW "- \x1b[31m", "no name: ?[31m"},
    {ROW "- 22985c40f618382f", "no name: 22985c40f618382f"},
};
enum { BAD_INDEXES = sizeof(bad_indexes) / sizeof(bad_indexes[0]) };

START_TEST(bad_line_of_the_index_is_named_and_nothing_is_done)
{
	struct lp_pki_request request = {
	    .directory = ca, .name = "a", .now = NOW};
	struct lp_pki_view view;
	struct lp_error error;
	char *list = content("crl.pem");
	char *after;

	put_index(bad_indexes[_i][0]);
	ck_assert_int_eq(
	    lp_pki_revoke(&view, &request, &error), LP_EXIT_REFUSED);
	lp_pki_view_fini(&view);
	ck_assert_ptr_nonnull(strstr(error.text, "/index.txt: line "));
	ck_assert_msg(strstr(error.text, bad_indexes[_i][1]) != NULL, "%s: %s",
	    bad_indexes[_i][1], error.text);
	after = content("index.txt");
	ck_assert_str_eq(after, bad_indexes[_i][0]);
	free(after);
	after = content("crl.pem");
	ck_assert_str_eq(after, list);
	free(after);
	free(list);
}
END_TEST

static const struct {
	const char *name;
	enum lp_role role;
	uint32_t days;
	const char *says;
} bad_orders[] = {
    {"", LP_ROLE_ADMIN, 0, "a name is missing"},
    {"..", LP_ROLE_ADMIN, 0, "is no name"},
    {"a/b", LP_ROLE_ADMIN, 0, "is no name"},
    {"-a", LP_ROLE_ADMIN, 0, "is no name"},
    {"a,OU=admin", LP_ROLE_OBSERVER, 0, "is no name"},
    {"\xc3\xa4", LP_ROLE_ADMIN, 0, "is no name"},
    {"0123456789abcdef", LP_ROLE_ADMIN, 0, "could be a serial number"},
    {"a123456789b123456789c123456789d123456789e123456789f123456789g123",
	LP_ROLE_ADMIN, 0, "longer than 63 bytes"},
    {"a", LP_ROLE_ADMIN, LP_PKI_DAYS_CA + 1, "which ends on 2035-11-21"},
};
enum { BAD_ORDERS = sizeof(bad_orders) / sizeof(bad_orders[0]) };

START_TEST(what_cannot_be_issued_changes_nothing)
{
	struct lp_error error;
	char *index = content("index.txt");
	char *after;

	ck_assert_int_eq(issue(bad_orders[_i].name, bad_orders[_i].role,
			     bad_orders[_i].days, &error),
	    LP_EXIT_REFUSED);
	ck_assert_msg(strstr(error.text, bad_orders[_i].says) != NULL, "%s: %s",
	    bad_orders[_i].says, error.text);
	after = content("index.txt");
	ck_assert_str_eq(after, index);
	free(after);
	free(index);
}
END_TEST

static const struct {
	enum lp_role role;
	const char *host; /* NULL: none */
	const char *says;
} bad_hosts[] = {
    {LP_ROLE_CONTROLD, NULL, "--host is missing"},
    {LP_ROLE_DATAPLANE, NULL, "--host is missing"},
    {LP_ROLE_ADMIN, "a.example", "the role is admin"},
    {LP_ROLE_CONTROLD, "a b", "--host: "},
    {LP_ROLE_CONTROLD, "DNS:a,IP:1.2.3.4", "--host: "},
    {LP_ROLE_CONTROLD, "10.0.0.5:9643", "--host: "},
    {LP_ROLE_CONTROLD, "", "--host: "},
};
enum { BAD_HOSTS = sizeof(bad_hosts) / sizeof(bad_hosts[0]) };

START_TEST(hosts_are_those_of_servers)
{
	struct lp_pki_request request = {.directory = ca,
	    .name = "a",
	    .role = bad_hosts[_i].role,
	    .hosts = {bad_hosts[_i].host},
	    .host_count = bad_hosts[_i].host != NULL,
	    .now = NOW};
	struct lp_pki_view view;
	struct lp_error error;

	ck_assert_int_eq(
	    lp_pki_issue(&view, &request, &error), LP_EXIT_REFUSED);
	lp_pki_view_fini(&view);
	ck_assert_msg(strstr(error.text, bad_hosts[_i].says) != NULL, "%s: %s",
	    bad_hosts[_i].says, error.text);
}
END_TEST

START_TEST(no_key_is_overwritten)
{
	struct lp_pki_request request = {.directory = ca, .now = NOW};
	struct lp_pki_view view;
	struct lp_error error;
	char *key = content("ca.key.pem");
	char *user, *after;

	ck_assert_int_eq(lp_pki_init(&view, &request, &error), LP_EXIT_REFUSED);
	lp_pki_view_fini(&view);
	ck_assert_ptr_nonnull(strstr(error.text, "exists, and is not empty"));
	after = content("ca.key.pem");
	ck_assert_str_eq(after, key);
	free(after);
	free(key);
	ck_assert_int_eq(issue("alice", LP_ROLE_ADMIN, 0, &error), LP_EXIT_OK);
	user = content("alice/key.pem");
	ck_assert_int_eq(
	    issue("alice", LP_ROLE_ADMIN, 0, &error), LP_EXIT_REFUSED);
	ck_assert_ptr_nonnull(strstr(error.text, "no key is overwritten"));
	after = content("alice/key.pem");
	ck_assert_str_eq(after, user);
	free(after);
	free(user);
}
END_TEST

START_TEST(key_that_others_can_read_is_not_used)
{
	char path[PATH_MAX];
	struct lp_error error;

	(void)snprintf(path, sizeof(path), "%s/ca.key.pem", ca);
	ck_assert_int_eq(chmod(path, 0640), 0);
	ck_assert_int_eq(
	    issue("alice", LP_ROLE_ADMIN, 0, &error), LP_EXIT_REFUSED);
	ck_assert_ptr_nonnull(
	    strstr(error.text, "ca.key.pem: mode 0640 lets others"));
}
END_TEST

static const struct {
	const char *file, *text, *says;
} spoilt[] = {
    {"ca.pem", "", "ca.pem: no certificate"},
    {"ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n", "ca.pem: no certifi"},
    {"ca.key.pem", "x", "ca.key.pem: no private key"},
    {"ca.key.pem", NULL, "No such file or directory"},
    {"index.txt", NULL, "No such file or directory"},
};
enum { SPOILT = sizeof(spoilt) / sizeof(spoilt[0]) };

START_TEST(spoilt_file_is_named)
{
	char path[PATH_MAX];
	struct lp_error error;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", ca, spoilt[_i].file);
	if (spoilt[_i].text == NULL) {
		ck_assert_int_eq(unlink(path), 0);
	} else {
		file = fopen(path, "w");
		ck_assert_ptr_nonnull(file);
		ck_assert_int_ge(fputs(spoilt[_i].text, file), 0);
		ck_assert_int_eq(fclose(file), 0);
	}
	ck_assert_int_eq(
	    issue("alice", LP_ROLE_ADMIN, 0, &error), LP_EXIT_REFUSED);
	ck_assert_msg(strstr(error.text, spoilt[_i].says) != NULL, "%s: %s",
	    spoilt[_i].says, error.text);
	ck_assert_ptr_nonnull(strstr(error.text, spoilt[_i].file));
}
END_TEST

START_TEST(none_outlives_the_authority)
{
	struct lp_pki_request request = {.directory = ca,
	    .name = "late",
	    .role = LP_ROLE_ADMIN,
	    .now = NOW + (LP_PKI_DAYS_CA - 10) * (int64_t)DAY};
	struct lp_pki_view view;
	struct lp_error error;

	ck_assert_int_eq(lp_pki_issue(&view, &request, &error), LP_EXIT_OK);
	ck_assert_int_eq(view.index.rows[0].expires, view.until);
	lp_pki_view_fini(&view);
	request.now += 10 * DAY;
	request.name = "later";
	ck_assert_int_eq(
	    lp_pki_issue(&view, &request, &error), LP_EXIT_REFUSED);
	lp_pki_view_fini(&view);
	ck_assert_ptr_nonnull(strstr(error.text, "has ended on 2035-11-21"));
}
END_TEST

START_TEST(who_has_none_cannot_be_revoked)
{
	struct lp_pki_request request = {
	    .directory = ca, .name = "alicia", .now = NOW};
	struct lp_pki_view view;
	struct lp_error error;

	ck_assert_int_eq(issue("alice", LP_ROLE_ADMIN, 0, &error), LP_EXIT_OK);
	ck_assert_int_eq(
	    lp_pki_revoke(&view, &request, &error), LP_EXIT_REFUSED);
	lp_pki_view_fini(&view);
	ck_assert_str_eq(error.text,
	    "no certificate was issued to \"alicia\" (did you mean alice?)");
}
END_TEST

static void
show(enum lp_pki_action action, const char *name)
{
	struct lp_pki_index_row rows[] = {
	    {0x22985c40f618382f, LP_ROLE_CONTROLD, NOW - 400 * DAY,
		NOW - 35 * DAY, 0, "edge-1"},
	    {1, LP_ROLE_OPERATOR, NOW - DAY, NOW + 364 * DAY, NOW - 60,
		"alice"},
	    {INT64_MAX, LP_ROLE_OBSERVER, NOW, NOW + 365 * DAY, 0,
		"bob@example.com"},
	};
	struct lp_pki_view view = {.action = action,
	    .directory = "ca",
	    .authority = LP_PKI_NAME_DEFAULT,
	    .until = NOW + 3000 * (int64_t)DAY,
	    .now = NOW,
	    .index = {.rows = rows, .count = sizeof(rows) / sizeof(rows[0])},
	    .path = "ca/bob@example.com"};
	const struct lp_output *const outputs[] = {
	    &lp_output_text, &lp_output_json};
	static const char *const endings[] = {"txt", "json"};
	struct support_output out;
	struct lp_print print = {.now_ns = SUPPORT_NOW_NS};

	if (action == LP_PKI_INIT)
		view.index.count = 0;
	else if (action != LP_PKI_LIST)
		view.index = (struct lp_pki_index){
		    .rows = &rows[action == LP_PKI_ISSUE ? 2 : 1], .count = 1};
	for (int i = 0; i < 2; i++) {
		support_output_open(&out);
		print.out = out.file;
		ck_assert_int_eq(outputs[i]->pki(&print, &view), 0);
		support_golden(name, endings[i], support_output_text(&out));
		support_output_close(&out);
	}
}

START_TEST(output_is_as_it_was)
{
	static const char *const names[] = {
	    [LP_PKI_INIT] = "pki-init",
	    [LP_PKI_ISSUE] = "pki-issue",
	    [LP_PKI_REVOKE] = "pki-revoke",
	    [LP_PKI_LIST] = "pki-list",
	};

	show((enum lp_pki_action)_i, names[_i]);
}
END_TEST

static const char *const wrong[][2] = {
    {"pki", "ACTION is missing"},
    {"pki init", "DIR is missing"},
    {"pki make d", "\"make\" is none of: init issue revoke list"},
    {"pki init d x", "pki init: unexpected word \"x\""},
    {"pki init d --role admin", "pki init: has no option --role"},
    {"pki init d --days 0", "--days: \"0\" is no number from 1 to 36500"},
    {"pki init d --days 36501", "--days: \"36501\""},
    {"pki issue d --role admin", "pki issue: NAME is missing"},
    {"pki issue d a", "pki issue: --role is missing"},
    {"pki issue d a --role root", "--role: \"root\" is none of: admin"},
    {"pki issue d a --role admin --name x", "has no option --name"},
    {"pki revoke d", "pki revoke: NAME is missing"},
    {"pki list d --days 3", "pki list: has no option --days"},
};
enum { WRONG = sizeof(wrong) / sizeof(wrong[0]) };

START_TEST(wrong_words_are_named)
{
	support_misuse(wrong[_i][0], wrong[_i][1]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pki");
	TCase *files = tcase_create("files");
	TCase *words = tcase_create("words");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(files, make_root, remove_root);
	tcase_add_loop_test(files,
	    bad_line_of_the_index_is_named_and_nothing_is_done, 0, BAD_INDEXES);
	tcase_add_loop_test(
	    files, what_cannot_be_issued_changes_nothing, 0, BAD_ORDERS);
	tcase_add_loop_test(files, hosts_are_those_of_servers, 0, BAD_HOSTS);
	tcase_add_test(files, no_key_is_overwritten);
	tcase_add_test(files, key_that_others_can_read_is_not_used);
	tcase_add_loop_test(files, spoilt_file_is_named, 0, SPOILT);
	tcase_add_test(files, none_outlives_the_authority);
	tcase_add_test(files, who_has_none_cannot_be_revoked);
	suite_add_tcase(suite, files);
	tcase_add_loop_test(words, output_is_as_it_was, 0, LP_PKI_LIST + 1);
	tcase_add_loop_test(words, wrong_words_are_named, 0, WRONG);
	suite_add_tcase(suite, words);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
