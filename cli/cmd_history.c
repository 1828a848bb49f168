/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"
#include "cli/cmd.h"

enum { LIMIT_DEFAULT = 20 };

static int ask(const struct lp_lpctl *lpctl, Lp__Pb__HistoryRequest *wanted,
    struct lp_error *error);

int
lp_cmd_history(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	Lp__Pb__HistoryRequest wanted = LP__PB__HISTORY_REQUEST__INIT;

	wanted.has_limit = true;
	wanted.limit = LIMIT_DEFAULT;
	if (lp_command_limit(&wanted.limit, words, 0, error) != LP_EXIT_OK)
		return error->status;
	return ask(lpctl, &wanted, error);
}

static int
ask(const struct lp_lpctl *lpctl, Lp__Pb__HistoryRequest *wanted,
    struct lp_error *error)
{
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	struct lp_history_view view;
	struct lp_replies replies;
	int status;

	request.body_case = LP__PB__CONTROL_REQUEST__BODY_HISTORY;
	request.history = wanted;
	status =
	    lp_client_ask(&replies, lpctl->socket, lp_lpctl_answer_ms(lpctl),
		&request, LP__PB__CONTROL_REPLY__BODY_HISTORY, error);
	if (status == LP_EXIT_OK)
		status = lp_view_history_init(&view, &replies, error);
	if (status == LP_EXIT_OK) {
		status = lp_error_output(
		    error, lpctl->output->history(&lpctl->print, &view));
		lp_view_history_fini(&view);
	}
	lp_client_replies_free(&replies);
	return status;
}
