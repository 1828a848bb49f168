/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control thread: controllers on the socket, and what is done now and
 * then.
 */
#ifndef LP_DATAPLANE_CONTROL_H
#define LP_DATAPLANE_CONTROL_H

#include "dataplane/dataplane.h"
#include "proto/tls.h"

/* The listening socket, as the keeper holds it. */
#define LP_CONTROL_KEEP_NAME "control"

enum {
	/* Controllers at once: one, its successor, and people with tools. */
	LP_CONTROL_SESSIONS_MAX = 8,
	/* Of them, of other machines; so that this one always finds a place. */
	LP_CONTROL_REMOTES_MAX = 4,
	LP_CONTROL_TICK_MS = 1000,
	LP_CONTROL_WATCH_MS = 200,
	/* A worker's turn that takes longer is logged. */
	LP_CONTROL_STUCK_MS = 1000,
};

struct lp_control;

/* Takes ownership of the listening socket, also when it fails. */
int lp_control_new(
    struct lp_control **control, struct lp_dataplane *dataplane, int socket);
/* Accepts NULL. */
void lp_control_free(struct lp_control *control);

/*
 * Also for controllers of other machines, with certificates from that
 * directory.  Takes ownership of the listening socket, also when it fails.
 */
int lp_control_listen(struct lp_control *control, int socket,
    const char *directory, char why[LP_TLS_WHY_SIZE]);

void lp_control_run(struct lp_control *control);

#endif
