/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 * What is held lies in a list by position, without overlaps: a segment behind
 * a gap only fills what is not held yet, first the rest of the piece that it
 * continues.  So duplicates take nothing, and small segments share a piece.
 *
 * Ownership: a piece belongs to one stream, or is free.
 *
 * Full: neither a stream nor the pool has any number of pieces, and when less
 * than a quarter of the pool is free, a stream that has its share gets no more.
 * So none that is forever out of order leaves the others without.
 *
 * Being killed: the stream of the connection that was being changed is given
 * up (restore.c), or, of a change that is logged, put back by the undo slot: it
 * is whole then, for one packet either adds pieces or takes them away, never
 * both, and a piece that is given back stays as it is until the change has
 * ended.
 */
#include "dataplane/kafka/stream.h"

#include <stddef.h>
#include <string.h>

static bool hold(struct lp_stream *, struct lp_held_pool *,
    const struct lp_stream_segment *);
static uint32_t place(struct lp_stream *, struct lp_held_pool *, uint32_t *,
    struct lp_held *, const struct lp_stream_segment *);
static void drop_passed(struct lp_stream *, struct lp_held_pool *);

/* How far a is ahead of b; negative: behind. */
static int32_t
ahead_of(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static struct lp_held *
piece_of(const struct lp_held_pool *pool, uint32_t link)
{
	assert(link <= pool->count);
	return link == 0 ? NULL : &pool->pieces[link - 1];
}

static uint32_t
end_of(const struct lp_held *piece)
{
	return piece->seq + piece->len;
}

void
lp_stream_open(struct lp_stream *stream, uint32_t seq)
{
	assert(stream->held == 0);
	*stream = (struct lp_stream){
	    .need = seq, .end = seq, .state = LP_STREAM_LIVE};
}

void
lp_stream_close(struct lp_stream *stream, struct lp_held_pool *pool,
    enum lp_stream_state state)
{
	assert(state != LP_STREAM_LIVE);
	stream->need = stream->end;
	stream->skip = 0;
	drop_passed(stream, pool);
	assert(stream->held == 0 && stream->held_count == 0);
	stream->state = (uint8_t)state;
}

enum lp_stream_offer
lp_stream_take(struct lp_stream *stream, struct lp_held_pool *pool,
    const struct lp_stream_segment *segment)
{
	struct lp_stream_segment real = *segment;
	uint32_t end;

	if (!lp_stream_wants(stream, segment->seq, segment->len))
		return LP_STREAM_NOTHING;
	real.len = lp_stream_len(stream, segment->seq, segment->len);
	end = real.seq + real.len;
	/* It reaches beyond the skip, which has passed with it. */
	stream->need += (uint32_t)stream->skip;
	stream->skip = 0;
	if (ahead_of(end, stream->end) > 0)
		stream->end = end;
	if (ahead_of(segment->seq, stream->need) <= 0)
		return LP_STREAM_READ;
	return hold(stream, pool, &real) ? LP_STREAM_HELD : LP_STREAM_FULL;
}

bool
lp_stream_agrees(const struct lp_stream *stream,
    const struct lp_held_pool *pool, const struct lp_stream_segment *segment)
{
	uint32_t end = segment->seq + segment->len;
	uint32_t link = stream->held;

	while (link != 0) {
		const struct lp_held *piece = piece_of(pool, link);
		uint32_t from = segment->seq, to = end_of(piece);

		if (ahead_of(piece->seq, from) > 0)
			from = piece->seq;
		if (ahead_of(to, end) > 0)
			to = end;
		if (ahead_of(to, from) > 0 &&
		    memcmp(piece->bytes + (from - piece->seq),
			segment->bytes + (from - segment->seq), to - from) != 0)
			return false;
		link = piece->next;
	}
	return true;
}

bool
lp_stream_read(const struct lp_stream *stream, const struct lp_held_pool *pool,
    const struct lp_stream_segment *segment, struct lp_stream_chunk *chunk)
{
	const struct lp_held *piece = piece_of(pool, stream->held);
	uint32_t len = lp_stream_len(stream, segment->seq, segment->len);
	uint32_t off = stream->need - segment->seq;

	if (stream->state != LP_STREAM_LIVE || stream->skip > 0)
		return false;
	if (piece != NULL && ahead_of(piece->seq, stream->need) <= 0) {
		off = stream->need - piece->seq;
		assert(off < piece->len);
		*chunk = (struct lp_stream_chunk){.bytes = piece->bytes + off,
		    .len = piece->len - off,
		    .was_held = true};
		return true;
	}
	if (off >= len)
		return false;
	*chunk = (struct lp_stream_chunk){
	    .bytes = segment->bytes + off, .len = len - off};
	if (piece != NULL && piece->seq - stream->need < chunk->len)
		chunk->len = piece->seq - stream->need;
	return true;
}

void
lp_stream_advance(struct lp_stream *stream, struct lp_held_pool *pool,
    uint32_t len, uint64_t skip)
{
	uint32_t seen;

	assert(stream->state == LP_STREAM_LIVE);
	assert(len > 0 || skip > 0);
	assert(len <= stream->end - stream->need);
	assert(len == 0 || stream->skip == 0);
	stream->need += len;
	stream->skip += skip;
	seen = stream->end - stream->need;
	if (seen > stream->skip)
		seen = (uint32_t)stream->skip;
	stream->need += seen;
	stream->skip -= seen;
	drop_passed(stream, pool);
}

bool
lp_stream_acknowledged(
    struct lp_stream *stream, struct lp_held_pool *pool, uint32_t ack)
{
	if (stream->state != LP_STREAM_LIVE)
		return true;
	if (stream->has_fin && ack == stream->fin + 1)
		ack--;
	if (ahead_of(ack, stream->need) <= 0 || ahead_of(ack, stream->end) > 0)
		return true;
	/* The byte at need was delivered, and we have not got it. */
	lp_stream_close(stream, pool, LP_STREAM_LOST);
	return false;
}

/* Whether the pieces are a list as one packet or another has left it. */
static bool
is_sound(const struct lp_stream *stream, const struct lp_held_pool *pool)
{
	uint32_t at = stream->need;
	uint32_t link = stream->held;

	if (ahead_of(stream->end, stream->need) < 0 ||
	    (stream->skip > 0 && link != 0))
		return false;
	for (unsigned n = 0; link != 0; n++) {
		const struct lp_held *piece;

		if (n == LP_STREAM_HELD_MAX || link > pool->count ||
		    pool->free[link - 1] != 0)
			return false;
		piece = &pool->pieces[link - 1];
		if (piece->len == 0 || piece->len > LP_HELD_BYTES ||
		    ahead_of(piece->seq, at) < 0)
			return false;
		at = end_of(piece);
		if (ahead_of(at, stream->need) <= 0)
			return false;
		link = piece->next;
	}
	return true;
}

bool
lp_stream_recover(struct lp_stream *stream, struct lp_held_pool *pool)
{
	if (stream->state != LP_STREAM_LIVE || !is_sound(stream, pool)) {
		bool lost = stream->state == LP_STREAM_LIVE;

		stream->held = 0;
		stream->held_count = 0;
		if (lost)
			lp_stream_close(stream, pool, LP_STREAM_LOST);
		return !lost;
	}
	stream->held_count = 0;
	for (uint32_t link = stream->held; link != 0;) {
		const struct lp_held *piece = piece_of(pool, link);

		pool->free[link - 1] = 1;
		stream->held_count++;
		if (ahead_of(end_of(piece), stream->end) > 0)
			stream->end = end_of(piece);
		link = piece->next;
	}
	return true;
}

/* Copies what is not held yet of a segment behind a gap; false: not all. */
static bool
hold(struct lp_stream *stream, struct lp_held_pool *pool,
    const struct lp_stream_segment *segment)
{
	struct lp_stream_segment left = *segment;
	struct lp_held *last = NULL; /* the piece before, and its link */
	uint32_t *link = &stream->held;

	while (left.len > 0) {
		struct lp_held *piece = piece_of(pool, *link);
		struct lp_stream_segment part = left;
		uint32_t done;

		if (piece != NULL && ahead_of(end_of(piece), left.seq) <= 0) {
			last = piece;
			link = &piece->next;
			continue;
		}
		if (piece != NULL && ahead_of(piece->seq, left.seq) <= 0) {
			done = end_of(piece) - left.seq;
		} else {
			if (piece != NULL && piece->seq - left.seq < part.len)
				part.len = piece->seq - left.seq;
			done = place(stream, pool, link, last, &part);
			if (done == 0)
				return false;
		}
		if (done > left.len)
			done = left.len;
		left.bytes += done;
		left.seq += done;
		left.len -= done;
	}
	return true;
}

/*
 * Into the rest of the piece before, or into a new one at that link: as much
 * as has room in it.  0: no piece may be had.
 */
static uint32_t
place(struct lp_stream *stream, struct lp_held_pool *pool, uint32_t *link,
    struct lp_held *last, const struct lp_stream_segment *part)
{
	uint32_t len = part->len;
	uint32_t room = LP_HELD_BYTES;
	uint32_t fresh;

	if (last != NULL && end_of(last) == part->seq && last->len < room) {
		room -= last->len;
		if (len > room)
			len = room;
		lp_undo_save(pool->undo, last, LP_HELD_HEAD);
		memcpy(last->bytes + last->len, part->bytes, len);
		last->len = (uint16_t)(last->len + len);
		return len;
	}
	if (stream->held_count == LP_STREAM_HELD_MAX ||
	    (stream->held_count >= LP_STREAM_HELD_SHARE &&
		lp_held_pool_is_scarce(pool)))
		return 0;
	fresh = lp_held_pool_take(pool);
	if (fresh == 0)
		return 0;
	if (len > room)
		len = room;
	if (last != NULL)
		lp_undo_save(pool->undo, last, LP_HELD_HEAD);
	last = piece_of(pool, fresh);
	last->next = *link;
	last->seq = part->seq;
	last->len = (uint16_t)len;
	memcpy(last->bytes, part->bytes, len);
	*link = fresh;
	stream->held_count++;
	return len;
}

/* Gives back the pieces that lie before need. */
static void
drop_passed(struct lp_stream *stream, struct lp_held_pool *pool)
{
	while (stream->held != 0) {
		const struct lp_held *piece = piece_of(pool, stream->held);

		if (ahead_of(end_of(piece), stream->need) > 0)
			return;
		lp_held_pool_give(pool, stream->held);
		stream->held = piece->next;
		stream->held_count--;
	}
}
