/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon that is absent, mute, mad, or says no. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/line.h"
#include "cli/transaction.h"
#include "tests/cli/support.h"

enum {
	LONG_MS = 20000, /* never reached by a test that passes */
	SHORT_MS = 50,
};

/* Asks for the configuration; the status, the text in *error. */
static int
ask(const char *path, uint32_t timeout_ms, struct lp_replies *replies,
    struct lp_error *error)
{
	Lp__Pb__ShowRequest show = LP__PB__SHOW_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;

	request.body_case = LP__PB__CONTROL_REQUEST__BODY_SHOW;
	request.show = &show;
	return lp_client_ask(replies, path, timeout_ms, &request,
	    LP__PB__CONTROL_REPLY__BODY_SHOW, error);
}

/* The bytes are the daemon's answer; the text must be in the message. */
static void
expect_lost(const struct support_bytes *bytes, enum support_end end,
    uint32_t timeout_ms, const char *text)
{
	struct support_daemon daemon;
	struct lp_replies replies;
	struct lp_error error;

	support_daemon_start(&daemon, bytes, end);
	ck_assert_int_eq(ask(daemon.path, timeout_ms, &replies, &error), 3);
	ck_assert_msg(strstr(error.text, text) != NULL &&
		strncmp(error.text, daemon.path, strlen(daemon.path)) == 0,
	    "%s", error.text);
	lp_client_replies_free(&replies);
	support_daemon_stop(&daemon);
}

START_TEST(answer_of_several_frames_is_whole)
{
	static struct support_bytes bytes;
	struct support_daemon daemon;
	struct lp_replies replies;
	struct lp_error error;

	support_reply_show(&bytes);
	support_daemon_start(&daemon, &bytes, SUPPORT_HANG);
	ck_assert_int_eq(ask(daemon.path, LONG_MS, &replies, &error), 0);
	ck_assert_uint_eq(replies.count, 2);
	ck_assert_uint_eq(replies.list[0]->show->n_objects, 5);
	ck_assert_uint_eq(replies.list[1]->show->n_objects, 7);
	lp_client_replies_free(&replies);
	support_daemon_stop(&daemon);
}
END_TEST

START_TEST(answer_of_a_great_many_frames_is_whole)
{
	enum { FRAMES = 1000 };
	static struct support_bytes bytes;
	Lp__Pb__ShowReply body = LP__PB__SHOW_REPLY__INIT;
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	struct support_daemon daemon;
	struct lp_replies replies;
	struct lp_error error;

	reply.cookie = SUPPORT_COOKIE;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_SHOW;
	reply.show = &body;
	reply.has_more = true;
	for (uint64_t i = 1; i <= FRAMES; i++) {
		body.generation = i;
		reply.more = i < FRAMES;
		support_bytes_add(&bytes, &reply);
	}
	support_daemon_start(&daemon, &bytes, SUPPORT_CLOSE);
	ck_assert_int_eq(ask(daemon.path, LONG_MS, &replies, &error), 0);
	ck_assert_uint_eq(replies.count, FRAMES);
	for (uint64_t i = 0; i < FRAMES; i++)
		ck_assert_uint_eq(replies.list[i]->show->generation, i + 1);
	lp_client_replies_free(&replies);
	support_daemon_stop(&daemon);
}
END_TEST

START_TEST(absent_daemon_is_said_with_how_to_start_it)
{
	struct lp_replies replies;
	struct lp_error error;

	ck_assert_int_eq(
	    ask("/nonexistent/sock", LONG_MS, &replies, &error), 3);
	ck_assert_str_eq(error.text,
	    "/nonexistent/sock: No such file or directory: is lp-controld "
	    "running?  Start it with \"systemctl start lp-controld\", or name "
	    "its socket with --socket");
	ck_assert_uint_eq(replies.count, 0);
}
END_TEST

