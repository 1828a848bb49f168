/* SPDX-License-Identifier: Apache-2.0 */
#include "peers.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kafka/kafka_stats.h"
#include "dataplane/pipeline/checksum.h"

static uint64_t forwarded(const struct peers *peers);
static void run_out(struct peers *peers);
static void open_all(struct peers *peers);
static void shuffle(struct peers *peers);
static void queue_new(struct peers_queue *queue, uint32_t count);
static void push(struct peers_queue *queue, uint32_t index);
static uint32_t pop(struct peers_queue *queue);
static const struct script *script_of(
    const struct peers *peers, uint32_t index);
static const struct script_packet *next_packet(
    const struct peers *peers, uint32_t index);
static void lay(struct peers *peers, uint32_t index, unsigned slot);
static void advance(struct peers *peers, uint32_t index);
static uint32_t draw(uint32_t *seed, uint32_t below);

/* A length of 0 ends it: nothing comes in there. */
static const struct lp_port_memory_frame nothing = {.len = 0};

/* Not inlined: callgrind collects from here. */
__attribute__((noinline)) uint64_t peers_path(
    struct peers *peers, unsigned *packets);

struct peers *
peers_new(uint32_t count, uint32_t table, bool kafka,
    const struct script *scripts, unsigned script_count, unsigned train)
{
	struct peers *peers = aligned_alloc(64, (sizeof(*peers) + 63) & ~63ul);

	if (peers == NULL)
		err(1, "peers");
	memset(peers, 0, sizeof(*peers));
	peers->scripts = scripts;
	peers->script_count = script_count;
	peers->kafka = kafka;
	peers->train = train;
	peers->count = count;
	peers->flows = malloc(count * sizeof(*peers->flows));
	peers->places = calloc(count, sizeof(*peers->places));
	if (peers->flows == NULL || peers->places == NULL)
		err(1, "peers");
	/* Ours is not to be counted as the packet path's later. */
	memset(peers->flows, 0, count * sizeof(*peers->flows));
	queue_new(&peers->queues[LP_TO_BROKER], count);
	queue_new(&peers->queues[LP_TO_CLIENT], count);
	world_open(&peers->world, table);
	if (!kafka)
		world_blind(&peers->world);
	open_all(peers);
	shuffle(peers);
	peers->forwarded = forwarded(peers);
	return peers;
}

void
peers_free(struct peers *peers)
{
	world_close(&peers->world);
	free(peers->queues[LP_TO_BROKER].ring);
	free(peers->queues[LP_TO_CLIENT].ring);
	free(peers->places);
	free(peers->flows);
	free(peers);
}

/*
 * Where a script lets a connection leave packets out, it leaves some out; and
 * then goes on a little, so that not all send at a time and acknowledge at
 * another.
 */
void
peers_spread(struct peers *peers)
{
	uint32_t seed = 12345;

	for (uint32_t i = 0; i < peers->count; i++) {
		const struct script *script = script_of(peers, i);

		peers->places[i].left = script->jumps > 0 ? script->jump
							  : script->cycle + 1 +
			draw(&seed, script->count - script->cycle);
	}
	run_out(peers);
	for (uint32_t i = 0; i < peers->count; i++) {
		const struct script *script = script_of(peers, i);
		struct peers_place *place = &peers->places[i];

		if (script->jumps == 0)
			continue;
		place->at += draw(&seed, script->jumps) * script->jump_step;
		place->left = 1 + draw(&seed, script->jump_step);
	}
	shuffle(peers);
	if (script_of(peers, 0)->jumps > 0)
		run_out(peers);
}

/* Until all of them rest; then they may go on. */
static void
run_out(struct peers *peers)
{
	struct peers_sums sums = {0};

	while (peers_turn(peers, &sums))
		continue;
	shuffle(peers);
}

bool
peers_turn(struct peers *peers, struct peers_sums *sums)
{
	enum lp_direction dir = peers->queues[LP_TO_BROKER].count >=
		peers->queues[LP_TO_CLIENT].count
	    ? LP_TO_BROKER
	    : LP_TO_CLIENT;
	struct peers_queue *queue = &peers->queues[dir];
	struct world *world = &peers->world;
	unsigned count = 0, packets;

	if (queue->count == 0)
		return false;
	while (count < LP_BATCH_MAX && queue->count > 0) {
		uint32_t index = pop(queue);
		struct peers_place *place = &peers->places[index];

		for (unsigned i = 0; i < peers->train && place->left > 0 &&
		     count < LP_BATCH_MAX &&
		     next_packet(peers, index)->dir == dir;
		     i++) {
			sums->bytes += next_packet(peers, index)->len;
			lay(peers, index, count++);
			advance(peers, index);
		}
		if (place->left > 0)
			push(&peers->queues[next_packet(peers, index)->dir],
			    index);
	}
	if (count < LP_BATCH_MAX)
		peers->script[count].len = 0;
	lp_port_memory_script(world->port[dir == LP_TO_BROKER ? FRONT : BACK],
	    peers->script, LP_BATCH_MAX);
	lp_port_memory_script(
	    world->port[dir == LP_TO_BROKER ? BACK : FRONT], &nothing, 1);
	sums->cycles += peers_path(peers, &packets);
	if (packets != count)
		errx(1, "%u of %u packets came in", packets, count);
	sums->packets += count;
	peers->forwarded += count;
	return true;
}

