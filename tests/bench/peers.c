/* SPDX-License-Identifier: Apache-2.0 */
#include "peers.h"

#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kafka/kafka_stats.h"
#include "dataplane/pipeline/checksum.h"
#include "proto/reasons.h"

static struct peers *make(uint32_t count, enum peers_sort sort,
    const struct script *scripts, unsigned script_count);
static void begin(struct peers *peers);
static uint64_t forwarded(const struct peers *peers);
static void run_out(struct peers *peers);
static void open_all(struct peers *peers);
static void edit_all(struct peers *peers);
static void edit(struct peers *peers, uint32_t first, unsigned count,
    const struct script *script);
static void print_reasons(const struct peers *peers);
static void check_sort(const struct peers *peers);
static void shuffle(struct peers *peers);
static void queue_new(struct peers_queue *queue, uint32_t count);
static void push(struct peers_queue *queue, uint32_t index);
static uint32_t pop(struct peers_queue *queue);
static const struct script *script_of(
    const struct peers *peers, uint32_t index);
static const struct script_packet *next_packet(
    const struct peers *peers, uint32_t index);
static const struct script_packet *packet_behind(
    const struct peers *peers, uint32_t index);
static void lay_next(struct peers *peers, uint32_t index, unsigned slot);
static void put_sack(uint8_t *frame, uint32_t left, uint32_t right);
static void advance(struct peers *peers, uint32_t index);
static uint32_t draw(uint32_t *seed, uint32_t below);

/* A length of 0 ends it: nothing comes in there. */
static const struct lp_port_memory_frame nothing = {.len = 0};

/* Not inlined: callgrind collects from here. */
__attribute__((noinline)) uint64_t peers_path(
    struct peers *peers, unsigned *packets);

struct peers *
peers_new(uint32_t count, uint32_t table, enum peers_sort sort,
    const struct script *scripts, unsigned script_count, unsigned train)
{
	struct peers *peers = make(count, sort, scripts, script_count);

	peers->train = train;
	world_open(&peers->world, table);
	begin(peers);
	return peers;
}

struct peers *
peers_new_cluster(uint32_t count, enum peers_sort sort,
    const struct script *script, unsigned brokers)
{
	struct peers *peers = make(count, sort, script, 1);

	world_open_cluster(&peers->world, LP_CONNECTIONS_DEFAULT, brokers);
	begin(peers);
	return peers;
}

static struct peers *
make(uint32_t count, enum peers_sort sort, const struct script *scripts,
    unsigned script_count)
{
	struct peers *peers = aligned_alloc(64, (sizeof(*peers) + 63) & ~63ul);

	if (peers == NULL)
		err(1, "peers");
	memset(peers, 0, sizeof(*peers));
	peers->scripts = scripts;
	peers->script_count = script_count;
	peers->sort = sort;
	peers->count = count;
	peers->flows = malloc(count * sizeof(*peers->flows));
	peers->places = calloc(count, sizeof(*peers->places));
	if (peers->flows == NULL || peers->places == NULL)
		err(1, "peers");
	/* Ours is not to be counted as the packet path's later. */
	memset(peers->flows, 0, count * sizeof(*peers->flows));
	queue_new(&peers->queues[LP_TO_BROKER], count);
	queue_new(&peers->queues[LP_TO_CLIENT], count);
	return peers;
}

static void
begin(struct peers *peers)
{
	if (peers->sort == PEERS_BLIND)
		world_blind(&peers->world);
	if (peers->sort < PEERS_SPLICED)
		world_pass_addresses(&peers->world);
	if (peers->sort >= PEERS_JUDGED && peers->sort <= PEERS_DENIED)
		world_judge(&peers->world,
		    WORLD_OBSERVE + (peers->sort - PEERS_JUDGED));
	open_all(peers);
	if (peers->sort == PEERS_TRANSLATED)
		edit_all(peers);
	shuffle(peers);
	peers->forwarded = forwarded(peers);
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
	unsigned count = 0;

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
			lay_next(peers, index, count++);
			advance(peers, index);
		}
		if (place->left > 0)
			push(&peers->queues[next_packet(peers, index)->dir],
			    index);
	}
	peers_send(peers, dir, count, sums);
	return true;
}

