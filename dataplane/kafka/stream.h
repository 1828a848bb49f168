/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream: one direction of a TCP connection, as the walker needs it: the
 * bytes it wants, once each, in order, whatever way they come.
 *
 *	if (lp_stream_wants(&stream, seq, len))
 *		... verify the checksum of the segment ...
 *	result = lp_stream_offer(&stream, held, &segment);
 *	while (lp_stream_read(&stream, held, &segment, &chunk)) {
 *		... `len` bytes of the chunk are looked at ...
 *		lp_stream_advance(&stream, held, len, skip);
 *	}
 *
 * Bytes that nobody wants are skipped by arithmetic on sequence numbers: a
 * segment inside a skip needs nothing, in whatever order.  A segment in front
 * of which something is missing is copied, bounded, and read when the gap has
 * closed.  What is sent again is not read again; of bytes that are held the
 * first copy counts.  Segments without payload change nothing.  SYN and FIN
 * are not of a stream, but it must be told of a FIN: the garbage byte of a
 * keep-alive may stand in its place later.
 *
 * Lost: bytes were delivered that we shall never see (an acknowledgement, from
 * the other end, of bytes that we neither read nor hold).  The stream then
 * says so and wants nothing until it is opened anew.
 *
 * What has passed of a skip is taken to reach up to the highest end of a
 * segment seen, though there may be gaps below it: nobody will ask for them.
 * So `need` follows the segments through a skip, and a skip may be longer than
 * the sequence space.  Hence this holds between calls:
 *
 *	skip > 0	need == end, and nothing is held
 *	skip == 0	all that is held lies behind need, up to end
 *
 * A segment must lie within 2^31 - 1 of `need`: it does, if tcp_state found it
 * in the window.  Source: RFC 9293, 3.4.
 */
#ifndef LP_KAFKA_STREAM_H
#define LP_KAFKA_STREAM_H

#include "dataplane/kafka/held.h"

enum {
	/* Pieces that one stream may hold. */
	LP_STREAM_HELD_MAX = 64,
	/* And when the pool is nearly empty: a window of ten segments. */
	LP_STREAM_HELD_SHARE = 8,
};

enum lp_stream_state {
	LP_STREAM_OFF = 0, /* not begun: offers are ignored */
	LP_STREAM_LIVE,
	LP_STREAM_LOST,
};

/* Lies in the region; all zero: LP_STREAM_OFF. */
struct lp_stream {
	uint64_t skip; /* bytes from need on that nobody wants */
	uint32_t need; /* sequence number of the next byte not yet passed */
	uint32_t end; /* highest end of a segment offered */
	uint32_t held; /* first held piece, index + 1; 0: none */
	uint32_t fin; /* sequence number of the FIN, if it has one */
	uint8_t held_count;
	uint8_t state; /* enum lp_stream_state */
	bool has_fin;
	uint8_t spare[5];
};
_Static_assert(sizeof(struct lp_stream) == 32, "half a cache line");

/* The payload of a segment; stays where it is until it has been read. */
struct lp_stream_segment {
	const uint8_t *bytes;
	uint32_t seq;
	uint32_t len;
};

enum lp_stream_offer {
	LP_STREAM_NOTHING = 0, /* nothing wanted in it: skipped, or old */
	LP_STREAM_READ, /* lp_stream_read() has something */
	LP_STREAM_HELD, /* copied, or was already; a gap is in front of it */
	LP_STREAM_FULL, /* not all of it copied: a bound is reached */
};

struct lp_stream_chunk {
	const uint8_t *bytes;
	uint32_t len; /* never 0 */
	bool was_held; /* from a piece; else from the segment offered */
};

/*
 * Begins at the first byte behind a SYN, or at a proven border of a frame.
 * The stream is zero, or was closed.
 */
void lp_stream_open(struct lp_stream *stream, uint32_t seq);

