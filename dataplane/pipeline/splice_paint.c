/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/make.h"
#include "dataplane/pipeline/splice.h"

static bool overlay(const struct lp_splice_at *, const struct lp_seqmap *,
    uint32_t, uint8_t *, uint32_t);

void
lp_splice_paint(struct lp_splice_at *at, enum lp_direction dir)
{
	const struct lp_seqmap *map = &at->splice->maps[dir];
	uint32_t len = at->pkt->payload_len;
	uint8_t *bytes = at->pkt->data + at->pkt->payload_off;
	uint32_t seq = at->segment.seq;
	bool painted = false;

	if (len == 0 || !(at->splice->flags & LP_SPLICE_EDITED) ||
	    (at->segment.flags & (LP_TCP_SYN | LP_TCP_RST)))
		return;
	if (dir == LP_TO_CLIENT && lp_seq_before(seq, map->floor)) {
		uint32_t below = map->floor - seq;

		memset(bytes, 0, below < len ? below : len);
		painted = true;
	}
	painted |= overlay(at, map, seq, bytes, len);
	if (painted)
		lp_make_checksum(at->pkt, LP_PROTO_TCP, LP_TCP_SUM);
}

/* The edits that keep their length, of bytes at that position; any? */
static bool
overlay(const struct lp_splice_at *at, const struct lp_seqmap *map,
    uint32_t seq, uint8_t *bytes, uint32_t len)
{
	uint32_t end = seq + len;
	bool any = false;

	for (uint32_t link = lp_seqmap_find(map, at->edits, seq); link != 0;) {
		const struct lp_edit *edit = &at->edits[link - 1];
		uint32_t from = lp_seq_max(seq, edit->start);
		uint32_t upto = lp_edit_end(edit);

		if (!lp_seq_before(edit->start, end))
			break;
		if (lp_seq_before(end, upto))
			upto = end;
		link = edit->next;
		if (edit->kind != LP_EDIT_OVER)
			continue;
		for (; lp_seq_before(from, upto); from++) {
			uint32_t off = from - edit->start;

			bytes[from - seq] =
			    off < edit->over_len ? edit->over[off] : edit->fill;
		}
		any = true;
	}
	return any;
}
