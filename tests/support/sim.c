/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/ensure.h"
#include "tests/support/plane.h"
#include "tests/support/random.h"
#include "tests/support/sim_draw.h"

enum {
	STEPS_MAX = 1000000,
	PACKETS = 70, /* that an appetite is meant for */
};
static const uint64_t second_ns = 1000000000;

/* The one that runs, for what prints it when it fails. */
static const struct sim *running;

static const char *const way_names[SIM_WAYS] = {
    [SIM_FROM_CLIENT] = "client > plane",
    [SIM_FROM_BROKER] = "broker > plane",
    [SIM_TO_CLIENT] = "plane > client",
    [SIM_TO_BROKER] = "plane > broker",
};

static const uint8_t slots[2][2] = {
    {[SIM_CLIENT] = FRONT_SLOT, [SIM_BROKER] = BACK_SLOT},
    {[SIM_CLIENT] = LEFT_SLOT, [SIM_BROKER] = RIGHT_SLOT},
};
bool sim_is_inline;

static void
print_trace(const struct sim *sim, const struct sim_trace *trace)
{
	char text[128];

	sim_frame_describe(text, &trace->segment);
	fprintf(stderr, "%12.6f %s %-9s %s\n",
	    (double)(trace->at_ns - sim->start_ns) / 1e9, way_names[trace->way],
	    trace->what, text);
}

static void
print_all(void)
{
	unsigned first = running->traced > SIM_TRACE_MAX
	    ? running->traced - SIM_TRACE_MAX
	    : 0;

	if (running->live)
		return;
	for (unsigned i = first; i < running->traced; i++)
		print_trace(running, &running->trace[i % SIM_TRACE_MAX]);
}

static void
trace(struct sim *sim, unsigned way, const char *what,
    const struct sim_segment *segment)
{
	struct sim_trace *line = &sim->trace[sim->traced++ % SIM_TRACE_MAX];

	line->at_ns = sim->now_ns;
	line->way = (uint8_t)way;
	line->what = what;
	memcpy(&line->segment, segment, offsetof(struct sim_segment, bytes));
	if (sim->live)
		print_trace(sim, line);
}

static bool
before(const struct sim_flight *a, const struct sim_flight *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns
				    : a->serial < b->serial;
}

static void
push(struct sim *sim, unsigned way, const struct packet *frame, uint64_t at_ns)
{
	struct sim_flight flight = {
	    .at_ns = at_ns, .serial = sim->serial++, .way = (uint8_t)way};
	unsigned i = sim->in_flight;

	if (i == SIM_FLIGHT_MAX) {
		sim->lost++;
		return;
	}
	flight.frame = sim->free[i];
	memcpy(sim->frames[flight.frame].bytes, frame->bytes, frame->len);
	sim->frames[flight.frame].len = frame->len;
	sim->in_flight++;
	for (; i > 0 && before(&flight, &sim->flight[(i - 1) / 2]);
	     i = (i - 1) / 2)
		sim->flight[i] = sim->flight[(i - 1) / 2];
	sim->flight[i] = flight;
}

/* Takes the first one; its frame stays until another is pushed. */
static struct sim_flight
pop(struct sim *sim)
{
	struct sim_flight first = sim->flight[0];
	struct sim_flight last = sim->flight[--sim->in_flight];
	unsigned i = 0;

	sim->free[sim->in_flight] = first.frame;
	for (unsigned child = 1; child < sim->in_flight; child = 2 * i + 1) {
		if (child + 1 < sim->in_flight &&
		    before(&sim->flight[child + 1], &sim->flight[child]))
			child++;
		if (!before(&sim->flight[child], &last))
			break;
		sim->flight[i] = sim->flight[child];
		i = child;
	}
	sim->flight[i] = last;
	return first;
}

static bool
chance(struct sim *sim, unsigned per_mille)
{
	return random_next(&sim->random) % 1000 < per_mille;
}

