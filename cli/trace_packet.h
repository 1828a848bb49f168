/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame from its description, for `lpctl trace`.
 */
#ifndef LP_CLI_TRACE_PACKET_H
#define LP_CLI_TRACE_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "proto/address.h"
#include "proto/limits.h"

enum lp_trace_kind {
	LP_TRACE_TCP,
	LP_TRACE_PING,
	LP_TRACE_ARP, /* a question: who has `to`? */
};

struct lp_trace_packet {
	enum lp_trace_kind kind;
	struct lp_endpoint from; /* of one family; port 0 but for TCP */
	struct lp_endpoint to;
	uint8_t flags; /* RFC 9293, 3.1 */
	uint32_t seq;
	uint32_t ack;
	const uint8_t *payload;
	size_t payload_len;
};

/* Headers of all kinds; with a payload it must fit LP_TRACE_PACKET_MAX. */
enum { LP_TRACE_PACKET_HEADERS = 14 + 40 + 20 };

/*
 * Writes it, checksums included, and returns its length.  Its source MAC is
 * 02:00:00:00:00:01, its destination broadcast for ARP, else all zero: the
 * dataplane fills in the port's.
 */
size_t lp_trace_packet_build(
    uint8_t bytes[LP_TRACE_PACKET_MAX], const struct lp_trace_packet *packet);

/* "SA" in any order, of the letters FSRPAU.  0, or -EINVAL. */
int lp_trace_packet_flags(uint8_t *flags, const char *text);

/* Pairs of hex digits, blanks and colons between them.  0, or -EINVAL. */
int lp_trace_packet_hex(
    uint8_t *bytes, size_t max, size_t *len, const char *text);

#endif
