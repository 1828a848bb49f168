/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of topic ids, of all clusters: told by brokers that we ask, and by
 * dataplanes that saw them pass; shared with all dataplanes.  A cache: nothing
 * of it is configuration, nothing is stored.
 *
 * An id has the first name that it was told with, for ever: Kafka renames no
 * topic, and makes one that is deleted and made anew another id.
 *
 * Bounded, all clusters together.  When it is full, a name that a broker lists
 * is refused; one that a dataplane has seen in use takes the place of the
 * oldest.  Both are counted.
 */
#ifndef LP_CONTROLD_TOPIC_NAMES_H
#define LP_CONTROLD_TOPIC_NAMES_H

#include "controld/push.h"
#include "proto/config.h"
#include "proto/topic_id.h"

enum lp_topic_source {
	LP_TOPIC_SEEDED, /* by a broker that we asked */
	LP_TOPIC_LEARNT, /* by a dataplane */
};

enum { LP_TOPIC_NAMES_NO_PEER = LP_PUSH_DATAPLANES_MAX };

struct lp_topic_names_counts {
	uint32_t cluster_id;
	uint64_t known;
	uint64_t seeded, learnt; /* new ones, by who told them */
	uint64_t shared; /* given out by lp_topic_names_next() */
	uint64_t refused; /* no room; or the oldest went */
	uint64_t renamed; /* refused: the id has another name */
};

struct lp_topic_names;

/* For so many names (LP_TOPIC_IDS_MAX).  0 or -ENOMEM. */
int lp_topic_names_new(struct lp_topic_names **out, uint32_t max);
/* Accepts NULL. */
void lp_topic_names_free(struct lp_topic_names *names);

/* Forgets the clusters that this configuration does not have. */
void lp_topic_names_configure(
    struct lp_topic_names *names, const struct lp_config *config);

/*
 * Told by that dataplane, or LP_TOPIC_NAMES_NO_PEER.  True: it is new.  Of a
 * cluster that is not configured nothing is taken.
 */
bool lp_topic_names_add(struct lp_topic_names *names,
    const struct lp_topic_id_pair *pair, enum lp_topic_source source,
    unsigned peer);

/* A dataplane that knows nothing, as far as we know. */
void lp_topic_names_forget_peer(struct lp_topic_names *names, unsigned peer);

/* Up to max that this dataplane does not know; from then on it does. */
unsigned lp_topic_names_next(struct lp_topic_names *names, unsigned peer,
    struct lp_topic_id_pair *pairs, unsigned max);

/* NULL: there is no such cluster. */
const struct lp_topic_names_counts *lp_topic_names_counts(
    const struct lp_topic_names *names, uint32_t cluster_id);

#endif
