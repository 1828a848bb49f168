/* SPDX-License-Identifier: Apache-2.0 */
/* The heads of TCP segments over IPv4, as the ends of a connection send them.
 */
#ifndef LP_BENCH_SEGMENT_H
#define LP_BENCH_SEGMENT_H

#include <stdint.h>

#include "dataplane/pipeline/wire.h"

enum {
	SEGMENT_IP = LP_ETH_LEN,
	SEGMENT_TCP = SEGMENT_IP + LP_IP4_LEN,
	/* Ethernet, IPv4, and TCP with 12 bytes of options, as Linux has. */
	HEAD_LEN = SEGMENT_TCP + LP_TCP_LEN + 12,
	PAYLOAD_MAX = 1448,
	SEGMENT_TTL = 64,
};

/* All but addresses, ports, and what segment_set() sets. */
void segment_lay_out(uint8_t head[HEAD_LEN]);

/* The payload is all zeros: it adds nothing to the checksum. */
void segment_set(uint8_t head[HEAD_LEN], uint8_t flags, uint32_t seq,
    uint32_t ack, uint16_t payload_len);

#endif