void
peers_send(struct peers *peers, enum lp_direction dir, unsigned count,
    struct peers_sums *sums)
{
	struct world *world = &peers->world;
	unsigned packets;

	if (count < LP_BATCH_MAX)
		peers->script[count].len = 0;
	lp_port_memory_script(world->port[dir == LP_TO_BROKER ? FRONT : BACK],
	    peers->script, LP_BATCH_MAX);
	lp_port_memory_script(
	    world->port[dir == LP_TO_BROKER ? BACK : FRONT], &nothing, 1);
	sums->cycles += peers->timed ? peers_path(peers, &packets)
				     : world_turn(world, &packets);
	if (packets != count)
		errx(1, "%u of %u packets came in", packets, count);
	sums->packets += count;
	peers->forwarded += count;
}

void
peers_check(const struct peers *peers)
{
	const struct lp_kafka_stats *kafka = peers->world.region.kafka_stats;

	if (forwarded(peers) != peers->forwarded ||
	    lp_count_get(&peers->world.region.stats->dropped_made) > 0) {
		print_reasons(peers);
		errx(1, "not all packets were forwarded");
	}
	if (lp_count_get(&kafka->counters.streams_lost) > 0 ||
	    lp_count_get(&kafka->counters.checksums_bad) > 0 ||
	    lp_count_get(&kafka->counters.frames_malformed) > 0 ||
	    lp_count_get(&kafka->counters.walks_full) > 0 ||
	    lp_count_get(&kafka->counters.unseen_bytes) > 0 ||
	    (lp_count_get(&kafka->counters.connections_kafka) ==
		peers->count) != (peers->sort != PEERS_BLIND))
		errx(1, "not all frames were understood, or some were read");
	check_sort(peers);
}

static void
print_reasons(const struct peers *peers)
{
	const struct lp_stats *stats = peers->world.region.stats;

	for (unsigned i = 0; i < LP_REASON_COUNT; i++) {
		uint64_t count = lp_count_get(&stats->reasons[i]);

		if (count > 0)
			warnx("%s: %" PRIu64, lp_reason_name(i), count);
	}
}

/* They are what they are measured as. */
static void
check_sort(const struct peers *peers)
{
	for (uint32_t i = 0; i < peers->count; i++) {
		const struct lp_seqmap *map =
		    &peers->world.region.kafka.splices[i].maps[LP_TO_CLIENT];
		uint32_t shift = peers->places[i].shift;
		bool spliced =
		    peers->world.region.connections[i].flags & LP_CONN_SPLICED;

		if (spliced != (peers->sort >= PEERS_ENFORCED) ||
		    (spliced && (map->delta != shift || map->count != 0)) ||
		    (shift != 0) != (peers->sort > PEERS_SPLICED))
			errx(1, "connection %u is of another sort", i);
	}
}

/* And those that left as packets of ours, or will. */
static uint64_t
forwarded(const struct peers *peers)
{
	const struct lp_stats *stats = peers->world.region.stats;

	return lp_count_get(&stats->reasons[LP_REASON_FORWARDED]) +
	    lp_count_get(&stats->reasons[LP_REASON_REWRITTEN]) +
	    lp_count_get(&stats->reasons[LP_REASON_HELD_EDIT]);
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
	for (uint32_t i = 0; i < peers->count; i++)
		traffic_stamp(&peers->flows[i]);
}

/* One answer each in which an address is replaced by one of another length. */
static void
edit_all(struct peers *peers)
{
	struct script script;

	script_metadata(&script, 1, 0);
	if (script.count != 2)
		errx(1, "an answer that should be one segment is more");
	for (uint32_t i = 0; i < peers->count; i += LP_BATCH_MAX) {
		uint32_t left = peers->count - i;

		edit(peers, i, left < LP_BATCH_MAX ? left : LP_BATCH_MAX,
		    &script);
	}
	script_free(&script);
}

