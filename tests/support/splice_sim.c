/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/splice_sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/pattern.h"
#include "tests/proto/objects.h"
#include "tests/support/ensure.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/plane.h"
#include "tests/support/random.h"

enum {
	BASE = 9100, /* of brokers' ports, see objects.h */
	BOOTSTRAP = 9092,
	KEEPALIVE_BYTE = 0xaa, /* of sim_tcp.c */
};

/* What is advertised in the place of the VIP; empty: nothing. */
static char name[LP_HOST_SIZE];
static bool v6; /* of the connection that runs */

static uint32_t
listener_id(void)
{
	return v6 ? ORDERS_PUBLIC : PAYMENTS_PUBLIC;
}

/* By the rule; of what the rule has no port for, by the snapshot. */
static int32_t
port_of(int32_t id)
{
	struct lp_advertised out = {0};

	if (id <= UINT16_MAX - BASE)
		return BASE + id;
	ensure(lp_snapshot_advertised(
		   lp_snapshot_get(&plane.cell), listener_id(), id, &out),
	    "nothing is told of node %d", id);
	ensure(!out.known && out.port != 0 && out.port != BOOTSTRAP &&
		out.port != BASE && out.port != BASE + 1,
	    "node %d is told to be at port %u", id, out.port);
	return out.port;
}

static bool
tell(const struct address_node *node, struct address_node *as)
{
	uint8_t len;

	if (node->id < 0 || node->host[0] == '\0')
		return false;
	as->port = port_of(node->id);
	if (lp_pattern_is(name)) {
		len = lp_pattern_name(as->host, name + 1,
		    (uint8_t)strlen(name + 1), node->id,
		    (uint32_t)strlen(node->host));
		as->host[len] = '\0';
		return true;
	}
	snprintf(as->host, sizeof(as->host), "%s",
	    name[0] != '\0' ? name
		: v6        ? "2001:db8:9::100"
			    : "10.9.0.100");
	return true;
}

static void
publish(void)
{
	struct lp_config *config = &plane.config;

	for (size_t i = 0; i < config->count; i++) {
		struct lp_listener_object *listener =
		    &config->objects[i].listener;

		if (config->objects[i].kind != LP_OBJECT_LISTENER)
			continue;
		listener->rewrite = LP_REWRITING_ON;
		memcpy(listener->advertise, name, sizeof(name));
	}
	plane_publish();
}

void
splice_sim_advertise(unsigned len)
{
	ensure(len < sizeof(name), "a name of %u bytes", len);
	memset(name, 0, sizeof(name));
	for (unsigned i = 0; i < len; i++)
		name[i] = i % 40 == 39 && i + 1 < len ? '.' : 'k';
	publish();
}

void
splice_sim_pattern(unsigned suffix_len)
{
	char why[LP_WHY_SIZE];

	memset(name, 0, sizeof(name));
	name[0] = '*';
	for (unsigned i = 0; i < suffix_len; i++)
		name[1 + i] = i % 40 == 0 && i + 1 < suffix_len ? '.' : 'k';
	ensure(lp_pattern_check(name, why) == 0, "%s", why);
	publish();
}

void
splice_sim_open(uint32_t connections)
{
	plane_open(connections);
	splice_sim_advertise(0);
	plane_run();
}

void
splice_sim_close(void)
{
	plane_forget();
	plane_close();
}

/* A position of the sender, near what its receiver has. */
static int64_t
place(const struct sim *sim, enum sim_who to, uint32_t number)
{
	uint32_t iss = sim->tcp[!to].iss;
	uint64_t near = sim->tcp[to].received;

	return (int64_t)near + (int32_t)(number - (iss + (uint32_t)near));
}

/* One byte in front of what is next: it is of no stream. */
static bool
keeps_alive(const struct sim *sim, enum sim_who to,
    const struct sim_segment *segment, int64_t at)
{
	return segment->len == 1 && at < (int64_t)sim->tcp[to].received &&
	    segment->bytes[0] == KEEPALIVE_BYTE;
}

/* Index of the first byte that is not as it should be, or its length. */
static unsigned
first_wrong(const struct sim *sim, enum sim_who to,
    const struct sim_segment *segment, const struct sim_bytes *is, int64_t at)
{
	for (unsigned i = 0; i < segment->len; i++) {
		int64_t where = at + i;
		bool had = where < (int64_t)sim->tcp[to].received;

		if (had && to == SIM_CLIENT && segment->bytes[i] == 0)
			continue;
		if (where < 1 || where > (int64_t)is->len ||
		    is->bytes[where - 1] != segment->bytes[i])
			return i;
	}
	return segment->len;
}

static void
check_client(struct splice_sim *run, const struct sim_segment *segment)
{
	const struct sim *sim = &run->sim;
	const struct sim_tcp *client = &sim->tcp[SIM_CLIENT];
	bool zero = segment->len > 0;

	ensure(!address_talk_leaks(segment->bytes, segment->len),
	    "a broker's own address leaks");
	ensure(segment->len == 0 ||
		segment->len + (segment->stamped ? 12u : 0u) <=
		    client->habits.mss,
	    "a segment longer than the MSS");
	for (unsigned i = 0; i < segment->len; i++)
		zero = zero && segment->bytes[i] == 0;
	run->zeros += zero;
	run->segments += segment->len > 0;
	if (segment->len > run->longest)
		run->longest = segment->len;
}

