/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to replace the brokers' addresses in an answer: a Metadata
 * request, its answer of so many brokers and a topic of 12 partitions, and the
 * client's acknowledgements, through the whole packet path between memory
 * ports.
 *
 *	passed		the listener leaves addresses alone
 *	rewritten	it replaces them: all segments of the answer but the
 *last are held and acknowledged, then ours go out
 *
 * 1,024 connections ask one after another, as many at a time as fill a batch
 * with their answers.  The client acknowledges every second segment.  Two
 * packet paths, one of each sort, take turns by rounds, of which a figure is
 * the lower quartile (see bench_kafka.c).
 *
 * Each line: name, system, unit, value, number of answers.  Cycles are of an
 * answer with its request and acknowledgements, GB/s the answer's bytes in
 * them; packets made are own segments, and own acknowledgements.
 */
#include <argp.h>
#include <err.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/clock.h"
#include "peers.h"

enum {
	ROUNDS = 61,
	ROUNDS_MAX = 100000,
	CONNECTIONS = 1024,
	ROUND_BATCHES = 16,
	SIZES = 3,
};

static const unsigned sizes[SIZES] = {3, 30, 300};

enum { PASSED, REWRITTEN, SIDES };
static const char *const side_names[SIDES] = {"passed", "rewritten"};

struct options {
	unsigned rounds;
	unsigned brokers; /* 0: all */
	unsigned side; /* SIDES: both */
};

struct side {
	struct peers *peers;
	uint32_t at; /* the next connection that asks */
	unsigned long answers; /* timed */
	uint64_t made, acks; /* packets of our own, of those */
	double *cycles; /* an answer, by round */
};

struct bench {
	const struct options *options;
	double rate; /* cycles per nanosecond */
	unsigned brokers;
	unsigned batch; /* answers */
	struct script script;
	struct side sides[SIDES];
};

static error_t parse_option(int key, char *arg, struct argp_state *state);
static double clock_rate(void);
static void measure(struct bench *bench);
static void open_sides(struct bench *bench);
static void measure_round(struct bench *bench, unsigned side, unsigned round);
static void talk(
    struct bench *bench, struct side *side, struct peers_sums *sums);
static uint32_t who(const struct side *side, unsigned number);
static void answer(
    struct bench *bench, struct side *side, struct peers_sums *sums);
static void acknowledge(
    struct bench *bench, struct side *side, struct peers_sums *sums);
static void report(struct bench *bench);
static void print(
    const struct bench *bench, unsigned side, const char *unit, double value);
static int compare(const void *a, const void *b);

