/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an open edit becomes.
 *
 * Of as many bytes as there were, and none of them held, it is one that keeps
 * its length: the segment goes on with other bytes in it.  What was held has
 * been acknowledged to the broker and does not come again, so it leaves in
 * segments of our own, whatever its length.
 */
#include "dataplane/kafka/edit.h"

#include <string.h>

#include "dataplane/kafka/account.h"

/* Pieces, and the segment at hand. */
enum { SPANS_MAX = LP_EDIT_PIECES + 1 };

/* The old bytes of the edit that is open, up to some place. */
struct old_bytes {
	struct lp_edit *edit;
	struct lp_span spans[SPANS_MAX];
	unsigned count;
	uint32_t fresh; /* of them, in the segment at hand */
};

static void read_old(
    const struct lp_kafka_at *, uint32_t end, struct old_bytes *);
static bool find(void *, int32_t, struct lp_advertised *);
static bool keep_rest(
    struct lp_held_pool *, const struct lp_edit *, uint32_t, struct lp_chain *);
static bool append_hidden(struct lp_held_pool *, const struct lp_hints *,
    const struct old_bytes *, struct lp_chain *);
static bool paint(struct lp_held_pool *, const struct lp_overlay *, uint32_t,
    struct lp_chain *);
static void hide_rest(
    struct lp_kafka_at *, const struct lp_message *, uint32_t);
static void put(
    struct lp_kafka_at *, const struct old_bytes *, const struct lp_chain *);
static void fail(struct lp_kafka_at *, struct lp_chain *);

/* What is held behind the end, because a fact came late, goes along as it is.
 */
void
lp_edit_make_list(
    struct lp_kafka_at *at, struct lp_message *message, uint32_t end)
{
	struct lp_held_pool *pool = &at->kafka->held;
	struct lp_readdress how = {.key = message->key,
	    .version = message->version,
	    .find = find,
	    .arg = at};
	enum lp_readdress_result result;
	struct lp_readdress_done done;
	struct lp_chain chain = {0};
	struct old_bytes old;

	read_old(at, end, &old);
	how.spans = old.spans;
	how.span_count = old.count;
	if (message->is_hinting)
		how.mark = &message->hints.mark;
	result = lp_readdress_run(pool, &how, &chain, &done);
	if (result == LP_READDRESS_UNEQUAL) {
		lp_edit_make_hidden(at, message, end);
		return;
	}
	message->is_hinting = false;
	if (result != LP_READDRESS_DONE ||
	    !keep_rest(pool, old.edit, done.old_len, &chain)) {
		fail(at, &chain);
		return;
	}
	if (done.changed == 0 && old.edit->bytes == 0) {
		/* All of it is in this segment, and leaves as it came. */
		lp_chain_free(pool, &chain);
		lp_edit_make_same(at, old.edit);
		return;
	}
	put(at, &old, &chain);
	lp_telemetry_count(&at->kafka->telemetry, responses_rewritten, 1);
	lp_telemetry_count(
	    &at->kafka->telemetry, addresses_rewritten, done.changed);
}

void
lp_edit_make_hidden(
    struct lp_kafka_at *at, struct lp_message *message, uint32_t end)
{
	const struct lp_hints *hints = &message->hints;
	struct lp_chain chain = {0};
	struct old_bytes old;

	read_old(at, end, &old);
	message->is_hinting = false;
	if (!append_hidden(&at->kafka->held, hints, &old, &chain)) {
		fail(at, &chain);
		return;
	}
	put(at, &old, &chain);
	hide_rest(at, message, lp_edit_end(old.edit) - message->seq);
	lp_telemetry_count(
	    &at->kafka->telemetry, overlays, hints->rest.len > 0 ? 2 : 1);
}

void
lp_edit_make_same(const struct lp_kafka_at *at, struct lp_edit *edit)
{
	lp_edit_save(at->kafka, edit);
	edit->kind = LP_EDIT_RESIZE;
	edit->new_len = edit->old_len;
	edit->sent = 0;
}

/* Held ones, and those of the segment. */
static void
read_old(const struct lp_kafka_at *at, uint32_t end, struct old_bytes *old)
{
	const struct lp_edit *edit = lp_edit_open(at);
	uint32_t have = lp_edit_end(edit);

	old->edit = lp_edit_open(at);
	old->fresh = (int32_t)(end - have) > 0 ? end - have : 0;
	old->count = lp_chain_read(&at->kafka->held, edit->bytes, 0,
	    edit->old_len, old->spans, LP_EDIT_PIECES);
	if (old->fresh > 0)
		old->spans[old->count++] = (struct lp_span){
		    .bytes = at->segment->bytes + (have - at->segment->seq),
		    .len = old->fresh};
}

