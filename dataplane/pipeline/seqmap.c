/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/seqmap.h"

#include <assert.h>

/* How far a lies behind b: negative, before it.  RFC 1982. */
static inline int32_t
behind(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

uint32_t
lp_seqmap_out(
    const struct lp_seqmap *map, const struct lp_edit *edits, uint32_t at)
{
	uint32_t delta = map->delta;

	for (uint32_t link = map->first; link != 0;) {
		const struct lp_edit *edit = &edits[link - 1];

		if (behind(at, edit->start) <= 0)
			break;
		if (behind(at, lp_edit_end(edit)) < 0 ||
		    edit->kind == LP_EDIT_OPEN)
			return lp_edit_is_even(edit) ? at + delta
						     : edit->start + delta;
		delta += edit->new_len - edit->old_len;
		link = edit->next;
	}
	return at + delta;
}

uint32_t
lp_seqmap_back(const struct lp_seqmap *map, const struct lp_edit *edits,
    uint32_t at, uint32_t limit)
{
	uint32_t delta = map->delta;
	uint32_t back;

	for (uint32_t link = map->first; link != 0;) {
		const struct lp_edit *edit = &edits[link - 1];
		uint32_t start = edit->start + delta;

		if (behind(at, start) < 0)
			break;
		if (edit->kind == LP_EDIT_OPEN)
			return lp_edit_end(edit);
		if (behind(at, start + edit->new_len) < 0) {
			if (lp_edit_is_even(edit))
				break;
			return lp_edit_end(edit) - 1;
		}
		delta += edit->new_len - edit->old_len;
		link = edit->next;
	}
	back = at - delta;
	return behind(back, limit) > 0 ? limit : back;
}

uint32_t
lp_seqmap_find(
    const struct lp_seqmap *map, const struct lp_edit *edits, uint32_t at)
{
	uint32_t link = map->first;

	while (link != 0 && edits[link - 1].kind != LP_EDIT_OPEN &&
	    behind(lp_edit_end(&edits[link - 1]), at) <= 0)
		link = edits[link - 1].next;
	return link;
}

void
lp_seqmap_insert(struct lp_seqmap *map, struct lp_edit *edits, uint32_t before,
    uint32_t index)
{
	uint32_t *link = before != 0 ? &edits[before - 1].next : &map->first;

	assert(before == 0 ||
	    (edits[before - 1].kind != LP_EDIT_OPEN &&
		behind(edits[index].start, lp_edit_end(&edits[before - 1])) >=
		    0));
	edits[index].next = *link;
	*link = index + 1;
	if (edits[index].next == 0)
		map->last = index + 1;
	map->count++;
}

uint32_t
lp_seqmap_melt(struct lp_seqmap *map, struct lp_edit *edits, uint32_t at)
{
	uint32_t link = map->first;
	struct lp_edit *edit = link != 0 ? &edits[link - 1] : NULL;
	uint32_t end;

	if (edit == NULL || edit->kind == LP_EDIT_OPEN ||
	    behind(at,
		lp_edit_end(edit) + map->delta + edit->new_len -
		    edit->old_len) < 0) {
		/* Up to the first edit all positions are their own. */
		end = at - map->delta;
		if (edit != NULL && behind(end, edit->start) > 0)
			end = edit->start;
		if (behind(end, map->floor) > 0)
			map->floor = end;
		return 0;
	}
	map->delta += edit->new_len - edit->old_len;
	map->floor = lp_edit_end(edit);
	map->first = edit->next;
	if (map->first == 0)
		map->last = 0;
	map->count--;
	return link;
}