START_TEST(socket_of_a_dead_daemon_is_said)
{
	struct support_daemon daemon;
	struct lp_replies replies;
	struct lp_error error;
	char path[128];

	support_daemon_start(&daemon, NULL, SUPPORT_DEAF);
	/* A second name keeps the socket's file when the daemon is gone. */
	(void)snprintf(path, sizeof(path), "%s2", daemon.path);
	ck_assert_int_eq(link(daemon.path, path), 0);
	support_daemon_stop(&daemon);
	ck_assert_int_eq(ask(path, LONG_MS, &replies, &error), 3);
	ck_assert_ptr_nonnull(strstr(error.text, "Connection refused"));
	(void)unlink(path);
	(void)rmdir(daemon.dir);
}
END_TEST

START_TEST(path_that_is_too_long_is_wrong_usage)
{
	struct lp_replies replies;
	struct lp_error error;
	char path[256];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(ask(path, LONG_MS, &replies, &error), 2);
	ck_assert_ptr_nonnull(strstr(error.text, "longer than the 107 bytes"));
}
END_TEST

START_TEST(daemon_that_does_not_accept_is_given_up)
{
	expect_lost(NULL, SUPPORT_DEAF, SHORT_MS, "no complete answer within");
}
END_TEST

START_TEST(mute_daemon_is_given_up)
{
	expect_lost(NULL, SUPPORT_HANG, SHORT_MS, "no complete answer within");
}
END_TEST

START_TEST(answer_that_stops_half_way_is_given_up)
{
	static struct support_bytes bytes;

	support_reply_show(&bytes);
	bytes.len -= 10;
	expect_lost(
	    &bytes, SUPPORT_HANG, SHORT_MS, "no complete answer within");
}
END_TEST

START_TEST(daemon_that_closes_at_once_is_said)
{
	expect_lost(NULL, SUPPORT_CLOSE, LONG_MS, "instead of answering");
}
END_TEST

/* At every length: in the header, in a message, between two frames. */
START_TEST(answer_that_is_cut_off_is_said)
{
	static struct support_bytes bytes;

	support_reply_version(&bytes);
	bytes.len = (size_t)_i;
	expect_lost(
	    &bytes, SUPPORT_CLOSE, LONG_MS, "in the middle of its answer");
}
END_TEST

START_TEST(answer_without_its_last_frame_is_said)
{
	static struct support_bytes bytes, first;

	support_reply_show(&bytes);
	/* The first frame says that more follow. */
	first = bytes;
	first.len = 4 + ((size_t)bytes.data[2] << 8 | bytes.data[3]);
	expect_lost(&first, SUPPORT_CLOSE, LONG_MS, "instead of answering");
}
END_TEST

START_TEST(garbage_is_said)
{
	static const struct {
		uint8_t data[8];
		size_t len;
		const char *text;
	} rows[] = {
	    {{0, 0, 0, 0}, 4, "of a length that cannot be"},
	    {{0, 1, 0, 0}, 4, "of a length that cannot be"},
	    {{0xff, 0xff, 0xff, 0xff}, 4, "of a length that cannot be"},
	    {"HTTP/1.1", 8, "of a length that cannot be"},
	    {{0, 0, 0, 1, 0xff}, 5, "what is no answer"},
	    {{0, 0, 0, 4, 1, 2, 3, 4}, 8, "what is no answer"},
	    {{0, 0, 0, 2, 0x08, 0x01}, 6, "of another kind"},
	    {{0, 0, 0, 2, 0x08, 0x02}, 6, "another question"},
	};
	static struct support_bytes bytes;

	memcpy(bytes.data, rows[_i].data, rows[_i].len);
	bytes.len = rows[_i].len;
	expect_lost(&bytes, SUPPORT_HANG, LONG_MS, rows[_i].text);
}
END_TEST

START_TEST(answer_of_another_kind_is_said)
{
	static struct support_bytes bytes;

	support_reply_status(&bytes);
	expect_lost(&bytes, SUPPORT_HANG, LONG_MS, "of another kind");
}
END_TEST

/* Runs commands against a daemon that gives the bytes. */
static int
run(const struct support_bytes *bytes, const char *text,
    struct support_output *out, struct support_output *err,
    struct lp_error *error)
{
	struct support_daemon daemon;
	struct support_argv words;
	struct lp_lpctl lpctl;
	struct lp_line line;
	int status;

