/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends that are held and bound by their windows (pace.h), at random times,
 * between simulated peers, by seeds: what left the plane to an end is looked
 * at, and whatever happens both read what the other one wrote.  Half of the
 * seeds are spliced connections, whose ends number bytes differently.
 * LP_TEST_SEED=N runs one, LP_TEST_TRACE=1 prints its segments.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kafka/kafka.h"
#include "dataplane/pipeline/conntrack.h"
#include "tests/support/ensure.h"
#include "tests/support/plane.h"
#include "tests/support/random.h"
#include "tests/support/splice_sim.h"

enum {
	SEEDS = 600, /* of each kind */
	BYTES_MAX = 30000,
	MSS_MIN = 64,
	MSS_MAX = 1460,
	MSS_CALM = 1440,
	FINE = 10, /* scales whose steps are smaller than a segment */
	PLACES = 2 * LP_CONNECTIONS_MIN,
};
static const uint64_t ms = 1000000;

/* One end, as the plane tells it and as the test holds it. */
struct end {
	bool known; /* it was told of a right edge: */
	uint32_t edge;
	uint32_t most; /* that the plane may have told it when it was held */
	uint32_t ack; /* the newest */
	uint64_t until_ns;
	bool bound;
};

static struct {
	struct end end[2]; /* by enum sim_who */
	uint64_t next_ns; /* when the test holds, or lets go, again */
	bool in_order; /* no link brings anything late or twice */
	bool spliced;
	bool calm; /* nothing is lost, and ends are as most are */
} now;

/* Of all seeds: that it has been hard enough. */
static struct {
	uint64_t holds, segments, lost, timeouts, repeats, probes, restarts;
} sums;

static struct lp_pace *
pace(void)
{
	struct lp_kafka *kafka =
	    lp_pipeline_conntrack(plane.pipeline)->removing_arg;

	return &kafka->pace;
}

/* By which `who` is told of its window. */
static unsigned
scale_of(const struct sim *sim, unsigned who)
{
	return sim->tcp[who].habits.scale == SIM_NO_SCALE ||
		sim->tcp[!who].habits.scale == SIM_NO_SCALE
	    ? 0
	    : sim->tcp[!who].habits.scale;
}

static void
look(const struct sim *sim, enum sim_who who, const struct sim_segment *segment)
{
	struct end *end = &now.end[who];
	unsigned scale = scale_of(sim, who);
	int32_t step = 1 << scale;
	uint32_t edge = segment->ack + ((uint32_t)segment->window << scale);
	int32_t gain = (int32_t)(edge - end->edge);
	int32_t room = scale > FINE ? 1 : now.spliced ? 64 * step : step;

	if ((segment->flags & (SIM_SYN | SIM_RST | SIM_ACK)) != SIM_ACK)
		return;
	/*
	 * Each acknowledgement may round it up, also one that was held back and
	 * is not seen here.  The byte of a probe may have been taken.
	 */
	if ((int32_t)(end->most - end->edge) > 0)
		room += (int32_t)(end->most - end->edge);
	if (end->known && sim->now_ns < end->until_ns && segment->window > 0)
		ensure(gain < room, "the edge of who is held moves on by %d",
		    gain);
	/* The ends themselves round down. */
	if (end->known && now.in_order &&
	    (int32_t)(segment->ack - end->ack) >= 0)
		ensure(gain > -step, "an edge moves back by %d", -gain);
	if (!end->known || gain > 0)
		end->edge = edge;
	if (!end->known || (int32_t)(segment->ack - end->ack) > 0)
		end->ack = segment->ack;
	end->known = true;
}

/* Nobody sends what it may not; a probe is of one byte. */
static void
look_sent(
    const struct sim *sim, unsigned who, const struct sim_segment *segment)
{
	const struct end *end = &now.end[who];

	if (end->known && segment->len > 1 &&
	    !(segment->flags & (SIM_SYN | SIM_RST)) && sim->now_ns > 0)
		ensure((int32_t)(segment->seq + segment->len - end->edge) <= 0,
		    "who is held sends beyond");
}

