/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/plane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/steering.h"
#include "tests/support/ensure.h"
#include "tests/support/plane_pipeline.h"
#include "tests/support/plane_region.h"
#include "tests/support/wire.h"

enum {
	BUFFERS = LP_BUFFERS_MIN,
	ROUNDS_MAX = 10000,
	/* Connections that are compared: more than most tables have. */
	WATCHED_MAX = 1024,
	SEED = 42, /* of the first pipeline's hashes */
};

struct plane plane;

/* The wire and the back end, chosen by plane_backend(). */
static const struct wire_ops *wire;
static const struct lp_backend_ops *backend;

/* As they were when the last row went in. */
static uint64_t asked[LP_REASON_COUNT];
static uint64_t asked_passed;

/* The connections, as they were before a turn. */
static struct lp_conn before[WATCHED_MAX];

static void
open_pipeline(void)
{
	struct lp_pipeline_config config = {.cell = &plane.cell,
	    .region = &plane.region,
	    .backend = backend,
	    .pool = plane.pool,
	    .hash_seed = ++plane.seed,
	    .now_ns = plane.now_ns};

	plane.pipeline = plane_pipeline_open(&config);
}

void
plane_open_with(uint32_t connections, struct lp_config *config)
{
	struct lp_pool_config pool = {.buffer_count = BUFFERS};
	char why[LP_WHY_SIZE] = "";

	memset(&plane, 0, sizeof(plane));
	memset(asked, 0, sizeof(asked));
	asked_passed = 0;
	plane.config = *config;
	plane.now_ns = PLANE_START_S * 1000000000ull;
	plane.helpful = true;
	plane.seed = SEED;
	plane.backend = plane_backend();
	backend = lp_port_backend(plane.backend);
	wire = plane_on_memory() ? &wire_memory : &wire_veth;
	ensure(wire->enter(backend), "no place for devices");
	plane_region_open(&plane.region, connections, BUFFERS);
	pool.ledger = plane.region.ledger;
	/* Not to fight for hugepages with other tests. */
	if (plane.backend == LP_BACKEND_DPDK)
		pool.arguments = "--no-huge";
	ensure(backend->pool_open(&plane.pool, &pool, why) == 0, "%s", why);
	ensure(!backend->enter || backend->enter(plane.pool) == 0,
	    "the back end does not let us in");
	open_pipeline();
}

void
plane_close(void)
{
	struct lp_snapshot *snapshot = atomic_load(&plane.cell.current);

	plane_check();
	atomic_store(&plane.cell.current, NULL);
	plane_pipeline_close(plane.pipeline);
	for (uint8_t i = 0; i < LP_PORTS_MAX; i++) {
		if (plane.wires[i])
			wire->close(i);
		free(plane.out[i].frames);
	}
	ensure(backend->free_count(plane.pool) == BUFFERS,
	    "buffers are missing at the end");
	lp_snapshot_free(snapshot);
	if (backend->leave)
		backend->leave(plane.pool);
	backend->pool_close(plane.pool);
	lp_config_fini(&plane.config);
	plane_region_close(&plane.region);
}

/* Where a buffer may be between two turns. */
static bool
may_own(uint8_t owner)
{
	if (owner == LP_BUFFER_FREE || owner == LP_BUFFER_WORKER)
		return true;
	/* A memory port has no buffers in rings. */
	return !plane_on_memory() && owner >= LP_BUFFER_RX &&
	    plane.wires[(owner - LP_BUFFER_RX) % LP_PORTS_MAX] != NULL;
}

