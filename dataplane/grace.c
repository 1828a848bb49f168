/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/grace.h"

#include <urcu-qsbr.h>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
/*
 * In the cell's padding, not at the pointer: the store that publishes would
 * overwrite what the workers have released there.
 */
#define ANNOTATED(cell) ((char *)((cell) + 1) - 1)
#define ANNOTATE_RELEASE(cell) __tsan_release(ANNOTATED(cell))
#define ANNOTATE_ACQUIRE(cell) __tsan_acquire(ANNOTATED(cell))
#else
#define ANNOTATE_RELEASE(cell) ((void)(cell))
#define ANNOTATE_ACQUIRE(cell) ((void)(cell))
#endif

void
lp_grace_register(void)
{
	rcu_register_thread();
}

void
lp_grace_unregister(struct lp_snapshot_cell *cell)
{
	ANNOTATE_RELEASE(cell);
	rcu_unregister_thread();
}

void
lp_grace_quiescent(struct lp_snapshot_cell *cell)
{
	ANNOTATE_RELEASE(cell);
	rcu_quiescent_state();
}

void
lp_grace_offline(struct lp_snapshot_cell *cell)
{
	ANNOTATE_RELEASE(cell);
	rcu_thread_offline();
}

void
lp_grace_online(void)
{
	rcu_thread_online();
}

void
lp_grace_wait(struct lp_snapshot_cell *cell)
{
	synchronize_rcu();
	ANNOTATE_ACQUIRE(cell);
}
