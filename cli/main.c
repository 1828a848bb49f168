/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/line.h"
#include "cli/resolve.h"
#include "cli/transaction.h"

static void from_environment(struct lp_lpctl *lpctl);
static int run(struct lp_lpctl *lpctl, int argc, char **argv,
    struct lp_line *line, struct lp_error *error);
static int finish_output(
    const struct lp_lpctl *lpctl, int status, struct lp_error *error);

int
main(int argc, char **argv)
{
	struct lp_error error = {0};
	struct lp_line line = {0};
	struct lp_lpctl lpctl;
	int status;

	from_environment(&lpctl);
	if (argc > 1 && strcmp(argv[1], LP_COMPLETE_OPTION) == 0) {
		lp_complete_write(&lpctl, argc - 2, argv + 2);
		return LP_EXIT_OK;
	}
	status = run(&lpctl, argc, argv, &line, &error);
	status = finish_output(&lpctl, status, &error);
	if (status != LP_EXIT_OK && status != LP_EXIT_CHANGES)
		(void)fprintf(stderr, "lpctl: %s\n%s", error.text, error.shown);
	if (status == LP_EXIT_USAGE && line.about != NULL)
		lp_help_usage(stderr, line.about);
	lp_line_fini(&line);
	return status;
}

static void
from_environment(struct lp_lpctl *lpctl)
{
	const char *path = getenv("LPCTL_SOCKET");
	const char *remote = getenv("LPCTL_REMOTE");
	const char *tls = getenv("LPCTL_TLS");
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	bool terminal = isatty(STDOUT_FILENO) == 1;
	bool color = (no_color == NULL || no_color[0] == '\0') &&
	    term != NULL && strcmp(term, "dumb") != 0;

	*lpctl = (struct lp_lpctl){
	    .socket =
		path != NULL && path[0] != '\0' ? path : LP_SOCKET_DEFAULT,
	    .remote = remote != NULL && remote[0] != '\0' ? remote : NULL,
	    .tls = tls != NULL && tls[0] != '\0' ? tls : NULL,
	    .output = &lp_output_text,
	    .print =
		{
		    .out = stdout,
		    .now_ns = lp_clock_now_ns(),
		    .verbose = terminal,
		    .color = terminal && color,
		},
	    .err = stderr,
	    .err_color = color && isatty(STDERR_FILENO) == 1,
	    .timeout_s = LP_TIMEOUT_S_DEFAULT,
	    .resolve = lp_resolve,
	};
}

/* The command line as typed, for the history; NULL if there is no memory. */
static char *
join_words(int argc, char **argv)
{
	size_t size = 1;
	char *text;
	char *end;

	for (int i = 1; i < argc; i++)
		size += strlen(argv[i]) + 1;
	text = malloc(size);
	if (text == NULL)
		return NULL;
	end = text;
	*end = '\0';
	for (int i = 1; i < argc; i++) {
		if (i > 1)
			*end++ = ' ';
		end = stpcpy(end, argv[i]);
	}
	if (size > LP_COMMENT_SIZE)
		text[LP_COMMENT_SIZE - 1] = '\0';
	return text;
}

static int
run(struct lp_lpctl *lpctl, int argc, char **argv, struct lp_line *line,
    struct lp_error *error)
{
	char *comment = join_words(argc, argv);
	int status = lp_line_parse(line, lpctl, argc, argv, error);

	lpctl->comment = comment;
	if (status != LP_EXIT_OK)
		;
	else if (line->wish == LP_LINE_HELP)
		lp_help_write(stdout, line->about);
	else if (line->wish == LP_LINE_VERSION)
		(void)printf("lpctl %s\n", LP_VERSION);
	else if (line->commands[0].command->change != NULL)
		status = lp_transaction_run(lpctl, line, comment, error);
	else
		status = line->commands[0].command->run(
		    lpctl, &line->commands[0], error);
	if (status != LP_EXIT_USAGE)
		line->about = NULL;
	lpctl->comment = NULL;
	free(comment);
	return status;
}

/* A full disk must not pass for success. */
static int
finish_output(const struct lp_lpctl *lpctl, int status, struct lp_error *error)
{
	bool failed = ferror(lpctl->print.out) != 0;

	if (fflush(lpctl->print.out) != 0)
		failed = true;
	if (failed && (status == LP_EXIT_OK || status == LP_EXIT_CHANGES))
		return lp_error_set(error, LP_EXIT_UNREACHABLE,
		    "cannot write to standard output");
	return status;
}
