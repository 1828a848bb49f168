/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of denials: what rules have refused, as the worker tells it
 * (pipeline/denials.h).  The last LP_DENIAL_LOG_MAX stay in memory for `lpctl
 * denials`, and the journal has some of them (denial_journal.h).
 *
 * Each has a number, one more than the one before it; they begin with 1 in
 * every process, which is why a log has an id, too.
 *
 * How many of a rule were left out is looked at a second after the worker told
 * that it began to, and is an entry of its own.
 */
#ifndef LP_DATAPLANE_DENIAL_LOG_H
#define LP_DATAPLANE_DENIAL_LOG_H

#include "dataplane/denial_journal.h"

enum {
	LP_DENIAL_LOG_MAX = 1024,
	/* Rules that leave out at the same time; of others it is not told. */
	LP_DENIAL_LOG_PENDING_MAX = 64,
};

struct lp_denial_pending {
	uint32_t slot;
	uint32_t rule_id;
	uint64_t told; /* of those left out so far */
	uint64_t since_ns;
};

struct lp_denial_log {
	uint64_t id; /* another one for each process */
	uint64_t last; /* number of the youngest; 0: there was none */
	struct lp_denial_journal journal;
	struct lp_denial_pending pending[LP_DENIAL_LOG_PENDING_MAX];
	unsigned pending_count;
	struct lp_denial_entry entries[LP_DENIAL_LOG_MAX];
};

/* 0, or -ENOMEM.  The id is any number, but not 0. */
int lp_denial_log_new(struct lp_denial_log **log, uint64_t id);
/* Accepts NULL. */
void lp_denial_log_free(struct lp_denial_log *log);

/*
 * Takes out what the worker has told; several times a second.  Times are of
 * CLOCK_MONOTONIC and CLOCK_REALTIME.
 */
void lp_denial_log_turn(struct lp_denial_log *log, struct lp_denials *denials,
    const struct lp_config *config, uint64_t now_ns, uint64_t real_ns);

/* NULL: it is forgotten, or has not been yet. */
const struct lp_denial_entry *lp_denial_log_get(
    const struct lp_denial_log *log, uint64_t number);

/* The number of the oldest that is kept; behind the last one: none is. */
uint64_t lp_denial_log_oldest(const struct lp_denial_log *log);

#endif
