/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to understand Kafka in passing: the same conversations through
 * the whole packet path, between memory ports, with connections looked into
 * (on) and not (off).
 *
 *	fetch		responses of 1 MiB, in segments of 1,448 bytes
 *	produce		200 bytes of records and the answer, one at a time
 *	pipelined	16 KiB of records each, five in flight
 *
 *	one		each packet of a batch is of another connection, and
 *			its next one comes after all others have had theirs
 *	train		up to 32 segments of one connection in a row
 *
 * Real frames, whose checksums hold; the receiver acknowledges every second
 * segment.  Each connection is in another place of its conversation.  Two
 * packet paths, one of each sort, take turns by rounds; before each round some
 * of its packets pass untimed, so that the caches are its own again.  A figure
 * is the lower quartile of the rounds: whatever else ran has disturbed the
 * others, and what is dear and rare counts in every round.
 *
 * Memory: of connections that have asked once and rest.
 *
 * Each line: name, system, unit, value, number of packets or connections.
 */
#include <argp.h>
#include <err.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane/clock.h"
#include "dataplane/kafka/kafka_stats.h"
#include "peers.h"

enum {
	ROUNDS = 161,
	ROUNDS_MAX = 100000,
	ROUND_TURNS = 64,
	WARM_TURNS = 64,
	SCRIPTS = 16, /* client ids and topics */
	COUNTS = 5,
	ORDERS = 2,
	/*
	 * Tables have more places than connections: half as many half-read
	 * frames and twice as many requests in flight as places are read, and
	 * here are one and five a connection.
	 */
	TABLE_SHARE = 3,
	PAGE = 4096,
	MEMORY_COUNT = 65536,
};

static const uint32_t counts[COUNTS] = {1, 1024, 16384, 65536, 100000};
static const char *const orders[ORDERS] = {"one", "train"};
static const unsigned trains[ORDERS] = {2, LP_BATCH_MAX};

enum { ON, OFF, SIDES };
static const char *const side_names[SIDES] = {"on", "off"};

struct options {
	unsigned rounds;
	unsigned side; /* SIDES: both */
	const char *kind; /* NULL: all */
	uint32_t count; /* 0: all */
};

struct bench {
	const struct options *options;
	double rate; /* cycles per nanosecond */
	char name[64];
	struct peers *peers[SIDES];
	double *cycles[SIDES]; /* per packet, by round */
	double *bytes[SIDES]; /* per packet */
	double *sorted; /* room for them */
	unsigned long packets; /* of either, timed */
};

static error_t parse_option(int key, char *arg, struct argp_state *state);
static void pin(void);
static double clock_rate(void);
static void measure_order(
    struct bench *bench, enum script_kind kind, unsigned order);
static void measure_count(
    struct bench *bench, enum script_kind kind, unsigned order, uint32_t count);
static void measure_round(struct bench *bench, unsigned side, unsigned round);
static void report(struct bench *bench);
static void measure_memory(bool kafka);
static void print_memory(const char *name, const char *system, double bytes);
static double resident(const void *from, size_t size);
static double process_bytes(void);
static double quantile(
    struct bench *bench, const double values[], unsigned percent);
static void print(const struct bench *bench, const char *system,
    const char *unit, double value);