/* One end is held, bound or let go. */
static void
act(struct sim *sim)
{
	unsigned who = random_between(&sim->random, 0, 1);
	enum lp_direction sender =
	    who == SIM_CLIENT ? LP_TO_BROKER : LP_TO_CLIENT;
	unsigned what = random_between(&sim->random, 0, 99);
	struct end *end = &now.end[who];
	uint64_t until_ns = plane.now_ns +
	    random_between(&sim->random, 1, 300000) * (uint64_t)1000;

	if (what < 60) {
		lp_pace_until(pace(), 0, sender, until_ns);
		if (lp_pace_is_held(pace(), 0, sender, plane.now_ns) &&
		    until_ns > end->until_ns) {
			end->until_ns = until_ns;
			end->most = lp_pace_side(pace(), 0, sender)->edge;
		}
		sums.holds++;
	} else if (what < 80) {
		lp_pace_bound(pace(), 0, sender,
		    random_between(&sim->random, 2 * MSS_MAX,
			random_percent(&sim->random, 50) ? 4 * MSS_MAX
							 : 100000));
	} else if (what < 90) {
		lp_pace_release(pace(), 0, sender);
		end->until_ns = 0;
	} else if (what < 95) {
		lp_pace_bound(pace(), 0, sender, 0);
	} else if (what < 98 && !now.calm) {
		/* It asks for next hops anew, and drops what waits. */
		plane_restart();
		sums.restarts++;
	}
}

static void
step(struct sim *sim)
{
	/* The plane has a clock, too. */
	for (unsigned who = 0; who < 2; who++)
		if (now.end[who].until_ns > sim->now_ns &&
		    sim->beat_ns > now.end[who].until_ns + ms)
			sim->beat_ns = now.end[who].until_ns + ms;
	if (plane.region.connections[0].use != LP_CONN_USED)
		return;
	if (sim->now_ns >= now.next_ns) {
		act(sim);
		now.next_ns = sim->now_ns +
		    random_between(&sim->random, 1, 100000) * (uint64_t)1000;
		if (sim->beat_ns > sim->now_ns + ms)
			sim->beat_ns = sim->now_ns + ms;
	}
	sim_wake(sim, now.next_ns - sim->now_ns);
}

static void
step_spliced(struct splice_sim *run)
{
	step(&run->sim);
}

static void
tap_spliced(
    struct splice_sim *run, enum sim_who to, const struct sim_segment *segment)
{
	look(&run->sim, to, segment);
}

static bool
lose_spliced(
    struct splice_sim *run, enum sim_way way, const struct sim_segment *segment)
{
	if (way < SIM_TO_CLIENT)
		look_sent(&run->sim, way, segment);
	return false;
}

/* Any window that a scale can have, and links as they are drawn, or good. */
static void
draw(struct sim *sim, bool spliced)
{
	memset(&now, 0, sizeof(now));
	now.spliced = spliced;
	now.calm = random_percent(&sim->random, 40);
	for (unsigned who = 0; who < 2; who++) {
		struct sim_habits *habits = &sim->tcp[who].habits;

		if (habits->mss < MSS_MIN)
			habits->mss = MSS_MIN;
		if (now.calm)
			*habits = (struct sim_habits){.mss = MSS_CALM,
			    .cut_max = MSS_CALM,
			    .scale =
				(uint8_t)random_between(&sim->random, 0, 7),
			    .buffer = SIM_BUFFER_MAX,
			    .ack_delay_ns = habits->ack_delay_ns,
			    .sack = habits->sack,
			    .stamps = habits->stamps};
		else if (random_percent(&sim->random, 30))
			habits->scale =
			    (uint8_t)random_between(&sim->random, 0, 14);
		/* A step must fit, or there is never a window. */
		while (habits->scale != SIM_NO_SCALE &&
		    habits->buffer >> habits->scale < 2)
			habits->scale--;
	}
	now.in_order = true;
	for (unsigned way = 0; way < SIM_WAYS; way++) {
		struct sim_link *link = &sim->link[way];

		/* Of a damaged one the edge counts as told here, not there. */
		link->damaged = 0;
		if (now.calm)
			link->lost = link->late = link->twice = 0;
		now.in_order &= link->late == 0 && link->twice == 0;
	}
	now.next_ns = sim->now_ns;
}

static void
add_up(const struct sim *sim)
{
	sums.segments += sim->segments;
	sums.lost += sim->lost;
	for (unsigned who = 0; who < 2; who++) {
		sums.timeouts += sim->tcp[who].timeouts;
		sums.repeats += sim->tcp[who].repeats;
		sums.probes += sim->tcp[who].probes;
	}
}

