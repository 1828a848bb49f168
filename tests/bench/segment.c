/* SPDX-License-Identifier: Apache-2.0 */
#include "segment.h"

#include "dataplane/pipeline/checksum.h"

static const uint8_t options[12] = {LP_TCP_OPT_MSS, 4, 0x05, 0xb4,
    LP_TCP_OPT_NOP, LP_TCP_OPT_SCALE, 3, 7, LP_TCP_OPT_NOP, LP_TCP_OPT_NOP,
    LP_TCP_OPT_NOP, LP_TCP_OPT_NOP};

void
segment_lay_out(uint8_t head[HEAD_LEN])
{
	memset(head, 0, HEAD_LEN);
	lp_put16(head + LP_ETH_TYPE, LP_ETHERTYPE_IPV4);
	head[SEGMENT_IP] = 0x45;
	lp_put16(head + SEGMENT_IP + LP_IP4_FRAG, LP_IP4_DF);
	head[SEGMENT_IP + LP_IP4_TTL] = SEGMENT_TTL;
	head[SEGMENT_IP + LP_IP4_PROTO] = LP_PROTO_TCP;
	head[SEGMENT_TCP + LP_TCP_OFF] = 8 << 4;
	memcpy(head + SEGMENT_TCP + LP_TCP_LEN, options, sizeof(options));
}

void
segment_set(uint8_t head[HEAD_LEN], uint8_t flags, uint32_t seq, uint32_t ack,
    uint16_t payload_len)
{
	uint16_t tcp_len = (uint16_t)(HEAD_LEN - SEGMENT_TCP + payload_len);
	uint8_t *ip = head + SEGMENT_IP, *tcp = head + SEGMENT_TCP;
	uint64_t sum;

	lp_put16(ip + LP_IP4_TOTAL, (uint16_t)(LP_IP4_LEN + tcp_len));
	lp_put16(ip + LP_IP4_SUM, 0);
	sum = lp_sum_add(0, ip, LP_IP4_LEN);
	lp_put16(ip + LP_IP4_SUM, (uint16_t)~lp_sum_fold(sum));
	lp_put32(tcp + LP_TCP_SEQ, seq);
	lp_put32(tcp + LP_TCP_ACKNO, ack);
	tcp[LP_TCP_FLAGS] = flags;
	lp_put16(tcp + LP_TCP_WINDOW, UINT16_MAX);
	lp_put16(tcp + LP_TCP_SUM, 0);
	sum = lp_sum_pseudo(
	    ip + LP_IP4_SRC, ip + LP_IP4_DST, 4, LP_PROTO_TCP, tcp_len);
	sum = lp_sum_add(sum, tcp, HEAD_LEN - SEGMENT_TCP);
	lp_put16(tcp + LP_TCP_SUM, (uint16_t)~lp_sum_fold(sum));
}