int
main(int argc, char **argv)
{
	static const struct argp_option list[] = {
	    {"rounds", 'r', "N", 0, "Rounds a figure (default 161)", 0},
	    {"kind", 'k', "KIND", 0, "Only fetch, produce, or pipelined", 0},
	    {"connections", 'c', "N", 0, "Only so many", 0},
	    {"side", 's', "on|off", 0, "Only this one, for profilers", 0},
	    {0},
	};
	static const struct argp argp = {
	    .options = list,
	    .parser = parse_option,
	    .doc = "Cycles per packet with Kafka looked into, and without.",
	};
	struct options options = {.rounds = ROUNDS, .side = SIDES};
	struct bench bench = {.options = &options};

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	pin();
	bench.rate = clock_rate();
	bench.sorted = calloc(options.rounds, sizeof(double));
	for (unsigned i = 0; i < SIDES; i++) {
		bench.cycles[i] = calloc(options.rounds, sizeof(double));
		bench.bytes[i] = calloc(options.rounds, sizeof(double));
		if (bench.sorted == NULL || bench.cycles[i] == NULL ||
		    bench.bytes[i] == NULL)
			err(1, "bench");
	}
	for (unsigned kind = 0; kind < SCRIPT_KINDS; kind++) {
		if (options.kind != NULL &&
		    strcmp(options.kind, script_names[kind]) != 0)
			continue;
		/* One at a time makes no trains. */
		for (unsigned order = 0;
		     order < (kind == SCRIPT_PRODUCE ? 1 : ORDERS); order++)
			measure_order(&bench, kind, order);
	}
	if (options.kind == NULL && options.count == 0) {
		measure_memory(false);
		measure_memory(true);
	}
	return 0;
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'r':
		options->rounds = (unsigned)strtoul(arg, NULL, 10);
		if (options->rounds == 0 || options->rounds > ROUNDS_MAX)
			argp_error(
			    state, "--rounds %s: 1 to %d", arg, ROUNDS_MAX);
		return 0;
	case 'k':
		options->kind = arg;
		for (unsigned i = 0; i < SCRIPT_KINDS; i++)
			if (strcmp(arg, script_names[i]) == 0)
				return 0;
		argp_error(state, "--kind %s: no such kind", arg);
		return 0;
	case 'c':
		options->count = (uint32_t)strtoul(arg, NULL, 10);
		for (unsigned i = 0; i < COUNTS; i++)
			if (options->count == counts[i])
				return 0;
		argp_error(state, "--connections %s: not measured", arg);
		return 0;
	case 's':
		for (unsigned i = 0; i < SIDES; i++)
			if (strcmp(arg, side_names[i]) == 0)
				options->side = i;
		if (options->side == SIDES)
			argp_error(state, "--side %s: on or off", arg);
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

static double
clock_rate(void)
{
	uint64_t begin_cycles = world_cycles(), begin_ns = lp_clock_ns(), ns;

	do
		ns = lp_clock_ns() - begin_ns;
	while (ns < 50 * 1000 * 1000);
	return (double)(world_cycles() - begin_cycles) / (double)ns;
}

static void
measure_order(struct bench *bench, enum script_kind kind, unsigned order)
{
	for (unsigned i = 0; i < COUNTS; i++) {
		if (bench->options->count == 0 ||
		    bench->options->count == counts[i])
			measure_count(bench, kind, order, counts[i]);
	}
}

static void
measure_count(
    struct bench *bench, enum script_kind kind, unsigned order, uint32_t count)
{
	const struct options *options = bench->options;
	struct script scripts[SCRIPTS];
	uint32_t table = count * TABLE_SHARE;

	snprintf(bench->name, sizeof(bench->name), "kafka/%s/%s/%u",
	    script_names[kind], orders[order], count);
	if (table < LP_CONNECTIONS_DEFAULT)
		table = LP_CONNECTIONS_DEFAULT;
	for (unsigned i = 0; i < SCRIPTS; i++)
		script_make(&scripts[i], kind, trains[order], i);
	for (unsigned side = 0; side < SIDES; side++) {
		if (options->side != SIDES && options->side != side)
			continue;
		bench->peers[side] = peers_new(count, table, side == ON,
		    scripts, SCRIPTS, order == 0 ? 1 : trains[order]);
		peers_spread(bench->peers[side]);
	}
	for (unsigned round = 0; round < options->rounds; round++) {
		for (unsigned side = 0; side < SIDES; side++)
			measure_round(bench, side, round);
	}
	report(bench);
	for (unsigned side = 0; side < SIDES; side++) {
		if (bench->peers[side] == NULL)
			continue;
		peers_check(bench->peers[side]);
		peers_free(bench->peers[side]);
		bench->peers[side] = NULL;
	}
	for (unsigned i = 0; i < SCRIPTS; i++)
		script_free(&scripts[i]);
}

static void
measure_round(struct bench *bench, unsigned side, unsigned round)
{
	struct peers *peers = bench->peers[side];
	struct peers_sums sums = {0};

	if (peers == NULL)
		return;
	for (unsigned i = 0; i < WARM_TURNS; i++)
		peers_turn(peers, &sums);
	memset(&sums, 0, sizeof(sums));
	for (unsigned i = 0; i < ROUND_TURNS; i++)
		peers_turn(peers, &sums);
	bench->packets = sums.packets * bench->options->rounds;
	bench->cycles[side][round] = (double)sums.cycles / (double)sums.packets;
	bench->bytes[side][round] = (double)sums.bytes / (double)sums.packets;
}

static void
report(struct bench *bench)
{
	double cycles[SIDES], bytes[SIDES], added;

	for (unsigned side = 0; side < SIDES; side++) {
		if (bench->peers[side] == NULL)
			return;
		cycles[side] = quantile(bench, bench->cycles[side], 25);
		bytes[side] = quantile(bench, bench->bytes[side], 50);
		print(bench, side_names[side], world_unit, cycles[side]);
		print(bench, side_names[side], "GB/s",
		    bytes[side] / cycles[side] * bench->rate);
	}
	added = cycles[ON] - cycles[OFF];
	print(bench, "added", world_unit, added);
	/* What one core could follow that had nothing else to do. */
	if (added > 0)
		print(bench, "added", "GB/s", bytes[ON] / added * bench->rate);
}

/* ---- memory -------------------------------------------------------------- */

/* What the pages that hold it come to, by connection; the tables are full. */
static void
measure_memory(bool kafka)
{
	const char *system = side_names[kafka ? ON : OFF];
	struct script scripts[SCRIPTS];
	double before = process_bytes();
	struct lp_region *region;
	struct peers *peers;

	for (unsigned i = 0; i < SCRIPTS; i++)
		script_make(&scripts[i], SCRIPT_PRODUCE, 1, i);
	peers =
	    peers_new(MEMORY_COUNT, MEMORY_COUNT, kafka, scripts, SCRIPTS, 1);
	for (uint32_t i = 0; i < MEMORY_COUNT; i++)
		peers->places[i].left = 2;
	for (struct peers_sums sums = {0}; peers_turn(peers, &sums);)
		continue;
	peers_check(peers);
	region = &peers->world.region;
	print_memory("connection", system,
	    resident(region->connections,
		MEMORY_COUNT * sizeof(*region->connections)));
	print_memory("kafka", system,
	    resident(region->kafka.conns,
		MEMORY_COUNT * sizeof(*region->kafka.conns)));
	print_memory("messages", system,
	    resident(region->kafka.messages,
		region->kafka.message_count * sizeof(struct lp_message)));
	print_memory("inflight", system,
	    resident(region->kafka.inflight,
		region->kafka.inflight_count * sizeof(struct lp_inflight)));
	print_memory("held", system,
	    resident(region->kafka.held,
		region->kafka.held_count * sizeof(struct lp_held)));
	print_memory("statistics", system,
	    resident(region->kafka_stats, sizeof(struct lp_kafka_stats)));
	print_memory("region", system,
	    resident(region->header, region->header->size_bytes));
	print_memory("process", system,
	    process_bytes() - before -
		(double)MEMORY_COUNT *
		    (sizeof(*peers->flows) + sizeof(*peers->places) +
			2 * sizeof(*peers->queues[0].ring)));
	peers_free(peers);
	for (unsigned i = 0; i < SCRIPTS; i++)
		script_free(&scripts[i]);
}

static void
print_memory(const char *name, const char *system, double bytes)
{
	printf("kafka/memory/%s\t%s\tbytes\t%.1f\t%d\n", name, system,
	    bytes / MEMORY_COUNT, MEMORY_COUNT);
}

/* Of a range of shared memory: pages that exist. */
static double
resident(const void *from, size_t size)
{
	uintptr_t begin = (uintptr_t)from & ~(uintptr_t)(PAGE - 1);
	size_t pages = ((uintptr_t)from + size - begin + PAGE - 1) / PAGE;
	unsigned char *there = malloc(pages);
	size_t count = 0;

	if (there == NULL)
		err(1, "pages");
	if (mincore((void *)begin, pages * PAGE, there) != 0)
		err(1, "mincore");
	for (size_t i = 0; i < pages; i++)
		count += there[i] & 1;
	free(there);
	return (double)count * PAGE;
}

static double
process_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long size, pages;

	if (file == NULL || fscanf(file, "%lu %lu", &size, &pages) != 2)
		err(1, "/proc/self/statm");
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* ---- figures ------------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
quantile(struct bench *bench, const double values[], unsigned percent)
{
	unsigned rounds = bench->options->rounds;

	memcpy(bench->sorted, values, rounds * sizeof(double));
	qsort(bench->sorted, rounds, sizeof(double), compare);
	return bench->sorted[rounds * percent / 100];
}

static void
print(const struct bench *bench, const char *system, const char *unit,
    double value)
{
	printf("%s\t%s\t%s\t%.2f\t%lu\n", bench->name, system, unit, value,
	    bench->packets);
	fflush(stdout);
}
