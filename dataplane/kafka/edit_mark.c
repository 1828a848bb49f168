/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks: bits of single bytes, and what they need behind them.  A request that
 * names hundreds of partitions has them at equal distances, so those of one
 * frame are one edit where they can be.
 */
#include "dataplane/kafka/edit.h"

/* Between a mark and its code, in the places that hold them. */
enum { CODE_AT_MAX = UINT16_MAX - 2 };

static struct lp_edit *last_marks(
    const struct lp_kafka_at *, enum lp_direction, const struct lp_message *);
static uint32_t last_mark(const struct lp_edit *);
static bool is_alike(const struct lp_edit_marks *, const struct lp_edit_bits *);
static uint32_t bare_end(const struct lp_edit *);
static bool is_complete(const struct lp_edit *);
static bool comes_next(const struct lp_edit *, uint32_t);

void
lp_edit_mark(struct lp_kafka_at *at, enum lp_direction dir,
    const struct lp_message *message, const struct lp_edit_bits *bits)
{
	uint32_t seq = message->seq + bits->at;
	struct lp_edit *edit = last_marks(at, dir, message);

	if (dir == LP_TO_BROKER)
		at->splice->flags |= LP_SPLICE_MARKED;
	if (edit != NULL && is_alike(&edit->marks, bits) && is_complete(edit) &&
	    comes_next(edit, seq)) {
		lp_edit_save(at->kafka, edit);
		edit->marks.stride = seq - last_mark(edit);
		edit->marks.count++;
	} else {
		edit = lp_edit_add(at, dir, LP_EDIT_MARK, seq);
		if (edit == NULL)
			return;
		edit->marks = (struct lp_edit_marks){.count = 1,
		    .clear = bits->clear,
		    .set = bits->set,
		    .code = bits->code,
		    .ones_at = bits->ones_at,
		    .ones = bits->ones};
	}
	edit->old_len = bare_end(edit) - edit->start;
	edit->new_len = edit->old_len;
}

void
lp_edit_mark_code(struct lp_kafka_at *at, const struct lp_message *message,
    uint32_t where, uint16_t code)
{
	uint32_t seq = message->seq + where;
	struct lp_edit *edit = last_marks(at, LP_TO_CLIENT, message);
	const struct lp_overlay over = {.at = where,
	    .len = 2,
	    .over_len = 2,
	    .over = {(uint8_t)(code >> 8), (uint8_t)code}};
	uint32_t code_at;

	if (edit != NULL && edit->marks.code == code &&
	    lp_edit_end(edit) == bare_end(edit)) {
		code_at = seq - last_mark(edit);
		if (code_at <= CODE_AT_MAX &&
		    (edit->marks.count == 1 ||
			edit->marks.code_at == code_at)) {
			lp_edit_save(at->kafka, edit);
			edit->marks.code_at = (uint16_t)code_at;
			edit->old_len = seq + 2 - edit->start;
			edit->new_len = edit->old_len;
			return;
		}
	}
	lp_edit_overlay(at, LP_TO_CLIENT, message->seq, &over);
}

/* The last edit of that stream, if it is of marks in this frame. */
static struct lp_edit *
last_marks(const struct lp_kafka_at *at, enum lp_direction dir,
    const struct lp_message *message)
{
	uint32_t link = at->splice->maps[dir].last;
	struct lp_edit *edit =
	    link != 0 ? &at->kafka->state->edits[link - 1] : NULL;

	return edit != NULL && edit->kind == LP_EDIT_MARK &&
		(int32_t)(edit->start - message->seq) >= 0
	    ? edit
	    : NULL;
}

static uint32_t
last_mark(const struct lp_edit *edit)
{
	return edit->start + (edit->marks.count - 1) * edit->marks.stride;
}

static bool
is_alike(const struct lp_edit_marks *marks, const struct lp_edit_bits *bits)
{
	return marks->clear == bits->clear && marks->set == bits->set &&
	    marks->code == bits->code && marks->ones_at == bits->ones_at &&
	    marks->ones == bits->ones;
}

/* Of the last mark, without its code. */
static uint32_t
bare_end(const struct lp_edit *edit)
{
	const struct lp_edit_marks *marks = &edit->marks;

	return last_mark(edit) +
	    (marks->ones != 0 ? marks->ones_at + (uint32_t)marks->ones : 1u);
}

/* None of its marks lacks its code, or none has one. */
static bool
is_complete(const struct lp_edit *edit)
{
	return lp_edit_end(edit) ==
	    (edit->marks.code_at != 0
		    ? last_mark(edit) + edit->marks.code_at + 2u
		    : bare_end(edit));
}

/* Two marks may be at any distance, the others are at the same. */
static bool
comes_next(const struct lp_edit *edit, uint32_t seq)
{
	return edit->marks.count == 1 ||
	    seq == last_mark(edit) + edit->marks.stride;
}
