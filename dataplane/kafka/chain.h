/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes in pieces of the pool of held ones, in order: what an edit puts in the
 * place of a part of a stream.  All pieces but the last are full.
 *
 * Indexes, no pointers: it may lie in the state region.  All zero is empty.
 */
#ifndef LP_KAFKA_CHAIN_H
#define LP_KAFKA_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/kafka/held.h"

struct lp_chain {
	uint32_t first; /* index + 1 of a piece; 0: none */
	uint32_t last;
	uint32_t len;
};

/* Bytes that somebody else has. */
struct lp_span {
	const uint8_t *bytes;
	uint32_t len;
};

/*
 * The last piece changes: of a chain that is older than the change at hand it
 * is for the caller to log it.
 *
 * False: no piece is free.  The chain then has a part of the bytes more, and
 * is to be freed.
 */
bool lp_chain_append(struct lp_held_pool *pool, struct lp_chain *chain,
    const void *bytes, uint32_t len);

/* Gives the pieces back; the chain is empty. */
void lp_chain_free(struct lp_held_pool *pool, struct lp_chain *chain);

/*
 * Where the bytes from that offset on lie, of a chain that begins with that
 * piece: at most `len`, at most `max` spans.  Returns how many spans.
 */
unsigned lp_chain_read(const struct lp_held_pool *pool, uint32_t first,
    uint32_t offset, uint32_t len, struct lp_span spans[], unsigned max);

#endif
