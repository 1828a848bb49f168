/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "cli/change.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/line.h"
#include "tests/cli/support.h"

/* Parses a line; the status, with the message in *error. */
static int
parse(struct lp_line *line, struct lp_lpctl *lpctl, struct support_argv *words,
    const char *text, struct lp_error *error)
{
	static struct support_output none;

	none.file = stdout;
	support_lpctl(lpctl, "/nowhere", &none, NULL);
	support_argv(words, text);
	error->text[0] = '\0';
	return lp_line_parse(line, lpctl, words->argc, words->argv, error);
}

static const struct {
	const char *line;
	const char *text; /* of the usage error */
} wrong[] = {
    {"", "no command; \"lpctl help\" lists them"},
    {"--", "no command; \"lpctl help\" lists them"},
    {"ad-port", "unknown command \"ad-port\"; \"lpctl help\" lists them"},
    {"''", "unknown command \"\"; \"lpctl help\" lists them"},
    {"--frobnicate", "unknown or ambiguous option \"--frobnicate\""},
    {"-x show", "unknown option \"-x\""},
    {"-o", "option \"-o\" needs a value"},
    {"-o yaml show", "--output: \"yaml\" is none of: text json"},
    {"-o '' show", "--output: \"\" is none of: text json"},
    {"-o tex show", "--output: \"tex\" is none of: text json"},
    {"--timeout x show",
	"--timeout: \"x\" is no number of seconds from 0 to 600"},
    {"--timeout -1 show",
	"--timeout: \"-1\" is no number of seconds from 0 to 600"},
    {"--timeout 601 show",
	"--timeout: \"601\" is no number of seconds from 0 to 600"},
    {"--timeout 99999999999999999999 show",
	"--timeout: \"99999999999999999999\" is no number of seconds from 0 "
	"to 600"},
    {"--socket", "option \"--socket\" needs a value"},
    {"--no-wait=1 show", "option \"--no-wait=1\" takes no value"},
    {"show all", "show: unexpected word \"all\""},
    {"show --device x", "show: unknown or ambiguous option \"--device\""},
    {"add-port", "add-port: NAME is missing"},
    {"add-port a b", "add-port: unexpected word \"b\""},
    {"add-port a --device", "add-port: option \"--device\" needs a value"},
    {"add-port a --side up",
	"add-port: --side: \"up\" is none of: client broker both"},
    {"add-port a --backend xdp",
	"add-port: --backend: \"xdp\" is none of: af_xdp dpdk memory"},
    {"add-port a --allow-default-route=maybe",
	"add-port: --allow-default-route: \"maybe\" is none of: yes no"},
    {"add-broker c 1", "add-broker: HOST:PORT is missing"},
    {"add-broker c 1 h:1 x", "add-broker: unexpected word \"x\""},
    {"add-listener c", "add-listener: NAME is missing"},
    {"add-listener c l v:1 --mode bridge",
	"add-listener: --mode: \"bridge\" is none of: vip inline"},
    {"add-port a --on-loss reset",
	"add-port: --on-loss: \"reset\" is none of: drop wire"},
    {"add-listener c l v:1 --source-address keep",
	"add-listener: --source-address: \"keep\" is none of: translate "
	"preserve"},
    {"add-listener c l v:1 --kafka on",
	"add-listener: --kafka: \"on\" is none of: observe off"},
    {"del-port a --may-exist",
	"del-port: unknown or ambiguous option \"--may-exist\""},
    {"show -- add-cluster a",
	"show: stands alone; only add-, set- and del- commands are combined "
	"by \"--\""},
    {"add-cluster a -- show",
	"show: stands alone; only add-, set- and del- commands are combined "
	"by \"--\""},
    {"add-cluster a -- add-port", "command 2: add-port: NAME is missing"},
    {"add-cluster a -- nonsense",
	"command 2: unknown command \"nonsense\"; \"lpctl help\" lists "
	"them"},
};

START_TEST(wrong_usage_is_named)
{
	struct support_argv words;
	struct lp_error error;
	struct lp_lpctl lpctl;
	struct lp_line line;

	ck_assert_int_eq(parse(&line, &lpctl, &words, wrong[_i].line, &error),
	    LP_EXIT_USAGE);
	ck_assert_str_eq(error.text, wrong[_i].text);
	lp_line_fini(&line);
}
END_TEST

