/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/repeat.h"

#include <time.h>

enum {
	WATCH_S_DEFAULT = 1,
	WATCH_S_MAX = 86400,
};

static void say(const struct lp_lpctl *lpctl, const struct lp_repeat *repeat,
    const struct lp_error *error);

int
lp_repeat_option(struct lp_repeat *repeat, const struct lp_words *words,
    struct lp_error *error)
{
	const char *seconds = lp_command_value(words, LP_OPTION_WATCH, NULL);

	if (lp_command_given(words, LP_OPTION_WATCH))
		repeat->every_s = WATCH_S_DEFAULT;
	if (seconds != NULL &&
	    lp_command_number(&repeat->every_s, seconds, 1, WATCH_S_MAX) != 0)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--watch: \"%s\" is no number of seconds from 1 to %d",
		    seconds, WATCH_S_MAX);
	return LP_EXIT_OK;
}

int
lp_repeat_run(const struct lp_repeat *repeat, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	const struct timespec pause = {
	    .tv_sec = repeat->every_s + repeat->every_ms / 1000,
	    .tv_nsec = repeat->every_ms % 1000 * 1000000L};
	bool again = repeat->every_s != 0 || repeat->every_ms != 0;
	struct lp_print print = lpctl->print;
	bool said = false;

	print.all = lp_command_given(words, LP_OPTION_ALL);
	print.stream = again;
	for (;;) {
		bool asked;
		int status =
		    repeat->once(lpctl, &print, repeat->arg, &asked, error);
		bool may_pass = !asked &&
		    (status == LP_EXIT_UNREACHABLE ||
			status == LP_EXIT_TIMEOUT);

		if (!again || (status != LP_EXIT_OK && !may_pass))
			return status;
		if (status != LP_EXIT_OK && !said)
			say(lpctl, repeat, error);
		said = status != LP_EXIT_OK;
		if (fflush(print.out) != 0)
			return status;
		(void)nanosleep(&pause, NULL);
	}
}

static void
say(const struct lp_lpctl *lpctl, const struct lp_repeat *repeat,
    const struct lp_error *error)
{
	(void)fprintf(lpctl->err, "lpctl: %s; trying again", error->text);
	if (repeat->every_s != 0)
		(void)fprintf(lpctl->err, " every %u s", repeat->every_s);
	(void)fputc('\n', lpctl->err);
}

struct lp_replies
lp_repeat_whole(
    const struct lp_replies *replies, Lp__Pb__ControlReply__BodyCase body)
{
	struct lp_replies whole = {.list = replies->list};

	while (whole.count < replies->count &&
	    replies->list[whole.count]->body_case == body)
		whole.count++;
	return whole;
}