/* What becomes of a frame on its way. */
static void
carry(struct sim *sim, enum sim_way way, struct packet *frame,
    const struct sim_segment *segment)
{
	struct sim_link *link = &sim->link[way];
	uint64_t at = sim->now_ns + link->delay_ns +
	    random_between(&sim->random, 0, (uint32_t)link->jitter_ns);

	sim->segments++;
	if (chance(sim, link->lost) ||
	    (sim->lose && sim->lose(sim->lose_context, way, segment))) {
		sim->lost++;
		trace(sim, way, "lost", segment);
		return;
	}
	if (segment->len > 0 && chance(sim, link->damaged)) {
		/* Each way another bit: twice must not be right again. */
		frame->bytes[frame->len - 1] ^= (uint8_t)(1u << way);
		sim->lost++;
		trace(sim, way, "damaged", segment);
	}
	if (chance(sim, link->late)) {
		trace(sim, way, "late", segment);
		at += random_between(
		    &sim->random, 1, 4 * (uint32_t)link->delay_ns);
	} else {
		trace(sim, way, "", segment);
		if (at < link->last_ns)
			at = link->last_ns;
		link->last_ns = at;
	}
	push(sim, way, frame, at);
	if (chance(sim, link->twice)) {
		trace(sim, way, "twice", segment);
		push(sim, way, frame,
		    at +
			random_between(
			    &sim->random, 0, 4 * (uint32_t)link->delay_ns));
	}
}

void
sim_send(struct sim *sim, enum sim_who who, const struct sim_segment *segment)
{
	struct packet frame;

	memcpy(sim->peer[who].mac,
	    sim_is_inline ? sim->place[!who].mac
			  : plane.wires[slots[false][who]]->mac,
	    6);
	sim_frame_build(
	    &frame, sim->v6, &sim->place[who], &sim->peer[who], segment);
	carry(sim, SIM_FROM_CLIENT + who, &frame, segment);
}

static void
send_client(void *context, const struct sim_segment *segment)
{
	sim_send(context, SIM_CLIENT, segment);
}

static void
send_broker(void *context, const struct sim_segment *segment)
{
	sim_send(context, SIM_BROKER, segment);
}

void
sim_open(struct sim *sim, uint64_t seed)
{
	sim_prepare(sim, seed);
	sim_begin(sim);
}

void
sim_prepare(struct sim *sim, uint64_t seed)
{
	const char *live = getenv("LP_TEST_TRACE");

	/* Not the frames: most of it. */
	memset(sim, 0, offsetof(struct sim, frames));
	sim->seed = sim->random = seed;
	sim->segments = sim->lost = 0;
	sim->traced = 0;
	sim->tap = NULL;
	sim->lose = NULL;
	sim->promised[SIM_CLIENT] = sim->promised[SIM_BROKER] = NULL;
	sim->live = live != NULL && strcmp(live, "0") != 0;
	sim->start_ns = sim->now_ns = plane.now_ns;
	sim->wake_ns = sim->now_ns;
	sim->beat_ns = sim->now_ns + second_ns;
	sim->v6 = random_percent(&sim->random, 50);
	for (unsigned i = 0; i < SIM_FLIGHT_MAX; i++)
		sim->free[i] = i;
	running = sim;
	ensure_failing = print_all;
	ensure_at("LP_TEST_SEED=%lu", seed);
	sim_draw(sim);
	for (unsigned who = 0; who < 2; who++) {
		sim->tcp[who].random = &sim->random;
		sim->tcp[who].context = sim;
	}
	sim->tcp[SIM_CLIENT].emit = send_client;
	sim->tcp[SIM_BROKER].emit = send_broker;
}

void
sim_begin(struct sim *sim)
{
	sim_tcp_open(&sim->tcp[SIM_BROKER], false, sim->now_ns);
	sim_tcp_open(&sim->tcp[SIM_CLIENT], true, sim->now_ns);
}

