/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request in as many frames as it takes: those of a transaction hold so many
 * of its operations each; what else there is to say is said in the last one.
 */
#ifndef LP_CLI_CLIENT_FRAME_H
#define LP_CLI_CLIENT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/lightpath.pb-c.h"

struct lp_client_frames {
	const Lp__Pb__ControlRequest *request; /* borrowed */
	size_t sent; /* operations */
	bool ended; /* there was the last one */
};

/*
 * The next frame, which is the caller's to free.  0, -ENOMEM, or -EMSGSIZE: one
 * operation, or a request of another kind, is larger than a frame.
 */
int lp_client_frame_next(
    struct lp_client_frames *frames, uint8_t **frame, size_t *len);

#endif
