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

/* What the packet path does with the connections. */
enum peers_sort {
	PEERS_BLIND, /* they are not looked into */
	PEERS_READ, /* only that */
	PEERS_JUDGED, /* and rules are asked, which act on nothing */
	PEERS_ENFORCED, /* rules act, on others */
	PEERS_DENIED, /* all of their requests are */
	PEERS_SPLICED, /* addresses are replaced, but none has come */
	/* One has, in an answer that is acknowledged: from there on the ends
	 * number the broker's bytes differently. */
	PEERS_TRANSLATED,
	PEERS_REWRITTEN, /* they are spliced, and all of them will have some */
};

struct peers_place {
	uint32_t base[2]; /* what earlier cycles have added */
	uint32_t at; /* packet of the script */
	uint32_t left; /* packets until it rests; UINT32_MAX: never */
	uint32_t shift; /* bytes of the broker's that only the client counts */
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
	enum peers_sort sort;
	unsigned train; /* segments of one connection in a row */
	bool sacks; /* an acknowledgement names what is there behind a gap */
	bool timed; /* turns are by peers_path(), else by the way */
	uint32_t count;
	struct flow *flows;
	struct peers_place *places;
	struct peers_queue queues[2];
	uint64_t forwarded; /* as the path counts it; what it should be */
	struct lp_port_memory_frame script[LP_BATCH_MAX];
	uint8_t frames[LP_BATCH_MAX][HEAD_LEN + PAYLOAD_MAX];
};

/*
 * Opens the connections, in a table of that many.  Connection i follows script
 * i % script_count.
 */
struct peers *peers_new(uint32_t count, uint32_t table, enum peers_sort sort,
    const struct script *scripts, unsigned script_count, unsigned train);
/* All to a cluster of so many brokers, in a table as large as it is. */
struct peers *peers_new_cluster(uint32_t count, enum peers_sort sort,
    const struct script *script, unsigned brokers);
void peers_free(struct peers *peers);

/* Brings each to another place of its cycle. */
void peers_spread(struct peers *peers);

/* One batch of one direction; false: all of them rest. */
bool peers_turn(struct peers *peers, struct peers_sums *sums);

/*
 * By hand: a packet of that connection, counted from where its cycle began,
 * into that place of a batch; and a batch of so many in that direction.
 */
void peers_lay(struct peers *peers, uint32_t index, unsigned slot,
    const struct script *script, const struct script_packet *packet);
void peers_send(struct peers *peers, enum lp_direction dir, unsigned count,
    struct peers_sums *sums);

/*
 * How many bytes of the client's the answer had that has just come by, whole
 * and of that many of the broker's.
 */
uint32_t peers_answered(
    const struct peers *peers, uint32_t index, uint32_t len);

/* Ends the process unless all was forwarded and, if so wanted, understood. */
void peers_check(const struct peers *peers);

#endif