static bool
find(void *arg, int32_t node_id, struct lp_advertised *out)
{
	const struct lp_kafka_at *at = arg;

	if (!lp_snapshot_advertised(
		at->snapshot, at->tcp->listener_id, node_id, out))
		return false;
	if (!out->known)
		lp_telemetry_count(&at->kafka->telemetry, nodes_unknown, 1);
	return true;
}

/* What is held from that offset on. */
static bool
keep_rest(struct lp_held_pool *pool, const struct lp_edit *edit, uint32_t from,
    struct lp_chain *chain)
{
	struct lp_span spans[LP_EDIT_PIECES];
	unsigned count;

	if (from >= edit->old_len)
		return true;
	count = lp_chain_read(pool, edit->bytes, from, edit->old_len - from,
	    spans, LP_EDIT_PIECES);
	for (unsigned i = 0; i < count; i++)
		if (!lp_chain_append(pool, chain, spans[i].bytes, spans[i].len))
			return false;
	return true;
}

/* Of a tag its number and its value are others; its size is not. */
static bool
append_hidden(struct lp_held_pool *pool, const struct lp_hints *hints,
    const struct old_bytes *old, struct lp_chain *chain)
{
	uint32_t len = old->edit->old_len + old->fresh;
	uint32_t from = hints->first.len, upto = hints->rest.at;

	if (!paint(pool, &hints->first, len, chain))
		return false;
	if (hints->rest.len == 0)
		return true;
	upto -= hints->first.at;
	for (unsigned i = 0, at = 0; i < old->count && at < upto; i++) {
		uint32_t end = at + old->spans[i].len;

		if (end > upto)
			end = upto;
		if (from < end &&
		    !lp_chain_append(pool, chain,
			old->spans[i].bytes + (from - at), end - from))
			return false;
		if (from < end)
			from = end;
		at = end;
	}
	return paint(pool, &hints->rest, len - upto, chain);
}

/* The overlay, or so many bytes of it. */
static bool
paint(struct lp_held_pool *pool, const struct lp_overlay *over, uint32_t len,
    struct lp_chain *chain)
{
	uint8_t bytes[LP_OVERLAY_BYTES];
	uint32_t done = over->over_len;

	if (len > over->len)
		len = over->len;
	if (done > len)
		done = len;
	if (!lp_chain_append(pool, chain, over->over, done))
		return false;
	memset(bytes, over->fill, sizeof(bytes));
	for (uint32_t part; done < len; done += part) {
		part = len - done;
		if (part > sizeof(bytes))
			part = sizeof(bytes);
		if (!lp_chain_append(pool, chain, bytes, part))
			return false;
	}
	return true;
}

/* What is still to come of them, from that place of the frame on. */
static void
hide_rest(struct lp_kafka_at *at, const struct lp_message *message, uint32_t to)
{
	const struct lp_hints *hints = &message->hints;
	struct lp_overlay over =
	    hints->rest.len > 0 ? hints->rest : hints->first;
	uint32_t done = to - over.at;

	assert(to >= over.at && over.over_len <= done);
	if (done >= over.len)
		return;
	over.at += done;
	over.len -= done;
	over.over_len = 0;
	lp_edit_overlay(at, LP_TO_CLIENT, message->seq, &over);
}

/* Other bytes in the place of the old ones, all of which are here. */
static void
put(struct lp_kafka_at *at, const struct old_bytes *old,
    const struct lp_chain *chain)
{
	struct lp_edit *edit = old->edit;
	struct lp_chain held = {.first = edit->bytes};

	lp_edit_save(at->kafka, edit);
	edit->old_len += old->fresh;
	edit->new_len = chain->len;
	edit->kind = held.first == 0 && edit->new_len == edit->old_len
	    ? LP_EDIT_OVER
	    : LP_EDIT_RESIZE;
	edit->bytes = chain->first;
	edit->sent = 0;
	lp_chain_free(&at->kafka->held, &held);
}

/* The old bytes stay with the edit until the connection is over. */
static void
fail(struct lp_kafka_at *at, struct lp_chain *chain)
{
	lp_chain_free(&at->kafka->held, chain);
	lp_edit_break(at->kafka, at->index,
	    &at->kafka->telemetry.stats->counters.rewrite_unreadable);
}
