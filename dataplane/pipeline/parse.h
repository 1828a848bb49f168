/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From bytes to offsets.  Whatever passes parse has proven bounds: the stages
 * behind it read headers without asking again.
 */
#ifndef LP_PIPELINE_PARSE_H
#define LP_PIPELINE_PARSE_H

#include "dataplane/pipeline/batch.h"
#include "proto/address.h"

/*
 * Sets offsets and flags of each packet, or drops it with the reason.  What
 * the port said of it stays (LP_PKT_FROM_PORT): a checksum that the device has
 * found good is not verified once more.
 */
void lp_parse_stage(struct lp_batch *batch);

/* One packet; what the stage does in its loop.  For trace and fuzzing. */
void lp_parse_packet(struct lp_pkt *pkt);

/* The addresses of a parsed IP packet. */
void lp_parse_addresses(
    const struct lp_pkt *pkt, struct lp_ip *src, struct lp_ip *dst);

/*
 * Verifies the TCP checksum (reads the whole payload).  LP_REASON_NONE, or
 * why it is wrong: LP_REASON_TCP_CHECKSUM, _TCP_CHECKSUM_PARTIAL.
 */
enum lp_reason lp_parse_tcp_checksum(const struct lp_pkt *pkt);

enum { LP_TCP_OPT_ANY_LEN = 0 };

/*
 * Where the value of a TCP option lies, as an offset from the packet's start,
 * or 0.  len is what the option must have in all (kind and length included).
 */
uint16_t lp_parse_tcp_option(
    const struct lp_pkt *pkt, uint8_t kind, uint8_t len);

#endif
