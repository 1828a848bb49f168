/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/edit.h"

#include <string.h>

#include "dataplane/kafka/account.h"
#include "dataplane/kafka/frame.h"
#include "dataplane/kafka/inflight.h"
#include "dataplane/kafka/names.h"
#include "dataplane/kafka/request.h"
#include "dataplane/kafka/said.h"
#include "dataplane/pipeline/snapshot.h"
#include "dataplane/pipeline/wire.h"

enum {
	/* The shortest response is of so many bytes, so one segment holds no
	 * more of them; each may need an edit. */
	SEGMENT_EDITS = LP_BUFFER_SIZE / 16,
	/* The shortest request: without a body, and of a client without id. */
	REQUEST_MIN = 12,
	/* Edits that one connection may have. */
	CONN_EDITS_MAX = 1024,
	/* And when half of all are taken, or a quarter of the pieces: who does
	 * not acknowledge must not leave the others without. */
	CONN_EDITS_SHARE = 64,
	CONN_HELD_SHARE = 8,
	/* In lp_message.rewriting, of an answer for versions: its listener
	 * tells addresses as they are, but rules of it act. */
	VERSIONS_ONLY = UINT8_MAX,
};

static uint8_t rewriting(const struct lp_kafka_at *);
static bool clamps(const struct lp_kafka_at *);
static void put(
    struct lp_kafka_at *, struct lp_message *, const struct lp_fact *);
static bool may_finish(struct lp_kafka *, uint32_t);
static bool lists_brokers(int16_t);
static bool open_hints(
    struct lp_kafka_at *, struct lp_message *, const struct lp_fact *);
static void open_fact(
    struct lp_kafka_at *, struct lp_message *, const struct lp_fact *);
static void free_bytes(struct lp_kafka *, uint32_t);
static void release(struct lp_kafka *, uint32_t);
static void close_waiting(struct lp_kafka *, struct lp_splice *);
static void count(struct lp_kafka *);

bool
lp_edit_room(struct lp_kafka *kafka, uint32_t index, enum lp_direction dir,
    uint32_t len, bool ahead)
{
	const struct lp_kafka_conn *conn = &kafka->state->conns[index];
	const struct lp_splice *splice = &kafka->state->splices[index];
	const struct lp_seqmap *map = &splice->maps[dir];
	const struct lp_kafka_side *side = &conn->sides[dir];

	if (map->count + SEGMENT_EDITS > CONN_EDITS_MAX ||
	    kafka->edits.free_count < SEGMENT_EDITS ||
	    (map->count >= CONN_EDITS_SHARE &&
		kafka->edits.free_count < kafka->edits.count / 2))
		return false;
	/* Who has a frame half read may go on with it: that sets it free. */
	if (kafka->messages.free_count == 0 &&
	    (side->message == 0 || len > side->left))
		return false;
	if (dir == LP_TO_BROKER)
		return lp_inflight_room(kafka, conn, len / REQUEST_MIN + 1);
	/* The old bytes of one that is open, and the new ones; one that is
	 * not open yet leaves room for those that are. */
	if (lp_seqmap_open(map, kafka->state->edits) != NULL)
		return kafka->held.free_count > 2 * LP_EDIT_PIECES ||
		    may_finish(kafka, index);
	if (map->count >= CONN_HELD_SHARE &&
	    kafka->held.free_count < kafka->held.count / 4 * 3)
		return false;
	/* What others of its segments wait for sets those free. */
	if (splice->waiting_count[LP_TO_CLIENT] != 0 && !ahead)
		return kafka->held.free_count > 2 * LP_EDIT_PIECES;
	return lp_edit_has_half(kafka);
}

bool
lp_edit_has_half(const struct lp_kafka *kafka)
{
	return kafka->held.free_count > kafka->held.count / 2;
}

bool
lp_edit_is_short(const struct lp_kafka *kafka)
{
	return kafka->edits.free_count < SEGMENT_EDITS ||
	    !lp_edit_has_half(kafka) || lp_said_is_short(kafka);
}