START_TEST(too_many_options_of_a_command_are_refused)
{
	struct support_argv words;
	struct lp_error error;
	struct lp_lpctl lpctl;
	struct lp_line line;
	char text[4096] = "add-port a";

	for (int i = 0; i <= LP_OPTIONS_GIVEN_MAX; i++)
		strcat(text, " --address 1");
	ck_assert_int_eq(
	    parse(&line, &lpctl, &words, text, &error), LP_EXIT_USAGE);
	ck_assert_str_eq(error.text, "add-port: more than 64 options");
	lp_line_fini(&line);
}
END_TEST

START_TEST(too_many_commands_are_refused)
{
	enum { WORDS = LP_COMMANDS_MAX + 1 };
	static char *argv[WORDS + 1];
	struct lp_error error;
	struct lp_lpctl lpctl = {0};
	struct lp_line line;

	argv[0] = "lpctl";
	for (int i = 1; i < WORDS; i++)
		argv[i] = "--";
	ck_assert_int_eq(
	    lp_line_parse(&line, &lpctl, WORDS, argv, &error), LP_EXIT_USAGE);
	ck_assert_str_eq(
	    error.text, "more than the 4096 commands of one transaction");
	lp_line_fini(&line);
}
END_TEST

START_TEST(global_options_stand_anywhere)
{
	static const char *const lines[] = {
	    "-o json --timeout 3 --socket /s -v show",
	    "show -o json --timeout 3 --socket /s -v",
	    "--output=json --socket=/s show --timeout=3 --verbose",
	    "-ojson -v --socket /s -- show --timeout 3",
	    "-v --out json --sock /s show --time 3",
	};
	struct support_argv words;
	struct lp_error error;
	struct lp_lpctl lpctl;
	struct lp_line line;

	ck_assert_int_eq(
	    parse(&line, &lpctl, &words, lines[_i], &error), LP_EXIT_OK);
	ck_assert_ptr_eq(lpctl.output, &lp_output_json);
	ck_assert_uint_eq(lpctl.timeout_s, 3);
	ck_assert_str_eq(lpctl.socket, "/s");
	ck_assert(lpctl.print.verbose);
	ck_assert_uint_eq(line.count, 1);
	ck_assert_str_eq(line.commands[0].command->name, "show");
	ck_assert_uint_eq(line.commands[0].option_count, 0);
	lp_line_fini(&line);
}
END_TEST

/* Of several places the last one holds. */
START_TEST(another_machine_is_a_place)
{
	static const struct {
		const char *line;
		const char *place;
	} lines[] = {
	    {"--remote a.example --tls /t show", "tls://a.example:9643//t"},
	    {"show --tls x --remote [::1]:5", "tls://[::1]:5/x"},
	    {"--remote a --tls /t --socket /s show", "/s"},
	    {"--socket /s --remote a --tls /t show", "tls://a:9643//t"},
	    {"--socket /s show", "/s"},
	};
	struct support_argv words;
	struct lp_error error;
	struct lp_lpctl lpctl;
	struct lp_line line;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		ck_assert_int_eq(
		    parse(&line, &lpctl, &words, lines[i].line, &error),
		    LP_EXIT_OK);
		ck_assert_str_eq(lpctl.socket, lines[i].place);
		lp_line_fini(&line);
	}
	ck_assert_int_eq(
	    parse(&line, &lpctl, &words, "--remote a:0 show", &error),
	    LP_EXIT_USAGE);
	ck_assert_int_eq(strncmp(error.text, "--remote a:0: ", 14), 0);
	lp_line_fini(&line);
}
END_TEST

START_TEST(commands_are_cut_at_two_dashes)
{
	struct support_argv words;
	struct lp_error error;
	struct lp_lpctl lpctl;
	struct lp_line line;

	ck_assert_int_eq(parse(&line, &lpctl, &words,
			     "--no-wait -- add-broker --may-exist c 1 h:1 -- "
			     "set-port p --gateway none --gateway ::1 -- "
			     "del-cluster c",
			     &error),
	    LP_EXIT_OK);
	ck_assert_uint_eq(lpctl.timeout_s, 0);
	ck_assert_uint_eq(line.count, 3);
	ck_assert_str_eq(line.commands[0].operands[2], "h:1");
	ck_assert(lp_command_given(&line.commands[0], LP_OPTION_MAY_EXIST));
	ck_assert_str_eq(line.commands[1].operands[0], "p");
	ck_assert_str_eq(
	    lp_command_value(&line.commands[1], LP_OPTION_GATEWAY, "-"), "::1");
	ck_assert_ptr_null(line.commands[1].operands[1]);
	ck_assert(!lp_command_given(&line.commands[2], LP_OPTION_IF_EXISTS));
	lp_line_fini(&line);
}
END_TEST