/* After every turn: first a loop that the compiler makes vectors of. */
static void
check_ledger(void)
{
	const uint8_t *ledger = plane.region.ledger;
	unsigned free_count = 0, others = 0;

	for (unsigned i = 0; i < BUFFERS; i++) {
		free_count += ledger[i] == LP_BUFFER_FREE;
		others += ledger[i] != LP_BUFFER_FREE &&
		    ledger[i] != LP_BUFFER_WORKER;
	}
	for (unsigned i = 0; others > 0 && i < BUFFERS; i++)
		ensure(may_own(ledger[i]), "buffer %u is owned by %u", i,
		    ledger[i]);
	ensure(backend->free_count(plane.pool) == free_count,
	    "the ledger and the pool differ");
}

void
plane_reset(void)
{
	plane_pipeline_close(plane.pipeline);
	plane_region_reset(&plane.region);
	plane.now_ns = PLANE_START_S * 1000000000ull;
	plane.seed = SEED;
	plane_forget();
	open_pipeline();
	plane_run();
}

void
plane_check(void)
{
	const struct lp_stats *stats = plane.region.stats;
	uint64_t reasons = 0, verdicts = 0, received = 0;

	/* DPDK has its own memory, and counts in it. */
	if (plane.backend != LP_BACKEND_DPDK)
		check_ledger();
	for (unsigned i = 0; i < LP_STATS_REASONS; i++)
		reasons += lp_count_get(&stats->reasons[i]);
	for (unsigned i = 0; i < LP_STATS_VERDICTS; i++)
		verdicts += lp_count_get(&stats->verdicts[i]);
	for (uint8_t i = 0; i < LP_PORTS_MAX; i++)
		if (plane.wires[i])
			received += wire->received(i);
	ensure(reasons == received, "%lu reasons for %lu packets", reasons,
	    received);
	ensure(verdicts == received, "%lu verdicts for %lu packets", verdicts,
	    received);
	ensure(lp_count_get(&stats->reasons[LP_REASON_NONE]) == 0,
	    "a packet without a reason");
	ensure(lp_count_get(&stats->verdicts[LP_UNDECIDED]) == 0,
	    "a packet without a verdict");
}

void
plane_port(uint8_t slot, uint32_t port_id, const char *options)
{
	plane.wires[slot] = wire->open(slot, plane.pool, options);
	plane.ports.port[slot] = plane.wires[slot];
	plane.ports.id[slot] = port_id;
	if (!plane.out[slot].frames)
		plane.out[slot].frames =
		    calloc(PLANE_OUT_MAX, sizeof(struct packet));
	ensure(plane.out[slot].frames != NULL, "no memory");
}

static struct lp_port *
peer_of(const struct lp_port_object *port)
{
	const struct lp_object *peer = port && lp_object_has_peer(port)
	    ? lp_config_find_name(&plane.config, LP_OBJECT_PORT, 0, port->peer)
	    : NULL;

	for (uint8_t slot = 0; peer && slot < LP_PORTS_MAX; slot++)
		if (plane.ports.id[slot] == peer->id)
			return plane.ports.port[slot];
	return NULL;
}

static void
steer(uint8_t slot)
{
	const struct lp_config *config = &plane.config;
	const struct lp_object *object =
	    lp_config_find(config, LP_OBJECT_PORT, plane.ports.id[slot]);
	const struct lp_port_object *port = object ? &object->port : NULL;
	struct lp_steering steering;
	struct lp_steer whole = {.generation = ++plane.generation};

	ensure(
	    lp_steering_init(&steering, &config, &port, 1) == 0, "no memory");
	whole.addresses = steering.addresses;
	whole.address_count = steering.address_count;
	whole.sources = steering.sources;
	whole.source_count = steering.source_count;
	whole.is_inline = steering.is_inline;
	whole.wire_on_loss = steering.wire_on_loss;
	whole.peer = peer_of(port);
	wire->steer(slot, &whole);
	lp_steering_fini(&steering);
}

