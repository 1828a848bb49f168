/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"
#include "cli/cmd.h"

/* Says its own version even if lp-controld cannot be asked for the other. */
int
lp_cmd_version(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	Lp__Pb__VersionRequest ask = LP__PB__VERSION_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	const Lp__Pb__VersionReply *reply = NULL;
	struct lp_replies replies;
	int status;
	int err;

	(void)words;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_VERSION;
	request.version = &ask;
	status =
	    lp_client_ask(&replies, lpctl->socket, lp_lpctl_answer_ms(lpctl),
		&request, LP__PB__CONTROL_REPLY__BODY_VERSION, error);
	if (status == LP_EXIT_OK)
		reply = replies.list[0]->version;
	err = lpctl->output->version(&lpctl->print, reply);
	lp_client_replies_free(&replies);
	return status != LP_EXIT_OK ? status : lp_error_output(error, err);
}
