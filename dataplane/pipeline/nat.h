/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Source ports: which of 64,512 an own address uses towards a broker.
 *
 * One bitmap for each (own address, broker endpoint) pair that is in use.
 * Ports are given in a circle, so that the one used least recently comes
 * next; one held by a connection in quarantine is simply still taken.
 * Private memory, rebuilt at start from the connections.
 */
#ifndef LP_PIPELINE_NAT_H
#define LP_PIPELINE_NAT_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/pipeline/arena.h"
#include "proto/address.h"

struct lp_nat_pair;

struct lp_nat {
	struct lp_nat_pair *pairs; /* LP_SOURCE_PAIRS_MAX, made when used */
	uint16_t *index; /* hash to pair + 1 */
	uint16_t *free; /* stack of unused pairs */
	uint16_t free_count;
	uint32_t given; /* ports given so far: moves where a new pair begins */
	uint64_t seed;
};

/* Takes its memory; lp_nat_init() fills it. */
void lp_nat_carve(struct lp_nat *nat, struct lp_arena *arena);
void lp_nat_init(struct lp_nat *nat, uint64_t seed);

/*
 * A free port of own towards that broker, marked as taken, or 0: none left,
 * or no room for a new pair.
 */
uint16_t lp_nat_take(struct lp_nat *nat, const struct lp_ip *own,
    const struct lp_ip *broker, uint16_t broker_port);

/* Marks a port that a connection already has (at start); false: no room. */
bool lp_nat_claim(struct lp_nat *nat, const struct lp_ip *own,
    const struct lp_ip *broker, uint16_t broker_port, uint16_t port);

/* Gives a port back. */
void lp_nat_give(struct lp_nat *nat, const struct lp_ip *own,
    const struct lp_ip *broker, uint16_t broker_port, uint16_t port);

/* Ports in use of that pair. */
uint32_t lp_nat_used(const struct lp_nat *nat, const struct lp_ip *own,
    const struct lp_ip *broker, uint16_t broker_port);

/* Pairs in use. */
uint32_t lp_nat_pairs(const struct lp_nat *nat);

#endif
