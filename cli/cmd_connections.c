/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/view.h"

static int
write_connections(const struct lp_lpctl *lpctl,
    const struct lp_replies *replies, struct lp_error *error)
{
	struct lp_connections_view view;
	int status = lp_view_connections_init(&view, replies, error);

	if (status != LP_EXIT_OK)
		return status;
	status = lp_error_output(
	    error, lpctl->output->connections(&lpctl->print, &view));
	lp_view_connections_fini(&view);
	return status;
}

int
lp_cmd_connections(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	Lp__Pb__ConnectionListRequest ask =
	    LP__PB__CONNECTION_LIST_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	struct lp_replies replies;
	int status;

	ask.has_limit = lp_command_given(words, LP_OPTION_LIMIT);
	if (lp_command_limit(&ask.limit, words, 1, error) != LP_EXIT_OK)
		return error->status;
	ask.dataplane =
	    (char *)lp_command_value(words, LP_OPTION_DATAPLANE, NULL);
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_CONNECTIONS;
	request.connections = &ask;
	status =
	    lp_client_ask(&replies, lpctl->socket, lp_lpctl_answer_ms(lpctl),
		&request, LP__PB__CONTROL_REPLY__BODY_CONNECTIONS, error);
	if (status == LP_EXIT_OK)
		status = write_connections(lpctl, &replies, error);
	lp_client_replies_free(&replies);
	return status;
}
