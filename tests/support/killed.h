/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packet process that is killed, at instructions all over its way through the
 * pipeline: a child that is our copy runs them, and we take over from what lies
 * in its region.
 */
#ifndef LP_TESTS_SUPPORT_KILLED_H
#define LP_TESTS_SUPPORT_KILLED_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * All of the region that packets may touch, as it is now; to be put back, and
 * to be let go.
 */
void killed_keep(void);
void killed_restore(void);
void killed_forget(void);

struct killed {
	/* In the child, before the first instruction; may be NULL. */
	void (*prepare)(const void *arg);
	/* What the child does. */
	void (*act)(void);
	/*
	 * The region is as the child has left it, and no process has it.
	 * Returns whether that was in the change of a connection.
	 */
	bool (*take_over)(const void *arg);
	const void *arg;
};

void killed_run_pipeline(void);

/*
 * Runs a child to its end; false: we may not trace.  Every so many instructions
 * we take over, and kills counts how it was; half as often after each `few`
 * times, since a change may take some thousand instructions or a hundred times
 * that, and to count them first would take as long again.  Always an odd
 * number: not the same instruction of a loop every time.
 */
bool killed_run(const struct killed *how, unsigned few, unsigned kills[2]);

/* A child that waits in front of its first instruction; 0: may not trace. */
pid_t killed_start(const struct killed *how);

/*
 * Until the mark is there, or gone again, which is looked at every so many
 * instructions; and so many more.  Then it is killed, its region read.  False:
 * it has ended before.
 */
bool killed_step_until(
    pid_t child, bool marked, unsigned stride, unsigned more);

#endif
