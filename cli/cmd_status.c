/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"
#include "cli/cmd.h"

int
lp_cmd_status(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	Lp__Pb__StatusRequest ask = LP__PB__STATUS_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	struct lp_replies replies;
	int status;

	(void)words;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_STATUS;
	request.status = &ask;
	status =
	    lp_client_ask(&replies, lpctl->socket, lp_lpctl_answer_ms(lpctl),
		&request, LP__PB__CONTROL_REPLY__BODY_STATUS, error);
	if (status == LP_EXIT_OK)
		status = lp_error_output(error,
		    lpctl->output->status(
			&lpctl->print, replies.list[0]->status));
	lp_client_replies_free(&replies);
	return status;
}
