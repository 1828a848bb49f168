/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a packet of a connection: to a next hop; or inline out of a port,
 * where nobody is asked for an address: frames of that direction have had both.
 */
#ifndef LP_PIPELINE_WAY_H
#define LP_PIPELINE_WAY_H

#include "dataplane/pipeline/neighbor.h"
#include "dataplane/pipeline/region.h"

struct lp_way {
	uint32_t hop; /* serial in neighbor.c; 0: out of an inline port */
	uint8_t slot; /* of the port that it leaves by */
};

/*
 * Of what we make ourselves, in that direction.  False: there is none, and it
 * is as lost.
 */
bool lp_way_find(struct lp_neighbors *neighbors, struct lp_batch *batch,
    const struct lp_conn *conn, enum lp_direction dir, struct lp_way *way);

/* Sends one of ours, which is complete but for its Ethernet addresses. */
void lp_way_send(struct lp_neighbors *neighbors, struct lp_batch *batch,
    const struct lp_conn *conn, enum lp_direction dir, const struct lp_way *way,
    struct lp_pkt *pkt);

/* Of a packet of an inline port; false: its peer is not there. */
bool lp_way_wire(
    const struct lp_batch *batch, const struct lp_pkt *pkt, struct lp_way *way);

/*
 * Keeps what ours need of an inline packet: a hint, which the next one puts
 * right.
 */
void lp_way_learn(const struct lp_batch *batch, const struct lp_pkt *pkt,
    enum lp_direction dir, struct lp_conn *conn);

#endif
