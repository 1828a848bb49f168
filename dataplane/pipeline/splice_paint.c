/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/chain.h"
#include "dataplane/kafka/said.h"
#include "dataplane/pipeline/make.h"
#include "dataplane/pipeline/splice.h"

/* Pieces that bytes of one packet lie in. */
enum { SPANS_MAX = LP_BUFFER_SIZE / LP_HELD_BYTES + 2 };

static void recall(const struct lp_splice_at *, uint32_t, uint8_t *, uint32_t);
static bool overlay(const struct lp_splice_at *, const struct lp_seqmap *,
    uint32_t, uint8_t *, uint32_t);
static void paint(const struct lp_splice_at *, const struct lp_edit *, uint32_t,
    uint8_t *, uint32_t);
static void mark(const struct lp_edit_marks *, uint32_t, uint8_t *, uint32_t);
static void put(uint32_t, uint32_t, uint8_t, uint8_t *, uint32_t);

void
lp_splice_paint(struct lp_splice_at *at, enum lp_direction dir)
{
	const struct lp_seqmap *map = &at->splice->maps[dir];
	uint32_t len = at->pkt->payload_len;
	uint8_t *bytes = at->pkt->data + at->pkt->payload_off;
	uint32_t seq = at->segment.seq;
	bool painted = false;

	if (len == 0 ||
	    (!at->again && !(at->splice->flags & LP_SPLICE_EDITED)) ||
	    (at->segment.flags & (LP_TCP_SYN | LP_TCP_RST)))
		return;
	if ((dir == LP_TO_CLIENT || at->again) &&
	    lp_seq_before(seq, map->floor)) {
		uint32_t below = map->floor - seq;

		memset(bytes, 0, below < len ? below : len);
		painted = true;
	}
	if (at->again) {
		recall(at, seq, bytes, len);
		painted = true;
	}
	painted |= overlay(at, map, seq, bytes, len);
	if (painted)
		lp_make_checksum(at->pkt, LP_PROTO_TCP, LP_TCP_SUM);
}

/* What was judged is what is sent, also if it comes again as another thing. */
static void
recall(
    const struct lp_splice_at *at, uint32_t seq, uint8_t *bytes, uint32_t len)
{
	uint32_t floor = at->splice->maps[LP_TO_BROKER].floor;
	uint32_t below = lp_seq_before(seq, floor) ? floor - seq : 0;

	if (below < len &&
	    lp_said_recall(
		at->kafka, at->index, seq + below, bytes + below, len - below))
		lp_telemetry_count(&at->kafka->telemetry, judged_replaced, 1);
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
		if (!lp_edit_is_painted(edit))
			continue;
		any = true;
		if (!lp_seq_before(from, upto))
			continue;
		if (edit->kind == LP_EDIT_MARK)
			mark(&edit->marks, from - edit->start,
			    bytes + (from - seq), upto - from);
		else
			paint(at, edit, from - edit->start,
			    bytes + (from - seq), upto - from);
	}
	return any;
}

/* Bytes of that edit, from that offset on. */
static void
paint(const struct lp_splice_at *at, const struct lp_edit *edit,
    uint32_t offset, uint8_t *bytes, uint32_t len)
{
	struct lp_span spans[SPANS_MAX];
	unsigned count;

	if (edit->bytes == 0) {
		for (uint32_t i = 0; i < len; i++, offset++)
			bytes[i] = offset < edit->over_len ? edit->over[offset]
							   : edit->fill;
		return;
	}
	count = lp_chain_read(
	    &at->kafka->held, edit->bytes, offset, len, spans, SPANS_MAX);
	for (unsigned i = 0; i < count; i++) {
		memcpy(bytes, spans[i].bytes, spans[i].len);
		bytes += spans[i].len;
		len -= spans[i].len;
	}
	assert(len == 0);
}

/* Bytes from that offset on, between the first mark and the end. */
static void
mark(const struct lp_edit_marks *marks, uint32_t offset, uint8_t *bytes,
    uint32_t len)
{
	uint32_t end = offset + len;
	uint32_t at = marks->count > 1 ? offset / marks->stride : 0;

	for (; at < marks->count && at * marks->stride < end; at++) {
		uint32_t begin = at * marks->stride;
		uint32_t code = begin + marks->code_at;

		if (begin >= offset)
			bytes[begin - offset] =
			    (uint8_t)((bytes[begin - offset] & ~marks->clear) |
				marks->set);
		for (uint32_t i = 0; i < marks->ones; i++)
			put(begin + marks->ones_at + i, offset, 0xff, bytes,
			    len);
		if (marks->code_at == 0)
			continue;
		put(code, offset, (uint8_t)(marks->code >> 8), bytes, len);
		put(code + 1, offset, (uint8_t)marks->code, bytes, len);
	}
}

/* At that place, if it is among the bytes, which begin at the offset. */
static void
put(uint32_t at, uint32_t offset, uint8_t value, uint8_t *bytes, uint32_t len)
{
	if (at >= offset && at - offset < len)
		bytes[at - offset] = value;
}
