/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams against a plain model: a string of bytes, a reader who wants some of
 * them, and a receiver that has got some.
 *
 * Each seed is another string, cut, reordered, repeated and sent in other cuts
 * again; some of it passes us by.  What is read must be the wanted bytes, and
 * a loss must be told at the first acknowledgement that proves it, and only
 * then.  LP_TEST_SEED=N runs one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kafka/stream.h"
#include "tests/support/ensure.h"
#include "tests/support/random.h"
#include "tests/support/stream_check.h"

enum {
	SEEDS = 30000,
	BYTES_MAX = 40000,
	PIECES_MAX = 2 * LP_STREAM_HELD_MAX,
	SEGMENT_MAX = 9000, /* also those that need several pieces */
	STEPS_MAX = 100000,
};

struct model {
	uint64_t random;
	uint8_t bytes[BYTES_MAX];
	bool received[BYTES_MAX]; /* by the other end */
	uint32_t size;
	uint32_t base; /* sequence number of byte 0 */
	uint32_t window; /* how far ahead of what is received is sent */
	uint32_t segment_max;
	unsigned unseen_percent; /* passes us by */
	uint32_t got; /* all before are received */
	uint32_t highest; /* end of what was offered */

	/* The reader: heads of so many bytes, then so many to skip. */
	uint32_t head_max, skip_max;
	uint32_t head_left;
	uint32_t skip_next;
	uint32_t at; /* position of its next byte */
	bool slow; /* reads a byte at a time */

	unsigned seeds, lost, full; /* that it has happened in */
	bool is_full;

	struct lp_stream stream;
	struct lp_held_pool pool;
	struct lp_held pieces[PIECES_MAX];
	uint32_t free[PIECES_MAX];
};

static uint32_t
below(struct model *model, uint32_t high)
{
	return random_between(&model->random, 0, high);
}

static void
draw_frame(struct model *model)
{
	model->head_left = random_between(&model->random, 1, model->head_max);
	model->skip_next = random_percent(&model->random, 20)
	    ? 0
	    : random_between(&model->random, 0, model->skip_max);
}

static void
begin(struct model *model, uint64_t seed)
{
	static const uint32_t heads[] = {1, 8, 100, 5000};
	static const uint32_t skips[] = {0, 10, 2000, BYTES_MAX};
	static const uint32_t windows[] = {0, 3000, 20000, BYTES_MAX};
	static const uint32_t segments[] = {1, 20, 1460, SEGMENT_MAX};

	model->got = model->highest = model->at = 0;
	model->is_full = false;
	memset(model->received, false, sizeof(model->received));
	memset(&model->stream, 0, sizeof(model->stream));
	model->random = seed;
	model->segment_max = segments[below(model, 3)];
	model->size = 1 +
	    below(model,
		model->segment_max < 100 || below(model, 3) ? 2000
							    : BYTES_MAX - 1);
	model->window = windows[below(model, 3)];
	model->head_max = heads[below(model, 3)];
	model->skip_max = skips[below(model, 3)];
	model->unseen_percent = below(model, 3) == 0 ? below(model, 5) : 0;
	model->base = (uint32_t)random_next(&model->random);
	if (below(model, 1))
		model->base = -below(model, model->size);
	model->slow = below(model, 9) == 0;
	for (uint32_t i = 0; i < model->size; i++)
		model->bytes[i] = random_byte(seed, i);
	draw_frame(model);
	lp_held_pool_init(&model->pool, model->pieces, model->free,
	    below(model, 1) ? (uint32_t)PIECES_MAX >> below(model, 3)
			    : below(model, 5));
	lp_stream_open(&model->stream, model->base);
}

static void
read_all(struct model *model, const struct lp_stream_segment *segment)
{
	struct lp_stream *stream = &model->stream;
	struct lp_stream_chunk chunk;

	while (lp_stream_read(stream, &model->pool, segment, &chunk)) {
		uint32_t len = chunk.len, skip = 0;

		ensure(len > 0 && len <= model->size - model->at,
		    "a chunk of %u at %u of %u", len, model->at, model->size);
		ensure(memcmp(chunk.bytes, model->bytes + model->at, len) == 0,
		    "other bytes at %u", model->at);
		ensure(chunk.was_held ||
			(chunk.bytes >= segment->bytes &&
			    chunk.bytes + len <= segment->bytes + segment->len),
		    "bytes from nowhere");
		if (len > model->head_left)
			len = model->head_left;
		if (model->slow)
			len = 1;
		model->head_left -= len;
		model->at += len;
		if (model->head_left == 0) {
			skip = model->skip_next;
			model->at += skip;
			draw_frame(model);
		}
		lp_stream_advance(stream, &model->pool, len, skip);
		stream_check(stream, &model->pool, false);
	}
	stream_check(stream, &model->pool, true);
}

