/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grace periods: when nobody can see an old snapshot any more.
 *
 * liburcu's QSBR flavour, behind six functions.  A worker says when it holds
 * nothing (quiescent) or will hold nothing for a while (offline); the control
 * thread, which is no reader, waits until every worker has said so once.
 *
 * ThreadSanitizer does not see the ordering inside liburcu, which is not
 * instrumented, and would call the free after a grace period a race with the
 * last read before it.  So a build for it says the same once more in its
 * words: a worker releases the cell at each quiescent state, the control
 * thread acquires it after the wait.
 */
#ifndef LP_DATAPLANE_GRACE_H
#define LP_DATAPLANE_GRACE_H

#include "dataplane/pipeline/snapshot.h"

/* worker: between register and unregister it is online. */
void lp_grace_register(void);
void lp_grace_unregister(struct lp_snapshot_cell *cell);
void lp_grace_quiescent(struct lp_snapshot_cell *cell);
void lp_grace_offline(struct lp_snapshot_cell *cell);
void lp_grace_online(void);

/* control: returns once what was unpublished before is seen by nobody. */
void lp_grace_wait(struct lp_snapshot_cell *cell);

#endif
