/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What crosses the socket pair between the packet process and its keeper:
 * fixed messages of one struct, with at most one descriptor.  Both ends are
 * the same program, so there is no encoding and no version.
 */
#ifndef LP_DATAPLANE_KEEP_WIRE_H
#define LP_DATAPLANE_KEEP_WIRE_H

#include <stdint.h>

#include "dataplane/keep.h"

enum lp_keep_op {
	LP_KEEP_GET = 1,
	LP_KEEP_PUT = 2, /* with a descriptor */
	LP_KEEP_DROP = 3,
	LP_KEEP_READY = 4, /* the packet process forwards; no name */
};

struct lp_keep_message {
	uint32_t op; /* enum lp_keep_op; an answer repeats it */
	int32_t result; /* of an answer: 0 or -errno */
	char name[LP_KEEP_NAME_SIZE];
};

/* Sends it, with fd if that is not negative.  0 or -errno. */
int lp_keep_wire_send(
    int socket, const struct lp_keep_message *message, int fd);

/*
 * Receives one; *fd is its descriptor (close-on-exec, the caller's to close)
 * or -1.  0, -ECONNRESET at the end, -EBADMSG for what is no such message, or
 * -errno.
 */
int lp_keep_wire_recv(int socket, struct lp_keep_message *message, int *fd);

#endif
