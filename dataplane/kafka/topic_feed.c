/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/topic_feed.h"

bool
lp_topic_feed_put(
    struct lp_topic_feed *feed, const struct lp_topic_id_value *value)
{
	uint32_t head = atomic_load_explicit(&feed->head, memory_order_relaxed);
	uint32_t tail = atomic_load_explicit(&feed->tail, memory_order_acquire);

	if (head - tail == LP_TOPIC_FEED_SIZE)
		return false;
	feed->places[head % LP_TOPIC_FEED_SIZE] = *value;
	atomic_store_explicit(&feed->head, head + 1, memory_order_release);
	return true;
}

void
lp_topic_feed_turn(struct lp_topic_feed *feed, struct lp_topic_ids *ids)
{
	uint32_t head = atomic_load_explicit(&feed->head, memory_order_acquire);
	uint32_t tail = atomic_load_explicit(&feed->tail, memory_order_relaxed);

	for (unsigned i = 0; i < LP_TOPIC_FEED_STEP && tail != head; i++) {
		const struct lp_topic_id_value *value =
		    &feed->places[tail++ % LP_TOPIC_FEED_SIZE];

		lp_topic_ids_tell(ids, value->cluster_id, value->uuid,
		    value->name, value->name_len);
		atomic_store_explicit(&feed->tail, tail, memory_order_release);
	}
}

bool
lp_topic_feed_waits(const struct lp_topic_feed *feed)
{
	return atomic_load_explicit(&feed->head, memory_order_acquire) !=
	    atomic_load_explicit(&feed->tail, memory_order_relaxed);
}