void
plane_publish(void)
{
	struct lp_config_error error;
	struct lp_snapshot *next;

	ensure(lp_config_check(&plane.config, &error) == 0, "%s: %s: %s",
	    error.object, error.field, error.why);
	ensure(lp_snapshot_build(&next, &plane.config, &plane.ports,
		   &plane.region, NULL) == 0,
	    "no snapshot");
	for (uint8_t slot = 0; slot < LP_PORTS_MAX; slot++)
		if (plane.ports.port[slot] && plane.wires[slot])
			steer(slot);
	/* No worker runs: the grace period is over at once. */
	lp_snapshot_publish(&plane.cell, next);
	lp_snapshot_release_counters(next, &plane.region);
}

void
plane_restart(void)
{
	plane_pipeline_close(plane.pipeline);
	open_pipeline();
}

/* Most frames are no question, and describing one takes time. */
static bool
is_tcp(const struct packet *frame)
{
	const uint8_t *bytes = frame->bytes;

	return frame->len > 40 &&
	    ((bytes[12] == 0x08 && bytes[13] == 0x00 && bytes[23] == 6) ||
		(bytes[12] == 0x86 && bytes[13] == 0xdd && bytes[20] == 6));
}

/* The helpful wire: an answer for every question, silence for the rest. */
static bool
help(uint8_t slot, const struct packet *frame)
{
	char text[PACKET_TEXT_SIZE], src[64], dst[64], answer[512];
	char kind[32], target[64];

	if (is_tcp(frame))
		return false;
	packet_describe(text, frame->bytes, frame->len);
	if (sscanf(text, "%31s %63s > %63s", kind, src, dst) != 3)
		return false;
	if (strcmp(kind, "na") == 0 || strcmp(kind, "arp-reply") == 0 ||
	    strncmp(kind, "mld-report", 10) == 0)
		return true;
	if (strcmp(kind, "arp-request") == 0) {
		if (strcmp(src, dst) == 0)
			return true;
		snprintf(answer, sizeof(answer), "arp-reply %s > %s", dst, src);
	} else if (strcmp(kind, "ns") == 0) {
		packet_word(text, "target", target, sizeof(target));
		snprintf(answer, sizeof(answer), "na %s > %s target=%s nf=SO",
		    target, src, target);
	} else {
		return false;
	}
	plane_queue(slot, answer);
	return true;
}

/* True if a frame came out that calls for another turn. */
static bool
collect(uint8_t slot)
{
	struct plane_out *out = &plane.out[slot];
	struct packet frame, *kept;
	bool more = false;

	while ((frame.len = wire->take(
		    slot, frame.bytes, sizeof(frame.bytes))) > 0) {
		if (plane.helpful && help(slot, &frame)) {
			more = true;
			continue;
		}
		ensure(out->head - out->tail < PLANE_OUT_MAX,
		    "too many frames out");
		kept = &out->frames[out->head++ % PLANE_OUT_MAX];
		memcpy(kept->bytes, frame.bytes, frame.len);
		kept->len = frame.len;
	}
	return more;
}

/* A turn may change of one that goes on what the undo slot covers, hints, and
 * what rules say (one store each).  Another serial is a newcomer's. */
static void
check_change(uint32_t index, uint32_t newest)
{
	const struct lp_conn *is = &plane.region.connections[index];
	struct lp_conn *was = &before[index];

	if (was->use != LP_CONN_USED || is->use != LP_CONN_USED)
		return;
	if (was->serial != is->serial) {
		ensure((int32_t)(is->serial - newest) > 0,
		    "connection %u has got an old serial", index);
		return;
	}
	memcpy(was->nexthop, is->nexthop, sizeof(was->nexthop));
	was->dscp = is->dscp, was->priority = is->priority;
	was->mirror_id = is->mirror_id, was->wire_slot = is->wire_slot;
	memcpy(was->wire_macs, is->wire_macs, sizeof(was->wire_macs));
	ensure(memcmp((uint8_t *)was + LP_CONN_CHANGING,
		   (const uint8_t *)is + LP_CONN_CHANGING,
		   sizeof(*is) - LP_CONN_CHANGING) == 0,
	    "a turn has changed too much of connection %u", index);
}

