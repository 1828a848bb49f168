/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DS field (RFC 2474) of packets whose connection has one from rules: in
 * both directions, and of those that we make ourselves.  The two bits of ECN
 * (RFC 3168) are the ends', and stay.
 *
 * And whose a packet of our own is: it leaves in the order of its connection.
 */
#ifndef LP_PIPELINE_MARK_H
#define LP_PIPELINE_MARK_H

#include "dataplane/pipeline/checksum.h"
#include "dataplane/pipeline/region.h"

enum { LP_MARK_ECN = 3 };

/* In its IP header, which is complete. */
static inline void
lp_mark_packet(const struct lp_conn *conn, const struct lp_pkt *pkt)
{
	uint8_t *ip = pkt->data + pkt->l3_off;
	uint8_t field, was[2];

	if (__builtin_expect(conn->dscp == 0, 1))
		return;
	field = (uint8_t)((conn->dscp - 1) << 2);
	memcpy(was, ip, sizeof(was));
	if (pkt->flags & LP_PKT_V6) {
		field |= was[1] >> 4 & LP_MARK_ECN;
		ip[0] = (uint8_t)((was[0] & 0xf0) | field >> 4);
		ip[1] = (uint8_t)((was[1] & 0x0f) | field << 4);
		return;
	}
	ip[1] = (uint8_t)(field | (was[1] & LP_MARK_ECN));
	lp_sum_update(ip + LP_IP4_SUM, lp_sum_replace(0, was, ip, sizeof(was)));
}

/* Of a packet that we have made for a connection of the table. */
static inline void
lp_mark_made(const struct lp_region *region, const struct lp_conn *conn,
    struct lp_pkt *pkt)
{
	pkt->conn = (uint32_t)(conn - region->connections);
	assert(pkt->conn < region->header->connection_count);
	lp_mark_packet(conn, pkt);
}

#endif
