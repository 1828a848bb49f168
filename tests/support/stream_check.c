/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/stream_check.h"

#include "tests/support/ensure.h"

void
stream_check(const struct lp_stream *stream, const struct lp_held_pool *pool,
    bool between)
{
	unsigned count = 0;
	uint32_t at = stream->need;

	for (uint32_t link = stream->held; link != 0; count++) {
		const struct lp_held *piece;

		ensure(link <= pool->count && count < LP_STREAM_HELD_MAX,
		    "the list of pieces does not end");
		piece = &pool->pieces[link - 1];
		ensure(piece->len > 0 && piece->len <= LP_HELD_BYTES,
		    "a piece of %u bytes", piece->len);
		/* The first one may have been begun. */
		ensure(
		    (int32_t)(piece->seq - at) >= 0 || (count == 0 && !between),
		    "pieces overlap");
		ensure(!between || piece->seq != stream->need,
		    "what is held could have been read");
		at = piece->seq + piece->len;
		ensure((int32_t)(at - stream->need) > 0, "an old piece");
		ensure((int32_t)(stream->end - at) >= 0, "a piece behind all");
		link = piece->next;
	}
	ensure(count == stream->held_count, "%u pieces, not %u", count,
	    stream->held_count);
	ensure(pool->free_count + pool->pending + count == pool->count,
	    "%u free and %u held of %u pieces", pool->free_count, count,
	    pool->count);
	ensure((int32_t)(stream->end - stream->need) >= 0, "need is behind");
	ensure(stream->skip == 0 || stream->need == stream->end,
	    "a skip that has not passed");
	ensure(stream->state == LP_STREAM_LIVE ||
		(stream->skip == 0 && count == 0),
	    "it wants or holds something and does not live");
}