static bool
turn(void)
{
	const struct lp_region *region = &plane.region;
	uint32_t count = region->header->connection_count;
	uint32_t newest = 0;
	bool more;

	if (count > WATCHED_MAX)
		count = WATCHED_MAX;
	for (uint32_t i = 0; i < count; i++) {
		const struct lp_conn *conn = &region->connections[i];

		if (conn->use == LP_CONN_USED)
			before[i] = *conn;
		else
			before[i].use = conn->use;
	}
	more = lp_pipeline_run(plane.pipeline, plane.now_ns) > 0;
	ensure(atomic_load(&region->undo->marked) == 0,
	    "a turn has left a change behind");
	for (uint32_t i = 0; i < count; i++)
		if (before[i].use == LP_CONN_USED && before[i].serial > newest)
			newest = before[i].serial;
	for (uint32_t i = 0; i < count; i++)
		check_change(i, newest);
	return more;
}

void
plane_run(void)
{
	bool more = true;

	for (unsigned round = 0; more; round++) {
		ensure(round < ROUNDS_MAX, "it never ends");
		if (wire->settle)
			wire->settle();
		more = turn();
		plane_check();
		for (uint8_t slot = 0; slot < LP_PORTS_MAX; slot++)
			if (plane.wires[slot])
				more = collect(slot) || more;
		more = more ||
		    lp_pipeline_wait_ms(plane.pipeline, plane.now_ns) == 0;
	}
}

void
plane_wait_ms(uint64_t ms)
{
	plane.now_ns += ms * 1000000;
	plane_run();
}

void
plane_build(struct packet *packet, uint8_t slot, const char *text)
{
	char whole[PACKET_TEXT_SIZE], word[32], *dollar;

	snprintf(whole, sizeof(whole), "%s", text);
	while ((dollar = strchr(whole, '$')) != NULL) {
		char rest[PACKET_TEXT_SIZE];

		snprintf(rest, sizeof(rest), "%s", dollar + 1);
		snprintf(dollar, sizeof(whole) - (size_t)(dollar - whole),
		    "%u%s", plane.nat, rest);
	}
	packet_build(packet, whole);
	/* To us, if to one and not said to whom: devices take nothing else. */
	if (!(packet->bytes[0] & 1) &&
	    !packet_word(whole, "dmac", word, sizeof(word)))
		memcpy(packet->bytes, plane.wires[slot]->mac, 6);
}

void
plane_queue(uint8_t slot, const char *text)
{
	struct packet packet;

	plane_build(&packet, slot, text);
	ensure(plane_inject(slot, packet.bytes, packet.len), "no room for %s",
	    text);
}

bool
plane_inject(uint8_t slot, const void *bytes, size_t len)
{
	return wire->inject(slot, bytes, len);
}

void
plane_in(uint8_t slot, const char *text)
{
	plane_queue(slot, text);
	plane_run();
}

bool
plane_take(uint8_t slot)
{
	struct plane_out *out = &plane.out[slot];

	plane.text[0] = '\0';
	if (out->head == out->tail)
		return false;
	plane.frame = out->frames[out->tail++ % PLANE_OUT_MAX];
	packet_describe(plane.text, plane.frame.bytes, plane.frame.len);
	return true;
}

uint16_t
plane_source_port(const char *text)
{
	char src[64] = "";

	sscanf(text, "%*s %63s", src);
	return (uint16_t)atoi(strrchr(src, ':') + 1);
}

