/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "cli/complete.h"
#include "tests/cli/support.h"

/* A line, the cursor at its end; '' is an empty word there. */
static const struct {
	const char *line;
	const char *candidates;
} still[] = {
    {"sta", "status\nstats\n"},
    {"-o json sta", "status\nstats\n"},
    {"add-cluster a -- set-c", "set-cluster\n"},
    {"help conn", "connections\n"},
    {"stats k", "kafka\n"},
    {"topics --sor", "--sort\n"},
    {"rule-", "rule-stats\n"},
    {"rule-stats --w", "--watch\n"},
    {"den", "denials\n"},
    {"denials a --f", "--follow\n"},
    {"clients --sort p99", "p99\np99.9\np99.99\n"},
    {"top --view b", "brokers\n"},
    {"top --sort p99", "p99\np99.9\np99.99\n"},
    {"top --s", "--socket\n--sort\n--since-start\n"},
    {"nonsense --",
	"--socket\n--remote\n--tls\n--output\n--timeout\n--no-wait\n--verbose\n"
	"--version\n--help\n"},
    {"add-port x --si", "--side\n"},
    {"add-port x --mt", "--mtu\n"},
    {"set-port x --mtu ''", ""},
    {"show --si", ""},
    {"add-port x --side ''", "client\nbroker\nboth\n"},
    {"add-port x --side b", "broker\nboth\n"},
    {"-o ''", "text\njson\n"},
    {"show --output j", "json\n"},
    {"add-listener c l v:1 --source-address ''", "translate\npreserve\n"},
    {"set-listener c l --kafka ''", "observe\noff\n"},
    {"add-port x --device l", "lo\n"},
    {"add-port x --address ''", ""},
    {"show ''", ""},
    {"del-port ''", ""},
};

/* As above, with the daemon of support_reply_show() behind the socket. */
static const struct {
	const char *line;
	const char *candidates;
} live[] = {
    {"del-port ''", "front\nback\n"},
    {"set-port b", "back\n"},
    {"list-brokers ''", "payments\nempty\n"},
    {"add-cluster x -- del-broker pay", "payments\n"},
    {"del-broker payments ''", "1\n12\n70000\n"},
    {"del-broker payments 1", "1\n12\n"},
    {"del-broker empty ''", ""},
    {"del-broker unknown ''", ""},
    {"del-listener payments ''", "public\nv6\n"},
    {"del-listener payments public ''", ""},
};

static void
complete(const char *socket, const char *line, const char *candidates)
{
	struct support_output out;
	struct support_argv words;
	struct lp_lpctl lpctl;

	support_output_open(&out);
	support_lpctl(&lpctl, socket, &out, NULL);
	support_argv(&words, line);
	lp_complete_write(&lpctl, words.argc - 1, words.argv + 1);
	ck_assert_str_eq(support_output_text(&out), candidates);
	support_output_close(&out);
}

START_TEST(words_of_the_table_are_offered)
{
	complete("/nonexistent", still[_i].line, still[_i].candidates);
}
END_TEST

START_TEST(names_that_exist_are_offered)
{
	static struct support_bytes bytes;
	struct support_daemon daemon;

	support_reply_show(&bytes);
	support_daemon_start(&daemon, &bytes, SUPPORT_CLOSE);
	complete(daemon.path, live[_i].line, live[_i].candidates);
	support_daemon_stop(&daemon);
}
END_TEST

START_TEST(socket_of_the_line_is_asked)
{
	static struct support_bytes bytes;
	struct support_daemon daemon;
	char line[256];

	support_reply_status(&bytes);
	support_daemon_start(&daemon, &bytes, SUPPORT_CLOSE);
	(void)snprintf(line, sizeof(line),
	    _i == 0 ? "--socket %s stats --dataplane ''"
		    : "stats --socket=%s --dataplane e",
	    daemon.path);
	complete("/nonexistent", line, "edge-1\nedge-2\n");
	support_daemon_stop(&daemon);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("complete");
	TCase *tcase = tcase_create("complete");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, words_of_the_table_are_offered, 0,
	    sizeof(still) / sizeof(still[0]));
	tcase_add_loop_test(tcase, names_that_exist_are_offered, 0,
	    sizeof(live) / sizeof(live[0]));
	tcase_add_loop_test(tcase, socket_of_the_line_is_asked, 0, 2);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
