/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients and brokers on both sides of a packet path, any number of
 * connections, that follow scripts (script.h); their segments go through
 * batch by batch, each in a time of its own.
 */
#ifndef LP_BENCH_PEERS_H
#define LP_BENCH_PEERS_H

#include "script.h"
#include "traffic.h"

/* Who has something to send in that direction, the longest waiting first. */
struct peers_queue {
	uint32_t *ring; /* of `mask` + 1 */
	uint32_t mask;
	uint32_t head, count;
};

struct peers_place {
	uint32_t base[2]; /* what earlier cycles have added */
	uint32_t at; /* packet of the script */
	uint32_t left; /* packets until it rests; UINT32_MAX: never */
};

struct peers_sums {
	uint64_t cycles;
	uint64_t packets;
	uint64_t bytes; /* of payload */
};

struct peers {
	struct world world;
	const struct script *scripts;
	unsigned script_count;
	bool kafka; /* looked into */
	unsigned train; /* segments of one connection in a row */
	uint32_t count;
	struct flow *flows;
	struct peers_place *places;
	struct peers_queue queues[2];
	uint64_t forwarded; /* as the path counts it; what it should be */
	struct lp_port_memory_frame script[LP_BATCH_MAX];
	uint8_t frames[LP_BATCH_MAX][HEAD_LEN + PAYLOAD_MAX];
};

/*
 * Opens the connections, in a table of that many; `kafka`: to be looked into.
 * Connection i follows script i % script_count.
 */
struct peers *peers_new(uint32_t count, uint32_t table, bool kafka,
    const struct script *scripts, unsigned script_count, unsigned train);
void peers_free(struct peers *peers);

/* Brings each to another place of its cycle. */
void peers_spread(struct peers *peers);

/* One batch of one direction; false: all of them rest. */
bool peers_turn(struct peers *peers, struct peers_sums *sums);

/* Ends the process unless all was forwarded and, if so wanted, understood. */
void peers_check(const struct peers *peers);

#endif