void
peers_check(const struct peers *peers)
{
	const struct lp_kafka_stats *kafka = peers->world.region.kafka_stats;

	if (forwarded(peers) != peers->forwarded)
		errx(1, "not all packets were forwarded");
	if (lp_count_get(&kafka->counters.streams_lost) > 0 ||
	    lp_count_get(&kafka->counters.checksums_bad) > 0 ||
	    lp_count_get(&kafka->counters.frames_malformed) > 0 ||
	    lp_count_get(&kafka->counters.walks_full) > 0 ||
	    lp_count_get(&kafka->counters.unseen_bytes) > 0 ||
	    (lp_count_get(&kafka->counters.connections_kafka) ==
		peers->count) != peers->kafka)
		errx(1, "not all frames were understood, or some were read");
}

static uint64_t
forwarded(const struct peers *peers)
{
	return lp_count_get(
	    &peers->world.region.stats->reasons[LP_REASON_FORWARDED]);
}

uint64_t
peers_path(struct peers *peers, unsigned *packets)
{
	return world_turn(&peers->world, packets);
}

static void
open_all(struct peers *peers)
{
	for (uint32_t i = 0; i < peers->count; i += LP_BATCH_MAX) {
		uint32_t left = peers->count - i;

		traffic_open(&peers->world, &peers->flows[i], i,
		    left < LP_BATCH_MAX ? left : LP_BATCH_MAX);
	}
}

/* All of them, each to where it wants to send, in an order without pattern. */
static void
shuffle(struct peers *peers)
{
	uint32_t *order = malloc(peers->count * sizeof(*order));
	uint32_t seed = 777;

	if (order == NULL)
		err(1, "peers");
	peers->queues[LP_TO_BROKER].count = 0;
	peers->queues[LP_TO_CLIENT].count = 0;
	for (uint32_t i = 0; i < peers->count; i++) {
		uint32_t at = draw(&seed, i + 1);

		order[i] = order[at];
		order[at] = i;
		if (peers->places[i].left == 0)
			peers->places[i].left = UINT32_MAX;
	}
	for (uint32_t i = 0; i < peers->count; i++)
		push(&peers->queues[next_packet(peers, order[i])->dir],
		    order[i]);
	free(order);
}

/* ---- queues -------------------------------------------------------------- */

static void
queue_new(struct peers_queue *queue, uint32_t count)
{
	queue->mask = 1;
	while (queue->mask < count)
		queue->mask = queue->mask * 2 + 1;
	queue->ring = calloc((size_t)queue->mask + 1, sizeof(*queue->ring));
	if (queue->ring == NULL)
		err(1, "peers");
}

static void
push(struct peers_queue *queue, uint32_t index)
{
	queue->ring[(queue->head + queue->count++) & queue->mask] = index;
}

static uint32_t
pop(struct peers_queue *queue)
{
	uint32_t index = queue->ring[queue->head & queue->mask];

	queue->head++;
	queue->count--;
	return index;
}

/* ---- connections --------------------------------------------------------- */

static const struct script *
script_of(const struct peers *peers, uint32_t index)
{
	return &peers->scripts[index % peers->script_count];
}

static const struct script_packet *
next_packet(const struct peers *peers, uint32_t index)
{
	return &script_of(peers, index)->packets[peers->places[index].at];
}

/* Its next segment into that place of the batch. */
static void
lay(struct peers *peers, uint32_t index, unsigned slot)
{
	static const uint32_t first[2] = {
	    [LP_TO_BROKER] = TRAFFIC_CLIENT_SEQ + 1,
	    [LP_TO_CLIENT] = TRAFFIC_BROKER_SEQ + 1};
	const struct script *script = script_of(peers, index);
	const struct script_packet *packet = next_packet(peers, index);
	const struct peers_place *place = &peers->places[index];
	uint8_t flags = packet->len > 0 ? LP_TCP_PSH | LP_TCP_ACK : LP_TCP_ACK;
	enum lp_direction dir = packet->dir;
	uint8_t *frame = peers->frames[slot];

	memcpy(frame, peers->flows[index].head[dir], HEAD_LEN);
	if (packet->len > 0)
		memcpy(frame + HEAD_LEN, script->bytes[dir] + packet->at,
		    packet->len);
	segment_set(frame, flags, first[dir] + place->base[dir] + packet->at,
	    first[!dir] + place->base[!dir] + packet->ack, packet->len);
	lp_sum_update(frame + SEGMENT_TCP + LP_TCP_SUM, packet->sum);
	peers->script[slot] = (struct lp_port_memory_frame){
	    .bytes = frame, .len = (uint16_t)(HEAD_LEN + packet->len)};
}

static void
advance(struct peers *peers, uint32_t index)
{
	const struct script *script = script_of(peers, index);
	struct peers_place *place = &peers->places[index];

	if (place->left != UINT32_MAX)
		place->left--;
	if (++place->at < script->count)
		return;
	place->at = script->cycle;
	place->base[LP_TO_BROKER] += script->cycle_bytes[LP_TO_BROKER];
	place->base[LP_TO_CLIENT] += script->cycle_bytes[LP_TO_CLIENT];
}

static uint32_t
draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)*seed * below >> 32);
}
