/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walker: reads one Kafka frame of any API and version, however it is cut
 * into pieces, and tells its facts.  Driven by tables that are generated from
 * Kafka's own definitions (tables.h); bounded state, no allocation, no copy of
 * payload: what nobody asks for is skipped by arithmetic.
 *
 *	lp_walk_request(&walk, key, version, size);
 *	while ((result = lp_walk_next(&walk, &in, &fact)) == LP_WALK_FACT)
 *		use(&fact);
 *	skip = lp_walk_skip(&walk);	bytes to come that need not be shown
 *
 * Pure: no time, no packet, no memory of its own.
 */
#ifndef LP_KAFKA_WALK_H
#define LP_KAFKA_WALK_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/kafka/fact.h"

/* Bytes at hand; lp_walk_next() moves `at`, never beyond `end`. */
struct lp_cursor {
	const uint8_t *at;
	const uint8_t *end;
};

enum lp_walk_result {
	LP_WALK_MORE = 0, /* the cursor is at its end, the frame is not */
	LP_WALK_FACT, /* *fact is filled; call again */
	LP_WALK_DONE, /* the frame is read to its last byte */
	/*
	 * The bytes are no such message: a length beyond the frame, a varint
	 * too long, a message shorter than its frame.  The border of the frame
	 * still holds: lp_walk_skip() leads to it.
	 */
	LP_WALK_BAD,
};

enum { LP_WALK_DEPTH = 6 }; /* arrays in arrays, tagged fields; tables.c */

/* An array, a struct that may be null, or tagged fields, being walked. */
struct lp_walk_level {
	uint32_t left; /* elements, this one included; or tags still to come */
	uint32_t end; /* of the tag's value, counted as `at`; 0: an array */
	uint16_t pc; /* where the code goes on behind it */
	uint16_t body; /* of an element; of tags: their operation */
};

/*
 * Where the walk is.  Private to walk.c; of fixed size and without pointers:
 * it may lie in a region that outlives the process, as long as the tables are
 * the same.
 */
struct lp_walk {
	uint32_t at; /* the next byte, counted from the frame's size */
	uint32_t end; /* of the frame, likewise */
	uint32_t skip; /* bytes from `at` on that nobody asks for */
	uint32_t varint; /* its lower bits, as far as read */
	uint32_t tag; /* whose size is being read */
	uint32_t text_len; /* of the text being told */
	uint16_t pc; /* index of lp_tables_code */
	uint8_t phase;
	uint8_t depth; /* levels in use */
	uint8_t held; /* bytes of an unfinished value in hold */
	uint8_t shift; /* bits of varint */
	uint8_t spare[2];
	struct lp_walk_level levels[LP_WALK_DEPTH];
	uint8_t hold[LP_FACT_TEXT_MAX + 1];
};
_Static_assert(sizeof(struct lp_walk) == 360, "six cache lines");

/* A place that a walk may go on from once more; without pointers, too. */
struct lp_walk_mark {
	_Alignas(4) uint8_t bytes[offsetof(struct lp_walk, hold)];
};

/* Whether the tables know that version of that API. */
bool lp_walk_knows(int16_t key, int16_t version);

/* Whether the tables know any version of that API. */
bool lp_walk_knows_key(int16_t key);

/*
 * A number that is another one if the tables are, so that nobody goes on with
 * a walk of older tables.
 */
uint32_t lp_walk_tables(void);

/*
 * Begins behind the fixed part of a frame, which the caller has read: size,
 * api_key, api_version, correlation_id (12 bytes) of a request; size and
 * correlation_id (8 bytes) of a response.  `size` is the frame's size field.
 * Header fields that follow (client_id, tagged fields) are walked here.
 * Precondition: lp_walk_knows(), and size covers the fixed part and is at most
 * INT32_MAX.
 */
void lp_walk_request(
    struct lp_walk *walk, int16_t key, int16_t version, uint32_t size);
void lp_walk_response(
    struct lp_walk *walk, int16_t key, int16_t version, uint32_t size);

/*
 * Marks where a walk is, behind a fact whose last byte is the last one read:
 * HIDDEN_TAG, HIDDEN_ARRAY.  From there another walk tells the same again.
 */
static inline void
lp_walk_set_mark(const struct lp_walk *walk, struct lp_walk_mark *mark)
{
	assert(walk->held == 0 && walk->shift == 0 && walk->skip == 0);
	memcpy(mark->bytes, walk, sizeof(mark->bytes));
}

static inline void
lp_walk_resume(struct lp_walk *walk, const struct lp_walk_mark *mark)
{
	memcpy(walk, mark->bytes, sizeof(mark->bytes));
}

enum lp_walk_result lp_walk_next(
    struct lp_walk *walk, struct lp_cursor *in, struct lp_fact *fact);

/*
 * After MORE, DONE or BAD: how many bytes behind the cursor are of no
 * interest, up to the end of the frame.  They count as shown: the next call
 * goes on behind them, and may be made at once, with an empty cursor: it says
 * DONE if nothing follows.  After DONE 0; after BAD the rest of the frame.
 */
uint32_t lp_walk_skip(struct lp_walk *walk);

#endif