/* Gives back what it holds; LP_STREAM_OFF or LP_STREAM_LOST from now on. */
void lp_stream_close(struct lp_stream *stream, struct lp_held_pool *pool,
    enum lp_stream_state state);

/* A FIN with that sequence number has come by: no byte has it, or a later. */
static inline void
lp_stream_fin(struct lp_stream *stream, uint32_t seq)
{
	if (stream->state != LP_STREAM_LIVE || stream->has_fin)
		return;
	stream->fin = seq;
	stream->has_fin = true;
}

/* Bytes of a segment that lie before the FIN. */
static inline uint32_t
lp_stream_len(const struct lp_stream *stream, uint32_t seq, uint32_t len)
{
	int32_t left = (int32_t)(stream->fin - seq);

	if (!stream->has_fin || left >= (int32_t)len)
		return len;
	return left > 0 ? (uint32_t)left : 0;
}

/* False: offering this would find nothing wanted. */
static inline bool
lp_stream_wants(const struct lp_stream *stream, uint32_t seq, uint32_t len)
{
	uint32_t real = lp_stream_len(stream, seq, len);
	int32_t ahead = (int32_t)(seq + real - stream->need);

	return stream->state == LP_STREAM_LIVE && real > 0 && ahead > 0 &&
	    (uint64_t)ahead > stream->skip;
}

/* The rest of lp_stream_offer(): what is not inside a skip. */
enum lp_stream_offer lp_stream_take(struct lp_stream *stream,
    struct lp_held_pool *pool, const struct lp_stream_segment *segment);

/*
 * A segment.  After LP_STREAM_READ all of it is to be read before the next
 * one is offered.  Most segments are those inside a skip.
 */
static inline enum lp_stream_offer
lp_stream_offer(struct lp_stream *stream, struct lp_held_pool *pool,
    const struct lp_stream_segment *segment)
{
	uint32_t len = segment->len;
	int32_t ahead = (int32_t)(segment->seq + len - stream->need);

	if (len > 0 && ahead > 0 && (uint64_t)ahead <= stream->skip) {
		stream->need += (uint32_t)ahead;
		stream->end = stream->need;
		stream->skip -= (uint64_t)ahead;
		return LP_STREAM_NOTHING;
	}
	return lp_stream_take(stream, pool, segment);
}

/*
 * Whether the segment says the same as what is held where it lies.  Its
 * receiver need not believe the first.
 */
bool lp_stream_agrees(const struct lp_stream *stream,
    const struct lp_held_pool *pool, const struct lp_stream_segment *segment);

/*
 * The next wanted bytes, of the segment that was offered last or of pieces;
 * false: no more of them are here.
 */
bool lp_stream_read(const struct lp_stream *stream,
    const struct lp_held_pool *pool, const struct lp_stream_segment *segment,
    struct lp_stream_chunk *chunk);

/*
 * `len` bytes of the chunk were looked at; `skip` behind them are unwanted.
 * Not both are 0: it goes on.
 */
void lp_stream_advance(struct lp_stream *stream, struct lp_held_pool *pool,
    uint32_t len, uint64_t skip);

/*
 * Bytes of the skip that are still to come.  0: its last byte has passed, as
 * far as the highest end of a segment tells.
 */
static inline uint64_t
lp_stream_skip_left(const struct lp_stream *stream)
{
	return stream->skip;
}

/*
 * An acknowledgement from the other end.  False, once: bytes are lost to us,
 * and the stream is LP_STREAM_LOST.  One of bytes that have never come by
 * tells nothing.
 */
bool lp_stream_acknowledged(
    struct lp_stream *stream, struct lp_held_pool *pool, uint32_t ack);

/*
 * In a scan of the pool (held.h): claims the pieces of a stream that an
 * earlier process has left, as it was before or after some packet.  A stream
 * whose pieces are not what they should be is lost: returns false.
 */
bool lp_stream_recover(struct lp_stream *stream, struct lp_held_pool *pool);

#endif