/* The first byte that the reader still wants, or the size. */
static uint32_t
wants_next(const struct model *model)
{
	return model->at < model->size ? model->at : model->size;
}

static void
offer(struct model *model, uint32_t from, uint32_t len)
{
	struct lp_stream *stream = &model->stream;
	struct lp_stream_segment segment = {.bytes = model->bytes + from,
	    .seq = model->base + from,
	    .len = len};
	bool live = stream->state == LP_STREAM_LIVE;
	bool wants = lp_stream_wants(stream, segment.seq, len);
	uint32_t next = wants_next(model);
	enum lp_stream_offer result =
	    lp_stream_offer(stream, &model->pool, &segment);

	ensure(
	    wants == (result != LP_STREAM_NOTHING), "it has wanted: %d", wants);
	if (live && len > 0 && from + len > model->highest)
		model->highest = from + len;
	/* A skip may already have passed by another segment. */
	if (live && from <= next && from + len > next)
		ensure(result == LP_STREAM_READ, "not read: %d", result);
	if (from + len <= next)
		ensure(
		    result == LP_STREAM_NOTHING, "old or skipped: %d", result);
	model->is_full = model->is_full || result == LP_STREAM_FULL;
	if (result == LP_STREAM_FULL)
		ensure(model->pool.free_count == 0 ||
			stream->held_count == LP_STREAM_HELD_MAX ||
			(stream->held_count >= LP_STREAM_HELD_SHARE &&
			    lp_held_pool_is_scarce(&model->pool)),
		    "full, and it is not");
	if (result == LP_STREAM_READ) {
		read_all(model, &segment);
		ensure(wants_next(model) >=
			(from + len < model->size ? from + len : model->size),
		    "not all was read");
	}
	stream_check(stream, &model->pool, true);
}

static void
acknowledge(struct model *model, uint32_t ack)
{
	bool live = model->stream.state == LP_STREAM_LIVE;
	uint32_t fin = 0;
	bool lost;

	/* That of a FIN, once all has been received. */
	if (ack == model->size && below(model, 1)) {
		lp_stream_fin(&model->stream, model->base + model->size);
		fin = 1;
	}
	lost = live && ack > wants_next(model) && ack <= model->highest;
	model->lost += lost;
	ensure(lp_stream_acknowledged(&model->stream, &model->pool,
		   model->base + ack + fin) == !lost,
	    "at acknowledgement %u, lost: %d", ack, lost);
	stream_check(&model->stream, &model->pool, true);
}

/* One segment of what the window allows, mostly what is not received. */
static void
step(struct model *model)
{
	uint32_t from = model->got + below(model, model->window);
	uint32_t len = 1 + below(model, model->segment_max - 1);

	if (below(model, 9) == 0)
		from = below(model, model->got);
	if (from > model->size)
		from = model->got;
	if (from + len > model->size)
		len = model->size - from;
	if (below(model, 30) == 0)
		len = 0;
	/* It passes us by, or the other end never gets it. */
	if (below(model, 99) >= model->unseen_percent)
		offer(model, from, len);
	if (below(model, 9) > 0)
		memset(model->received + from, true, len);
	while (model->got < model->size && model->received[model->got])
		model->got++;
	if (below(model, 2) == 0)
		acknowledge(model, model->got);
	if (below(model, 20) == 0)
		acknowledge(model, below(model, model->got));
}

static void
run(struct model *model, uint64_t seed)
{
	unsigned steps = 0;

	model->seeds++;
	ensure_at("LP_TEST_SEED=%lu", seed);
	begin(model, seed);
	while (model->got < model->size) {
		ensure(steps++ < STEPS_MAX, "it does not end");
		step(model);
	}
	acknowledge(model, model->size);
	if (model->stream.state == LP_STREAM_LIVE &&
	    model->highest == model->size)
		ensure(wants_next(model) == model->size, "not all was read");
	model->full += model->is_full;
	lp_stream_close(&model->stream, &model->pool, LP_STREAM_OFF);
	stream_check(&model->stream, &model->pool, true);
	ensure(model->pool.free_count == model->pool.count,
	    "pieces are missing at the end");
}

int
main(void)
{
	static struct model model;
	unsigned seeds = random_seeds(SEEDS);
	uint64_t seed;

	if (random_seed_given(&seed)) {
		run(&model, seed);
		return EXIT_SUCCESS;
	}
	for (seed = 1; seed <= seeds; seed++)
		run(&model, seed);
	printf("%u seeds: %u streams were lost, %u were full\n", model.seeds,
	    model.lost, model.full);
	ensure(model.lost > 0 && model.full > 0, "that is too easy");
	return EXIT_SUCCESS;
}
