/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/make.h"

#include "dataplane/pipeline/checksum.h"
#include "dataplane/pipeline/wire.h"

enum { HOPS = 64, HOPS_ND = 255 };

struct lp_pkt *
lp_make_packet(const struct lp_make *make, struct lp_batch *batch, uint8_t slot,
    uint16_t len)
{
	struct lp_outbox *out = &batch->out;
	struct lp_pkt *pkt;

	assert(len <= LP_BUFFER_SIZE - LP_BUFFER_HEADROOM);
	if (out->count == LP_OUTBOX_MAX) {
		lp_count_add(&make->stats->dropped_made, 1);
		return NULL;
	}
	pkt = &out->pkts[out->count];
	*pkt = (struct lp_pkt){.conn = LP_CONN_NONE};
	if (!make->backend->alloc(make->pool, pkt)) {
		lp_count_add(&make->stats->dropped_made, 1);
		return NULL;
	}
	out->count++;
	memset(pkt->data, 0, len);
	pkt->len = len;
	pkt->port_out = slot;
	pkt->behind = (uint8_t)batch->done;
	return pkt;
}

void
lp_make_ip(struct lp_pkt *pkt, const struct lp_ip *src, const struct lp_ip *dst,
    uint8_t proto, uint16_t len)
{
	uint8_t *ip = pkt->data + LP_ETH_LEN;

	pkt->l3_off = LP_ETH_LEN;
	if (lp_ip_is_v4(dst)) {
		pkt->flags = 0;
		pkt->l4_off = LP_ETH_LEN + LP_IP4_LEN;
		lp_put16(pkt->data + LP_ETH_TYPE, LP_ETHERTYPE_IPV4);
		memset(ip, 0, LP_IP4_LEN);
		ip[0] = 0x45;
		lp_put16(ip + LP_IP4_TOTAL, (uint16_t)(LP_IP4_LEN + len));
		lp_put16(ip + LP_IP4_FRAG, LP_IP4_DF);
		ip[LP_IP4_TTL] = HOPS;
		ip[LP_IP4_PROTO] = proto;
		memcpy(ip + LP_IP4_SRC, lp_ip_v4(src), 4);
		memcpy(ip + LP_IP4_DST, lp_ip_v4(dst), 4);
		lp_put16(ip + LP_IP4_SUM,
		    (uint16_t)~lp_sum_fold(lp_sum_add(0, ip, LP_IP4_LEN)));
	} else {
		pkt->flags = LP_PKT_V6;
		pkt->l4_off = LP_ETH_LEN + LP_IP6_LEN;
		lp_put16(pkt->data + LP_ETH_TYPE, LP_ETHERTYPE_IPV6);
		memset(ip, 0, LP_IP6_LEN);
		ip[0] = 0x60;
		lp_put16(ip + LP_IP6_PAYLOAD, len);
		ip[LP_IP6_NEXT] = proto;
		ip[LP_IP6_HOPS] = proto == LP_PROTO_ICMP6 ? HOPS_ND : HOPS;
		memcpy(ip + LP_IP6_SRC, src->bytes, 16);
		memcpy(ip + LP_IP6_DST, dst->bytes, 16);
	}
	pkt->len = (uint16_t)(pkt->l4_off + len);
}

void
lp_make_checksum(struct lp_pkt *pkt, uint8_t proto, unsigned field)
{
	const uint8_t *ip = pkt->data + pkt->l3_off;
	uint8_t *l4 = pkt->data + pkt->l4_off;
	uint32_t len = (uint32_t)(pkt->len - pkt->l4_off);
	uint64_t sum = 0;

	lp_put16(l4 + field, 0);
	if (pkt->flags & LP_PKT_V6)
		sum = lp_sum_pseudo(
		    ip + LP_IP6_SRC, ip + LP_IP6_DST, 16, proto, len);
	else if (proto != LP_PROTO_ICMP)
		sum = lp_sum_pseudo(
		    ip + LP_IP4_SRC, ip + LP_IP4_DST, 4, proto, len);
	sum = lp_sum_add(sum, l4, len);
	lp_put16(l4 + field, (uint16_t)~lp_sum_fold(sum));
}

void
lp_make_release(const struct lp_make *make, struct lp_batch *batch,
    const struct lp_pkt *held)
{
	struct lp_outbox *out = &batch->out;
	struct lp_pkt pkt = *held;

	if (out->count == LP_OUTBOX_MAX) {
		lp_count_add(&make->stats->dropped_held, 1);
		lp_make_discard(make, &pkt);
		return;
	}
	pkt.behind = (uint8_t)batch->done;
	out->pkts[out->count++] = pkt;
	lp_count_add(&make->stats->sent_released, 1);
}

void
lp_make_discard(const struct lp_make *make, struct lp_pkt *pkt)
{
	make->backend->release(make->pool, &pkt, 1);
}
