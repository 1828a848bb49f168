/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of topic ids (KIP-516), by cluster: learnt from responses that have
 * both, or told by lp-controld (topic_feed.h); asked where a message has only
 * the id.
 *
 * Bounded.  When it is full, the next id takes the place of one that was not
 * asked lately: a hand goes past the places and spares each that was asked
 * since it came by (the clock algorithm), eight of them at most, then it takes
 * what it finds.  So learning never fails, at a bounded price.
 *
 * An id that a broker tells with another name has it from then on; who is told
 * of it by others keeps the name that it has.  A topic that was deleted and
 * made anew has a new id; the old one stays, as true as it was, until its place
 * is wanted.
 *
 * The worker is the one writer.  Control may read any place at any time
 * (kafka_read.h).
 */
#ifndef LP_KAFKA_TOPIC_IDS_H
#define LP_KAFKA_TOPIC_IDS_H

#include "dataplane/kafka/kafka_stats.h"
#include "dataplane/pipeline/table.h"

struct lp_topic_ids {
	struct lp_kafka_stats *stats;
	struct lp_table index;
	uint32_t hand;
	uint64_t seed;
};

void lp_topic_ids_carve(struct lp_topic_ids *ids, struct lp_arena *arena);

/* Takes up what is in the region. */
void lp_topic_ids_init(
    struct lp_topic_ids *ids, struct lp_kafka_stats *stats, uint64_t seed);

/* The id of no topic (all zero) and names that no topic has are ignored. */
void lp_topic_ids_learn(struct lp_topic_ids *ids, uint32_t cluster_id,
    const uint8_t uuid[LP_TOPIC_ID_SIZE], const uint8_t *name, uint16_t len);

/* The same of what lp-controld tells: nothing, if the id is known. */
void lp_topic_ids_tell(struct lp_topic_ids *ids, uint32_t cluster_id,
    const uint8_t uuid[LP_TOPIC_ID_SIZE], const uint8_t *name, uint16_t len);

/* False, and counted, if it is not known.  Good until something is learnt. */
bool lp_topic_ids_find(struct lp_topic_ids *ids, uint32_t cluster_id,
    const uint8_t uuid[LP_TOPIC_ID_SIZE], const uint8_t **name, uint16_t *len);

/* The same, for one who looks on: neither counted nor an asking. */
bool lp_topic_ids_peek(const struct lp_topic_ids *ids, uint32_t cluster_id,
    const uint8_t uuid[LP_TOPIC_ID_SIZE], const uint8_t **name, uint16_t *len);

#endif