/* Far enough from short: nobody's share is bounded any more. */
bool
lp_edit_is_eased(const struct lp_kafka *kafka)
{
	return kafka->edits.free_count >= kafka->edits.count / 2 &&
	    kafka->held.free_count >= kafka->held.count / 4 * 3 &&
	    lp_said_is_eased(kafka);
}

/*
 * Those that are open would wait for one another for ever when nearly all
 * pieces are taken.  One of them may have the rest, until it is complete.
 */
static bool
may_finish(struct lp_kafka *kafka, uint32_t index)
{
	uint32_t first = kafka->finishing;

	if (first == 0 ||
	    lp_seqmap_open(&kafka->state->splices[first - 1].maps[LP_TO_CLIENT],
		kafka->state->edits) == NULL)
		kafka->finishing = index + 1;
	return kafka->finishing == index + 1;
}

void
lp_edit_response(struct lp_kafka_at *at, uint32_t seq)
{
	const struct lp_inflight *oldest = lp_inflight_oldest(at);

	if (oldest == NULL || at->was_held || at->splice == NULL ||
	    (!lp_kafka_tells_addresses(oldest->key) && !oldest->doubtful) ||
	    rewriting(at) != LP_REWRITING_ON)
		return;
	(void)lp_edit_add(at, LP_TO_CLIENT, LP_EDIT_OPEN, seq);
}

void
lp_edit_response_is(struct lp_kafka_at *at, int16_t key, bool readable)
{
	struct lp_edit *edit = lp_edit_open(at);

	/* Any may tell where brokers are, in a version that is not known. */
	if (!readable && key != LP_INFLIGHT_RAW)
		lp_edit_lost(at);
	if (edit == NULL)
		return;
	if (!lp_kafka_tells_addresses(key))
		lp_edit_make_same(at, edit);
	else if (!readable)
		lp_edit_break(at->kafka, at->index,
		    &at->kafka->telemetry.stats->counters.rewrite_unreadable);
}

void
lp_edit_version(struct lp_kafka_at *at, uint32_t seq)
{
	const uint8_t *head = at->conn->sides[LP_TO_BROKER].head;
	int16_t key = (int16_t)lp_get16(head + LP_REQUEST_KEY);
	int16_t version = (int16_t)lp_get16(head + LP_REQUEST_VERSION);
	struct lp_overlay over;

	if (at->splice == NULL || at->was_held ||
	    !lp_disguise_request(key, version, &over) || !clamps(at) ||
	    lp_request_is_raw_token(at))
		return;
	lp_edit_overlay(at, LP_TO_BROKER, seq, &over);
	lp_telemetry_count(&at->kafka->telemetry, versions_clamped, 1);
}

void
lp_edit_walk(struct lp_kafka_at *at, struct lp_message *message)
{
	message->rewriting = rewriting(at);
	if (message->rewriting != LP_REWRITING_ON &&
	    message->key == LP_KEY_API_VERSIONS && clamps(at))
		message->rewriting = VERSIONS_ONLY;
	if (message->rewriting == 0 || message->rewriting == LP_REWRITING_OFF)
		return;
	message->watch = (struct lp_readdress_watch){0};
	if (lists_brokers(message->key))
		lp_sightings_begin(&message->list,
		    message->key == LP_KEY_METADATA, message->version);
	lp_disguise_begin(&message->disguise,
	    message->walk.end - LP_FRAME_SIZE_FIELD, INT16_MAX);
}

void
lp_edit_fact(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	if (message->rewriting == 0 || message->rewriting == LP_REWRITING_OFF)
		return;
	if (lists_brokers(message->key))
		lp_sightings_fact(&at->kafka->telemetry.sightings,
		    &message->list, at->tcp->cluster_id, fact,
		    at->kafka->now_ns / 1000000u);
	if (message->rewriting == LP_REWRITING_SHADOW &&
	    fact->kind == LP_FACT_PORT &&
	    lp_kafka_tells_addresses(message->key) && fact->value > 0)
		lp_telemetry_count(
		    &at->kafka->telemetry, addresses_shadowed, 1);
	if (lp_edit_open(at) != NULL) {
		open_fact(at, message, fact);
		return;
	}
	if (at->splice == NULL || at->was_held ||
	    message->rewriting == LP_REWRITING_SHADOW ||
	    open_hints(at, message, fact))
		return;
	put(at, message, fact);
}