static void
tap(void *context, enum sim_who to, const struct sim_segment *segment,
    bool right)
{
	struct splice_sim *run = context;
	const struct sim *sim = &run->sim;
	const struct sim_bytes *is =
	    to == SIM_CLIENT ? &run->talk.told : &run->talk.bytes[SIM_CLIENT];
	int64_t at = place(sim, to, segment->seq);
	unsigned wrong;

	/* Of a damaged one the receiver takes nothing, but the wire shows it */
	if (to == SIM_CLIENT && !right)
		ensure(!address_talk_leaks(segment->bytes, segment->len),
		    "a damaged segment leaks");
	if (!right || (segment->flags & (SIM_SYN | SIM_RST)))
		return;
	if (!keeps_alive(sim, to, segment, at)) {
		wrong = first_wrong(sim, to, segment, is, at);
		ensure(wrong == segment->len,
		    "%s: seq=%u len=%u, byte %u is 0x%02x at %" PRId64
		    " of %zu, which should be 0x%02x; it has %" PRIu64,
		    to == SIM_CLIENT ? "to the client" : "to the broker",
		    segment->seq, segment->len, wrong, segment->bytes[wrong],
		    at + wrong, is->len,
		    at + wrong >= 1 && at + wrong <= (int64_t)is->len
			? is->bytes[at + wrong - 1]
			: 0,
		    sim->tcp[to].received);
	}
	if (segment->flags & SIM_FIN)
		ensure(run->talk.stop_at > 0 ||
			at + segment->len == (int64_t)is->len + 1,
		    "a FIN at %" PRId64 " of %zu", at + segment->len, is->len);
	if (to == SIM_CLIENT)
		check_client(run, segment);
	if (run->tap)
		run->tap(run, to, segment);
}

static bool
lose(void *context, enum sim_way way, const struct sim_segment *segment)
{
	struct splice_sim *run = context;

	return run->lose && run->lose(run, way, segment);
}

static void
app(void *context, struct sim *sim)
{
	struct splice_sim *run = context;

	if (run->step)
		run->step(run);
	address_talk_run(&run->talk, sim);
}

void
splice_sim_prepare(struct splice_sim *run, uint64_t seed)
{
	plane_reset();
	sim_prepare(&run->sim, seed);
	run->zeros = run->segments = run->longest = 0;
	run->tap = NULL;
	run->lose = NULL;
	run->step = NULL;
	run->stage = 0;
	run->count = 0;
	v6 = run->sim.v6;
	address_talk_open(&run->talk, seed, tell);
	run->talk.tells_hints = lp_pattern_is(name);
	run->sim.tap = tap;
	run->sim.lose = lose;
	run->sim.tap_context = run->sim.lose_context = run;
	run->sim.promised[SIM_CLIENT] = &run->talk.told;
	run->sim.promised[SIM_BROKER] = &run->talk.bytes[SIM_CLIENT];
}

unsigned
splice_sim_pieces(void)
{
	const struct lp_kafka_state *state = &plane.region.kafka;
	unsigned count = 0;

	for (uint32_t i = 0; i < state->edit_count; i++) {
		uint32_t link = state->edits[i].bytes;

		for (; link != 0; link = state->held[link - 1].next)
			count++;
	}
	return count;
}

void
splice_sim_calm(struct splice_sim *run, bool is_v6)
{
	struct sim *sim = &run->sim;

	for (uint64_t seed = 1; sim->v6 != is_v6; seed++)
		splice_sim_prepare(run, seed);
	for (unsigned who = 0; who < 2; who++) {
		uint16_t mss = is_v6 ? 1440 : 1460;

		sim->tcp[who].habits = (struct sim_habits){.mss = mss,
		    .cut_max = mss,
		    .scale = 1,
		    .buffer = SIM_BUFFER_MAX};
	}
	for (unsigned way = 0; way < SIM_WAYS; way++)
		sim->link[way] = (struct sim_link){.delay_ns = 1000000};
	run->talk.pipeline = 1;
}

/* Nothing is kept of a connection that has ended, or rests. */
static void
check_rest(void)
{
	const struct lp_kafka_state *state = &plane.region.kafka;

	kafka_ensure_at_rest();
	for (uint32_t i = 0; i < state->edit_count; i++)
		ensure(state->edits[i].kind == LP_EDIT_NONE,
		    "edit %u is left behind", i);
	ensure(KAFKA_COUNTER(edits) == 0, "edits are counted, and none is");
}

static void
check_end(struct splice_sim *run, enum splice_sim_end end)
{
	for (unsigned who = 0; who < 2; who++) {
		const struct sim_bytes *in = &run->sim.tcp[who].in;
		const struct sim_bytes *is = run->sim.promised[who];

		run->read[who] = in->len;
		ensure(in->len == is->len ||
			(end == SPLICE_SIM_CUT && in->len < is->len),
		    "the %s has %zu of %zu bytes",
		    who == SIM_CLIENT ? "client" : "broker", in->len, is->len);
		ensure(
		    in->len == 0 || memcmp(in->bytes, is->bytes, in->len) == 0,
		    "the %s has other bytes",
		    who == SIM_CLIENT ? "client" : "broker");
	}
}

void
splice_sim_run(
    struct splice_sim *run, enum splice_sim_end end, uint64_t timeouts)
{
	struct sim *sim = &run->sim;
	uint64_t had;

	sim_begin(sim);
	sim_run(sim, app, run);
	check_end(run, end);
	had = sim->tcp[SIM_CLIENT].timeouts + sim->tcp[SIM_BROKER].timeouts;
	ensure(had <= timeouts || had - timeouts <= 3 * sim->lost,
	    "%" PRIu64 " retransmission timeouts, %" PRIu64 " losses", had,
	    sim->lost);
	/* So much time that nothing is kept of it for what may come again. */
	plane.now_ns = sim->now_ns;
	plane_check();
	if (!sim->aborted)
		check_rest();
	sim->aborted = true; /* sim_close() would ask for all again */
	sim_close(sim);
	address_talk_free(&run->talk);
}
