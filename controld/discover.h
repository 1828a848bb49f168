/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Discovery: makes transactions of what dataplanes have seen of the brokers
 * of clusters, of what clusters say that are asked (poll.h), and of names that
 * have another address now.
 *
 * Changes of one second go together.  What is refused is told, and not tried
 * again for some minutes.
 */
#ifndef LP_CONTROLD_DISCOVER_H
#define LP_CONTROLD_DISCOVER_H

#include "controld/commit.h"
#include "controld/discover_table.h"
#include "controld/names.h"
#include "controld/poll.h"

/* Of a time in milliseconds; 0: as by default. */
struct lp_discover_times {
	unsigned gather; /* changes that come one after another: 1 s */
	unsigned look; /* between two looks without news: 5 s */
	unsigned absent; /* not listed for so long: retired; 5 min */
	unsigned again; /* what was refused: 5 min */
};

struct lp_discover_options {
	struct lp_discover_times times;
	/* NULL: lp_names_resolve(). */
	void (*resolve)(const char *host, struct lp_names_answer *answer);
	struct lp_poll_options poll; /* but for whom it answers */
};

/* What discovery has changed of a cluster last. */
struct lp_discover_change {
	uint32_t cluster_id; /* 0: none */
	uint64_t time_ns; /* CLOCK_REALTIME */
	char text[LP_WHY_SIZE];
};

struct lp_discover;

/* Both are borrowed.  -ENOMEM, -errno. */
int lp_discover_new(struct lp_discover **out, struct lp_context *context,
    struct lp_commit *commit, const struct lp_discover_options *options);
void lp_discover_free(struct lp_discover *discover);

/* What dataplane `index` has seen. */
void lp_discover_heard(struct lp_discover *discover, unsigned index,
    const Lp__Pb__BrokersSeen *seen);

/* The answer to a transaction of ours: its client is LP_REPLY_SELF. */
void lp_discover_answered(
    struct lp_discover *discover, const Lp__Pb__ControlReply *reply);

/* For status. */
struct lp_discover_table *lp_discover_known(struct lp_discover *discover);
const struct lp_discover_change *lp_discover_last(
    const struct lp_discover *discover, uint32_t cluster_id);
/* NULL: the cluster is not asked. */
const struct lp_poll_status *lp_discover_polling(
    const struct lp_discover *discover, uint32_t cluster_id);
/* As far as that is known: of what is not it is not said. */
bool lp_discover_resolves_to(
    struct lp_discover *discover, const char *host, const struct lp_ip *ip);
unsigned lp_discover_absent_ms(const struct lp_discover *discover);

#endif
