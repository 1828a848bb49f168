/* SPDX-License-Identifier: Apache-2.0 */
/* The socket that controllers connect to. */
#ifndef LP_DATAPLANE_SOCKET_H
#define LP_DATAPLANE_SOCKET_H

#include "proto/limits.h"

/*
 * Binds and listens.  A socket that a dead process left is replaced; one that
 * answers is not.  group may be NULL.  The descriptor, or -errno and a reason
 * in why (-EADDRINUSE: a living process has it).
 */
int lp_socket_listen(
    const char *path, const char *group, char why[LP_WHY_SIZE]);

#endif
