/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sequence map of a stream that is edited in passing: from positions as
 * its sender numbers them to positions as its receiver does, and back.
 *
 * It is monotone and total.  Where bytes are replaced by others of another
 * number, all new bytes belong to the last old one: a position inside of the
 * old bytes [start, start + old_len) is where the new ones begin, the position
 * behind them where the new ones end.  So what arrives again of the old bytes
 * brings the new ones again only with the last of them, and who has received
 * some of the new ones, not all, has received all old bytes but the last.
 *
 * Positions are 32-bit sequence numbers (RFC 9293, 3.4).  They are compared as
 * serial numbers: edits that live lie in the window, less than 2^31 from one
 * another.  What is acknowledged melts into floor and delta; below the floor
 * the map goes on with the same delta, whatever it was there.
 *
 * Pure: no time, no packet; edits are in the caller's pool, by index.
 */
#ifndef LP_PIPELINE_SEQMAP_H
#define LP_PIPELINE_SEQMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lp_edit_kind {
	LP_EDIT_NONE = 0, /* a free place */
	/* Its old bytes are being held; its end is not known yet: the last. */
	LP_EDIT_OPEN,
	/* Other bytes, of any number, take the place of the old ones. */
	LP_EDIT_RESIZE,
	/* As many bytes take their place, one for one. */
	LP_EDIT_OVER,
	/* They stay what they are, and are kept until there is room. */
	LP_EDIT_KEEP,
	/* Of as many bytes some are marked: struct lp_edit_marks. */
	LP_EDIT_MARK,
};

enum { LP_EDIT_INLINE = 24 };

/*
 * Bytes at equal distances, of which bits are cleared and set; and behind each,
 * if ones is not 0, so many at ones_at that become 0xff, numbers of -1; and, if
 * code_at is not 0, two that become an error code.
 */
struct lp_edit_marks {
	uint32_t count; /* marks, at least one; the last may lack its code */
	uint32_t stride; /* from one to the next, if there is another */
	uint16_t code_at; /* from a mark to its code */
	uint16_t code; /* host order */
	uint8_t clear;
	uint8_t set;
	uint8_t ones_at;
	uint8_t ones;
};

/* An edit of a stream.  Lies in the region (kafka/state.h). */
struct lp_edit {
	uint32_t next; /* index + 1, by position; 0: the last */
	uint32_t start; /* sender's position of the first old byte */
	uint32_t old_len; /* OPEN: so many are held so far */
	uint32_t new_len; /* OPEN: 0 */
	uint32_t sent; /* RESIZE, KEEP: new bytes sent so far */
	/* OPEN: old bytes, others: new ones: a chain (kafka/chain.h) */
	uint32_t bytes;
	uint8_t kind; /* enum lp_edit_kind */
	/*
	 * OVER: where there are bytes, those; else the first ones are here, and
	 * then it is fill up to the end.
	 */
	uint8_t over_len;
	uint8_t fill;
	uint8_t
	    stamped; /* RESIZE, KEEP: sent with a timestamp of the broker's: */
	uint32_t stamp;
	uint8_t spare[8];
	union {
		uint8_t over[LP_EDIT_INLINE];
		struct lp_edit_marks marks; /* MARK */
	};
};
_Static_assert(sizeof(struct lp_edit) == 64, "one cache line");

/* The map of one stream: its edits that are not acknowledged yet. */
struct lp_seqmap {
	uint32_t floor; /* sender's position: all before it is acknowledged */
	uint32_t delta; /* receiver's position - sender's, at the floor */
	uint32_t first; /* edits by position: index + 1; 0: none */
	uint32_t last;
	uint32_t count;
};

/* Where a position of the sender's is for the receiver. */
uint32_t lp_seqmap_out(
    const struct lp_seqmap *map, const struct lp_edit *edits, uint32_t at);

/*
 * The largest position of the sender's that is not behind `at` for the
 * receiver; none behind `limit`, up to where the sender has sent, and of an
 * edit that is still open none behind what is held.
 */
uint32_t lp_seqmap_back(const struct lp_seqmap *map,
    const struct lp_edit *edits, uint32_t at, uint32_t limit);

/* The first edit that ends behind that position: index + 1; 0: none. */
uint32_t lp_seqmap_find(
    const struct lp_seqmap *map, const struct lp_edit *edits, uint32_t at);

/*
 * Puts it behind the edit `before` (index + 1; 0: in front of all), which ends
 * there or before, where positions are their own up to the next one.
 */
void lp_seqmap_insert(struct lp_seqmap *map, struct lp_edit *edits,
    uint32_t before, uint32_t index);

/*
 * The receiver has acknowledged all before `at` (its position).  Takes away the
 * first edit if that covers it, and returns its index + 1, for the caller to
 * free; 0: none is left that it covers, and the floor has moved.  Call it
 * until it returns 0.
 */
uint32_t lp_seqmap_melt(
    struct lp_seqmap *map, struct lp_edit *edits, uint32_t at);

static inline uint32_t
lp_edit_end(const struct lp_edit *edit)
{
	return edit->start + edit->old_len;
}

/* Each of its positions has its own place. */
static inline bool
lp_edit_is_even(const struct lp_edit *edit)
{
	return edit->kind == LP_EDIT_OVER || edit->kind == LP_EDIT_KEEP ||
	    edit->kind == LP_EDIT_MARK;
}

/* Its bytes are made of those of the packet at hand: there is none to send. */
static inline bool
lp_edit_is_painted(const struct lp_edit *edit)
{
	return edit->kind == LP_EDIT_OVER || edit->kind == LP_EDIT_MARK;
}

/* The edit whose end is not known yet: only the last can be; NULL: none. */
static inline struct lp_edit *
lp_seqmap_open(const struct lp_seqmap *map, struct lp_edit *edits)
{
	struct lp_edit *last = map->last != 0 ? &edits[map->last - 1] : NULL;

	return last != NULL && last->kind == LP_EDIT_OPEN ? last : NULL;
}

#endif
