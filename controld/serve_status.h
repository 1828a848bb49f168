/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lpctl status is told of the control socket over TLS.
 */
#ifndef LP_CONTROLD_SERVE_STATUS_H
#define LP_CONTROLD_SERVE_STATUS_H

#include "controld/serve.h"

/* The message, and the text that it points to. */
struct lp_serve_status {
	Lp__Pb__RemoteStatus message;
	struct lp_serve_remote remote;
	char address[LP_ENDPOINT_TEXT_SIZE];
};

/* Of status->remote, which is filled in. */
void lp_serve_status_fill(struct lp_serve_status *status);

#endif
