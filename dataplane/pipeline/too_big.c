/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/too_big.h"

#include "dataplane/pipeline/parse.h"
#include "dataplane/pipeline/wire.h"

enum {
	/* No error is longer than the least MTU of IPv6 (RFC 4443, 2.4). */
	QUOTE_MAX = LP_MTU_MIN - LP_IP6_LEN - LP_ICMP_LEN,
};

void
lp_too_big_answer(struct lp_neighbors *neighbors, struct lp_batch *batch,
    const struct lp_pkt *pkt, const struct lp_conn *conn)
{
	bool v6 = (pkt->flags & LP_PKT_V6) != 0;
	bool client = pkt->dir == LP_TO_CLIENT;
	unsigned quoted = (unsigned)(pkt->l4_off - pkt->l3_off) + 8;
	struct lp_ip src, dst, nexthop;
	enum lp_reason why;
	struct lp_pkt *error;
	uint8_t *icmp;
	uint8_t slot;
	uint32_t hop;

	/* RFC 792: the header and 8 bytes; RFC 4443: what fits, enough here. */
	if (quoted > QUOTE_MAX)
		quoted = QUOTE_MAX;
	lp_parse_addresses(pkt, &src, &dst);
	if (!lp_snapshot_route(batch->snapshot,
		client ? &conn->client_ip : &conn->broker_ip,
		client ? LP_SIDE_CLIENT : LP_SIDE_BROKER, &slot, &nexthop))
		return;
	hop = lp_neighbor_find(neighbors, batch, 0, &src,
	    client ? LP_SIDE_BROKER : LP_SIDE_CLIENT, &why);
	if (hop == 0)
		return;
	error = lp_make_packet(neighbors->make, batch,
	    lp_neighbor_slot(neighbors, hop),
	    (uint16_t)(LP_ETH_LEN + LP_IP6_LEN + LP_ICMP_LEN + quoted));
	if (error == NULL)
		return;
	lp_make_ip(error, &dst, &src, v6 ? LP_PROTO_ICMP6 : LP_PROTO_ICMP,
	    (uint16_t)(LP_ICMP_LEN + quoted));
	icmp = error->data + error->l4_off;
	memset(icmp, 0, LP_ICMP_LEN);
	icmp[LP_ICMP_TYPE] = v6 ? LP_ICMP6_TOO_BIG : LP_ICMP_UNREACHABLE;
	icmp[LP_ICMP_CODE] = v6 ? 0 : 4;
	lp_put16(icmp + 6, batch->snapshot->ports[slot].mtu);
	memcpy(icmp + LP_ICMP_LEN, pkt->data + pkt->l3_off, quoted);
	lp_make_checksum(
	    error, v6 ? LP_PROTO_ICMP6 : LP_PROTO_ICMP, LP_ICMP_SUM);
	if (!lp_neighbor_output(neighbors, batch, hop, error))
		error->verdict = LP_HOLD;
}