int
main(int argc, char **argv)
{
	static const struct argp_option list[] = {
	    {"rounds", 'r', "N", 0, "Rounds a figure (default 61)", 0},
	    {"brokers", 'b', "N", 0, "Only so many: 3, 30, or 300", 0},
	    {"side", 's', "SIDE", 0, "Only passed or rewritten, for profilers",
		0},
	    {0},
	};
	static const struct argp argp = {
	    .options = list,
	    .parser = parse_option,
	    .doc = "Cycles of a Metadata answer, rewritten and not.",
	};
	struct options options = {.rounds = ROUNDS, .side = SIDES};
	struct bench bench = {.options = &options};
	cpu_set_t set;

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		warn("not pinned to a CPU");
	bench.rate = clock_rate();
	for (unsigned i = 0; i < SIDES; i++) {
		bench.sides[i].cycles = calloc(options.rounds, sizeof(double));
		if (bench.sides[i].cycles == NULL)
			err(1, "bench");
	}
	for (unsigned i = 0; i < SIZES; i++) {
		bench.brokers = sizes[i];
		if (options.brokers == 0 || options.brokers == sizes[i])
			measure(&bench);
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
	case 'b':
		options->brokers = (unsigned)strtoul(arg, NULL, 10);
		for (unsigned i = 0; i < SIZES; i++)
			if (options->brokers == sizes[i])
				return 0;
		argp_error(state, "--brokers %s: not measured", arg);
		return 0;
	case 's':
		for (unsigned i = 0; i < SIDES; i++)
			if (strcmp(arg, side_names[i]) == 0)
				options->side = i;
		if (options->side == SIDES)
			argp_error(state, "--side %s: no such side", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
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
measure(struct bench *bench)
{
	const struct options *options = bench->options;

	script_metadata(&bench->script, bench->brokers, 0);
	/* All but the request is the answer. */
	bench->batch = LP_BATCH_MAX / (bench->script.count - 1);
	if (bench->batch == 0)
		errx(1, "an answer is longer than a batch");
	open_sides(bench);
	for (unsigned round = 0; round < options->rounds; round++)
		for (unsigned i = 0; i < SIDES; i++)
			measure_round(bench, i, round);
	report(bench);
	for (unsigned i = 0; i < SIDES; i++) {
		if (bench->sides[i].peers == NULL)
			continue;
		peers_check(bench->sides[i].peers);
		peers_free(bench->sides[i].peers);
		bench->sides[i].peers = NULL;
	}
	script_free(&bench->script);
}

static void
open_sides(struct bench *bench)
{
	static const enum peers_sort sorts[SIDES] = {
	    PEERS_READ, PEERS_REWRITTEN};
	const struct options *options = bench->options;

	for (unsigned i = 0; i < SIDES; i++) {
		struct side *side = &bench->sides[i];
		struct peers_sums sums = {0};

		if (options->side != SIDES && options->side != i)
			continue;
		*side = (struct side){.cycles = side->cycles,
		    .peers = peers_new_cluster(
			CONNECTIONS, sorts[i], &bench->script, bench->brokers)};
		/* Each has asked once. */
		for (uint32_t n = 0; n < CONNECTIONS; n += bench->batch)
			talk(bench, side, &sums);
	}
}

static void
measure_round(struct bench *bench, unsigned at, unsigned round)
{
	struct side *side = &bench->sides[at];
	struct peers_sums sums = {0};
	const struct lp_stats *stats;
	uint64_t made, acks;

	if (side->peers == NULL)
		return;
	stats = side->peers->world.region.stats;
	for (unsigned i = 0; i < ROUND_BATCHES; i++)
		talk(bench, side, &sums);
	memset(&sums, 0, sizeof(sums));
	made = lp_count_get(&stats->sent_edited);
	acks = lp_count_get(&stats->sent_acks);
	side->peers->timed = true;
	for (unsigned i = 0; i < ROUND_BATCHES; i++)
		talk(bench, side, &sums);
	side->peers->timed = false;
	side->made += lp_count_get(&stats->sent_edited) - made;
	side->acks += lp_count_get(&stats->sent_acks) - acks;
	side->answers += bench->batch * ROUND_BATCHES;
	side->cycles[round] =
	    (double)sums.cycles / (bench->batch * ROUND_BATCHES);
}

/* As many as fill a batch: all ask, are answered, acknowledge. */
static void
talk(struct bench *bench, struct side *side, struct peers_sums *sums)
{
	const struct script *script = &bench->script;

	for (unsigned i = 0; i < bench->batch; i++)
		peers_lay(
		    side->peers, who(side, i), i, script, &script->packets[0]);
	peers_send(side->peers, LP_TO_BROKER, bench->batch, sums);
	answer(bench, side, sums);
	acknowledge(bench, side, sums);
	side->at = who(side, bench->batch);
}

static uint32_t
who(const struct side *side, unsigned number)
{
	return (side->at + number) % CONNECTIONS;
}

static void
answer(struct bench *bench, struct side *side, struct peers_sums *sums)
{
	const struct script *script = &bench->script;
	unsigned count = 0;

	for (unsigned i = 0; i < bench->batch; i++)
		for (unsigned packet = 1; packet < script->count; packet++)
			peers_lay(side->peers, who(side, i), count++, script,
			    &script->packets[packet]);
	peers_send(side->peers, LP_TO_CLIENT, count, sums);
}

/* Every second segment, and the last; and the cycle has ended. */
static void
acknowledge(struct bench *bench, struct side *side, struct peers_sums *sums)
{
	const struct script *script = &bench->script;
	struct script_packet ack = {
	    .at = script->len[LP_TO_BROKER], .dir = LP_TO_BROKER};
	unsigned count = 0;

	for (unsigned i = 0; i < bench->batch; i++) {
		uint32_t index = who(side, i);
		struct peers_place *place = &side->peers->places[index];
		uint32_t len = peers_answered(
		    side->peers, index, script->len[LP_TO_CLIENT]);

		for (ack.ack = 0; ack.ack < len;) {
			ack.ack += 2 * PAYLOAD_MAX;
			if (ack.ack > len)
				ack.ack = len;
			peers_lay(side->peers, index, count++, script, &ack);
		}
		place->base[LP_TO_BROKER] += script->len[LP_TO_BROKER];
		place->base[LP_TO_CLIENT] += script->len[LP_TO_CLIENT];
		place->shift += len - script->len[LP_TO_CLIENT];
	}
	peers_send(side->peers, LP_TO_BROKER, count, sums);
}

static void
report(struct bench *bench)
{
	unsigned rounds = bench->options->rounds;
	double cycles[SIDES];

	for (unsigned i = 0; i < SIDES; i++) {
		struct side *side = &bench->sides[i];
		double count = (double)side->answers;

		if (side->peers == NULL)
			continue;
		qsort(side->cycles, rounds, sizeof(double), compare);
		cycles[i] = side->cycles[rounds / 4];
		print(bench, i, world_unit, cycles[i]);
		print(bench, i, "GB/s",
		    bench->script.len[LP_TO_CLIENT] / cycles[i] * bench->rate);
		print(bench, i, "bytes", bench->script.len[LP_TO_CLIENT]);
		print(bench, i, "segments made", (double)side->made / count);
		print(bench, i, "acknowledgements made",
		    (double)side->acks / count);
	}
	if (bench->options->side == SIDES)
		print(bench, REWRITTEN, "ratio",
		    cycles[REWRITTEN] / cycles[PASSED]);
}

static void
print(const struct bench *bench, unsigned side, const char *unit, double value)
{
	printf("metadata/%u\t%s\t%s\t%.2f\t%lu\n", bench->brokers,
	    side_names[side], unit, value, bench->sides[side].answers);
	fflush(stdout);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}
