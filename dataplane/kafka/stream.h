/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream: one direction of a TCP connection, as the walker needs it: the
 * bytes it wants, once each, in order, whatever way they come.
 *
 *	result = lp_stream_offer(&stream, held, seq, bytes, len);
 *	while (lp_stream_read(&stream, held, &chunk)) {
 *		... all of the chunk is looked at ...
 *		lp_stream_advance(&stream, held, chunk.len, skip);
 *	}
 *
 * Bytes that nobody wants are skipped by arithmetic on sequence numbers: a
 * segment inside a skip needs nothing, in whatever order.  A segment in front
 * of which something is missing is copied, bounded, and read when the gap has
 * closed.  What is sent again is not read again.
 *
 * Lost: bytes were delivered that we shall never see (an acknowledgement, from
 * the other end, of bytes that we neither read nor hold).  The stream then
 * says so and wants nothing until it is opened anew.
 *
 * Positions are 64-bit; 32-bit sequence numbers stand only at the border, so
 * a skip may be longer than the sequence space.  Sources: RFC 9293, 3.4.
 */
#ifndef LP_KAFKA_STREAM_H
#define LP_KAFKA_STREAM_H

#include <stdbool.h>
#include <stdint.h>

enum {
	/* Bytes of one piece that is held; longer segments are several. */
	LP_HELD_BYTES = 2032,
	/* Pieces that one stream may hold. */
	LP_STREAM_HELD_MAX = 64,
};

/* A piece of an out-of-order segment.  Lies in the region. */
struct lp_held {
	uint32_t next; /* index + 1 of the next one by position; 0: none */
	uint32_t seq;
	uint16_t len;
	uint16_t spare[3];
	uint8_t bytes[LP_HELD_BYTES];
};
_Static_assert(sizeof(struct lp_held) == 2048, "half a page");

/* The pieces and which of them are free; the list of free ones is private. */
struct lp_held_pool {
	struct lp_held *pieces;
	uint32_t *free; /* stack of indexes */
	uint32_t free_count;
	uint32_t count;
};

enum lp_stream_state {
	LP_STREAM_OFF = 0, /* not begun: offers are ignored */
	LP_STREAM_LIVE,
	LP_STREAM_LOST,
};

struct lp_stream {
	uint32_t need; /* sequence number of the next byte not yet passed */
	uint32_t end; /* highest end of a segment offered */
	uint64_t skip; /* bytes from need on that nobody wants */
	uint32_t held; /* first held piece, index + 1; 0: none */
	uint8_t held_count;
	uint8_t state; /* enum lp_stream_state */
	uint8_t spare[2];
};
_Static_assert(sizeof(struct lp_stream) == 24, "a third of a cache line");

enum lp_stream_offer {
	LP_STREAM_NOTHING = 0, /* nothing wanted in it: skipped, or old */
	LP_STREAM_READ, /* lp_stream_read() has something */
	LP_STREAM_HELD, /* copied; a gap is in front of it */
	LP_STREAM_FULL, /* not copied: the bound is reached */
};

struct lp_stream_chunk {
	const uint8_t *bytes;
	uint32_t len; /* never 0 */
	bool was_held; /* from a piece; else from the segment offered */
};

void lp_held_pool_init(struct lp_held_pool *pool, struct lp_held *pieces,
    uint32_t *free, uint32_t count);

/* Begins at the first byte behind a SYN, or at a proven border of a frame. */
void lp_stream_open(struct lp_stream *stream, uint32_t seq);

/* Gives back what it holds; LP_STREAM_OFF or LP_STREAM_LOST from now on. */
void lp_stream_close(struct lp_stream *stream, struct lp_held_pool *pool,
    enum lp_stream_state state);

/* Payload of a segment inside the window.  `bytes` stay until it is read. */
enum lp_stream_offer lp_stream_offer(struct lp_stream *stream,
    struct lp_held_pool *pool, uint32_t seq, const uint8_t *bytes,
    uint32_t len);

/* The next wanted bytes; false: no more of them are here. */
bool lp_stream_read(struct lp_stream *stream, struct lp_held_pool *pool,
    struct lp_stream_chunk *chunk);

/* `len` bytes of the chunk were looked at; `skip` behind them are unwanted. */
void lp_stream_advance(struct lp_stream *stream, struct lp_held_pool *pool,
    uint32_t len, uint64_t skip);

/* An acknowledgement from the other end.  False: bytes are lost to us. */
bool lp_stream_acknowledged(struct lp_stream *stream, uint32_t ack);

#endif
