/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/repeat.h"
#include "cli/view.h"

/*
 * What one round leaves to the next: the view borrows from the replies.  Of an
 * old round only `now` is read: its own `before` is gone.
 */
struct round {
	struct lp_replies replies;
	struct lp_stats_view view;
};

/* What is asked again and again. */
struct watch {
	const char *dataplane; /* NULL: of all */
	struct round old;
};

static int once(const struct lp_lpctl *lpctl, const struct lp_print *print,
    void *arg, bool *asked, struct lp_error *error);
static void round_fini(struct round *round);

int
lp_cmd_stats(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	struct watch watch = {
	    .dataplane = lp_command_value(words, LP_OPTION_DATAPLANE, NULL)};
	struct lp_repeat repeat = {.once = once, .arg = &watch};
	int status;

	if (words->operands[0] != NULL && strcmp(words->operands[0], "kafka"))
		return lp_error_set(error, LP_EXIT_USAGE,
		    "stats: there are none of \"%s\"; say kafka, or nothing",
		    words->operands[0]);
	if (words->operands[0] != NULL)
		return lp_cmd_kafka_stats(lpctl, words, error);
	if (lp_repeat_option(&repeat, words, error))
		return error->status;
	status = lp_repeat_run(&repeat, lpctl, words, error);
	round_fini(&watch.old);
	return status;
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

/* What changes is shown against the round before, which is kept until then. */
static int
once(const struct lp_lpctl *lpctl, const struct lp_print *print, void *arg,
    bool *asked, struct lp_error *error)
{
	struct watch *watch = arg;
	struct round new = {0};
	int status =
	    fetch(&new, lpctl, watch->dataplane, &watch->old.view, error);

	*asked = status == LP_EXIT_OK;
	if (status != LP_EXIT_OK) {
		round_fini(&new);
		return status;
	}
	status = lp_error_output(error, lpctl->output->stats(print, &new.view));
	round_fini(&watch->old);
	watch->old = new;
	return status;
}
