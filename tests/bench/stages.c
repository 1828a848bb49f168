/* SPDX-License-Identifier: Apache-2.0 */
#include "stages.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/pipeline/admit.h"
#include "dataplane/pipeline/icmp.h"
#include "dataplane/pipeline/parse.h"

struct stages {
	struct lp_batch batch;
	struct world *world;
	void *tables;
	struct lp_make make;
	struct lp_neighbors neighbors;
	struct lp_conntrack conntrack;
	struct lp_reset reset;
	struct lp_kafka kafka;
	struct lp_admit admit;
	struct lp_rewrite rewrite;
};

static void carve(struct stages *stages);
static void run(struct stages *stages, enum stage stage, unsigned slot);
static void transmit(struct stages *stages);

const char *const stage_names[STAGES] = {
    [STAGE_RX] = "rx",
    [STAGE_PARSE] = "parse",
    [STAGE_NEIGHBOR] = "neighbor",
    [STAGE_ICMP] = "icmp",
    [STAGE_CONNTRACK] = "conntrack",
    [STAGE_ADMIT] = "admit",
    [STAGE_REWRITE] = "rewrite",
    [STAGE_TX] = "tx",
};

/* As lp_pipeline_init() does it. */
struct stages *
stages_new(struct world *world)
{
	struct stages *stages = aligned_alloc(64, sizeof(*stages));
	uint64_t cycles[STAGES];

	if (stages == NULL)
		err(1, "stages");
	memset(stages, 0, sizeof(*stages));
	stages->world = world;
	stages->make = (struct lp_make){.backend = &lp_port_memory_ops,
	    .pool = world->pool,
	    .stats = world->region.stats};
	carve(stages);
	lp_neighbor_init(&stages->neighbors, &stages->make);
	lp_conntrack_init(&stages->conntrack, &world->region, 1,
	    (uint32_t)(world->now_ns / 1000000000u));
	lp_telemetry_init(&stages->kafka.telemetry, world->region.kafka_stats,
	    world->region.endpoints, 1);
	lp_kafka_init(&stages->kafka, &world->region, 0);
	lp_reset_init(
	    &stages->reset, &stages->make, &stages->neighbors, world->now_ns);
	stages->admit = (struct lp_admit){.conntrack = &stages->conntrack,
	    .reset = &stages->reset,
	    .kafka = &stages->kafka};
	stages->rewrite = (struct lp_rewrite){.conntrack = &stages->conntrack,
	    .neighbors = &stages->neighbors,
	    .reset = &stages->reset,
	    .kafka = &stages->kafka};
	world_inject_neighbors(world);
	stages_turn(stages, FRONT, cycles);
	stages_turn(stages, BACK, cycles);
	world_drain(world);
	return stages;
}

void
stages_free(struct stages *stages)
{
	free(stages->tables);
	free(stages);
}

unsigned
stages_turn(struct stages *stages, unsigned slot, uint64_t cycles[STAGES])
{
	lp_batch_set_now(&stages->batch, stages->world->now_ns);
	stages->batch.snapshot = lp_snapshot_get(&stages->world->cell);
	for (unsigned i = 0; i < STAGES; i++) {
		uint64_t begin = world_cycles();

		run(stages, i, slot);
		cycles[i] = world_cycles() - begin;
	}
	return stages->batch.count;
}

unsigned
stages_pass(struct stages *stages, unsigned slot, uint64_t *cycles)
{
	struct lp_batch *batch = &stages->batch;
	uint64_t begin = world_cycles();

	run(stages, STAGE_RX, slot);
	for (unsigned i = 0; i < batch->count; i++) {
		batch->pkts[i].verdict = LP_FORWARD;
		batch->pkts[i].port_out = slot == FRONT ? BACK : FRONT;
	}
	run(stages, STAGE_TX, slot);
	*cycles = world_cycles() - begin;
	return batch->count;
}

/* Measured first, then taken, as arena.h has it. */
static void
carve(struct stages *stages)
{
	uint32_t count = stages->world->region.header->connection_count;
	struct lp_arena arena = {.base = NULL};
	size_t size;

	lp_conntrack_carve(&stages->conntrack, &arena, count);
	lp_neighbor_carve(&stages->neighbors, &arena);
	lp_kafka_carve(&stages->kafka, &arena, count);
	size = (arena.used + 63) & ~(size_t)63;
	stages->tables = aligned_alloc(64, size);
	if (stages->tables == NULL)
		err(1, "stages");
	memset(stages->tables, 0, size);
	arena = (struct lp_arena){.base = stages->tables};
	lp_conntrack_carve(&stages->conntrack, &arena, count);
	lp_neighbor_carve(&stages->neighbors, &arena);
	lp_kafka_carve(&stages->kafka, &arena, count);
}

static void
run(struct stages *stages, enum stage stage, unsigned slot)
{
	struct lp_port *port = stages->world->port[slot];
	struct lp_batch *batch = &stages->batch;

	switch (stage) {
	case STAGE_RX:
		batch->out.count = 0;
		batch->count = port->ops->rx(port, batch->pkts, LP_BATCH_MAX);
		break;
	case STAGE_PARSE:
		lp_parse_stage(batch);
		break;
	case STAGE_NEIGHBOR:
		lp_neighbor_stage(&stages->neighbors, batch);
		break;
	case STAGE_ICMP:
		lp_icmp_stage(&stages->rewrite, batch);
		break;
	case STAGE_CONNTRACK:
		lp_conntrack_stage(&stages->conntrack, batch);
		break;
	case STAGE_ADMIT:
		lp_admit_stage(&stages->admit, batch);
		break;
	case STAGE_REWRITE:
		lp_rewrite_stage(&stages->rewrite, batch);
		break;
	default:
		transmit(stages);
	}
}

/* All of a batch that is sent leaves by one port: it came in by one. */
static void
transmit(struct stages *stages)
{
	struct lp_batch *batch = &stages->batch;
	struct lp_pkt *list[LP_BATCH_MAX];
	uint8_t slot = LP_PORT_NONE;
	unsigned count = 0;

	for (unsigned i = 0; i < batch->count; i++) {
		struct lp_pkt *pkt = &batch->pkts[i];

		if (pkt->verdict == LP_DROP || pkt->port_out == LP_PORT_NONE)
			errx(
			    1, "a packet was not sent: reason %u", pkt->reason);
		slot = pkt->port_out;
		list[count++] = pkt;
	}
	if (count > 0) {
		struct lp_port *port = stages->world->port[slot];

		if (port->ops->tx(port, list, count) != count)
			errx(1, "a memory port is full");
	}
	for (unsigned i = 0; i < batch->out.count; i++)
		lp_make_discard(&stages->make, &batch->out.pkts[i]);
}
