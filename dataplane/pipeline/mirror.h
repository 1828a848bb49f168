/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of a connection's packets, out of another port (rules: mirror=PORT).
 *
 * What is copied is the client's side of the connection, as a capture there
 * would see it: what comes from the client as it came in, whatever becomes of
 * it, and what leaves to the client as it leaves, segments of our own with it.
 * So both directions are one connection, of one pair of addresses and numbers.
 * Frames are as they are, MAC addresses too: as on the SPAN port of a switch.
 *
 * What may be a token of SASL is zero in the copy, and its TCP checksum that of
 * the zeroes: the rule is that of captures (kafka/note.h).  Of segments that we
 * made or held, which it was not asked of, the whole payload is, unless all
 * before it was read and no token reaches into it.
 *
 * A copy costs its connection nothing but the time of copying.  Copies leave
 * behind all else of the turn; what the port does not take, or what there is
 * no buffer for, is counted and gone.  They take no buffer where fewer than one
 * in LP_MIRROR_SPARE is free.
 */
#ifndef LP_PIPELINE_MIRROR_H
#define LP_PIPELINE_MIRROR_H

#include "dataplane/pipeline/capture.h"
#include "dataplane/pipeline/make.h"
#include "dataplane/pipeline/region.h"
#include "dataplane/pipeline/snapshot.h"

enum {
	LP_MIRROR_MAX = LP_BATCH_MAX + LP_OUTBOX_MAX, /* of one turn */
	LP_MIRROR_SPARE = 8,
};

/* A copy: the packet that it is of, if that may still say what to hide. */
struct lp_mirror_copy {
	struct lp_pkt pkt;
	const struct lp_pkt *of; /* of the batch; NULL: the payload is */
	bool hidden; /* ... zero, or not */
};

struct lp_mirror {
	const struct lp_make *make;
	const struct lp_region *region;
	unsigned count;
	bool is_short; /* of buffers, this turn */
	struct lp_mirror_copy copies[LP_MIRROR_MAX];
	struct lp_capture_note notes[LP_BATCH_MAX];
};

void lp_mirror_init(struct lp_mirror *mirror, const struct lp_make *make,
    const struct lp_region *region);

/* Behind admit: it is the batch's if any rule mirrors; copies of what clients
 * have sent. */
void lp_mirror_received(struct lp_mirror *mirror, struct lp_batch *batch);

/* Of those that are about to leave, in order, what goes to the client. */
void lp_mirror_leaving(
    struct lp_batch *batch, struct lp_pkt *const list[], unsigned count);

/* After all else has been sent; by no port, 1 << slot, that others wait for. */
void lp_mirror_send(struct lp_batch *batch, uint32_t waiting);

/* The slot of that port and 1; 0: it is not there. */
uint8_t lp_mirror_slot(const struct lp_snapshot *snapshot, uint32_t port_id);

/*
 * Of a packet to the client that we make: it will be copied.  Its payload, from
 * there on, is hidden if it may be secret.
 */
static inline void
lp_mirror_made(const struct lp_batch *batch, const struct lp_conn *conn,
    struct lp_pkt *pkt, uint16_t payload_off, bool hidden)
{
	if (__builtin_expect(batch->mirror == NULL, 1) || conn->mirror_id == 0)
		return;
	pkt->mirror = lp_mirror_slot(batch->snapshot, conn->mirror_id);
	pkt->dir = LP_TO_CLIENT;
	pkt->hidden = hidden;
	pkt->payload_off = payload_off;
}

#endif
