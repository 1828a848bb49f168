/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking up what an earlier process has left in the region: which places of
 * the pools are taken, and whether what a connection says of them holds
 * together.  If not, its streams are lost and proven anew; a place that it
 * alone knew stays taken until the next start.
 */
#include <string.h>

#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/restore.h"

static bool restore(struct lp_kafka *, uint32_t, bool);
static bool is_walking(const struct lp_kafka_conn *);
static bool claim(struct lp_kafka *, struct lp_kafka_conn *);
static bool is_sound(const struct lp_kafka_side *);
static bool claim_message(struct lp_kafka *, struct lp_kafka_side *);
static bool claim_inflight(struct lp_kafka *, struct lp_kafka_conn *);
static bool claim_kept(struct lp_kafka *, uint32_t);
static void count_inflight(struct lp_kafka *, const struct lp_kafka_conn *);
static void settle(struct lp_slots *);

uint32_t
lp_restore_undo(struct lp_region *region)
{
	struct lp_undo *undo = region->undo;
	uint32_t marked =
	    atomic_load_explicit(&undo->marked, memory_order_acquire);
	uint32_t len;

	if (marked == 0 || undo->logging != LP_UNDO_LOGGED)
		return marked;
	memcpy(&region->connections[marked - 1], undo->copy, LP_CONN_CHANGING);
	lp_undo_replay(undo);
	/* Once is enough: what is done from here on stays. */
	atomic_signal_fence(memory_order_seq_cst);
	len = undo->log_len;
	undo->log_len = 0;
	/* It may have been of a token. */
	memset(undo->log, 0, len);
	return 0;
}

void
lp_restore_all(struct lp_kafka *kafka, uint32_t marked)
{
	struct lp_kafka_state *state = kafka->state;
	struct lp_region_header *header = kafka->region->header;
	bool fresh = true;
	bool same_tables = header->kafka_tables == lp_walk_tables();

	lp_held_pool_scan(&kafka->held);
	/* In the scan: 1, claimed. */
	memset(
	    kafka->messages.free, 0, kafka->messages.count * sizeof(uint32_t));
	memset(
	    kafka->inflight.free, 0, kafka->inflight.count * sizeof(uint32_t));
	memset(kafka->edits.free, 0, kafka->edits.count * sizeof(uint32_t));
	memset(kafka->said.free, 0, kafka->said.count * sizeof(uint32_t));
	for (uint32_t i = 0; i < state->conn_count; i++) {
		fresh &= state->conns[i].mode == LP_KAFKA_OFF &&
		    kafka->region->connections[i].use != LP_CONN_USED;
		bool cut = i + 1 == marked;
		bool owes = restore(kafka, i,
		    cut || (!same_tables && is_walking(&state->conns[i])));

		lp_restore_splice(kafka, i, cut || owes);
	}
	lp_held_pool_settle(&kafka->held);
	settle(&kafka->messages);
	settle(&kafka->inflight);
	settle(&kafka->edits);
	settle(&kafka->said);
	lp_count_set(&kafka->telemetry.stats->counters.edits,
	    lp_slots_used(&kafka->edits));
	lp_count_set(
	    &kafka->telemetry.stats->counters.edits_max, kafka->edits.count);
	header->kafka_tables = lp_walk_tables();
	/* Nothing was ever in use there: it stays address space. */
	if (fresh)
		return;
	for (uint32_t i = 0; i < kafka->messages.free_count; i++)
		state->messages[kafka->messages.free[i]].used = 0;
	for (uint32_t i = 0; i < kafka->inflight.free_count; i++)
		state->inflight[kafka->inflight.free[i]].used = 0;
}

/* Only in the midst of a frame does it depend on the tables. */
static bool
is_walking(const struct lp_kafka_conn *conn)
{
	return conn->sides[LP_TO_BROKER].message != 0 ||
	    conn->sides[LP_TO_CLIENT].message != 0;
}

/*
 * True: its streams are lost, and an answer must not pass unread, or may not,
 * for what it says of itself does not hold together.
 */
