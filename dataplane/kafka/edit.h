/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Edits: what of the streams of a spliced connection is changed in passing,
 * decided while their frames are read.  pipeline/splice.h does it to packets.
 *
 *	a response that may hold addresses opens an edit at its first byte:
 *	from there on its bytes are held; when the last address is complete it
 *	is closed, with the new bytes in the place of the old
 *	what keeps its length needs no holding: other bytes for a range
 *	hints where a leader went come behind the size of their frame: they
 *	keep their length, and are hidden, or, where names are of a pattern,
 *	changed.  Which of both is not known before all of them are here: till
 *	then an edit is open, from their first byte on; of more of them than
 *	may be held that is not tried
 *
 * Bounds: of one response LP_EDIT_BYTES_MAX are held, and so many are made of
 * it; a segment is looked at only if there is room for whatever it may bring
 * (lp_edit_room()), else it is dropped, and its sender sends it again.  Who
 * then holds of the pools and does not move is reset (splice_stall.c).
 * What cannot be read although it may hold addresses is not passed on: the
 * connection is broken (LP_SPLICE_BROKEN), and reset.
 */
#ifndef LP_KAFKA_EDIT_H
#define LP_KAFKA_EDIT_H

#include "dataplane/kafka/chain.h"
#include "dataplane/kafka/kafka.h"

enum {
	/* Pieces of one edit: of the old bytes, or of the new ones. */
	LP_EDIT_PIECES = LP_EDIT_BYTES_MAX / LP_HELD_BYTES + 1,
};

/*
 * Whether there is room for what a segment of so many bytes may bring; `ahead`:
 * something before it has not come.
 */
bool lp_edit_room(struct lp_kafka *kafka, uint32_t index, enum lp_direction dir,
    uint32_t len, bool ahead);

/* More than half of the pieces are free: the others are for open edits. */
bool lp_edit_has_half(const struct lp_kafka *kafka);

/* Others are refused for want of edits or pieces; there is plenty again. */
bool lp_edit_is_short(const struct lp_kafka *kafka);
bool lp_edit_is_eased(const struct lp_kafka *kafka);

/* The first byte of a response has come, at that sequence number. */
void lp_edit_response(struct lp_kafka_at *at, uint32_t seq);

/* Its head is complete: whose it is, and whether it can be read. */
void lp_edit_response_is(struct lp_kafka_at *at, int16_t key, bool readable);

/*
 * The version of a request is complete, of the frame that begins at that
 * sequence number; its last byte has not been sent yet.
 */
void lp_edit_version(struct lp_kafka_at *at, uint32_t seq);

/* The walk of a response begins, or tells a fact. */
void lp_edit_walk(struct lp_kafka_at *at, struct lp_message *message);
void lp_edit_fact(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact);

/* The last byte of a response has come; NULL: it was not walked. */
void lp_edit_response_end(
    struct lp_kafka_at *at, const struct lp_message *message);

/*
 * All of the segment has been looked at: what of it belongs to an open edit is
 * kept.
 */
void lp_edit_hold(struct lp_kafka_at *at);

/*
 * Bytes of the broker's at that position, none of which is edited: the client
 * has no room for them, so they are kept.  The edit that they are the end of
 * now; NULL: no room here either, they go on as they came.
 */
struct lp_edit *lp_edit_keep(struct lp_kafka *kafka, uint32_t index,
    uint32_t seq, const uint8_t *bytes, uint32_t len);

/* Frames cannot be told apart any more: what follows may hold addresses. */
void lp_edit_lost(struct lp_kafka_at *at);

/*
 * Its streams will not be read from here on: where an answer may have what only
 * we may see, or would have been judged, it is broken.
 */
bool lp_edit_owes(const struct lp_kafka *kafka, uint32_t index);
void lp_edit_unread(struct lp_kafka *kafka, uint32_t index);

/* No more bytes will come: what is held leaves as nothing. */
void lp_edit_abandon(struct lp_kafka *kafka, uint32_t index);

/* What the receiver in that direction has acknowledged is over. */
void lp_edit_melt(struct lp_kafka *kafka, uint32_t index, enum lp_direction dir,
    uint32_t ack);

/* Gives back all that the connection has; the map's base stays. */
void lp_edit_close(struct lp_kafka *kafka, uint32_t index);

/* Its streams cannot be kept in step any more: reset it. */
void lp_edit_break(struct lp_kafka *kafka, uint32_t index, lp_counter *why);

/* Likewise, because a rule says so, or its listener where rules act. */
void lp_edit_refuse(struct lp_kafka *kafka, uint32_t index, lp_counter *why);

/*
 * A new one, behind the edit `before` (index + 1; 0: in front of all); NULL:
 * there is none.
 */
struct lp_edit *lp_edit_insert(struct lp_kafka *kafka, struct lp_seqmap *map,
    enum lp_edit_kind kind, uint32_t before, uint32_t start);

/* A new one, the last of its stream; NULL: there is none, it is broken. */
struct lp_edit *lp_edit_add(struct lp_kafka_at *at, enum lp_direction dir,
    enum lp_edit_kind kind, uint32_t start);

/* One that keeps its length, of a frame that begins there. */
void lp_edit_overlay(struct lp_kafka_at *at, enum lp_direction dir,
    uint32_t seq, const struct lp_overlay *over);

/* ---- edit_mark.c: bits of single bytes ----------------------------------- */

/*
 * Of the byte at that place of a frame; what behind it becomes -1; and what
 * code its kind comes with.
 */
struct lp_edit_bits {
	uint32_t at;
	uint8_t clear;
	uint8_t set;
	uint16_t code;
	uint8_t ones_at;
	uint8_t ones;
};

/* They come in the order of the bytes, and none has been passed on. */
void lp_edit_mark(struct lp_kafka_at *at, enum lp_direction dir,
    const struct lp_message *message, const struct lp_edit_bits *bits);

/* The error code at that place of an answer, behind the mark it belongs to. */
void lp_edit_mark_code(struct lp_kafka_at *at, const struct lp_message *message,
    uint32_t where, uint16_t code);

/* The one that is open; NULL: none is. */
struct lp_edit *lp_edit_open(const struct lp_kafka_at *at);

static inline void
lp_edit_save(const struct lp_kafka *kafka, const struct lp_edit *edit)
{
	lp_kafka_save(kafka, edit, sizeof(*edit));
}

/* ---- edit_make.c: what becomes of one that is open ----------------------- */

/* The last address of the message ends there: its bytes are made anew. */
void lp_edit_make_list(
    struct lp_kafka_at *at, struct lp_message *message, uint32_t end);

/* Hints of which the bytes up to there have been read are hidden. */
void lp_edit_make_hidden(
    struct lp_kafka_at *at, struct lp_message *message, uint32_t end);

/* The same bytes in their place: what is held was held for nothing. */
void lp_edit_make_same(const struct lp_kafka_at *at, struct lp_edit *edit);

#endif
