/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to understand Kafka in passing: the same conversations through
 * the whole packet path, between memory ports, with connections looked into
 * (on) and not (off).  No addresses are replaced.
 *
 * Or, with --rewrite, what it costs to be able to replace addresses: of
 * connections whose listener lets them pass (passed), of those whose listener
 * replaces them but has not met any (spliced), and of those where it has made
 * an answer longer or shorter, so that all numbers behind it are translated
 * (translated).
 *
 * Or, with --judge, what rules cost: of connections that are only read, of
 * those that a hundred rules of topics are asked about (judged), of those where
 * such rules would deny (enforced), and where all is denied (denied).
 *
 *	fetch		responses of 1 MiB, in segments of 1,448 bytes
 *	produce		200 bytes of records and the answer, one at a time
 *	pipelined	16 KiB of records each, five in flight
 *	sack		fetch; acknowledgements but the last one of a train have
 *			a SACK block (only with --rewrite)
 *
 *	one		each packet of a batch is of another connection, and
 *			its next one comes after all others have had theirs
 *	train		up to 32 segments of one connection in a row
 *
 * Real frames, whose checksums hold; the receiver acknowledges every second
 * segment.  Each connection is in another place of its conversation.  The
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
	 * here are one and five a connection; where addresses are replaced,
	 * the last quarter is for connections that have few.
	 */
	TABLE_SHARE = 4,
	PAGE = 4096,
	MEMORY_COUNT = 65536,
};

static const uint32_t counts[COUNTS] = {1, 1024, 16384, 65536, 100000};
static const char *const orders[ORDERS] = {"one", "train"};
static const unsigned trains[ORDERS] = {2, LP_BATCH_MAX};

/* What is compared, with the last one. */
enum { SIDES_MAX = 4, SACK = SCRIPT_KINDS, KINDS };
struct comparison {
	const char *name;
	unsigned kinds;
	unsigned count;
	const char *sides[SIDES_MAX];
	enum peers_sort sorts[SIDES_MAX];
};

enum { KAFKA, REWRITE, JUDGE };
static const struct comparison comparisons[] = {
    [KAFKA] = {.name = "kafka",
	.kinds = SCRIPT_KINDS,
	.count = 2,
	.sides = {"on", "off"},
	.sorts = {PEERS_READ, PEERS_BLIND}},
    [REWRITE] = {.name = "rewrite",
	.kinds = KINDS,
	.count = 3,
	.sides = {"translated", "spliced", "passed"},
	.sorts = {PEERS_TRANSLATED, PEERS_SPLICED, PEERS_READ}},
    [JUDGE] = {.name = "judge",
	.kinds = SCRIPT_KINDS,
	.count = 4,
	.sides = {"denied", "enforced", "judged", "read"},
	.sorts = {PEERS_DENIED, PEERS_ENFORCED, PEERS_JUDGED, PEERS_READ}},
};

struct options {
	const struct comparison *what;
	unsigned rounds;
	const char *side; /* NULL: all */
	const char *kind; /* NULL: all */
	uint32_t count; /* 0: all */
};

struct bench {
	const struct options *options;
	double rate; /* cycles per nanosecond */
	char name[64];
	struct peers *peers[SIDES_MAX];
	double *cycles[SIDES_MAX]; /* per packet, by round */
	double *bytes[SIDES_MAX]; /* per packet */
	double *sorted; /* room for them */
	unsigned long packets; /* of all sides, timed */
};

static error_t parse_option(int key, char *arg, struct argp_state *state);
static void pin(void);
static double clock_rate(void);
static const char *kind_name(unsigned kind);
static bool has_order(unsigned kind, unsigned order);
static void measure_order(struct bench *bench, unsigned kind, unsigned order);
static void measure_count(
    struct bench *bench, unsigned kind, unsigned order, uint32_t count);
static void open_side(struct bench *bench, unsigned side, uint32_t count,
    const struct script *scripts, unsigned train);
static void measure_round(struct bench *bench, unsigned side, unsigned round);
static void report(struct bench *bench);
static void report_added(struct bench *bench, double added, double bytes);
static void measure_memory(unsigned side);
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
	    {"kind", 'k', "KIND", 0, "Only fetch, produce, pipelined, or sack",
		0},
	    {"connections", 'c', "N", 0, "Only so many", 0},
	    {"rewrite", 'w', NULL, 0, "The cost of replacing addresses", 0},
	    {"judge", 'j', NULL, 0, "The cost of rules", 0},
	    {"side", 's', "SIDE", 0, "Only that one, for profilers", 0},
	    {0},
	};
	static const struct argp argp = {
	    .options = list,
	    .parser = parse_option,
	    .doc = "Cycles per packet with Kafka looked into, and without.",
	};
	struct options options = {
	    .rounds = ROUNDS, .what = &comparisons[KAFKA]};
	struct bench bench = {.options = &options};

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	pin();
	bench.rate = clock_rate();
	bench.sorted = calloc(options.rounds, sizeof(double));
	for (unsigned i = 0; i < SIDES_MAX; i++) {
		bench.cycles[i] = calloc(options.rounds, sizeof(double));
		bench.bytes[i] = calloc(options.rounds, sizeof(double));
		if (bench.sorted == NULL || bench.cycles[i] == NULL ||
		    bench.bytes[i] == NULL)
			err(1, "bench");
	}
	for (unsigned kind = 0; kind < options.what->kinds; kind++) {
		if (options.kind != NULL &&
		    strcmp(options.kind, kind_name(kind)) != 0)
			continue;
		for (unsigned order = 0; order < ORDERS; order++)
			if (has_order(kind, order))
				measure_order(&bench, kind, order);
	}
	if (options.what == &comparisons[KAFKA] && options.kind == NULL &&
	    options.count == 0) {
		measure_memory(1);
		measure_memory(0);
	}
	return 0;
}

