/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/serve_status.h"

void
lp_serve_status_fill(struct lp_serve_status *status)
{
	Lp__Pb__RemoteStatus *message = &status->message;
	struct lp_serve_remote *remote = &status->remote;

	lp__pb__remote_status__init(message);
	message->address =
	    lp_endpoint_format(status->address, &remote->address);
	message->has_clients = message->has_accepted = message->has_refused =
	    true;
	message->clients = remote->clients;
	message->accepted = remote->accepted;
	message->refused = remote->refused;
	message->has_full = message->has_late = message->has_idle =
	    message->has_delayed = true;
	message->full = remote->full;
	message->late = remote->late;
	message->idle = remote->idle;
	message->delayed = remote->delayed;
	message->has_expires_ns = true;
	message->expires_ns = remote->expires_ns;
	if (remote->why[0] != '\0')
		message->why = remote->why;
}