	support_daemon_start(&daemon, bytes, SUPPORT_HANG);
	support_lpctl(&lpctl, daemon.path, out, err);
	lpctl.print.verbose = true;
	support_argv(&words, text);
	ck_assert_int_eq(
	    lp_line_parse(&line, &lpctl, words.argc, words.argv, error), 0);
	status = lp_transaction_run(&lpctl, &line, text, error);
	lp_line_fini(&line);
	support_daemon_stop(&daemon);
	return status;
}

START_TEST(applied_change_says_generation_and_notes)
{
	static struct support_bytes bytes;
	struct support_output out, err;
	struct lp_error error;

	support_output_open(&out);
	support_output_open(&err);
	support_reply_changed(&bytes);
	ck_assert_int_eq(
	    run(&bytes, "add-cluster a", &out, &err, &error), LP_EXIT_OK);
	ck_assert_str_eq(
	    support_output_text(&out), "generation 7 applied by 1 dataplane\n");
	ck_assert_str_eq(support_output_text(&err),
	    "lpctl: note: listener payments/public: at most 64512 connections "
	    "per broker\n");
	support_output_close(&out);
	support_output_close(&err);
}
END_TEST

static const struct {
	const char *line;
	Lp__Pb__Failure__Result result;
	uint32_t place;
	const char *object, *field, *why;
	const char *text; /* of the error */
} failures[] = {
    {"add-listener payments public 10.9.0.100:9092", 1, 1,
	"listener payments/public", "vip", "is taken",
	"add-listener payments/public: vip: is taken"},
    {"add-listener payments public 10.9.0.100:9092", 1, 1,
	"listener orders/public", "vip", "is taken",
	"add-listener payments/public: listener orders/public: vip: is "
	"taken"},
    {"add-cluster a -- add-broker a 1 10.0.0.1:1", 1, 2, "broker a/1",
	"endpoint", "is bad", "command 2: add-broker a/1: endpoint: is bad"},
    {"add-cluster a -- del-cluster b", 1, 2, NULL, "", "there is none",
	"command 2: del-cluster b: there is none"},
    {"add-cluster a", 1, 0, NULL, NULL, "the disk is full", "the disk is full"},
    {"add-cluster a", 1, 9, "port x", NULL, "bad", "port x: bad"},
    {"add-cluster a", 1, 1, NULL, NULL, NULL,
	"add-cluster a: lp-controld gave no reason"},
    {"add-cluster a", 4, 0, NULL, NULL, "not applied within 10 s",
	"not applied within 10 s"},
    {"add-port a --device x --address 10.0.0.1/8", 5, 1, "port a", "device",
	"no such device", "add-port a: device: no such device"},
};

START_TEST(failure_names_command_object_and_field)
{
	static struct support_bytes bytes;
	struct support_output out, err;
	struct lp_error error;

	support_output_open(&out);
	support_output_open(&err);
	support_reply_failure(&bytes, failures[_i].result, failures[_i].place,
	    failures[_i].object, failures[_i].field, failures[_i].why);
	ck_assert_int_eq(run(&bytes, failures[_i].line, &out, &err, &error),
	    (int)failures[_i].result);
	ck_assert_str_eq(error.text, failures[_i].text);
	ck_assert_str_eq(support_output_text(&out), "");
	ck_assert_str_eq(support_output_text(&err), "");
	support_output_close(&out);
	support_output_close(&err);
}
END_TEST

START_TEST(transaction_beyond_a_frame_is_refused_here)
{
	static char text[LP_FRAME_SIZE_MAX + 1];
	Lp__Pb__Operation operation = LP__PB__OPERATION__INIT;
	Lp__Pb__Operation *operations[] = {&operation};
	Lp__Pb__Transaction transaction = LP__PB__TRANSACTION__INIT;
	struct support_output out;
	struct lp_lpctl lpctl;
	struct lp_error error;
	struct lp_replies replies;
	struct support_daemon daemon;

	memset(text, 'n', sizeof(text) - 1);
	operation.verb = LP__PB__OPERATION__VERB__DEL;
	operation.kind = LP_OBJECT_RULE;
	operation.name = text;
	transaction.operations = operations;
	transaction.n_operations = 1;
	support_output_open(&out);
	support_daemon_start(&daemon, NULL, SUPPORT_HANG);
	support_lpctl(&lpctl, daemon.path, &out, NULL);
	ck_assert_int_eq(
	    lp_transaction_send(&replies, &lpctl, &transaction, &error),
	    LP_EXIT_REFUSED);
	ck_assert_ptr_nonnull(
	    strstr(error.text, "larger than the 65536 bytes"));
	ck_assert_uint_eq(replies.count, 0);
	support_daemon_stop(&daemon);
	support_output_close(&out);
}
END_TEST