static const char *
kind_name(unsigned kind)
{
	return kind == SACK ? "sack" : script_names[kind];
}

/* One at a time makes no trains, and two segments no gap. */
static bool
has_order(unsigned kind, unsigned order)
{
	return kind == SCRIPT_PRODUCE ? order == 0 : kind != SACK || order == 1;
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
		for (unsigned i = 0; i < KINDS; i++)
			if (strcmp(arg, kind_name(i)) == 0)
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
	case 'w':
		options->what = &comparisons[REWRITE];
		return 0;
	case 'j':
		options->what = &comparisons[JUDGE];
		return 0;
	case 's':
		options->side = arg;
		return 0;
	case ARGP_KEY_END:
		for (unsigned i = 0; i < options->what->count; i++)
			if (options->side == NULL ||
			    strcmp(options->side, options->what->sides[i]) == 0)
				return 0;
		argp_error(state, "--side %s: no such side", options->side);
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
measure_order(struct bench *bench, unsigned kind, unsigned order)
{
	for (unsigned i = 0; i < COUNTS; i++) {
		if (bench->options->count == 0 ||
		    bench->options->count == counts[i])
			measure_count(bench, kind, order, counts[i]);
	}
}

static void
measure_count(
    struct bench *bench, unsigned kind, unsigned order, uint32_t count)
{
	const struct options *options = bench->options;
	const struct comparison *what = options->what;
	struct script scripts[SCRIPTS];

	bench->packets = 0;
	snprintf(bench->name, sizeof(bench->name), "%s/%s/%s/%u", what->name,
	    kind_name(kind), orders[order], count);
	for (unsigned i = 0; i < SCRIPTS; i++)
		script_make(&scripts[i], kind == SACK ? SCRIPT_FETCH : kind,
		    trains[order], i);
	for (unsigned side = 0; side < what->count; side++) {
		if (options->side != NULL &&
		    strcmp(options->side, what->sides[side]) != 0)
			continue;
		open_side(bench, side, count, scripts,
		    order == 0 ? 1 : trains[order]);
		bench->peers[side]->sacks = kind == SACK;
	}
	for (unsigned round = 0; round < options->rounds; round++) {
		for (unsigned side = 0; side < what->count; side++)
			measure_round(bench, side, round);
	}
	report(bench);
	for (unsigned side = 0; side < what->count; side++) {
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
open_side(struct bench *bench, unsigned side, uint32_t count,
    const struct script *scripts, unsigned train)
{
	uint32_t table = count * TABLE_SHARE;

	if (table < LP_CONNECTIONS_DEFAULT)
		table = LP_CONNECTIONS_DEFAULT;
	bench->peers[side] = peers_new(count, table,
	    bench->options->what->sorts[side], scripts, SCRIPTS, train);
	peers_spread(bench->peers[side]);
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
	peers->timed = true;
	for (unsigned i = 0; i < ROUND_TURNS; i++)
		peers_turn(peers, &sums);
	peers->timed = false;
	bench->packets += sums.packets;
	bench->cycles[side][round] = (double)sums.cycles / (double)sums.packets;
	bench->bytes[side][round] = (double)sums.bytes / (double)sums.packets;
}

static void
report(struct bench *bench)
{
	const struct comparison *what = bench->options->what;
	double cycles[SIDES_MAX], bytes[SIDES_MAX];
	unsigned base = what->count - 1;

	for (unsigned side = 0; side < what->count; side++) {
		if (bench->peers[side] == NULL)
			continue;
		cycles[side] = quantile(bench, bench->cycles[side], 25);
		bytes[side] = quantile(bench, bench->bytes[side], 50);
		print(bench, what->sides[side], world_unit, cycles[side]);
		print(bench, what->sides[side], "GB/s",
		    bytes[side] / cycles[side] * bench->rate);
	}
	if (bench->options->side != NULL)
		return;
	if (what == &comparisons[KAFKA])
		report_added(bench, cycles[0] - cycles[base], bytes[0]);
	else
		for (unsigned side = 0; side < base; side++)
			print(bench, what->sides[side], "ratio",
			    cycles[side] / cycles[base]);
}

/* What one core could follow that had nothing else to do. */
static void
report_added(struct bench *bench, double added, double bytes)
{
	print(bench, "added", world_unit, added);
	if (added > 0)
		print(bench, "added", "GB/s", bytes / added * bench->rate);
}

/* ---- memory -------------------------------------------------------------- */

/* What the pages that hold it come to, by connection; the tables are full. */
static void
measure_memory(unsigned side)
{
	const char *system = comparisons[KAFKA].sides[side];
	struct script scripts[SCRIPTS];
	double before = process_bytes();
	struct lp_region *region;
	struct peers *peers;

	for (unsigned i = 0; i < SCRIPTS; i++)
		script_make(&scripts[i], SCRIPT_PRODUCE, 1, i);
	peers = peers_new(MEMORY_COUNT, MEMORY_COUNT,
	    comparisons[KAFKA].sorts[side], scripts, SCRIPTS, 1);
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
