/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a packet costs on its way through the packet path, in cycles of the
 * time stamp counter.
 *
 * Overview
 *
 * The ports are memory, so nothing of the kernel is in it; what they cost
 * themselves (a copy in, the books of the buffers) is measured beside it, as
 * "ports".  Connections come in random order.  Heads are put in place between
 * turns, as a NIC puts them into the cache; only the turn itself is timed.  A
 * figure is the median turn's, divided by its packets: what the scheduler did
 * in between falls out.
 *
 * Each line: name, system, unit, value, number of packets.
 */
#include <argp.h>
#include <err.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/clock.h"
#include "stages.h"
#include "traffic.h"

enum {
	TURNS = 20000,
	TURNS_MAX = 10 * 1000 * 1000,
	TURNS_A_BATCH = 100, /* one batch of connections for so many turns */
	CONNECTIONS_MAX = 65536,
	SIZES = 3,
	BLOCK = 100, /* turns */
	CLOSED_S = LP_TIMEOUT_CLOSED_S + 1,
	EXPIRE_TURNS = 100000,
};

static const uint32_t connection_counts[SIZES] = {1, 1024, CONNECTIONS_MAX};
static const uint16_t payloads[2] = {64, PAYLOAD_MAX};

/* Beside each stage. */
enum { PATH = STAGES, PORTS, FIGURES };

struct bench {
	struct world world;
	struct stages *stages;
	struct flow *flows;
	uint32_t count; /* of flows */
	uint32_t at; /* the next one */
	uint16_t payload;
	unsigned turns;
	bool instructions;
	double *samples[FIGURES]; /* cycles per packet, by turn */
	struct lp_port_memory_frame script[2][LP_BATCH_MAX];
	uint8_t frames[2][LP_BATCH_MAX][HEAD_LEN + PAYLOAD_MAX];
};

struct options {
	unsigned turns;
	bool instructions;
};

static error_t parse_option(int key, char *arg, struct argp_state *state);
static void pin(void);
static struct bench *bench_new(uint32_t count, const struct options *options);
static void bench_free(struct bench *bench);
static void open_all(struct bench *bench);
static void set_payload(struct bench *bench, uint16_t payload);
static void refill(struct bench *bench);
static void measure(struct bench *bench);
static unsigned measure_path(struct bench *bench, unsigned turn);
static void measure_ports(struct bench *bench, unsigned turn);
static void measure_stages(struct bench *bench, unsigned turn);
static void measure_connections(unsigned batches);
static double expire(struct world *world, unsigned count);
static void print_established(
    const struct bench *bench, const char *system, double *samples);
static void print(
    const char *name, const char *system, double value, unsigned long count);
static double median(double samples[], unsigned count);

/* Not inlined: callgrind collects from here. */
__attribute__((noinline)) uint64_t bench_turn(
    struct bench *bench, unsigned *packets);

int
main(int argc, char **argv)
{
	static const struct argp_option list[] = {
	    {"turns", 't', "N", 0, "Turns a figure (default 20000)", 0},
	    {"instructions", 'i', NULL, 0,
		"Only turns of 1024 connections, for callgrind", 0},
	    {0},
	};
	static const struct argp argp = {
	    .options = list,
	    .parser = parse_option,
	    .doc = "Cycles per packet of the packet path over memory ports.",
	};
	struct options options = {.turns = TURNS};
	uint64_t begin_cycles = world_cycles();
	uint64_t begin_ns = lp_clock_ns();

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	pin();
	for (unsigned i = 0; i < SIZES; i++) {
		struct bench *bench;

		if (options.instructions && i != 1)
			continue;
		bench = bench_new(connection_counts[i], &options);
		for (unsigned j = 0; j < 2; j++) {
			set_payload(bench, payloads[j]);
			measure(bench);
			if (options.instructions)
				break;
		}
		bench_free(bench);
	}
	if (!options.instructions)
		measure_connections(options.turns / TURNS_A_BATCH + 1);
	printf("clock\tlightpath\t%s/us\t%.0f\t1\n", world_unit,
	    (double)(world_cycles() - begin_cycles) * 1000 /
		(double)(lp_clock_ns() - begin_ns));
	return 0;
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 't':
		options->turns = (unsigned)strtoul(arg, NULL, 10);
		if (options->turns == 0 || options->turns > TURNS_MAX)
			argp_error(
			    state, "--turns %s: 1 to %d", arg, TURNS_MAX);
		return 0;
	case 'i':
		options->instructions = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* To where it is: counters and caches are a core's. */
static void
pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		warn("not pinned to a CPU");
}

