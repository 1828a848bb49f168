/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two simulated peers and a plane between them, by seeds: what each has read
 * is what the other one wrote.  LP_TEST_SEED=N runs one, LP_TEST_TRACE=1
 * prints its segments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/ensure.h"
#include "tests/support/plane.h"
#include "tests/support/random.h"
#include "tests/support/sim.h"

enum {
	SEEDS = 2500,
	AGAIN = 20, /* that are run a second time */
	BYTES_MAX = 20000,
	CONNECTIONS = LP_CONNECTIONS_MIN,
};

/* An application writes its bytes little by little. */
struct side {
	uint8_t bytes[BYTES_MAX];
	size_t size, written;
	bool waits; /* shuts only when the other one has */
	uint32_t chunk_max, pause_us;
	uint64_t next_ns;
};

struct talkers {
	struct side side[2];
	uint64_t abort_ns; /* 0: not at all */
	unsigned abort_who;
};

/* Of all seeds: that it has been hard enough. */
struct sum {
	uint64_t bytes, segments, lost, aborted;
	uint64_t timeouts, repeats, probes, kept_alive, behind_gaps;
};

static void
write_some(struct sim *sim, struct side *side, unsigned who)
{
	size_t len = random_between(&sim->random, 1, side->chunk_max);

	if (len > side->size - side->written)
		len = side->size - side->written;
	sim_write(sim, who, side->bytes + side->written, len);
	side->written += len;
	side->next_ns = sim->now_ns +
	    random_between(&sim->random, 0, side->pause_us) * 1000ull;
}

static void
app(void *context, struct sim *sim)
{
	struct talkers *talkers = context;

	if (talkers->abort_ns > 0 && sim->now_ns >= talkers->abort_ns &&
	    sim->tcp[talkers->abort_who].state == SIM_OPEN) {
		sim_abort(sim, talkers->abort_who);
		talkers->abort_ns = 0;
	}
	for (unsigned who = 0; who < 2; who++) {
		struct side *side = &talkers->side[who];

		while (
		    side->written < side->size && sim->now_ns >= side->next_ns)
			write_some(sim, side, who);
		if (side->written < side->size)
			sim_wake(sim, side->next_ns - sim->now_ns);
		else if (!side->waits || sim_at_end(sim, who))
			sim_shut(sim, who);
	}
}

static void
draw(struct talkers *talkers, struct sim *sim)
{
	static const uint32_t pauses[] = {0, 100, 10000, 500000};

	for (unsigned who = 0; who < 2; who++) {
		struct side *side = &talkers->side[who];
		size_t most = sim_appetite(sim, who);

		side->size = random_between(&sim->random, 0,
		    (uint32_t)(most < BYTES_MAX ? most : BYTES_MAX));
		if (random_percent(&sim->random, 30))
			side->size /= 20;
		side->written = 0;
		side->next_ns = sim->now_ns;
		side->pause_us = pauses[random_between(&sim->random, 0, 3)];
		side->chunk_max =
		    (uint32_t)side->size / (side->pause_us > 0 ? 20 : 2) + 1;
		for (size_t i = 0; i < side->size; i++)
			side->bytes[i] = random_byte(sim->seed + who, i);
	}
	/* One of them at most, or nobody begins to end. */
	talkers->side[0].waits = random_percent(&sim->random, 40);
	talkers->side[1].waits =
	    !talkers->side[0].waits && random_percent(&sim->random, 60);
	talkers->abort_ns = random_percent(&sim->random, 5)
	    ? sim->now_ns + random_between(&sim->random, 1, 200000) * 1000ull
	    : 0;
	talkers->abort_who = random_between(&sim->random, 0, 1);
}

/* The same seed is the same run, whatever ran before. */
static void
check_again(const struct sim *sim)
{
	static struct {
		uint64_t now_ns, segments, lost, serial, random;
	} first[AGAIN + 1];

	if (sim->seed == 0 || sim->seed > AGAIN)
		return;
	if (first[sim->seed].segments > 0)
		ensure(first[sim->seed].now_ns == sim->now_ns &&
			first[sim->seed].segments == sim->segments &&
			first[sim->seed].lost == sim->lost &&
			first[sim->seed].serial == sim->serial &&
			first[sim->seed].random == sim->random,
		    "the second run was another one");
	first[sim->seed].now_ns = sim->now_ns;
	first[sim->seed].segments = sim->segments;
	first[sim->seed].lost = sim->lost;
	first[sim->seed].serial = sim->serial;
	first[sim->seed].random = sim->random;
}

static void
run(uint64_t seed, struct sum *sum)
{
	static struct sim sim;
	static struct talkers talkers;

	plane_reset();
	sim_open(&sim, seed);
	draw(&talkers, &sim);
	sim_run(&sim, app, &talkers);
	check_again(&sim);
	sum->bytes += sim.tcp[0].in.len + sim.tcp[1].in.len;
	sum->segments += sim.segments;
	sum->lost += sim.lost;
	sum->aborted += sim.aborted;
	for (unsigned who = 0; who < 2; who++) {
		const struct sim_tcp *tcp = &sim.tcp[who];

		sum->timeouts += tcp->timeouts;
		sum->repeats += tcp->repeats;
		sum->probes += tcp->probes;
		sum->kept_alive += tcp->kept_alive;
		sum->behind_gaps += tcp->behind_gaps;
	}
	sim_close(&sim);
	plane_check();
}

int
main(void)
{
	struct sum sum = {0}, again = {0};
	uint64_t seed;
	unsigned seeds = random_seeds(SEEDS);

	plane_open(CONNECTIONS);
	plane_run();
	if (random_seed_given(&seed)) {
		run(seed, &sum);
	} else {
		for (seed = 1; seed <= seeds; seed++)
			run(seed, &sum);
		for (seed = 1; seed <= AGAIN; seed++)
			run(seed, &again);
		printf("%u seeds: %lu bytes in %lu segments, %lu lost, %lu "
		       "connections aborted\n%lu timeouts, %lu fast "
		       "retransmissions, %lu probes, %lu keep-alives, %lu "
		       "segments behind a gap\n",
		    seeds, sum.bytes, sum.segments, sum.lost, sum.aborted,
		    sum.timeouts, sum.repeats, sum.probes, sum.kept_alive,
		    sum.behind_gaps);
		ensure(sum.lost > 0 && sum.aborted > 0 && sum.timeouts > 0 &&
			sum.repeats > 0 && sum.probes > 0 &&
			sum.kept_alive > 0 && sum.behind_gaps > 0,
		    "that is too easy");
	}
	plane_forget();
	plane_close();
	return EXIT_SUCCESS;
}