static void
edit(struct peers *peers, uint32_t first, unsigned count,
    const struct script *script)
{
	struct script_packet ack = {
	    .at = script->len[LP_TO_BROKER], .dir = LP_TO_BROKER};
	struct peers_sums sums = {0};

	for (unsigned packet = 0; packet < 2; packet++) {
		for (unsigned i = 0; i < count; i++)
			peers_lay(peers, first + i, i, script,
			    &script->packets[packet]);
		peers_send(peers,
		    (enum lp_direction)script->packets[packet].dir, count,
		    &sums);
	}
	for (unsigned i = 0; i < count; i++) {
		ack.ack =
		    peers_answered(peers, first + i, script->len[LP_TO_CLIENT]);
		peers_lay(peers, first + i, i, script, &ack);
	}
	peers_send(peers, LP_TO_BROKER, count, &sums);
	for (uint32_t i = first; i < first + count; i++) {
		struct peers_place *place = &peers->places[i];

		place->shift = ack.ack - script->len[LP_TO_CLIENT];
		for (unsigned dir = 0; dir < 2; dir++)
			place->base[dir] = script->len[dir];
	}
}

uint32_t
peers_answered(const struct peers *peers, uint32_t index, uint32_t len)
{
	const struct peers_place *place = &peers->places[index];
	uint32_t from =
	    TRAFFIC_BROKER_SEQ + 1 + place->base[LP_TO_CLIENT] + place->shift;

	if (peers->sort < PEERS_ENFORCED)
		return len;
	return peers->world.region.kafka.splices[index].out_next - from;
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

/* What follows it at once; NULL: the cycle ends there. */
static const struct script_packet *
packet_behind(const struct peers *peers, uint32_t index)
{
	const struct script *script = script_of(peers, index);
	uint32_t at = peers->places[index].at + 1;

	return at < script->count ? &script->packets[at] : NULL;
}

/* Its next segment into that place of the batch. */
static void
lay_next(struct peers *peers, uint32_t index, unsigned slot)
{
	const struct script_packet *packet = next_packet(peers, index);
	const struct script_packet *behind = packet_behind(peers, index);
	uint32_t base = TRAFFIC_BROKER_SEQ + 1 + peers->places[index].shift +
	    peers->places[index].base[LP_TO_CLIENT];

	peers_lay(peers, index, slot, script_of(peers, index), packet);
	/* As if the first segment of the next two were lost. */
	if (peers->sacks && packet->len == 0 && packet->dir == LP_TO_BROKER &&
	    behind != NULL && behind->len == 0 && behind->dir == packet->dir)
		put_sack(peers->frames[slot], base + packet->ack + PAYLOAD_MAX,
		    base + behind->ack);
}

void
peers_lay(struct peers *peers, uint32_t index, unsigned slot,
    const struct script *script, const struct script_packet *packet)
{
	static const uint32_t first[2] = {
	    [LP_TO_BROKER] = TRAFFIC_CLIENT_SEQ + 1,
	    [LP_TO_CLIENT] = TRAFFIC_BROKER_SEQ + 1};
	const struct peers_place *place = &peers->places[index];
	uint8_t flags = packet->len > 0 ? LP_TCP_PSH | LP_TCP_ACK : LP_TCP_ACK;
	enum lp_direction dir = packet->dir;
	uint32_t shift = dir == LP_TO_BROKER ? place->shift : 0;
	uint8_t *frame = peers->frames[slot];

	memcpy(frame, peers->flows[index].head[dir], HEAD_LEN);
	if (packet->len > 0)
		memcpy(frame + HEAD_LEN, script->bytes[dir] + packet->at,
		    packet->len);
	segment_set(frame, flags, first[dir] + place->base[dir] + packet->at,
	    first[!dir] + place->base[!dir] + packet->ack + shift, packet->len);
	lp_sum_update(frame + SEGMENT_TCP + LP_TCP_SUM, packet->sum);
	peers->script[slot] = (struct lp_port_memory_frame){
	    .bytes = frame, .len = (uint16_t)(HEAD_LEN + packet->len)};
}

/* One block, in place of the timestamps. */
static void
put_sack(uint8_t *frame, uint32_t left, uint32_t right)
{
	uint8_t *option = frame + SEGMENT_TCP + LP_TCP_LEN;
	uint8_t is[12] = {LP_TCP_OPT_NOP, LP_TCP_OPT_NOP, LP_TCP_OPT_SACK, 10};

	lp_put32(is + 4, left);
	lp_put32(is + 8, right);
	lp_sum_update(frame + SEGMENT_TCP + LP_TCP_SUM,
	    lp_sum_replace(0, option, is, sizeof(is)));
	memcpy(option, is, sizeof(is));
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