void
plane_expect(uint8_t slot, const char *text)
{
	char whole[PACKET_TEXT_SIZE] = "";
	const char *note = strstr(text, ":$*");

	for (const char *at = text; *at; at++) {
		size_t len = strlen(whole);

		if (at[0] == '$' && at[1] == '*')
			continue;
		if (*at == '$')
			snprintf(
			    whole + len, sizeof(whole) - len, "%u", plane.nat);
		else
			snprintf(whole + len, sizeof(whole) - len, "%c", *at);
	}
	ensure(plane_take(slot), "nothing left by port %u, not even: %s", slot,
	    whole);
	ensure(packet_matches(plane.text, whole),
	    "port %u\nexpected %s\ngot      %s", slot, whole, plane.text);
	if (note)
		plane.nat = plane_source_port(plane.text);
}

void
plane_quiet(void)
{
	for (uint8_t slot = 0; slot < LP_PORTS_MAX; slot++)
		ensure(!plane_take(slot), "port %u sent %s", slot, plane.text);
}

void
plane_forget(void)
{
	for (uint8_t slot = 0; slot < LP_PORTS_MAX; slot++)
		plane.out[slot].tail = plane.out[slot].head;
}

uint64_t
plane_reason(enum lp_reason reason)
{
	return lp_count_get(&plane.region.stats->reasons[reason]);
}

struct lp_conn *
plane_connection(unsigned n)
{
	for (uint32_t i = 0; i < plane.region.header->connection_count; i++) {
		struct lp_conn *conn = &plane.region.connections[i];

		if (conn->use == LP_CONN_USED && n-- == 0)
			return conn;
	}
	return NULL;
}

unsigned
plane_connections(void)
{
	unsigned count = 0;

	while (plane_connection(count))
		count++;
	ensure(lp_count_get(&plane.region.stats->connections) == count,
	    "the count of connections is wrong");
	return count;
}

uint64_t
plane_passed(void)
{
	uint64_t passed = 0;

	for (uint8_t slot = 0; slot < LP_PORTS_MAX; slot++)
		if (plane.wires[slot] && wire->passed)
			passed += wire->passed(slot);
	return passed;
}

uint64_t
plane_wired(void)
{
	uint64_t sum = 0;

	for (uint8_t slot = 0; slot < LP_PORTS_MAX; slot++)
		if (plane.wires[slot] && wire->wired)
			sum += wire->wired(slot);
	return sum;
}

static void
expect_reason(const char *name)
{
	unsigned i = 0;

	while (strcmp(name, lp_reason_name(i)) != 0)
		ensure(++i < LP_REASON_COUNT, "no such reason: %s", name);
	if (plane_reason(i) == asked[i] && plane_may_pass(i) &&
	    plane_passed() > asked_passed) {
		/* It has stayed with the kernel, as it must. */
		asked_passed++;
		return;
	}
	ensure(plane_reason(i) > asked[i], "reason %s has not counted", name);
	asked[i] = plane_reason(i);
}

static void
run_row(const struct plane_row *row)
{
	switch (row->way) {
	case PLANE_IN:
		plane_quiet();
		for (unsigned i = 0; i < LP_REASON_COUNT; i++)
			asked[i] = plane_reason(i);
		asked_passed = plane_passed();
		plane_in(row->slot, row->text);
		break;
	case PLANE_OUT:
		plane_expect(row->slot, row->text);
		break;
	case PLANE_WAIT_MS:
		plane_quiet();
		plane_wait_ms(strtoul(row->text, NULL, 0));
		break;
	case PLANE_STATE:
		ensure(plane_connection(0) != NULL, "no connection");
		ensure(strcmp(lp_tcp_state_name(plane_connection(0)->tcp.state),
			   row->text) == 0,
		    "%s, not %s",
		    lp_tcp_state_name(plane_connection(0)->tcp.state),
		    row->text);
		break;
	case PLANE_REASON:
		expect_reason(row->text);
		break;
	}
}

void
plane_rows(const struct plane_row rows[], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		/* Seen when an assertion fails. */
		if (getenv("PLANE_VERBOSE"))
			fprintf(stderr, "row %u: %s\n", i, rows[i].text);
		run_row(&rows[i]);
	}
	plane_quiet();
}
