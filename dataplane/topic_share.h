/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of topic ids between the worker's table and one controller, both ways.
 *
 * Reports what the worker has learnt: all that its table has after WELCOME,
 * then only what is younger; what the controller has told is not news to it.
 * The table is read where it lies, the worker is not asked.
 *
 * What the controller tells waits here for room in the worker's ring, and is
 * answered when all of it is in: so one message is under way at a time.
 */
#ifndef LP_DATAPLANE_TOPIC_SHARE_H
#define LP_DATAPLANE_TOPIC_SHARE_H

#include <event2/buffer.h>

#include "dataplane/dataplane.h"
#include "proto/topic_id.h"

/* All zero: nothing was reported or told. */
struct lp_topic_share {
	uint64_t since; /* serial: what is older was reported */
	uint64_t until; /* that of the pass being made */
	uint64_t unknown; /* as last reported */
	uint32_t next; /* place to look at */
	bool begun; /* once all was reported */
	bool passing;
	bool owed; /* an answer, for these: */
	unsigned told_count, told_done;
	struct lp_topic_id_pair told[LP_ROWS_MAX];
};

/* One more frame, if there is news; 0, -ENOMEM. */
int lp_topic_share_report(struct lp_topic_share *share,
    const struct lp_dataplane *dataplane, struct evbuffer *out);

/* Whether more is to be reported at once. */
bool lp_topic_share_reports(const struct lp_topic_share *share);

/* 0, or -EPROTO and why: nothing was taken. */
int lp_topic_share_take(struct lp_topic_share *share,
    const Lp__Pb__TopicIdsKnown *known, char why[LP_WHY_SIZE]);

/* Hands on what was told, as far as there is room; 0, -ENOMEM. */
int lp_topic_share_feed(struct lp_topic_share *share,
    const struct lp_dataplane *dataplane, struct evbuffer *out);

#endif
