/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions that come in several frames.
 *
 * The operations of a client are kept until its last frame has come, of the
 * same cookie; then they are one transaction, as if one frame had held them.
 * Nothing is done with half of one: it is forgotten when its client goes, and
 * refused when the rest does not come in time, or there is no room for it.
 */
#ifndef LP_CONTROLD_GATHER_H
#define LP_CONTROLD_GATHER_H

#include "controld/reply.h"

/* Zero in each: what it says here. */
struct lp_gather_limits {
	size_t client_bytes; /* of memory, of one transaction: 192 MB */
	size_t all_bytes; /* and of those of all clients: 384 MB */
	unsigned wait_ms; /* from the first frame to the last: 120 s */
};

enum {
	/* Clients that are in the middle of one. */
	LP_GATHER_CLIENTS_MAX = 128,
};

struct lp_gather;

/* *context is borrowed.  -ENOMEM. */
int lp_gather_new(struct lp_gather **out, struct lp_context *context,
    const struct lp_gather_limits *limits);
void lp_gather_free(struct lp_gather *gather);

/*
 * Takes ownership of one frame, which holds a transaction.  The whole one if
 * this was the last: it is the caller's.  NULL: more frames are to come, or it
 * was refused, and the client has been told.
 */
Lp__Pb__ControlRequest *lp_gather_add(struct lp_gather *gather,
    const struct lp_reply_to *to, Lp__Pb__ControlRequest *request);

/* This client sends no more. */
void lp_gather_gone(struct lp_gather *gather, uint64_t client);

#endif
