/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients have said where rules act: bytes that were judged, as they came,
 * until the broker has acknowledged them.  Whatever comes again for their range
 * is replaced by them, however it is cut: who says one thing to be judged and
 * another one to be heard says the first one twice.
 *
 * Kept is what was read (kafka.c): not the bytes of records, which change
 * nothing of what is judged.  It is kept before edits; they are made once more.
 *
 * Blocks of one size from a pool in the region (state.h), a list a connection:
 *
 *	| sequence number | len | bytes | sequence number | len | bytes ...
 *
 * What came before rules acted is not known when it comes again, and has not
 * been judged: that is as its listener says (--unjudged).
 *
 * Bounds: SAID_MAX blocks of one connection, SAID_SHARE when half of all are
 * taken.  A segment whose bytes might find no room is dropped before it is read
 * (judged_full), and its client sends it again.
 */
#ifndef LP_KAFKA_SAID_H
#define LP_KAFKA_SAID_H

#include "dataplane/kafka/kafka.h"

/* Whether there is room for whatever is read of so many bytes of payload. */
bool lp_said_room(const struct lp_kafka *kafka, uint32_t index, uint32_t len);

/* Others find none; there is plenty again. */
bool lp_said_is_short(const struct lp_kafka *kafka);
bool lp_said_is_eased(const struct lp_kafka *kafka);

/* Bytes that have not been read before come now, and are kept or not. */
void lp_said_begin(const struct lp_kafka_at *at, bool keeps);

/* Some of those bytes, all of which have been read, were not kept. */
bool lp_said_lacks(const struct lp_splice *splice,
    const struct lp_stream *asked, uint32_t seq, uint32_t len);

/* All of the chunk at hand up to there was read. */
void lp_said_keep(struct lp_kafka_at *at, const uint8_t *upto);

/* What was read ends there, and so many bytes of records follow. */
static inline void
lp_said_pass(struct lp_kafka_at *at, const uint8_t *upto, int64_t records)
{
	/* Fewer are not worth a new beginning. */
	enum { RECORDS_MIN = 64 };

	if (at->unsaid == NULL || records < RECORDS_MIN)
		return;
	lp_said_keep(at, upto);
	at->unsaid = upto;
	at->unsaid_skip = (uint64_t)records;
}

/* Puts back what was said there; true: something else stood there. */
bool lp_said_recall(const struct lp_kafka *kafka, uint32_t index, uint32_t seq,
    uint8_t *bytes, uint32_t len);

/* The broker has all before that position. */
void lp_said_melt(struct lp_kafka *kafka, uint32_t index, uint32_t upto);

/* Gives back all that the connection has. */
void lp_said_close(struct lp_kafka *kafka, uint32_t index);

/* In the scan at start: claims its blocks; false: they are no such list. */
bool lp_said_claim(struct lp_kafka *kafka, const struct lp_splice *splice);

#endif