START_TEST(watch_takes_its_seconds_with_and_without_a_sign)
{
	static const struct {
		const char *line, *value;
	} lines[] = {
	    {"stats --watch", NULL},
	    {"stats --watch --all", NULL},
	    {"stats --watch 5 --all", "5"},
	    {"stats --watch=5 --all", "5"},
	};
	struct support_argv words;
	struct lp_error error;
	struct lp_lpctl lpctl;
	struct lp_line line;
	const char *value;

	ck_assert_int_eq(
	    parse(&line, &lpctl, &words, lines[_i].line, &error), LP_EXIT_OK);
	ck_assert(lp_command_given(&line.commands[0], LP_OPTION_WATCH));
	value = lp_command_value(&line.commands[0], LP_OPTION_WATCH, "-");
	ck_assert_pstr_eq(value, lines[_i].value);
	lp_line_fini(&line);
}
END_TEST

START_TEST(help_is_of_the_command_before_it)
{
	struct support_argv words;
	struct lp_error error;
	struct lp_lpctl lpctl;
	struct lp_line line;

	ck_assert_int_eq(
	    parse(&line, &lpctl, &words, "add-port --help", &error),
	    LP_EXIT_OK);
	ck_assert_int_eq(line.wish, LP_LINE_HELP);
	ck_assert_str_eq(line.about->name, "add-port");
	lp_line_fini(&line);
	ck_assert_int_eq(
	    parse(&line, &lpctl, &words, "-h", &error), LP_EXIT_OK);
	ck_assert_int_eq(line.wish, LP_LINE_HELP);
	ck_assert_ptr_null(line.about);
	lp_line_fini(&line);
	ck_assert_int_eq(
	    parse(&line, &lpctl, &words, "-V nonsense", &error), LP_EXIT_OK);
	ck_assert_int_eq(line.wish, LP_LINE_VERSION);
	lp_line_fini(&line);
}
END_TEST

/* Every command line of an example, without its pipe. */
START_TEST(examples_of_the_help_are_right)
{
	const struct lp_command *command = lp_command_at((size_t)_i);
	const char *at = command->examples;

	ck_assert_int_ne(command->change != NULL, command->run != NULL);
	while (*at != '\0') {
		size_t len = strcspn(at, "\n");
		size_t used = strcspn(at, "\n|");
		char text[512];
		struct support_argv words;
		struct lp_error error;
		struct lp_lpctl lpctl;
		struct lp_line line;

		ck_assert_int_eq(strncmp(at, "lpctl ", 6), 0);
		(void)snprintf(
		    text, sizeof(text), "%.*s", (int)used - 6, at + 6);
		ck_assert_msg(
		    parse(&line, &lpctl, &words, text, &error) == LP_EXIT_OK,
		    "%s: %s", text, error.text);
		lp_line_fini(&line);
		at += len + 1;
	}
}
END_TEST

static char *
read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, SUPPORT_BYTES_MAX);

	ck_assert_msg(file != NULL, "%s", path);
	(void)fread(text, 1, SUPPORT_BYTES_MAX - 1, file);
	(void)fclose(file);
	return text;
}

START_TEST(manual_page_has_every_command_and_option)
{
	const struct lp_command *row;
	char *manual = read_file(MANUAL);
	char text[128];

	for (size_t i = 0; (row = lp_command_at(i)) != NULL; i++) {
		(void)snprintf(text, sizeof(text), "Ic %s", row->name);
		ck_assert_msg(strstr(manual, text) != NULL, "%s", text);
	}
	for (int id = 0; id < LP_OPTIONS; id++) {
		(void)snprintf(
		    text, sizeof(text), "Fl -%s", lp_command_option(id)->name);
		ck_assert_msg(strstr(manual, text) != NULL, "%s", text);
	}
	free(manual);
}
END_TEST