static struct bench *
bench_new(uint32_t count, const struct options *options)
{
	struct bench *bench = aligned_alloc(64, (sizeof(*bench) + 63) & ~63ul);

	if (bench == NULL)
		err(1, "bench");
	memset(bench, 0, sizeof(*bench));
	bench->count = count;
	bench->turns = options->turns;
	bench->instructions = options->instructions;
	bench->flows = calloc(count, sizeof(*bench->flows));
	for (unsigned i = 0; i < FIGURES; i++) {
		bench->samples[i] = calloc(options->turns, sizeof(double));
		if (bench->flows == NULL || bench->samples[i] == NULL)
			err(1, "bench");
	}
	world_open(&bench->world, LP_CONNECTIONS_DEFAULT);
	open_all(bench);
	bench->stages = stages_new(&bench->world);
	return bench;
}

static void
bench_free(struct bench *bench)
{
	stages_free(bench->stages);
	world_close(&bench->world);
	for (unsigned i = 0; i < FIGURES; i++)
		free(bench->samples[i]);
	free(bench->flows);
	free(bench);
}

static void
open_all(struct bench *bench)
{
	for (uint32_t i = 0; i < bench->count; i += LP_BATCH_MAX) {
		uint32_t left = bench->count - i;

		traffic_open(&bench->world, &bench->flows[i], i,
		    left < LP_BATCH_MAX ? left : LP_BATCH_MAX);
	}
}

/* And lets both ports receive from the script, without end. */
static void
set_payload(struct bench *bench, uint16_t payload)
{
	bench->payload = payload;
	for (uint32_t i = 0; i < bench->count; i++)
		traffic_set_payload(&bench->flows[i], payload);
	for (unsigned dir = 0; dir < 2; dir++) {
		for (unsigned i = 0; i < LP_BATCH_MAX; i++)
			bench->script[dir][i] = (struct lp_port_memory_frame){
			    .bytes = bench->frames[dir][i],
			    .len = (uint16_t)(HEAD_LEN + payload)};
	}
	lp_port_memory_script(bench->world.port[FRONT],
	    bench->script[LP_TO_BROKER], LP_BATCH_MAX);
	lp_port_memory_script(
	    bench->world.port[BACK], bench->script[LP_TO_CLIENT], LP_BATCH_MAX);
}

/* The next connections, in an order with neither end nor pattern. */
static void
refill(struct bench *bench)
{
	for (unsigned i = 0; i < LP_BATCH_MAX; i++) {
		const struct flow *flow = &bench->flows[bench->at];

		static_assert((CONNECTIONS_MAX & (CONNECTIONS_MAX - 1)) == 0,
		    "the order visits all of a power of two");
		bench->at =
		    (bench->at * 1664525u + 1013904223u) & (bench->count - 1);
		for (unsigned dir = 0; dir < 2; dir++)
			memcpy(
			    bench->frames[dir][i], flow->head[dir], HEAD_LEN);
	}
}

/* Path, ports and stages take turns: the clock of a core drifts. */
static void
measure(struct bench *bench)
{
	struct lp_stats *stats = bench->world.region.stats;
	uint64_t total = lp_count_get(&stats->reasons[LP_REASON_FORWARDED]);

	for (unsigned i = 0; i < bench->turns; i += BLOCK) {
		unsigned left = bench->turns - i;
		unsigned end = i + (left < BLOCK ? left : BLOCK);

		for (unsigned turn = i; turn < end; turn++)
			total += measure_path(bench, turn);
		if (bench->instructions)
			continue;
		for (unsigned turn = i; turn < end; turn++)
			measure_ports(bench, turn);
		for (unsigned turn = i; turn < end; turn++)
			measure_stages(bench, turn);
	}
	if (lp_count_get(&stats->reasons[LP_REASON_FORWARDED]) != total)
		errx(1, "not all packets were forwarded");
	print_established(bench, "lightpath", bench->samples[PATH]);
	if (bench->instructions)
		return;
	print_established(bench, "ports", bench->samples[PORTS]);
	for (unsigned i = 0; i < STAGES; i++)
		print_established(bench, stage_names[i], bench->samples[i]);
}

