/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last word on a segment of a known connection: given its next hop,
 * committed with what it means to the TCP state, and given the other side's
 * addresses.
 */
#ifndef LP_PIPELINE_REWRITE_H
#define LP_PIPELINE_REWRITE_H

#include "dataplane/kafka/kafka.h"
#include "dataplane/pipeline/conntrack.h"
#include "dataplane/pipeline/neighbor.h"
#include "dataplane/pipeline/reset.h"
#include "dataplane/pipeline/way.h"

struct lp_rewrite {
	struct lp_conntrack *conntrack;
	struct lp_neighbors *neighbors;
	struct lp_reset *reset;
	struct lp_kafka *kafka;
	const struct lp_make *make;
};

void lp_rewrite_stage(struct lp_rewrite *rewrite, struct lp_batch *batch);

/*
 * Whether a packet of that connection, or an error about it, came in by a port
 * that its sender is behind.
 */
static inline bool
lp_rewrite_comes_by(const struct lp_batch *batch, const struct lp_pkt *pkt,
    const struct lp_conn *conn)
{
	bool client = pkt->dir == LP_TO_BROKER;

	return lp_snapshot_comes_by(batch->snapshot, pkt->port_in,
	    client ? LP_SIDE_CLIENT : LP_SIDE_BROKER,
	    client ? &conn->client_ip : &conn->broker_ip);
}

/*
 * The way of a packet of that connection, which also has hops left and fits the
 * MTU; false, and the reason.  Its next hop is kept in the connection.
 */
bool lp_rewrite_way(struct lp_rewrite *rewrite, struct lp_batch *batch,
    const struct lp_pkt *pkt, struct lp_way *way, enum lp_reason *why);

/* Sends it there, or lets it wait; decides the packet with that reason. */
void lp_rewrite_output(struct lp_rewrite *rewrite, struct lp_batch *batch,
    struct lp_pkt *pkt, const struct lp_way *way, enum lp_reason reason);

/*
 * Its headers become those of the other side.  It becomes a packet of the tuple
 * by which answers to it come in, turned round: source and destination swapped.
 * Inline they stay; it is counted.
 */
void lp_rewrite_translate(
    const struct lp_rewrite *rewrite, const struct lp_pkt *pkt);

/* RFC 9293, 3.7.1: of a SYN, no end may send more than both ports carry. */
void lp_rewrite_clamp_mss(
    const struct lp_batch *batch, const struct lp_pkt *pkt, uint8_t slot);

#endif