START_TEST(help_has_every_command_and_option)
{
	const struct lp_command *row;
	struct support_output all, one;
	char text[128];

	support_output_open(&all);
	lp_help_write(all.file, NULL);
	for (size_t i = 0; (row = lp_command_at(i)) != NULL; i++) {
		ck_assert_ptr_nonnull(
		    strstr(support_output_text(&all), row->name));
		support_output_open(&one);
		lp_help_write(one.file, row);
		for (int id = 0; id < LP_OPTIONS; id++) {
			(void)snprintf(text, sizeof(text), " --%s",
			    lp_command_option(id)->name);
			if ((row->options & LP_OPTION_BIT(id)) != 0)
				ck_assert_ptr_nonnull(
				    strstr(support_output_text(&one), text));
		}
		support_output_close(&one);
	}
	support_output_close(&all);
}
END_TEST

static size_t
count_commands(void)
{
	size_t count = 0;

	while (lp_command_at(count) != NULL)
		count++;
	return count;
}

static const char *
random_word(unsigned *seed)
{
	static const char *const others[] = {"--", "--", "x", "", "-", "1",
	    "10.0.0.1:9092", "[::1]:1", "10.0.0.1/24", "-o", "json", "=",
	    "--device=", "-\377", "--watch=", "99999999999"};
	static char option[64];
	unsigned pick = (unsigned)rand_r(seed);

	switch (pick % 4) {
	case 0:
		return lp_command_at(pick / 4 % count_commands())->name;
	case 1:
		(void)snprintf(option, sizeof(option), "--%s",
		    lp_command_option(pick / 4 % LP_OPTIONS)->name);
		return option;
	default:
		return others[pick / 4 % (sizeof(others) / sizeof(others[0]))];
	}
}

/* Sanitizers are the judge; and every refusal has a reason. */
START_TEST(random_lines_do_no_harm)
{
	enum { ROUNDS = 20000, WORDS = 12 };
	unsigned seed = (unsigned)time(NULL);
	char buf[WORDS][64];
	char *argv[WORDS + 1];
	struct lp_change change;
	struct support_output out, err;

	(void)printf("random_lines_do_no_harm: seed %u\n", seed);
	support_output_open(&out);
	support_output_open(&err);
	for (int round = 0; round < ROUNDS; round++) {
		struct lp_error error = {0};
		struct lp_lpctl lpctl;
		struct lp_line line;
		int argc = 1 + rand_r(&seed) % (WORDS - 1);
		int status;

		argv[0] = "lpctl";
		for (int i = 1; i < argc; i++)
			argv[i] = strcpy(buf[i], random_word(&seed));
		argv[argc] = NULL;
		support_lpctl(&lpctl, "/nowhere", &out, &err);
		status = lp_line_parse(&line, &lpctl, argc, argv, &error);
		ck_assert(status == LP_EXIT_OK || error.text[0] != '\0');
		for (size_t i = 0; status == LP_EXIT_OK && i < line.count; i++)
			if (line.wish == LP_LINE_RUN &&
			    line.commands[i].command->change != NULL)
				(void)lp_change_init(&change, &lpctl,
				    &line.commands[i], 1, &error);
		lp_line_fini(&line);
	}
	support_output_close(&out);
	support_output_close(&err);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("line");
	TCase *tcase = tcase_create("line");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(
	    tcase, wrong_usage_is_named, 0, sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(tcase, too_many_options_of_a_command_are_refused);
	tcase_add_test(tcase, too_many_commands_are_refused);
	tcase_add_loop_test(tcase, global_options_stand_anywhere, 0, 5);
	tcase_add_test(tcase, another_machine_is_a_place);
	tcase_add_test(tcase, commands_are_cut_at_two_dashes);
	tcase_add_loop_test(
	    tcase, watch_takes_its_seconds_with_and_without_a_sign, 0, 4);
	tcase_add_test(tcase, help_is_of_the_command_before_it);
	tcase_add_loop_test(
	    tcase, examples_of_the_help_are_right, 0, (int)count_commands());
	tcase_add_test(tcase, manual_page_has_every_command_and_option);
	tcase_add_test(tcase, help_has_every_command_and_option);
	tcase_add_test(tcase, random_lines_do_no_harm);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
