/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/readdress.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 8, NODES = 10 };

#define NAME "advertised-.0123456789.abcdefghijklmnopqrstuvwxyz."

/* Names of different lengths, on both sides of a longer varint. */
static const uint8_t lengths[NODES] = {1, 10, 8, 253, 126, 127, 128, 7, 60};

bool
readdress_find(void *arg, int32_t node_id, struct lp_advertised *out)
{
	/* Edited.java has the same. */
	static const char name[] = NAME NAME NAME NAME NAME NAME;
	unsigned node = (unsigned)node_id % NODES;

	(void)arg;
	assert(node_id >= 0);
	if (lengths[node] == 0)
		return false;
	*out = (struct lp_advertised){.host = name,
	    .host_len = lengths[node],
	    .known = true,
	    .port = (uint16_t)(40000 + node)};
	return true;
}

/* Where the last address ends, as the facts told it; 0: they did not. */
static uint32_t
watch(const struct facts_frame *frame, const struct lp_span spans[],
    unsigned count)
{
	struct lp_readdress_watch watch = {0};
	struct lp_walk walk;
	uint32_t size, head = HEAD, end;
	struct lp_fact fact;
	enum lp_walk_result result = LP_WALK_MORE;

	memcpy(&size, frame->bytes, sizeof(size));
	lp_walk_response(&walk, frame->key, frame->version, be32toh(size));
	for (unsigned i = 0; i < count && result == LP_WALK_MORE; i++) {
		uint32_t skip = head < spans[i].len ? head : spans[i].len;
		struct lp_cursor in = {.at = spans[i].bytes + skip,
		    .end = spans[i].bytes + spans[i].len};

		head -= skip;
		if (head > 0)
			continue;
		while ((result = lp_walk_next(&walk, &in, &fact)) ==
		    LP_WALK_FACT) {
			end = lp_readdress_watch_fact(&watch, &fact);
			if (end > 0)
				return end;
		}
	}
	return result == LP_WALK_DONE ? walk.at : 0;
}

static void
keep(struct readdress_run *run, const struct facts_frame *frame,
    const struct lp_held_pool *pool, const struct lp_chain *chain)
{
	struct lp_span spans[READDRESS_PIECES];
	uint32_t tail = frame->len - run->done.old_len;
	unsigned count = lp_chain_read(
	    pool, chain->first, 0, chain->len, spans, READDRESS_PIECES);

	assert(run->done.new_len == chain->len);
	run->bytes = malloc(chain->len + tail);
	assert(run->bytes != NULL);
	for (unsigned i = 0; i < count; i++) {
		memcpy(run->bytes + run->len, spans[i].bytes, spans[i].len);
		run->len += spans[i].len;
	}
	assert(run->len == chain->len);
	memcpy(run->bytes + run->len, frame->bytes + run->done.old_len, tail);
	run->len += tail;
}

void
readdress_run(struct readdress_run *run, const struct facts_frame *frame,
    const uint32_t cuts[], unsigned count, unsigned pieces)
{
	static struct lp_held held[READDRESS_PIECES];
	static uint32_t free_ones[READDRESS_PIECES];
	struct lp_span *spans = calloc(count + 1, sizeof(*spans));
	struct lp_readdress how = {.key = frame->key,
	    .version = frame->version,
	    .spans = spans,
	    .span_count = count + 1,
	    .find = readdress_find};
	struct lp_held_pool pool;
	struct lp_chain chain = {0};
	uint32_t at = 0;

	assert(spans != NULL && pieces <= READDRESS_PIECES);
	for (unsigned i = 0; i <= count; i++) {
		uint32_t end = i < count ? cuts[i] : frame->len;
		uint8_t *copy = malloc(end - at + 1);

		assert(copy != NULL && end >= at);
		/* A byte in front, so that none is empty. */
		memcpy(copy + 1, frame->bytes + at, end - at);
		spans[i] = (struct lp_span){.bytes = copy + 1, .len = end - at};
		at = end;
	}
	lp_held_pool_init(&pool, held, free_ones, pieces);
	*run = (struct readdress_run){0};
	run->result = lp_readdress_run(&pool, &how, &chain, &run->done);
	if (run->result == LP_READDRESS_DONE) {
		assert(watch(frame, spans, count + 1) == run->done.old_len);
		keep(run, frame, &pool, &chain);
		lp_chain_free(&pool, &chain);
	}
	assert(chain.first == 0 && chain.len == 0);
	assert(pool.free_count == pieces);
	for (unsigned i = 0; i <= count; i++)
		free((uint8_t *)spans[i].bytes - 1);
	free(spans);
}

void
readdress_free(struct readdress_run *run)
{
	free(run->bytes);
	*run = (struct readdress_run){0};
}
