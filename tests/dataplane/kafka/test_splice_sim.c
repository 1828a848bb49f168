/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listener that rewrites addresses between simulated peers, by seeds: links
 * lose, reorder, repeat and damage, ends cut, resize their windows and grow
 * old; the client reads the answers of a cluster of other addresses, to the
 * byte, and nothing else is ever seen on its side (splice_sim.h).
 * LP_TEST_SEED=N runs one, LP_TEST_TRACE=1 prints its segments.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/ensure.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/plane.h"
#include "tests/support/random.h"
#include "tests/support/splice_sim.h"

enum {
	SEEDS = 2500,
	RUN = 500, /* seeds for one advertised name: it costs a snapshot */
	BYTES_MAX = 30000, /* of all answers, about */
	MSS_MIN = 64,
	BUFFER_FAIR = 1000,
	TIMEOUTS_FREE = 16, /* and three for each loss, see splice_sim.h */
	PLACES = 2 * LP_CONNECTIONS_MIN,
};

/* Of all seeds: that it has been hard enough. */
struct sums {
	uint64_t requests, bytes, nodes, edited, zeros, hinted, hidden;
	uint64_t segments, lost, timeouts, repeats, probes;
};

/* What happens once, in the midst of it; 0: it does not. */
static struct {
	uint64_t abort_ns;
	enum sim_who who;
	uint64_t restart_ns;
} plan;

static void
happen(struct splice_sim *run)
{
	struct sim *sim = &run->sim;

	if (plan.abort_ns > 0 && sim->now_ns >= plan.abort_ns) {
		plan.abort_ns = 0;
		if (sim->tcp[plan.who].state == SIM_OPEN)
			sim_abort(sim, plan.who);
	}
	if (plan.restart_ns > 0 && sim->now_ns >= plan.restart_ns) {
		plan.restart_ns = 0;
		plane_restart();
	}
	if (plan.abort_ns > 0)
		sim_wake(sim, plan.abort_ns - sim->now_ns);
	if (plan.restart_ns > 0)
		sim_wake(sim, plan.restart_ns - sim->now_ns);
}

static uint64_t
draw_time(struct sim *sim, unsigned percent)
{
	if (!random_percent(&sim->random, percent))
		return 0;
	return sim->now_ns + random_between(&sim->random, 1, 300000) * 1000ull;
}

/*
 * What is advertised: the VIP, a name shorter than the brokers', longer, or a
 * pattern for most of them, or for few.
 */
static const struct {
	unsigned len;
	bool is_pattern;
} names[] = {
    {0, false}, {1, false}, {30, false}, {200, false}, {2, true}, {40, true}};

static unsigned
name_of(uint64_t seed)
{
	return (unsigned)(seed / RUN % (sizeof(names) / sizeof(names[0])));
}

static void
advertise(uint64_t seed)
{
	unsigned i = name_of(seed);

	if (names[i].is_pattern)
		splice_sim_pattern(names[i].len);
	else
		splice_sim_advertise(names[i].len);
}

static void
draw(struct splice_sim *run)
{
	struct sim *sim = &run->sim;
	size_t most, bytes;

	for (unsigned who = 0; who < 2; who++)
		if (sim->tcp[who].habits.mss < MSS_MIN)
			sim->tcp[who].habits.mss = MSS_MIN;
	/* Requests have to get through, too. */
	most = 2 * sim_appetite(sim, SIM_CLIENT);
	bytes = 4 * sim_appetite(sim, SIM_BROKER);
	if (bytes > BYTES_MAX)
		bytes = BYTES_MAX;
	do
		address_talk_draw(&run->talk,
		    bytes > run->talk.told.len ? bytes - run->talk.told.len
					       : 0);
	while (run->talk.count < ADDRESS_MESSAGES_MAX &&
	    run->talk.told.len < bytes &&
	    run->talk.bytes[SIM_CLIENT].len < most);
}

/*
 * Of a window that is often shut there are many.  Else each loss may cost some,
 * and a list that does not fit the window, too.
 */
static uint64_t
timeouts_max(const struct splice_sim *run)
{
	for (unsigned who = 0; who < 2; who++)
		if (run->sim.tcp[who].habits.buffer < BUFFER_FAIR)
			return UINT64_MAX;
	return TIMEOUTS_FREE;
}

static void
run_seed(uint64_t seed, struct sums *sums)
{
	static struct splice_sim run;

	splice_sim_prepare(&run, seed);
	draw(&run);
	plan.abort_ns = draw_time(&run.sim, 5);
	plan.who = random_between(&run.sim.random, 0, 1);
	plan.restart_ns = draw_time(&run.sim, 20);
	run.step = happen;
	sums->requests += run.talk.count;
	sums->bytes += run.talk.told.len;
	sums->nodes += run.talk.nodes;
	sums->edited += run.talk.edited;
	sums->hinted += run.talk.hinted;
	sums->hidden += run.talk.hidden;
	splice_sim_run(&run,
	    plan.abort_ns > 0 ? SPLICE_SIM_CUT : SPLICE_SIM_WHOLE,
	    timeouts_max(&run));
	sums->zeros += run.zeros;
	sums->segments += run.sim.segments;
	sums->lost += run.sim.lost;
	for (unsigned who = 0; who < 2; who++) {
		sums->timeouts += run.sim.tcp[who].timeouts;
		sums->repeats += run.sim.tcp[who].repeats;
		sums->probes += run.sim.tcp[who].probes;
	}
}

int
main(void)
{
	struct sums sums = {0};
	unsigned seeds = random_seeds(SEEDS);
	uint64_t seed;

	splice_sim_open(PLACES);
	if (random_seed_given(&seed)) {
		advertise(seed);
		run_seed(seed, &sums);
		splice_sim_close();
		return EXIT_SUCCESS;
	}
	for (seed = 1; seed <= seeds; seed++) {
		if (name_of(seed) != name_of(seed - 1))
			advertise(seed);
		run_seed(seed, &sums);
	}
	printf("%u seeds: %" PRIu64 " requests, %" PRIu64 " bytes, %" PRIu64
	       " brokers in %" PRIu64 " edited answers (hints: %" PRIu64
	       " told, %" PRIu64 " hidden), %" PRIu64
	       " segments of zeros\n%" PRIu64 " segments, %" PRIu64
	       " lost, %" PRIu64 " timeouts, %" PRIu64
	       " fast retransmissions, %" PRIu64 " probes\n",
	    seeds, sums.requests, sums.bytes, sums.nodes, sums.edited,
	    sums.hinted, sums.hidden, sums.zeros, sums.segments, sums.lost,
	    sums.timeouts, sums.repeats, sums.probes);
	ensure(sums.edited > seeds && sums.zeros > 0 && sums.lost > 0 &&
		sums.timeouts > 0 && sums.repeats > 0 && sums.probes > 0,
	    "that is too easy");
	splice_sim_close();
	return EXIT_SUCCESS;
}
