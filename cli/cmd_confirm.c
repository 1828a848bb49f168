/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"
#include "cli/cmd.h"

int
lp_cmd_confirm(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	Lp__Pb__ConfirmRequest wanted = LP__PB__CONFIRM_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	struct lp_replies replies;
	int status;

	if (words->operands[0] != NULL) {
		wanted.has_generation = true;
		if (lp_cmd_rollback_generation(&wanted.generation,
			words->operands[0], error) != LP_EXIT_OK)
			return error->status;
	}
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_CONFIRM;
	request.confirm = &wanted;
	status =
	    lp_client_ask(&replies, lpctl->socket, lp_lpctl_answer_ms(lpctl),
		&request, LP__PB__CONTROL_REPLY__BODY_CONFIRM, error);
	if (status == LP_EXIT_OK)
		status = lp_error_output(error,
		    lpctl->output->confirmed(
			&lpctl->print, replies.list[0]->confirm));
	lp_client_replies_free(&replies);
	return status;
}
