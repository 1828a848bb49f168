/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper: the parent of the packet process.
 *
 * It starts the packet process as a new image of the same program, holds the
 * descriptors that must outlive it, and starts it again when it dies, within
 * the restart budget.  It touches no packet and no configuration: the less it
 * does, the less it can die of.
 */
#ifndef LP_DATAPLANE_KEEPER_H
#define LP_DATAPLANE_KEEPER_H

#include "dataplane/keep_store.h"

struct lp_keeper_config {
	const char *program; /* "/proc/self/exe" */
	const char *title; /* argv[0] of the packet process */
	int argc;
	char *const *argv; /* of this process; argv[0] is replaced by title */
	/* What it holds already; takes ownership of the descriptors. */
	struct lp_keep_store *store;
};

/*
 * Runs until it is told to stop by SIGTERM or SIGINT, or gives up.  Returns
 * the exit status of the process: 0, EX_CONFIG if the packet process says so
 * before it was ever ready, else 1.
 */
int lp_keeper_run(const struct lp_keeper_config *config);

#endif