size_t
sim_appetite(const struct sim *sim, enum sim_who who)
{
	const struct sim_habits *own = &sim->tcp[who].habits;
	const struct sim_habits *other = &sim->tcp[!who].habits;
	size_t cut = own->cut_max < other->mss ? own->cut_max : other->mss;

	if (own->cut_random)
		cut = (cut + 1) / 2;
	/* Each time a small buffer fills up costs an update or a probe. */
	if (cut > other->buffer)
		cut = other->buffer;
	return cut * PACKETS;
}

/* A frame that has come to an end. */
static void
arrive(struct sim *sim, unsigned who, const struct packet *frame)
{
	struct sim_segment segment;
	struct sim_place src = {0}, dst = {0};
	char text[PACKET_TEXT_SIZE];
	enum sim_frame_result result =
	    sim_frame_read(frame, sim->v6, &src, &dst, &segment);

	if (result == SIM_FRAME_OTHER)
		packet_describe(text, frame->bytes, frame->len);
	ensure(result != SIM_FRAME_OTHER, "unexpected: %s", text);
	ensure(memcmp(&dst, &sim->place[who], sizeof(dst)) == 0,
	    "a segment for someone else");
	/* Damage makes the sum wrong, nothing else does. */
	if (result == SIM_FRAME_WRONG_SUM) {
		unsigned damaged = 0;

		for (unsigned way = 0; way < SIM_WAYS; way++)
			damaged += sim->link[way].damaged;
		ensure(damaged > 0, "a checksum is wrong");
		return;
	}
	if (who == SIM_BROKER && sim->tcp[who].state == SIM_LISTEN)
		sim->peer[who] = src;
	memcpy(sim->peer[who].mac, src.mac, 6);
	/* A SYN that comes very late makes another connection. */
	if (memcmp(&src, &sim->peer[who], sizeof(src)) == 0)
		sim_tcp_input(&sim->tcp[who], &segment, sim->now_ns);
}

/* What has left the plane goes on to the ends. */
static void
turn_plane(struct sim *sim)
{
	plane_run();
	for (unsigned who = 0; who < 2; who++) {
		struct plane_out *out = &plane.out[slots[sim_is_inline][who]];

		while (out->tail != out->head) {
			struct packet *frame =
			    &out->frames[out->tail++ % PLANE_OUT_MAX];
			struct sim_segment segment = {0};
			struct sim_place src, dst;
			enum sim_frame_result result;

			result = sim_frame_read(
			    frame, sim->v6, &src, &dst, &segment);
			if (sim->tap != NULL && result != SIM_FRAME_OTHER)
				sim->tap(sim->tap_context, who, &segment,
				    result == SIM_FRAME_TCP);
			carry(sim, SIM_TO_CLIENT + who, frame, &segment);
		}
	}
}

/* All frames whose time has come. */
static void
deliver(struct sim *sim)
{
	bool turn = sim->now_ns >= sim->beat_ns;

	if (turn)
		sim->beat_ns = sim->now_ns + second_ns;
	for (unsigned i = 0; i < LP_BATCH_MAX && sim->in_flight > 0 &&
	     sim->flight[0].at_ns <= sim->now_ns;
	     i++) {
		struct sim_flight flight = pop(sim);
		const struct packet *frame = &sim->frames[flight.frame];

		if (flight.way >= SIM_TO_CLIENT) {
			arrive(sim, flight.way - SIM_TO_CLIENT, frame);
			continue;
		}
		ensure(plane_inject(slots[sim_is_inline][flight.way],
			   frame->bytes, frame->len),
		    "no room in a port");
		turn = true;
	}
	if (turn)
		turn_plane(sim);
}

static uint64_t
next_event(const struct sim *sim)
{
	uint64_t at = sim->beat_ns;

	if (sim->in_flight > 0 && sim->flight[0].at_ns < at)
		at = sim->flight[0].at_ns;
	if (sim->wake_ns < at)
		at = sim->wake_ns;
	for (unsigned who = 0; who < 2; who++)
		if (sim_tcp_next(&sim->tcp[who]) < at)
			at = sim_tcp_next(&sim->tcp[who]);
	return at;
}

