/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/chain.h"

#include <assert.h>
#include <string.h>

static struct lp_held *
piece_at(const struct lp_held_pool *pool, uint32_t link)
{
	assert(link > 0 && link <= pool->count);
	return &pool->pieces[link - 1];
}

/* The piece that has room; NULL: none is free. */
static struct lp_held *
last_with_room(struct lp_held_pool *pool, struct lp_chain *chain)
{
	struct lp_held *last = NULL, *piece;
	uint32_t link;

	if (chain->last != 0) {
		last = piece_at(pool, chain->last);
		if (last->len < LP_HELD_BYTES)
			return last;
	}
	link = lp_held_pool_take(pool);
	if (link == 0)
		return NULL;
	piece = piece_at(pool, link);
	piece->next = 0;
	piece->seq = 0;
	piece->len = 0;
	if (last == NULL)
		chain->first = link;
	else
		last->next = link;
	chain->last = link;
	return piece;
}

bool
lp_chain_append(struct lp_held_pool *pool, struct lp_chain *chain,
    const void *bytes, uint32_t len)
{
	const uint8_t *from = bytes;

	while (len > 0) {
		struct lp_held *piece = last_with_room(pool, chain);
		uint32_t part;

		if (piece == NULL)
			return false;
		part = (uint32_t)LP_HELD_BYTES - piece->len;
		if (part > len)
			part = len;
		memcpy(piece->bytes + piece->len, from, part);
		piece->len = (uint16_t)(piece->len + part);
		chain->len += part;
		from += part;
		len -= part;
	}
	return true;
}

void
lp_chain_free(struct lp_held_pool *pool, struct lp_chain *chain)
{
	uint32_t link = chain->first;

	while (link != 0) {
		uint32_t next = piece_at(pool, link)->next;

		lp_held_pool_give(pool, link);
		link = next;
	}
	*chain = (struct lp_chain){0};
}

unsigned
lp_chain_read(const struct lp_held_pool *pool, uint32_t first, uint32_t offset,
    uint32_t len, struct lp_span spans[], unsigned max)
{
	unsigned count = 0;

	for (uint32_t link = first; link != 0 && len > 0 && count < max;) {
		const struct lp_held *piece = piece_at(pool, link);

		link = piece->next;
		if (offset >= piece->len) {
			offset -= piece->len;
			continue;
		}
		spans[count].bytes = piece->bytes + offset;
		spans[count].len = piece->len - offset;
		if (spans[count].len > len)
			spans[count].len = len;
		len -= spans[count++].len;
		offset = 0;
	}
	return count;
}
