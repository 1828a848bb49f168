/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to walk a Kafka frame, in cycles of the time stamp counter.
 *
 * Frames of some common shapes lie in segments of SEGMENT bytes; records are
 * skipped by arithmetic, as a stream does.  Caches are warm.  A figure is the
 * median of the turns.
 *
 * Each line: name, system, unit, value, number of frames.
 */
#include <assert.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/clock.h"
#include "dataplane/kafka/tables.h"
#include "dataplane/kafka/walk.h"
#include "world.h"

enum {
	SEGMENT = 1448, /* bytes of payload: Ethernet, TCP with timestamps */
	FRAME_MAX = 1 << 22,
	TURNS = 20000,
	WORK_A_TURN = 64 * 1024, /* bytes or so: small frames several times */
	FIXED_REQUEST = 12,
	FIXED_RESPONSE = 8,
	PRODUCE = 0,
	FETCH = 1,
	METADATA = 3,
	OFFSET_COMMIT = 8,
	HEARTBEAT = 12,
	API_VERSIONS = 18,
};

struct frame {
	const char *name;
	int16_t key, version;
	bool response;
	uint32_t len;
	uint8_t *bytes;
};

static void
put(struct frame *frame, uint64_t value, unsigned width)
{
	assert(frame->len + width <= FRAME_MAX);
	while (width-- > 0)
		frame->bytes[frame->len++] = (uint8_t)(value >> 8 * width);
}

static void
put_varint(struct frame *frame, uint32_t value)
{
	for (; value >= 0x80; value >>= 7)
		put(frame, 0x80 | (value & 0x7f), 1);
	put(frame, value, 1);
}

/* An array's count, or a length; flexible versions only. */
static void
put_count(struct frame *frame, uint32_t count)
{
	put_varint(frame, count + 1);
}

static void
put_text(struct frame *frame, const char *text)
{
	put_count(frame, (uint32_t)strlen(text));
	for (; *text != '\0'; text++)
		put(frame, (uint8_t)*text, 1);
}

static void
put_fill(struct frame *frame, uint32_t len)
{
	assert(frame->len + len <= FRAME_MAX);
	memset(frame->bytes + frame->len, 'r', len);
	frame->len += len;
}

static void
begin(struct frame *frame, const char *name, int16_t key, int16_t version,
    bool response)
{
	frame->name = name;
	frame->key = key;
	frame->version = version;
	frame->response = response;
	frame->len = 0;
	if (response) {
		put_fill(frame, FIXED_RESPONSE);
		if (key != API_VERSIONS)
			put(frame, 0, 1);
		return;
	}
	put_fill(frame, FIXED_REQUEST);
	put(frame, 10, 2);
	put_fill(frame, 10);
	put(frame, 0, 1);
}

static void
put_topic(struct frame *frame, unsigned index)
{
	char name[32];

	snprintf(name, sizeof(name), "orders-%04u", index);
	put_text(frame, name);
}

static void
produce(struct frame *frame, const char *name, unsigned topics,
    unsigned partitions, uint32_t records)
{
	begin(frame, name, PRODUCE, 9, false);
	put(frame, 0, 1);
	put(frame, (uint64_t)-1, 2);
	put(frame, 30000, 4);
	put_count(frame, topics);
	for (unsigned i = 0; i < topics; i++) {
		put_topic(frame, i);
		put_count(frame, partitions);
		for (unsigned j = 0; j < partitions; j++) {
			put(frame, j, 4);
			put_count(frame, records);
			put_fill(frame, records);
			put(frame, 0, 1);
		}
		put(frame, 0, 1);
	}
	put(frame, 0, 1);
}

static void
produced(struct frame *frame)
{
	begin(frame, "produce-response", PRODUCE, 9, true);
	put_count(frame, 1);
	put_topic(frame, 0);
	put_count(frame, 1);
	put(frame, 0, 4 + 2);
	put(frame, 0, 8);
	put(frame, 0, 8);
	put(frame, 0, 8);
	put_count(frame, 0);
	put(frame, 0, 1 + 1 + 1);
	put(frame, 0, 4 + 1);
}

