/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules come and go while simulated peers speak, by seeds, from before their
 * handshake to behind their ends: whatever is under way then, both read what
 * the other has written, to the byte.  The rules concern nothing that is said.
 * LP_TEST_SEED=N runs one, LP_TEST_TRACE=1 prints its segments.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/proto/objects.h"
#include "tests/support/ensure.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/plane.h"
#include "tests/support/random.h"
#include "tests/support/rule_stats.h"
#include "tests/support/talk.h"

enum {
	SEEDS = 600,
	BYTES_MAX = 30000,
	PLACES = 12 * LP_STREAM_HELD_MAX,
	RULE = 100,
	TURNS_MAX = 4,
};

static struct {
	struct sim sim;
	struct talk talk;
	uint64_t turn_ns; /* when rules come or go next; 0: no more */
	unsigned turns; /* that are left */
	uint64_t restart_ns;
	bool acting;
} run;

struct sums {
	uint64_t bytes, spliced, with_gap, half_open, ending, lost;
};

static void
turn_rules(bool acting)
{
	run.acting = acting;
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
	if (acting)
		rule_put(RULE, 10, "api=Produce topic=nobody", "deny", false);
	plane_publish();
}

/* What it has under way as it will be followed. */
static void
look(struct sums *sums)
{
	const struct lp_conn *conn = &plane.region.connections[0];
	const struct lp_kafka_side *sides = plane.region.kafka.conns[0].sides;

	if (conn->use != LP_CONN_USED || (conn->flags & LP_CONN_SPLICED))
		return;
	sums->spliced++;
	sums->half_open += lp_tcp_state_half_open(conn->tcp.state);
	sums->ending += conn->tcp.state > LP_TCP_ESTABLISHED;
	for (unsigned dir = 0; dir < 2; dir++)
		sums->with_gap +=
		    sides[dir].stream.need != sides[dir].stream.end;
}

static struct sums sums;

static void
step(void *context, struct sim *sim)
{
	(void)context;
	if (run.turn_ns > 0 && sim->now_ns >= run.turn_ns) {
		if (!run.acting)
			look(&sums);
		turn_rules(!run.acting);
		run.turn_ns = --run.turns == 0 ? 0
					       : sim->now_ns +
			random_between(&sim->random, 1, 400) * 1000000ull;
	}
	if (run.restart_ns > 0 && sim->now_ns >= run.restart_ns) {
		run.restart_ns = 0;
		plane_restart();
	}
	if (run.turn_ns > 0)
		sim_wake(sim, run.turn_ns - sim->now_ns);
	if (run.restart_ns > 0)
		sim_wake(sim, run.restart_ns - sim->now_ns);
	talk_run(&run.talk, sim);
}

/* But for which versions there are, which rules that act bound. */
static void
check_answers(void)
{
	const struct sim_bytes *must = &run.talk.bytes[SIM_BROKER];
	struct sim_bytes *got = &run.sim.tcp[SIM_CLIENT].in;

	ensure(
	    got->len == must->len, "%zu bytes, not %zu", got->len, must->len);
	for (unsigned i = 0; i < run.talk.count; i++) {
		const struct talk_message *message = &run.talk.messages[i];

		if (message->api == TALK_API_VERSIONS)
			memcpy(got->bytes + message->response_at,
			    must->bytes + message->response_at,
			    message->response_len);
	}
	ensure(memcmp(got->bytes, must->bytes, got->len) == 0,
	    "the client reads other bytes");
}

static void
run_seed(uint64_t seed)
{
	struct sim *sim = &run.sim;
	size_t most[2];

	plane_reset();
	turn_rules(false);
	sim_open(sim, seed);
	for (unsigned who = 0; who < 2; who++) {
		most[who] = sim_appetite(sim, who);
		if (most[who] > BYTES_MAX)
			most[who] = BYTES_MAX;
	}
	talk_open(&run.talk, seed, most[SIM_CLIENT], most[SIM_BROKER]);
	run.turns = random_between(&sim->random, 1, TURNS_MAX);
	run.turn_ns = sim->now_ns +
	    random_between(&sim->random, 1, seed % 2 ? 100000 : 2000000) *
		1000ull;
	run.restart_ns = random_percent(&sim->random, 20)
	    ? sim->now_ns + random_between(&sim->random, 1, 300000) * 1000ull
	    : 0;
	sim->promised[SIM_BROKER] = &run.talk.bytes[SIM_CLIENT];
	sim_run(sim, step, NULL);
	check_answers();
	ensure(sim->tcp[SIM_BROKER].in.len == run.talk.bytes[SIM_CLIENT].len,
	    "the broker reads less");
	ensure(KAFKA_COUNTER(edits) == 0, "edits are left");
	kafka_ensure_at_rest();
	sums.bytes += run.talk.bytes[SIM_BROKER].len;
	sums.lost += KAFKA_COUNTER(streams_lost);
	sim_close(sim);
	talk_free(&run.talk);
	plane_check();
}

int
main(void)
{
	unsigned seeds = random_seeds(SEEDS);
	size_t first, count;
	uint64_t seed;

	plane_open(PLACES);
	count = lp_config_range(&plane.config, LP_OBJECT_LISTENER, &first);
	for (size_t i = first; i < first + count; i++) {
		struct lp_object listener = plane.config.objects[i];

		listener.listener.unjudged = LP_UNJUDGED_PASS;
		put(&plane.config, listener);
	}
	plane_run();
	if (random_seed_given(&seed)) {
		run_seed(seed);
	} else {
		for (seed = 1; seed <= seeds; seed++)
			run_seed(seed);
		printf("%u seeds: %" PRIu64 " bytes of answers; %" PRIu64
		       " followed: %" PRIu64 " half open, %" PRIu64
		       " ending, %" PRIu64 " gaps; %" PRIu64 " lost\n",
		    seeds, sums.bytes, sums.spliced, sums.half_open,
		    sums.ending, sums.with_gap, sums.lost);
		fflush(stdout);
		ensure(
		    sums.half_open > 0 && sums.ending > 0 && sums.with_gap > 0,
		    "this shows nothing");
	}
	plane_forget();
	plane_close();
	return 0;
}