/* One whose RST got lost may leave the other one waiting for ever. */
static bool
is_over(const struct sim *sim)
{
	if (sim->aborted && sim->now_ns >= sim->aborted_ns + 60 * second_ns)
		return true;
	return sim_tcp_done(&sim->tcp[SIM_CLIENT]) &&
	    sim_tcp_done(&sim->tcp[SIM_BROKER]);
}

void
sim_run(
    struct sim *sim, void (*app)(void *context, struct sim *sim), void *context)
{
	uint64_t limit = sim->start_ns + SIM_LIMIT_S * second_ns;

	for (unsigned steps = 0; !is_over(sim); steps++) {
		uint64_t at = next_event(sim);

		if (at > sim->now_ns)
			sim->now_ns = plane.now_ns = at;
		ensure(sim->now_ns < limit && steps < STEPS_MAX,
		    "not done after %lu s, %u steps: client %zu of %zu, "
		    "broker %zu of %zu bytes",
		    (sim->now_ns - sim->start_ns) / second_ns, steps,
		    sim->tcp[SIM_CLIENT].in.len, sim->tcp[SIM_BROKER].out.len,
		    sim->tcp[SIM_BROKER].in.len, sim->tcp[SIM_CLIENT].out.len);
		if (sim->wake_ns <= sim->now_ns)
			sim->wake_ns = sim_never;
		deliver(sim);
		app(context, sim);
		for (unsigned who = 0; who < 2; who++)
			sim_tcp_run(&sim->tcp[who], sim->now_ns);
	}
}

void
sim_close(struct sim *sim)
{
	for (unsigned who = 0; who < 2; who++) {
		const struct sim_bytes *in = &sim->tcp[who].in;
		const struct sim_bytes *out = sim->promised[who]
		    ? sim->promised[who]
		    : &sim->tcp[!who].out;

		ensure(
		    in->len == out->len || (sim->aborted && in->len < out->len),
		    "%s has %zu of %zu bytes",
		    who == SIM_CLIENT ? "the client" : "the broker", in->len,
		    out->len);
		ensure(
		    in->len == 0 || memcmp(in->bytes, out->bytes, in->len) == 0,
		    "%s has other bytes",
		    who == SIM_CLIENT ? "the client" : "the broker");
	}
	for (unsigned who = 0; who < 2; who++)
		sim_tcp_free(&sim->tcp[who]);
	ensure_failing = NULL;
	running = NULL;
}

void
sim_write(struct sim *sim, enum sim_who who, const void *bytes, size_t len)
{
	ensure(!sim->tcp[who].shut, "written after the end");
	sim_bytes_add(&sim->tcp[who].out, bytes, len);
}

void
sim_shut(struct sim *sim, enum sim_who who)
{
	sim->tcp[who].shut = true;
}

void
sim_abort(struct sim *sim, enum sim_who who)
{
	sim->aborted = true;
	sim->aborted_ns = sim->now_ns;
	sim_tcp_abort(&sim->tcp[who]);
}

void
sim_wake(struct sim *sim, uint64_t in_ns)
{
	if (sim->now_ns + in_ns < sim->wake_ns)
		sim->wake_ns = sim->now_ns + in_ns;
}

const uint8_t *
sim_read(const struct sim *sim, enum sim_who who, size_t *len)
{
	*len = sim->tcp[who].read;
	return sim->tcp[who].in.bytes;
}

bool
sim_at_end(const struct sim *sim, enum sim_who who)
{
	const struct sim_tcp *tcp = &sim->tcp[who];

	return tcp->state == SIM_RESET ||
	    (tcp->fin > 0 && tcp->received > tcp->fin &&
		tcp->read == tcp->in.len);
}
