/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Unix sockets that our daemons listen on: who may connect, and what a
 * dead predecessor has left there.
 */
#ifndef LP_PROTO_LISTEN_H
#define LP_PROTO_LISTEN_H

#include "proto/limits.h"

/*
 * Binds and listens, not blocking, for our own user and the group; NULL: our
 * own.  A socket that a dead process left is replaced; one that answers is
 * not (-EADDRINUSE), nor is what is no socket (-ENOTSOCK).  The descriptor,
 * or -errno and one line in why that names the path or the group.
 */
int lp_listen_open(const char *path, const char *group, char why[LP_WHY_SIZE]);

#endif
