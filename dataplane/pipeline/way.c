/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/way.h"

#include <string.h>

enum { MAC_LEN = 6 };

static bool find_wire(const struct lp_snapshot *, const struct lp_conn *,
    enum lp_direction, struct lp_way *);

bool
lp_way_find(struct lp_neighbors *neighbors, struct lp_batch *batch,
    const struct lp_conn *conn, enum lp_direction dir, struct lp_way *way)
{
	bool client = dir == LP_TO_CLIENT;
	enum lp_reason why;

	if (conn->flags & LP_CONN_INLINE)
		return find_wire(batch->snapshot, conn, dir, way);
	way->hop = lp_neighbor_find(neighbors, batch, conn->nexthop[dir],
	    client ? &conn->client_ip : &conn->broker_ip,
	    client ? LP_SIDE_CLIENT : LP_SIDE_BROKER, &why);
	if (way->hop == 0)
		return false;
	way->slot = lp_neighbor_slot(neighbors, way->hop);
	return true;
}

void
lp_way_send(struct lp_neighbors *neighbors, struct lp_batch *batch,
    const struct lp_conn *conn, enum lp_direction dir, const struct lp_way *way,
    struct lp_pkt *pkt)
{
	if (way->hop == 0) {
		memcpy(pkt->data + LP_ETH_DST, conn->wire_macs[dir],
		    sizeof(conn->wire_macs[dir]));
		pkt->port_out = way->slot;
		return;
	}
	/* One that must wait for its next hop is not the outbox's any more. */
	if (!lp_neighbor_output(neighbors, batch, way->hop, pkt))
		pkt->verdict = LP_HOLD;
}

bool
lp_way_wire(
    const struct lp_batch *batch, const struct lp_pkt *pkt, struct lp_way *way)
{
	*way =
	    (struct lp_way){.slot = batch->snapshot->ports[pkt->port_in].peer};
	return way->slot != LP_PORT_NONE;
}

void
lp_way_learn(const struct lp_batch *batch, const struct lp_pkt *pkt,
    enum lp_direction dir, struct lp_conn *conn)
{
	const struct lp_snapshot_port *in =
	    &batch->snapshot->ports[pkt->port_in];
	uint8_t *back = conn->wire_macs[!dir];
	static const uint8_t none[2 * MAC_LEN];

	static_assert(LP_ETH_DST == 0 && LP_ETH_SRC == 6, "as in frames");
	static_assert(sizeof(conn->wire_macs[0]) == (size_t)2 * MAC_LEN, "");
	if (dir == LP_TO_BROKER)
		conn->wire_slot = (uint8_t)(pkt->port_in + 1);
	else if (in->peer != LP_PORT_NONE)
		conn->wire_slot = (uint8_t)(in->peer + 1);
	memcpy(conn->wire_macs[dir], pkt->data, 2 * MAC_LEN);
	if (memcmp(back, none, sizeof(none)) != 0)
		return;
	memcpy(back, pkt->data + LP_ETH_SRC, MAC_LEN);
	memcpy(back + MAC_LEN, pkt->data + LP_ETH_DST, MAC_LEN);
}

/* The client is behind one port of the pair, its broker behind the other. */
static bool
find_wire(const struct lp_snapshot *snapshot, const struct lp_conn *conn,
    enum lp_direction dir, struct lp_way *way)
{
	uint8_t slot = (uint8_t)(conn->wire_slot - 1);
	const struct lp_snapshot_port *port;

	/* After a restart, before a packet: that which it was opened by. */
	for (unsigned i = 0; conn->wire_slot == 0 && i < LP_PORTS_MAX; i++)
		if (snapshot->ports[i].id == conn->port_id)
			slot = (uint8_t)i;
	if (slot >= LP_PORTS_MAX)
		return false;
	port = &snapshot->ports[slot];
	way->hop = 0;
	way->slot = dir == LP_TO_CLIENT ? slot : port->peer;
	return port->is_inline && way->slot != LP_PORT_NONE;
}
