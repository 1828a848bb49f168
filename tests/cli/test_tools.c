/* SPDX-License-Identifier: Apache-2.0 */
/* lpctl trace and lpctl capture, from the command line to what is written. */
#include <check.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/line.h"
#include "tests/cli/support.h"

#define SYN "trace --port front --from 10.9.0.7:51000 --to 10.9.0.100:9092 "

static struct support_output out, err;
static char directory[64];

static void
setup(void)
{
	strcpy(directory, "/tmp/lpctl-tools-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	support_output_open(&out);
	support_output_open(&err);
}

static void
teardown(void)
{
	support_output_close(&out);
	support_output_close(&err);
	ck_assert_int_eq(rmdir(directory), 0);
}

static const char *
path_in(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

/* Runs the command; "%" in it is the test's directory. */
static int
run(const char *socket, const char *text, struct lp_error *error)
{
	struct support_argv words;
	struct lp_lpctl lpctl;
	struct lp_line line;
	char full[1024] = "";
	int status;

	for (const char *at = text; *at != '\0'; at++)
		if (*at == '%')
			strcat(full, directory);
		else
			strncat(full, at, 1);
	*error = (struct lp_error){0};
	support_lpctl(&lpctl, socket, &out, &err);
	support_argv(&words, full);
	status = lp_line_parse(&line, &lpctl, words.argc, words.argv, error);
	if (status == LP_EXIT_OK)
		status = line.commands[0].command->run(
		    &lpctl, &line.commands[0], error);
	lp_line_fini(&line);
	return status;
}

static const struct {
	const char *line;
	const char *text;
} wrong[] = {
    {"trace", "--port is missing"},
    {"trace --port front", "--from and --to, or --read, are needed"},
    {"trace --port front --from 1.2.3.4:5", "are needed"},
    {SYN "--flags X", "--flags: \"X\" has other letters"},
    {SYN "--seq 4294967296", "--seq: \"4294967296\" is no sequence"},
    {SYN "--ack -", "--ack: \"-\" is no sequence number"},
    {SYN "--payload 0", "--payload: not pairs of hex digits"},
    {SYN "--payload @/nonexistent", "--payload: "},
    {SYN "--read x", "give one of them"},
    {"trace --port p -r x --request api=Fetch",
	"goes with a packet that is described"},
    {"trace --port p --kind ping --from 1.2.3.4 --to 1.2.3.5 --request "
     "api=Fetch",
	"are of TCP"},
    {SYN "--filter tcp", "for packets of a file"},
    {SYN "--kind udp", "is none of: tcp ping arp"},
    {"trace --port p --from 1.2.3.4 --to 1.2.3.5:1", "--from: "},
    {"trace --port p --from 1.2.3.4:1 --to [fd00::1]:1", "two families"},
    {"trace --port p --kind ping --from 1.2.3.4:1 --to 1.2.3.5", "--from: "},
    {"trace --port p --kind ping --from 1.2.3.4 --to 1.2.3.5 --seq 1",
	"are of TCP"},
    {"trace --port p --kind arp --from fd00::1 --to fd00::2", "ARP is of IPv4"},
    {"trace --port p --kind arp --from 1.2.3.4 --to 1.2.3.5 --payload 00",
	"ARP has none"},
    {"trace --port p -r x -c 0", "--count: \"0\""},
    {"capture --client x", "--client: "},
    {"capture --client 10.0.0.0/33", "--client: "},
    {"capture --broker -1", "--broker: \"-1\" is no number from 0"},
    {"capture -c 0", "--count: \"0\" is no number from 1"},
    {"capture --snaplen 63", "--snaplen: \"63\" is no number from 64"},
    {"capture --duration 0", "--duration: \"0\" is no number from 1"},
};

START_TEST(wrong_usage_is_said_and_nobody_is_asked)
{
	struct lp_error error;

	ck_assert_int_eq(run("/nonexistent/sock", wrong[_i].line, &error), 2);
	ck_assert_msg(
	    strstr(error.text, wrong[_i].text) != NULL, "%s", error.text);
}
END_TEST

static const struct {
	const char *request;
	const char *text; /* with the lines that show the place */
} wrong_requests[] = {
    {"topic=orders", "--request: what is asked is missing: api=NAME\n"},
    {"api=Fettch",
	"--request: \"Fettch\" is no API of Kafka: did you mean Fetch?\n"
	"  api=Fettch\n"
	"      ^~~~~~\n"},
    {"topic=pay* api=Fetch",
	"--request: topic is to be a whole one, and no prefix\n"
	"  api=Fetch topic=pay*\n"
	"                  ^~~~\n"},
    {"api=Fetch src=10.0.0.1",
	"--request: src is of the connection, which the packet says\n"
	"  src=10.0.0.1 api=Fetch\n"
	"  ^~~\n"},
};

START_TEST(what_is_wrong_with_a_request_is_shown_where_it_stands)
{
	struct support_argv words;
	struct lp_line line = {0};
	struct lp_lpctl lpctl;
	struct lp_error error = {0};
	char shown[LP_ERROR_SIZE + LP_ERROR_SHOWN_SIZE], text[256];

	(void)snprintf(text, sizeof(text), SYN "--request '%s'",
	    wrong_requests[_i].request);
	support_lpctl(&lpctl, "/nonexistent/sock", &out, NULL);
	support_argv(&words, text);
	ck_assert_int_eq(
	    lp_line_parse(&line, &lpctl, words.argc, words.argv, &error), 0);
	ck_assert_int_eq(
	    line.commands[0].command->run(&lpctl, &line.commands[0], &error),
	    LP_EXIT_USAGE);
	lp_line_fini(&line);
	(void)snprintf(shown, sizeof(shown), "%s\n%s", error.text, error.shown);
	ck_assert_str_eq(shown, wrong_requests[_i].text);
}
END_TEST

/* A daemon or dataplane that does not know of it answers without. */
START_TEST(a_request_that_is_not_answered_is_said)
{
	static struct support_bytes bytes, without;
	struct support_daemon daemon;
	struct lp_error error;

	support_reply_trace(&bytes);
	support_daemon_start(&daemon, &bytes, SUPPORT_CLOSE);
	ck_assert_int_eq(
	    run(daemon.path, SYN "--request api=Fetch", &error), 0);
	ck_assert_ptr_nonnull(strstr(
	    support_output_text(&out), "    request     topic orders\n"));
	support_daemon_stop(&daemon);
	support_reply_trace_dropped(&without);
	support_daemon_start(&daemon, &without, SUPPORT_CLOSE);
	ck_assert_int_eq(
	    run(daemon.path, SYN "--request api=Fetch", &error), 3);
	ck_assert_ptr_nonnull(strstr(error.text, "is of a version"));
	support_daemon_stop(&daemon);
}
END_TEST

START_TEST(a_trace_is_printed)
{
	static struct support_bytes bytes;
	struct support_daemon daemon;
	struct lp_error error;

	support_reply_trace(&bytes);
	support_daemon_start(&daemon, &bytes, SUPPORT_CLOSE);
	ck_assert_int_eq(run(daemon.path, SYN, &error), 0);
	ck_assert_ptr_nonnull(strstr(support_output_text(&out),
	    "packet 1, in by port front: held (neighbor_pending)\n"));
	support_daemon_stop(&daemon);
}
END_TEST

/* A pcap file of so many frames of 60 bytes, of which `cut` are captured. */
static void
write_pcap(const char *path, uint32_t link, unsigned count, uint32_t cut)
{
	const uint32_t head[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, link};
	static const uint8_t frame[60];
	FILE *file = fopen(path, "wb");

	ck_assert_ptr_nonnull(file);
	(void)fwrite(head, sizeof(head), 1, file);
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t record[4] = {i, 0, cut, sizeof(frame)};

		(void)fwrite(record, sizeof(record), 1, file);
		(void)fwrite(frame, cut, 1, file);
	}
	ck_assert_int_eq(fclose(file), 0);
}

static const struct {
	uint32_t link;
	unsigned count;
	uint32_t cut;
	const char *more; /* options */
	int status;
	const char *text;
} files[] = {
    {1, 0, 60, "", 1, "no packet"},
    {1, 1, 59, "", 1, "packet 1: only 59 of its 60 bytes"},
    {113, 1, 60, "", 1, "link type LINUX_SLL; a trace needs Ethernet"},
    {1, 2, 60, "--filter tcp", 1, "no packet that matches"},
    {1, 2, 60, "--filter (", 2, "--filter: "},
    {1, 2, 60, "", 3, "about other packets than it was asked about"},
    {1, 5000, 60, "-c 1", 0, ""},
};

START_TEST(a_file_is_read_or_what_is_wrong_with_it_is_said)
{
	static struct support_bytes bytes;
	struct support_daemon daemon;
	struct lp_error error;
	char text[128];

	support_reply_trace(&bytes);
	support_daemon_start(&daemon, &bytes, SUPPORT_CLOSE);
	write_pcap(
	    path_in("f"), files[_i].link, files[_i].count, files[_i].cut);
	(void)snprintf(text, sizeof(text), "trace --port front -r %%/f %s",
	    files[_i].more);
	ck_assert_int_eq(run(daemon.path, text, &error), files[_i].status);
	ck_assert_msg(
	    strstr(error.text, files[_i].text) != NULL, "%s", error.text);
	ck_assert_int_eq(unlink(path_in("f")), 0);
	support_daemon_stop(&daemon);
}
END_TEST

START_TEST(a_file_that_is_no_capture_is_said)
{
	struct lp_error error;

	ck_assert_int_eq(
	    run("/nonexistent", "trace --port p -r %/none", &error), 1);
	ck_assert_ptr_nonnull(strstr(error.text, "/none"));
	ck_assert_int_eq(
	    run("/nonexistent", "trace --port p -r /dev/null", &error), 1);
	ck_assert_ptr_nonnull(strstr(error.text, "/dev/null: "));
}
END_TEST

/* How many packets the file has; it is whole, and removed. */
static unsigned
count_packets(const char *name)
{
	char why[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *head;
	const u_char *data;
	unsigned count = 0;
	pcap_t *pcap = pcap_open_offline(path_in(name), why);
	int got;

	ck_assert_msg(pcap != NULL, "%s", why);
	while ((got = pcap_next_ex(pcap, &head, &data)) == 1)
		count++;
	ck_assert_int_eq(got, PCAP_ERROR_BREAK);
	pcap_close(pcap);
	ck_assert_int_eq(unlink(path_in(name)), 0);
	return count;
}

START_TEST(a_capture_is_a_file_and_a_summary)
{
	static struct support_bytes bytes;
	struct support_daemon daemon;
	struct lp_error error;

	support_reply_capture(&bytes, true);
	support_daemon_start(&daemon, &bytes, SUPPORT_HANG);
	ck_assert_int_eq(run(daemon.path, "capture -w %/f", &error), 0);
	/* One of its three has a port that nobody has named. */
	ck_assert_uint_eq(count_packets("f"), 2);
	ck_assert_str_eq(
	    support_output_text(&err), "2 packets captured, 5 missed\n");
	ck_assert_str_eq(support_output_text(&out), "");
	support_daemon_stop(&daemon);
}
END_TEST

START_TEST(the_summary_is_json_where_that_is_asked_for)
{
	static struct support_bytes bytes;
	struct support_daemon daemon;
	struct lp_error error;

	support_reply_capture(&bytes, true);
	support_daemon_start(&daemon, &bytes, SUPPORT_HANG);
	ck_assert_int_eq(run(daemon.path, "-o json capture -w %/f", &error), 0);
	ck_assert_uint_eq(count_packets("f"), 2);
	ck_assert_ptr_nonnull(
	    strstr(support_output_text(&out), "\"missed\": 5"));
	support_daemon_stop(&daemon);
}
END_TEST

START_TEST(a_capture_ends_when_it_has_enough)
{
	static struct support_bytes bytes;
	struct support_daemon daemon;
	struct lp_error error;

	support_reply_capture(&bytes, true);
	support_daemon_start(&daemon, &bytes, SUPPORT_HANG);
	ck_assert_int_eq(run(daemon.path, "capture -c 1 -w %/f", &error), 0);
	ck_assert_uint_eq(count_packets("f"), 1);
	ck_assert_str_eq(
	    support_output_text(&err), "1 packet captured, 5 missed\n");
	support_daemon_stop(&daemon);
}
END_TEST

START_TEST(a_capture_that_breaks_off_leaves_a_whole_file)
{
	static struct support_bytes bytes;
	struct support_daemon daemon;
	struct lp_error error;

	support_reply_capture(&bytes, false);
	support_daemon_start(&daemon, &bytes, SUPPORT_CLOSE);
	ck_assert_int_eq(run(daemon.path, "capture -w %/f", &error), 3);
	ck_assert_uint_eq(count_packets("f"), 2);
	ck_assert_str_eq(
	    support_output_text(&err), "2 packets captured, 0 missed\n");
	support_daemon_stop(&daemon);
}
END_TEST

START_TEST(a_capture_that_is_refused_touches_no_file)
{
	static struct support_bytes bytes;
	struct support_daemon daemon;
	struct lp_error error;

	support_reply_failure(&bytes, LP__PB__FAILURE__RESULT__REFUSED, 0, NULL,
	    NULL, "another capture runs already");
	support_daemon_start(&daemon, &bytes, SUPPORT_CLOSE);
	ck_assert_int_eq(run(daemon.path, "capture -w %/f", &error), 1);
	ck_assert_str_eq(error.text, "another capture runs already");
	ck_assert_int_ne(access(path_in("f"), F_OK), 0);
	ck_assert_str_eq(support_output_text(&err), "");
	support_daemon_stop(&daemon);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_said)
{
	static struct support_bytes bytes;
	struct support_daemon daemon;
	struct lp_error error;

	support_reply_capture(&bytes, true);
	support_daemon_start(&daemon, &bytes, SUPPORT_HANG);
	ck_assert_int_eq(run(daemon.path, "capture -w %/no/f", &error), 1);
	ck_assert_ptr_nonnull(
	    strstr(error.text, "/no/f: No such file or directory"));
	support_daemon_stop(&daemon);
	support_daemon_start(&daemon, &bytes, SUPPORT_HANG);
	ck_assert_int_eq(run(daemon.path, "capture -w /dev/full", &error), 3);
	ck_assert_ptr_nonnull(
	    strstr(error.text, "/dev/full: No space left on device"));
	support_daemon_stop(&daemon);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tools");
	TCase *tcase = tcase_create("tools");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, wrong_usage_is_said_and_nobody_is_asked, 0,
	    sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_loop_test(tcase,
	    what_is_wrong_with_a_request_is_shown_where_it_stands, 0,
	    sizeof(wrong_requests) / sizeof(wrong_requests[0]));
	tcase_add_test(tcase, a_request_that_is_not_answered_is_said);
	tcase_add_test(tcase, a_trace_is_printed);
	tcase_add_loop_test(tcase,
	    a_file_is_read_or_what_is_wrong_with_it_is_said, 0,
	    sizeof(files) / sizeof(files[0]));
	tcase_add_test(tcase, a_file_that_is_no_capture_is_said);
	tcase_add_test(tcase, a_capture_is_a_file_and_a_summary);
	tcase_add_test(tcase, the_summary_is_json_where_that_is_asked_for);
	tcase_add_test(tcase, a_capture_ends_when_it_has_enough);
	tcase_add_test(tcase, a_capture_that_breaks_off_leaves_a_whole_file);
	tcase_add_test(tcase, a_capture_that_is_refused_touches_no_file);
	tcase_add_test(tcase, a_file_that_cannot_be_written_is_said);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
