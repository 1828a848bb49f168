/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking up what an earlier process has left in the region.  Internal to the
 * Kafka stage.
 */
#ifndef LP_KAFKA_RESTORE_H
#define LP_KAFKA_RESTORE_H

#include "dataplane/kafka/kafka.h"

/*
 * Finds the free places of all pools.  A connection whose change was cut short
 * (marked: index + 1, 0: none), or whose state does not hold together, or was
 * walked by other tables, has lost its streams.
 */
void lp_restore_all(struct lp_kafka *kafka, uint32_t marked);

/*
 * Before: takes back the change that a kill has cut short.  The connection,
 * index + 1, of which that is not all; 0: none.  The mark stays until
 * conntrack has seen it.
 */
uint32_t lp_restore_undo(struct lp_region *region);

/* In the scan of the above: restore_splice.c. */
void lp_restore_splice(struct lp_kafka *kafka, uint32_t index, bool doubtful);

#endif
