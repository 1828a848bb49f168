/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes on the wire: offsets, and unaligned access in network byte order.
 *
 * Sources: RFC 826 (ARP), RFC 791 (IPv4), RFC 8200 (IPv6), RFC 9293 (TCP),
 * RFC 792 and 4443 (ICMP), RFC 4861 (neighbour discovery), RFC 2710 and 3810
 * (multicast listener discovery).
 */
#ifndef LP_PIPELINE_WIRE_H
#define LP_PIPELINE_WIRE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

enum {
	LP_ETH_LEN = 14,
	LP_ETH_DST = 0,
	LP_ETH_SRC = 6,
	LP_ETH_TYPE = 12,
	LP_ETHERTYPE_IPV4 = 0x0800,
	LP_ETHERTYPE_ARP = 0x0806,
	LP_ETHERTYPE_VLAN = 0x8100,
	LP_ETHERTYPE_QINQ = 0x88a8,
	LP_ETHERTYPE_IPV6 = 0x86dd,
	LP_ETH_MIN = 60, /* without the FCS */

	LP_IP4_LEN = 20, /* without options */
	LP_IP4_TOS = 1,
	LP_IP4_TOTAL = 2,
	LP_IP4_ID = 4,
	LP_IP4_FRAG = 6,
	LP_IP4_TTL = 8,
	LP_IP4_PROTO = 9,
	LP_IP4_SUM = 10,
	LP_IP4_SRC = 12,
	LP_IP4_DST = 16,
	LP_IP4_DF = 0x4000,
	LP_IP4_MF_OFFSET = 0x3fff, /* more fragments, or an offset */

	LP_IP6_LEN = 40,
	LP_IP6_PAYLOAD = 4,
	LP_IP6_NEXT = 6,
	LP_IP6_HOPS = 7,
	LP_IP6_SRC = 8,
	LP_IP6_DST = 24,
	LP_IP6_HOPOPTS = 0,
	LP_IP6_ROUTING = 43,
	LP_IP6_FRAGMENT = 44,
	LP_IP6_DSTOPTS = 60,
	LP_IP6_OPT_PAD1 = 0,
	LP_IP6_OPT_PADN = 1,
	LP_IP6_OPT_ALERT = 5, /* RFC 2711 */

	LP_PROTO_ICMP = 1,
	LP_PROTO_TCP = 6,
	LP_PROTO_ICMP6 = 58,

	LP_TCP_LEN = 20, /* without options */
	LP_TCP_SRC = 0,
	LP_TCP_DST = 2,
	LP_TCP_SEQ = 4,
	LP_TCP_ACKNO = 8,
	LP_TCP_OFF = 12,
	LP_TCP_FLAGS = 13,
	LP_TCP_WINDOW = 14,
	LP_TCP_SUM = 16,
	LP_TCP_URGENT = 18,
	LP_TCP_OPT_END = 0,
	LP_TCP_OPT_NOP = 1,
	LP_TCP_OPT_MSS = 2,
	LP_TCP_OPT_SCALE = 3,
	LP_TCP_OPT_SACK_OK = 4,
	LP_TCP_OPT_SACK = 5,
	LP_TCP_OPT_TIMESTAMP = 8,
	LP_TCP_OPT_STAMPS_LEN = 10,
	LP_TCP_OPT_MPTCP = 30,
	LP_TCP_OPT_FAST_OPEN = 34,
	/* RFC 9293, 3.7.1: where no MSS is offered. */
	LP_TCP_MSS_V4 = 536,
	LP_TCP_MSS_V6 = 1220,
	LP_TCP_SCALE_MAX = 14, /* RFC 7323, 2.3 */

	LP_ARP_LEN = 28,
	LP_ARP_OP = 6,
	LP_ARP_SHA = 8,
	LP_ARP_SPA = 14,
	LP_ARP_THA = 18,
	LP_ARP_TPA = 24,
	LP_ARP_REQUEST = 1,
	LP_ARP_REPLY = 2,

	LP_ICMP_LEN = 8,
	LP_ICMP_TYPE = 0,
	LP_ICMP_CODE = 1,
	LP_ICMP_SUM = 2,
	LP_ICMP_ECHO_REPLY = 0,
	LP_ICMP_UNREACHABLE = 3,
	LP_ICMP_ECHO = 8,
	LP_ICMP_TIME_EXCEEDED = 11,
	LP_ICMP_PARAMETER = 12,

	LP_ICMP6_UNREACHABLE = 1,
	LP_ICMP6_TOO_BIG = 2,
	LP_ICMP6_TIME_EXCEEDED = 3,
	LP_ICMP6_PARAMETER = 4,
	LP_ICMP6_ECHO = 128,
	LP_ICMP6_ECHO_REPLY = 129,
	LP_ICMP6_MLD_QUERY = 130,
	LP_ICMP6_MLD_REPORT_V1 = 131,
	LP_ICMP6_NS = 135,
	LP_ICMP6_NA = 136,
	LP_ICMP6_MLD_REPORT_V2 = 143,

	LP_ND_LEN = 24, /* NS and NA without options */
	LP_ND_FLAGS = 4,
	LP_ND_TARGET = 8,
	LP_ND_OPTIONS = 24,
	LP_ND_OPT_SOURCE = 1,
	LP_ND_OPT_TARGET = 2,
	LP_ND_SOLICITED = 0x40,
	LP_ND_OVERRIDE = 0x20,

	LP_MLD_V1_LEN = 24, /* queries and reports of MLDv1 */
	LP_MLD_V2_LEN = 28, /* queries of MLDv2 without sources */
	LP_MLD_DELAY = 4,
	LP_MLD_GROUP = 8,
	LP_MLD_COUNT = 6, /* reports of MLDv2 */
	LP_MLD_RECORDS = 8,
	LP_MLD_RECORD_LEN = 20, /* without sources */
	LP_MLD_RECORD_GROUP = 4,
	LP_MLD_IS_EXCLUDE = 2,
	LP_MLD_TO_EXCLUDE = 4,
};

static inline uint16_t
lp_get16(const uint8_t *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof(value));
	return be16toh(value);
}

static inline uint32_t
lp_get32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return be32toh(value);
}

static inline void
lp_put16(uint8_t *p, uint16_t value)
{
	value = htobe16(value);
	memcpy(p, &value, sizeof(value));
}

static inline void
lp_put32(uint8_t *p, uint32_t value)
{
	value = htobe32(value);
	memcpy(p, &value, sizeof(value));
}

#endif