static void
put(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	struct lp_overlay over;

	if (lp_disguise_fact(&message->disguise, fact, &over)) {
		lp_edit_overlay(at, LP_TO_CLIENT, message->seq, &over);
		lp_telemetry_count(&at->kafka->telemetry, overlays, 1);
	}
	if (message->disguise.failed)
		lp_edit_lost(at);
}

void
lp_edit_response_end(struct lp_kafka_at *at, const struct lp_message *message)
{
	struct lp_edit *edit = lp_edit_open(at);

	if (edit == NULL)
		return;
	if (message == NULL || message->bad || message->is_hinting)
		lp_edit_break(at->kafka, at->index,
		    &at->kafka->telemetry.stats->counters.rewrite_unreadable);
	else
		lp_edit_make_same(at, edit);
}

void
lp_edit_hold(struct lp_kafka_at *at)
{
	const struct lp_stream_segment *segment = at->segment;
	struct lp_held_pool *pool = &at->kafka->held;
	struct lp_edit *edit = lp_edit_open(at);
	struct lp_chain chain;
	uint32_t have;
	int32_t fresh;

	if (edit == NULL)
		return;
	have = lp_edit_end(edit);
	fresh = (int32_t)(segment->seq + segment->len - have);
	if (fresh <= 0)
		return;
	assert((int32_t)(have - segment->seq) >= 0);
	if (edit->sent != 0)
		lp_kafka_save(
		    at->kafka, &pool->pieces[edit->sent - 1], LP_HELD_HEAD);
	lp_edit_save(at->kafka, edit);
	chain = (struct lp_chain){
	    .first = edit->bytes, .last = edit->sent, .len = edit->old_len};
	if (edit->old_len + (uint32_t)fresh > LP_EDIT_BYTES_MAX ||
	    !lp_chain_append(pool, &chain,
		segment->bytes + (have - segment->seq), (uint32_t)fresh)) {
		/* Whatever it has got is given back with it. */
		edit->bytes = chain.first;
		lp_edit_break(at->kafka, at->index,
		    &at->kafka->telemetry.stats->counters.rewrite_too_large);
		return;
	}
	edit->bytes = chain.first;
	edit->sent = chain.last;
	edit->old_len = chain.len;
}

void
lp_edit_lost(struct lp_kafka_at *at)
{
	if (at->splice != NULL && rewriting(at) == LP_REWRITING_ON)
		lp_edit_break(at->kafka, at->index,
		    &at->kafka->telemetry.stats->counters.rewrite_unreadable);
}

bool
lp_edit_owes(const struct lp_kafka *kafka, uint32_t index)
{
	return (kafka->region->connections[index].flags & LP_CONN_SPLICED) &&
	    ((kafka->state->splices[index].flags & LP_SPLICE_MARKED) ||
		kafka->state->conns[index].kept_count > 0);
}

void
lp_edit_unread(struct lp_kafka *kafka, uint32_t index)
{
	if (lp_edit_owes(kafka, index))
		lp_edit_break(kafka, index,
		    &kafka->telemetry.stats->counters.rewrite_unreadable);
}

void
lp_edit_abandon(struct lp_kafka *kafka, uint32_t index)
{
	struct lp_edit *edit =
	    lp_seqmap_open(&kafka->state->splices[index].maps[LP_TO_CLIENT],
		kafka->state->edits);

	if (edit == NULL)
		return;
	lp_edit_save(kafka, edit);
	free_bytes(kafka, edit->bytes);
	edit->bytes = 0;
	edit->sent = 0;
	edit->kind = LP_EDIT_RESIZE;
}

