/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Announcing our addresses: gratuitous ARP and unsolicited neighbour
 * advertisements at start and whenever an address comes or moves, so that a
 * host that takes over is found at once.  Twice, a second apart: one may be
 * lost.
 */
#ifndef LP_PIPELINE_ANNOUNCE_H
#define LP_PIPELINE_ANNOUNCE_H

#include "dataplane/pipeline/arena.h"
#include "dataplane/pipeline/make.h"
#include "dataplane/pipeline/snapshot.h"

struct lp_announced;

struct lp_announce {
	const struct lp_make *make;
	/* Beside each place of the snapshot's own addresses. */
	struct lp_announced *places;
	struct lp_announced *before; /* of the snapshot before this one */
	uint32_t count;
	uint32_t at; /* place to go on from; count: the round is over */
	uint64_t again_ms; /* when the second round begins; 0: none */
	uint32_t incarnation[LP_PORTS_MAX]; /* of the ports, as announced */
};

/* Takes its memory; lp_announce_init() starts with nothing announced. */
void lp_announce_carve(struct lp_announce *announce, struct lp_arena *arena);
void lp_announce_init(struct lp_announce *announce, const struct lp_make *make);

/* A new snapshot: what it has that was not announced yet will be. */
void lp_announce_update(
    struct lp_announce *announce, const struct lp_snapshot *snapshot);

/* Once a turn: a few announcements, if there are any to make. */
void lp_announce_tick(struct lp_announce *announce, struct lp_batch *batch);

/* When it has something to do next; 0: at once, UINT64_MAX: nothing. */
uint64_t lp_announce_due_ms(const struct lp_announce *announce);

#endif
