/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/readdress.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_LEN = 4, HEAD = 8, NODES = 10 };

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

bool
readdress_find_pattern(void *arg, int32_t node_id, struct lp_advertised *out)
{
	if (!readdress_find(arg, node_id, out))
		return false;
	out->host = ".k";
	out->host_len = 2;
	out->is_pattern = true;
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
keep(struct readdress_run *run, const struct facts_frame *frame, uint32_t from,
    const struct lp_held_pool *pool, const struct lp_chain *chain)
{
	struct lp_span spans[READDRESS_PIECES];
	uint32_t tail = frame->len - from - run->done.old_len;
	unsigned count = lp_chain_read(
	    pool, chain->first, 0, chain->len, spans, READDRESS_PIECES);

	assert(run->done.new_len == chain->len);
	run->bytes = malloc(from + chain->len + tail);
	assert(run->bytes != NULL);
	memcpy(run->bytes, frame->bytes, from);
	run->len = from;
	for (unsigned i = 0; i < count; i++) {
		memcpy(run->bytes + run->len, spans[i].bytes, spans[i].len);
		run->len += spans[i].len;
	}
	assert(run->len == from + chain->len);
	memcpy(run->bytes + run->len, frame->bytes + frame->len - tail, tail);
	run->len += tail;
}

/* From `from` on, with a border at each of the cuts behind it. */
static void
run_from(struct readdress_run *run, const struct facts_frame *frame,
    struct lp_readdress *how, uint32_t from, const uint32_t cuts[],
    unsigned count, unsigned pieces)
{
	static struct lp_held held[READDRESS_PIECES];
	static uint32_t free_ones[READDRESS_PIECES];
	struct lp_span *spans = calloc(count + 1, sizeof(*spans));
	struct lp_held_pool pool;
	struct lp_chain chain = {0};
	uint32_t at = from;

	assert(spans != NULL && pieces <= READDRESS_PIECES);
	how->spans = spans;
	how->span_count = count + 1;
	for (unsigned i = 0; i <= count; i++) {
		uint32_t end = i < count ? cuts[i] : frame->len;
		uint8_t *copy;

		if (end < from)
			end = from;
		copy = malloc(end - at + 1);
		assert(copy != NULL && end >= at);
		/* A byte in front, so that none is empty. */
		memcpy(copy + 1, frame->bytes + at, end - at);
		spans[i] = (struct lp_span){.bytes = copy + 1, .len = end - at};
		at = end;
	}
	lp_held_pool_init(&pool, held, free_ones, pieces);
	*run = (struct readdress_run){0};
	run->result = lp_readdress_run(&pool, how, &chain, &run->done);
	if (run->result == LP_READDRESS_DONE) {
		assert(how->mark != NULL ||
		    watch(frame, spans, count + 1) == run->done.old_len);
		keep(run, frame, from, &pool, &chain);
		lp_chain_free(&pool, &chain);
	}
	assert(chain.first == 0 && chain.len == 0);
	assert(pool.free_count == pieces);
	for (unsigned i = 0; i <= count; i++)
		free((uint8_t *)spans[i].bytes - 1);
	free(spans);
}

void
readdress_run(struct readdress_run *run, const struct facts_frame *frame,
    const uint32_t cuts[], unsigned count, unsigned pieces)
{
	struct lp_readdress how = {.key = frame->key,
	    .version = frame->version,
	    .find = readdress_find};

	run_from(run, frame, &how, 0, cuts, count, pieces);
}

/* Where hints begin; false: there are none. */
static bool
find_mark(const struct facts_frame *frame, struct lp_readdress_mark *mark)
{
	struct lp_cursor in = {
	    .at = frame->bytes + HEAD, .end = frame->bytes + frame->len};
	struct lp_walk walk;
	struct lp_fact fact;

	lp_walk_response(
	    &walk, frame->key, frame->version, frame->len - SIZE_LEN);
	while (lp_walk_next(&walk, &in, &fact) == LP_WALK_FACT) {
		if (fact.kind == LP_FACT_HIDDEN_TAG)
			mark->at = fact.at + fact.width - 1;
		else if (fact.kind == LP_FACT_HIDDEN_ARRAY && fact.value > 1)
			mark->at = fact.at;
		else
			continue;
		lp_walk_set_mark(&walk, &mark->walk);
		return true;
	}
	return false;
}

bool
readdress_run_hints(struct readdress_run *run, const struct facts_frame *frame,
    const uint32_t cuts[], unsigned count)
{
	struct lp_readdress_mark mark;
	struct lp_readdress how = {.key = frame->key,
	    .version = frame->version,
	    .mark = &mark,
	    .find = readdress_find_pattern};

	if (!find_mark(frame, &mark))
		return false;
	run_from(run, frame, &how, mark.at, cuts, count, READDRESS_PIECES);
	assert(run->result != LP_READDRESS_DONE ||
	    run->done.old_len == run->done.new_len);
	return true;
}

void
readdress_free(struct readdress_run *run)
{
	free(run->bytes);
	*run = (struct readdress_run){0};
}
