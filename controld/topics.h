/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topic ids, as lp-controld has them: takes what brokers (topic_seed.h) and
 * dataplanes tell, and tells every dataplane what it does not know.
 *
 * A dataplane is told nothing before it has reported all that it knows; and
 * one frame at a time, answered before the next.
 */
#ifndef LP_CONTROLD_TOPICS_H
#define LP_CONTROLD_TOPICS_H

#include "controld/context.h"
#include "controld/topic_seed.h"

struct lp_topics;

struct lp_topics_options {
	struct lp_context *context; /* borrowed */
	bool ask_brokers;
	struct lp_topic_seed_times times;
};

/* 0 or -ENOMEM. */
int lp_topics_new(
    struct lp_topics **out, const struct lp_topics_options *options);
/* Accepts NULL. */
void lp_topics_free(struct lp_topics *topics);

/* A dataplane has come or gone, or there may be another generation. */
void lp_topics_changed(struct lp_topics *topics);

/* TopicIdsLearnt or TopicIdsTaken of a dataplane. */
void lp_topics_answered(struct lp_topics *topics, unsigned index,
    const Lp__Pb__DataplaneMessage *message);

/* Rows for `lpctl status`, a cluster each: they borrow from *topics. */
unsigned lp_topics_status(const struct lp_topics *topics,
    Lp__Pb__TopicIdsStatus rows[LP_CLUSTERS_MAX]);

#endif