static unsigned
measure_path(struct bench *bench, unsigned turn)
{
	unsigned packets;
	uint64_t cycles;

	refill(bench);
	cycles = bench_turn(bench, &packets);
	bench->samples[PATH][turn] = (double)cycles / packets;
	return packets;
}

uint64_t
bench_turn(struct bench *bench, unsigned *packets)
{
	return world_turn(&bench->world, packets);
}

static void
measure_ports(struct bench *bench, unsigned turn)
{
	uint64_t cycles;
	unsigned packets;

	refill(bench);
	packets = stages_pass(bench->stages, turn % 2 ? BACK : FRONT, &cycles);
	bench->samples[PORTS][turn] = (double)cycles / packets;
}

static void
measure_stages(struct bench *bench, unsigned turn)
{
	uint64_t cycles[STAGES];
	unsigned packets;

	refill(bench);
	packets = stages_turn(bench->stages, turn % 2 ? BACK : FRONT, cycles);
	for (unsigned i = 0; i < STAGES; i++)
		bench->samples[i][turn] = (double)cycles[i] / packets;
}

/* Opened, closed and forgotten, in a table that is otherwise empty. */
static void
measure_connections(unsigned batches)
{
	struct flow flows[LP_BATCH_MAX];
	double *samples[3];
	struct world world;

	for (unsigned i = 0; i < 3; i++) {
		samples[i] = calloc(batches, sizeof(double));
		if (samples[i] == NULL)
			err(1, "bench");
	}
	world_open(&world, LP_CONNECTIONS_DEFAULT);
	for (unsigned i = 0; i < batches; i++) {
		samples[0][i] = (double)traffic_open(&world, flows,
				    i * LP_BATCH_MAX, LP_BATCH_MAX) /
		    LP_BATCH_MAX;
		samples[1][i] =
		    (double)traffic_close(&world, flows, LP_BATCH_MAX) /
		    LP_BATCH_MAX;
		samples[2][i] = expire(&world, LP_BATCH_MAX);
		world_settle(&world);
	}
	world_close(&world);
	print("connection/open", "lightpath", median(samples[0], batches),
	    batches * LP_BATCH_MAX);
	print("connection/close", "lightpath", median(samples[1], batches),
	    batches * LP_BATCH_MAX);
	print("connection/forget", "lightpath", median(samples[2], batches),
	    batches * LP_BATCH_MAX);
	for (unsigned i = 0; i < 3; i++)
		free(samples[i]);
}

/* Once their time is over; the cycles of one, without packets. */
static double
expire(struct world *world, unsigned count)
{
	uint64_t cycles = 0;

	world->now_ns += CLOSED_S * 1000000000ul;
	for (unsigned i = 0; i < EXPIRE_TURNS; i++) {
		cycles += world_turn(world, NULL);
		if (lp_count_get(&world->region.stats->connections) == 0)
			return (double)cycles / count;
	}
	errx(1, "connections that are closed do not go away");
}

static void
print_established(
    const struct bench *bench, const char *system, double *samples)
{
	char name[64];

	snprintf(
	    name, sizeof(name), "pipeline/%u/%u", bench->payload, bench->count);
	print(name, system, median(samples, bench->turns),
	    (unsigned long)bench->turns * LP_BATCH_MAX);
}

static void
print(const char *name, const char *system, double value, unsigned long count)
{
	printf(
	    "%s\t%s\t%s\t%.1f\t%lu\n", name, system, world_unit, value, count);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double samples[], unsigned count)
{
	qsort(samples, count, sizeof(samples[0]), compare);
	return samples[count / 2];
}
