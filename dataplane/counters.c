/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/counters.h"

#include <errno.h>
#include <string.h>

#include "dataplane/pipeline/snapshot.h"

static uint16_t *find(
    struct lp_counters *counters, uint32_t listener_id, uint32_t broker_id);

void
lp_counters_init(struct lp_counters *counters, struct lp_endpoint_stats *places)
{
	memset(counters, 0, sizeof(*counters));
	counters->places = places;
	for (unsigned i = 0; i < LP_ENDPOINTS_MAX; i++)
		if (places[i].listener_id != 0)
			*find(counters, places[i].listener_id,
			    places[i].broker_id) = (uint16_t)(i + 1);
}

int
lp_counters_take(struct lp_counters *counters, uint32_t listener_id,
    uint32_t broker_id, uint16_t *place)
{
	uint16_t *entry = find(counters, listener_id, broker_id);
	struct lp_endpoint_stats *stats;

	if (*entry != 0) {
		*place = (uint16_t)(*entry - 1);
		return 0;
	}
	while (counters->next < LP_ENDPOINTS_MAX &&
	    counters->places[counters->next].listener_id != 0)
		counters->next++;
	if (counters->next == LP_ENDPOINTS_MAX)
		return -ENOSPC;
	stats = &counters->places[counters->next];
	memset(stats, 0, sizeof(*stats));
	stats->broker_id = broker_id;
	/* Last: a process that is killed here leaves a free place. */
	atomic_signal_fence(memory_order_seq_cst);
	stats->listener_id = listener_id;
	*place = (uint16_t)counters->next;
	*entry = (uint16_t)(counters->next + 1);
	return 0;
}

/* The entry of that pair, or the free one where it belongs. */
static uint16_t *
find(struct lp_counters *counters, uint32_t listener_id, uint32_t broker_id)
{
	uint32_t at = lp_snapshot_hash_pair(listener_id, broker_id) %
	    LP_COUNTERS_INDEX_SIZE;

	while (counters->index[at] != 0) {
		const struct lp_endpoint_stats *stats =
		    &counters->places[counters->index[at] - 1];

		if (stats->listener_id == listener_id &&
		    stats->broker_id == broker_id)
			break;
		at = (at + 1) % LP_COUNTERS_INDEX_SIZE;
	}
	return &counters->index[at];
}