static void
add_failure(struct support_bytes *bytes, Lp__Pb__Failure__Result result,
    const char *why)
{
	support_reply_failure(bytes, result, 0, NULL, NULL, why);
}

/* Daemons are started again; only what is wrong in itself ends it. */
START_TEST(watching_goes_on_when_a_round_fails)
{
	static struct support_bytes rounds[5];
	struct support_daemon daemon;
	struct support_output out, err;
	struct support_argv words;
	struct lp_lpctl lpctl;
	struct lp_line line;
	struct lp_error error;

	add_failure(&rounds[0], 3, "nobody is there");
	add_failure(&rounds[1], 3, "still nobody");
	support_reply_stats(&rounds[2], 0);
	add_failure(&rounds[3], 4, "no answer");
	add_failure(&rounds[4], 1, "refused");
	support_output_open(&out);
	support_output_open(&err);
	support_daemon_start_many(&daemon, rounds, 5, SUPPORT_HANG);
	support_lpctl(&lpctl, daemon.path, &out, &err);
	support_argv(&words, "stats --watch");
	ck_assert_int_eq(
	    lp_line_parse(&line, &lpctl, words.argc, words.argv, &error), 0);
	ck_assert_int_eq(
	    line.commands[0].command->run(&lpctl, &line.commands[0], &error),
	    LP_EXIT_REFUSED);
	ck_assert_str_eq(error.text, "refused");
	ck_assert_str_eq(support_output_text(&err),
	    "lpctl: nobody is there; trying again every 1 s\n"
	    "lpctl: no answer; trying again every 1 s\n");
	ck_assert_ptr_nonnull(strstr(support_output_text(&out), "edge-1"));
	lp_line_fini(&line);
	support_daemon_stop(&daemon);
	support_output_close(&out);
	support_output_close(&err);
}
END_TEST

/* The configuration is the answer; what dataplanes say of it is beside it. */
static void
expect_ports(const struct support_bytes answers[2], size_t count,
    enum support_end end, const char *wanted, const char *unwanted)
{
	struct support_daemon daemon;
	struct support_output out;
	struct support_argv words;
	struct lp_lpctl lpctl;
	struct lp_line line;
	struct lp_error error;
	const char *text;

	support_output_open(&out);
	support_daemon_start_many(&daemon, answers, count, end);
	support_lpctl(&lpctl, daemon.path, &out, NULL);
	support_argv(&words, "list-ports");
	ck_assert_int_eq(
	    lp_line_parse(&line, &lpctl, words.argc, words.argv, &error), 0);
	ck_assert_int_eq(
	    line.commands[0].command->run(&lpctl, &line.commands[0], &error),
	    LP_EXIT_OK);
	text = support_output_text(&out);
	ck_assert_ptr_nonnull(strstr(text, "back   eth2    af_xdp"));
	ck_assert_msg(strstr(text, wanted) != NULL, "%s", text);
	if (unwanted != NULL)
		ck_assert_msg(strstr(text, unwanted) == NULL, "%s", text);
	lp_line_fini(&line);
	support_daemon_stop(&daemon);
	support_output_close(&out);
}

START_TEST(ports_are_listed_with_what_runs)
{
	static struct support_bytes answers[2];

	support_reply_show(&answers[0]);
	support_reply_stats(&answers[1], 0);
	expect_ports(
	    answers, 2, SUPPORT_HANG, "front  up 10G   veth", "edge-1");
}
END_TEST

START_TEST(ports_are_listed_without_a_dataplane)
{
	static struct support_bytes answers[2];

	support_reply_show(&answers[0]);
	add_failure(&answers[1], 3, "no dataplane is connected");
	expect_ports(answers, 2, SUPPORT_HANG, "NUMA\nfront  unknown  -", NULL);
	expect_ports(
	    answers, 2, SUPPORT_HANG, "\nno dataplane is connected\n", NULL);
}
END_TEST

