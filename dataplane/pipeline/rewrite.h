/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last word on a segment of a known connection: given its next hop,
 * committed with what it means to the TCP state, and given the other side's
 * addresses.
 */
#ifndef LP_PIPELINE_REWRITE_H
#define LP_PIPELINE_REWRITE_H

#include "dataplane/pipeline/conntrack.h"
#include "dataplane/pipeline/neighbor.h"
#include "dataplane/pipeline/reset.h"

struct lp_rewrite {
	struct lp_conntrack *conntrack;
	struct lp_neighbors *neighbors;
	const struct lp_make *make;
	struct lp_reset *reset;
};

void lp_rewrite_stage(struct lp_rewrite *rewrite, struct lp_batch *batch);

/*
 * The next hop of a packet of that connection, which also has hops left and
 * fits the MTU: its serial, or 0 and the reason.  Kept in the connection.
 */
uint32_t lp_rewrite_nexthop(struct lp_rewrite *rewrite, struct lp_batch *batch,
    const struct lp_pkt *pkt, enum lp_reason *why);

/* Sends it there, or lets it wait; decides the packet with that reason. */
void lp_rewrite_output(struct lp_rewrite *rewrite, struct lp_batch *batch,
    struct lp_pkt *pkt, uint32_t hop, enum lp_reason reason);

/*
 * Replaces addresses and, if ports is not NULL, the two ports there, keeping
 * the checksum at sum (NULL: none) and that of an IPv4 header right; takes one
 * hop if hop is true.
 */
void lp_rewrite_addresses(uint8_t *ip, bool v6, const struct lp_ip *src,
    const struct lp_ip *dst, uint8_t *ports, uint16_t sport, uint16_t dport,
    uint8_t *sum, bool hop);

#endif