static void
run_spliced(uint64_t seed)
{
	static struct splice_sim run;
	struct sim *sim = &run.sim;
	size_t most, bytes;

	splice_sim_prepare(&run, seed);
	draw(sim, true);
	most = 2 * sim_appetite(sim, SIM_CLIENT);
	bytes = 4 * sim_appetite(sim, SIM_BROKER);
	if (bytes > BYTES_MAX)
		bytes = BYTES_MAX;
	do
		address_talk_draw(&run.talk,
		    bytes > run.talk.told.len ? bytes - run.talk.told.len : 0);
	while (run.talk.count < ADDRESS_MESSAGES_MAX &&
	    run.talk.told.len < bytes && run.talk.bytes[SIM_CLIENT].len < most);
	run.step = step_spliced;
	run.tap = tap_spliced;
	run.lose = lose_spliced;
	splice_sim_run(&run, SPLICE_SIM_WHOLE, UINT64_MAX);
	add_up(sim);
}

/* Bytes that are no Kafka's, both ways. */
static void
app(void *context, struct sim *sim)
{
	const size_t *left = context;

	step(sim);
	for (unsigned who = 0; who < 2; who++)
		if (sim->tcp[who].out.len >= left[who])
			sim_shut(sim, who);
}

static void
tap_plain(void *context, enum sim_who to, const struct sim_segment *segment,
    bool right)
{
	if (right)
		look(context, to, segment);
}

static bool
lose_plain(void *context, enum sim_way way, const struct sim_segment *segment)
{
	if (way < SIM_TO_CLIENT)
		look_sent(context, way, segment);
	return false;
}

static void
run_plain(uint64_t seed)
{
	static uint8_t bytes[BYTES_MAX];
	static struct sim sim;
	size_t len[2];

	plane_reset();
	sim_prepare(&sim, seed);
	draw(&sim, false);
	sim.tap = tap_plain;
	sim.lose = lose_plain;
	sim.tap_context = sim.lose_context = &sim;
	sim_begin(&sim);
	for (unsigned who = 0; who < 2; who++) {
		len[who] = 2 * sim_appetite(&sim, who);
		if (len[who] > BYTES_MAX)
			len[who] = BYTES_MAX;
		/* Acknowledgements of both look like duplicates. */
		if (now.calm && who == seed % 2)
			len[who] = 0;
		for (size_t i = 0; i < len[who]; i++)
			bytes[i] = random_byte(seed + who, i);
		sim_write(&sim, who, bytes, len[who]);
	}
	sim_run(&sim, app, len);
	for (unsigned who = 0; who < 2; who++)
		ensure(!now.calm ||
			sim.tcp[who].timeouts + sim.tcp[who].repeats == 0,
		    "something was sent again");
	add_up(&sim);
	sim_close(&sim);
	plane_check();
}

static void
report(const char *which, unsigned seeds)
{
	uint64_t told = lp_count_get(&plane.region.stats->sent_windows);

	printf("%s, %u seeds: %" PRIu64 " times held, %" PRIu64
	       " took effect, %" PRIu64 " window updates, %" PRIu64
	       " restarts\n%" PRIu64 " segments, %" PRIu64 " lost, %" PRIu64
	       " timeouts, %" PRIu64 " fast retransmissions, %" PRIu64
	       " probes\n",
	    which, seeds, sums.holds, lp_count_get(&plane.region.stats->paced),
	    told, sums.restarts, sums.segments, sums.lost, sums.timeouts,
	    sums.repeats, sums.probes);
	ensure(told > seeds && sums.restarts > 0 && sums.lost > 0 &&
		sums.probes > 0,
	    "that is too easy");
	memset(&sums, 0, sizeof(sums));
}

static void
run_all(void (*run)(uint64_t seed), const char *which)
{
	unsigned seeds = random_seeds(SEEDS);
	uint64_t seed;

	if (random_seed_given(&seed)) {
		run(seed);
		return;
	}
	for (seed = 1; seed <= seeds; seed++)
		run(seed);
	report(which, seeds);
}

int
main(void)
{
	plane_open(PLACES);
	plane_run();
	run_all(run_plain, "as they are");
	plane_forget();
	plane_close();
	splice_sim_open(PLACES);
	splice_sim_advertise(30);
	run_all(run_spliced, "spliced");
	splice_sim_close();
	return EXIT_SUCCESS;
}
