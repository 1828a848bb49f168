/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka inside the connections: follows both streams of each, reads the frames
 * in them, pairs responses with requests and counts what it learns.  By itself
 * it only observes: whatever it cannot read it counts and leaves alone.  What
 * of a stream is to be other bytes, because addresses are rewritten or a rule
 * refuses it, it notes as edits (edit.h), for pipeline/splice.h.
 *
 * One worker owns it.  What must survive the process lies in the region
 * (state.h); the lists of free places are private and made anew at start.
 */
#ifndef LP_KAFKA_KAFKA_H
#define LP_KAFKA_KAFKA_H

#include "dataplane/kafka/slots.h"
#include "dataplane/kafka/state.h"
#include "dataplane/kafka/telemetry.h"
#include "dataplane/pipeline/pace.h"
#include "dataplane/pipeline/region.h"
#include "dataplane/pipeline/rules_cache.h"

struct lp_capture_note;
struct lp_snapshot;

/* What the last words of a note were a list of. */
enum lp_note_list {
	LP_NOTE_NO_LIST = 0,
	LP_NOTE_TOPICS,
	LP_NOTE_ERRORS,
	LP_NOTE_MECHANISMS,
};

/* What is said of the segment at hand (note.h). */
struct lp_note {
	struct lp_capture_note *to; /* NULL: nobody asks */
	uint32_t seq; /* of its payload */
	uint16_t len;
	bool begun; /* the line of the frame at hand */
	bool full;
	bool whole; /* all of it is hidden */
	bool topic_told; /* the name of the one at hand */
	uint8_t list; /* enum lp_note_list */
	int16_t error; /* the last one told */
};

struct lp_kafka {
	struct lp_region *region;
	struct lp_kafka_state *state;
	struct lp_telemetry telemetry;
	struct lp_rules_cache rules_cache;
	struct lp_slots messages;
	struct lp_slots inflight;
	struct lp_slots edits;
	struct lp_slots said;
	struct lp_held_pool held;
	uint32_t *held_free;
	struct lp_pace pace;
	struct lp_buckets buckets;
	uint32_t finishing; /* edit.c: index + 1 of a connection; 0: none */
	/* A stream is read again whose listener rewrites, and it is not
	 * spliced: lp_splice_follow() is to be asked once more. */
	bool recovered;
	bool pressed; /* a pool was short: who stalls? (splice_stall.c) */
	bool logs_secret; /* what has been logged may be of a token */
	uint64_t now_ns;
	/* Of a frame that lies in one piece: it needs no place in the pool. */
	struct lp_message whole;
	struct lp_note note;
};

/* One connection while a segment of it is looked at. */
struct lp_kafka_at {
	struct lp_kafka *kafka;
	struct lp_kafka_conn *conn;
	const struct lp_conn *tcp;
	uint32_t index;
	/* NULL: nothing of its streams is ever changed. */
	struct lp_splice *splice;
	const struct lp_snapshot *snapshot; /* of this turn; may be NULL */
	/* Whose answer is judged; NULL: the request at hand is. */
	const struct lp_inflight *asked;
	/* The payload at hand; its bytes in the numbers of its sender. */
	const struct lp_stream_segment *segment;
	/* Of the bytes that are being read: where they are in the stream. */
	const uint8_t *chunk;
	uint32_t chunk_seq;
	bool was_held; /* or missing, and have been passed on already */
	/* From there on it is not kept yet (said.h), but for so many bytes
	 * that need not be; NULL: nothing is kept. */
	const uint8_t *unsaid;
	uint64_t unsaid_skip;
	struct lp_limited limited; /* the request that has just been judged */
};

/* What is about to change, for the undo log (pipeline/undo.h). */
static inline void
lp_kafka_save(const struct lp_kafka *kafka, const void *at, size_t len)
{
	lp_undo_save(kafka->region->undo, at, (uint32_t)len);
}

/*
 * Brackets a change of a spliced connection, under its mark: all that it does
 * to the streams can be taken back, until it ends.
 */
void lp_kafka_log(struct lp_kafka *kafka, uint32_t index);
void lp_kafka_logged(struct lp_kafka *kafka);

/* Takes the memory of the lists for so many connections. */
void lp_kafka_carve(
    struct lp_kafka *kafka, struct lp_arena *arena, uint32_t connection_count);

/*
 * Finds the free places by a scan of the region.  A connection whose change
 * was cut short (`marked`: index + 1, 0: none) or whose state does not hold
 * together has lost its streams.
 */
void lp_kafka_init(
    struct lp_kafka *kafka, struct lp_region *region, uint32_t marked);

/* A connection begins with a SYN; its streams open with the SYNs. */
void lp_kafka_open(struct lp_kafka *kafka, uint32_t index);

/* A connection that was first seen in its middle: to be proven. */
void lp_kafka_pick_up(struct lp_kafka *kafka, uint32_t index);

/* TCP's state has begun anew: bytes have gone by that we did not see. */
void lp_kafka_missed(struct lp_kafka *kafka, uint32_t index);

/*
 * A segment that will be transmitted and that is in the window; TCP's state
 * has been run with it.
 */
void lp_kafka_segment(struct lp_kafka *kafka, const struct lp_batch *batch,
    const struct lp_pkt *pkt, const struct lp_tcp_segment *segment);

/* Its TCP checksum holds: what is read of it its receiver has, too. */
bool lp_kafka_is_intact(const struct lp_pkt *pkt);

/* It is over: gives back what it held.  Harmless when done twice. */
void lp_kafka_close(struct lp_kafka *kafka, uint32_t index);

#endif
