/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RSTs of our own, rate limited.
 *
 * A Kafka client that is reset connects again within 50 ms; one that hears
 * nothing waits 30 s.  So a segment of no connection is answered at once, and
 * a connection that we give up is reset on both sides.
 */
#ifndef LP_PIPELINE_RESET_H
#define LP_PIPELINE_RESET_H

#include "dataplane/pipeline/conntrack.h"
#include "dataplane/pipeline/neighbor.h"

struct lp_reset {
	const struct lp_make *make;
	struct lp_neighbors *neighbors;
	const struct lp_region *region; /* where connections are spliced */
	uint64_t refilled_ns;
	uint32_t tokens; /* LP_RST_RATE a second, at most LP_RST_BURST */
};

void lp_reset_init(struct lp_reset *reset, const struct lp_make *make,
    struct lp_neighbors *neighbors, uint64_t now_ns);

/*
 * Turns a TCP segment into the RST that answers it (RFC 9293, 3.10.7.1), in
 * place, with that reason; a RST is never answered.
 */
void lp_reset_answer(struct lp_reset *reset, struct lp_batch *batch,
    struct lp_pkt *pkt, enum lp_reason reason);

/*
 * The same with a segment of an inline port, whose connection is not to go on:
 * its receiver gets a RST in its place, as from its sender.
 */
void lp_reset_between(struct lp_reset *reset, struct lp_batch *batch,
    struct lp_pkt *pkt, enum lp_reason reason);

/*
 * Resets both ends of a connection: each at what it acknowledged last, and at
 * the highest position that was forwarded to it.  Nothing to do where it is
 * closed already, or inline and only followed.
 */
void lp_reset_connection(
    struct lp_reset *reset, struct lp_batch *batch, const struct lp_conn *conn);

/*
 * Whether it may be reset and forgotten now.  Inline, where it is spliced, only
 * if the rate lets both ends be told: who was not would come again, be picked
 * up, and go on unread, with what it was owed.
 */
bool lp_reset_may(
    struct lp_reset *reset, const struct lp_conn *conn, uint64_t now_ns);

#endif
