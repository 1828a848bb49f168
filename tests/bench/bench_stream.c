/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stream costs by itself: payload that passes it, on one core.
 *
 *	bulk	frames of 1 MiB, of which 100 bytes are wanted: nearly every
 *		segment lies inside a skip
 *	small	frames of 100 bytes, of which 14 are wanted: 14 or 15 frames a
 *		segment
 *	swapped	the same, and every two segments change places: one is held
 *	all	every byte is wanted
 *
 * Segments of 1,448 bytes, of one stream or of streams in random order.  Of
 * what is wanted each cache line is touched; a walker would do more with it.
 * Time is the thread's own, a figure the median of its rounds.  Each line:
 * name, system, unit, value, number of segments.
 */
#include <argp.h>
#include <err.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/clock.h"
#include "dataplane/kafka/stream.h"

enum {
	SEGMENT = 1448,
	ROUNDS = 31,
	ROUND_SEGMENTS = 1 << 16,
	ROUND_SEGMENTS_MAX = 1 << 28,
	STREAMS_MAX = 1 << 16,
	PIECES = 1024,
	BYTES = 1 << 16,
};

struct reader {
	struct lp_stream stream;
	uint32_t left; /* of the head that is being read */
	uint32_t seq; /* where its next segment begins */
};

struct kind {
	const char *name;
	uint32_t head, skip;
	bool swapped;
};

struct bench {
	struct reader *readers;
	uint32_t mask; /* streams, less one */
	uint32_t at;
	struct kind kind;
	struct lp_held_pool pool;
	uint64_t sum; /* of the bytes read */
	uint8_t *bytes;
};

static const struct kind kinds[] = {
    {"bulk", 100, (1 << 20) - 100, false},
    {"small", 14, 86, false},
    {"swapped", 14, 86, true},
    {"all", 1 << 20, 0, false},
};

static error_t parse_option(int key, char *arg, struct argp_state *state);
static void pin(void);
static void bench_open(struct bench *bench);
static void measure(struct bench *bench, uint32_t streams, unsigned segments);
static uint64_t run_round(struct bench *bench, unsigned segments);
static void offer(struct bench *bench, struct reader *reader, uint32_t seq);
static int compare(const void *a, const void *b);

int
main(int argc, char **argv)
{
	static const struct argp_option list[] = {
	    {"segments", 's', "N", 0, "Segments a round (default 65536)", 0},
	    {0},
	};
	static const struct argp argp = {
	    .options = list,
	    .parser = parse_option,
	    .doc = "Payload a second that streams can follow on one core.",
	};
	unsigned segments = ROUND_SEGMENTS;
	struct bench bench;

	argp_parse(&argp, argc, argv, 0, NULL, &segments);
	pin();
	bench_open(&bench);
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		bench.kind = kinds[i];
		measure(&bench, 1, segments);
		measure(&bench, STREAMS_MAX, segments);
	}
	return bench.sum == 0;
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	unsigned *segments = state->input;

	switch (key) {
	case 's':
		*segments = (unsigned)strtoul(arg, NULL, 10);
		if (*segments < 2 || *segments > ROUND_SEGMENTS_MAX)
			argp_error(state, "--segments %s: 2 to %d", arg,
			    ROUND_SEGMENTS_MAX);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* To where it is: caches are a core's. */
static void
pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		warn("not pinned to a CPU");
}

static void
bench_open(struct bench *bench)
{
	struct lp_held *pieces = calloc(PIECES, sizeof(*pieces));
	uint32_t *stack = calloc(PIECES, sizeof(*stack));

	memset(bench, 0, sizeof(*bench));
	bench->readers = calloc(STREAMS_MAX, sizeof(*bench->readers));
	bench->bytes = malloc(BYTES + SEGMENT);
	if (pieces == NULL || stack == NULL || bench->readers == NULL ||
	    bench->bytes == NULL)
		err(1, "bench");
	for (unsigned i = 0; i < BYTES + SEGMENT; i++)
		bench->bytes[i] = (uint8_t)(i * 7 + 1);
	lp_held_pool_init(&bench->pool, pieces, stack, PIECES);
}

static void
measure(struct bench *bench, uint32_t streams, unsigned segments)
{
	double ns[ROUNDS];
	double median;

	bench->mask = streams - 1;
	for (uint32_t i = 0; i < streams; i++) {
		struct reader *reader = &bench->readers[i];

		lp_stream_close(&reader->stream, &bench->pool, LP_STREAM_OFF);
		lp_stream_open(&reader->stream, i * 7919);
		reader->seq = i * 7919;
		reader->left = bench->kind.head;
	}
	for (unsigned i = 0; i < ROUNDS; i++)
		ns[i] = (double)run_round(bench, segments) / segments;
	if (bench->pool.free_count != PIECES)
		errx(1, "%s: not all was read", bench->kind.name);
	qsort(ns, ROUNDS, sizeof(ns[0]), compare);
	median = ns[ROUNDS / 2];
	printf("stream/%s/%u\tlightpath\tns\t%.2f\t%u\n", bench->kind.name,
	    streams, median, ROUNDS * segments);
	printf("stream/%s/%u\tlightpath\tGB/s\t%.2f\t%u\n", bench->kind.name,
	    streams, SEGMENT / median, ROUNDS * segments);
}

/* Two segments of one stream, then two of another; nanoseconds, its own. */
static uint64_t
run_round(struct bench *bench, unsigned segments)
{
	uint64_t begin = lp_clock_get(CLOCK_THREAD_CPUTIME_ID);

	for (unsigned i = 0; i < segments / 2; i++) {
		struct reader *reader = &bench->readers[bench->at];

		/* An order that visits all of a power of two. */
		bench->at = (bench->at * 1664525u + 1013904223u) & bench->mask;
		if (bench->kind.swapped) {
			offer(bench, reader, reader->seq + SEGMENT);
			offer(bench, reader, reader->seq);
		} else {
			offer(bench, reader, reader->seq);
			offer(bench, reader, reader->seq + SEGMENT);
		}
		reader->seq += 2 * SEGMENT;
	}
	return lp_clock_get(CLOCK_THREAD_CPUTIME_ID) - begin;
}

static void
offer(struct bench *bench, struct reader *reader, uint32_t seq)
{
	struct lp_stream_segment segment = {
	    .bytes = bench->bytes + seq % BYTES, .seq = seq, .len = SEGMENT};
	struct lp_stream_chunk chunk;
	uint64_t sum = 0;

	if (lp_stream_offer(&reader->stream, &bench->pool, &segment) !=
	    LP_STREAM_READ)
		return;
	while (
	    lp_stream_read(&reader->stream, &bench->pool, &segment, &chunk)) {
		uint32_t len = chunk.len;
		uint32_t skip = 0;

		if (len >= reader->left) {
			len = reader->left;
			skip = bench->kind.skip;
		}
		for (uint32_t i = 0; i < len; i += 64)
			sum += chunk.bytes[i];
		reader->left -= len;
		if (reader->left == 0)
			reader->left = bench->kind.head;
		lp_stream_advance(&reader->stream, &bench->pool, len, skip);
	}
	bench->sum += sum;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}
