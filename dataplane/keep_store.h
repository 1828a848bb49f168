/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's side of keep.h: descriptors by name.
 */
#ifndef LP_DATAPLANE_KEEP_STORE_H
#define LP_DATAPLANE_KEEP_STORE_H

#include <stdbool.h>

#include "dataplane/keep_wire.h"

struct lp_keep_store {
	struct {
		char name[LP_KEEP_NAME_SIZE]; /* "": a free place */
		int fd;
	} places[LP_KEEP_MAX];
};

void lp_keep_store_init(struct lp_keep_store *store);
/* Closes all that it holds. */
void lp_keep_store_fini(struct lp_keep_store *store);

/* Takes ownership of fd, also when it fails: -ENOSPC, -EINVAL (no name). */
int lp_keep_store_put(struct lp_keep_store *store, const char *name, int fd);

/*
 * Reads one request from the socket and answers it.  *ready becomes true if
 * it was LP_KEEP_READY.  0, or -errno if the socket is of no more use.
 */
int lp_keep_store_serve(struct lp_keep_store *store, int socket, bool *ready);

#endif