void
lp_edit_melt(
    struct lp_kafka *kafka, uint32_t index, enum lp_direction dir, uint32_t ack)
{
	struct lp_seqmap *map = &kafka->state->splices[index].maps[dir];
	uint32_t link;

	while ((link = lp_seqmap_melt(map, kafka->state->edits, ack)) != 0)
		release(kafka, link - 1);
}

void
lp_edit_close(struct lp_kafka *kafka, uint32_t index)
{
	struct lp_splice *splice = &kafka->state->splices[index];

	for (enum lp_direction dir = LP_TO_BROKER; dir <= LP_TO_CLIENT; dir++) {
		struct lp_seqmap *map = &splice->maps[dir];
		uint32_t link = map->first;

		if (link != 0)
			map->floor =
			    kafka->region->connections[index].tcp.peer[dir].end;
		while (link != 0) {
			uint32_t next = kafka->state->edits[link - 1].next;

			map->delta += kafka->state->edits[link - 1].new_len -
			    kafka->state->edits[link - 1].old_len;
			release(kafka, link - 1);
			link = next;
		}
		map->first = 0;
		map->last = 0;
		map->count = 0;
	}
	close_waiting(kafka, splice);
}

/* Segments behind gaps that nothing will close. */
static void
close_waiting(struct lp_kafka *kafka, struct lp_splice *splice)
{
	lp_kafka_save(kafka, splice->waiting, sizeof(splice->waiting));
	for (unsigned dir = LP_TO_BROKER; dir <= LP_TO_CLIENT; dir++) {
		uint32_t link = splice->waiting[dir];

		while (link != 0) {
			uint32_t next = kafka->held.pieces[link - 1].next;

			lp_held_pool_give(&kafka->held, link);
			link = next;
		}
		splice->waiting[dir] = 0;
		splice->waiting_count[dir] = 0;
	}
}

void
lp_edit_break(struct lp_kafka *kafka, uint32_t index, lp_counter *why)
{
	struct lp_splice *splice = &kafka->state->splices[index];

	if (splice->flags & LP_SPLICE_BROKEN)
		return;
	splice->flags |= LP_SPLICE_BROKEN;
	lp_count_add(why, 1);
}

void
lp_edit_refuse(struct lp_kafka *kafka, uint32_t index, lp_counter *why)
{
	struct lp_splice *splice = &kafka->state->splices[index];

	if (!(splice->flags & LP_SPLICE_BROKEN))
		splice->flags |= LP_SPLICE_REFUSED;
	lp_edit_break(kafka, index, why);
}

/* What its listener does with addresses now. */
static uint8_t
rewriting(const struct lp_kafka_at *at)
{
	if (at->snapshot == NULL || (at->tcp->flags & LP_CONN_INLINE))
		return 0;
	return lp_snapshot_rewriting(at->snapshot, at->tcp->listener_id);
}

/*
 * Nobody there may speak what cannot be read: it would tell addresses, or pass
 * by rules.
 */
static bool
clamps(const struct lp_kafka_at *at)
{
	return rewriting(at) == LP_REWRITING_ON ||
	    lp_snapshot_unjudged(at->snapshot, at->tcp->listener_id) != 0;
}

/* It says where all of them are. */
static bool
lists_brokers(int16_t key)
{
	return key == LP_KEY_METADATA || key == LP_KEY_DESCRIBE_CLUSTER;
}

/*
 * A pattern has names of any length, so that hints need not be hidden.  Whether
 * it has one for each of them is not known yet: else they are.
 */
