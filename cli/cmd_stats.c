/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/view.h"

enum {
	WATCH_S_DEFAULT = 1,
	WATCH_S_MAX = 86400,
};

/*
 * What one round leaves to the next: the view borrows from the replies.  Of an
 * old round only `now` is read: its own `before` is gone.
 */
struct round {
	struct lp_replies replies;
	struct lp_stats_view view;
};

static int fetch(struct round *round, const struct lp_lpctl *lpctl,
    const char *dataplane, const struct lp_stats_view *before,
    struct lp_error *error);
static int watch(const struct lp_lpctl *lpctl, const char *dataplane,
    uint32_t every_s, const struct lp_print *print, struct lp_error *error);
static bool may_pass(int status);

int
lp_cmd_stats(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	const char *dataplane =
	    lp_command_value(words, LP_OPTION_DATAPLANE, NULL);
	const char *seconds = lp_command_value(words, LP_OPTION_WATCH, NULL);
	uint32_t every_s = WATCH_S_DEFAULT;
	struct lp_print print = lpctl->print;

	if (words->operands[0] != NULL && strcmp(words->operands[0], "kafka"))
		return lp_error_set(error, LP_EXIT_USAGE,
		    "stats: there are none of \"%s\"; say kafka, or nothing",
		    words->operands[0]);
	if (words->operands[0] != NULL)
		return lp_cmd_kafka_stats(lpctl, words, error);
	if (seconds != NULL &&
	    lp_command_number(&every_s, seconds, 1, WATCH_S_MAX) != 0)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--watch: \"%s\" is no number of seconds from 1 to %d",
		    seconds, WATCH_S_MAX);
	print.all = lp_command_given(words, LP_OPTION_ALL);
	print.stream = lp_command_given(words, LP_OPTION_WATCH);
	if (!print.stream)
		every_s = 0;
	return watch(lpctl, dataplane, every_s, &print, error);
}

/* A view is freed before what it borrows from. */
static void
round_fini(struct round *round)
{
	lp_view_stats_fini(&round->view);
	lp_client_replies_free(&round->replies);
}

static int
fetch(struct round *round, const struct lp_lpctl *lpctl, const char *dataplane,
    const struct lp_stats_view *before, struct lp_error *error)
{
	Lp__Pb__CountersRequest ask = LP__PB__COUNTERS_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	int status;

	ask.dataplane = (char *)dataplane;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_COUNTERS;
	request.counters = &ask;
	status = lp_client_ask(&round->replies, lpctl->socket,
	    lp_lpctl_answer_ms(lpctl), &request,
	    LP__PB__CONTROL_REPLY__BODY_COUNTERS, error);
	if (status == LP_EXIT_OK)
		status = lp_view_stats_init(
		    &round->view, &round->replies, before, error);
	return status;
}

/*
 * every_s: 0 for one round only; else until a signal ends us.  Daemons may be
 * started again meanwhile: that is said once, and tried again.
 */
static int
watch(const struct lp_lpctl *lpctl, const char *dataplane, uint32_t every_s,
    const struct lp_print *print, struct lp_error *error)
{
	const struct timespec pause = {.tv_sec = every_s};
	struct round old = {0};
	bool said = false;
	int status;

	for (;;) {
		struct round new = {0};

		status = fetch(&new, lpctl, dataplane, &old.view, error);
		if (status == LP_EXIT_OK) {
			status = lp_error_output(
			    error, lpctl->output->stats(print, &new.view));
			round_fini(&old);
			old = new;
			said = false;
			if (status != LP_EXIT_OK)
				break;
		} else {
			round_fini(&new);
			if (every_s == 0 || !may_pass(status))
				break;
			if (!said)
				(void)fprintf(lpctl->err,
				    "lpctl: %s; trying again every %u s\n",
				    error->text, every_s);
			said = true;
		}
		if (every_s == 0 || fflush(print->out) != 0)
			break;
		(void)nanosleep(&pause, NULL);
	}
	round_fini(&old);
	return status;
}

/* Nobody there, or no answer; what is wrong in itself stays wrong. */
static bool
may_pass(int status)
{
	return status == LP_EXIT_UNREACHABLE || status == LP_EXIT_TIMEOUT;
}