/* One has answered; the other is named. */
START_TEST(ports_are_listed_with_a_part_of_the_answer)
{
	static struct support_bytes answers[2];

	support_reply_show(&answers[0]);
	support_reply_ports(&answers[1]);
	/* Only the first of its frames. */
	answers[1].len =
	    4 + ((size_t)answers[1].data[2] << 8 | answers[1].data[3]);
	add_failure(&answers[1], 4, "no complete answer within 5000 ms");
	expect_ports(
	    answers, 2, SUPPORT_HANG, "front  edge-1     up 100G", "edge-2");
	expect_ports(answers, 2, SUPPORT_HANG,
	    "\nno complete answer within 5000 ms\n", NULL);
}
END_TEST

/* lp-controld itself goes between the two questions. */
START_TEST(ports_are_listed_even_if_the_daemon_goes)
{
	static struct support_bytes answers[2];

	support_reply_show(&answers[0]);
	expect_ports(answers, 2, SUPPORT_CLOSE, "unknown", NULL);
	support_reply_version(&answers[1]);
	expect_ports(answers, 2, SUPPORT_HANG, "is of another kind", NULL);
}
END_TEST

/* Nothing is asked that nobody would read. */
START_TEST(no_ports_need_no_dataplane)
{
	static struct support_bytes answers[1];
	struct support_daemon daemon;
	struct support_output out;
	struct support_argv words;
	struct lp_lpctl lpctl;
	struct lp_line line;
	struct lp_error error;

	support_reply_show_empty(&answers[0]);
	support_output_open(&out);
	support_daemon_start(&daemon, answers, SUPPORT_CLOSE);
	support_lpctl(&lpctl, daemon.path, &out, NULL);
	support_argv(&words, "list-ports");
	ck_assert_int_eq(
	    lp_line_parse(&line, &lpctl, words.argc, words.argv, &error), 0);
	ck_assert_int_eq(
	    line.commands[0].command->run(&lpctl, &line.commands[0], &error),
	    LP_EXIT_OK);
	ck_assert_str_eq(support_output_text(&out),
	    "PORT  DEVICE  BACKEND  SIDE  ADDRESSES  GATEWAYS\n");
	lp_line_fini(&line);
	support_daemon_stop(&daemon);
	support_output_close(&out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("client");
	TCase *tcase = tcase_create("client");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, answer_of_several_frames_is_whole);
	tcase_add_test(tcase, answer_of_a_great_many_frames_is_whole);
	tcase_add_test(tcase, absent_daemon_is_said_with_how_to_start_it);
	tcase_add_test(tcase, socket_of_a_dead_daemon_is_said);
	tcase_add_test(tcase, path_that_is_too_long_is_wrong_usage);
	tcase_add_test(tcase, daemon_that_does_not_accept_is_given_up);
	tcase_add_test(tcase, mute_daemon_is_given_up);
	tcase_add_test(tcase, answer_that_stops_half_way_is_given_up);
	tcase_add_test(tcase, daemon_that_closes_at_once_is_said);
	tcase_add_loop_test(tcase, answer_that_is_cut_off_is_said, 1, 17);
	tcase_add_test(tcase, answer_without_its_last_frame_is_said);
	tcase_add_loop_test(tcase, garbage_is_said, 0, 8);
	tcase_add_test(tcase, answer_of_another_kind_is_said);
	tcase_add_test(tcase, applied_change_says_generation_and_notes);
	tcase_add_loop_test(tcase, failure_names_command_object_and_field, 0,
	    sizeof(failures) / sizeof(failures[0]));
	tcase_add_test(tcase, transaction_beyond_a_frame_is_refused_here);
	tcase_add_test(tcase, watching_goes_on_when_a_round_fails);
	tcase_add_test(tcase, ports_are_listed_with_what_runs);
	tcase_add_test(tcase, ports_are_listed_without_a_dataplane);
	tcase_add_test(tcase, ports_are_listed_with_a_part_of_the_answer);
	tcase_add_test(tcase, ports_are_listed_even_if_the_daemon_goes);
	tcase_add_test(tcase, no_ports_need_no_dataplane);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