static void
fetch(
    struct frame *frame, const char *name, unsigned topics, unsigned partitions)
{
	begin(frame, name, FETCH, 12, false);
	put(frame, (uint64_t)-1, 4);
	put(frame, 500, 4);
	put(frame, 1, 4);
	put(frame, 52428800, 4);
	put(frame, 1, 1);
	put(frame, 77, 4);
	put(frame, 5, 4);
	put_count(frame, topics);
	for (unsigned i = 0; i < topics; i++) {
		put_topic(frame, i);
		put_count(frame, partitions);
		for (unsigned j = 0; j < partitions; j++) {
			put(frame, j, 4);
			put_fill(frame, 4 + 8 + 4 + 8);
			put(frame, 1048576, 4);
			put(frame, 0, 1);
		}
		put(frame, 0, 1);
	}
	put_count(frame, 0);
	put_count(frame, 0);
	put(frame, 0, 1);
}

static void
fetched(struct frame *frame, const char *name, unsigned topics,
    unsigned partitions, uint32_t records)
{
	begin(frame, name, FETCH, 12, true);
	put(frame, 0, 4 + 2);
	put(frame, 77, 4);
	put_count(frame, topics);
	for (unsigned i = 0; i < topics; i++) {
		put_topic(frame, i);
		put_count(frame, partitions);
		for (unsigned j = 0; j < partitions; j++) {
			put(frame, j, 4);
			put(frame, 0, 2);
			put_fill(frame, 24);
			put_count(frame, 0);
			put(frame, (uint64_t)-1, 4);
			put_count(frame, records);
			put_fill(frame, records);
			put(frame, 0, 1);
		}
		put(frame, 0, 1);
	}
	put(frame, 0, 1);
}

static void
metadata(
    struct frame *frame, const char *name, unsigned topics, unsigned partitions)
{
	begin(frame, name, METADATA, 9, true);
	put(frame, 0, 4);
	put_count(frame, 3);
	for (unsigned i = 0; i < 3; i++) {
		put(frame, i, 4);
		put_text(frame, "broker-1.kafka.example.org");
		put(frame, 9092, 4);
		put_text(frame, "rack-a");
		put(frame, 0, 1);
	}
	put_text(frame, "MkU3OEVBNTcwNTJENDM2Qg");
	put(frame, 1, 4);
	put_count(frame, topics);
	for (unsigned i = 0; i < topics; i++) {
		put(frame, 0, 2);
		put_topic(frame, i);
		put(frame, 0, 1);
		put_count(frame, partitions);
		for (unsigned j = 0; j < partitions; j++) {
			put(frame, 0, 2);
			put(frame, j, 4);
			put_fill(frame, 4 + 4);
			for (unsigned k = 0; k < 2; k++) {
				put_count(frame, 3);
				put_fill(frame, 3 * 4);
			}
			put_count(frame, 0);
			put(frame, 0, 1);
		}
		put(frame, 0, 4);
		put(frame, 0, 1);
	}
	put(frame, 0, 4);
	put(frame, 0, 1);
}

static void
offset_commit(struct frame *frame, unsigned partitions)
{
	begin(frame, "offset-commit", OFFSET_COMMIT, 8, false);
	put_text(frame, "billing");
	put(frame, 12, 4);
	put_text(frame, "consumer-1-3f6e1f52-1d8a-4c46-8a55-5f6b8ddc8d1a");
	put(frame, 0, 1);
	put_count(frame, 1);
	put_topic(frame, 0);
	put_count(frame, partitions);
	for (unsigned i = 0; i < partitions; i++) {
		put(frame, i, 4);
		put_fill(frame, 8 + 4);
		put_text(frame, "");
		put(frame, 0, 1);
	}
	put(frame, 0, 1);
	put(frame, 0, 1);
}

static void
heartbeat(struct frame *frame)
{
	begin(frame, "heartbeat", HEARTBEAT, 4, false);
	put_text(frame, "billing");
	put(frame, 12, 4);
	put_text(frame, "consumer-1-3f6e1f52-1d8a-4c46-8a55-5f6b8ddc8d1a");
	put(frame, 0, 1);
	put(frame, 0, 1);
}

static void
api_versions(struct frame *frame)
{
	begin(frame, "api-versions-response", API_VERSIONS, 3, true);
	put(frame, 0, 2);
	put_count(frame, 62);
	for (unsigned i = 0; i < 62; i++) {
		put(frame, i, 2);
		put(frame, 0, 2);
		put(frame, 9, 2);
		put(frame, 0, 1);
	}
	put(frame, 0, 4);
	put(frame, 0, 1);
}

