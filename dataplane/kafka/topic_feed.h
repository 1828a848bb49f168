/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of topic ids on their way from control to the worker's table.
 *
 * A ring with one producer (control) and one consumer (the worker, a few
 * places a turn).  When it is full control waits: nothing is lost, and nobody
 * is held up.
 */
#ifndef LP_KAFKA_TOPIC_FEED_H
#define LP_KAFKA_TOPIC_FEED_H

#include "dataplane/kafka/topic_ids.h"

enum {
	LP_TOPIC_FEED_SIZE = 1024, /* a power of two */
	LP_TOPIC_FEED_STEP = 8, /* taken out in one turn */
};

struct lp_topic_feed {
	_Alignas(64) _Atomic uint32_t head; /* control writes */
	_Alignas(64) _Atomic uint32_t tail; /* the worker writes */
	_Alignas(64) struct lp_topic_id_value places[LP_TOPIC_FEED_SIZE];
};

/* control: false: it is full, try again later.  Of the value's name_len at most
 * LP_TOPIC_NAME_MAX. */
bool lp_topic_feed_put(
    struct lp_topic_feed *feed, const struct lp_topic_id_value *value);

/* worker: once a turn. */
void lp_topic_feed_turn(struct lp_topic_feed *feed, struct lp_topic_ids *ids);

/* worker: there is more to take out. */
bool lp_topic_feed_waits(const struct lp_topic_feed *feed);

#endif
