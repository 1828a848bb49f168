/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other addresses in an answer that tells clients where the brokers are:
 * Metadata, FindCoordinator, DescribeCluster, in every version of the tables.
 *
 * The frame's size stands in front of them, so the bytes from there to the
 * last address are changed at once.  While they come in,
 *
 *	struct lp_readdress_watch watch = {0};
 *	end = lp_readdress_watch_fact(&watch, &fact);	each fact of the walk
 *
 * says where they end as soon as that is known; then lp_readdress_run() makes
 * the new ones of them.  Where the addresses are is what the walker tells.
 *
 * Of an answer whose addresses stand at its end (hints where a leader went:
 * Produce, Fetch, ShareFetch, ShareAcknowledge) the size has gone by then: the
 * bytes from a mark of the walk on are changed, and keep their length.
 *
 * Pure: no time, no packet, no memory of its own but the pieces that it takes.
 */
#ifndef LP_KAFKA_READDRESS_H
#define LP_KAFKA_READDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/kafka/chain.h"
#include "dataplane/kafka/fact.h"
#include "dataplane/kafka/walk.h"
#include "dataplane/pipeline/snapshot.h"

/* Of the new bytes of one edit: some thousand brokers. */
enum { LP_EDIT_BYTES_MAX = 131072 };

enum lp_readdress_result {
	LP_READDRESS_DONE = 0,
	LP_READDRESS_SHORT, /* the old bytes end before the last address */
	LP_READDRESS_BAD, /* they are no such message */
	LP_READDRESS_LONG, /* more than LP_EDIT_BYTES_MAX, or than a frame */
	LP_READDRESS_FULL, /* no piece is free */
	/* From a mark on: an address has none in its place that is as long. */
	LP_READDRESS_UNEQUAL,
};

/* Where to begin in the midst of an answer. */
struct lp_readdress_mark {
	uint32_t at; /* the first byte, counted from the frame's size */
	struct lp_walk_mark walk; /* there, or behind it */
};

struct lp_readdress {
	int16_t key, version; /* lp_readdress_knows() */
	/* NULL: at the frame's size. */
	const struct lp_readdress_mark *mark;
	/* From there on, in order; cut anywhere, longer is fine. */
	const struct lp_span *spans;
	unsigned span_count;
	/* What to say of a node; false: leave it as it is. */
	bool (*find)(void *arg, int32_t node_id, struct lp_advertised *out);
	void *arg;
};

struct lp_readdress_done {
	uint32_t old_len; /* bytes up to the end of the last address, */
	uint32_t new_len; /* and of those in their place */
	uint32_t changed; /* addresses */
};

/* Where the walk of such an answer is; all zero when it begins. */
struct lp_readdress_watch {
	int32_t left; /* addresses to come */
	bool known; /* left is */
	uint8_t spare[3];
};

/* Whether answers of that API and version are to be readdressed. */
bool lp_readdress_knows(int16_t key, int16_t version);

/*
 * Every fact of the answer, in order.  Returns where the last address ends,
 * counted from the frame's size, when that fact has told it, and else 0: a
 * message that ends before has none.
 */
uint32_t lp_readdress_watch_fact(
    struct lp_readdress_watch *watch, const struct lp_fact *fact);

/*
 * Appends the new bytes to a chain, which is empty.  A node without id, name
 * or port stays as it is, and so do controllers, and all else; from a mark on
 * only one without a name.  If it fails, the chain is empty again.
 */
enum lp_readdress_result lp_readdress_run(struct lp_held_pool *pool,
    const struct lp_readdress *how, struct lp_chain *chain,
    struct lp_readdress_done *done);

#endif