/* As a stream shows it; the bytes that were shown, and the facts. */
__attribute__((noinline)) static uint32_t
walk(const struct frame *frame, uint32_t *facts)
{
	uint32_t at = frame->response ? FIXED_RESPONSE : FIXED_REQUEST;
	uint32_t end, from, shown = 0;
	enum lp_walk_result result;
	struct lp_walk state;
	struct lp_fact fact;

	if (frame->response)
		lp_walk_response(
		    &state, frame->key, frame->version, frame->len - 4);
	else
		lp_walk_request(
		    &state, frame->key, frame->version, frame->len - 4);
	do {
		struct lp_cursor in;

		end = (at / SEGMENT + 1) * SEGMENT;
		if (end > frame->len)
			end = frame->len;
		from = at;
		in.at = frame->bytes + at;
		in.end = frame->bytes + end;
		while (
		    (result = lp_walk_next(&state, &in, &fact)) == LP_WALK_FACT)
			++*facts;
		at = (uint32_t)(in.at - frame->bytes);
		shown += at - from;
		if (result == LP_WALK_MORE)
			at += lp_walk_skip(&state);
	} while (result == LP_WALK_MORE);
	if (result != LP_WALK_DONE || at != frame->len)
		errx(1, "%s: wrong at byte %u of %u", frame->name, at,
		    frame->len);
	return shown;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
print(const struct frame *frame, const char *unit, double value,
    unsigned long count)
{
	printf("walk/%s\tlightpath\t%s\t%.2f\t%lu\n", frame->name, unit, value,
	    count);
}

static void
measure(const struct frame *frame, unsigned turns, double cycles_a_ns)
{
	unsigned repeat = WORK_A_TURN / frame->len + 1;
	double *samples = calloc(turns, sizeof(*samples));
	uint32_t facts = 0, shown;
	unsigned long count = (unsigned long)turns * repeat;
	double cycles;

	if (samples == NULL)
		err(1, "samples");
	shown = walk(frame, &facts);
	print(frame, "bytes", frame->len, count);
	print(frame, "shown", shown, count);
	print(frame, "facts", facts, count);
	for (unsigned i = 0; i < turns; i++) {
		uint64_t start = world_cycles();

		for (unsigned j = 0; j < repeat; j++)
			walk(frame, &facts);
		samples[i] = (double)(world_cycles() - start) / repeat;
	}
	qsort(samples, turns, sizeof(*samples), compare);
	cycles = samples[turns / 2];
	print(frame, world_unit, cycles, count);
	print(frame, "GB/s", frame->len / (cycles / cycles_a_ns), count);
	print(frame, "GB/s shown", shown / (cycles / cycles_a_ns), count);
	free(samples);
}

/* Cycles of world_cycles() in a nanosecond. */
static double
clock_rate(void)
{
	uint64_t begin_cycles = world_cycles(), begin_ns = lp_clock_ns(), ns;

	do
		ns = lp_clock_ns() - begin_ns;
	while (ns < 50 * 1000 * 1000);
	return (double)(world_cycles() - begin_cycles) / (double)ns;
}

int
main(int argc, char **argv)
{
	unsigned turns = argc > 1 ? (unsigned)atoi(argv[1]) : TURNS;
	struct frame frame = {.bytes = malloc(FRAME_MAX)};
	double rate = clock_rate();

	if (turns == 0)
		errx(2, "usage: bench_walk [TURNS]");
	if (frame.bytes == NULL)
		err(1, "frame");
#define MEASURE(make)                                                          \
	do {                                                                   \
		make;                                                          \
		measure(&frame, turns, rate);                                  \
	} while (0)
	MEASURE(produce(&frame, "produce-1-partition-1k", 1, 1, 1024));
	MEASURE(produce(&frame, "produce-100-partitions-100b", 10, 10, 100));
	MEASURE(produce(&frame, "produce-1-partition-1m", 1, 1, 1000000));
	MEASURE(produced(&frame));
	MEASURE(fetch(&frame, "fetch-of-a-session", 0, 0));
	MEASURE(fetch(&frame, "fetch-100-partitions", 10, 10));
	MEASURE(fetched(&frame, "fetch-response-100k", 1, 1, 100000));
	MEASURE(fetched(&frame, "fetch-response-100x1k", 10, 10, 1024));
	MEASURE(fetched(&frame, "fetch-response-empty", 0, 0, 0));
	MEASURE(metadata(&frame, "metadata-1-topic", 1, 3));
	MEASURE(metadata(&frame, "metadata-1000-topics", 1000, 6));
	MEASURE(offset_commit(&frame, 50));
	MEASURE(heartbeat(&frame));
	MEASURE(api_versions(&frame));
	printf("walk/tables\tlightpath\tbytes\t%u\t1\n", lp_tables_size);
	printf(
	    "walk/state\tlightpath\tbytes\t%zu\t1\n", sizeof(struct lp_walk));
	free(frame.bytes);
	return 0;
}
