/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks clusters for their brokers, those that have a file for it:
 * DIRECTORY/CLUSTER.conf (poll_file.h).  Threads of their own do: nobody here
 * waits.
 *
 * The directory is looked at every second: a file that is new or changed
 * is used at once, one that is gone no more.  One without a cluster of that
 * name is told of in the log, and used when the cluster comes.
 */
#ifndef LP_CONTROLD_POLL_H
#define LP_CONTROLD_POLL_H

#include "controld/context.h"
#include "controld/poll_ask.h"

#define LP_POLL_DIRECTORY "/etc/lightpath/clients"

enum {
	LP_POLL_INTERVAL_S = 30,
	LP_POLL_INTERVAL_MIN_S = 5,
	LP_POLL_INTERVAL_MAX_S = 3600,
	LP_POLL_AT_ONCE = 8, /* others wait for their turn */
	LP_POLL_END_MS = 10000, /* then what is under way is left behind */
};

struct lp_poll_options {
	const char *directory; /* NULL: nobody is asked.  Borrowed */
	/* In milliseconds; 0: as by default. */
	unsigned interval;
	unsigned look; /* at the directory: 1 s */
	/* Blocks; called by the threads.  NULL: lp_poll_ask(). */
	void (*ask)(const char *path, const atomic_bool *over,
	    struct lp_poll_answer *answer);
	/* Only with brokers. */
	void (*answered)(void *arg, uint32_t cluster_id,
	    const struct lp_poll_answer *answer);
	void *arg;
};

struct lp_poll_status {
	uint64_t answered, failed; /* polls */
	uint64_t answered_ns, failed_ns; /* the last; CLOCK_REALTIME */
	size_t brokers; /* of the last answer */
	char why[LP_POLL_WHY_SIZE]; /* the last poll has failed; or "" */
};

struct lp_poll;

/* *context is borrowed.  -ENOMEM, -errno. */
int lp_poll_new(struct lp_poll **out, struct lp_context *context,
    const struct lp_poll_options *options);
/* NULL is accepted.  Waits for what is under way, LP_POLL_END_MS at most. */
void lp_poll_free(struct lp_poll *poll);

/* NULL: the cluster has no file.  NULL is accepted. */
const struct lp_poll_status *lp_poll_status(
    const struct lp_poll *poll, uint32_t cluster_id);

#endif
