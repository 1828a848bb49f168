/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks one broker of each cluster for the names of all topic ids: when the
 * cluster or a broker of it is new, then every few minutes, and soon when a
 * dataplane met an id that nobody knows.  Plain TCP without SASL; never blocks.
 *
 * A broker that does not answer, or not with what is of use, is followed by
 * the next one of its cluster, later and later.  That is no fault of the
 * cluster: its listener may want TLS or SASL, or be too old.  It is logged once
 * for each broker and reason, and kept for `lpctl status`.
 *
 * An answer counts when all of it has come and was read; before, it changes
 * nothing.
 */
#ifndef LP_CONTROLD_TOPIC_SEED_H
#define LP_CONTROLD_TOPIC_SEED_H

#include <event2/event.h>

#include "controld/topic_names.h"

enum {
	/* Exchanges at once; other clusters wait. */
	LP_TOPIC_SEED_EXCHANGES_MAX = 4,
	/* Bytes of one answer: a million partitions. */
	LP_TOPIC_SEED_SIZE_MAX = 64 << 20,
};

/* All in milliseconds; lp_topic_seed_times has the real ones. */
struct lp_topic_seed_times {
	unsigned answer; /* for a whole exchange */
	unsigned period; /* from one success to the next exchange */
	unsigned retry_min, retry_max; /* after all brokers have failed */
	unsigned given_up; /* the same, if none of them can ever help */
	unsigned eager_min; /* after an unknown id; doubled while in vain */
};
extern const struct lp_topic_seed_times lp_topic_seed_times;

struct lp_topic_seed_options {
	struct event_base *base;
	struct lp_topic_names *names; /* borrowed */
	struct lp_topic_seed_times times;
	uint32_t size_max; /* LP_TOPIC_SEED_SIZE_MAX */
	void (*seeded)(void *arg); /* there are new names */
	void *arg;
};

struct lp_topic_seed_status {
	uint64_t asked, failed;
	uint64_t since_ns; /* CLOCK_REALTIME of the last success; 0: none */
	const char *why; /* what went wrong since, or "" */
};

struct lp_topic_seed;

/* 0 or -ENOMEM. */
int lp_topic_seed_new(
    struct lp_topic_seed **out, const struct lp_topic_seed_options *options);
/* Accepts NULL. */
void lp_topic_seed_free(struct lp_topic_seed *seed);

/*
 * These clusters and brokers, from now on.  0, or -ENOMEM: as it was.
 */
int lp_topic_seed_configure(
    struct lp_topic_seed *seed, const struct lp_config *config);

/* A dataplane met ids that it does not know. */
void lp_topic_seed_unknown(struct lp_topic_seed *seed);

/* False: there is no such cluster. */
bool lp_topic_seed_status(const struct lp_topic_seed *seed, uint32_t cluster_id,
    struct lp_topic_seed_status *status);

#endif
