/* SPDX-License-Identifier: Apache-2.0 */
/* Who has asked, as the history and the audit have it. */
#ifndef LP_PROTO_WHO_H
#define LP_PROTO_WHO_H

#include <sys/types.h>

enum { LP_WHO_SIZE = 96 };

/* A process of this machine: "uid 0 (root), pid 7".  Returns who. */
char *lp_who_local(char who[LP_WHO_SIZE], uid_t uid, pid_t pid);

#endif