static bool
open_hints(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	struct lp_hints *hints = &message->hints;
	struct lp_overlay first;

	if ((fact->kind != LP_FACT_HIDDEN_TAG &&
		fact->kind != LP_FACT_HIDDEN_ARRAY) ||
	    !lp_snapshot_has_pattern(at->snapshot, at->tcp->listener_id) ||
	    !lp_disguise_fact(&message->disguise, fact, &first) ||
	    /* An array may be all of it. */
	    first.len > LP_EDIT_BYTES_MAX ||
	    lp_edit_add(at, LP_TO_CLIENT, LP_EDIT_OPEN,
		message->seq + first.at) == NULL)
		return false;
	hints->first = first;
	hints->rest.len = 0;
	hints->mark.at = first.at;
	lp_walk_set_mark(&message->walk, &hints->mark.walk);
	message->watch = (struct lp_readdress_watch){0};
	message->is_hinting = true;
	return true;
}

/* Of a message with an edit that is open. */
static void
open_fact(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	struct lp_hints *hints = &message->hints;
	uint32_t end = lp_readdress_watch_fact(&message->watch, fact);

	if (message->is_hinting && fact->kind == LP_FACT_HIDDEN_SIZE &&
	    lp_disguise_fact(&message->disguise, fact, &hints->rest) &&
	    hints->rest.at + hints->rest.len - hints->first.at >
		LP_EDIT_BYTES_MAX)
		lp_edit_make_hidden(at, message, message->seq + hints->rest.at);
	else if (end != 0)
		lp_edit_make_list(at, message, message->seq + end);
}

struct lp_edit *
lp_edit_open(const struct lp_kafka_at *at)
{
	return at->splice == NULL
	    ? NULL
	    : lp_seqmap_open(
		  &at->splice->maps[LP_TO_CLIENT], at->kafka->state->edits);
}

struct lp_edit *
lp_edit_add(struct lp_kafka_at *at, enum lp_direction dir,
    enum lp_edit_kind kind, uint32_t start)
{
	struct lp_seqmap *map = &at->splice->maps[dir];
	struct lp_edit *edit =
	    lp_edit_insert(at->kafka, map, kind, map->last, start);

	if (edit == NULL) {
		lp_edit_break(at->kafka, at->index,
		    &at->kafka->telemetry.stats->counters.rewrite_full);
		return NULL;
	}
	at->splice->flags |= LP_SPLICE_EDITED;
	return edit;
}

struct lp_edit *
lp_edit_insert(struct lp_kafka *kafka, struct lp_seqmap *map,
    enum lp_edit_kind kind, uint32_t before, uint32_t start)
{
	struct lp_edit *edits = kafka->state->edits;
	uint32_t index = lp_slots_take(&kafka->edits);

	if (index == LP_SLOT_NONE)
		return NULL;
	memset(&edits[index], 0, sizeof(edits[index]));
	edits[index].kind = (uint8_t)kind;
	edits[index].start = start;
	if (before != 0)
		lp_edit_save(kafka, &edits[before - 1]);
	lp_seqmap_insert(map, edits, before, index);
	count(kafka);
	return &edits[index];
}

static void
free_bytes(struct lp_kafka *kafka, uint32_t first)
{
	struct lp_chain chain = {.first = first};

	lp_chain_free(&kafka->held, &chain);
}

void
lp_edit_overlay(struct lp_kafka_at *at, enum lp_direction dir, uint32_t seq,
    const struct lp_overlay *over)
{
	struct lp_edit *edit =
	    lp_edit_add(at, dir, LP_EDIT_OVER, seq + over->at);

	if (edit == NULL)
		return;
	assert(over->over_len <= LP_EDIT_INLINE);
	edit->old_len = over->len;
	edit->new_len = over->len;
	edit->fill = over->fill;
	edit->over_len = over->over_len;
	memcpy(edit->over, over->over, over->over_len);
}

static void
release(struct lp_kafka *kafka, uint32_t index)
{
	struct lp_edit *edit = &kafka->state->edits[index];

	lp_edit_save(kafka, edit);
	free_bytes(kafka, edit->bytes);
	edit->bytes = 0;
	edit->kind = LP_EDIT_NONE;
	lp_slots_give(&kafka->edits, index);
	count(kafka);
}

static void
count(struct lp_kafka *kafka)
{
	lp_count_set(&kafka->telemetry.stats->counters.edits,
	    lp_slots_used(&kafka->edits));
}
