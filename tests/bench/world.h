/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packet path between two memory ports, as lp-dataplane has it, with one
 * listener and one broker; time is a number.
 *
 *	10.200.0.0/16 ── 10.9.1.1 ── front  back ── 10.9.2.1
 *	clients          gateway     .10    .10     broker :9092
 *	                    VIP .100:9092   .11
 *
 * Whatever goes wrong ends the process: a benchmark has nobody to tell.
 */
#ifndef LP_BENCH_WORLD_H
#define LP_BENCH_WORLD_H

#include "dataplane/pipeline/pipeline.h"
#include "dataplane/port/port_memory.h"

enum {
	FRONT = 0, /* slots */
	BACK = 1,
	SERVICE_PORT = 9092,
};

struct world {
	struct lp_region region;
	struct lp_pool *pool;
	struct lp_port *port[LP_PORTS_MAX]; /* FRONT and BACK */
	struct lp_snapshot_cell cell;
	struct lp_pipeline *pipeline;
	uint64_t now_ns;
};

void world_open(struct world *world, uint32_t connections);
/* The broker has that many node ids, from 0 on, each at a port of its own. */
void world_open_cluster(
    struct world *world, uint32_t connections, unsigned brokers);
void world_close(struct world *world);

/* Connections opened from now on are not looked into for Kafka. */
void world_blind(struct world *world);

/* Nor are the brokers' addresses in them replaced. */
void world_pass_addresses(struct world *world);

/*
 * Rules look at their requests, a hundred of topics that none names: rules that
 * count, or that deny; or one that denies all of Produce and Fetch.
 */
enum world_rules { WORLD_OBSERVE, WORLD_DENY_NONE, WORLD_DENY_ALL };
void world_judge(struct world *world, enum world_rules which);

/* The neighbours on both sides introduce themselves to whoever runs next. */
void world_inject_neighbors(struct world *world);

/* The same to the packet path: needed again when time has passed. */
void world_settle(struct world *world);

/* One turn: its cycles, and how many packets came in. */
uint64_t world_turn(struct world *world, unsigned *packets);

/* Takes and forgets what the ports have sent. */
void world_drain(struct world *world);

/* The time stamp counter once everything before is done; else nanoseconds. */
uint64_t world_cycles(void);
extern const char world_unit[];

#endif