static bool
restore(struct lp_kafka *kafka, uint32_t index, bool doubtful)
{
	struct lp_kafka_conn *conn = &kafka->state->conns[index];
	bool live = conn->mode == LP_KAFKA_LIVE;
	bool owes = live && (!doubtful || lp_edit_owes(kafka, index));
	/* Of TLS the client's stream is followed to the end of its hello. */
	bool followed = live || conn->mode == LP_KAFKA_TLS;

	if (conn->mode == LP_KAFKA_OFF)
		return false;
	if (kafka->region->connections[index].use != LP_CONN_USED) {
		/* Killed after it ended, before that was told here. */
		memset(conn, 0, sizeof(*conn));
		return false;
	}
	if (!doubtful && (!followed || claim(kafka, conn))) {
		count_inflight(kafka, conn);
		return false;
	}
	memset(conn->sides, 0, sizeof(conn->sides));
	conn->sides[LP_TO_CLIENT].ended = true; /* as far as is known */
	conn->oldest = 0;
	conn->newest = 0;
	conn->inflight_count = 0;
	conn->kept_count = 0;
	memset(&conn->proof, 0, sizeof(conn->proof));
	/* One whose hello was cut short stays what it is: TLS. */
	conn->mode = live || conn->mode == LP_KAFKA_LOST ? LP_KAFKA_LOST
							 : LP_KAFKA_OPAQUE;
	if (live) {
		lp_telemetry_count(&kafka->telemetry, streams_lost, 1);
		/* No request of it will say any more that it is not limited. */
		lp_pace_unbind(kafka->region, index);
	}
	if (owes && (kafka->region->connections[index].flags & LP_CONN_SPLICED))
		lp_telemetry_count(&kafka->telemetry, rewrite_unreadable, 1);
	return owes;
}

static bool
claim(struct lp_kafka *kafka, struct lp_kafka_conn *conn)
{
	for (unsigned dir = LP_TO_BROKER; dir <= LP_TO_CLIENT; dir++) {
		struct lp_kafka_side *side = &conn->sides[dir];

		if (!is_sound(side) || !claim_message(kafka, side) ||
		    !lp_stream_recover(&side->stream, &kafka->held))
			return false;
	}
	/* A response that has begun answers the oldest. */
	if (conn->sides[LP_TO_CLIENT].place != LP_AT_HEAD && conn->oldest == 0)
		return false;
	return claim_inflight(kafka, conn);
}

static bool
is_sound(const struct lp_kafka_side *side)
{
	return side->place <= LP_AT_TAIL &&
	    side->head_len <= sizeof(side->head) &&
	    (side->place == LP_AT_BODY || side->left == 0) &&
	    (side->place != LP_AT_HEAD || side->message == 0);
}

static bool
claim_message(struct lp_kafka *kafka, struct lp_kafka_side *side)
{
	uint32_t at = side->message - 1;

	if (side->message == 0)
		return true;
	if (at >= kafka->messages.count || kafka->messages.free[at] != 0 ||
	    kafka->state->messages[at].used == 0)
		return false;
	kafka->messages.free[at] = 1;
	return true;
}

static bool
claim_inflight(struct lp_kafka *kafka, struct lp_kafka_conn *conn)
{
	uint32_t link = conn->oldest;

	conn->kept_count = 0;
	for (unsigned i = 0; i < conn->inflight_count; i++) {
		uint32_t at = link - 1;

		if (link == 0 || at >= kafka->inflight.count ||
		    kafka->inflight.free[at] != 0 ||
		    kafka->state->inflight[at].used == 0 ||
		    kafka->state->inflight[at].row > LP_KAFKA_ROWS_MAX ||
		    !claim_kept(kafka, kafka->state->inflight[at].kept))
			return false;
		if (i + 1 == conn->inflight_count && link != conn->newest)
			return false;
		kafka->inflight.free[at] = 1;
		if (kafka->state->inflight[at].kept != 0)
			conn->kept_count++;
		link = kafka->state->inflight[at].next;
	}
	return link == 0 &&
	    (conn->inflight_count > 0 ||
		(conn->oldest == 0 && conn->newest == 0));
}

static bool
claim_kept(struct lp_kafka *kafka, uint32_t link)
{
	if (link == 0)
		return true;
	if (link > kafka->held.count || kafka->held.free[link - 1] != 0)
		return false;
	kafka->held.free[link - 1] = 1;
	return true;
}

/* Telemetry begins with none in flight. */
static void
count_inflight(struct lp_kafka *kafka, const struct lp_kafka_conn *conn)
{
	uint32_t link = conn->oldest;

	for (unsigned i = 0; i < conn->inflight_count; i++) {
		const struct lp_inflight *entry =
		    &kafka->state->inflight[link - 1];

		if (entry->key >= 0)
			lp_telemetry_resume(
			    &kafka->telemetry, entry->row, entry->client);
		link = entry->next;
	}
}

/* What nobody has claimed is free.  Writes behind what it reads. */
static void
settle(struct lp_slots *slots)
{
	slots->free_count = 0;
	for (uint32_t i = 0; i < slots->count; i++)
		if (slots->free[i] == 0)
			slots->free[slots->free_count++] = i;
}
