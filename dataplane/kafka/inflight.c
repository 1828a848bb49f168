/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Full: neither a connection nor the pool takes any number of them, and when
 * less than a quarter of the pool is free, who has many gets no more.  Without
 * the entry a response could not be named, and so neither could those behind
 * it: the streams of the connection are lost, and proven anew once it rests.
 */
#include "dataplane/kafka/inflight.h"

#include <string.h>

#include "dataplane/kafka/account.h"

struct lp_inflight *
lp_inflight_push(const struct lp_kafka_at *at)
{
	struct lp_kafka_state *state = at->kafka->state;
	struct lp_kafka_conn *conn = at->conn;
	struct lp_inflight *entry;
	uint32_t index;

	if (conn->inflight_count == LP_KAFKA_INFLIGHT_MAX ||
	    (conn->inflight_count >= LP_KAFKA_INFLIGHT_SHARE &&
		at->kafka->inflight.free_count < at->kafka->inflight.count / 4))
		return NULL;
	index = lp_slots_take(&at->kafka->inflight);
	if (index == LP_SLOT_NONE)
		return NULL;
	entry = &state->inflight[index];
	memset(entry, 0, sizeof(*entry));
	entry->used = 1;
	if (conn->newest != 0) {
		lp_kafka_save(at->kafka, &state->inflight[conn->newest - 1],
		    sizeof(*entry));
		state->inflight[conn->newest - 1].next = index + 1;
	} else {
		conn->oldest = index + 1;
	}
	conn->newest = index + 1;
	conn->inflight_count++;
	return entry;
}

bool
lp_inflight_room(const struct lp_kafka *kafka, const struct lp_kafka_conn *conn,
    uint32_t more)
{
	uint32_t free = kafka->inflight.free_count;

	/* In a small pool no full segment would ever pass; few are full of
	 * the shortest requests. */
	if (more > kafka->inflight.count / 4)
		more = kafka->inflight.count / 4;
	return conn->inflight_count + more <= LP_KAFKA_INFLIGHT_MAX &&
	    (free >= more + kafka->inflight.count / 4 ||
		(free >= more &&
		    conn->inflight_count + more <= LP_KAFKA_INFLIGHT_SHARE));
}

struct lp_inflight *
lp_inflight_oldest(const struct lp_kafka_at *at)
{
	if (at->conn->oldest == 0)
		return NULL;
	return &at->kafka->state->inflight[at->conn->oldest - 1];
}

void
lp_inflight_pop(const struct lp_kafka_at *at)
{
	struct lp_kafka_conn *conn = at->conn;
	uint32_t index = conn->oldest - 1;
	struct lp_inflight *entry = &at->kafka->state->inflight[index];

	assert(conn->oldest != 0 && conn->inflight_count > 0);
	conn->oldest = entry->next;
	if (conn->oldest == 0)
		conn->newest = 0;
	conn->inflight_count--;
	lp_kafka_save(at->kafka, entry, sizeof(*entry));
	if (entry->kept != 0) {
		lp_held_pool_give(&at->kafka->held, entry->kept);
		conn->kept_count--;
	}
	entry->kept = 0;
	entry->used = 0;
	lp_slots_give(&at->kafka->inflight, index);
}

void
lp_inflight_drop_raw(const struct lp_kafka_at *at)
{
	const struct lp_inflight *oldest;

	/* The answer to the oldest has begun: it stays until that ends. */
	if (at->conn->sides[LP_TO_CLIENT].head_len > 0)
		return;
	while ((oldest = lp_inflight_oldest(at)) != NULL &&
	    oldest->key == LP_INFLIGHT_RAW)
		lp_inflight_pop(at);
}

void
lp_inflight_clear(const struct lp_kafka_at *at)
{
	const struct lp_inflight *entry;

	while ((entry = lp_inflight_oldest(at)) != NULL) {
		if (entry->key != LP_INFLIGHT_RAW)
			lp_account_unanswered(at, entry);
		lp_inflight_pop(at);
	}
}
